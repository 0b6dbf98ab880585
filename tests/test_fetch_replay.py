"""Single captures: every kind of answer ends in the right verdict (ARCHIVES.md, section 2, "Decision table")."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import brotli
import pytest
import zstandard

from scraper.capture import Form, iso
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, Fetch, captures, stored
from tests.fakearchive.server import FakeArchive, Fault, Handler

PAGE = f"https://{HOST}/node/1"
AT = "20240101000000"
BODY = b"<html><body>" + b"a record " * 200 + b"</body></html>"


def states(data: Path) -> dict[str, str]:
    with sqlite3.connect(data / "ledger.db") as db:
        return dict(db.execute("SELECT timestamp, state FROM captures"))


PASSING: dict[str, Fault] = {
    "500": faults.answers(500),
    "503 html": faults.answers(503, b"<html><h1>503 Service Unavailable</h1>"),
    "504": faults.answers(504),
    "520": faults.answers(520),
    "599": faults.answers(599),
    "421": faults.answers(421),
    "reset": faults.reset,
    "empty reply": faults.raw(b""),
    "length promised": faults.cut(BODY, b"Memento-Datetime: Mon, 01 Jan 2024 00:00:00 GMT\r\n"),
    "cut chunks": faults.raw(
        b"HTTP/1.1 200 OK\r\nMemento-Datetime: Mon, 01 Jan 2024 00:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n<html>"
    ),
    "hangs": faults.hangs(1.0),
    "drips": faults.drips,
    "drips headers": faults.drips_headers,
    "503, wait 1": lambda handler: handler.answer(503, b"", (("Retry-After", "1"),)),
    "503, wait -5": lambda handler: handler.answer(503, b"", (("Retry-After", "-5"),)),
    "503, wait soon": lambda handler: handler.answer(503, b"", (("Retry-After", "soon"),)),
    "429, wait 1": lambda handler: handler.answer(429, b"", (("Retry-After", "1"),)),
    "429, wait -1": lambda handler: handler.answer(429, b"", (("Retry-After", "-1"),)),
    "429, wait till 1999": lambda handler: handler.answer(429, b"", (("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"),)),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_what_passes_is_waited_for(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, fault: Fault) -> None:
    fake.fault(fake.add(PAGE, AT, BODY), fault)
    ran = tta_fetch(retry__deadline=0.6)
    assert (ran.status, ran.source()["fetched"], ran.source()["failed"]) == (0, 1, 0), ran.err
    assert len(fake.replays()) == 2
    assert [capture.content for capture in stored(tmp_path / "data")] == [BODY]


def test_time_outs_get_a_second_pass_at_the_end(fake: FakeArchive, tta_fetch: Fetch) -> None:
    kept = [fake.add(f"https://{HOST}/node/{number}", AT) for number in (1, 2, 3)]
    fake.fault(kept[0], faults.hangs(0.6))
    ran = tta_fetch(retry__deadline=0.4)
    assert (ran.status, ran.source()["fetched"]) == (0, 3)
    assert [path[-1] for path in fake.replays()] == ["1", "2", "3", "1"]


@pytest.mark.parametrize("status", [301, 403, 404, 410, 429, 500, 503])
def test_an_archived_error_is_a_capture(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, status: int) -> None:
    fake.add(PAGE, AT, BODY, status=status, headers=(("Content-Type", "text/html"), ("Retry-After", "9999"), ("Location", PAGE)))
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.replays())) == (0, 1, 1)
    (capture,) = stored(tmp_path / "data")
    assert (capture.http_status, capture.content) == (status, BODY)


UNPLAYABLE: dict[str, tuple[Fault, str]] = {
    "404": (faults.answers(404, b"<html>The Wayback Machine has not archived that URL.</html>"), "missing"),
    "403": (faults.answers(403, b"<html>"), "blocked"),
    "451": (faults.answers(451, b"<html>"), "blocked"),
    "excluded with 200": (faults.answers(200, b"<html>This URL has been excluded from the Wayback Machine.</html>"), "blocked"),
    "a page with 200": (faults.answers(200, b"<html>Sorry.</html>"), "blocked"),
    "json with 200": (faults.answers(200, b'{"error": "x"}', faults.JSON), "blocked"),
}


@pytest.mark.parametrize(("fault", "state"), UNPLAYABLE.values(), ids=UNPLAYABLE.keys())
def test_what_can_not_be_played_is_normal(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, fault: Fault, state: str) -> None:
    fake.fault(fake.add(PAGE, AT), *[fault] * 9)
    fake.add(PAGE, "20240202000000")
    ran = tta_fetch()
    assert (ran.status, ran.source()[state], ran.source()["fetched"], ran.source()["waiting"]) == (0, 1, 1, 1)
    assert states(tmp_path / "data")[AT] == state
    assert len(fake.replays()) == 2
    assert tta_fetch().status == 0
    assert len(fake.replays()) == 2
    fake.on_replay.clear()
    assert tta_fetch("--now").source()["fetched"] == 1


FAILING: dict[str, tuple[Fault, int]] = {
    "503": (faults.answers(503), 6),
    "redirect off": (faults.answers(302, b"", (("Location", "https://example.org/login"),)), 2),
    "redirect to nothing": (faults.answers(302), 2),
    "400": (faults.answers(400), 2),
    "bomb": (lambda handler: faults.bomb(30_000_000, 1, _memento(handler))(handler), 1),
    "bomb of two": (lambda handler: faults.bomb(40_000_000, 2, _memento(handler))(handler), 1),
    "ratio": (lambda handler: faults.bomb(4_000_000, 1, _memento(handler))(handler), 1),
    "too long": (faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n<"), 1),
    "cut gzip": (lambda handler: _encoded(handler, gzip.compress(BODY)[:-9], "gzip"), 6),
    "three encodings": (lambda handler: _encoded(handler, BODY, "gzip, gzip, gzip"), 6),
    "cut and close": (lambda handler: handler.memento(handler.archive.kept[0], BODY[:100], framed=False), 2),
}


def _memento(handler: Handler) -> tuple[tuple[str, str], ...]:
    return handler.memento_headers(handler.archive.kept[0])


def _encoded(handler: Handler, body: bytes, encoding: str) -> None:
    handler.memento(handler.archive.kept[0], body, Content_Encoding=encoding)


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_is_told_and_asked_for_again(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, name: str) -> None:
    fault, requests = FAILING[name]
    kept = fake.add(PAGE, AT, BODY)
    fake.add(PAGE, "20240202000000")
    pieces = [fault] * 30
    if name == "cut and close":
        sizes = iter(range(100, 200))
        pieces = [lambda handler: handler.memento(kept, BODY[: next(sizes)], framed=False)] * 30
    fake.fault(kept, *pieces)
    ran = tta_fetch()
    assert (ran.status, ran.source()["failed"], ran.source()["fetched"]) == (4, 1, 1), ran.err
    assert PAGE in ran.err
    assert len(fake.replays()) == requests + 1
    fake.on_replay.clear()
    later = tta_fetch("--now")
    assert (later.status, later.source()["fetched"]) == (0, 1)
    assert len(captures(tmp_path / "data")) == 2


ENCODINGS: dict[str, tuple[bytes, str]] = {
    "gzip": (gzip.compress(BODY), "gzip"),
    "gzip in two members": (gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), "gzip"),
    "gzip under an empty header": (gzip.compress(BODY), ""),
    "gzip under no header": (gzip.compress(BODY), "-"),
    "plain that says gzip": (BODY, "gzip"),
    "brotli unasked": (brotli.compress(BODY), "br"),
    "zstd": (zstandard.compress(BODY), "zstd"),
    "two": (brotli.compress(gzip.compress(BODY)), "gzip, br"),
}


@pytest.mark.parametrize(("body", "encoding"), ENCODINGS.values(), ids=ENCODINGS.keys())
def test_encodings_are_taken_off(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, body: bytes, encoding: str) -> None:
    kept = fake.add(PAGE, AT, BODY)
    more = {} if encoding == "-" else {"Content_Encoding": encoding}
    fake.fault(kept, lambda handler: handler.memento(kept, body, **more))
    assert tta_fetch().status == 0
    (capture,) = stored(tmp_path / "data")
    assert (capture.content, capture.header("content-encoding")) == (BODY, None)


def test_a_substitute_is_stored_under_the_time_it_was_made(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    fake.add(PAGE, "20230501000000", BODY, is_listed=False)
    fake.add(PAGE, AT)
    fake.kept[1].timestamp, fake.kept[1].row = "20230501000000", {"timestamp": AT}
    fake.kept.pop(0)
    ran = tta_fetch()
    assert ran.status == 0, ran.err
    assert captures(tmp_path / "data") == [(PAGE, "2023-05-01T00:00:00Z")]
    assert tta_fetch().status == 0
    assert len(captures(tmp_path / "data")) == 1
    (capture,) = stored(tmp_path / "data")
    assert capture.payload_digest is not None


def test_a_substitute_that_is_known_is_not_fetched(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    real = fake.add(PAGE, "20230501000000", BODY)
    gone = fake.add(PAGE, AT)
    fake.fault(gone, lambda handler: handler.substitute(real.timestamp, f"http://{HOST}/node/1"))
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], ran.source()["substituted"], len(fake.replays())) == (0, 1, 1, 2)
    assert captures(tmp_path / "data") == [(PAGE, "2023-05-01T00:00:00Z")]
    assert states(tmp_path / "data")[AT] == "substituted"


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


OTHER_PAGES = [f"https://{HOST}/node/2", "https://example.org/node/1", "http://127.0.0.1/node/1"]


@pytest.mark.parametrize(("timestamp", "url"), [*(("20230501000000", url) for url in OTHER_PAGES), ("99999999999999", PAGE)])
def test_an_offer_of_something_else_is_declined(
    fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, timestamp: str, url: str
) -> None:
    kept = fake.add(PAGE, AT)
    fake.fault(kept, lambda handler: handler.substitute(timestamp, url))
    ran = tta_fetch()
    assert (ran.status, ran.source()["substituted"], len(fake.replays())) == (0, 1, 1)
    assert captures(tmp_path / "data") == []


def test_redirects_between_captures_end(fake: FakeArchive, tta_fetch: Fetch) -> None:
    kept = fake.add(PAGE, AT)
    fake.fault(kept, lambda handler: handler.substitute("20230101000000", PAGE))
    fake.on_replay[f"20230101000000id_/{PAGE}"] = [lambda handler: handler.substitute(AT, PAGE)] * 9
    ran = tta_fetch()
    assert (ran.status, ran.source()["substituted"], len(fake.replays())) == (0, 1, 2)


def test_another_spelling_of_the_same_capture_is_followed(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    kept = fake.add(PAGE, AT, BODY)
    other = f"http://www.{HOST}:80/node/1"
    fake.fault(kept, lambda handler: handler.answer(302, b"", (("Location", f"/web/{AT}id_/{other}"),)))
    fake.on_replay[f"{AT}id_/{other}"] = [lambda handler: handler.memento(kept)]
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"]) == (0, 1), ran.err
    assert captures(tmp_path / "data") == [(PAGE, "2024-01-01T00:00:00Z")]


@pytest.mark.parametrize(
    "location", ["{base}/web/{at}id_/{there}", "/web/{at}id_/{there}", "//{host}/web/{at}id_/{there}", "/web/{at}/{there}"]
)
def test_the_archives_prefix_is_taken_off_an_archived_location(
    fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, location: str
) -> None:
    there = f"https://{HOST}/node/2?a=b&amp=c"
    kept = fake.add(PAGE, AT, b"moved", status=302, headers=(("Content-Type", "text/html"),))
    value = location.format(base=fake.url, at=AT, there=there, host=fake.url.partition("//")[2])
    fake.fault(kept, lambda handler: handler.memento(kept, Location=value))
    assert tta_fetch().status == 0
    (capture,) = stored(tmp_path / "data")
    assert capture.header("location") == there


def test_the_address_goes_out_as_it_is_listed(fake: FakeArchive, tta_fetch: Fetch) -> None:
    path = "/a//b/../c%2Fd/%E9?q=a|b&x=[1]'\"<>&u=http://x.org/#frag ment é"
    fake.add(f"https://{HOST}{path}", AT)
    tta_fetch()
    (asked,) = fake.replays()
    expected = "/a//b/../c%2Fd/%E9?q=a|b&x=[1]'\"<>&u=http://x.org/%23frag%20ment%20%C3%A9"
    assert asked == f"/web/{AT}id_/https://{HOST}{expected}"


def test_a_body_that_differs_from_its_digest_is_kept_and_marked(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    wrong = {"digest": "A" * 32}
    fake.add(PAGE, AT, BODY, row=wrong)
    fake.add(PAGE, "20240103000000", b"<html>y</html>", headers=(("Content-Encoding", "gzip"),), row={"digest": "B" * 32})
    fake.add(PAGE, "20240104000000", b"<html>z</html>")
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"]) == (0, 3)
    with sqlite3.connect(tmp_path / "data" / "ledger.db") as db:
        found = [row[0] for row in db.execute("SELECT reason FROM captures ORDER BY timestamp")]
    assert found == ["the body does not have the listed digest", "", ""]
    assert all(capture.form is Form.RESPONSE for capture in stored(tmp_path / "data"))


def test_a_body_that_is_cut_the_same_twice_is_kept_as_truncated(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    kept = fake.add(PAGE, AT, BODY)
    fake.fault(kept, *[lambda handler: handler.memento(kept, BODY[:500], framed=False)] * 9)
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.replays())) == (0, 1, 2)
    (capture,) = stored(tmp_path / "data")
    assert (capture.content, capture.truncated) == (BODY[:500], "unspecified")


def test_a_length_that_is_too_short_is_noticed(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    kept = fake.add(PAGE, AT, BODY)
    fake.add(PAGE, "20240202000000")
    head = b"HTTP/1.1 200 OK\r\nMemento-Datetime: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/html\r\n"
    fake.fault(kept, faults.raw(head + b"Content-Length: 99\r\n\r\n" + BODY))
    assert tta_fetch().status == 0
    assert BODY in [capture.content for capture in stored(tmp_path / "data")]
    assert len(captures(tmp_path / "data")) == 2


def test_pages_that_are_no_captures_many_in_a_row_pause_the_source(fake: FakeArchive, tta_fetch: Fetch) -> None:
    for number in range(20):
        fake.fault(fake.add(f"https://{HOST}/node/{number}", AT), *[faults.answers(200, b"<html>Maintenance</html>")] * 9)
    ran = tta_fetch()
    assert (ran.status, ran.source()["outcome"], len(fake.replays())) == (4, "paused", 5)


def test_a_host_that_keeps_failing_is_left_alone(fake: FakeArchive, tta_fetch: Fetch) -> None:
    for number in range(20):
        fake.fault(fake.add(f"https://{HOST}/node/{number}", AT), *[faults.answers(503)] * 99)
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
    for number in range(8):
        fake.fault(fake.add(f"https://{HOST}/node/{number}", AT), faults.answers(503))
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"]) == (0, 8), ran.err
    # The first few were asked again at once, the others in the second pass, where they needed no retry.
    assert len(fake.replays()) == 16
