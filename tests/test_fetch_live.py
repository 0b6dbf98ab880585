"""The live site: robots.txt, conditional requests, only known records, and removals that are confirmed."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scraper.capture import WarcType
from scraper.folders import Folders
from tests.dbkit import add, plain_page, sql
from tests.fakearchive import faults
from tests.fakearchive.run import Fetch, stored
from tests.fakearchive.server import FakeArchive, Fault, Handler

SINCE = "Mon, 01 Jan 2024 00:00:00 GMT"
HTML = (("Content-Type", "text/html"), ("ETag", '"v1"'), ("Last-Modified", SINCE), ("Set-Cookie", "a=1"))
ROBOTS = (("Content-Type", "text/plain"),)


@pytest.fixture
def site(fake: FakeArchive, tmp_path: Path) -> Iterator[FakeArchive]:
    """A site with two records that are known from a file, and robots.txt that allows them."""
    edited = plain_page(3, source="files", url="https://bjatta.bja.ojp.gov/node/3/edit")
    add(Folders(tmp_path / "data"), [*(plain_page(number, source="files") for number in (1, 2)), edited])
    fake.files["/robots.txt"] = faults.answers(200, b"User-agent: *\nDisallow: /admin\n", ROBOTS)
    fake.files["/node/1"] = faults.answers(200, b"<html>one</html>", HTML)
    fake.files["/node/2"] = faults.answers(200, b"<html>two</html>", HTML)
    yield fake


def asked(fake: FakeArchive) -> list[str]:
    return [path for _, path in fake.arrivals]


def live(data: Path) -> list[tuple[WarcType, int | None, bytes]]:
    return [(capture.warc_type, capture.http_status, capture.content) for capture in stored(data) if capture.source == "live"]


def test_only_known_records_are_asked_for_and_stored(site: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    ran = tta_fetch("live")
    assert (ran.status, ran.source("live")["fetched"], asked(site)) == (0, 2, ["/robots.txt", "/node/1", "/node/2"]), ran.err
    assert live(tmp_path / "data") == [
        (WarcType.RESPONSE, 200, b"<html>one</html>"),
        (WarcType.RESPONSE, 200, b"<html>two</html>"),
    ]
    assert all(capture.header("set-cookie") is None for capture in stored(tmp_path / "data"))
    assert tta_fetch().report["sources"].keys() == {"wayback"}


def later() -> None:
    """Into the next second: captures of one page at one second are one capture."""
    time.sleep(1.05)


def _conditional(handler: Handler) -> None:
    both = (handler.headers.get("If-None-Match"), handler.headers.get("If-Modified-Since"))
    if both == ('"v1"', SINCE):
        handler.send_response(304)
        handler.end_headers()
    else:
        handler.answer(200, b"<html>one</html>", HTML)


def test_an_unchanged_page_is_asked_for_conditionally_and_kept_as_a_revisit(
    site: FakeArchive, tta_fetch: Fetch, tmp_path: Path
) -> None:
    site.files["/node/1"] = _conditional
    assert tta_fetch("live").status == 0
    later()
    ran = tta_fetch("live")
    assert (ran.status, ran.source("live")["unchanged"], ran.source("live")["fetched"]) == (0, 2, 0)
    revisits = [capture for capture in stored(tmp_path / "data") if capture.warc_type is WarcType.REVISIT]
    assert [(capture.url, capture.http_status) for capture in revisits] == [(f"{site.url}/node/1", 200)]
    assert revisits[0].original is not None
    assert asked(site).count("/robots.txt") == 1


def test_a_page_that_only_renews_its_tokens_is_unchanged(site: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    tokens = iter(range(100))
    form = '<html><input type="hidden" name="form_build_id" value="form-{0}"><link href="/a.css?abc{0:03}"><!-- {0} -->{1}</html>'
    text = ["same"]
    site.files["/node/1"] = lambda handler: handler.answer(200, form.format(next(tokens), text[0]).encode())
    assert tta_fetch("live").source("live")["fetched"] == 2
    later()
    assert tta_fetch("live").source("live")["unchanged"] == 2
    text[0] = "changed"
    assert tta_fetch("live").source("live")["fetched"] == 1
    assert len(live(tmp_path / "data")) == 3


def test_a_removal_is_confirmed_a_day_later_and_a_return_is_captured(site: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    data, there = tmp_path / "data", site.files["/node/1"]
    tta_fetch("live")
    later()
    site.files["/node/1"] = faults.answers(404, b"<html>gone</html>")
    for _ in range(2):
        ran = tta_fetch("live")
        assert (ran.status, ran.source("live")["missing"], len(live(data))) == (0, 1, 2)
    sql(data / "ledger.db", "UPDATE live_pages SET gone_since = '2026-01-01T00:00:00Z' WHERE gone_since IS NOT NULL")
    assert [tta_fetch("live").source("live")["fetched"] for _ in range(2)] == [1, 0]
    later()
    site.files["/node/1"] = there
    tta_fetch("live")
    found = [(one.warc_type, one.http_status) for one in stored(data) if one.source == "live" and (one.url or "").endswith("/1")]
    assert found == [(WarcType.RESPONSE, 200), (WarcType.RESPONSE, 404), (WarcType.REVISIT, 200)]
    later()
    tta_fetch("live")
    assert len([one for one in stored(data) if (one.url or "").endswith("/1")]) == 4  # with the one from a file


def test_a_page_that_was_back_in_between_is_not_confirmed_as_gone(site: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    site.files["/node/1"] = _conditional
    tta_fetch("live")
    site.files["/node/1"] = faults.answers(404, b"<html>gone</html>")
    tta_fetch("live")
    later()
    site.files["/node/1"] = _conditional
    tta_fetch("live")
    assert sql(tmp_path / "data/ledger.db", "SELECT DISTINCT gone_since FROM live_pages") == [(None,)]


def test_a_firewall_is_no_removal_and_no_content(site: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    challenge = (b"<html>prove that you are human</html>", (("cf-mitigated", "challenge"),))
    assert tta_fetch("live").status == 0
    before = live(tmp_path / "data")
    later()
    site.files["/node/1"], site.files["/node/2"] = faults.answers(403), faults.answers(404, *challenge)
    ran = tta_fetch("live")
    assert (ran.status, live(tmp_path / "data"), ran.source("live")["blocked"]) == (0, before, 2)
    later()
    site.files["/node/1"] = faults.answers(200, *challenge)
    assert (tta_fetch("live").source("live")["blocked"], live(tmp_path / "data")) == (2, before)


REFUSING: dict[str, Fault] = {
    "401": faults.answers(401),
    "403": faults.answers(403),
    "500": faults.answers(500),
    "reset": faults.reset,
    "html": faults.answers(200, b"<html>not found</html>", faults.HTML),
    "html as text": faults.answers(200, b"<!DOCTYPE html>", ROBOTS),
    "redirect away": faults.redirects("https://example.org/robots.txt", 301),
    "huge": faults.answers(200, b"#" * 600_000, ROBOTS),
}


def test_what_robots_txt_does_not_allow_is_not_asked_for(site: FakeArchive, tta_fetch: Fetch) -> None:
    for name, fault in REFUSING.items():
        site.files["/robots.txt"] = fault
        assert tta_fetch("live", "--now").status == 4, name
    site.files["/robots.txt"] = faults.answers(200, b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n", ROBOTS)
    assert tta_fetch("live", "--now").status == 0
    assert set(asked(site)) == {"/robots.txt"}


def test_a_missing_robots_txt_allows_everything(site: FakeArchive, tta_fetch: Fetch) -> None:
    site.files["/robots.txt"] = faults.answers(404)
    assert tta_fetch("live").source("live")["fetched"] == 2


def test_a_crawl_delay_is_kept(site: FakeArchive, tta_fetch: Fetch) -> None:
    site.files["/robots.txt"] = faults.answers(200, b"User-agent: *\nCrawl-delay: 0.4\n", ROBOTS)
    assert tta_fetch("live").status == 0
    times = [at for at, path in site.arrivals if path.startswith("/node")]
    assert times[1] - times[0] >= 0.4


def test_many_refusals_end_the_visit(site: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    add(Folders(tmp_path / "data"), [plain_page(number, source="files") for number in range(10, 30)])
    site.always = lambda handler: handler.path != "/robots.txt" and handler.answer(403)
    ran = tta_fetch("live")
    assert (ran.status, ran.source("live")["outcome"], len(asked(site))) == (4, "paused", 6)
