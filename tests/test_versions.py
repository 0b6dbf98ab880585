"""Files of another version: the database and the catalog are rebuilt from the archive, the ledger is set aside."""

from pathlib import Path

import pytest

from scraper.archive.store import CATALOG, Archive
from scraper.database.load import LoadOptions, load
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.ledger.store import Ledger, Listings
from tests.dbkit import broken_references, exports, query
from tests.doctorkit import WAITING_HOST, sound, sound_exports, sql

VERSIONS = pytest.mark.parametrize("version", [1, 0x7FFFFFFF], ids=["older", "newer"])


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return sound(tmp_path / "data")


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


def test_a_database_of_another_version_stays_as_it_was_if_the_load_fails(folders: Folders) -> None:
    sql(folders.database, "PRAGMA user_version = 1")
    before = folders.database.read_bytes()

    def refuse(*_: object) -> None:
        raise TtaError("no")

    with pytest.raises(TtaError, match="no"):
        load(folders, LoadOptions(before_commit=refuse))
    assert folders.database.read_bytes() == before


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
