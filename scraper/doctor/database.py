"""Verifies the database: by itself, and its captures against the archive. `compare_content` compares every value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from scraper.database import schema
from scraper.database.connection import comparing
from scraper.database.load import LoadOptions, load
from scraper.database.second_database import second_database
from scraper.database.tables import LOCAL_TABLES, TABLES, Table
from scraper.doctor.findings import Finding, Kind, agreed, counted, examples
from scraper.doctor.tables import DATABASE, DoctorTables, inspect, objects
from scraper.folders import Folders
from scraper.sqlite import open_memory, open_writable

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
    """Attaches the database, unless it is missing, damaged, or of another version or program."""
    if not path.exists():
        return
    with closing(open_memory()) as made:
        schema.create(made)
        schema.finish(made)
        expected = objects(made)
    file = inspect(path)
    is_own = file.application == schema.APPLICATION
    differing = sorted(name for name, sql in expected.items() if file.objects.get(name) != sql)
    if file.damage or (differing == [] and not is_own):
        damage = file.damage or ["its header"]
        yield Finding(Kind.DATABASE_DAMAGED, f"{path.name} is damaged", len(damage), _IS_REPLACED, examples=examples(damage))
    elif file.objects and not is_own:
        yield Finding(Kind.DATABASE_DAMAGED, f"{path.name} is a database of another program: move it away")
    elif file.version != schema.VERSION:
        what = "of another version" if file.objects else "empty"
        yield Finding(Kind.DATABASE_VERSION, f"{path.name} is {what}", repair=IS_REBUILT)
    else:
        if differing:
            count = counted(len(differing), "table or index", "tables and indexes")
            text = f"{count} of {path.name} {agreed(len(differing))} not as the program makes them"
            yield Finding(Kind.DATABASE_SCHEMA, text, len(differing), IS_REBUILT, examples=examples(differing))
        else:
            tables.attach(DATABASE, path)
        if others := sorted(file.objects.keys() - expected.keys()):
            count = counted(len(others), "table or index", "tables and indexes")
            text = f"{path.name} has {count} that the program did not make"
            yield Finding(Kind.DATABASE_FOREIGN, text, len(others), harmless=True, examples=examples(others))
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
        text = f"{counted(count, 'capture')} of the archive {agreed(count)} not loaded yet: {advice}"
        yield Finding(Kind.NOT_LOADED, text, count, harmless=True)


def _compare_captures(tables: DoctorTables) -> Iterator[Finding]:
    if lost := tables.count(f"SELECT count(*) {_LOST}"):
        tables.db.execute(
            f"INSERT OR IGNORE INTO lost SELECT capture_id, url, captured_at, source, sha256, warc_file, warc_offset {_LOST}"
        )
        text = (
            f"the database has {counted(lost, 'capture')} that the archive lacks, and keeps {agreed(lost, 'it', 'them')}: "
            "restore the archive from a copy, or run `tta fetch`; `tta load --without-lost` goes on without them"
        )
        shown = tables.shown(f"SELECT coalesce(captured_at, '') || ' ' || coalesce(url, capture_id) {_LOST}")
        yield Finding(Kind.DATABASE_LOST, text, lost, examples=shown)
    elif count := tables.count(f"SELECT count(*) {_DIFFERENT}"):
        text = f"{counted(count, 'capture')} of the database {agreed(count)} not where, or not what, the archive says"
        yield Finding(Kind.DATABASE_ROWS, text, count, IS_REBUILT)
    if links := tables.db.execute("SELECT * FROM pragma_foreign_key_check(NULL, 'tta')").fetchall():
        text = f"{counted(len(links), 'row')} of the database {agreed(len(links), 'names', 'name')} rows that are not there"
        shown = examples(f"{table} row {row} names a row of {other}" for table, row, other, _ in links)
        yield Finding(Kind.DATABASE_LINKS, text, len(links), IS_REBUILT, examples=shown)


def compare_content(folders: Folders) -> Iterator[Finding]:
    """A finding for each table that differs in a database that is made a second time, from the captures that this one has.

    The caller holds the data folder's lock. Raises TtaError where there is no room.
    """
    if not folders.database.exists():
        return
    with second_database(folders.data) as second:
        load(folders, LoadOptions(rebuild=True, database=second, only_captures_of=folders.database))
        with comparing(folders.database, second) as db:
            for table in TABLES:
                if table.name not in LOCAL_TABLES:
                    yield from _differing(db, table)


def _differing(db: sqlite3.Connection, table: Table) -> Iterator[Finding]:
    """Rows that only one of the two has; how often each is there counts as well, for a table without keys."""
    names = ", ".join(f'"{name}"' for name in table.columns)
    rows = [f'SELECT {names}, count(*) FROM {name}."{table.name}" GROUP BY {names}' for name in ("old", "new")]
    surplus, missing = (
        db.execute(f"SELECT count(*) FROM ({one} EXCEPT {other})").fetchone()[0] for one, other in (rows, reversed(rows))
    )
    if surplus or missing:
        text = f"table {table.name}: {counted(surplus, 'row')} that the archive does not give; {missing:,} missing"
        yield Finding(Kind.DATABASE_CONTENT, text, surplus + missing, IS_REBUILT, subject=table.name)
