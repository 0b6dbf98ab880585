"""Examines the database: itself, and what it says of captures against what the archive was seen to hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from scraper.database import schema
from scraper.database.connection import version_of
from scraper.doctor.findings import Finding, Kind, agreed, counted, examples
from scraper.doctor.scratch import DATABASE, Scratch
from scraper.errors import TtaError
from scraper.sqlite import open_memory, open_writable
from scraper.terminal import escape

REBUILT = "it is made again from the archive; the story of the runs stays"
_LOST = "FROM tta.captures one WHERE NOT EXISTS (SELECT 1 FROM main.seen s WHERE s.capture_id = one.capture_id)"
MISPLACED = """
    FROM tta.captures one WHERE EXISTS (SELECT 1 FROM main.seen s WHERE s.capture_id = one.capture_id) AND NOT EXISTS (
      SELECT 1 FROM main.seen s
      WHERE s.capture_id = one.capture_id AND s.warc_file = one.warc_file AND s.warc_offset = one.warc_offset)"""
_OTHER = """
    FROM tta.captures one WHERE EXISTS (SELECT 1 FROM main.seen s WHERE s.capture_id = one.capture_id) AND NOT EXISTS (
      SELECT 1 FROM main.seen s WHERE s.capture_id = one.capture_id AND s.form IS one.warc_type AND s.url IS one.url
      AND s.captured_at IS one.captured_at AND s.http_status IS one.http_status AND s.truncated IS one.truncated
      AND (s.form = 'revisit' OR s.sha256 IS one.sha256))"""
"""A revisit has the digest of the body that it repeats, which its own record does not tell."""


def examine_database(scratch: Scratch, path: Path) -> Iterator[Finding]:
    """Attaches the database, or empty tables where it can't be read."""
    scratch.stand_in(DATABASE)
    if not path.exists():
        yield from _not_loaded(scratch)
        return
    try:
        with closing(open_writable(path)) as db:
            found = list(_by_itself(db, path))
    except TtaError as error:
        yield Finding(Kind.DATABASE_DAMAGED, escape(error))
        return
    except sqlite3.DatabaseError as error:
        yield Finding(Kind.DATABASE_DAMAGED, f"{path.name} is damaged: {escape(error, 120)}", mend=_ANEW)
        return
    yield from found
    if not {finding.kind for finding in found} & {Kind.DATABASE_DAMAGED, Kind.DATABASE_OLD, Kind.DATABASE_SCHEMA}:
        scratch.attach(DATABASE, path)
        yield from _against_archive(scratch)


_ANEW = "it is set aside, and a new one is made from the archive, with what can still be read of the runs"


def _by_itself(db: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    """What is wrong whatever the archive holds. Nothing further is asked of a damaged or older one."""
    version = version_of(db, path)
    if version is None:
        yield Finding(Kind.DATABASE_OLD, f"{path.name} is empty", mend=REBUILT)
        return
    if (found := [str(row[0]) for row in db.execute("PRAGMA integrity_check(5)")]) != ["ok"]:
        yield Finding(Kind.DATABASE_DAMAGED, f"{path.name} is damaged", len(found), _ANEW, examples=examples(found))
        return
    if version != schema.VERSION:
        yield Finding(Kind.DATABASE_OLD, f"{path.name} is of another version", mend=REBUILT)
        return
    yield from _schema(db, path)
    links = [f"{row[0]} row {row[1]} names a row of {row[2]}" for row in db.execute("PRAGMA foreign_key_check")]
    if links:
        text = f"{counted(len(links), 'row')} of {path.name} {agreed(len(links), 'names', 'name')} rows that are not there"
        yield Finding(Kind.DATABASE_LINKS, text, len(links), REBUILT, examples=examples(links))
    yield from _search(db, path)


def objects(db: sqlite3.Connection) -> dict[str, str]:
    """Every table, index, view and trigger with its SQL, but what SQLite and full-text search make for themselves."""
    rows = db.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'")
    return {name: " ".join(sql.split()) for name, sql in rows}


def _schema(db: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    with closing(open_memory()) as made:
        schema.create(made)
        schema.finish(made)
        wanted = objects(made)
    found = objects(db)
    wrong = sorted(name for name, sql in wanted.items() if found.get(name) != sql)
    if wrong:
        text = f"{counted(len(wrong), 'table or index', 'tables and indexes')} of {path.name} not as the program makes them"
        yield Finding(Kind.DATABASE_SCHEMA, text, len(wrong), REBUILT, examples=examples(wrong))
    if others := sorted(found.keys() - wanted.keys()):
        text = f"{path.name} has {counted(len(others), 'table or index', 'tables and indexes')} that the program did not make"
        yield Finding(Kind.DATABASE_FOREIGN, text, len(others), harmless=True, examples=examples(others))


def _search(db: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    """FTS5 compares its index with the rows when it is told to, by a write that is rolled back here (fts5, 6.8)."""
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'").fetchall():
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute(f'INSERT INTO "{name}" ("{name}", rank) VALUES (\'integrity-check\', 1)')
        except sqlite3.DatabaseError as error:
            text = f"the search index {name} of {path.name} is not that of its rows: {escape(error, 120)}"
            yield Finding(Kind.DATABASE_SEARCH, text, mend=REBUILT, subject=name)
        finally:
            db.execute("ROLLBACK")


def _against_archive(scratch: Scratch) -> Iterator[Finding]:
    if count := scratch.count(f"SELECT count(*) {_LOST}"):
        scratch.db.execute(
            f"INSERT OR IGNORE INTO lost SELECT capture_id, url, captured_at, source, sha256, warc_file, warc_offset {_LOST}"
        )
        shown = scratch.texts(f"SELECT coalesce(captured_at, '') || ' ' || coalesce(url, capture_id) {_LOST}")
        text = (
            f"the database has {counted(count, 'capture')} that the archive lacks, and keeps them: restore the archive from a"
            " copy, or run `tta fetch`; `tta load --without-lost` goes on without them"
        )
        yield Finding(Kind.DATABASE_LOST, text, count, examples=examples(shown))
    if count := scratch.count(f"SELECT count(*) {MISPLACED}"):
        text = f"{counted(count, 'capture')} of the database {agreed(count, 'lies', 'lie')} elsewhere than it says"
        yield Finding(Kind.DATABASE_PLACES, text, count, "the database is told where they lie")
    if count := scratch.count(f"SELECT count(*) {_OTHER}"):
        text = f"{counted(count, 'capture')} of the database {agreed(count)} not what the archive says"
        yield Finding(Kind.DATABASE_ROWS, text, count, REBUILT)
    yield from _not_loaded(scratch)
    runs = scratch.count("SELECT count(*) FROM tta.runs WHERE ended_at IS NULL")
    if runs:
        text = f"{counted(runs, 'refresh', 'refreshes')} ended without saying so, as one that is killed does"
        yield Finding(Kind.RUNS_UNFINISHED, text, runs, harmless=True)


def _not_loaded(scratch: Scratch) -> Iterator[Finding]:
    count = scratch.count(
        "SELECT count(DISTINCT capture_id) FROM main.seen s"
        " WHERE NOT EXISTS (SELECT 1 FROM tta.captures c WHERE c.capture_id = s.capture_id)"
    )
    if count:
        refused = scratch.count(
            "SELECT count(*) FROM tta.runs WHERE outcome = 'refused' AND run_id = "
            "(SELECT max(run_id) FROM tta.runs WHERE outcome IN ('committed', 'refused'))"
        )
        advice = "the last refresh was refused, see `tta status`" if refused else "run `tta load`"
        text = f"{counted(count, 'capture')} of the archive {agreed(count)} not loaded yet: {advice}"
        yield Finding(Kind.NOT_LOADED, text, count, harmless=True)
