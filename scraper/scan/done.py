"""Which files were scanned, in `DIR/scanned.db`: a scan that was ended goes on where it was. Without it all is read again."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

from scraper.archive.warc import utc_now
from scraper.capture import iso
from scraper.errors import TtaError
from scraper.sqlite import open_writable

NAME = "scanned.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS scanned (
    address TEXT NOT NULL, hosts TEXT NOT NULL, captures INTEGER NOT NULL, damaged INTEGER NOT NULL, scanned_at TEXT NOT NULL,
    PRIMARY KEY (address, hosts)
) STRICT, WITHOUT ROWID
"""


class Scanned:
    """The files that were read to their end, for the hosts that were asked for. The caller holds the data folder's lock."""

    def __init__(self, data: Path, hosts: tuple[str, ...]) -> None:
        """Raises TtaError where the file can't be used."""
        self._hosts = hashlib.sha256("\n".join(sorted(hosts)).encode()).hexdigest()[:16]
        try:
            self._db = open_writable(data / NAME)
            self._db.execute(_SCHEMA)
            self._db.execute("BEGIN")
        except sqlite3.Error as error:
            raise TtaError(f"{data / NAME}: {error}; delete it, and the scan begins anew") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._db.close()

    def __contains__(self, address: str) -> bool:
        query = "SELECT 1 FROM scanned WHERE address = ? AND hosts = ?"
        return self._db.execute(query, [address, self._hosts]).fetchone() is not None

    def add(self, address: str, captures: int, damaged: int) -> None:
        """A file that was read to its end; durable after the next `save`."""
        row = [address, self._hosts, captures, damaged, iso(utc_now())]
        self._db.execute("INSERT OR REPLACE INTO scanned VALUES (?, ?, ?, ?, ?)", row)

    def save(self) -> None:
        """Makes durable what was added."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")
