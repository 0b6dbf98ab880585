"""Listings: an error never looks like "no captures", and nothing that was listed is lost (ARCHIVES.md, section 1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakearchive import faults
from tests.fakearchive.run import HOST, Fetch, captures
from tests.fakearchive.server import FIELDS, FakeArchive, Fault, Handler

PAGE = f"https://{HOST}/node/1"
ROW = ["gov,ojp,bja,bjatta)/node/1", "20240101000000", PAGE, "text/html", "200", "-", "1"]


def filled(fake: FakeArchive, count: int = 5) -> None:
    for number in range(1, count + 1):
        fake.add(f"https://{HOST}/node/{number}", "20240101000000")


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_resume_keys_bring_every_row(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, limit: int) -> None:
    filled(fake, 4)
    fake.add(f"https://{HOST}/node/2?page=a+b%20c", "20240101000000")
    # The same key and time in other spellings: a page's end between them would lose the rest.
    fake.add(f"http://{HOST}/node/2", "20240101000000", b"<html>http</html>")
    fake.add(f"https://www.{HOST}/node/3", "20240101000000", b"<html>www</html>")
    ran = tta_fetch(sources__wayback__page_limit=limit)
    assert ran.status == 0, ran.err
    assert sorted(url for url, _ in captures(tmp_path / "data") if url) == sorted(kept.url for kept in fake.kept)


@pytest.mark.parametrize("body", [b"", b"\n", b"[]", b"[]\n", json.dumps([FIELDS]).encode()], ids=repr)
def test_an_empty_listing_is_empty_in_every_form(fake: FakeArchive, tta_fetch: Fetch, body: bytes) -> None:
    fake.on_listing.append(faults.answers(200, body, faults.JSON))
    ran = tta_fetch()
    assert (ran.status, ran.source()["listed"]) == (0, 0)


def _lists(rows: list[list[str]], key: str | None = None) -> bytes:
    return json.dumps([FIELDS, *rows, *([[], [key]] if key else [])]).encode() + b"\n"


BROKEN: dict[str, Fault] = {
    "html with 200": faults.answers(200, b"<html><body><h1>503 Service Unavailable</h1></body></html>"),
    "html as json": faults.answers(200, b"<html>oops</html>", faults.JSON),
    "html text type": faults.answers(200, b"Sorry.", faults.HTML),
    "json error": faults.answers(200, b'{"error": "overloaded"}\n', faults.JSON),
    "json text": faults.answers(200, b'"overloaded"', faults.JSON),
    "words": faults.answers(200, b"upstream connect error\n", faults.TEXT),
    "cut json": faults.answers(200, _lists([ROW, ROW])[:-30], faults.JSON),
    "cut before the key": faults.answers(200, _lists([ROW], "key")[:-9], faults.JSON),
    "cut text": faults.answers(200, b" ".join(value.encode() for value in ROW)[:-20], faults.TEXT),
    "row too short": faults.answers(200, _lists([ROW[:5]]), faults.JSON),
    "exception in a line": faults.answers(200, b"org.archive.util.io.RuntimeIOException: x\n", faults.TEXT),
    "length promised": faults.cut(_lists([ROW])),
    "cut chunks": faults.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n[[" + b"x" * 20),
    "cut gzip": faults.raw(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
        + __import__("gzip").compress(_lists([ROW]))[:-12]
    ),
    "gzip that is none": faults.raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bxx"),
    "unknown encoding": faults.raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: aws-chunked\r\nContent-Length: 2\r\n\r\n[]"),
    "three encodings": faults.raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip\r\nContent-Length: 2\r\n\r\n[]"),
    "500": faults.answers(500, b"oops"),
    "503": faults.answers(503, b"<html><body><h1>503 Service Unavailable</h1>"),
    "522": faults.answers(522),
    "reset": faults.reset,
    "empty reply": faults.raw(b""),
    "no http": faults.raw(b"220 smtp.example.org\r\n"),
    "hangs": faults.hangs(1.0),
    "drips": faults.drips,
    "drips headers": faults.drips_headers,
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_listing_is_asked_for_again(fake: FakeArchive, tta_fetch: Fetch, fault: Fault) -> None:
    filled(fake)
    fake.on_listing.append(fault)
    ran = tta_fetch(retry__deadline=0.6)
    assert (ran.status, ran.source()["fetched"]) == (0, 5), ran.err
    assert len(fake.listings()) == 2


@pytest.mark.parametrize("name", [name for name in BROKEN if name not in ("hangs", "drips", "drips headers")])
def test_a_listing_that_stays_broken_is_never_empty(fake: FakeArchive, tta_fetch: Fetch, name: str) -> None:
    fake.on_listing += [BROKEN[name]] * 20
    ran = tta_fetch()
    assert (ran.status, ran.source()["outcome"]) == (4, "partly")
    assert "listing" in ran.err
    assert len(fake.listings()) <= 3
    fake.on_listing.clear()
    filled(fake)
    assert tta_fetch("--now").source()["fetched"] == 5


FINAL: dict[str, Fault] = {
    "blocked site": faults.answers(
        403,
        b"org.archive.util.io.RuntimeIOException: org.archive.wayback.exception.AdministrativeAccessControlException: Blocked",
        (("Content-Type", "text/plain"), ("X-Archive-Wayback-Runtime-Error", "AdministrativeAccessControlException")),
    ),
    "robots": faults.answers(200, b"org.archive.wayback.exception.RobotAccessControlException\n", faults.TEXT),
    "400": faults.answers(400, b"bad request"),
    "404": faults.answers(404, b"[]", faults.JSON),
    "redirect off": faults.answers(302, b"", (("Location", "http://127.0.0.2:1/cdx"),)),
    "redirect to file": faults.answers(302, b"", (("Location", "file:///etc/passwd"),)),
    "redirect to a name": faults.answers(301, b"", (("Location", "https://example.org/cdx"),)),
    "bomb": faults.bomb(80_000_000),
    "bomb in a bomb": faults.bomb(200_000_000, 2),
    "too long": faults.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n["),
}


@pytest.mark.parametrize("fault", FINAL.values(), ids=FINAL.keys())
def test_what_asking_again_can_not_help_is_not_asked_again(fake: FakeArchive, tta_fetch: Fetch, fault: Fault) -> None:
    fake.on_listing += [fault] * 5
    ran = tta_fetch()
    assert (ran.status, len(fake.listings()), ran.source()["fetched"]) == (4, 1, 0)


def test_redirects_that_go_round_end(fake: FakeArchive, tta_fetch: Fetch) -> None:
    fake.on_listing += [lambda handler: handler.answer(302, b"", (("Location", handler.path + "&again=1"),))] * 50
    assert tta_fetch().status == 4
    assert len(fake.listings()) <= 7


def test_a_redirect_within_the_archive_is_followed(fake: FakeArchive, tta_fetch: Fetch) -> None:
    filled(fake)
    fake.on_listing.append(lambda handler: handler.answer(307, b"", (("Location", f"{fake.url}{handler.path}&moved=1"),)))
    assert tta_fetch().source()["fetched"] == 5


def test_keys_that_go_round_are_noticed(fake: FakeArchive, tta_fetch: Fetch) -> None:
    pages = [_lists([ROW], key) for key in ("A", "B", "A", "B")]
    fake.kept.clear()
    fake.on_listing += [faults.answers(200, page, faults.JSON) for page in pages]
    fake.add(PAGE, "20240101000000")
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.listings())) == (4, 1, 3)
    assert "circles" in ran.err


def test_an_empty_page_with_a_key_is_not_the_end(fake: FakeArchive, tta_fetch: Fetch) -> None:
    filled(fake)
    fake.on_listing.append(faults.answers(200, _lists([], "gov%2Cojp%2Cbja%2Cbjatta%29%2F+2000"), faults.JSON))
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"]) == (0, 5)


def _without_key(handler: Handler) -> None:
    rows, _ = handler.archive.list(handler.query())
    handler.answer(200, _lists(rows), faults.JSON)


def test_a_full_page_without_a_key_is_the_end_only_if_there_is_no_more(fake: FakeArchive, tta_fetch: Fetch) -> None:
    filled(fake, 6)
    whole = tta_fetch(sources__wayback__page_limit=3)
    assert (whole.status, whole.source()["fetched"]) == (0, 6)
    for number in range(7, 12):
        fake.add(f"https://{HOST}/node/{number}", "20240101000000")
    fake.on_listing += [_without_key] * 9
    lost = tta_fetch(sources__wayback__page_limit=3)
    assert (lost.status, "no key" in lost.err) == (4, True)
    fake.on_listing.clear()
    assert tta_fetch().status == 0
    assert len(set(fake.replays())) == 11


def test_json_that_java_escaped_is_read(fake: FakeArchive, tta_fetch: Fetch) -> None:
    fake.add(f"https://{HOST}/node/1?q='x'", "20240101000000")
    fake.on_listing.append(faults.answers(200, _lists([fake.kept[0].fields()]).replace(b"'", rb"\'"), faults.JSON))
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.listings())) == (0, 1, 1)


def test_junk_rows_are_passed_over_and_odd_ones_kept(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    junk = ["http://mailto:x@epa.gov/", "data:text/html,x", "no address", "https://other.gov/node/1", f"https://evil{HOST}/"]
    rows = [[*ROW[:2], url, *ROW[3:]] for url in junk] + [[ROW[0], at, *ROW[2:]] for at in ("../../../../etc", "2024")]
    fake.add(PAGE, "20240101000000")
    odd = {"length": "-", "mimetype": "unk", "statuscode": "-", "digest": "-"}
    fake.add(f"http://{HOST}:80/node/2", "20240102000000", row=odd)
    good = [kept.fields() for kept in fake.kept]
    fake.on_listing.append(faults.answers(200, _lists([*rows, *good, good[0]]), faults.JSON))
    ran = tta_fetch()
    assert (ran.status, ran.source()["listed"], ran.source()["skipped"], ran.source()["fetched"]) == (0, 2, len(rows), 2)
    assert len(fake.replays()) == 2


def test_the_month_00_of_2000_is_asked_for_as_listed(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    kept = fake.add(PAGE, "20000824173100", row={"timestamp": "20000008241731"})
    fake.on_replay[f"20000008241731id_/{PAGE}"] = [lambda handler: handler.memento(kept)]
    assert tta_fetch().source()["fetched"] == 1
    assert captures(tmp_path / "data") == [(PAGE, "2000-08-24T17:31:00Z")]


EMPTYING: dict[str, Fault] = {
    "empty": faults.answers(200, b"", faults.JSON),
    "empty json": faults.answers(200, b"[]", faults.JSON),
    "one row left": faults.answers(200, _lists([ROW]), faults.JSON),
}


@pytest.mark.parametrize("honours_from", [True, False])
@pytest.mark.parametrize("fault", EMPTYING.values(), ids=EMPTYING.keys())
def test_a_listing_that_shrank_is_a_warning(
    fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, fault: Fault, honours_from: bool
) -> None:
    filled(fake)
    usual = fake.rows
    fake.rows = lambda query: usual(query if honours_from else {**query, "from": ""})  # type: ignore[method-assign]
    assert tta_fetch().status == 0
    before = captures(tmp_path / "data")
    fake.on_listing += [fault] * 2
    ran = tta_fetch()
    assert (ran.status, "nothing is removed" in ran.err) == (4, True)
    assert captures(tmp_path / "data") == before
    fake.on_listing.clear()
    assert tta_fetch().status == 0


def test_the_next_listing_goes_back_fourteen_days(fake: FakeArchive, tta_fetch: Fetch) -> None:
    from datetime import UTC, datetime, timedelta

    filled(fake)
    assert tta_fetch().status == 0
    fake.requests.clear()
    fake.add(PAGE, datetime.now(UTC).strftime("%Y%m%d%H%M%S"))
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.listings())) == (0, 1, 2)
    start = fake.requests[0][0].partition("from=")[2][:8]
    assert start == (datetime.now(UTC) - timedelta(days=14)).strftime("%Y%m%d")


def test_a_partial_listing_does_not_move_the_watermark(fake: FakeArchive, tta_fetch: Fetch) -> None:
    filled(fake)
    fake.on_listing += [lambda handler: handler.answer(200, _lists([fake.kept[0].fields()], "K"), faults.JSON)]
    fake.on_listing += [faults.answers(503)] * 3
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"]) == (4, 1)
    fake.on_listing.clear()
    assert tta_fetch().source()["fetched"] == 4
    assert "from=" not in fake.listings()[-1]


def test_who_asks_and_what_is_not_sent(fake: FakeArchive, tta_fetch: Fetch) -> None:
    fake.add(PAGE, "20240101000000")
    fake.on_listing.append(
        lambda handler: handler.answer(200, _lists([kept.fields() for kept in fake.kept]), (*faults.JSON, ("Set-Cookie", "a=1")))
    )
    assert tta_fetch().status == 0
    for _, headers in fake.requests:
        assert headers["user-agent"].startswith("tta-archive/")
        assert "mailto:test@example.org" in headers["user-agent"]
        assert "cookie" not in headers


def test_proxies_of_the_environment_are_not_used(fake: FakeArchive, tta_fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(fake, 1)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert tta_fetch().source()["fetched"] == 1
