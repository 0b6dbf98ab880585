"""Single captures: every kind of answer ends in the right verdict (ARCHIVES.md, section 2, "Decision table")."""

import gzip
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import brotli
import pytest
import zstandard

from scraper.capture import Capture, WarcType, iso
from tests.dbkit import sql
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, Fetch, captures, stored
from tests.fakearchive.server import FakeArchive, Fault, Handler, Kept

PAGE = f"https://{HOST}/node/1"
AT = "20240101000000"
BODY = b"<html><body>" + b"a record " * 200 + b"</body></html>"


def states(data: Path) -> dict[str, str]:
    return dict(sql(data / "ledger.db", "SELECT url, state FROM captures"))


def each_page(fake: FakeArchive, several: Mapping[str, Fault], times: int = 1) -> dict[str, str]:
    """Has each fault in the replay of a page of its own. Returns the faults' names by URL."""
    pages = {f"https://{HOST}/node/{number}": name for number, name in enumerate(several, start=100)}
    for url, name in pages.items():
        fake.fault(fake.add(url, AT, BODY), *[several[name]] * times)
    return pages


def asked(fake: FakeArchive, pages: Mapping[str, str]) -> dict[str, int]:
    """How often each page was requested, by the name of its fault."""
    counts = Counter(path.partition("id_/")[2] for path in fake.replays())
    return {name: counts[url] for url, name in pages.items()}


def by_name(data: Path, pages: Mapping[str, str]) -> dict[str, Capture]:
    return {pages[capture.url or ""]: capture for capture in stored(data)}


MEMENTO = b"Memento-Datetime: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
PASSING: dict[str, Fault] = {
    **{str(status): faults.answers(status, b"<html><h1>Unavailable</h1>") for status in (421, 500, 503, 504, 520, 599)},
    "reset": faults.reset,
    "empty reply": faults.raw(b""),
    "length promised": faults.cut(BODY, MEMENTO),
    "cut chunks": faults.raw(b"HTTP/1.1 200 OK\r\n" + MEMENTO + b"Transfer-Encoding: chunked\r\n\r\n100\r\n<html>"),
    "length too short": faults.raw(b"HTTP/1.1 200 OK\r\n" + MEMENTO + b"Content-Length: 99\r\n\r\n" + BODY),
    "hangs": faults.hangs(1.0),
    "drips": faults.drips,
    "drips headers": faults.drips_headers,
    **{f"503, wait {wait}": faults.asks_to_wait(503, wait) for wait in ("1", "-5", "soon")},
    **{f"429, wait {wait}": faults.asks_to_wait(429, wait) for wait in ("1", "-1", "Fri, 31 Dec 1999 23:59:59 GMT")},
}


def test_what_passes_is_waited_for(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    pages = each_page(fake, PASSING)
    ran = tta_fetch(retry__deadline=0.6)
    assert (ran.status, ran.source()["fetched"], ran.source()["failed"]) == (0, len(pages), 0), ran.err
    assert set(asked(fake, pages).values()) == {2}, asked(fake, pages)
    assert {capture.content for capture in stored(tmp_path / "data")} == {BODY}
    order = [path.rpartition("/")[2] for path in fake.replays()]
    slow = [url.rpartition("/")[2] for url, name in pages.items() if name in ("hangs", "drips", "drips headers")]
    assert order[-3:] == slow, "time-outs get a second pass at the end"


def test_an_archived_error_is_a_capture(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    pages = {f"https://{HOST}/node/{status}": status for status in (301, 403, 404, 410, 429, 500, 503)}
    for url, status in pages.items():
        headers = (("Content-Type", "text/html"), ("Retry-After", "9999"), ("Location", PAGE))
        fake.add(url, AT, BODY, status=status, headers=headers)
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.replays())) == (0, len(pages), len(pages))
    found = {capture.url: (capture.http_status, capture.content) for capture in stored(tmp_path / "data")}
    assert found == {url: (status, BODY) for url, status in pages.items()}


UNPLAYABLE: dict[str, tuple[Fault, str]] = {
    "404": (faults.answers(404, b"<html>The Wayback Machine has not archived that URL.</html>"), "missing"),
    "403": (faults.answers(403, b"<html>"), "blocked"),
    "451": (faults.answers(451, b"<html>"), "blocked"),
    "excluded with 200": (faults.answers(200, b"<html>This URL has been excluded from the Wayback Machine.</html>"), "blocked"),
    "a page with 200": (faults.answers(200, b"<html>Sorry.</html>"), "blocked"),
    "json with 200": (faults.answers(200, b'{"error": "x"}', faults.JSON), "blocked"),
}


def test_what_can_not_be_played_is_normal(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    pages = each_page(fake, {name: fault for name, (fault, _) in UNPLAYABLE.items()}, 9)
    fake.add(PAGE, AT)
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], ran.source()["waiting"]) == (0, 1, len(pages)), ran.err
    found = states(tmp_path / "data")
    assert {name: found[url] for url, name in pages.items()} == {name: state for name, (_, state) in UNPLAYABLE.items()}
    assert tta_fetch().status == 0
    assert set(asked(fake, pages).values()) == {1}
    fake.on_replay.clear()
    assert tta_fetch("--now").source()["fetched"] == len(pages)


def _memento(handler: Handler) -> tuple[tuple[str, str], ...]:
    return handler.memento_headers(handler.archive.kept[0])


def _encoded(body: bytes, encoding: str) -> Fault:
    return lambda handler: handler.memento(handler.kept(), body, Content_Encoding=encoding)


_SIZES = iter(range(100, 200))
FAILING: dict[str, tuple[Fault, int]] = {
    "503": (faults.answers(503), 6),
    "redirect off": (faults.redirects("https://example.org/login"), 2),
    "redirect to nothing": (faults.answers(302), 2),
    "400": (faults.answers(400), 2),
    "bomb": (lambda handler: faults.bomb(30_000_000, 1, _memento(handler))(handler), 1),
    "bomb of two": (lambda handler: faults.bomb(40_000_000, 2, _memento(handler))(handler), 1),
    "ratio": (lambda handler: faults.bomb(4_000_000, 1, _memento(handler))(handler), 1),
    "too long": (faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n<"), 1),
    "cut gzip": (_encoded(gzip.compress(BODY)[:-9], "gzip"), 6),
    "three encodings": (_encoded(BODY, "gzip, gzip, gzip"), 6),
    "cut and close": (lambda handler: handler.memento(handler.kept(), BODY[: next(_SIZES)], framed=False), 2),
}
"""With the number of requests in both passes of a run."""


def test_what_fails_is_told_and_asked_for_again(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    pages = each_page(fake, {name: fault for name, (fault, _) in FAILING.items()}, 9)
    fake.add(PAGE, AT)
    ran = tta_fetch()
    assert (ran.status, ran.source()["failed"], ran.source()["fetched"]) == (4, len(pages), 1), ran.err
    assert asked(fake, pages) == {name: requests for name, (_, requests) in FAILING.items()}
    assert all(url in ran.err for url in pages)
    fake.on_replay.clear()
    later = tta_fetch("--now")
    assert (later.status, later.source()["fetched"]) == (0, len(pages))
    assert len(captures(tmp_path / "data")) == len(pages) + 1


ENCODINGS: dict[str, tuple[bytes, str | None]] = {
    "gzip": (gzip.compress(BODY), "gzip"),
    "gzip in two members": (gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), "gzip"),
    "gzip under an empty header": (gzip.compress(BODY), ""),
    "gzip under no header": (gzip.compress(BODY), None),
    "plain that says gzip": (BODY, "gzip"),
    "brotli unasked": (brotli.compress(BODY), "br"),
    "zstd": (zstandard.compress(BODY), "zstd"),
    "two": (brotli.compress(gzip.compress(BODY)), "gzip, br"),
}


def test_encodings_are_taken_off(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    several = {name: _encoded(body, encoding) for name, (body, encoding) in ENCODINGS.items() if encoding is not None}
    several |= {"gzip under no header": lambda handler: handler.memento(handler.kept(), gzip.compress(BODY))}
    pages = each_page(fake, several)
    assert tta_fetch().status == 0
    found = by_name(tmp_path / "data", pages)
    assert found.keys() == ENCODINGS.keys()
    assert {(one.content, one.header("content-encoding")) for one in found.values()} == {(BODY, None)}


# Another capture than the one that was asked for


def test_a_substitute_is_stored_under_the_time_it_was_made(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    fake.add(PAGE, "20230501000000", row={"timestamp": AT})
    ran = tta_fetch()
    assert ran.status == 0, ran.err
    assert tta_fetch().status == 0
    (capture,) = stored(tmp_path / "data")
    assert (capture.url, iso(capture.captured_at), capture.payload_digest is None) == (PAGE, "2023-05-01T00:00:00Z", False)


def test_a_substitute_that_is_known_is_not_fetched(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    real = fake.add(PAGE, "20230501000000", BODY)
    gone = fake.add(PAGE, AT)
    fake.fault(gone, lambda handler: handler.substitute(real.timestamp, f"http://{HOST}/node/1"))
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], ran.source()["substituted"], len(fake.replays())) == (0, 1, 1, 2)
    assert captures(tmp_path / "data") == [(PAGE, "2023-05-01T00:00:00Z")]


@pytest.mark.parametrize("moment", ["20230501000000", "20240101000001"])
def test_a_substitute_served_without_a_redirect_is_noticed(
    fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, moment: str
) -> None:
    kept = fake.add(PAGE, AT, BODY)
    other = fake.add(PAGE, moment, b"<html>other</html>", is_listed=False)
    fake.fault(kept, lambda handler: handler.memento(other))
    assert tta_fetch().status == 0
    (capture,) = stored(tmp_path / "data")
    assert iso(capture.captured_at) != "2024-01-01T00:00:00Z"
    assert (capture.content, capture.payload_digest == f"sha1:{kept.digest}") == (b"<html>other</html>", False)


def _offers(timestamp: str, url: str) -> Fault:
    return lambda handler: handler.substitute(timestamp, url)


def test_an_offer_of_something_else_is_declined(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    others = [f"https://{HOST}/node/2", "https://example.org/node/100", "http://127.0.0.1/node/100"]
    several = {url: _offers("20230501000000", url) for url in others}
    several |= {"no time": lambda handler: handler.substitute("99999999999999", handler.kept().url)}
    pages = each_page(fake, several)
    looping = fake.add(PAGE, AT)
    fake.fault(looping, _offers("20230101000000", PAGE))
    fake.on_replay[f"20230101000000id_/{PAGE}"] = [_offers(AT, PAGE)] * 9
    ran = tta_fetch()
    assert (ran.status, ran.source()["substituted"], len(fake.replays())) == (0, len(pages) + 1, len(pages) + 2), ran.err
    assert captures(tmp_path / "data") == []


def test_another_spelling_of_the_same_capture_is_followed(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    kept = fake.add(PAGE, AT, BODY)
    other = f"http://www.{HOST}:80/node/1"
    fake.fault(kept, faults.redirects(f"/web/{AT}id_/{other}"))
    fake.on_replay[f"{AT}id_/{other}"] = [lambda handler: handler.memento(kept)]
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"]) == (0, 1), ran.err
    assert captures(tmp_path / "data") == [(PAGE, "2024-01-01T00:00:00Z")]


def test_the_archives_prefix_is_taken_off_an_archived_location(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    there = f"https://{HOST}/node/2?a=b&amp=c"
    host = fake.url.partition("//")[2]

    def moved(location: str) -> Fault:
        return lambda handler: handler.answer(302, b"moved", (*_memento_of(handler), ("Location", location)))

    def _memento_of(handler: Handler) -> tuple[tuple[str, str], ...]:
        return handler.memento_headers(Kept(handler.kept().url, AT, headers=(("Content-Type", "text/html"),)))

    forms = [f"{fake.url}/web/{AT}id_/{there}", f"/web/{AT}id_/{there}", f"//{host}/web/{AT}id_/{there}", f"/web/{AT}/{there}"]
    each_page(fake, {form: moved(form) for form in forms})
    assert tta_fetch().status == 0
    assert [capture.header("location") for capture in stored(tmp_path / "data")] == [there] * len(forms)


def test_the_address_goes_out_as_it_is_listed(fake: FakeArchive, tta_fetch: Fetch) -> None:
    path = "/a//b/../c%2Fd/%E9?q=a|b&x=[1]'\"<>&u=http://x.org/#frag ment é"
    fake.add(f"https://{HOST}{path}", AT)
    tta_fetch()
    (sent,) = fake.replays()
    expected = "/a//b/../c%2Fd/%E9?q=a|b&x=[1]'\"<>&u=http://x.org/%23frag%20ment%20%C3%A9"
    assert sent == f"/web/{AT}id_/https://{HOST}{expected}"


def test_a_body_that_differs_from_its_digest_is_kept_and_marked(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    fake.add(PAGE, AT, BODY, row={"digest": "A" * 32})
    fake.add(PAGE, "20240103000000", b"<html>y</html>", headers=(("Content-Encoding", "gzip"),), row={"digest": "B" * 32})
    fake.add(PAGE, "20240104000000", b"<html>z</html>")
    cut = fake.add(PAGE, "20240105000000", BODY + b"cut the same twice")
    fake.fault(cut, *[lambda handler: handler.memento(cut, BODY[:500], framed=False)] * 9)
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.replays())) == (0, 4, 5), ran.err
    differs = "the body does not have the listed digest"
    found = sql(tmp_path / "data/ledger.db", "SELECT reason FROM captures ORDER BY timestamp")
    assert found == [(differs,), ("",), ("",), (differs,)]
    *whole, last = sorted(stored(tmp_path / "data"), key=lambda one: str(one.captured_at))
    assert {(one.warc_type, one.truncated) for one in whole} == {(WarcType.RESPONSE, None)}
    assert (last.content, last.truncated) == (BODY[:500], "unspecified")


# Many failures


def test_pages_that_are_no_captures_many_in_a_row_pause_the_source(fake: FakeArchive, tta_fetch: Fetch) -> None:
    each_page(fake, {str(number): faults.answers(200, b"<html>Maintenance</html>") for number in range(20)})
    ran = tta_fetch()
    assert (ran.status, ran.source()["outcome"], len(fake.replays())) == (4, "paused", 5)


def test_a_host_that_keeps_failing_is_left_alone(fake: FakeArchive, tta_fetch: Fetch) -> None:
    each_page(fake, {str(number): faults.answers(503) for number in range(20)}, 99)
    ran = tta_fetch(retry__attempts=2)
    assert (ran.status, ran.source()["outcome"], len(fake.replays())) == (4, "paused", 10)
    fake.arrivals.clear()
    again = tta_fetch(retry__attempts=2)
    assert (again.status, fake.arrivals) == (4, [])
    assert "before" in again.err
    fake.on_replay.clear()
    assert tta_fetch("--now").source()["fetched"] == 20


def test_retries_have_a_budget(fake: FakeArchive, tta_fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scraper.web.pacing.BUDGET_BASE", 3)
    each_page(fake, {str(number): faults.answers(503) for number in range(8)})
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"]) == (0, 8), ran.err
    # The first few were asked again at once, the others in the second pass, where they needed no retry.
    assert len(fake.replays()) == 16
