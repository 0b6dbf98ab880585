"""`tta doctor` finds what is wrong in a data folder, says it in a line, and mends it without deleting anything captured."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scraper.archive.catalog import CATALOG
from scraper.archive.store import Archive
from scraper.archive.warc import record_bytes, sha1_digest, utc_now
from scraper.cli import cli
from scraper.database.load import load
from scraper.database.spill import NAME as SPILL
from scraper.errors import ArchiveDamaged, TtaError
from scraper.folders import Folders
from scraper.importing import import_paths
from scraper.ledger.listings import Listings
from scraper.ledger.store import Ledger
from tests.dbkit import add, day, exports, html, node, one, page, query
from tests.doctorkit import (
    NUMBERS,
    WARC,
    bodies,
    captures,
    doctor,
    entries,
    found,
    notes,
    old,
    scribble,
    sound,
    spoil,
    sql,
    state_of,
    status,
    trouble,
)


class Pulled(BaseException):
    """The plug."""


def stopped(*_: object) -> None:
    raise Pulled


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return sound(tmp_path / "data")


def test_a_sound_folder_is_found_sound_and_left_alone(folders: Folders) -> None:
    before = state_of(folders.data)
    result = doctor(folders)
    assert (result.return_value, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"1 WARC file with 7 records read, {(folders.archive / WARC).stat().st_size:,} bytes: nothing is wrong"
    ]
    assert status(folders, "--repair") == 0
    assert status(folders, "--deep") == 0
    assert state_of(folders.data) == before


MENDABLE: dict[str, tuple[Callable[[Folders], None], set[str]]] = {
    "catalog lacks a capture": (
        trouble(f"archive/{CATALOG}", "DELETE FROM captures WHERE warc_offset = 0"),
        {"catalog-differs"},
    ),
    "catalog says another place": (
        trouble(f"archive/{CATALOG}", "UPDATE captures SET warc_offset = warc_offset + 1 WHERE warc_offset > 0"),
        {"catalog-differs"},
    ),
    "catalog says another body": (
        trouble(f"archive/{CATALOG}", "UPDATE captures SET sha256 = 'abc' WHERE warc_offset = 0"),
        {"catalog-differs"},
    ),
    "catalog of another version": (trouble(f"archive/{CATALOG}", "PRAGMA user_version = 77"), {"catalog-damaged"}),
    "catalog overwritten": (scribble(f"archive/{CATALOG}", 0.0), {"catalog-damaged"}),
    "catalog damaged within": (scribble(f"archive/{CATALOG}", 0.3), {"catalog-damaged"}),
    "ledger takes for missing what is stored": (
        trouble("ledger.db", "UPDATE captures SET state = 'missing', capture_id = NULL, ask_again_at = '2099' WHERE id = 1"),
        {"ledger-misses"},
    ),
    "ledger of version 1": (old("ledger", "ledger-1.sql"), {"ledger-old"}),
    "ledger overwritten": (scribble("ledger.db", 0.0), {"ledger-damaged"}),
    "ledger damaged within": (scribble("ledger.db", 0.5), {"ledger-damaged"}),
    "database of version 1": (old("tta", "database-1.sql"), {"database-old"}),
    "database overwritten": (scribble("tta.db", 0.0), {"database-damaged"}),
    "database damaged within": (scribble("tta.db", 0.5), {"database-damaged"}),
    "database lacks an index": (trouble("tta.db", "DROP INDEX idx_captures_kind"), {"database-schema"}),
    "database has another table": (trouble("tta.db", "ALTER TABLE fields ADD COLUMN more TEXT"), {"database-schema"}),
    "search index lacks a row": (
        trouble("tta.db", "DROP TRIGGER records_ad", "DROP TRIGGER records_au", "DELETE FROM records WHERE rowid = 1"),
        {"database-schema", "database-search", "database-links"},
    ),
    "rows without their record": (trouble("tta.db", "DELETE FROM records WHERE node_id = 2"), {"database-links"}),
    "database says another place": (
        trouble("tta.db", "UPDATE captures SET warc_file = 'x', warc_offset = 5"),
        {"database-places"},
    ),
    "database says another address": (
        trouble("tta.db", "UPDATE captures SET url = 'https://x.example/' WHERE warc_offset = 0"),
        {"database-rows"},
    ),
    "copy left by a killed run": (lambda folders: (folders.data / ".ledger-1.db").touch(), {"left-behind"}),
}


@pytest.mark.parametrize("name", MENDABLE)
def test_what_is_wrong_is_found_named_and_mended(folders: Folders, name: str) -> None:
    make, kinds = MENDABLE[name]
    before = exports(folders)
    warc = (folders.archive / WARC).read_bytes()
    make(folders)
    spoiled = state_of(folders.data)
    assert found(folders) == kinds
    assert status(folders) == 3
    assert state_of(folders.data) == spoiled, "looking changes nothing"
    assert "`tta doctor --repair`" in doctor(folders).stdout.splitlines()[-1]
    repaired = doctor(folders, "--repair")
    assert (repaired.return_value, repaired.exception) == (0, None), repaired.stdout
    assert found(folders) == set()
    assert status(folders, "--deep") == 0
    assert exports(folders) == before
    assert (folders.archive / WARC).read_bytes() == warc
    if name not in ("database overwritten", "database of version 1"):
        assert query(folders, "SELECT run_id, message FROM runs") == [(4, "well")]


def test_values_that_the_archive_does_not_give_are_found_by_a_second_database(folders: Folders) -> None:
    before = exports(folders)
    sql(folders.database, "UPDATE fields SET value = 'Elsewhere' WHERE label = 'County' AND record_id = '3'")
    assert status(folders) == 0
    assert status(folders, "--deep") == 3
    assert status(folders, "--repair", "--deep") == 0
    assert exports(folders) == before
    assert not list(folders.data.glob(".tta-plan*"))


def test_a_damaged_record_costs_no_other_and_no_byte_is_deleted(folders: Folders) -> None:
    spoiled = spoil(folders, 2)
    assert found(folders) == {"records-damaged", "captures-lost", "ledger-lost", "database-lost"}
    before = exports(folders)
    result = doctor(folders, "--repair")
    assert result.return_value == 4, "one capture had to be given up"
    assert node(3) in result.stdout
    assert bodies(folders) == {node(n) for n in NUMBERS if n != 3}
    assert (folders.archive / f"{WARC}.damaged-1").read_bytes() == spoiled
    assert json.loads((folders.archive / "lost.jsonl").read_text())["url"] == node(3)
    with Ledger(folders.ledger) as ledger:
        assert [row.url for row in ledger.due("wayback", now=utc_now())] == [node(3)]
    # The database keeps what only it still knows, and says so.
    assert exports(folders) == before
    assert found(folders) == {"database-lost"}
    assert notes(folders) == {"copy-kept", "captures-lost-earlier"}
    with pytest.raises(ArchiveDamaged, match="tta doctor"):
        load(folders)


def foreign_record(number: int) -> bytes:
    """A record as other programs write it: the body lies in chunks, and its digest is that of the body without them."""
    body = html({"County": f"County {number}"})
    message = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    message += b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {node(number)}\r\nWARC-Date: 2025-01-05T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Payload-Digest: {sha1_digest(body)}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(message)}\r\n\r\n"
    )
    return head.encode() + message + b"\r\n\r\n"


def test_what_is_sound_in_a_damaged_file_of_another_program_stays_sound(folders: Folders) -> None:
    members = [gzip.compress(foreign_record(number)) for number in (70, 71, 72)]
    damaged = b"".join([members[0][:60] + b"\xff" * 30 + members[0][90:], *members[1:]])
    (folders.archive / "crawl.warc.gz").write_bytes(damaged)
    load(folders)
    assert status(folders, "--repair") == 0
    assert {node(71), node(72)} < bodies(folders)
    assert (folders.archive / "crawl.warc.gz.damaged-1").read_bytes() == damaged
    assert found(folders) == set()


def test_captures_that_are_packed_together_are_told_and_never_taken_for_each_other(folders: Folders, tmp_path: Path) -> None:
    path = folders.archive / "crawl.warc.gz"
    path.write_bytes(gzip.compress(b"".join(map(foreign_record, (70, 71)))))
    assert found(folders) == {"packed-together"}
    done = load(folders)
    assert done.captures == 0 and "tta import" in done.unreadable[0]
    assert status(folders, "--repair") == 4
    assert import_paths(folders.archive, [path]).added == 2
    path.rename(tmp_path / "crawl.warc.gz")
    assert status(folders, "--repair") == 0
    load(folders)
    assert query(folders, "SELECT node_id, county FROM records WHERE node_id >= 70 ORDER BY 1") == [
        (70, "County 70"),
        (71, "County 71"),
    ]


def test_a_copy_that_a_killed_repair_left_is_no_part_of_the_archive(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(folders, 2)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stopped)
        with pytest.raises(Pulled):
            status(folders, "--repair")
    assert list(folders.archive.glob(".tta-*"))
    (folders.archive / CATALOG).unlink()
    with Archive(folders.archive, writable=True) as archive:
        assert {entry.warc_file for entry in archive.entries()} == {WARC}
    status(folders, "--repair")
    assert not list(folders.archive.glob(".tta-*"))
    assert bodies(folders) == {node(n) for n in NUMBERS if n != 3}


def test_a_line_about_a_lost_capture_that_was_cut_is_written_again(folders: Folders) -> None:
    spoil(folders, 2)
    with Archive(folders.archive) as archive:
        lost = next(entry.capture_id for entry in archive.entries() if entry.url == node(3))
    (folders.archive / "lost.jsonl").write_text(f'{{"capture_id": "{lost}", "url": ')
    status(folders, "--repair")
    assert json.loads((folders.archive / "lost.jsonl").read_text().splitlines()[-1])["url"] == node(3)
    assert "captures-lost-earlier" in notes(folders)


def test_a_capture_that_comes_back_makes_all_well_again(folders: Folders) -> None:
    before = exports(folders)
    spoil(folders, 2)
    assert status(folders, "--repair") == 4
    add(folders, captures())
    assert found(folders) == {"database-places"}
    assert status(folders, "--repair") == 0
    load(folders)
    assert exports(folders) == before
    assert notes(folders) == {"copy-kept"}


def test_what_is_lost_for_good_is_dropped_only_when_told_to(folders: Folders) -> None:
    spoil(folders, 2)
    status(folders, "--repair")
    result = CliRunner().invoke(cli, ["--data", str(folders.data), "load", "--without-lost"], standalone_mode=False)
    assert result.return_value == 0
    assert one(folders, "SELECT count(*) FROM records WHERE node_id = 3") == 0
    assert query(folders, "SELECT run_id FROM runs") == [(4,)]
    assert found(folders) == set()


@pytest.mark.parametrize("rebuild", [False, True])
@pytest.mark.parametrize("file_is", ["shorter", "gone"])
def test_nothing_is_loaded_over_a_file_that_is_shorter_or_gone(folders: Folders, file_is: str, rebuild: bool) -> None:
    path = folders.archive / WARC
    before = exports(folders)
    whole = path.read_bytes()
    path.unlink()
    if file_is == "shorter":
        path.write_bytes(whole[: entries(folders)[4][0] + 50])
    assert {"captures-lost", "database-lost"} < found(folders)
    assert {"file-short", "file-gone"} & found(folders)
    for _ in range(2):
        with pytest.raises(TtaError, match="tta doctor"):
            load(folders, rebuild=rebuild)
        assert exports(folders) == before
        assert status(folders, "--repair") == 4
    path.unlink(missing_ok=True)
    path.write_bytes(whole)
    assert status(folders, "--repair") == 0
    load(folders, rebuild=rebuild)
    assert exports(folders) == before


def test_a_body_that_was_changed_under_its_digest_is_found(folders: Folders) -> None:
    """A gzip member that is whole and a record that reads well: only the digests tell."""
    true = record_bytes(captures()[1], utc_now())
    plain = gzip.decompress(true)
    changed = plain.replace(b"County 2", b"County 9")
    path = folders.archive / WARC
    offset, length = entries(folders)[1]
    whole = path.read_bytes()
    path.write_bytes(whole[:offset] + gzip.compress(changed) + whole[offset + length :])
    assert plain != changed
    assert {"records-damaged", "captures-lost"} <= found(folders)
    assert "WARC-Block-Digest" in doctor(folders).stdout
    status(folders, "--repair")
    assert node(2) not in bodies(folders)


def test_a_live_page_whose_capture_is_lost_is_taken_as_new(folders: Folders) -> None:
    """Compared with a capture that is gone, the page would be called unchanged and never be stored again."""
    sql(folders.ledger, f"INSERT INTO live_pages VALUES ('{node(1)}', 'now', 'stored', 'e', 'm', 'hash', 'nowhere', NULL, NULL)")
    assert found(folders) == {"ledger-pages"}
    assert status(folders, "--repair") == 0
    with closing(sqlite3.connect(folders.ledger)) as db:
        assert db.execute("SELECT etag, last_modified, text_hash, capture_id FROM live_pages").fetchall() == [(None,) * 4]


def test_what_a_killed_run_leaves_is_a_note(folders: Folders) -> None:
    add(folders, [page(html({"County": "new"}), url=node(50), when=day(50))])
    path = folders.archive / WARC
    path.write_bytes(path.read_bytes() + record_bytes(captures()[0], utc_now())[:100])
    (folders.data / SPILL).touch()
    sql(folders.ledger, "INSERT INTO runs (started_at) VALUES ('2026-11-20T00:00:00Z')")
    result = doctor(folders)
    assert result.return_value == 0
    assert all(line.startswith("note: ") for line in result.stdout.splitlines()[:-1])
    assert notes(folders) == {"record-unfinished", "not-loaded", "left-behind", "runs-unfinished"}
    load(folders)
    assert notes(folders) == {"runs-unfinished"}


def test_files_of_others_are_named_and_left_alone(folders: Folders) -> None:
    (folders.archive / "other.warc.gz").write_bytes(record_bytes(page(html({}), url=node(70), when=day(70)), utc_now()))
    (folders.archive / "no\x1b[31mtes.txt").write_text("mine")
    result = doctor(folders)
    assert (result.return_value, "\x1b" in result.stdout) == (0, False)
    assert notes(folders) == {"file-foreign", "catalog-behind", "not-loaded"}
    assert status(folders, "--repair") == 0
    assert (folders.archive / "no\x1b[31mtes.txt").exists()


def test_a_ledger_copied_out_of_damage_keeps_what_can_be_read_and_lists_everything_anew(folders: Folders) -> None:
    with Ledger(folders.ledger) as ledger:
        ledger.db.execute("INSERT INTO hosts VALUES ('web.archive.org', '2099-01-01T00:00:00Z', 'asked to wait', 1, NULL, NULL)")
    scribble("ledger.db", 0.9)(folders)
    assert status(folders, "--repair") == 0
    with Ledger(folders.ledger) as ledger:
        assert ledger.host("web.archive.org").reason == "asked to wait"
        assert Listings(ledger, "wayback", "bjatta.bja.ojp.gov").start() is None
    assert (folders.data / "ledger.damaged-1.db").exists()


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (trouble("ledger.db", "PRAGMA user_version = 99"), "ledger-damaged"),
        (trouble("tta.db", "PRAGMA user_version = 99"), "database-damaged"),
        (trouble("tta.db", "PRAGMA application_id = 5"), "database-damaged"),
    ],
    ids=["newer ledger", "newer database", "foreign database"],
)
def test_what_belongs_to_a_newer_or_another_program_is_not_touched(
    folders: Folders, make: Callable[[Folders], None], kind: str
) -> None:
    make(folders)
    before = state_of(folders.data)
    assert found(folders) == {kind}
    assert status(folders, "--repair") == 4
    assert state_of(folders.data) == before


def stopped_everywhere(folders: Folders, monkeypatch: pytest.MonkeyPatch, after: Callable[[], None]) -> None:
    """Repairs, stopped before every rename, link, removal and synchronisation in turn; `after` each stop."""
    stops = 0

    def stopping(real: Any, at: int) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal stops
            stops += 1
            if stops == at:
                raise Pulled
            return real(*arguments, **more)

        return call

    for at in range(1, 60):
        stops = 0
        with monkeypatch.context() as patch:
            for name in ("replace", "unlink", "hardlink_to"):
                patch.setattr(Path, name, stopping(getattr(Path, name), at))
            patch.setattr(os, "fsync", stopping(os.fsync, at))
            try:
                doctor(folders, "--repair")
                break
            except Pulled:
                after()
    else:
        pytest.fail("never got through")
    assert at > 5


def test_a_repair_that_is_stopped_anywhere_can_be_run_again(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(folders, 2)
    stopped_everywhere(folders, monkeypatch, lambda: None)
    status(folders, "--repair")
    assert bodies(folders) == {node(n) for n in NUMBERS if n != 3}
    assert found(folders) == {"database-lost"}
    lost = [json.loads(line) for line in (folders.archive / "lost.jsonl").read_text().splitlines()]
    assert [one["url"] for one in lost] == [node(3)]


@pytest.mark.parametrize("name", ["ledger.db", "tta.db"])
def test_a_repair_that_is_stopped_anywhere_forgets_nothing_that_could_be_read(
    folders: Folders, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(folders.ledger) as ledger:
        ledger.db.execute("INSERT INTO hosts VALUES ('web.archive.org', '2099-01-01T00:00:00Z', 'asked to wait', 1, NULL, NULL)")
    scribble(name, 0.9 if name == "ledger.db" else 0.5)(folders)

    def check() -> None:
        assert (folders.data / name).exists()

    stopped_everywhere(folders, monkeypatch, check)
    with Ledger(folders.ledger) as ledger:
        assert ledger.host("web.archive.org").reason == "asked to wait"
    assert query(folders, "SELECT run_id FROM runs") == [(4,)]
    assert found(folders) == set()


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = doctor(Folders(tmp_path / "nowhere"))
    assert isinstance(result.exception, TtaError)
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_folder_is_sound(tmp_path: Path) -> None:
    assert status(Folders(tmp_path)) == 0
    assert status(Folders(tmp_path), "--repair", "--deep") == 0
