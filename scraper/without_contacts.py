"""The copy of the database that is served where personal contact details are left out, and how it is kept up to date.

A copy, because nothing else is certain: whatever a page, a query or the search index might give away is not in the file. What a
contact detail is, and how a copy is cleared of them, is `scraper.database.contacts`' to say.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from scraper.database import contacts
from scraper.errors import TtaError
from scraper.sqlite import open_readonly, open_writable


class Copy:
    """A cleared copy of the database in `path`, a file that its readers may keep open: a newer state comes as one commit."""

    def __init__(self, database: Path, folder: Path) -> None:
        self.path = folder / "tta.db"
        self._next = folder / "next.db"
        self._source = open_readonly(database, any_thread=True)
        self._version: int | None = None
        self.renew()

    def renew(self) -> bool:
        """Brings it up to date where the database was changed; True if so. Raises sqlite3.Error, OSError, and is as before."""
        version = int(self._source.execute("PRAGMA data_version").fetchone()[0])
        if version == self._version:
            return False
        try:
            self._clear()
            with closing(open_readonly(self._next)) as cleared, closing(open_writable(self.path)) as served:
                served.execute("PRAGMA journal_mode = WAL")
                cleared.backup(served)
        finally:
            self._next.unlink(missing_ok=True)
        self._version = version
        return True

    def _clear(self) -> None:
        """The database as it is now, without contact details, in `next.db`."""
        with closing(open_writable(self._next)) as db:
            db.execute("PRAGMA synchronous = OFF")  # it lives as long as the server
            self._source.backup(db)
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA journal_mode = OFF")
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f'DROP TRIGGER "{name}"')  # they bring the search index up to date row by row; `remove` does it once
            contacts.remove(db)

    def close(self) -> None:
        self._source.close()


@contextmanager
def cleared_copy(database: Path) -> Iterator[Copy]:
    """A copy in a folder for temporary files that nobody else can read; it is removed at the end. Raises TtaError."""
    with tempfile.TemporaryDirectory(prefix="tta-serve-") as folder:
        try:
            made = Copy(database, Path(folder))
        except (sqlite3.Error, OSError) as error:
            raise TtaError(
                f"can't make a copy without contact details in {tempfile.gettempdir()} ({error}): make room, or name another "
                "folder in TMPDIR"
            ) from error
        with closing(made):
            yield made
