"""Opens SQLite files, always in autocommit mode, and turns SQLite's errors into lines that state what to do next.

No other module of `scraper` calls `sqlite3.connect`. Where a process may read a file but not create one beside it, SQLite can't
read a database in WAL mode; `explained` reports that as a matter of permissions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scraper.errors import SqliteDamaged, TtaError

BUSY_SECONDS = 30.0
"""How long a statement waits for the lock of another process. A writer holds it for a commit or a checkpoint, which take seconds
on a slow disk; longer than this means that a process hangs."""


def uri(path: Path, mode: str = "ro") -> str:
    """An SQLite URI for ATTACH. `mode`: `ro` to read, `rw` to write to an existing file, `rwc` to create it where missing."""
    return f"{path.resolve().as_uri()}?mode={mode}"


def open_readonly(path: Path, *, any_thread: bool = False) -> sqlite3.Connection:
    """A connection that can't write. Raises sqlite3.Error, also where there is no such file."""
    return _connect(uri(path), any_thread=any_thread)


def open_writable(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """A connection that reads and writes. Raises sqlite3.Error, without `create` also where there is no such file."""
    return _connect(uri(path, "rwc" if create else "rw"))


def open_memory() -> sqlite3.Connection:
    """An empty database in memory, to which files can be attached."""
    return _connect(":memory:")


def open_temporary() -> sqlite3.Connection:
    """An empty database in an unnamed file that SQLite deletes when the connection is closed."""
    return _connect("")


def _connect(name: str, *, any_thread: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(name, uri=True, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=not any_thread)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raises TtaError in place of SQLite's errors about the file at `path`; SqliteDamaged where the file is damaged."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(path, error) from error


def explain(path: Path, error: sqlite3.Error) -> TtaError:
    """The error that states what to do about one of SQLite's."""
    code = getattr(error, "sqlite_errorname", "") or ""
    if code.startswith("SQLITE_FULL"):
        return TtaError(f"no room left on the disk of {path}; nothing was changed: make room and run the command again")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return TtaError(f"another program is writing to {path}; nothing was changed: end it and run the command again")
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")):
        return TtaError(
            f"{path} can't be read or written ({error}): check the folder's permissions and disk; nothing was changed"
        )
    return SqliteDamaged(f"{path} is damaged ({error}): run `tta doctor --repair`, which sets it aside and replaces it")
