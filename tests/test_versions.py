"""What earlier versions left on disk is taken over: runs and ledger rows stay, the rest is made from the archive."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from scraper.archive import catalog as catalog_module
from scraper.archive.catalog import CATALOG
from scraper.archive.store import Archive
from scraper.capture import Capture
from scraper.database import schema
from scraper.database.connection import reading
from scraper.database.load import LoadOptions, load
from scraper.errors import ArchiveDamaged, SqliteDamaged, TtaError
from scraper.fingerprint import fingerprint
from scraper.folders import Folders
from scraper.ledger import versions as ledger_versions
from scraper.ledger.store import Ledger
from tests import versions
from tests.dbkit import add, broken_references, day, exports, html, loaded, node, page, query

CAPTURES = [
    page(html({"County": "Suffolk County"}, node=1), url=node(1), when=day(1)),
    page(html({"County": "Essex County"}, node=1), url=node(1), when=day(9)),
    page(html({"County": "Kent County"}, node=2, title="20250130-101112-1"), url=node(2), when=day(3)),
]
"""What the kept databases were loaded from."""
RUNS = "SELECT run_id, started_at, ended_at, status, outcome, captures, records, message FROM runs ORDER BY run_id"
CHECKS = "SELECT run_id, position, name, subject, figure, threshold, passed, message FROM run_checks ORDER BY run_id, position"

old_database = pytest.mark.parametrize("dump", versions.kept("database"), ids=lambda path: path.stem)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def version_of(path: Path) -> int:
    return int(str(rows(path, "PRAGMA user_version")[0][0]))


def test_a_change_of_the_tables_raises_the_version() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.create(db)
        schema.finish(db)
        found = fingerprint(db)
    assert found == schema.FINGERPRINT, (
        f"the tables are not those of version {schema.VERSION}: keep a database of that version (tests/versions) and raise"
        f" VERSION, unless nobody has one yet, and set FINGERPRINT to {found!r}"
    )


@old_database
def test_an_old_database_is_made_anew_and_keeps_its_runs(tmp_path: Path, dump: Path) -> None:
    folders = Folders(tmp_path / "data")
    versions.made(dump, folders.database)
    told = [rows(folders.database, sql) for sql in (RUNS, CHECKS)]
    assert all(told)
    with pytest.raises(TtaError, match=r"older version .* run `tta load`"), reading(folders.database):
        pass
    add(folders, CAPTURES)
    load(folders)
    assert [query(folders, sql) for sql in (RUNS, CHECKS)] == told
    assert (version_of(folders.database), broken_references(folders)) == (schema.VERSION, [])
    fresh = loaded(tmp_path / "fresh", CAPTURES)
    ours, theirs = exports(folders), exports(fresh)
    assert {name: text for name, text in ours.items() if not name.startswith("run")} == {
        name: text for name, text in theirs.items() if not name.startswith("run")
    }
    with closing(sqlite3.connect(folders.database)) as db:
        assert fingerprint(db) == schema.FINGERPRINT


@old_database
def test_an_old_database_stays_as_it_was_where_it_cant_be_made_anew(tmp_path: Path, dump: Path) -> None:
    folders = Folders(tmp_path)
    versions.made(dump, folders.database)
    before = [rows(folders.database, f"SELECT * FROM {table}") for table in ("records", "fields", "captures", "runs")]
    add(folders, CAPTURES)

    def refuse(*_: object) -> None:
        raise TtaError("no")

    with pytest.raises(TtaError, match="no"):
        load(folders, LoadOptions(before_commit=refuse))
    assert [rows(folders.database, f"SELECT * FROM {table}") for table in ("records", "fields", "captures", "runs")] == before


def test_rebuilding_keeps_the_runs(tmp_path: Path) -> None:
    folders = loaded(tmp_path, CAPTURES)
    with closing(sqlite3.connect(folders.database)) as db, db:
        db.execute("INSERT INTO runs (run_id, started_at, message) VALUES (7, '2026-11-01T00:00:00Z', 'all is well')")
    load(folders, LoadOptions(rebuild=True))
    assert query(folders, "SELECT run_id, message FROM runs") == [(7, "all is well")]


@pytest.mark.parametrize("rebuild", [False, True])
def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path, rebuild: bool) -> None:
    folders = loaded(tmp_path, CAPTURES)
    with closing(sqlite3.connect(folders.database)) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    for use in (lambda: load(folders, LoadOptions(rebuild=rebuild)), lambda: exports(folders)):
        with pytest.raises(TtaError, match=r"newer version .* update the program"):
            use()
    assert len(rows(folders.database, "SELECT * FROM captures")) == len(CAPTURES)


old_ledger = pytest.mark.parametrize("dump", versions.kept("ledger"), ids=lambda path: path.stem)
LEDGER_TABLES = ("hosts", "runs", "listings", "captures", "live_pages", "notes")


def ledger_rows(path: Path) -> list[list[tuple[object, ...]]]:
    return [rows(path, f"SELECT * FROM {table} ORDER BY 1") for table in LEDGER_TABLES]


def test_a_change_of_the_ledger_raises_its_version() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        ledger_versions.make(db)
        found = fingerprint(db)
    assert found == ledger_versions.FINGERPRINT, (
        f"the tables are not those of ledger version {ledger_versions.VERSION}: keep a ledger of that version (tests/versions),"
        f" raise VERSION, add a step, and set FINGERPRINT to {found!r}"
    )


def test_there_is_a_step_from_every_version_of_the_ledger() -> None:
    assert sorted(ledger_versions.STEPS) == list(range(1, ledger_versions.VERSION))
    assert {version_of_dump(dump) for dump in versions.kept("ledger")} == set(ledger_versions.STEPS)


def version_of_dump(dump: Path) -> int:
    return int(dump.read_text(encoding="utf-8").rsplit("PRAGMA user_version = ", 1)[1].strip("; \n"))


@old_ledger
def test_an_old_ledger_is_brought_up_to_date_and_keeps_every_row(tmp_path: Path, dump: Path) -> None:
    path = versions.made(dump, tmp_path / "ledger.db")
    before, version = ledger_rows(path), version_of(path)
    with Ledger(path) as ledger:
        assert fingerprint(ledger.db) == ledger_versions.FINGERPRINT
        assert [row.url.rpartition("/")[2] for row in ledger.due("wayback", now=None)] == ["2"]
    assert ledger_rows(path) == before
    assert any(before)
    assert version_of(path) == ledger_versions.VERSION
    copy = tmp_path / f"ledger-{version}.db"
    assert (ledger_rows(copy), version_of(copy)) == (before, version)
    assert sorted(path.name for path in tmp_path.iterdir()) == [copy.name, "ledger.db"]


@old_ledger
def test_a_step_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path, dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = versions.made(dump, tmp_path / "ledger.db")
    before, version = ledger_rows(path), version_of(path)

    def half(ledger: sqlite3.Connection) -> None:
        ledger.execute("DELETE FROM captures")
        raise sqlite3.OperationalError("no room")

    monkeypatch.setitem(ledger_versions.STEPS, version, half)
    with pytest.raises(SqliteDamaged, match="no room"):
        Ledger(path)
    assert (ledger_rows(path), version_of(path)) == (before, version)


@old_ledger
def test_reading_an_old_ledger_changes_nothing_and_says_what_to_run(tmp_path: Path, dump: Path) -> None:
    path = versions.made(dump, tmp_path / "ledger.db")
    before = path.read_bytes()
    with pytest.raises(SqliteDamaged, match=r"older version .* `tta doctor --repair`"):
        Ledger(path, writable=False)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("CREATE TABLE mine (a)", "not a ledger of this program"),
        ("CREATE TABLE mine (a); PRAGMA user_version = 1", "not a ledger of this program"),
        ("CREATE TABLE mine (a); PRAGMA user_version = 2", "not a ledger of this program"),
        ("PRAGMA user_version = 999", "newer version .* update the program"),
    ],
)
def test_a_ledger_that_is_not_ours_is_refused_and_not_written_to(tmp_path: Path, sql: str, says: str) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(sql)
    before = path.read_bytes()
    with pytest.raises(SqliteDamaged, match=says):
        Ledger(path)
    assert path.read_bytes() == before


def stored(folder: Path) -> list[str]:
    with Archive(folder) as archive:
        return [entry.capture_id for entry in archive.entries()]


def archive_of(folder: Path, captures: list[Capture]) -> list[str]:
    with Archive(folder, writable=True) as archive:
        for capture in captures:
            archive.add(capture)
    return stored(folder)


@pytest.mark.parametrize("sql", ["ALTER TABLE captures DROP COLUMN truncated", "CREATE TABLE later (a)"])
@pytest.mark.parametrize("version", [0, 99])
def test_a_catalog_of_another_version_is_made_again_from_the_files(tmp_path: Path, sql: str, version: int) -> None:
    ids = archive_of(tmp_path, CAPTURES)
    with closing(sqlite3.connect(tmp_path / CATALOG)) as db, db:
        db.executescript(f"{sql}; DELETE FROM captures; PRAGMA user_version = {version}")
    with pytest.raises(ArchiveDamaged, match=r"another version .* run `tta load`"):
        Archive(tmp_path)
    assert archive_of(tmp_path, []) == ids
    with closing(sqlite3.connect(tmp_path / CATALOG)) as db:
        assert not catalog_module.is_other(db)
