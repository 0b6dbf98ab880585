"""Opens `tta.db`, for the one writer or for a reader, and turns SQLite's complaints into lines that say what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from scraper.database.schema import APPLICATION, VERSION
from scraper.errors import TtaError
from scraper.sqlite import explained, open_memory, open_readonly, open_writable, remove, stored_version, uri
from scraper.stopping import Stop, terminated_as_interrupted

SECOND = ".tta-plan.db"
"""A database beside `tta.db`, for a look at what a rebuild would give: `second_database` makes it, and nobody else sees it."""
_STEPS = 5000
"""Of SQLite's machine, between two looks at whether the run was asked to end: well under a millisecond."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The database as it is now, for reading only: one state for the whole block, whatever a load commits meanwhile.

    Raises TtaError where there is none, or none that this program can read.
    """
    with _existing(path) as db:
        if version_of(db, path) != VERSION:
            raise TtaError(f"{path} was written by another version of this program: run `tta load`, which rebuilds it")
        yield db


@contextmanager
def writing(path: Path, catalog: Path) -> Iterator[tuple[sqlite3.Connection, int | None]]:
    """A connection in one open transaction, and the version of the tables it finds (None: there are none yet).

    The archive's catalog is readable in it as schema `archive`. The end of the block commits, an exception rolls back.
    Raises TtaError. The caller holds the data folder's lock.
    """
    with _errors_explained(path), closing(open_writable(path)) as db:
        found = version_of(db, path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -65536")
        db.execute("ATTACH DATABASE ? AS archive", [uri(catalog)])
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db, found
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        with suppress(sqlite3.Error):  # all is committed; what stays in the log is read from there, and copied another time
            db.execute("PRAGMA main.wal_checkpoint(PASSIVE)")


@contextmanager
def comparing(path: Path, other: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads the database at `path` as schema `old` and another file as `new`, each as it is now.

    The database may be of another version. Raises TtaError where there is none.
    """
    with _existing(path, " to compare with"), closing(open_memory()) as db:
        for schema, file in (("old", path), ("new", other)):
            db.execute(f"ATTACH DATABASE ? AS {schema}", [uri(file)])
        db.execute("BEGIN")
        yield db


@contextmanager
def _existing(path: Path, purpose: str = "") -> Iterator[sqlite3.Connection]:
    """Reads one state of a database; raises TtaError where there is none, or none with tables."""
    with _errors_explained(path):
        if not path.is_file():
            raise TtaError(f"there is no database at {path}{purpose}: run `tta load`")
        with closing(open_readonly(path)) as db:
            db.execute("BEGIN")
            if version_of(db, path) is None:
                raise TtaError(f"{path} is empty: run `tta load`")
            yield db


@contextmanager
def second_database(data: Path) -> Iterator[Path]:
    """The path of a database that is not there yet and is gone after the block, also on SIGTERM.

    What a killed program leaves behind, the next load or plan removes. The caller holds the data folder's lock.
    """
    remove_second(data)
    with terminated_as_interrupted():
        try:
            yield data / SECOND
        finally:
            remove_second(data)


def remove_second(data: Path) -> None:
    """Removes a second database that was left behind. Raises TtaError."""
    try:
        remove(data / SECOND)
    except OSError as error:
        raise TtaError(f"{error.filename}: {error.strerror}: remove this file, then run the command again") from error


@contextmanager
def stoppable(db: sqlite3.Connection, stop: Stop | None) -> Iterator[None]:
    """Statements in this block end with Stopped, however long they take, once the run was asked to end."""
    if stop is None:
        yield
        return
    db.set_progress_handler(lambda: stop.over, _STEPS)
    try:
        yield
    except sqlite3.OperationalError:
        stop.check()
        raise
    finally:
        db.set_progress_handler(None, 0)


def version_of(db: sqlite3.Connection, path: Path) -> int | None:
    """The version of the tables; None for a database without any. Raises TtaError for another program's database."""
    return stored_version(db, path, APPLICATION)


@contextmanager
def _errors_explained(path: Path) -> Iterator[None]:
    """Raises TtaError in place of errors of SQLite and of the operating system."""
    try:
        with explained(path):
            yield
    except BrokenPipeError:  # of standard output, when its reader has seen enough: nothing is wrong with the database
        raise
    except OSError as error:
        raise TtaError(f"{error.filename or path}: {error.strerror or error}") from error
