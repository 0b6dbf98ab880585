"""Opens SQLite files, always in autocommit mode, and turns SQLite's errors into lines that state what to do next.

No other module of `scraper` calls `sqlite3.connect`. If a process may read a file but not create one beside it, SQLite can't read
a database in WAL mode; `explained` reports that as a permission problem.
"""

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

from scraper.errors import SqliteDamaged, TtaError
from scraper.folders import sync

BUSY_SECONDS = 30.0
"""Seconds that a statement waits for another process's lock. A writer holds it for a commit or a checkpoint, which take seconds
on a slow disk; a longer wait means that a process hangs."""

_PROBLEMS = {
    ("SQLITE_FULL",): "no space left on the disk of {}; nothing was changed: free up space and run the command again",
    ("SQLITE_BUSY", "SQLITE_LOCKED"): "another program is writing to {}; nothing was changed: end it and run the command again",
    ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR"): (
        "{} can't be read or written ({}): check its folder's permissions and disk; nothing was changed"
    ),
}
"""What to report, by the beginning of SQLite's error name. All others mean damage."""


def uri(path: Path, mode: str = "ro") -> str:
    """Returns an SQLite URI for ATTACH. `mode`: `ro` to read, `rw` to write to an existing file, `rwc` to create it."""
    return f"{path.resolve().as_uri()}?mode={mode}"


def open_readonly(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """Opens a connection that can't write. Raises sqlite3.Error, also if there is no such file."""
    return _connect(uri(path), any_thread=any_thread)


def open_writable(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """Opens a connection that reads and writes. Raises sqlite3.Error, without `create` also if there is no such file."""
    return _connect(uri(path, "rwc" if create else "rw"))


def open_memory(*, spills: bool = False) -> sqlite3.Connection:
    """Opens an empty database in memory, to which files can be attached; if `spills`, it may use a temporary file."""
    return _connect("" if spills else ":memory:")


def _connect(address: str, *, any_thread: bool = False) -> sqlite3.Connection:
    """Opens a connection in autocommit mode. `address`: an SQLite URI, `:memory:`, or an empty text for a temporary file."""
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=not any_thread)


def dicts(db: sqlite3.Connection, sql: str, *values: object) -> list[dict[str, Any]]:
    """Returns the rows of a query, each by column name."""
    cursor = db.execute(sql, values)
    return [dict(zip((column[0] for column in cursor.description), row, strict=True)) for row in cursor]


def run_statements(db: sqlite3.Connection, statements: str) -> None:
    """Executes statements, each ended by a semicolon and a line end, in the open transaction, which `executescript` would end."""
    for statement in statements.split(";\n"):
        db.execute(statement)


def tables_version(description: str) -> int:
    """Returns the `user_version` (31 bits) of the tables that a text describes: any change of the text changes it."""
    return crc32(description.encode()) >> 1


def stored_version(db: sqlite3.Connection, path: Path, application: int) -> int | None:
    """Returns the `user_version` of a file; None if it has no tables. Raises TtaError for a file of another program."""
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return None
    if db.execute("PRAGMA application_id").fetchone()[0] != application:
        raise TtaError(f"{path} is a database of another program: move it away, or give another folder with --data")
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def remove(path: Path) -> None:
    """Deletes a database, if it exists, with SQLite's files beside it. Raises OSError."""
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def replace_file(path: Path, fresh: Path, reason: str) -> Path:
    """Renames `fresh` to `path`; the file that had this name is kept as the first free `STEM.REASON-N.db`, which is returned.

    At every moment one of the two has the name, so a killed program loses neither. Connections to both must be closed: the
    last one to close deletes the write-ahead log beside the path at which it was opened. Raises OSError.
    """
    names = (path.with_name(f"{path.stem}.{reason}-{number}{path.suffix}") for number in itertools.count(1))
    kept = next(name for name in names if not name.exists())
    sync(fresh)
    try:
        kept.hardlink_to(path)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, kept)
        sync(kept)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.replace(kept.with_name(kept.name + suffix))
    sync(path.parent)
    fresh.replace(path)
    sync(path.parent)
    return kept


@contextmanager
def explained(path: Path, damaged: type[SqliteDamaged] = SqliteDamaged) -> Iterator[None]:
    """Raises TtaError instead of errors of SQLite and the operating system; `damaged` if the file at `path` is damaged."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(path, error, damaged) from error
    except BrokenPipeError:  # standard output was closed by its reader; nothing is wrong with the file
        raise
    except OSError as error:
        raise TtaError(f"{error.filename or path}: {error.strerror or error}") from error


def explain(path: Path, error: sqlite3.Error, damaged: type[SqliteDamaged] = SqliteDamaged) -> TtaError:
    """Returns the error that states what to do about an SQLite error."""
    code = getattr(error, "sqlite_errorname", "") or ""
    for kinds, text in _PROBLEMS.items():
        if code.startswith(kinds):
            return TtaError(text.format(path, error))
    return damaged(f"{path} is damaged ({error}): run `tta doctor --repair`, which sets it aside and replaces it")
