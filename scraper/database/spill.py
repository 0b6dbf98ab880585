"""Parsed pages on their way into the database, in a file beside it, so that memory stays flat however many there are.

The file is deleted when the load ends. One that is found was left by a load that was killed, perhaps by a page (`load` asks).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from scraper.errors import TtaError

NAME = ".tta-load.db"


class Spill:
    """A file of packed pages by capture. Nothing in it needs to survive a crash."""

    def __init__(self, data: Path) -> None:
        """Raises TtaError where the file can't be made."""
        self.path = data / NAME
        self.left_behind = self.path.exists()
        try:
            self.path.unlink(missing_ok=True)
            self._file = sqlite3.connect(self.path, isolation_level=None)
            self._file.execute("PRAGMA journal_mode = OFF")
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.execute("CREATE TABLE pages (capture_id TEXT PRIMARY KEY, page BLOB NOT NULL)")
            self._file.execute("BEGIN")
        except (OSError, sqlite3.Error) as error:
            raise TtaError(f"{self.path} can't be written ({error}): check the folder's permissions and disk") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def add(self, pages: Iterable[tuple[str, bytes]]) -> None:
        """Keeps packed pages."""
        self._file.executemany("INSERT OR REPLACE INTO pages VALUES (?, ?)", pages)

    def __contains__(self, capture_id: str) -> bool:
        return self._file.execute("SELECT 1 FROM pages WHERE capture_id = ?", [capture_id]).fetchone() is not None

    def get(self, capture_id: str) -> bytes | None:
        """A packed page; None where none was kept."""
        row = self._file.execute("SELECT page FROM pages WHERE capture_id = ?", [capture_id]).fetchone()
        return row[0] if row else None
