"""Temporary tables of what a verification has read, beside the catalog, the ledger and the database in one connection.

All comparisons are SQL over these, so memory does not grow with the archive. The three files are attached for reading, in one
transaction that begins before the first WARC file is read: what a run under way adds later does not look like a contradiction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from scraper.archive.catalog import Entry
from scraper.doctor.findings import MOST_EXAMPLES, Finding, Kind, examples
from scraper.errors import SqliteDamaged
from scraper.sqlite import explain, open_memory, open_readonly, open_temporary, uri

CATALOG, LEDGER, DATABASE = "catalog", "ledger", "tta"
SHOWN = "coalesce(captured_at, '') || ' ' || coalesce(url, capture_id)"
"""How a capture is named in a message."""
_ENTRY = ", ".join(Entry.__dataclass_fields__)
_SCHEMA = f"""
CREATE TABLE seen ({_ENTRY});
CREATE TABLE damage (warc_file TEXT, "offset" INTEGER, length INTEGER, reason TEXT, is_cut INTEGER);
CREATE TABLE sizes (warc_file TEXT PRIMARY KEY, size INTEGER);
CREATE TABLE lost (capture_id TEXT PRIMARY KEY, url TEXT, captured_at TEXT, source TEXT, sha256 TEXT, warc_file TEXT,
                   warc_offset INTEGER);
"""


Create = Callable[[sqlite3.Connection], object]
More = Callable[[sqlite3.Connection], Iterator[str]]


class DoctorTables:
    """`seen`: captures of intact records; `damage`; `sizes` of files; `lost` captures. `has` names the attached files."""

    def __init__(self) -> None:
        self.db = open_temporary()
        self.db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self.db.execute("PRAGMA cache_size = -65536")
        self.db.executescript(_SCHEMA)
        self.has: set[str] = set()

    def close(self) -> None:
        self.db.close()

    def open(
        self, name: str, path: Path, repair: str, header: tuple[int, int], create: Create, more: More | None = None
    ) -> Iterator[Finding]:
        """Attaches a file under this name, or says why it is unusable.

        `header`: its application id and version. `create`: makes its tables. `more`: yields further damage of this kind of file.
        """
        if not path.exists():
            return
        with closing(open_memory()) as made:
            create(made)
            expected = _objects(made)
        file = inspect(path, more)
        is_own = file.header[0] == header[0]
        damage, part = file.damage, "database" if name == DATABASE else name
        if not damage and file.header == header:
            damage = [key for key, sql in expected.items() if file.objects.get(key) != sql]
        elif not damage and not is_own and expected.items() <= file.objects.items():
            damage = ["its header"]
        if damage:
            yield Finding(Kind(f"{part}-damaged"), f"{path.name} is damaged", len(damage), repair, examples=examples(damage))
        elif file.objects and not is_own:
            yield Finding(Kind(f"{part}-damaged"), f"{path.name} is a database of another program: move it away")
        elif file.header != header:
            what = "of another version" if file.objects else "empty"
            yield Finding(Kind(f"{part}-version"), f"{path.name} is {what}", repair=repair)
        else:
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

    def length_at(self, warc_file: str, offset: int) -> int | None:
        """The length of the record that the catalog has at that place."""
        query = "SELECT warc_length FROM catalog.captures WHERE warc_file = ? AND warc_offset = ?"
        row = self.db.execute(query, [warc_file, offset]).fetchone()
        return int(row[0]) if row else None

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
    """What a file is, by itself. `damage`: the first few places. `header`: application id and version. `objects`: their SQL."""

    damage: list[str]
    header: tuple[int, int] = (0, 0)
    objects: Mapping[str, str] = MappingProxyType({})


def inspect(path: Path, more: More | None = None) -> SqliteFile:
    """Reads all of an SQLite file.

    SQLite has no checksums: `integrity_check` finds damage of the structure; damage within a text shows as bytes that are not
    UTF-8, or as zeros. Raises TtaError where the file can't be read for other reasons, such as permissions.
    """
    try:
        with closing(open_readonly(path)) as db:
            damage = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({MOST_EXAMPLES})")]
            if damage == ["ok"]:
                damage = list(islice(chain(_damaged_texts(db), more(db) if more else ()), MOST_EXAMPLES))
            application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
            return SqliteFile(damage, (application, version), _objects(db))
    except (sqlite3.Error, MemoryError) as error:  # a damaged length asks for too much memory
        problem = explain(path, error) if isinstance(error, sqlite3.Error) else None
        if problem and not isinstance(problem, SqliteDamaged):
            raise problem from None
        return SqliteFile([str(error) or type(error).__name__])


def _objects(db: sqlite3.Connection) -> dict[str, str]:
    """Every table, index, view and trigger with its SQL, except those that SQLite and full-text search make for themselves."""
    rows = db.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'")
    return {name: " ".join(sql.split()) for name, sql in rows}


def _damaged_texts(db: sqlite3.Connection) -> Iterator[str]:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_fts%'"
    for (table,) in db.execute(tables).fetchall():
        for number, row in enumerate(db.execute(f'SELECT * FROM "{table}"'), start=1):  # raises where a text is not UTF-8
            if any(type(value) is str and "\0" in value for value in row):
                yield f"table {table}, row {number}: a text contains zeros"
