"""An answer must answer the question: no page is stored under another page's URL, whatever a proxy does to the answers."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import combinations
from pathlib import Path

import pytest

from scraper.folders import Folders
from scraper.sources.replay import capture_time, other_page
from scraper.web.addresses import same_page
from scraper.web.client import Headers, Response
from tests.dbkit import add, plain_page
from tests.fakearchive import faults, proxy
from tests.fakearchive.bucket import Bucket
from tests.fakearchive.pywb import understands
from tests.fakearchive.run import HOST, Fetch, pywb_archive, run, stored, write_config
from tests.fakearchive.server import FakeArchive, Handler

AT = "20240101000000"
RECORDS = 4


def body(number: int) -> bytes:
    return f"<html><body>node {number} {'words ' * 20}</body></html>".encode()


def filled(fake: FakeArchive, source: str, data: Path) -> str:
    """Records at a source; returns what the paths of its captures contain."""
    bucket = Bucket(fake)
    fake.files["/pywb/cdx"] = understands(url=f"*.{HOST}")
    fake.files["/robots.txt"] = faults.answers(404)
    for number in range(1, RECORDS + 1):
        url = f"https://{HOST}/node/{number}"
        fake.add(url, AT, body(number))
        bucket.add(url, AT, body(number))
        fake.files[f"/node/{number}"] = faults.answers(200, body(number))
        if source == "live":
            add(Folders(data), [plain_page(number, source="files")])
    return {"commoncrawl": "warc.gz", "live": "/node/"}.get(source, "/web/")


FETCHED_ALL_THE_SAME = ("twice", "twice, late", "with the answer before it")
SHORT, SHIFTED = "with a length that is too short", "with the answer to the request before"
CASES = [("wayback", name) for name in proxy.WAYS]
CASES += [(source, name) for source in ("commoncrawl", "pywb", "live") for name in ("twice, late", SHORT)]
CASES += [(source, SHIFTED) for source in ("commoncrawl", "pywb")]
"""Nothing in the live site's pages names their URL; see the test of its links."""


@pytest.mark.parametrize(("source", "name"), CASES)
def test_no_page_is_stored_under_another_url(fake: FakeArchive, tmp_path: Path, source: str, name: str) -> None:
    is_shifted = name == SHIFTED
    most = RECORDS if name in FETCHED_ALL_THE_SAME else 0
    data = tmp_path / "data"
    where = filled(fake, source, data)
    with proxy.Proxy(fake.port, proxy.WAYS[name], where).running() as unruly:
        archives = [pywb_archive("test", f"{unruly.url}/pywb/cdx", f"{unruly.url}/web/")]
        settings = {"sources__pywb__archives": archives, "retry__attempts": 2, "retry__deadline": 0.6}
        config = write_config(tmp_path / "tta.toml", unruly.url, **settings)
        first = run(data, config, source, "--now")
        found = right(data, source)
        assert len(found) < RECORDS if is_shifted else len(found) == most
        assert first.status == (0 if most == RECORDS else 4), first.err
        unruly.answers = None
        run(data, config, source, "--now")
        assert right(data, source) == set(range(1, RECORDS + 1))


def right(data: Path, source: str) -> set[int]:
    """The nodes whose page is stored from a source; every stored page must be that of its URL."""
    numbers = set()
    for capture in stored(data):
        if capture.source.partition(":")[0] == source:
            number = int(re.search(r"/node/(\d+)$", capture.url or "")[1])  # type: ignore[index]
            assert capture.content == body(number)
            numbers.add(number)
    return numbers


NAMED = "https://bjatta.bja.ojp.gov/node/"
OTHER: dict[str, tuple[tuple[str, str], ...]] = {
    "original": (("Link", f'<{NAMED}2>; rel="original"'),),
    "original, escaped": (("Link", f'<{NAMED}1?a=1&amp;b=2>; rel="original"'),),
    "content-location": (("Content-Location", f"/web/{AT}id_/{NAMED}2"),),
    "both, of which one is right": (("Link", f'<{NAMED}1>; rel="original"'), ("Content-Location", f"/web/{AT}id_/{NAMED}2")),
}


@pytest.mark.parametrize("headers", OTHER.values(), ids=OTHER.keys())
def test_an_answer_that_names_another_page_is_refused_and_asked_for_again(
    fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, headers: tuple[tuple[str, str], ...]
) -> None:
    kept = fake.add(f"{NAMED}1", AT)
    usual = tuple(pair for pair in handler_headers(fake, kept) if pair[0] != "Link")
    fake.fault(kept, *[lambda handler: handler.answer(200, kept.body, (*usual, *headers))] * 2)
    ran = tta_fetch()
    assert (ran.status, ran.source()["failed"], stored(tmp_path / "data")) == (4, 1, [])
    assert "answered with another page" in ran.err
    assert tta_fetch("--now").source()["fetched"] == 1


def handler_headers(fake: FakeArchive, kept: object) -> tuple[tuple[str, str], ...]:
    return Handler.memento_headers(type("H", (), {"archive": fake})(), kept)  # type: ignore[arg-type]


def test_spellings_of_one_page() -> None:
    for one, *others in (
        ("https://x.gov/node/1", "http://www.x.gov:80/Node/1/"),
        ("https://x.gov/a%20b?b=2&a=1", "https://x.gov/a b?a=1&b=2"),
        ("https://x.gov/a?b=1&amp;c=2", "https://x.gov/a?b=1&c=2"),
    ):
        assert all(same_page(one, other) for other in others)
    for others in (("https://x.gov/node/1", "https://y.gov/node/1", "https://x.gov/node/11"), ("http://[bad/", "https://x.gov/")):
        assert not any(same_page(one, other) for one, other in combinations(others, 2))
    assert not same_page("https://x.gov/?q=1", "https://x.gov/?q=2")


def _answer(**headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response("https://a.org/web/20240101000000id_/https://x.gov/1", 200, Headers(tuple(named.items())), b"", b"", True)


FUTURE = format_datetime(datetime.now(UTC) + timedelta(days=400), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "asked", "expected"),
    [
        ({"Memento_Datetime": "Mon, 02 Jan 2023 00:00:00 GMT"}, AT, "2023-01-02"),
        ({"Memento_Datetime": "Fri, 31 Dec 9999 23:59:59 GMT"}, AT, "2024-01-01"),
        ({"Memento_Datetime": FUTURE}, AT, "2024-01-01"),
        ({"Memento_Datetime": FUTURE, "Content_Location": "/web/20220202000000id_/https://x.gov/1"}, AT, "2022-02-02"),
        ({}, AT, "2024-01-01"),
        ({"Memento_Datetime": FUTURE}, "29990101000000", None),
    ],
)
def test_a_replay_is_dated_by_its_header_or_its_url_and_never_in_the_future(
    headers: dict[str, str], asked: str, expected: str | None
) -> None:
    found = capture_time(_answer(**headers), asked, "https://a.org/web/")
    assert (found and found.strftime("%Y-%m-%d")) == expected


def test_what_no_header_names_is_not_another_page() -> None:
    assert other_page(_answer(), "https://x.gov/1", "https://a.org/web/") is None
    assert other_page(_answer(Content_Location="/elsewhere"), "https://x.gov/1", "https://a.org/web/") is None


LINKS = (
    (b"<html>", (("Link", f'<{NAMED}9>; rel="shortlink", </about>; rel="up"'),)),
    (b'<html><head><link rel="shortlink" href="/node/2" /></head>', ()),
    (b'<html><head><link href="/node/2" rel="canonical" /></head>', ()),
)


def test_a_live_page_that_names_another_node_is_refused(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    filled(fake, "live", tmp_path / "data")
    for number, (content, headers) in enumerate(LINKS, start=1):
        html = (("Content-Type", "text/html"), *headers)
        fake.files[f"/node/{number}"] = faults.answers(200, content.replace(b"/node/2", b"/node/9"), html)
    fake.files["/node/4"] = faults.answers(200, LINKS[1][0].replace(b"/node/2", b"/about-us"))
    ran = tta_fetch("live")
    assert (ran.status, ran.source("live")["failed"], ran.source("live")["fetched"]) == (4, len(LINKS), 1), ran.err
