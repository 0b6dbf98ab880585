"""SQLite files of the data folder that are damaged anywhere, or of another version: every command works again.

A repair mends damage. Of another version, database and catalog are rebuilt from the archive, and the ledger is set aside.
"""

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scraper.archive.store import CATALOG, Archive
from scraper.database.load import load
from scraper.database.parsed_pages import NAME as PARSED
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.ledger.store import Ledger, Listings
from tests.commandkit import tta
from tests.dbkit import broken_references, exports, query, sql
from tests.doctorkit import WAITING_HOST, doctor, found, sound, sound_exports, status

FILES = ("tta.db", "ledger.db", f"archive/{CATALOG}", PARSED)
SIZE = 512
PAGE = 4096


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return sound(tmp_path / "data")


def check_all_commands(folders: Folders, tmp_path: Path) -> None:
    assert status(folders, "--repair") == 0
    commands = (["load"], ["status"], ["why", "1"], ["export", "csv", tmp_path / "out"], ["import", tmp_path / "none"])
    assert [tta("--data", folders.data, *command).status for command in commands] == [0, 0, 0, 0, 4]
    with Ledger(folders.ledger) as ledger:
        assert len(ledger.due_ids("wayback", now=None)) <= sum(count for _, count in ledger.ask("states", source="wayback"))
    assert found(folders) == set()


@pytest.mark.parametrize("filling", ["zeros", "ones", "noise", "letters"])
@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes_anywhere_are_repaired(folders: Folders, tmp_path: Path, name: str, filling: str, seed: int = 1) -> None:
    """The header, and some other places, of each file."""
    chance = random.Random(f"{seed} {name} {filling}")
    content = {"zeros": bytes(SIZE), "ones": b"\xff" * SIZE, "noise": chance.randbytes(SIZE), "letters": b"X" * SIZE}[filling]
    path = folders.data / name
    intact = path.read_bytes()
    for offset in (0, chance.randrange(0, len(intact) - SIZE)):
        path.write_bytes(intact)
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(content)
        check_all_commands(folders, tmp_path)


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "no database": lambda path: path.write_bytes(b"no database " * 1000),
    "truncated": lambda path: os.truncate(path, path.stat().st_size // PAGE // 2 * PAGE),
    "truncated within a page": lambda path: os.truncate(path, path.stat().st_size // 2 + 77),
    "write-ahead log of another file": lambda path: path.with_name(f"{path.name}-wal").write_bytes(os.urandom(9000)),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", FILES)
def test_unusable_files_are_repaired(folders: Folders, tmp_path: Path, name: str, damage: str) -> None:
    DAMAGE[damage](folders.data / name)
    check_all_commands(folders, tmp_path)


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder in which this process may read and not write."""
    if os.geteuid():
        pytest.skip("needs root, to become another user")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        os.seteuid(0)


def test_a_folder_that_can_only_be_read_is_not_called_damaged(nobody: Path) -> None:
    data = sound(nobody / "data").data
    for path in (data, data / "archive"):
        path.chmod(0o755)
    os.seteuid(65534)
    result = doctor(Folders(data))
    assert (result.status, "can't be read or written" in result.err) == (1, True)


VERSIONS = pytest.mark.parametrize("version", [1, 0x7FFFFFFF], ids=["older", "newer"])


@VERSIONS
def test_a_database_of_another_version_is_rebuilt_and_keeps_its_runs(folders: Folders, version: int) -> None:
    sql(folders.database, "ALTER TABLE runs DROP COLUMN problems", "ALTER TABLE runs ADD COLUMN later TEXT")
    sql(folders.database, "DELETE FROM changes", f"PRAGMA user_version = {version}")
    with pytest.raises(TtaError, match=r"another version .* run `tta load`"):
        exports(folders)
    folders.archive.rename(folders.data / "away")
    with pytest.raises(TtaError, match=r"another version .*restore the archive, or use the version of tta that wrote it"):
        exports(folders)
    (folders.data / "away").rename(folders.archive)
    load(folders)
    assert exports(folders) == sound_exports()
    assert (query(folders, "SELECT run_id, message FROM runs"), broken_references(folders)) == ([(4, "well")], [])


@VERSIONS
def test_a_ledger_of_another_version_is_set_aside_and_all_is_listed_again(folders: Folders, version: int) -> None:
    sql(
        folders.ledger,
        WAITING_HOST,
        "INSERT INTO hosts VALUES ('damaged.example', '2299-01-01T00:00:00Z', '', 1, NULL, NULL)",
        "ALTER TABLE captures ADD COLUMN later TEXT",
        f"PRAGMA user_version = {version}",
    )
    before = folders.ledger.read_bytes()
    with pytest.raises(TtaError, match=r"another version .* run `tta fetch`"):
        Ledger(folders.ledger, writable=False)
    with Ledger(folders.ledger) as ledger:
        (note,) = ledger.notes
        assert "is of another version: it is kept as ledger.version-1.db, and the sources are listed again" in note
        assert Listings(ledger, "wayback", "bjatta.bja.ojp.gov").start() is None
        assert ledger.due_ids("wayback", now=None) == []
        assert ledger.host("web.archive.org").reason == "told to"
        assert ledger.host("damaged.example").not_before is None
    assert (folders.data / "ledger.version-1.db").read_bytes() == before
    with Ledger(folders.ledger) as ledger:
        assert ledger.notes == []


@VERSIONS
def test_a_catalog_of_another_version_is_made_again_from_the_files(folders: Folders, version: int) -> None:
    with Archive(folders.archive) as archive:
        before = list(archive.entries())
    sql(folders.archive / CATALOG, "ALTER TABLE captures DROP COLUMN truncated", f"PRAGMA user_version = {version}")
    with pytest.raises(TtaError, match=r"another version .* run `tta load`"):
        Archive(folders.archive)
    with Archive(folders.archive, writable=True):
        pass
    with Archive(folders.archive) as archive:
        assert list(archive.entries()) == before


def test_another_programs_ledger_is_refused_and_not_written_to(folders: Folders) -> None:
    folders.ledger.unlink()
    sql(folders.ledger, "CREATE TABLE mine (a)")
    before = folders.ledger.read_bytes()
    with pytest.raises(TtaError, match="another program"):
        Ledger(folders.ledger)
    assert folders.ledger.read_bytes() == before
