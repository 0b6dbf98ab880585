"""A fetch from beginning to end: what is listed is stored, once, and a second run asks only for the listing."""

from pathlib import Path

from scraper.capture import WarcType, iso
from scraper.folders import Folders
from scraper.status import status
from tests.dbkit import add, plain_page
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, Fetch, captures, stored
from tests.fakearchive.server import FakeArchive


def test_everything_listed_is_stored_once(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    for number in range(3):
        fake.add(f"https://{HOST}/node/{13435 + number}", f"2024010{number + 1}000000")
    fake.add(f"https://rp.{HOST}/node/13435", "20240201000000")
    first = tta_fetch()
    assert (first.status, first.err) == (0, ""), "no progress where there is no terminal"
    assert (first.source()["listed"], first.source()["new"], first.source()["fetched"]) == (4, 4, 4)
    assert len(fake.replays()) == 4
    assert sorted((c.url, c.content) for c in stored(tmp_path / "data")) == sorted((k.url, k.body) for k in fake.kept)
    fake.arrivals.clear()
    second = tta_fetch()
    assert (second.status, fake.replays(), second.source()["fetched"]) == (0, [], 0)
    assert fake.listings()


def test_a_capture_keeps_its_headers_times_and_origin(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    html = (("Content-Type", "text/html; charset=UTF-8"), ("X-Drupal-Cache", "HIT"), ("X-Twice", "1"), ("X-Twice", "2"))
    secret = (("Set-Cookie", "SESS=1"), ("Authorization", "Basic x"), ("Transfer-Encoding", "chunked"), ("Content-Length", "-1"))
    kept = fake.add(f"https://{HOST}/node/1", "20240101123456", headers=html + secret)
    assert tta_fetch().status == 0
    (capture,) = stored(tmp_path / "data")
    names = [name.lower() for name, _ in capture.http_headers]
    assert sorted(names) == ["content-type", "x-drupal-cache", "x-twice", "x-twice"]
    assert (capture.warc_type, capture.source, capture.http_status) == (WarcType.RESPONSE, "wayback", 200)
    assert iso(capture.captured_at) == "2024-01-01T12:34:56Z"
    assert capture.fetched_at is not None
    assert (capture.payload_digest, capture.origin) == (f"sha1:{kept.digest}", "item-1/file-1.warc.gz")


def test_the_same_body_is_a_revisit_and_is_not_downloaded(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    for day in (1, 2, 3):
        fake.add(f"https://{HOST}/node/1", f"2024010{day}000000", b"<html>same</html>")
    fake.add(f"https://{HOST}/node/1", "20240104000000", b"<html>other</html>")
    fake.add(f"http://{HOST}/node/1", "20240105000000", b"<html>same</html>", row={"mimetype": "warc/revisit", "statuscode": "-"})
    ran = tta_fetch()
    assert (ran.source()["fetched"], ran.source()["unchanged"]) == (2, 3)
    assert len(fake.replays()) == 2
    found = stored(tmp_path / "data")
    forms = "".join("-" if c.warc_type is WarcType.REVISIT else "r" for c in sorted(found, key=lambda c: str(c.captured_at)))
    assert forms == "r--r-"
    first = next(c for c in found if iso(c.captured_at) == "2024-01-01T00:00:00Z")
    for revisit in (c for c in found if c.warc_type is WarcType.REVISIT and iso(c.captured_at) != "2024-01-04T00:00:00Z"):
        assert revisit.original is not None
        assert (revisit.original.url, revisit.original.captured_at) == (first.url, first.captured_at)
        assert (revisit.payload_digest, revisit.http_status) == (first.payload_digest, 200)


def test_the_same_body_behind_another_digest_is_a_revisit_too(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    fake.add(f"https://{HOST}/node/1", "20240101000000", b"<html>same</html>")
    fake.add(f"https://{HOST}/node/1", "20240102000000", b"<html>same</html>", row={"digest": "-"})
    assert tta_fetch().source()["unchanged"] == 1
    assert [c.warc_type for c in stored(tmp_path / "data")] == [WarcType.RESPONSE, WarcType.REVISIT]


def test_a_capture_that_came_from_a_file_is_not_fetched_again(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    imported = plain_page(1, source="files")
    add(Folders(tmp_path / "data"), [imported])
    assert imported.url and imported.captured_at
    fake.add(imported.url, imported.captured_at.strftime("%Y%m%d%H%M%S"))
    ran = tta_fetch()
    assert (ran.status, ran.source()["duplicate"], fake.replays()) == (0, 1, [])
    assert len(stored(tmp_path / "data")) == 1


def test_limit_dry_run_and_window(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    for year in (2021, 2022, 2023, 2024):
        fake.add(f"https://{HOST}/node/1", f"{year}0601000000")
    dry = tta_fetch("--dry-run")
    assert (dry.status, dry.source()["to_fetch"], fake.replays()) == (0, 4, [])
    assert tta_fetch("--from", "2022", "--to", "2023").source()["fetched"] == 2
    assert captures(tmp_path / "data") == [
        (f"https://{HOST}/node/1", "2022-06-01T00:00:00Z"),
        (f"https://{HOST}/node/1", "2023-06-01T00:00:00Z"),
    ]
    assert tta_fetch("--limit", "1").source()["fetched"] == 1
    assert tta_fetch("--limit", "5").source()["fetched"] == 1


def test_names_and_configuration_that_are_wrong(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    unknown = tta_fetch("waybak")
    assert (unknown.status, "waybak" in unknown.err) == (2, True)
    assert tta_fetch("--from", "yesterday").status == 2
    off = tta_fetch(sources__wayback__enabled=False)
    assert (off.status, "no source is enabled" in off.err) == (1, True)
    assert tta_fetch("wayback", sources__wayback__enabled=False).status == 0
    nobody = tta_fetch(http__contact=None, sources__wayback__cdx_url="https://web.archive.org/cdx/search/cdx")
    assert (nobody.status, "contact" in nobody.err) == (1, True)
    assert not fake.replays()


def test_nothing_from_outside_reaches_the_terminal_as_it_came(fake: FakeArchive, tta_fetch: Fetch) -> None:
    evil = "\x1b]0;owned\x07\u202e"
    fake.on_listing += [lambda handler: handler.answer(200, f"<html>{evil}</html>".encode())] * 3
    ran = tta_fetch()
    assert ran.status == 4
    assert "\x1b" not in ran.err + ran.out
    assert "\u202e" not in ran.err + ran.out
    assert "\\x1b" in ran.err


def test_completeness_counts_records_by_source(fake: FakeArchive, tta_fetch: Fetch, tmp_path: Path) -> None:
    assert set(status(Folders(tmp_path / "data")).completeness.total.values()) == {0}
    assert not (tmp_path / "data").exists()
    kept = [fake.add(f"https://{HOST}/node/{number}", "20240101000000") for number in (10, 11, 12, 15)]
    fake.add(f"https://rp.{HOST}/node/10?page=1", "20240102000000")
    fake.add(f"https://{HOST}/node/10/edit", "20240102000000")
    fake.fault(kept[1], faults.answers(403))
    fake.fault(kept[2], faults.answers(404))
    add(Folders(tmp_path / "data"), [plain_page(number, source="files") for number in (11, 20)])
    assert tta_fetch().status == 0
    found = status(Folders(tmp_path / "data")).completeness
    assert found.sources == {
        "wayback": {"known": 4, "captured": 2, "blocked": 1, "waiting": 1, "never_archived": 1},
        "files": {"known": 2, "captured": 2, "blocked": 0, "waiting": 0, "never_archived": 3},
    }
    assert found.total == {"known": 5, "captured": 4, "blocked": 0, "waiting": 1, "never_archived": 6}
    (listing,) = found.listings
    assert (listing["scope"], listing["outcome"], listing["listed"]) == (HOST, "complete", 6)
