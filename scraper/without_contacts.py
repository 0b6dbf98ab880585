"""The copy of the database that is served when contact details are left out, and how it follows the database.

A copy, because then nothing else has to be safe: what a page, a query or the search index could expose is not in the file.
`scraper.database.contacts` defines what is left out.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from scraper.database import contacts
from scraper.errors import TtaError
from scraper.sqlite import open_readonly, open_writable


class Copy:
    """A cleared copy of the database, a file that its readers may keep open: a newer state arrives as one commit."""

    def __init__(self, database: Path, folder: Path, mode: contacts.Mode) -> None:
        self.path = folder / "tta.db"
        self.left_out: dict[str, int] = {}
        self._database = database
        self._mode = mode
        self._source = open_readonly(database, any_thread=True)
        self._state: tuple[int, ...] = ()
        self.renew()

    def renew(self) -> bool:
        """Brings the copy up to date; returns whether the database had changed. Raises sqlite3.Error or OSError."""
        about = self._database.stat()
        if self._state and self._state[:2] != (about.st_dev, about.st_ino):  # deleted and built again
            self._source.close()
            self._source = open_readonly(self._database, any_thread=True)
        state = (about.st_dev, about.st_ino, int(self._source.execute("PRAGMA data_version").fetchone()[0]))
        if state == self._state:
            return False
        with tempfile.TemporaryDirectory(dir=self.path.parent) as folder:
            file = Path(folder, "cleared.db")
            self._clear(Path(folder, "copy.db"), file)
            self.left_out = contacts.left_out(self._source)
            with closing(open_readonly(file)) as cleared, closing(open_writable(self.path)) as served:
                served.execute("PRAGMA journal_mode = WAL")
                cleared.backup(served)
        self._state = state
        return True

    def _clear(self, copy: Path, cleared: Path) -> None:
        """Writes the database without contact details to the file `cleared`.

        VACUUM INTO makes a new file of what is left, so nothing of the original is in it, whatever SQLite does on deletion.
        """
        with closing(open_writable(copy)) as db:
            db.execute("PRAGMA synchronous = OFF")  # it exists only for this moment
            self._source.backup(db)
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute("PRAGMA journal_mode = OFF")
            query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '% AFTER %'"
            for (name,) in db.execute(query).fetchall():
                db.execute(f'DROP TRIGGER "{name}"')  # they update the search index row by row; `remove` does it once
            contacts.remove(db, self._mode)
            db.execute("VACUUM INTO ?", [str(cleared)])

    def close(self) -> None:
        self._source.close()


@contextmanager
def cleared_copy(database: Path, mode: contacts.Mode = False) -> Iterator[Copy]:
    """A copy in a temporary folder that nobody else can read; it is removed at the end. Raises TtaError."""
    with tempfile.TemporaryDirectory(prefix="tta-serve-") as folder:
        try:
            made = Copy(database, Path(folder), mode)
        except (sqlite3.Error, OSError) as error:
            raise TtaError(
                f"can't make a copy without contact details in {tempfile.gettempdir()} ({error}): make room, or name another "
                "folder in TMPDIR"
            ) from error
        with closing(made):
            yield made
