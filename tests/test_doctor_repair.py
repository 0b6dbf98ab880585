"""`tta doctor --repair` loses nothing: not what is intact beside damage, not when it is killed, and what is lost is named."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from scraper.archive.store import CATALOG, Archive
from scraper.archive.warc import sha1_digest
from scraper.database.load import load
from scraper.errors import ArchiveDamaged
from scraper.folders import Folders
from scraper.ledger.store import Ledger, Listings
from scraper.sources.files import import_paths
from tests.commandkit import tta
from tests.dbkit import add, exports, html, node, one, query
from tests.doctorkit import (
    NUMBERS,
    WAITING_HOST,
    WARC,
    bodies,
    captures,
    doctor,
    found,
    notes,
    scribble,
    sound,
    sound_exports,
    spoil,
    status,
)


class Pulled(BaseException):
    """The plug."""


def stopped(*_: object) -> None:
    raise Pulled


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return sound(tmp_path / "data")


def test_a_damaged_record_costs_no_other_and_no_byte_is_deleted(folders: Folders) -> None:
    spoiled = spoil(folders, 2)
    (folders.archive / "lost.jsonl").write_text('{"capture_id": "x", "url": ')  # a killed repair was writing it
    assert found(folders) == {"records-damaged", "captures-lost", "ledger-lost", "database-lost"}
    result = doctor(folders, "--repair")
    assert result.status == 4, "one capture had to be given up"
    assert node(3) in result.out
    assert bodies(folders) == {node(n) for n in NUMBERS if n != 3}
    assert (folders.archive / f"{WARC}.damaged-1").read_bytes() == spoiled
    assert json.loads((folders.archive / "lost.jsonl").read_text().splitlines()[-1])["url"] == node(3)
    with Ledger(folders.ledger) as ledger:
        assert Listings(ledger, "wayback", "bjatta.bja.ojp.gov").start() is None, "all is listed again, and node 3 requested"
    # The database keeps what only it still knows, and says so.
    assert exports(folders) == sound_exports()
    assert found(folders) == {"database-lost"}
    with pytest.raises(ArchiveDamaged, match="tta doctor"):
        load(folders)


def foreign_record(number: int) -> bytes:
    """A record as other programs write it: the body is in chunks, and its digest is that of the body without them."""
    body = html({"County": f"County {number}"})
    message = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    message += b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {node(number)}\r\nWARC-Date: 2025-01-05T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Payload-Digest: {sha1_digest(body)}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(message)}\r\n\r\n"
    )
    return head.encode() + message + b"\r\n\r\n"


def test_intact_records_in_a_damaged_file_of_another_program_are_kept(folders: Folders) -> None:
    members = [gzip.compress(foreign_record(number)) for number in (70, 71, 72)]
    damaged = b"".join([members[0][:60] + b"\xff" * 30 + members[0][90:], *members[1:]])
    (folders.archive / "crawl.warc.gz").write_bytes(damaged)
    load(folders)
    assert status(folders, "--repair") == 0
    assert {node(71), node(72)} < bodies(folders)
    assert (folders.archive / "crawl.warc.gz.damaged-1").read_bytes() == damaged
    assert found(folders) == set()


def test_captures_that_are_packed_together_are_reported_and_never_taken_for_each_other(folders: Folders, tmp_path: Path) -> None:
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
    counties = query(folders, "SELECT node_id, county FROM records WHERE node_id >= 70 ORDER BY 1")
    assert counties == [(70, "County 70"), (71, "County 71")]


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


def test_a_capture_that_comes_back_makes_all_well_again(folders: Folders) -> None:
    spoil(folders, 2)
    assert status(folders, "--repair") == 4
    add(folders, captures())
    assert found(folders) == {"database-rows"}
    assert status(folders, "--repair") == 0
    load(folders)
    assert exports(folders) == sound_exports()
    assert notes(folders) == set()


def test_what_is_lost_for_good_is_dropped_only_on_request(folders: Folders) -> None:
    spoil(folders, 2)
    status(folders, "--repair")
    assert tta("--data", folders.data, "load", "--without-lost").status == 0
    assert one(folders, "SELECT count(*) FROM records WHERE node_id = 3") == 0
    assert query(folders, "SELECT run_id FROM runs") == [(4,)]
    assert found(folders) == set()


def stopped_everywhere(folders: Folders, monkeypatch: pytest.MonkeyPatch, kept: Path) -> None:
    """Repairs, stopped before every rename, link, removal and synchronization in turn; after each a file is `kept`."""
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
                assert kept.exists()
    else:
        pytest.fail("never got through")
    assert at > 5


def test_a_repair_that_is_stopped_anywhere_can_be_run_again(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(folders, 2)
    stopped_everywhere(folders, monkeypatch, folders.database)
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
        ledger.db.execute(WAITING_HOST)
    scribble(folders, name, 0.9 if name == "ledger.db" else 0.5)
    stopped_everywhere(folders, monkeypatch, folders.data / name)
    with Ledger(folders.ledger) as ledger:
        assert ledger.host("web.archive.org").reason == "told to"
        is_listed_anew = Listings(ledger, "wayback", "bjatta.bja.ojp.gov").start() is None
    assert is_listed_anew == (folders.data / "ledger.damaged-1.db").exists() == (name == "ledger.db")
    assert query(folders, "SELECT run_id FROM runs") == [(4,)]
    assert found(folders) == set()
