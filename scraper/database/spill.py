"""Parsed pages on their way into the database, in a file beside it, so that memory stays flat however many there are.

The file is only appended to; `temp.parsed` says where each page lies. It is deleted when the load ends. One that is found was
left by a load that was killed, perhaps by a page (`load` asks).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from scraper.errors import TtaError

NAME = ".tta-load.pages"
_BUFFER = 1 << 20


class Spill:
    """A file of packed pages, one after the other. Nothing in it needs to survive a crash."""

    def __init__(self, data: Path) -> None:
        """Raises TtaError where the file can't be made."""
        self.path = data / NAME
        self.left_behind = self.path.exists()
        self._end = 0
        try:
            self._file = self.path.open("w+b", buffering=_BUFFER)
        except OSError as error:
            raise self._unusable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.path.unlink(missing_ok=True)
        try:
            self._file.close()
        except OSError as failed:  # what was still to be written found no room; nobody needs it any more
            if kind is None:
                raise self._unusable(failed) from failed

    def begin(self, db: sqlite3.Connection) -> None:
        """Makes `temp.parsed`: each capture parsed in this load, and where its page lies; NULL where it shows no record."""
        db.execute("CREATE TEMP TABLE parsed (capture_id TEXT PRIMARY KEY, at INTEGER, length INTEGER) WITHOUT ROWID")

    def add(self, db: sqlite3.Connection, pages: Iterable[tuple[str, bytes | None]]) -> None:
        """Keeps the packed pages of captures. Raises TtaError where there is no room."""
        try:
            db.executemany("INSERT INTO temp.parsed VALUES (?, ?, ?)", self._kept(pages))
        except OSError as error:
            raise self._unusable(error) from error

    def _kept(self, pages: Iterable[tuple[str, bytes | None]]) -> Iterator[tuple[str, int | None, int | None]]:
        for capture_id, page in pages:
            if page is None:
                yield capture_id, None, None
            else:
                self._file.write(page)
                yield capture_id, self._end, len(page)
                self._end += len(page)

    def flush(self) -> None:
        """Makes readable what was added. Raises TtaError where there is no room."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._unusable(error) from error

    def page(self, at: int, length: int) -> bytes:
        """A page that was flushed."""
        return os.pread(self._file.fileno(), length, at)

    def _unusable(self, error: OSError) -> TtaError:
        return TtaError(f"{self.path} can't be written ({error.strerror}): check the folder's permissions and disk")
