"""The fetcher's parts by themselves: configuration, addresses, lock, robots.txt, listings, rows."""

import json
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.capture import from_iso, url_key
from scraper.commands.fetch import as_toml
from scraper.config import Config, load_config
from scraper.errors import NotAllowed, NotCdx, TtaError, WrongUsage
from scraper.folders import LOCK, locked
from scraper.ledger.store import (
    COMPLETE,
    FULL,
    INCREMENTAL,
    PARTIAL,
    SHRUNK,
    WINDOW,
    FetchResult,
    FetchState,
    Ledger,
    ListedCapture,
    ListingEnd,
    Listings,
    sha1_of,
    to_time,
)
from scraper.sources.cdx import parse_listing, to_row
from scraper.sources.live import rules_of
from scraper.sources.replay import original_url
from scraper.web import addresses
from scraper.web.addresses import AllowList, checked_ip, host_of
from scraper.web.client import Headers, Response, sendable
from tests.campaigns.million_rows import peak
from tests.commandkit import tta


def answer(body: bytes, content_type: str = "application/json", status: int = 200, **headers: str) -> Response:
    named = Headers(tuple({"content-type": content_type, **headers}.items()))
    return Response("http://127.0.0.1/", status, named, body, body, True)


# Configuration


def test_no_file_means_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config() == Config()
    assert Config().sources.wayback.cdx_interval == 3.0
    assert Config().sources.endofterm.collections == ("EOT-2016", "EOT-2020", "EOT-2024")
    assert not Config().sources.live.enabled
    with pytest.raises(WrongUsage, match="there is no such"):
        load_config(tmp_path / "tta.toml")
    (tmp_path / "tta.toml").write_text("[retry]\nattempts = 7\n")
    assert load_config().retry.attempts == 7


TILES = "https://a.org/", "https://a b/{z}/{x}/{y}", "javascript:{z}{x}{y}", "https://h; script-src */{z}/{x}/{y}"
WRONG = {
    "[http]\ncontcat = 'x'": "http.contcat",
    "[sources.waybak]\nenabled = true": "sources.waybak",
    "[sources]\nwayback = 1": "sources.wayback",
    "[http]\nallow_loopback = 1": "http.allow_loopback",
    "[http\n": "not a TOML file",
    "[sources.pywb]\narchives = [{name = 'x'}]": "sources.pywb.archives[0].cdx_url",
    "[sources.pywb]\narchives = [{name = 'x', cdx_url = 'https://a/', replay_url = 'https://a/', speed = 1}]": "speed",
    "[[sources.pywb.archives]]\nname = 'x y'": "sources.pywb.archives[0].name",
    "[retry]\nattempts = 0\n[serve]\nquery_seconds = 0": "serve.query_seconds",
    **{f"[retry]\n{key} = {value}": f"retry.{key}" for key, value in (("attempts", 0), ("attempts", "'many'"))},
    **{f"[retry]\n{key} = {value}": f"retry.{key}" for key, value in (("backoff", "nan"), ("deadline", "inf"), ("backoff", -1))},
    **{f"[http]\ncontact = {value}": "http.contact" for value in ('"a\\nX-Evil: 1"', "'nobody'", "'mailto:ä@example.org'")},
    **{f"[sources.wayback]\ncdx_url = '{url}'": "sources.wayback.cdx_url" for url in ("ftp://x/", "https://user@x/")},
    **{f"[sources.wayback]\nhosts = ['{host}']": "sources.wayback.hosts" for host in ("not a host", "https://x.gov/")},
    **{f"[serve]\nbase_url = '{path}'": "serve.base_url" for path in ("tta/", "/tta", "//", "/a b/", "https://example.org/")},
    **{f"[serve]\ntile_url = '{url}'": "serve.tile_url" for url in TILES},
    "[sources.wayback]\ncdx_interval = -3": "sources.wayback.cdx_interval",
    "[sources.endofterm]\ncollections = ['../x']": "sources.endofterm.collections",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_configuration_names_its_key(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(WrongUsage, match=re.escape(WRONG[text])) as caught:
        load_config(tmp_path / "x.toml")
    assert ("\n" in str(caught.value), caught.value.status) == (False, 2)


def test_the_settings_in_effect_are_a_configuration_file(tmp_path: Path) -> None:
    archive = "[[sources.pywb.archives]]\nname = 'x'\ncdx_url = 'https://a.org/cdx'\nreplay_url = 'https://a.org/w'\n"
    (tmp_path / "in.toml").write_text(
        archive + "[http]\ncontact = 'me@example.org'\n[sources.commoncrawl]\ncrawls = ['A', 'B']\n"
    )
    settings = load_config(tmp_path / "in.toml")
    (tmp_path / "out.toml").write_text(as_toml(settings))
    assert load_config(tmp_path / "out.toml") == settings
    assert settings.sources.pywb.archives[0].cdx_interval == 10.0


@pytest.mark.parametrize("command", "import x,fetch,load,refresh,export csv x,serve,status,doctor,config".split(","))
def test_every_command_checks_the_configuration(tmp_path: Path, command: str) -> None:
    (tmp_path / "tta.toml").write_text("[htp]\ncontact = 'x'\n")
    for config, named in ((tmp_path / "tta.toml", "unknown key htp"), (tmp_path / "none.toml", "no such configuration file")):
        ran = tta("--data", tmp_path / "data", "--config", config, *command.split())
        assert (ran.status, named in ran.err, ran.err.count("\n")) == (2, True, 1), ran.err
    assert not (tmp_path / "data").exists()


# Addresses

ALLOW = AllowList(frozenset({"web.archive.org"}))
LOOPBACK = AllowList(frozenset({"127.0.0.1"}), loopback=True)
LIVE = AllowList(frozenset({"live.gov"}), plain_http=True)
REFUSED = """http://web.archive.org/ https://web.archive.org:8080/ https://web.archive.org.evil.org/ https://web.archive.org@evil.org/
    https://user:pw@web.archive.org/ https://evil.org/web.archive.org https://web.archive.org\\@evil.org/ file:///etc/passwd
    ftp://web.archive.org/ //web.archive.org/ https://[::1]/ https://web.archive.org:99999/ http://127.0.0.1/""".split()


def test_the_allow_list() -> None:
    for allow, allowed, refused in (
        (ALLOW, ["https://web.archive.org/web/2024id_/http://127.0.0.1/", "https://WEB.archive.org:443/"], REFUSED),
        (ALLOW, [], ["https://web.archive.org/\r\nX: y", "https://web.archive.org/\x00"]),
        (AllowList(frozenset({"127.0.0.1"})), [], ["http://127.0.0.1/"]),
        (AllowList(frozenset({"web.archive.org"}), loopback=True), [], ["http://web.archive.org/"]),
        (LOOPBACK, ["http://127.0.0.1:8080/"], ["https://127.0.0.1:8080/", "http://127.0.0.2/", "http://localhost/"]),
        (LOOPBACK, [], ["http://2130706433/", "http://0x7f000001/"]),
        (LIVE, ["http://live.gov/"], ["http://live.gov:81/"]),
    ):
        for url in allowed:
            allow.check(url)
        for url in refused:
            with pytest.raises(NotAllowed):
                allow.check(url)


PRIVATE = """127.0.0.1 10.0.0.8 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 ::1 fc00::1 fe80::1%lo
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 255.255.255.255 :: ff02::1""".split()


def test_a_name_that_leads_to_a_private_address_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def leads_to(*found: str) -> None:
        answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in found]
        monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: answers)

    for address in PRIVATE:
        leads_to("207.241.237.3", address)
        with pytest.raises(NotAllowed, match="not a public address"):
            checked_ip("web.archive.org", 443, loopback=True, timeout=5)
    leads_to("207.241.237.3")
    assert checked_ip("web.archive.org", 443, loopback=False, timeout=5) == "207.241.237.3"


def test_only_127_0_0_1_is_let_through_for_tests() -> None:
    assert checked_ip("127.0.0.1", 80, loopback=True, timeout=5) == "127.0.0.1"
    for host, loopback in (("127.0.0.1", False), ("127.0.0.2", True), ("localhost", True)):
        with pytest.raises(NotAllowed):
            checked_ip(host, 80, loopback=loopback, timeout=5)


def test_keys_hosts_and_what_can_be_sent() -> None:
    same = ["https://x.gov/node/1", "http://www.x.gov:80/node/1/", "http://u@X.gov./node/1#f", "https://www2.x.gov:443/node/1"]
    assert {url_key(url) for url in same} == {"x.gov/node/1"}
    assert url_key("https://x.gov/Node/1") != url_key("https://x.gov/node/1")
    assert url_key("http://[bad/") == "http://[bad/"
    assert (host_of("https://X.org:443/"), host_of("http://127.0.0.1:81/x")) == ("x.org", "127.0.0.1:81")
    assert sendable("https://x.gov/a b\r\nc\\d%20é") == "https://x.gov/a%20b%0D%0Ac%5Cd%20%C3%A9"


# Lock


def test_the_lock_tells_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    with locked(tmp_path / "new", "tta fetch"):
        with pytest.raises(TtaError, match=r"`tta fetch`, process \d+, since 20"), locked(tmp_path / "new", "tta load"):
            pass
        (tmp_path / "new" / LOCK).write_text("{damaged")
        with pytest.raises(TtaError, match="another run"), locked(tmp_path / "new", "tta load"):
            pass
    (tmp_path / "new" / LOCK).write_text(json.dumps({"pid": 1, "command": "gone", "since": "x"}))
    with locked(tmp_path / "new", "tta load"):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(TtaError, match="--data"), locked(tmp_path / "file" / "x", "tta load"):
        pass


@pytest.mark.parametrize("command", "fetch,load,import x,scan x.warc,overlay remove x,refresh,doctor --repair".split(","))
def test_no_command_that_writes_runs_beside_another(tmp_path: Path, command: str) -> None:
    (tmp_path / "tta.toml").write_text("[http]\ncontact = 'mailto:me@example.org'\n")
    with locked(tmp_path / "data", "tta refresh"):
        ran = tta("--data", tmp_path / "data", "--config", tmp_path / "tta.toml", *command.split())
    assert (ran.status, "`tta refresh`, process" in ran.err, ran.err.count("\n")) == (1, True, 1), ran.err


# Ledger and listings


ROWS = [ListedCapture(url=f"https://x.gov/{number}", timestamp="20240101000000") for number in range(5)]


def test_the_watermark_is_the_start_of_the_last_complete_listing(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        listings = Listings(ledger, "wayback", "x.gov")
        assert listings.start() is None
        full = listings.begin(FULL, None)
        listings.add(full, ROWS)
        assert listings.end(full, FULL) == (5, 5, 0, COMPLETE, "")
        began = listings.last_complete()
        assert began is not None
        assert listings.start() == began - timedelta(days=14)
        listings.begin(INCREMENTAL, None)  # still running
        assert listings.end(listings.begin(INCREMENTAL, None), INCREMENTAL, problem="cut").outcome == PARTIAL
        assert listings.end(listings.begin(INCREMENTAL, None), INCREMENTAL).outcome == SHRUNK
        assert listings.end(listings.begin(WINDOW, None), WINDOW).outcome == COMPLETE
        ledger.db.execute("UPDATE listings SET started_at = '2099-01-01T00:00:00Z' WHERE id > ?", [full])
        assert listings.start() == began - timedelta(days=14)
        ledger.db.execute("UPDATE listings SET started_at = '2026-01-01T00:00:00Z' WHERE id = ?", [full])
        assert listings.start() is None
        assert Listings(ledger, "wayback", "y.gov").start() is None


def test_a_smaller_listing_is_believed_after_a_week(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        listings = Listings(ledger, "wayback", "x.gov")

        def list_rows(rows: list[ListedCapture], since: datetime | None = None) -> ListingEnd:
            number = listings.begin(FULL, since)
            listings.add(number, rows)
            return listings.end(number, FULL, since)

        assert list_rows(ROWS).outcome == COMPLETE
        assert list_rows(ROWS[:3], datetime(2025, 1, 1, tzinfo=UTC))[:4] == (3, 0, 0, COMPLETE)
        assert list_rows(ROWS)[:4] == (5, 0, 0, COMPLETE)
        assert list_rows(ROWS[:3])[:4] == (3, 0, 2, SHRUNK)
        ledger.db.execute("UPDATE listings SET started_at = '2026-01-01T00:00:00Z' WHERE outcome = 'shrunk'")
        assert list_rows(ROWS[:3])[:4] == (3, 0, 2, COMPLETE)


def test_when_a_capture_that_was_not_stored_is_asked_for_again(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        listings = Listings(ledger, "wayback", "x.gov")
        listings.add(listings.begin(FULL, None), ROWS[:1])

        def days(state: FetchState, run: int = 1, *, again: bool = False) -> tuple[FetchState, int | None]:
            (row,) = map(ledger.row, ledger.due_ids("wayback", now=None))
            settled = ledger.settle(row, FetchResult(state=state), run, again=again)
            until = from_iso(ledger.db.execute("SELECT ask_again_at FROM captures").fetchone()[0])
            return settled, round((until - datetime.now(UTC)).total_seconds() / 86400) if until else None

        assert days(FetchState.FAILED) == (FetchState.FAILED, 0)
        assert [days(state, again=True)[1] for state in (FetchState.MISSING, FetchState.BLOCKED, FetchState.SUBSTITUTED)] == [
            30,
            90,
            7,
        ]
        found = [(days(FetchState.FAILED, run), days(FetchState.FAILED, run, again=True))[0] for run in range(2, 9)]
        assert found == [*((FetchState.FAILED, wait) for wait in (0, 1, 2, 4, 8, 16)), (FetchState.PARKED, 30)]
        assert days(FetchState.FETCHED) == (FetchState.FETCHED, None)


def test_digests_and_times_in_all_spellings() -> None:
    same = "sha1:PCM2Y2A3OVVUBBISEPC6YYELYYHFKOZD"
    assert {sha1_of(one) for one in (same[5:], same.lower(), f"SHA-1:{same[5:]}")} == {same}
    assert sha1_of("da39a3ee5e6b4b0d3255bfef95601890afd80709") == "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
    assert {sha1_of(one) for one in ("sha256:" + "a" * 64, "-", "", None, "z" * 40, "1" * 32)} == {None}
    assert to_time("20000008241731") == datetime(2000, 8, 24, 17, 31, tzinfo=UTC)
    assert to_time("20240229123456") == datetime(2024, 2, 29, 12, 34, 56, tzinfo=UTC)
    assert [to_time(text) for text in ("20230229000000", "2024", "x" * 14, "٢٠٢٤٠١٠١٠٠٠٠٠٠", "")] == [None] * 5


# Answers


@settings(max_examples=100)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from(["application/json", "text/plain", ""]))
def test_whatever_comes_is_rows_or_an_error(body: bytes, content_type: str) -> None:
    try:
        rows, key = parse_listing(answer(body, content_type))
    except NotCdx:
        return
    for row in rows:
        to_row(row)
    nothing = not body.decode("utf-8", "surrogateescape").removeprefix("\ufeff").strip().strip("[], \t\r\n")
    assert nothing or rows or key


@settings(max_examples=100)
@given(st.integers(0, 10_000))
def test_a_listing_cut_anywhere_is_an_error(at: int) -> None:
    rows = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
    rows += [["gov,x)/1", "20240101000000", "https://x.gov/1", "text/html", "200", "D" * 32, "1"]] * 5
    whole = json.dumps([*rows, [], ["key"]]).encode()
    if 0 < at % len(whole) < len(whole):
        with pytest.raises(NotCdx):
            parse_listing(answer(whole[: at % len(whole)]))


def test_a_listing_that_does_not_end_with_one_key_is_an_error() -> None:
    rows = [["timestamp", "original"], ["20240101000000", "https://x.gov/1"]]
    for tail in ([[]], [[], []], [[], ["key", "more"]], [[], ["key"], ["row"]]):
        with pytest.raises(NotCdx, match="does not end properly"):
            parse_listing(answer(json.dumps([*rows, *tail]).encode()))


def test_the_original_address_in_a_link_header() -> None:
    asked = "https://x.gov/?a=1&b=2"
    for link, expected in [
        ('<https://x.gov/?a=1&amp;b=2>; rel="original"', asked),
        ('<http://www.x.gov/?a=1&b=2>; rel="original", <y>; rel="timemap"', "http://www.x.gov/?a=1&b=2"),
        ('<https://x.gov/t>; rel="timemap"; type="x", <http://x.gov/o>; rel=original', "http://x.gov/o"),
        ('<javascript:alert(1)>; rel="original"', asked),
        ('<http://x.gov/\x7f>; rel="original"', asked),
        ('<https://x.gov/z>; rel="first memento"', asked),
        ("", asked),
    ]:
        assert original_url(Headers((("Link", link),)), asked) == expected


def test_robots_txt() -> None:
    delays = {"10": 10.0, "1e9": 1e9, "-5": 0.0, "nan": 0.0, "inf": 0.0}
    for text, delay, allowed in (
        *((f"User-agent: *\nCrawl-delay: {value}\n", delay, True) for value, delay in delays.items()),
        ("User-agent: *\nRequest-rate: 1/20\n", 20.0, True),
        ("User-agent: tta-archive\nDisallow: /node\n\nUser-agent: *\nAllow: /\n", 0.0, False),
        ("\ufeffUser-agent: *\nDisallow: /\n", 0.0, False),
        ("", 0.0, True),
    ):
        rules = rules_of(answer(text.encode(), "text/plain"), "tta-archive/1.0 (mailto:x@y)")
        assert (rules.delay, rules.allows("https://x.gov/node/1")) == (delay, allowed), text


def test_memory_does_not_grow_with_the_listing() -> None:
    few, many = peak(2_000, 1_000), peak(20_000, 1_000)
    assert (few[0], many[0]) == (2_000, 20_000)
    assert many[1] - few[1] < 12 * 1024
