"""Opens `tta.db`, for the one writer or for a reader, and turns SQLite's errors into lines that state what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from scraper.database.schema import APPLICATION, VERSION
from scraper.errors import TtaError
from scraper.sqlite import explained, open_memory, open_readonly, open_writable, remove, stored_version, uri
from scraper.stopping import Stop, terminated_as_interrupted

SECOND = ".tta-second.db"
"""Name of a database beside `tta.db` that only this run uses, see `second_database`."""
_STEPS = 5000  # virtual machine instructions between two checks whether the run must end: well under a millisecond


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Opens the database read-only, in one state for the whole block. Raises TtaError if it is missing or of another version."""
    with _open_existing(path) as db:
        if stored_version(db, path, APPLICATION) != VERSION:
            fix = "run `tta load`, which rebuilds it"
            if not path.with_name("archive").is_dir():
                fix = "restore the archive, or use the version of tta that wrote it"
            raise TtaError(f"{path} was written by another version of this program: {fix}")
        yield db


@contextmanager
def writing(path: Path, catalog: Path) -> Iterator[tuple[sqlite3.Connection, int | None]]:
    """Yields a connection in an open transaction, and the version of the existing tables (None: there are none yet).

    The archive's catalog is attached as schema `archive`. The end of the block commits, an exception rolls back.
    Raises TtaError. The caller holds the data folder's lock.
    """
    with explained(path), closing(open_writable(path)) as db:
        if path.name != SECOND:
            remove(path.with_name(SECOND))  # possibly left by a killed program
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
        with suppress(sqlite3.Error):  # all is committed; what remains in the log is read from there, and copied later
            db.execute("PRAGMA main.wal_checkpoint(PASSIVE)")


def absent_from(table: str) -> str:
    """Returns SQL for the ids of captures that `table` lacks, or has at another place because another delivery is preferred.

    The catalog is attached as `archive`. The ORDER BY lets SQLite merge indexes of both, which takes a quarter of the time of
    looking up every capture (November 2026).
    """
    absent = (
        f"SELECT capture_id FROM archive.captures WHERE ({key}) IN"
        f" (SELECT {key} FROM archive.captures EXCEPT SELECT {key} FROM {table} ORDER BY {key})"
        for key in ("capture_id", "warc_file, warc_offset")
    )
    return " UNION ".join(absent)


@contextmanager
def comparing(path: Path, other: Path) -> Iterator[sqlite3.Connection]:
    """Yields a connection with the database at `path` as schema `old` and another file as `new`, for reading. Raises TtaError."""
    with _open_existing(path), closing(open_memory()) as db:
        for schema, file in (("old", path), ("new", other)):
            db.execute(f"ATTACH DATABASE ? AS {schema}", [uri(file)])
        db.execute("BEGIN")
        yield db


@contextmanager
def _open_existing(path: Path) -> Iterator[sqlite3.Connection]:
    """Reads one state of a database; raises TtaError if it is missing or has no tables."""
    with explained(path):
        if not path.is_file():
            raise TtaError(f"there is no database at {path}: run `tta load`")
        with closing(open_readonly(path)) as db:
            db.execute("BEGIN")
            if stored_version(db, path, APPLICATION) is None:
                raise TtaError(f"{path} is empty: run `tta load`")
            yield db


@contextmanager
def second_database(data: Path) -> Iterator[Path]:
    """Yields the path of a new database, which is deleted after the block, also on SIGTERM. The caller holds the lock."""
    path = data / SECOND
    with explained(path), terminated_as_interrupted():
        remove(path)
        try:
            yield path
        finally:
            remove(path)


@contextmanager
def stoppable(db: sqlite3.Connection, stop: Stop) -> Iterator[None]:
    """Interrupts statements in this block, raising Stopped, once the run was asked to end."""
    db.set_progress_handler(lambda: stop.over, _STEPS)
    try:
        yield
    except sqlite3.OperationalError:
        stop.check()
        raise
    finally:
        db.set_progress_handler(None, 0)
