"""Listings: an error never looks like "no captures", and nothing that was listed is lost (ARCHIVES.md, section 1)."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.fakearchive import faults
from tests.fakearchive.run import HOST, Fetch, captures
from tests.fakearchive.server import FIELDS, FakeArchive, Fault, Handler

PAGE = f"https://{HOST}/node/1"
AT = "20240101000000"
ROW = ["gov,ojp,bja,bjatta)/node/1", AT, PAGE, "text/html", "200", "-", "1"]


def filled(fake: FakeArchive, count: int = 5) -> None:
    for number in range(1, count + 1):
        fake.add(f"https://{HOST}/node/{number}", AT)


def lists(rows: list[list[str]], key: str | None = None) -> Fault:
    return faults.answers(200, _listing(rows, key), faults.JSON)


def _listing(rows: list[list[str]], key: str | None = None) -> bytes:
    return json.dumps([FIELDS, *rows, *([[], [key]] if key else [])]).encode() + b"\n"


def _asked_host(handler: Handler) -> str:
    return handler.query()["url"] if handler.path.startswith("/cdx") else ""


def by_host(fake: FakeArchive, several: Mapping[str, Fault], *, once: bool = False) -> dict[str, str]:
    """Has each fault in the listing of a host of its own, each of which has a page. Returns the faults' names by host."""
    hosts = dict(zip((f"h{number}.example.gov" for number in range(len(several))), several, strict=True))
    left = {host: [several[name]] * (1 if once else 99) for host, name in hosts.items()}
    for host in hosts:
        fake.add(f"https://{host}/node/1", AT)
    fake.always = lambda handler: left[host].pop()(handler) if left.get(host := _asked_host(handler)) else False
    return hosts


def asked(fake: FakeArchive, hosts: Mapping[str, str]) -> dict[str, int]:
    """How many listings were requested, by the name of the fault."""
    counts = Counter(path.partition("url=")[2].partition("&")[0] for path in fake.listings())
    return {name: counts[host] for host, name in hosts.items()}


@pytest.mark.parametrize("limit", [1, 3])
def test_resume_keys_bring_every_row(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, limit: int) -> None:
    filled(fake, 4)
    fake.add(f"https://{HOST}/node/2?page=a+b%20c", AT)
    # The same key and time in other spellings: a page's end between them would lose the rest.
    fake.add(f"http://{HOST}/node/2", AT, b"<html>http</html>")
    fake.add(f"https://www.{HOST}/node/3", AT, b"<html>www</html>")
    ran = tta_fetch(sources__wayback__page_limit=limit)
    assert ran.status == 0, ran.err
    assert sorted(url for url, _ in captures(tmp_path / "data") if url) == sorted(kept.url for kept in fake.kept)


def test_an_empty_listing_is_empty_in_every_form(fake: FakeArchive, tta_fetch: Fetch) -> None:
    bodies = [b"", b"\n", b"[]", b"[]\n", json.dumps([FIELDS]).encode()]
    hosts = by_host(fake, {repr(body): faults.answers(200, body, faults.JSON) for body in bodies})
    ran = tta_fetch(sources__wayback__hosts=[*hosts])
    assert (ran.status, ran.source()["listed"]) == (0, 0), ran.err


def _says_ok(head: bytes, body: bytes) -> Fault:
    return faults.raw(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)


SLOW: dict[str, Fault] = {"hangs": faults.hangs(1.0), "drips": faults.drips, "drips headers": faults.drips_headers}
BROKEN: dict[str, Fault] = {
    "html with 200": faults.answers(200, b"<html><body><h1>503 Service Unavailable</h1></body></html>"),
    "html as json": faults.answers(200, b"<html>oops</html>", faults.JSON),
    "html text type": faults.answers(200, b"Sorry.", faults.HTML),
    "json error": faults.answers(200, b'{"error": "overloaded"}\n', faults.JSON),
    "json text": faults.answers(200, b'"overloaded"', faults.JSON),
    "words": faults.answers(200, b"upstream connect error\n", faults.TEXT),
    "cut json": faults.answers(200, _listing([ROW, ROW])[:-30], faults.JSON),
    "cut before the key": faults.answers(200, _listing([ROW], "key")[:-9], faults.JSON),
    "cut text": faults.answers(200, b" ".join(value.encode() for value in ROW)[:-20], faults.TEXT),
    "row too short": lists([ROW[:5]]),
    "exception in a line": faults.answers(200, b"org.archive.util.io.RuntimeIOException: x\n", faults.TEXT),
    "length promised": faults.cut(_listing([ROW])),
    "cut chunks": _says_ok(b"Transfer-Encoding: chunked", b"100\r\n[[" + b"x" * 20),
    "cut gzip": _says_ok(b"Content-Encoding: gzip\r\nConnection: close", gzip.compress(_listing([ROW]))[:-12]),
    "gzip that is none": _says_ok(b"Content-Encoding: gzip\r\nContent-Length: 4", b"\x1f\x8bxx"),
    "unknown encoding": _says_ok(b"Content-Encoding: aws-chunked\r\nContent-Length: 2", b"[]"),
    "three encodings": _says_ok(b"Content-Encoding: gzip, gzip, gzip\r\nContent-Length: 2", b"[]"),
    "500": faults.answers(500, b"oops"),
    "503": faults.answers(503, b"<html><body><h1>503 Service Unavailable</h1>"),
    "522": faults.answers(522),
    "reset": faults.reset,
    "empty reply": faults.raw(b""),
    "no http": faults.raw(b"220 smtp.example.org\r\n"),
}
FINAL: dict[str, Fault] = {
    "blocked site": faults.answers(
        403,
        b"org.archive.util.io.RuntimeIOException: org.archive.wayback.exception.AdministrativeAccessControlException: Blocked",
        (("Content-Type", "text/plain"), ("X-Archive-Wayback-Runtime-Error", "AdministrativeAccessControlException")),
    ),
    "robots": faults.answers(200, b"org.archive.wayback.exception.RobotAccessControlException\n", faults.TEXT),
    "400": faults.answers(400, b"bad request"),
    "404": faults.answers(404, b"[]", faults.JSON),
    "redirect off": faults.redirects("http://127.0.0.2:1/cdx"),
    "redirect to file": faults.redirects("file:///etc/passwd"),
    "redirect to a name": faults.redirects("https://example.org/cdx", 301),
    "bomb": faults.bomb(80_000_000),
    "bomb in a bomb": faults.bomb(200_000_000, 2),
    "too long": _says_ok(b"Content-Length: 99999999999", b"["),
}


def _goes_round(handler: Handler) -> None:
    handler.answer(302, b"", (("Location", handler.path + "&again=1"),))


def test_a_broken_listing_is_asked_for_again(fake: FakeArchive, tta_fetch: Fetch) -> None:
    passing = {"moved": lambda handler: handler.answer(307, b"", (("Location", f"{handler.path}&moved=1"),))}
    passing |= {"an empty page with a key": lists([], "gov%2Cexample%2Ch%29%2F+2000")}
    hosts = by_host(fake, BROKEN | SLOW | passing, once=True)
    ran = tta_fetch(retry__deadline=0.6, sources__wayback__hosts=[*hosts])
    assert (ran.status, ran.source()["fetched"]) == (0, len(hosts)), ran.err
    assert set(asked(fake, hosts).values()) == {2}, asked(fake, hosts)


def test_a_listing_that_stays_broken_is_never_empty(fake: FakeArchive, tta_fetch: Fetch) -> None:
    hosts = by_host(fake, BROKEN | FINAL | {"goes round": _goes_round})
    fake.add(PAGE, AT)
    order = [one for host in hosts for one in (host, HOST)]  # a good answer in between: five failures in a row pause the source
    ran = tta_fetch(sources__wayback__hosts=order)
    assert (ran.status, ran.source()["outcome"], ran.source()["fetched"]) == (4, "partly", 1), ran.err
    assert ran.err.count("is not complete") == len(hosts)
    counts = asked(fake, hosts)
    assert {name for name, count in counts.items() if count == 1} == set(FINAL), "asking again can't help"
    assert max(counts[name] for name in BROKEN) <= 3 and counts["goes round"] <= 7, counts
    fake.always = None
    again = tta_fetch("--now", sources__wayback__hosts=order)
    assert (again.status, again.source()["fetched"]) == (0, len(hosts)), again.err


def test_keys_that_go_round_are_noticed(fake: FakeArchive, tta_fetch: Fetch) -> None:
    fake.on_listing += [lists([ROW], key) for key in ("A", "B", "A", "B")]
    fake.add(PAGE, AT)
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"], len(fake.listings())) == (4, 1, 3)
    assert "circles" in ran.err


def _without_key(handler: Handler) -> None:
    lists(handler.archive.list(handler.query())[0])(handler)


def test_a_full_page_without_a_key_is_the_end_only_if_there_is_no_more(fake: FakeArchive, tta_fetch: Fetch) -> None:
    filled(fake, 6)
    whole = tta_fetch(sources__wayback__page_limit=3)
    assert (whole.status, whole.source()["fetched"]) == (0, 6)
    for number in range(7, 12):
        fake.add(f"https://{HOST}/node/{number}", AT)
    fake.on_listing += [_without_key] * 9
    lost = tta_fetch(sources__wayback__page_limit=3)
    assert (lost.status, "no key" in lost.err) == (4, True)
    fake.on_listing.clear()
    assert tta_fetch().status == 0
    assert len(set(fake.replays())) == 11


def test_odd_rows_are_read_and_junk_is_passed_over(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    junk = ["http://mailto:x@epa.gov/", "data:text/html,x", "no address", "https://other.gov/node/1", f"https://evil{HOST}/"]
    rows = [[*ROW[:2], url, *ROW[3:]] for url in junk] + [[ROW[0], at, *ROW[2:]] for at in ("../../../../etc", "2024")]
    odd = {"length": "-", "mimetype": "unk", "statuscode": "-", "digest": "-"}
    fake.add(f"http://{HOST}:80/node/2", "20240102000000", row=odd)
    old = fake.add(PAGE, "20000824173100", row={"timestamp": "20000008241731"})  # the month 00 of 2000
    fake.on_replay[f"20000008241731id_/{PAGE}"] = [lambda handler: handler.memento(old)]
    fake.add(f"https://{HOST}/node/3?q='x'", AT)
    good = [kept.fields() for kept in fake.kept]
    escaped_by_java = _listing([*rows, *good, good[0]]).replace(b"'", rb"\'")
    fake.on_listing.append(faults.answers(200, escaped_by_java, faults.JSON))
    ran = tta_fetch()
    assert (ran.status, ran.source()["listed"], ran.source()["skipped"], ran.source()["fetched"]) == (0, 3, len(rows), 3), ran.err
    assert len(fake.replays()) == 3
    assert (PAGE, "2000-08-24T17:31:00Z") in captures(tmp_path / "data")


@pytest.mark.parametrize("honors_from", [True, False])
def test_a_listing_that_shrank_is_a_warning(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path, honors_from: bool) -> None:
    one_left = ["gov,example,h2)/node/1", AT, "https://h2.example.gov/node/1", *ROW[3:]]
    empty = {"empty": faults.answers(200, b"", faults.JSON), "empty json": faults.answers(200, b"[]", faults.JSON)}
    hosts = by_host(fake, empty | {"one row left": lists([one_left])})
    shrinking, fake.always = fake.always, None
    for host in hosts:
        fake.add(f"https://{host}/node/2", AT)
    usual: Callable[[dict[str, str]], list[list[str]]] = fake.rows
    fake.rows = lambda query: usual(query if honors_from else {**query, "from": ""})  # type: ignore[method-assign]
    assert tta_fetch(sources__wayback__hosts=[*hosts]).status == 0
    before = captures(tmp_path / "data")
    fake.always = shrinking
    ran = tta_fetch(sources__wayback__hosts=[*hosts])
    assert (ran.status, ran.err.count("nothing is removed")) == (4, len(hosts)), ran.err
    assert captures(tmp_path / "data") == before
    fake.always = None
    assert tta_fetch(sources__wayback__hosts=[*hosts]).status == 0


def test_a_partial_listing_does_not_move_the_watermark(fake: FakeArchive, tta_fetch: Fetch) -> None:
    filled(fake)
    fake.on_listing += [lists([fake.kept[0].fields()], "K"), *[faults.answers(503)] * 3]
    ran = tta_fetch()
    assert (ran.status, ran.source()["fetched"]) == (4, 1)
    fake.on_listing.clear()
    assert tta_fetch().source()["fetched"] == 4
    assert "from=" not in fake.listings()[-1]


def test_who_asks_is_sent_no_cookie_is_and_no_proxy_is_used(
    fake: FakeArchive, tta_fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    fake.add(PAGE, AT)
    listing = _listing([kept.fields() for kept in fake.kept])
    fake.on_listing.append(faults.answers(200, listing, (*faults.JSON, ("Set-Cookie", "a=1"))))
    assert tta_fetch().source()["fetched"] == 1
    for _, headers in fake.requests:
        assert headers["user-agent"].startswith("tta-archive/") and "mailto:test@example.org" in headers["user-agent"]
        assert "cookie" not in headers
