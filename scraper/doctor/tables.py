"""Temporary tables of what a verification has read, beside the catalog, the ledger and the database in one connection.

All comparisons are SQL over these (comparisons.toml), so memory does not grow with the archive. The three files are attached for
reading, in one transaction that begins before the first WARC file is read: what a run under way adds later does not look like a
contradiction.
"""

import sqlite3
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from scraper.archive.store import Entry
from scraper.errors import SqliteDamaged
from scraper.ledger.store import STORED, State
from scraper.sqlite import explain, open_memory, open_readonly, uri
from scraper.terminal import escape

MOST_EXAMPLES = 5
_TEXTS = tomllib.loads(Path(__file__).with_name("comparisons.toml").read_text(encoding="utf-8"))
UNUSABLE: dict[str, str] = _TEXTS["unusable"]
"""What a repair does with each file of SQLite's."""
COLUMNS_OF_LOST = "capture_id, url, captured_at, source, sha256, warc_file, warc_offset"
_SCHEMA = f"""
CREATE TABLE seen ({", ".join(Entry.__dataclass_fields__)});
CREATE TABLE packed (warc_file, captures INTEGER);
CREATE TABLE damage (warc_file, "offset" INTEGER, length INTEGER, reason, is_cut);
CREATE TABLE sizes (warc_file TEXT PRIMARY KEY, size INTEGER);
CREATE TABLE lost ({COLUMNS_OF_LOST}, UNIQUE (capture_id));
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: a name that scripts may rely on; its first word is the part of the data folder. `text`: an escaped line.

    `count`: of what the line counts. `repair`: what a repair does, None if it can do nothing. `harmless`: nothing is wrong, or
    the next run corrects it. `subject`: the file it is about, if there is one. `examples`: a few of the captures or places.
    """

    kind: str
    text: str
    count: int = 1
    repair: str | None = None
    harmless: bool = False
    subject: str | None = None
    examples: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """All findings, and how much was read.

    After a repair `findings` are those that are left. `repaired`: the findings that were acted on; `problems`: why others could
    not be; `lost`: captures that no file has any more.
    """

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    records: int = 0
    bytes: int = 0
    repaired: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lost: int = 0

    @property
    def wrong(self) -> list[Finding]:
        """The findings that are not harmless."""
        return [finding for finding in self.findings if not finding.harmless]


def counted(number: int, noun: str) -> str:
    """`1 capture`, `2,000 captures`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def examples(texts: Iterable[object]) -> tuple[str, ...]:
    """The first few, escaped."""
    return tuple(escape(text, 160) for text in islice(texts, MOST_EXAMPLES))


class DoctorTables:
    """`seen`: captures of intact records; `packed`: how many are in one member; `damage`; `sizes` of files; `lost` captures."""

    def __init__(self) -> None:
        self.db = open_memory(spills=True)
        self.db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self.db.execute("PRAGMA cache_size = -65536")
        self.db.executescript(_SCHEMA)

    def close(self) -> None:
        self.db.close()

    def attach(
        self, name: str, path: Path, header: tuple[int, int], create: Callable[[sqlite3.Connection], object]
    ) -> list[Finding]:
        """Attaches a file as schema `name`. One that is missing or unusable is replaced by an empty one; returns why it is.

        `header`: its application id and version. `create`: makes its tables.
        """
        with closing(open_memory()) as made:
            create(made)
            expected, empty = _objects(made), made.serialize()
        problem = _problem(name, path, header, expected) if path.exists() else None
        is_usable = path.exists() and problem is None
        self.db.execute(f"ATTACH DATABASE ? AS {name}", [uri(path) if is_usable else ":memory:"])
        if not is_usable:
            self.db.deserialize(empty, name=name)
        return [problem] if problem else []

    def begin(self) -> None:
        """Fixes the state of the attached files."""
        self.db.execute("BEGIN")
        for name in ("catalog", "ledger", "database"):
            self.db.execute(f"SELECT count(*) FROM {name}.sqlite_master")

    def release(self) -> None:
        """Closes the attached files, so that they can be replaced; what was read from the WARC files stays."""
        self.db.execute("COMMIT")
        for name in ("catalog", "ledger", "database"):
            self.db.execute(f"DETACH DATABASE {name}")

    def add(self, table: str, *values: object) -> None:
        self.db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)

    def compare(self) -> Iterator[Finding]:
        """Yields what the comparisons find."""
        states, stored = (", ".join(f"'{state.value}'" for state in some) for some in (State, STORED))
        for one in _TEXTS["comparison"]:
            kind, repair, harmless = one["kind"], one.get("repair"), one.get("harmless", False)
            if "each" in one:
                for subject, count, text in self.db.execute(one["each"]):
                    yield Finding(kind, escape(text), count, repair, harmless, subject)
                continue
            rows = one["rows"].format(states=states, stored=stored)
            if "lost" in one:
                self.db.execute(f"INSERT OR IGNORE INTO lost SELECT {COLUMNS_OF_LOST} {rows}")
            if count := self.db.execute(f"SELECT count(*) {rows}").fetchone()[0]:
                some = self.db.execute(f"SELECT {one['shown']} {rows} LIMIT {MOST_EXAMPLES}") if "shown" in one else ()
                text = one["text"].format(counted(count, one["noun"]))
                yield Finding(kind, text, count, repair, harmless, examples=examples(shown for (shown,) in some))


def _problem(name: str, path: Path, header: tuple[int, int], expected: dict[str, str]) -> Finding | None:
    """Why a file can't be used: it is damaged, of another program or version, or empty."""
    damage, actual, objects = inspect(path)
    is_own = actual[0] == header[0]
    if not damage and actual == header:
        damage = [key for key, sql in expected.items() if objects.get(key) != sql]
    elif not damage and not is_own and expected.items() <= objects.items():
        damage = ["its header"]
    if damage:
        return Finding(f"{name}-damaged", f"{path.name} is damaged", len(damage), UNUSABLE[name], examples=examples(damage))
    if objects and not is_own:
        return Finding(f"{name}-damaged", f"{path.name} is a database of another program: move it away")
    if actual != header:
        what = "of another version" if objects else "empty"
        return Finding(f"{name}-version", f"{path.name} is {what}", repair=UNUSABLE[name])
    return None


def inspect(path: Path) -> tuple[list[str], tuple[int, int], dict[str, str]]:
    """Reads all of an SQLite file: the first few damaged places, its application id and version, its tables with their SQL.

    SQLite has no checksums: `integrity_check` finds damage of the structure; damage within a text shows as bytes that are not
    UTF-8, or as zeros. Raises TtaError where the file can't be read for other reasons, such as permissions.
    """
    try:
        with closing(open_readonly(path)) as db:
            damage = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({MOST_EXAMPLES})")]
            if damage == ["ok"]:
                damage = list(islice(_damaged_texts(db), MOST_EXAMPLES))
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
