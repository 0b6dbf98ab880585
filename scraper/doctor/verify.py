"""Verifies a data folder: every record of the archive, and catalog, ledger and database against what was read from it.

Changes nothing, and needs no lock except for the comparison with a second database.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

from scraper.archive import store as archive
from scraper.archive.store import WARC_FILES, entry_of, is_own
from scraper.archive.warc import read_parts
from scraper.database import schema
from scraper.database.connection import comparing, second_database
from scraper.database.difference import differences
from scraper.database.load import LoadOptions, load
from scraper.database.parsed_pages import NAME as PARSED
from scraper.doctor.tables import UNUSABLE, DoctorTables, Finding, Report, counted, examples, inspect
from scraper.folders import Folders
from scraper.ledger import store as ledger
from scraper.sqlite import open_writable
from scraper.terminal import escape

Progress = Callable[[int, int], None]
"""Called with how many bytes of how many are read."""
LOST = "lost.jsonl"
"""Beside the WARC files: a line for each capture that was lost to damage, written by a repair."""
_IS_REBUILT = "it is rebuilt from the archive; the run history stays"


def verify(folders: Folders, tables: DoctorTables, *, is_deep: bool = False, progress: Progress | None = None) -> Report:
    """All findings: files of SQLite's that can't be used, then what the comparisons find. Raises TtaError, OSError.

    `tables` keeps what was read, for a repair. `is_deep`: the database is also made a second time and compared. That takes as
    long as a rebuild, and the folder's lock.
    """
    report = Report()
    for name, path, header, create in (
        ("catalog", folders.archive / archive.CATALOG, (0, archive.VERSION), _create_catalog),
        ("ledger", folders.ledger, (ledger.APPLICATION, ledger.VERSION), ledger.create),
        ("database", folders.database, (schema.APPLICATION, schema.VERSION), _create_database),
    ):
        report.findings += tables.attach(name, path, header, create)
    if folders.database.exists() and not any(one.kind.startswith("database") for one in report.findings):
        report.findings += _verify_search(folders.database)
    tables.begin()
    _read_warc_files(tables, folders.archive, report, progress)
    report.findings += tables.compare()
    for path in sorted(folders.archive.iterdir()) if folders.archive.is_dir() else ():
        is_known = is_own(path) or path.match(WARC_FILES) or path.name.startswith((archive.CATALOG, LOST, "."))
        if not is_known and ".damaged-" not in path.name:
            text = f"{escape(path.name)} is no part of the archive and is left alone"
            report.findings.append(Finding("file-foreign", text, harmless=True, subject=path.name))
    parsed = folders.data / PARSED
    if parsed.exists() and (damage := inspect(parsed)[0]):
        text = f"{PARSED}, the store of parsed pages, is damaged"
        report.findings.append(Finding("parsed-damaged", text, len(damage), UNUSABLE["parsed"], examples=examples(damage)))
    if is_deep and not report.wrong:
        report.findings += compare_content(folders)
    return report


def _create_catalog(db: sqlite3.Connection) -> None:
    db.executescript(archive.SCHEMA)


def _create_database(db: sqlite3.Connection) -> None:
    schema.create(db)
    schema.finish(db)


def _read_warc_files(tables: DoctorTables, folder: Path, report: Report, progress: Progress | None) -> None:
    """Reads every WARC file from end to end and fills the tables. Raises OSError."""
    sizes = {path: path.stat().st_size for path in sorted(folder.glob(WARC_FILES))}
    report.files, report.bytes, before = len(sizes), sum(sizes.values()), 0
    query = "SELECT warc_length FROM catalog.captures WHERE warc_file = ? AND warc_offset = ?"
    for path, size in sizes.items():

        def length_at(offset: int, name: str = path.name) -> int | None:
            row = tables.db.execute(query, [name, offset]).fetchone()
            return int(row[0]) if row else None

        tables.add("sizes", path.name, size)
        for part in read_parts(path, length_at=length_at):
            report.records += part.damage is None
            if part.damage is not None:
                tables.add("damage", path.name, part.offset, part.length, part.damage, part.is_cut)
            elif len(part.captures) > 1:
                tables.add("packed", path.name, len(part.captures))
            elif part.captures:
                tables.add("seen", *astuple(entry_of(part.captures[0], path.name, part.offset, part.length)))
            if progress:
                progress(before + part.offset + part.length, report.bytes)
        before += size
    # One index only, so that SQLite has no choice of a slower one (423 s for 100,000 captures once).
    tables.db.execute("CREATE INDEX seen_by_id ON seen (capture_id)")


def _verify_search(path: Path) -> Iterator[Finding]:
    """FTS5 compares an index with its rows in the course of a write, which is rolled back here (fts5, 6.8)."""
    with closing(open_writable(path, create=False)) as db:
        db.execute("PRAGMA busy_timeout = 0")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'").fetchall():
            index = f"the search index {name} of {path.name}"
            try:
                db.execute("BEGIN IMMEDIATE")
                db.execute(f'INSERT INTO "{name}" ("{name}", rank) VALUES (\'integrity-check\', 1)')
            except sqlite3.OperationalError as error:
                text = f"{index} could not be compared with its rows ({error})"
                yield Finding("database-search", text, harmless=True, subject=name)
            except (sqlite3.DatabaseError, MemoryError):  # a damaged length asks for too much memory
                yield Finding("database-search", f"{index} does not match its rows", repair=_IS_REBUILT, subject=name)
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")


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
    if found.fields or found.appear or found.vanish:
        text = f"{counted(found.changed, 'record')} of the database not as the archive gives them"
        shown = (f"{one.table} {one.field}: {counted(one.count, 'record')}" for one in found.fields)
        yield Finding("database-content", text, found.changed, _IS_REBUILT, examples=examples(shown))
