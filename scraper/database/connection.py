"""Opens `tta.db`, for the one writer or for a reader, and turns SQLite's complaints into lines that say what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from scraper.database.schema import APPLICATION, VERSION
from scraper.errors import TtaError
from scraper.sqlite import explained, open_memory, open_readonly, open_writable, remove, stored_version, uri
from scraper.stopping import Stop, terminated_as_interrupted

SECOND = ".tta-second.db"
"""A database beside `tta.db` that only this run sees: `second_database` makes it."""
_STEPS = 5000
"""Of SQLite's machine, between two looks at whether the run was asked to end: well under a millisecond."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The database for reading only: one state for the whole block. Raises TtaError for a missing database or another version."""
    with _existing(path) as db:
        if stored_version(db, path, APPLICATION) != VERSION:
            has_archive = path.with_name("archive").is_dir()
            fix = (
                "run `tta load`, which rebuilds it"
                if has_archive
                else "restore the archive, or use the version of tta that wrote it"
            )
            raise TtaError(f"{path} was written by another version of this program: {fix}")
        yield db


@contextmanager
def writing(path: Path, catalog: Path) -> Iterator[tuple[sqlite3.Connection, int | None]]:
    """A connection in one open transaction, and the version of the tables it finds (None: there are none yet).

    The archive's catalog is readable in it as schema `archive`. The end of the block commits, an exception rolls back.
    Raises TtaError. The caller holds the data folder's lock.
    """
    with _errors_explained(path), closing(open_writable(path)) as db:
        if path.name != SECOND:
            remove(path.with_name(SECOND))  # which a killed program may have left
        found = stored_version(db, path, APPLICATION)
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
    """A connection that reads the database at `path` as schema `old` and another file as `new`. Raises TtaError."""
    with _existing(path), closing(open_memory()) as db:
        for schema, file in (("old", path), ("new", other)):
            db.execute(f"ATTACH DATABASE ? AS {schema}", [uri(file)])
        db.execute("BEGIN")
        yield db


@contextmanager
def _existing(path: Path) -> Iterator[sqlite3.Connection]:
    """Reads one state of a database; raises TtaError where there is none, or none with tables."""
    with _errors_explained(path):
        if not path.is_file():
            raise TtaError(f"there is no database at {path}: run `tta load`")
        with closing(open_readonly(path)) as db:
            db.execute("BEGIN")
            if stored_version(db, path, APPLICATION) is None:
                raise TtaError(f"{path} is empty: run `tta load`")
            yield db


@contextmanager
def second_database(data: Path) -> Iterator[Path]:
    """The path of a database that is not there yet and is gone after the block, also on SIGTERM. The caller holds the lock."""
    path = data / SECOND
    with _errors_explained(path), terminated_as_interrupted():
        remove(path)
        try:
            yield path
        finally:
            remove(path)


@contextmanager
def stoppable(db: sqlite3.Connection, stop: Stop | None) -> Iterator[None]:
    """Statements in this block end with Stopped, however long they take, once the run was asked to end."""
    db.set_progress_handler((lambda: stop.over) if stop else None, _STEPS)
    try:
        yield
    except sqlite3.OperationalError:
        if stop:
            stop.check()
        raise
    finally:
        db.set_progress_handler(None, 0)


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
