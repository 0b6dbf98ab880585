"""Temporary tables of what a verification has read, beside the catalog, the ledger and the database in one connection.

All comparisons are SQL over these, so memory does not grow with the archive. The three files are attached for reading, in one
transaction that begins before the first WARC file is read: what a run under way adds later does not look like a contradiction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from scraper.archive.catalog import Entry
from scraper.doctor.findings import MOST_EXAMPLES, examples
from scraper.errors import SqliteDamaged
from scraper.sqlite import explain, open_readonly, open_temporary, uri

CATALOG, LEDGER, DATABASE = "catalog", "ledger", "tta"
_ENTRY = ", ".join(Entry.__dataclass_fields__)
_SCHEMA = f"""
CREATE TABLE seen ({_ENTRY});
CREATE TABLE damage (warc_file TEXT, "offset" INTEGER, length INTEGER, reason TEXT, is_cut INTEGER);
CREATE TABLE sizes (warc_file TEXT PRIMARY KEY, size INTEGER);
CREATE TABLE lost (capture_id TEXT PRIMARY KEY, url TEXT, captured_at TEXT, source TEXT, sha256 TEXT, warc_file TEXT,
                   warc_offset INTEGER);
"""


class DoctorTables:
    """`seen`: captures of intact records; `damage`; `sizes` of files; `lost` captures. `has` names the attached files."""

    def __init__(self) -> None:
        self.db = open_temporary()
        self.db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self.db.execute("PRAGMA cache_size = -65536")
        self.db.executescript(_SCHEMA)
        self.has: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.db.close()

    def attach(self, name: str, path: Path) -> None:
        """Makes an intact file readable under this name. Raises sqlite3.Error."""
        self.db.execute(f"ATTACH DATABASE ? AS {name}", [uri(path)])
        self.has.add(name)

    def begin(self) -> None:
        """Fixes the state of the attached files; an empty catalog stands in for one that is missing or damaged."""
        if CATALOG not in self.has:
            self.db.execute(f"ATTACH DATABASE ':memory:' AS {CATALOG}")
            self.db.execute(f"CREATE TABLE {CATALOG}.captures ({_ENTRY})")
            self.db.execute(f"CREATE TABLE {CATALOG}.files (warc_file, read_to)")
        self.db.execute("BEGIN")
        for name in self.has:
            self.db.execute(f"SELECT count(*) FROM {name}.sqlite_master")

    def release(self) -> None:
        """Closes the attached files, so that they can be replaced; what was read from the WARC files stays."""
        self.db.execute("COMMIT")
        for name in {*self.has, CATALOG}:
            self.db.execute(f"DETACH DATABASE {name}")
        self.has.clear()

    def add_seen(self, entries: Iterable[Entry]) -> None:
        names = tuple(Entry.__dataclass_fields__)
        rows = ([getattr(entry, name) for name in names] for entry in entries)
        self.db.executemany(f"INSERT INTO seen VALUES ({', '.join('?' * len(names))})", rows)

    def add_damage(self, warc_file: str, offset: int, length: int, reason: str, *, is_cut: bool = False) -> None:
        self.db.execute("INSERT INTO damage VALUES (?, ?, ?, ?, ?)", [warc_file, offset, length, reason, is_cut])

    def finish(self) -> None:
        """After all records. There is one index, so SQLite has no choice of a slower one (423 s for 100,000 captures once)."""
        self.db.execute("CREATE INDEX seen_by_id ON seen (capture_id)")

    def count(self, sql: str) -> int:
        """The only value of the only row."""
        return int(self.db.execute(sql).fetchone()[0])

    def shown(self, sql: str) -> tuple[str, ...]:
        """The first column of the first rows, escaped."""
        return examples(row[0] for row in self.db.execute(f"{sql} LIMIT {MOST_EXAMPLES}"))


class SqliteFile(NamedTuple):
    """What a file is, by itself. `damage`: the first few places. `objects`: tables, indexes, views, triggers and their SQL."""

    damage: list[str]
    application: int
    version: int
    objects: dict[str, str]


def inspect(path: Path, more: Callable[[sqlite3.Connection], Iterator[str]] = lambda _: iter(())) -> SqliteFile:
    """Reads all of an SQLite file. `more` yields further damage of this kind of file.

    SQLite has no checksums: `integrity_check` finds damage of the structure; damage within a text shows as bytes that are not
    UTF-8, or as zeros. Raises TtaError where the file can't be read for other reasons, such as permissions.
    """
    try:
        with closing(open_readonly(path)) as db:
            damage = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({MOST_EXAMPLES})")]
            if damage == ["ok"]:
                damage = list(islice(chain(_damaged_texts(db), more(db)), MOST_EXAMPLES))
            application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
            return SqliteFile(damage, application, version, objects(db))
    except (sqlite3.Error, MemoryError) as error:  # a damaged length asks for too much memory
        problem = explain(path, error) if isinstance(error, sqlite3.Error) else None
        if problem and not isinstance(problem, SqliteDamaged):
            raise problem from None
        return SqliteFile([str(error) or type(error).__name__], 0, 0, {})


def objects(db: sqlite3.Connection) -> dict[str, str]:
    """Every table, index, view and trigger with its SQL, except those that SQLite and full-text search make for themselves."""
    rows = db.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'")
    return {name: " ".join(sql.split()) for name, sql in rows}


def _damaged_texts(db: sqlite3.Connection) -> Iterator[str]:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_fts%'"
    for (table,) in db.execute(tables).fetchall():
        for number, row in enumerate(db.execute(f'SELECT * FROM "{table}"'), start=1):  # raises where a text is not UTF-8
            if any(type(value) is str and "\0" in value for value in row):
                yield f"table {table}, row {number}: a text contains zeros"
