"""What `tta load --rebuild` would change: a second database is made beside the first, by the same loader, and compared."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from parsers.record import Kind
from scraper.archive.catalog import CATALOG
from scraper.archive.store import Archive
from scraper.database.connection import comparing
from scraper.database.difference import Differences, differences
from scraper.database.load import Progress, load
from scraper.database.parse_captures import GIVEN_UP
from scraper.database.program import read_with
from scraper.database.schema import VERSION
from scraper.database.second_database import second_database
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.reading_code import reading_code


@dataclass(slots=True)
class Plan:
    """What a rebuild would change. `read`: how many captures were read to find out; 0 where the same code read the database.

    `unreadable`: places in the archive that can't be read, a line each; a rebuild stops at those that the database has.
    """

    read: int = 0
    differences: Differences = field(default_factory=Differences)
    unreadable: list[str] = field(default_factory=list)


def plan(folders: Folders, *, workers: int | None = None, progress: Progress | None = None) -> Plan:
    """Finds out without changing `tta.db`. The caller holds the folder's lock. Raises TtaError where there is no database."""
    if not folders.archive.is_dir():
        raise TtaError(f"there is no archive at {folders.archive}: restore it from a copy")
    with Archive(folders.archive, writable=True) as archive:
        unread = archive.unread  # from here on the catalog lists all that the WARC files have
    with comparing(folders.database, folders.archive / CATALOG) as db:
        if _is_up_to_date(db):
            return Plan(unreadable=unread)
    with second_database(folders.data) as beside:
        done = load(folders, rebuild=True, workers=workers, progress=progress, database=beside)
        with comparing(folders.database, beside) as db:
            return Plan(done.captures, differences(db), unread + done.unreadable)


def _is_up_to_date(db: sqlite3.Connection) -> bool:
    """Whether this very code read all that the archive has: then a rebuild gives the same (DESIGN.md, promise 2).

    Of a page that was given up that is not certain: the machine may have been at its end.
    """
    if db.execute("PRAGMA old.user_version").fetchone()[0] != VERSION or read_with(db, "old") != reading_code():
        return False
    if db.execute("SELECT 1 FROM old.captures WHERE kind = ? AND reason = ?", [Kind.UNREADABLE, GIVEN_UP]).fetchone():
        return False
    place = "capture_id, warc_file, warc_offset"
    loaded, stored = (f"SELECT {place} FROM {schema}.captures" for schema in ("old", "new"))
    unlike = (f"SELECT 1 FROM ({one} EXCEPT {other}) LIMIT 1" for one, other in ((loaded, stored), (stored, loaded)))
    return not any(db.execute(query).fetchone() for query in unlike)
