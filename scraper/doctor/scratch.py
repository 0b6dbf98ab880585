"""What an examination has seen, in a temporary SQLite file of its own, beside the catalog, the ledger and the database.

Everything is compared by SQL, so that memory stays flat however many captures there are. The three files are attached for reading
only; where one is missing, damaged or of another version an empty one stands in for it, and `has` says so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from scraper.archive import catalog
from scraper.archive.catalog import Entry
from scraper.database import schema
from scraper.ledger import schema as ledger_schema
from scraper.sqlite import open_memory, open_temporary

_SEEN = ", ".join(Entry.__dataclass_fields__)
_SCHEMA = f"""
CREATE TABLE seen ({_SEEN});
CREATE TABLE damage (warc_file TEXT, "offset" INTEGER, length INTEGER, reason TEXT, is_cut INTEGER);
CREATE TABLE sizes (warc_file TEXT PRIMARY KEY, size INTEGER);
CREATE TABLE lost (capture_id TEXT PRIMARY KEY, url TEXT, captured_at TEXT, source TEXT, sha256 TEXT, warc_file TEXT,
                   warc_offset INTEGER);
"""
_INDEXES = """
CREATE INDEX seen_by_id ON seen (capture_id);
CREATE INDEX seen_by_url ON seen (url, captured_at);
CREATE INDEX seen_by_place ON seen (warc_file, warc_offset);
"""
CATALOG, LEDGER, DATABASE = "catalog", "ledger", "tta"


class Scratch:
    """Tables `seen` (the sound records), `damage`, `sizes` (of files) and `lost`, and three attached files."""

    def __init__(self) -> None:
        self.db = open_temporary()
        self.db.execute("PRAGMA cache_size = -65536")
        self.db.executescript(_SCHEMA)
        self.has: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.db.close()

    def attach(self, name: str, path: Path) -> None:
        """Makes a sound file readable under this name. Raises sqlite3.Error."""
        self.detach(name)
        self.db.execute(f"ATTACH DATABASE ? AS {name}", [f"{path.resolve().as_uri()}?mode=ro"])
        self.has.add(name)

    def stand_in(self, name: str) -> None:
        """Makes empty tables readable under this name."""
        self.detach(name)
        self.db.execute(f"ATTACH DATABASE ':memory:' AS {name}")
        for statement in _empty(name):
            self.db.execute(statement)

    @contextmanager
    def changing(self, name: str, path: Path) -> Iterator[sqlite3.Connection]:
        """The file under this name, in one transaction: the end of the block commits, an exception rolls back."""
        self.detach(name)
        self.db.execute(f"ATTACH DATABASE ? AS {name}", [path.resolve().as_uri()])
        try:
            self.db.execute("BEGIN IMMEDIATE")
            yield self.db
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        finally:
            self.detach(name)

    def detach(self, name: str) -> None:
        """Lets go of the file."""
        if name in {row[1] for row in self.db.execute("PRAGMA database_list")}:
            self.db.execute(f"DETACH DATABASE {name}")
        self.has.discard(name)

    def begin(self) -> None:
        """Before `add_seen` and `add_damage`."""
        self.db.execute("BEGIN")

    def add_seen(self, entries: Iterable[Entry]) -> None:
        marks = ", ".join("?" * len(Entry.__dataclass_fields__))
        names = tuple(Entry.__dataclass_fields__)
        self.db.executemany(
            f"INSERT INTO seen VALUES ({marks})",
            ([getattr(entry, name) for name in names] for entry in entries),
        )

    def add_damage(self, warc_file: str, offset: int, length: int, reason: str, *, is_cut: bool = False) -> None:
        self.db.execute("INSERT INTO damage VALUES (?, ?, ?, ?, ?)", [warc_file, offset, length, reason, is_cut])

    def end(self) -> None:
        """After all records: what follows asks by id, address and place."""
        self.db.execute("COMMIT")
        self.db.executescript(_INDEXES)

    def count(self, sql: str, *values: object) -> int:
        """The only value of the only row."""
        return int(self.db.execute(sql, values).fetchone()[0])

    def texts(self, sql: str, *values: object) -> list[str]:
        """The first column of a few rows."""
        return [str(row[0]) for row in self.db.execute(f"{sql} LIMIT 5", values)]


def _empty(name: str) -> list[str]:
    """The statements that make a file's tables, without keys and indexes, which nobody needs where there are no rows."""
    with closing(open_memory()) as made:
        if name == DATABASE:
            schema.create(made)
        else:
            made.executescript(catalog.SCHEMA if name == CATALOG else ledger_schema.SCHEMA)
        rows = made.execute("SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'")
        columns: dict[str, list[str]] = {}
        for table, column in rows:
            columns.setdefault(table, []).append(f'"{column}"')
    return [f'CREATE TABLE {name}."{table}" ({", ".join(names)})' for table, names in columns.items()]
