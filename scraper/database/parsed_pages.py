"""`DIR/parsed.db`: what the parser read from each capture, so that the same code never parses a capture twice.

It contains only what can be parsed again: it can be deleted at any time, is emptied when the parsing code changes, and is
replaced if damaged. Results are committed in batches while a load runs, so a load that was killed continues from there.
"""

import sqlite3
import tomllib
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from zlib import crc32

import orjson

from scraper.archive.store import Entry
from scraper.code_version import parsing_code
from scraper.database.connection import absent_from
from scraper.database.parse_captures import ParsedCapture
from scraper.errors import ParsedPagesDamaged
from scraper.sqlite import explained, open_writable, remove, uri

NAME = "parsed.db"
_SQL: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_MISSING = _SQL["missing"].format(absent=absent_from("pages"))
_ENTRIES = _SQL["entries"].format(names=", ".join(f"entry.{name}" for name in Entry.__dataclass_fields__))


class ParsedPages:
    """The parsed captures of an archive. One writer at a time: the caller holds the data folder's lock.

    `was_interrupted`: the previous load was killed while parsing, perhaps by a page.
    """

    def __init__(self, data: Path, catalog: Path, *, empty: bool = False) -> None:
        """Opens the file, or recreates it if it is missing, damaged or from other code. Raises TtaError."""
        self._path = data / NAME
        self._catalog = catalog
        self._explained = partial(explained, self._path, ParsedPagesDamaged)
        try:
            self._db = self._open(empty=empty)
        except ParsedPagesDamaged:
            self._db = self._open(empty=True)

    def close(self) -> None:
        self._db.close()

    def _open(self, *, empty: bool) -> sqlite3.Connection:
        if empty:
            remove(self._path)
        with self._explained(), ExitStack() as opened:
            db = opened.enter_context(closing(open_writable(self._path)))
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if not db.execute("SELECT 1 FROM sqlite_master").fetchone():
                db.executescript(f"BEGIN; {_SQL['schema']} INSERT INTO state VALUES ('{parsing_code()}', 0); COMMIT")
            code, parsing = db.execute("SELECT code, parsing FROM state").fetchone() or (None, 0)
            self.was_interrupted = bool(parsing)
            if code == parsing_code():
                db.execute("ATTACH DATABASE ? AS archive", [uri(self._catalog)])
                opened.pop_all()
                return db
        return self._open(empty=True)

    def find_missing(self) -> int:
        """Lists and counts the archive's captures that are not parsed yet; deletes those no longer in the archive."""
        with self._explained():
            self._db.execute(_MISSING)
            (missing,) = self._db.execute("SELECT count(*) FROM temp.missing").fetchone()
            (surplus,) = self._db.execute("SELECT (SELECT count(*) FROM pages) - count(*) FROM archive.captures").fetchone()
            if surplus + missing:
                self._db.execute("DELETE FROM pages WHERE capture_id NOT IN (SELECT capture_id FROM archive.captures)")
            return int(missing)

    def missing(self) -> Iterator[Entry]:
        """Yields the captures that `find_missing` listed, in parts, because an open SELECT prevents checkpoints of the log."""
        count = 0
        while rows := self._db.execute(_ENTRIES, [count]).fetchall():
            count += len(rows)
            yield from (Entry(*row) for row in rows)

    @contextmanager
    def parsing(self) -> Iterator[None]:
        """Sets a mark while pages are parsed; it remains if the process is killed in this block."""
        self._db.execute("UPDATE state SET parsing = 1")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):  # a full disk, which is reported elsewhere; the mark is only a precaution
                self._db.execute("UPDATE state SET parsing = 0")

    def add(self, parsed: Collection[tuple[Entry, ParsedCapture]]) -> None:
        """Stores some results, all or none of them. Raises TtaError if the disk is full."""
        rows = []
        for entry, one in parsed:
            result = orjson.dumps((*one._replace(page=None),))
            checksum = _checksum(one.capture_id, result, one.page)
            rows.append((one.capture_id, entry.warc_file, entry.warc_offset, checksum, result, one.page))
        with self._explained(), self._db:
            self._db.execute("BEGIN")
            self._db.executemany("REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?)", rows)

    def get(self, capture_id: str) -> ParsedCapture | None:
        """Returns the result of a capture; None if it is not parsed. Raises ParsedPagesDamaged."""
        with self._explained():
            row = self._db.execute("SELECT checksum, result, page FROM pages WHERE capture_id = ?", [capture_id]).fetchone()
            if row is None:
                return None
            if row[0] != _checksum(capture_id, *row[1:]):
                raise sqlite3.DatabaseError(f"the result of capture {capture_id} is not what was stored")
            return ParsedCapture(*orjson.loads(row[1]))._replace(page=row[2])

    def page(self, capture_id: str) -> bytes:
        """Returns the encoded page of a capture that shows a record. Raises ParsedPagesDamaged, also if there is none."""
        parsed = self.get(capture_id)
        if parsed is None or parsed.page is None:
            raise ParsedPagesDamaged(f"{self._path} and the archive lack the page of capture {capture_id}: run `tta doctor`")
        return parsed.page


def _checksum(capture_id: str, result: bytes, page: bytes | None) -> int:
    return crc32(page or b"", crc32(result, crc32(capture_id.encode())))
