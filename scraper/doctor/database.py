"""Verifies the database: by itself, and its captures against the archive. `compare_content` compares every value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from scraper.database import schema
from scraper.database.connection import comparing, second_database
from scraper.database.difference import differences
from scraper.database.load import LoadOptions, load
from scraper.doctor.findings import Finding, Kind, counted, examples
from scraper.doctor.tables import DATABASE, SHOWN, DoctorTables
from scraper.folders import Folders
from scraper.sqlite import open_writable

IS_REBUILT = "it is rebuilt from the archive; the run history stays"
_IS_REPLACED = "it is set aside, and a new one is made from the archive, with the run history if that can be read"
_SEEN = "SELECT 1 FROM main.seen s WHERE s.capture_id = one.capture_id"
_LOST = f"FROM tta.captures one WHERE NOT EXISTS ({_SEEN})"
_DIFFERENT = f"""
    FROM tta.captures one WHERE EXISTS ({_SEEN}) AND NOT EXISTS ({_SEEN}
      AND s.warc_file = one.warc_file AND s.warc_offset = one.warc_offset AND s.form IS one.warc_type AND s.url IS one.url
      AND s.captured_at IS one.captured_at AND s.http_status IS one.http_status AND s.truncated IS one.truncated
      AND (s.form = 'revisit' OR s.sha256 IS one.sha256))"""
"""A revisit has the digest of the body that it repeats, which its own record does not contain."""


def open_database(tables: DoctorTables, path: Path) -> Iterator[Finding]:
    """Attaches the database, or says why it is unusable."""

    def create(db: sqlite3.Connection) -> None:
        schema.create(db)
        schema.finish(db)

    yield from tables.open(DATABASE, path, _IS_REPLACED, (schema.APPLICATION, schema.VERSION), create)
    if DATABASE in tables.has:
        yield from _verify_search(path)


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
                yield Finding(Kind.DATABASE_SEARCH, text, harmless=True, subject=name)
            except (sqlite3.DatabaseError, MemoryError):  # a damaged length asks for too much memory
                text = f"the search index {name} of {path.name} does not match its rows"
                yield Finding(Kind.DATABASE_SEARCH, text, repair=IS_REBUILT, subject=name)
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")


def compare_database(tables: DoctorTables) -> Iterator[Finding]:
    """The database against the archive. Captures that no intact record has are noted in `lost`."""
    db, has = tables.db, DATABASE in tables.has
    if has:
        yield from _compare_captures(tables)
    lacking = "WHERE NOT EXISTS (SELECT 1 FROM tta.captures c WHERE c.capture_id = s.capture_id)" if has else ""
    if count := tables.count(f"SELECT count(DISTINCT capture_id) FROM main.seen s {lacking}"):
        query = "SELECT outcome FROM tta.runs WHERE outcome IN ('committed', 'refused') ORDER BY run_id DESC LIMIT 1"
        is_refused = has and db.execute(query).fetchone() == ("refused",)
        advice = "the last refresh was refused, see `tta status`" if is_refused else "run `tta load`"
        text = f"{counted(count, 'capture')} of the archive not loaded yet: {advice}"
        yield Finding(Kind.NOT_LOADED, text, count, harmless=True)


def _compare_captures(tables: DoctorTables) -> Iterator[Finding]:
    if lost := tables.count(f"SELECT count(*) {_LOST}"):
        tables.db.execute(
            f"INSERT OR IGNORE INTO lost SELECT capture_id, url, captured_at, source, sha256, warc_file, warc_offset {_LOST}"
        )
        text = (
            f"the database has {counted(lost, 'capture')} that the archive lacks, and keeps: "
            "restore the archive from a copy, or run `tta fetch`; `tta load --without-lost` goes on without them"
        )
        yield Finding(Kind.DATABASE_LOST, text, lost, examples=tables.shown(f"SELECT {SHOWN} {_LOST}"))
    elif count := tables.count(f"SELECT count(*) {_DIFFERENT}"):
        text = f"{counted(count, 'capture')} of the database not as in the archive, or at another place"
        yield Finding(Kind.DATABASE_ROWS, text, count, IS_REBUILT)
    if links := tables.db.execute("SELECT * FROM pragma_foreign_key_check(NULL, 'tta')").fetchall():
        text = f"{counted(len(links), 'row')} of the database with references to rows that are not there"
        shown = examples(f"{table} row {row} names a row of {other}" for table, row, other, _ in links)
        yield Finding(Kind.DATABASE_LINKS, text, len(links), IS_REBUILT, examples=shown)


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
        yield Finding(Kind.DATABASE_CONTENT, text, found.changed, IS_REBUILT, examples=examples(shown))
