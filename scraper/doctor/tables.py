"""Temporary tables of what a verification has read, beside the catalog, the ledger and the database in one connection.

All comparisons are SQL over these, so memory does not grow with the archive. The three files are attached for reading, in one
transaction that begins before the first WARC file is read: what a run under way adds later does not look like a contradiction.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from scraper.archive.store import Entry
from scraper.doctor.findings import MOST_EXAMPLES, Finding, counted, examples
from scraper.errors import SqliteDamaged
from scraper.sqlite import explain, open_memory, open_readonly, open_temporary, uri

SHOWN = "coalesce(captured_at, '') || ' ' || coalesce(url, capture_id)"
"""How a capture is named in a message."""
COLUMNS_OF_LOST = "capture_id, url, captured_at, source, sha256, warc_file, warc_offset"
_ENTRY = tuple(Entry.__dataclass_fields__)
_SCHEMA = f"""
CREATE TABLE seen ({", ".join(_ENTRY)});
CREATE TABLE damage (warc_file, "offset" INTEGER, length INTEGER, reason, is_cut);
CREATE TABLE sizes (warc_file TEXT PRIMARY KEY, size INTEGER);
CREATE TABLE lost ({COLUMNS_OF_LOST}, UNIQUE (capture_id));
"""


class Part(NamedTuple):
    """An SQLite file of the data folder, and the first word of its findings' kinds.

    `header`: its application id and version. `create`: makes its tables. `damaged_rows`: yields further damage of such a file.
    """

    name: str
    path: Path
    repair: str
    header: tuple[int, int]
    create: Callable[[sqlite3.Connection], object]
    damaged_rows: Callable[[sqlite3.Connection], Iterable[str]] = lambda _: ()


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

    def attach(self, part: Part) -> Iterator[Finding]:
        """Attaches a file under its part's name, or yields why it is unusable."""
        name, path = part.name, part.path
        if not path.exists():
            return
        with closing(open_memory()) as made:
            part.create(made)
            expected = _objects(made)
        damage, header, objects = inspect(path, part.damaged_rows)
        is_own = header[0] == part.header[0]
        if not damage and header == part.header:
            damage = [key for key, sql in expected.items() if objects.get(key) != sql]
        elif not damage and not is_own and expected.items() <= objects.items():
            damage = ["its header"]
        if damage:
            yield Finding(f"{name}-damaged", f"{path.name} is damaged", len(damage), part.repair, examples=examples(damage))
        elif objects and not is_own:
            yield Finding(f"{name}-damaged", f"{path.name} is a database of another program: move it away")
        elif header != part.header:
            what = "of another version" if objects else "empty"
            yield Finding(f"{name}-version", f"{path.name} is {what}", repair=part.repair)
        else:
            self.db.execute(f"ATTACH DATABASE ? AS {name}", [uri(path)])
            self.has.add(name)

    def begin(self) -> None:
        """Fixes the state of the attached files; an empty catalog stands in for one that is missing or damaged."""
        if "catalog" not in self.has:
            self.db.execute("ATTACH DATABASE ':memory:' AS catalog")
            self.db.execute(f"CREATE TABLE catalog.captures ({', '.join(_ENTRY)})")
            self.db.execute("CREATE TABLE catalog.files (warc_file, read_to)")
        self.db.execute("BEGIN")
        for name in self.has:
            self.db.execute(f"SELECT count(*) FROM {name}.sqlite_master")

    def release(self) -> None:
        """Closes the attached files, so that they can be replaced; what was read from the WARC files stays."""
        self.db.execute("COMMIT")
        for name in {*self.has, "catalog"}:
            self.db.execute(f"DETACH DATABASE {name}")
        self.has.clear()

    def add_seen(self, entry: Entry) -> None:
        row = [getattr(entry, name) for name in _ENTRY]
        self.db.execute(f"INSERT INTO seen VALUES ({', '.join('?' * len(_ENTRY))})", row)

    def add_damage(self, warc_file: str, offset: int, length: int, reason: str, *, is_cut: bool = False) -> None:
        self.db.execute("INSERT INTO damage VALUES (?, ?, ?, ?, ?)", [warc_file, offset, length, reason, is_cut])

    def length_at(self, warc_file: str, offset: int) -> int | None:
        """The length of the record that the catalog has at that place."""
        query = "SELECT warc_length FROM catalog.captures WHERE warc_file = ? AND warc_offset = ?"
        row = self.db.execute(query, [warc_file, offset]).fetchone()
        return int(row[0]) if row else None

    def add_lost(self, rows: str) -> None:
        """Notes captures that no intact record has. `rows`: a query from FROM on."""
        self.db.execute(f"INSERT OR IGNORE INTO lost SELECT {COLUMNS_OF_LOST} {rows}")

    def count(self, rows: str) -> int:
        """How many rows a query has. `rows`: the query from FROM on."""
        return int(self.db.execute(f"SELECT count(*) {rows}").fetchone()[0])

    def find(
        self, kind: str, rows: str, noun: str, text: str, repair: str | None = None, *, shown: str = "", harmless: bool = False
    ) -> Iterator[Finding]:
        """Yields a finding if the query, which `rows` is from FROM on, has rows.

        `text` has their number, of `noun`, in place of `{}`; `shown` is what to select as examples.
        """
        if count := self.count(rows):
            some = [row[0] for row in self.db.execute(f"SELECT {shown} {rows} LIMIT {MOST_EXAMPLES}")] if shown else []
            yield Finding(kind, text.format(counted(count, noun)), count, repair, harmless, examples=examples(some))


def inspect(
    path: Path, damaged_rows: Callable[[sqlite3.Connection], Iterable[str]] = lambda _: ()
) -> tuple[list[str], tuple[int, int], dict[str, str]]:
    """Reads all of an SQLite file: the first few damaged places, its application id and version, its tables with their SQL.

    SQLite has no checksums: `integrity_check` finds damage of the structure; damage within a text shows as bytes that are not
    UTF-8, or as zeros. Raises TtaError where the file can't be read for other reasons, such as permissions.
    """
    try:
        with closing(open_readonly(path)) as db:
            damage = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({MOST_EXAMPLES})")]
            if damage == ["ok"]:
                damage = list(islice(chain(_damaged_texts(db), damaged_rows(db)), MOST_EXAMPLES))
            application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
            return damage, (application, version), _objects(db)
    except (sqlite3.Error, MemoryError) as error:  # a damaged length asks for too much memory
        problem = explain(path, error) if isinstance(error, sqlite3.Error) else None
        if problem and not isinstance(problem, SqliteDamaged):
            raise problem from None
        return [str(error) or type(error).__name__], (0, 0), {}


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
