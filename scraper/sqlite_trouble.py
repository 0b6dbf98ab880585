"""What SQLite's errors about disk and file mean to the person at the terminal; the same for database, ledger and catalog."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def advice(path: Path, error: sqlite3.Error) -> str | None:
    """A line that says what to do; None where the error is about something else than the disk, the rights or another program."""
    code = getattr(error, "sqlite_errorname", "") or ""
    if code.startswith("SQLITE_FULL"):
        return f"no room left on the disk of {path}; nothing was changed: make room and run the command again"
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"another program is writing to {path}; nothing was changed: end it and run the command again"
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")):
        return f"{path} can't be read or written ({error}): check the folder's permissions and disk; nothing was changed"
    return None
