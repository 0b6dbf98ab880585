"""Verifies a data folder from the archive up: then the ledger and the database, by themselves and against the archive.

Changes nothing, and needs no lock except for the comparison with a second database.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from scraper.database import schema
from scraper.database.connection import comparing, second_database
from scraper.database.difference import differences
from scraper.database.load import LoadOptions, load
from scraper.database.parsed_pages import NAME as PARSED
from scraper.doctor.archive import Progress, catalog_of, compare_catalog, read_warc_files, verify_files
from scraper.doctor.findings import Finding, Report, counted, examples
from scraper.doctor.tables import SHOWN, DoctorTables, Part, inspect
from scraper.folders import Folders
from scraper.ledger import store as ledger
from scraper.ledger.store import STORED, State
from scraper.sqlite import open_writable

_IS_REBUILT = "it is rebuilt from the archive; the run history stays"
_IS_REPLACED = "it is set aside, and a new one is made from the archive, with the run history if that can be read"
_IS_LISTED_AGAIN = "it is set aside; the next fetch lists the sources again and requests what the archive lacks"
_SEEN = "SELECT 1 FROM main.seen s WHERE s.capture_id = one.capture_id"
_LOST = f"FROM database.captures one WHERE NOT EXISTS ({_SEEN})"
_DIFFERENT = f"""
    FROM database.captures one WHERE EXISTS ({_SEEN}) AND NOT EXISTS ({_SEEN}
      AND s.warc_file = one.warc_file AND s.warc_offset = one.warc_offset AND s.form IS one.warc_type AND s.url IS one.url
      AND s.captured_at IS one.captured_at AND s.http_status IS one.http_status AND s.truncated IS one.truncated
      AND (s.form = 'revisit' OR s.sha256 IS one.sha256))"""
"""A revisit has the digest of the body that it repeats, which its own record does not contain."""
_STATES, _STORED = (", ".join(f"'{state.value}'" for state in states) for states in (State, STORED))
_LOST_TO_LEDGER = f"""FROM (
    SELECT timestamp || ' ' || url AS shown FROM ledger.captures one WHERE state IN ({_STORED})
        AND capture_id IS NOT NULL AND NOT EXISTS ({_SEEN})
    UNION ALL SELECT checked_at || ' ' || url FROM ledger.live_pages one WHERE capture_id IS NOT NULL AND NOT EXISTS ({_SEEN}))"""
"""Captures that the ledger calls stored, or compares live pages with, and that no intact record has."""


def verify(folders: Folders, tables: DoctorTables, *, is_deep: bool = False, progress: Progress | None = None) -> Report:
    """All findings, the archive's first. `tables` keeps what was read, for a repair. Raises TtaError, OSError.

    `is_deep`: the database is also made a second time and compared. That takes as long as a rebuild, and the folder's lock.
    """
    report = Report()
    found = report.findings
    found += tables.attach(catalog_of(folders.archive))
    beside = [*tables.attach(_ledger(folders.ledger)), *tables.attach(_database(folders.database))]
    if "database" in tables.has:
        beside += _verify_search(folders.database)
    tables.begin()
    found += read_warc_files(tables, folders.archive, report, progress)
    found += verify_files(tables, folders.archive)
    found += compare_catalog(tables)
    found += beside
    if "ledger" in tables.has:
        text = "{} of the ledger: captures that it calls stored and the archive does not have"
        found += tables.find("ledger-lost", _LOST_TO_LEDGER, "row", text, _IS_LISTED_AGAIN, shown="shown")
    found += _compare_database(tables)
    parsed = folders.data / PARSED
    if parsed.exists() and (damage := inspect(parsed)[0]):
        text, repair = f"{PARSED}, the store of parsed pages, is damaged", "it is deleted, and the next load parses again"
        found.append(Finding("parsed-damaged", text, len(damage), repair, examples=examples(damage)))
    if is_deep and not report.wrong:
        found += compare_content(folders)
    return report


def _ledger(path: Path) -> Part:
    return Part("ledger", path, _IS_LISTED_AGAIN, (ledger.APPLICATION, ledger.VERSION), ledger.create, _impossible_rows)


def _impossible_rows(db: sqlite3.Connection) -> Iterator[str]:
    for table, condition in (("captures", f"state NOT IN ({_STATES})"), ("runs", "NOT json_valid(coalesce(summary, '{}'))")):
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
            count = db.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0]
            yield from [f"table {table}: {counted(count, 'row')} with impossible values"] if count else []


def _database(path: Path) -> Part:
    def create(db: sqlite3.Connection) -> None:
        schema.create(db)
        schema.finish(db)

    return Part("database", path, _IS_REPLACED, (schema.APPLICATION, schema.VERSION), create)


def _verify_search(path: Path) -> Iterator[Finding]:
    """FTS5 compares an index with its rows in the course of a write, which is rolled back here (fts5, 6.8)."""
    with closing(open_writable(path, create=False)) as db:
        db.execute("PRAGMA busy_timeout = 0")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'").fetchall():
            try:
                db.execute("BEGIN IMMEDIATE")
                db.execute(f'INSERT INTO "{name}" ("{name}", rank) VALUES (\'integrity-check\', 1)')
            except sqlite3.OperationalError as error:
                text = f"the search index {name} of {path.name} could not be compared with its rows ({error})"
                yield Finding("database-search", text, harmless=True, subject=name)
            except (sqlite3.DatabaseError, MemoryError):  # a damaged length asks for too much memory
                text = f"the search index {name} of {path.name} does not match its rows"
                yield Finding("database-search", text, repair=_IS_REBUILT, subject=name)
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")


def _compare_database(tables: DoctorTables) -> Iterator[Finding]:
    """The database against the archive. Captures that no intact record has are noted in `lost`."""
    unloaded, advice = "FROM (SELECT DISTINCT capture_id FROM main.seen", "run `tta load`"
    if "database" in tables.has:
        tables.add_lost(_LOST)
        keeps = (
            "the database has {} that the archive lacks, and keeps: "
            "restore the archive from a copy, or run `tta fetch`; `tta load --without-lost` goes on without them"
        )
        lost = [*tables.find("database-lost", _LOST, "capture", keeps, shown=SHOWN)]
        differs = "{} of the database not as in the archive, or at another place"
        yield from lost or tables.find("database-rows", _DIFFERENT, "capture", differs, _IS_REBUILT)
        rows, shown = (
            "FROM pragma_foreign_key_check(NULL, 'database')",
            "\"table\" || ' row ' || rowid || ' names a row of ' || parent",
        )
        text = "{} of the database with references to rows that are not there"
        yield from tables.find("database-links", rows, "row", text, _IS_REBUILT, shown=shown)
        unloaded += " EXCEPT SELECT capture_id FROM database.captures"
        decided = "SELECT outcome FROM database.runs WHERE outcome IN ('committed', 'refused') ORDER BY run_id DESC LIMIT 1"
        if tables.db.execute(decided).fetchone() == ("refused",):
            advice = "the last refresh was refused, see `tta status`"
    text = f"{{}} of the archive not loaded yet: {advice}"
    yield from tables.find("not-loaded", f"{unloaded})", "capture", text, harmless=True)


def compare_content(folders: Folders) -> Iterator[Finding]:
    """Compares the database with one that is made a second time, from the captures that this one has.

    The caller holds the data folder's lock. Raises TtaError where there is no room.
    """
    if not folders.database.exists():
        return
    with second_database(folders.data) as second:
        load(folders, LoadOptions(rebuild=True, database=second, only_captures_of=folders.database))
        with comparing(folders.database, second) as db:
            found = differences(db)
    if found:
        text = f"{counted(found.changed, 'record')} of the database not as the archive gives them"
        shown = (f"{one.table} {one.field}: {counted(one.count, 'record')}" for one in found.fields)
        yield Finding("database-content", text, found.changed, _IS_REBUILT, examples=examples(shown))
