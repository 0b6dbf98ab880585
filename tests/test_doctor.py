"""`tta doctor` finds what is wrong in a data folder, names it in a line, and repairs it without deleting anything captured."""

import gzip
from pathlib import Path

import pytest

from scraper.archive.warc import record_bytes
from scraper.capture import utc_now
from scraper.database.load import LoadOptions, load
from scraper.errors import TtaError
from scraper.folders import Folders, locked
from tests.dbkit import add, day, exports, html, node, page, query, sql
from tests.doctorkit import (
    WARC,
    bodies,
    captures,
    doctor,
    entries,
    found,
    notes,
    scribble,
    sound,
    sound_exports,
    state_of,
    status,
)
from tests.tables import read_table


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return sound(tmp_path / "data")


def test_an_intact_folder_is_found_intact_and_left_alone(folders: Folders) -> None:
    before = state_of(folders.data)
    result = doctor(folders)
    read = f"1 WARC file with 7 records read, {(folders.archive / WARC).stat().st_size:,} bytes"
    assert (result.status, result.err, result.out) == (0, "", f"{read}: nothing is wrong\n")
    assert status(folders, "--repair") == 0
    assert state_of(folders.data) == before


REPAIRABLE: dict[str, tuple[str, str | float, str]] = read_table("tables/doctor.toml")["repairable"]


@pytest.mark.parametrize("name", REPAIRABLE)
def test_what_is_wrong_is_found_named_and_repaired(folders: Folders, name: str) -> None:
    file, how, kind = REPAIRABLE[name]
    warc = (folders.archive / WARC).read_bytes()
    if how == "":
        (folders.data / file).write_bytes(b"")
    elif isinstance(how, float):
        scribble(folders, file, how)
    else:
        sql(folders.data / file, how)
    spoiled = state_of(folders.data)
    assert found(folders) == {kind}
    shown = doctor(folders)
    assert (shown.status, "`tta doctor --repair`" in shown.out.splitlines()[-1]) == (3, True)
    assert state_of(folders.data) == spoiled, "looking changes nothing"
    assert (status(folders, "--repair"), status(folders)) == (0, 0)
    assert exports(folders) == sound_exports()
    assert (folders.archive / WARC).read_bytes() == warc
    if name not in ("database overwritten", "database empty"):
        assert query(folders, "SELECT run_id, message FROM runs") == [(4, "well")]


@pytest.mark.parametrize("rebuild", [False, True])
@pytest.mark.parametrize("file_is", ["shorter", "gone"])
def test_nothing_is_loaded_over_a_file_that_is_shorter_or_gone(folders: Folders, file_is: str, rebuild: bool) -> None:
    path, before = folders.archive / WARC, sound_exports()
    whole = path.read_bytes()
    path.unlink()
    if file_is == "shorter":
        path.write_bytes(whole[: entries(folders)[4][0] + 50])
    assert {"captures-lost", "database-lost"} < found(folders)
    assert {"file-short", "file-gone"} & found(folders)
    for _ in range(2):
        with pytest.raises(TtaError, match="tta doctor"):
            load(folders, LoadOptions(rebuild=rebuild))
        assert exports(folders) == before
        assert status(folders, "--repair") == 4
    path.unlink(missing_ok=True)
    path.write_bytes(whole)
    assert status(folders, "--repair") == 0
    load(folders, LoadOptions(rebuild=rebuild))
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
    assert "digest" in doctor(folders).out
    status(folders, "--repair")
    assert node(2) not in bodies(folders)


def test_what_is_not_loaded_yet_and_an_unfinished_record_are_notes_also_beside_another_command(folders: Folders) -> None:
    """A further capture of a record that is there, a new one, and a record that is being written or that a killed run began."""
    add(folders, [page(html({"County": "new"}), url=node(number), when=day(50)) for number in (3, 50)])
    with locked(folders.data, "tta fetch"), (folders.archive / WARC).open("ab") as file:
        file.write(record_bytes(captures()[0], utc_now())[:100])
        file.flush()
        result = doctor(folders)
        assert (result.status, notes(folders)) == (0, {"not-loaded"})
        assert all(line.startswith("note: ") for line in result.out.splitlines()[:-1])
        refused = doctor(folders, "--repair")
        assert (refused.status, "in use by `tta fetch`" in refused.err) == (1, True)
    assert exports(folders) == sound_exports()
    load(folders)
    assert notes(folders) == set()


def test_files_of_others_are_named_and_left_alone(folders: Folders) -> None:
    (folders.archive / "other.warc.gz").write_bytes(record_bytes(page(html({}), url=node(70), when=day(70)), utc_now()))
    (folders.archive / "no\x1b[31mtes.txt").write_text("mine")
    result = doctor(folders)
    assert (result.status, "\x1b" in result.out) == (0, False)
    assert notes(folders) == {"file-foreign", "not-loaded"}
    assert status(folders, "--repair") == 0
    assert (folders.archive / "no\x1b[31mtes.txt").exists()


@pytest.mark.parametrize(("name", "kind"), [("ledger", "ledger-damaged"), ("database", "database-damaged")])
def test_another_programs_database_is_not_touched(folders: Folders, name: str, kind: str) -> None:
    path = getattr(folders, name)
    path.unlink()
    sql(path, "CREATE TABLE mine (a)")
    before = state_of(folders.data)
    assert found(folders) == {kind}
    assert status(folders, "--repair") == 4
    assert state_of(folders.data) == before


def test_an_empty_folder_is_intact_and_a_missing_one_is_not_made(tmp_path: Path) -> None:
    assert (status(Folders(tmp_path)), status(Folders(tmp_path), "--repair")) == (0, 0)
    assert status(Folders(tmp_path / "nowhere")) == 1
    assert not (tmp_path / "nowhere").exists()
