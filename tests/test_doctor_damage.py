"""After damage anywhere in an SQLite file of the data folder, a repair leads to a folder in which every command works."""

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scraper.archive.store import CATALOG
from scraper.archive.warc import record_bytes, utc_now
from scraper.database.parsed_pages import NAME as PARSED
from scraper.folders import Folders, locked
from scraper.ledger.store import Ledger
from tests.commandkit import tta
from tests.dbkit import add, day, exports, html, node, page
from tests.doctorkit import WARC, captures, doctor, found, notes, sound, sound_exports, status

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


def test_a_verification_runs_beside_another_command(folders: Folders) -> None:
    """A record that is being written, and captures that are in the catalog and the ledger before they are in the database."""
    add(folders, [page(html({}), url=node(50), when=day(50))])
    with locked(folders.data, "tta fetch"), (folders.archive / WARC).open("ab") as file:
        file.write(record_bytes(captures()[0], utc_now())[:100])
        file.flush()
        assert (status(folders), notes(folders)) == (0, {"not-loaded"})
        refused = doctor(folders, "--repair")
        assert (refused.status, "in use by `tta fetch`" in refused.err) == (1, True)
    assert exports(folders) == sound_exports()


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
