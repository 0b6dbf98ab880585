"""After damage anywhere in an SQLite file of the data folder, a repair leads to a folder in which every command works."""

import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from scraper.archive.store import CATALOG
from scraper.archive.warc import record_bytes, utc_now
from scraper.cli import cli
from scraper.database.parsed_pages import NAME as PARSED
from scraper.errors import TtaError
from scraper.folders import Folders, locked
from scraper.ledger.store import Ledger
from tests.dbkit import add, day, exports, html, node, page
from tests.doctorkit import WARC, captures, doctor, found, notes, sound, status

FILES = ("tta.db", "ledger.db", f"archive/{CATALOG}", PARSED)
SIZE = 512
PAGE = 4096


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folders = sound(tmp_path_factory.mktemp("intact"))
    for name in FILES:
        with closing(sqlite3.connect(folders.data / name)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folders


@pytest.fixture
def folders(intact: Folders, tmp_path: Path) -> Folders:
    shutil.copytree(intact.data, tmp_path / "data")
    return Folders(tmp_path / "data")


def tta(folders: Folders, *arguments: str) -> int:
    result = CliRunner().invoke(cli, ["--data", str(folders.data), *arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return int(result.return_value or 0)


def check_all_commands(folders: Folders, tmp_path: Path) -> None:
    assert status(folders, "--repair") == 0
    commands = (["load"], ["status"], ["why", "1"], ["export", "csv", str(tmp_path / "out")], ["import", str(tmp_path / "none")])
    assert [tta(folders, *command) for command in commands] == [0, 0, 0, 0, 4]
    with Ledger(folders.ledger) as ledger:
        assert (ledger.states("wayback"), ledger.due_ids("wayback", now=None)) is not None
    assert found(folders) == set()


@pytest.mark.parametrize("filling", ["zeros", "ones", "noise", "letters"])
@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes_anywhere_are_repaired(
    intact: Folders, folders: Folders, tmp_path: Path, name: str, filling: str, seed: int = 1
) -> None:
    """The header, and some other places, of each file."""
    chance = random.Random(f"{seed} {name} {filling}")
    content = {"zeros": bytes(SIZE), "ones": b"\xff" * SIZE, "noise": chance.randbytes(SIZE), "letters": b"X" * SIZE}[filling]
    path = folders.data / name
    for offset in (0, *(chance.randrange(0, path.stat().st_size - SIZE) for _ in range(2))):
        shutil.copyfile(intact.data / name, path)
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
    before = exports(folders)
    add(folders, [page(html({}), url=node(50), when=day(50))])
    with locked(folders.data, "tta fetch"), (folders.archive / WARC).open("ab") as file:
        file.write(record_bytes(captures()[0], utc_now())[:100])
        file.flush()
        assert (status(folders), notes(folders)) == (0, {"not-loaded"})
        for option in ("--repair", "--deep"):
            with pytest.raises(TtaError, match="in use by `tta fetch`"):
                status(folders, option)
    assert exports(folders) == before


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder in which this process may read and not write."""
    if os.geteuid():
        pytest.skip("needs root, to become another user")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        os.seteuid(0)


def test_a_folder_that_can_only_be_read_is_not_called_damaged(intact: Folders, nobody: Path) -> None:
    data = Path(shutil.copytree(intact.data, nobody / "data"))
    for path in (data, data / "archive"):
        path.chmod(0o755)
    os.seteuid(65534)
    result = doctor(Folders(data))
    assert isinstance(result.exception, TtaError)
    assert "can't be read or written" in str(result.exception)
