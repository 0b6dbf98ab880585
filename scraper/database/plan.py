"""What `tta load --rebuild` would change: a second database is made beside the first, by the same loader, and compared."""

from dataclasses import dataclass, field

from parsers.record import Kind
from scraper.archive.store import CATALOG, Archive
from scraper.code_version import loading_code
from scraper.database.connection import comparing, second_database
from scraper.database.difference import Differences, differences
from scraper.database.load import LoadOptions, Program, Progress, archive_state, load, program_of
from scraper.database.parse_captures import GIVEN_UP
from scraper.database.schema import VERSION
from scraper.errors import TtaError
from scraper.folders import Folders


@dataclass(slots=True)
class Plan:
    """What a rebuild would change. `read`: captures that a second database was made of; 0 where the same code made the first.

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
        # a page that was given up is parsed again: another day the machine may cope with it
        query = "SELECT 1 FROM old.captures WHERE kind = ? AND reason = ?"
        given_up = db.execute(query, [Kind.UNREADABLE, GIVEN_UP]).fetchone() is not None
        # the same code gives the same of the same captures
        is_same_version = db.execute("PRAGMA old.user_version").fetchone()[0] == VERSION
        same = Program(loading_code(), archive_state(db, folders.data, "new"))
        if not given_up and is_same_version and program_of(db, "old") == same:
            return Plan(unreadable=unread)
    with second_database(folders.data) as beside:
        options = LoadOptions(rebuild=given_up, accept_refused=True, workers=workers, progress=progress, database=beside)
        done = load(folders, options)
        with comparing(folders.database, beside) as db:
            return Plan(done.captures, differences(db), unread + done.unreadable)
