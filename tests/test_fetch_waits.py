"""Politeness: spacing, times to wait, bans, and what is kept of them over runs (ARCHIVES.md, section 6)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest

from scraper.errors import SourcePaused
from scraper.ledger.store import Ledger
from scraper.stopping import Stop
from scraper.web.pacing import DEFAULT_429, MAX_RETRY_AFTER, Host, Pacer, backoff, retry_after
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, Fetch, run, write_config
from tests.fakearchive.server import FakeArchive, Handler

AT = "20240101000000"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_retry_after_in_all_its_forms() -> None:
    found = {"120": 120.0, " 120 ": 120.0, "+7": 7.0, "1.5": 1.5, "0": 0.0, "-5": 0.0}
    found |= dict.fromkeys(("9999999999", "9" * 500, "Fri, 31 Dec 9999 23:59:59 GMT"), MAX_RETRY_AFTER)
    found |= dict.fromkeys(("Tue, 24 Nov 2026 00:01:00 GMT", "Tue, 24 Nov 2026 00:01:00"), 60.0)
    found |= {"Mon, 23 Nov 2026 00:00:00 GMT": 0.0}
    invalid = ("soon", "", None, "12x", "1e9", "nan", "١٢", "Tue, 99 Nov 2026 00:01:00 GMT")
    assert {value: retry_after(value, NOW) for value in (*found, *invalid)} == found | dict.fromkeys(invalid)


def test_backoff_doubles_with_jitter_and_has_an_end() -> None:
    for attempt in range(6):
        assert all(2.0**attempt <= backoff(2.0, attempt) <= 2.0 ** (attempt + 1) for _ in range(50))
    assert backoff(2.0, 100) <= 300
    assert len({backoff(2.0, 3) for _ in range(20)}) > 1


def test_the_budget_grows_with_the_requests(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        pacer = Pacer(ledger.host, ledger.save_host, Stop())
        assert sum(pacer.take_retry() for _ in range(100)) == 50
        pacer.requests = 100
        assert sum(pacer.take_retry() for _ in range(100)) == 10


def test_requests_are_spaced_with_retries_redirects_and_both_kinds(fake: FakeArchive, tta_fetch: Fetch) -> None:
    kept = [fake.add(f"https://{HOST}/node/{number}", AT) for number in range(8)]
    fake.on_listing.append(faults.answers(200, b"<html>"))
    fake.fault(kept[1], faults.answers(503), faults.reset, faults.usual)
    fake.fault(kept[2], faults.redirects(f"/web/{AT}id_/http://{HOST}/node/2"))
    fake.fault(kept[3], faults.hangs(0.4))
    fake.fault(kept[4], faults.raw(b""))
    ran = tta_fetch(
        sources__wayback__cdx_interval=0.3,
        sources__wayback__replay_interval=0.12,
        sources__wayback__page_limit=4,
        retry__deadline=0.3,
        retry__backoff=0.001,
    )
    assert ran.source()["fetched"] == 8, ran.err
    second = tta_fetch(sources__wayback__cdx_interval=0.3, sources__wayback__replay_interval=0.12)
    assert second.source()["listed"] >= 8
    times = fake.arrivals
    assert len(times) >= 16
    for (before, _), (after, path) in pairwise(times):
        assert after - before >= (0.3 if path.startswith("/cdx") else 0.12), path
    listings = [at for at, path in times if path.startswith("/cdx")]
    assert all(after - before >= 0.3 for before, after in pairwise(listings))


def test_a_429_that_says_nothing_ends_the_source_and_is_kept(fake: FakeArchive, tta_fetch: Fetch) -> None:
    kept = [fake.add(f"https://{HOST}/node/{number}", AT) for number in range(5)]
    fake.fault(kept[2], faults.answers(429))
    ran = tta_fetch()
    assert (ran.status, ran.source()["outcome"], ran.source()["fetched"], len(fake.replays())) == (4, "paused", 2, 3)
    fake.arrivals.clear()
    again = tta_fetch()
    assert (again.status, again.source()["outcome"], fake.arrivals) == (4, "paused", [])
    until = datetime.now(UTC) + timedelta(seconds=DEFAULT_429)
    assert until.strftime("%Y-%m-%dT%H:") in again.err or (until - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:") in again.err
    now = tta_fetch("--now")
    assert (now.status, now.source()["fetched"]) == (0, 3)
    assert tta_fetch().status == 0


@pytest.mark.parametrize(
    ("status", "value", "where"),
    [(429, "3600", "listing"), (503, "9" * 20, "replay"), (429, "a date", "replay"), (503, "a date", "listing")],
)
def test_a_long_wait_is_left_to_a_later_run(fake: FakeArchive, tta_fetch: Fetch, status: int, value: str, where: str) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(days=2), usegmt=True)
    fault = faults.asks_to_wait(status, date if value == "a date" else value)
    fake.fault(fake.add(f"https://{HOST}/node/1", AT), *[fault] * 3 * (where == "replay"))
    fake.on_listing += [fault] * 3 * (where == "listing")
    ran = tta_fetch()
    assert (ran.status, ran.source()["outcome"], len(fake.arrivals)) == (4, "paused", 1 if where == "listing" else 2)
    fake.arrivals.clear()
    assert (tta_fetch().status, fake.arrivals) == (4, [])


def test_a_short_wait_is_waited_for_and_shared_by_the_host(fake: FakeArchive, tta_fetch: Fetch) -> None:
    kept = [fake.add(f"https://{HOST}/node/{number}", AT) for number in range(3)]
    fake.fault(kept[1], faults.asks_to_wait(429, "1"))
    assert tta_fetch().status == 0
    times = [at for at, path in fake.arrivals if path.startswith("/web")]
    assert len(times) == 4
    assert times[2] - times[1] >= 1.0


def test_a_429_that_does_not_end_ends_the_source(fake: FakeArchive, tta_fetch: Fetch) -> None:
    kept = [fake.add(f"https://{HOST}/node/{number}", AT) for number in range(3)]
    fake.fault(kept[0], *[faults.asks_to_wait(429, "0")] * 50)
    ran = tta_fetch()
    assert (ran.status, ran.source()["outcome"], len(fake.replays())) == (4, "paused", 3)


def test_a_refused_connection_after_a_429_is_a_ban_that_doubles(tmp_path: Path) -> None:
    fake = FakeArchive()
    fake.add(f"https://{HOST}/node/1", AT)
    fake.start()
    port = fake.port
    config = write_config(tmp_path / "tta.toml", fake.url)

    def last_answer(handler: Handler) -> None:
        fake.stop_soon()
        handler.answer(429, b"", (("Retry-After", "1"), ("Connection", "close")))
        handler.close_connection = True

    fake.on_listing.append(last_answer)
    ran = run(tmp_path / "data", config)
    assert (ran.status, "banned" in ran.err) == (4, True), ran.err
    hours = [(_until(ran.err) - datetime.now(UTC)).total_seconds() / 3600]
    again = run(tmp_path / "data", config)
    assert (again.status, "banned" in again.err) == (4, True)
    third = run(tmp_path / "data", config, "--now")
    hours.append((_until(third.err) - datetime.now(UTC)).total_seconds() / 3600)
    assert hours == pytest.approx([1.0, 2.0], abs=0.05)
    fake.start(port)
    try:
        assert run(tmp_path / "data", config).status == 4
        assert fake.arrivals[1:] == []
        assert run(tmp_path / "data", config, "--now").status == 0
        assert run(tmp_path / "data", config).status == 0
    finally:
        fake.stop()


def test_a_refusal_long_after_a_429_is_no_ban(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with Ledger(tmp_path / "ledger.db") as ledger:
        for hours, bans, banned in ((1, 0, True), (30, 0, False), (23, 3, True), (800, 3, False)):
            ledger.save_host(Host("x.org", bans=bans, limited_at=now - timedelta(hours=hours)))
            pacer = Pacer(ledger.host, ledger.save_host, Stop())
            if banned:
                with pytest.raises(SourcePaused) as caught:
                    pacer.note_refusal("x.org")
                assert (caught.value.until - now).total_seconds() == pytest.approx(3600 * 2**bans, abs=5)
            else:
                pacer.note_refusal("x.org")
        pacer.note_limit("x.org")
        assert ledger.host("x.org").bans == 0


def _until(text: str) -> datetime:
    return datetime.fromisoformat(text.partition("before ")[2].split()[0].rstrip(":").replace("Z", "+00:00"))


def test_a_refused_connection_without_a_429_is_no_ban(tmp_path: Path) -> None:
    fake = FakeArchive()
    fake.start()
    port = fake.port
    fake.stop()
    config = write_config(tmp_path / "tta.toml", fake.url)
    ran = run(tmp_path / "data", config)
    assert (ran.status, "banned" in ran.err) == (4, False)
    fake.add(f"https://{HOST}/node/1", AT)
    with fake.running(port):
        assert run(tmp_path / "data", config).source()["fetched"] == 1
