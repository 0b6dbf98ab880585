"""Verifies a data folder: every record of the archive, and catalog, ledger and database against these records.

Changes nothing, and needs no lock except for the comparison with a second database. The WARC files are the truth: the other files
are compared with what was just read from them, by SQL over temporary tables (comparisons.toml), so memory does not grow with the
archive. The three files are attached in one transaction that begins before the first WARC file is read, so that additions by a
concurrent run do not look like contradictions.
"""

import sqlite3
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import astuple, dataclass, field
from itertools import islice
from pathlib import Path

from scraper.archive import store as archive
from scraper.archive.store import WARC_FILES, Entry, entry_of, is_own
from scraper.archive.warc import read_parts
from scraper.database import schema
from scraper.database.parsed_pages import NAME as PARSED
from scraper.errors import SqliteDamaged
from scraper.folders import Folders
from scraper.ledger import store as ledger
from scraper.ledger.store import STORED, FetchState
from scraper.sqlite import explain, open_memory, open_readonly, open_writable, uri
from scraper.terminal import Progress, counted, escape

LOST = "lost.jsonl"
"""File beside the WARC files with a line for each capture that was lost to damage, written by a repair."""
_IS_REBUILT = "it is rebuilt from the archive; the run history stays"
MAX_EXAMPLES = 5
FILES = ("catalog", "ledger", "database")
"""The attached files, by the name of their schema."""
_TEXTS = tomllib.loads(Path(__file__).with_name("comparisons.toml").read_text(encoding="utf-8"))
UNUSABLE: dict[str, str] = _TEXTS["unusable"]
"""What a repair does with each SQLite file."""
COLUMNS_OF_LOST = "capture_id, url, captured_at, source, sha256, warc_file, warc_offset"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_fts%'"


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: a stable name for scripts; its first word is the part of the data folder. `text`: an escaped line.

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
class DoctorReport:
    """All findings, and how much was read.

    After a repair, `findings` are the remaining ones. `repaired`: the findings that were repaired; `problems`: why others could
    not be; `lost`: captures that are in no file anymore.
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

    def lines(self, *, repairing: bool) -> Iterator[str]:
        """Yields what was found, and last how much was read. `repairing`: these are the findings after a repair."""
        for finding in self.repaired:
            yield f"repaired: {finding.text}; {finding.repair}"
            yield from (f"  {example}" for example in finding.examples)
        yield from (f"not repaired: {problem}" for problem in self.problems)
        for finding in self.findings:
            repair = f"; repair: {finding.repair}" if finding.repair else ""
            yield f"{'note: ' if finding.harmless else ''}{finding.text}{repair}"
            yield from (f"  {example}" for example in finding.examples)
        read = f"{counted(self.files, 'WARC file')} with {counted(self.records, 'record')} read, {self.bytes:,} bytes"
        wrong = len(self.wrong)
        if not wrong:
            yield f"{read}: nothing is wrong" + (f"; {counted(self.lost, 'capture')} could not be recovered" if self.lost else "")
        elif repairing:
            yield f"{read}: {counted(wrong, 'problem')} could not be repaired"
        else:
            advice = ": `tta doctor --repair` replaces what is damaged" if any(finding.repair for finding in self.wrong) else ""
            yield f"{read}: {counted(wrong, 'problem')}{advice}"


def examples(texts: Iterable[object]) -> tuple[str, ...]:
    """Returns the first few texts, escaped."""
    return tuple(escape(text, 160) for text in islice(texts, MAX_EXAMPLES))


class DoctorTables:
    """`seen`: captures of intact records; `packed`: how many are in one member; `damage`; `sizes` of files; `lost` captures."""

    def __init__(self) -> None:
        self.db = open_memory(spills=True)
        self.db.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self.db.execute("PRAGMA cache_size = -65536")
        self.db.executescript(_TEXTS["tables"].format(entry=", ".join(Entry.__dataclass_fields__), lost=COLUMNS_OF_LOST))

    def close(self) -> None:
        self.db.close()

    def attach(
        self, name: str, path: Path, header: tuple[int, int], steps: Iterable[Callable[[sqlite3.Connection], object]]
    ) -> Finding | None:
        """Attaches a file as schema `name`, or an empty one if it is missing or unusable. Returns why it is unusable.

        `header`: its application id and version. `steps`: SQL that creates its tables.
        """
        with closing(open_memory()) as made:
            for create in steps:
                create(made)
            expected, empty = _read_schema(made), made.serialize()
        problem = _find_problem(name, path, header, expected) if path.exists() else None
        if problem is None and path.exists():
            self.db.execute(f"ATTACH DATABASE ? AS {name}", [uri(path)])
        else:
            self.db.execute(f"ATTACH DATABASE ':memory:' AS {name}")
            self.db.deserialize(empty, name=name)
        return problem

    def begin(self) -> None:
        """Starts the transaction that fixes the state of the attached files."""
        self.db.execute("BEGIN")
        for name in FILES:
            self.db.execute(f"SELECT count(*) FROM {name}.sqlite_master")

    def release(self) -> None:
        """Detaches the files, so that they can be replaced; what was read from the WARC files stays."""
        self.db.execute("COMMIT")
        for name in FILES:
            self.db.execute(f"DETACH DATABASE {name}")

    def add(self, table: str, *values: object) -> None:
        self.db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)

    def compare(self) -> Iterator[Finding]:
        """Yields the findings of the comparisons."""
        states, stored = (", ".join(f"'{state.value}'" for state in some) for some in (FetchState, STORED))
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
                some = self.db.execute(f"SELECT {one['shown']} {rows} LIMIT {MAX_EXAMPLES}") if "shown" in one else ()
                text = one["text"].format(counted(count, one["noun"]))
                yield Finding(kind, text, count, repair, harmless, examples=examples(shown for (shown,) in some))


def _find_problem(name: str, path: Path, header: tuple[int, int], expected: dict[str, str]) -> Finding | None:
    """Returns why a file can't be used: it is damaged, of another program or version, or empty."""
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
    """Reads a whole SQLite file; returns a few damaged places, its application id and version, its tables with their SQL.

    SQLite has no checksums: `integrity_check` finds damage of the structure; damage within a text appears as bytes that are not
    UTF-8, or as zeros. Raises TtaError if the file can't be read for other reasons, such as permissions.
    """
    try:
        with closing(open_readonly(path)) as db:
            damage = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({MAX_EXAMPLES})")]
            if damage == ["ok"]:
                tables = db.execute(_TABLES).fetchall()
                rows = ((name, *row) for (name,) in tables for row in enumerate(db.execute(f'SELECT * FROM "{name}"'), start=1))
                zeros = ((table, at) for table, at, row in rows if any(type(value) is str and "\0" in value for value in row))
                damage = [f"table {table}, row {at}: a text contains zeros" for table, at in islice(zeros, MAX_EXAMPLES)]
            application, version = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
            return damage, (application, version), _read_schema(db)
    except (sqlite3.Error, MemoryError) as error:  # a damaged length asks for too much memory
        problem = explain(path, error) if isinstance(error, sqlite3.Error) else None
        if problem and not isinstance(problem, SqliteDamaged):
            raise problem from None
        return [str(error) or type(error).__name__], (0, 0), {}


def _read_schema(db: sqlite3.Connection) -> dict[str, str]:
    """Returns every table, index, view and trigger with its SQL, except those that SQLite and FTS5 create themselves."""
    rows = db.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'")
    return {name: " ".join(sql.split()) for name, sql in rows}


def verify(folders: Folders, tables: DoctorTables, progress: Progress = lambda _done, _total: None) -> DoctorReport:
    """Returns all findings: unusable SQLite files, then those of the comparisons. Raises TtaError, OSError.

    `tables` keeps what was read, for a repair. `progress`: of the bytes of WARC files.
    """
    report = DoctorReport()
    for name, path, header, steps in (
        ("catalog", folders.archive / archive.CATALOG, (0, archive.VERSION), (lambda db: db.executescript(archive.SCHEMA),)),
        ("ledger", folders.ledger, (ledger.APPLICATION, ledger.VERSION), (ledger.create,)),
        ("database", folders.database, (schema.APPLICATION, schema.VERSION), (schema.create, schema.finish)),
    ):
        if problem := tables.attach(name, path, header, steps):
            report.findings.append(problem)
    if folders.database.exists() and not any(one.kind.startswith("database") for one in report.findings):
        report.findings += verify_search(folders.database)
    tables.begin()
    _read_warc_files(tables, folders.archive, report, progress)
    report.findings += tables.compare()
    for path in sorted(folders.archive.iterdir()) if folders.archive.is_dir() else ():
        is_known = is_own(path) or path.match(WARC_FILES) or path.name.startswith((archive.CATALOG, LOST, "."))
        if not is_known and ".damaged-" not in path.name:
            text = f"{escape(path.name)} is not part of the archive and is left alone"
            report.findings.append(Finding("file-foreign", text, harmless=True, subject=path.name))
    parsed = folders.data / PARSED
    if parsed.exists() and (damage := inspect(parsed)[0]):
        text = f"{PARSED}, the store of parsed pages, is damaged"
        report.findings.append(Finding("parsed-damaged", text, len(damage), UNUSABLE["parsed"], examples=examples(damage)))
    return report


def _read_warc_files(tables: DoctorTables, folder: Path, report: DoctorReport, progress: Progress) -> None:
    """Reads every WARC file completely and fills the tables. Raises OSError."""
    sizes = {path: path.stat().st_size for path in sorted(folder.glob(WARC_FILES))}
    report.files, report.bytes, before = len(sizes), sum(sizes.values()), 0
    query = "SELECT warc_length FROM catalog.captures WHERE warc_file = ? AND warc_offset = ?"
    for path, size in sizes.items():

        def length_at(offset: int, name: str = path.name) -> int | None:
            row = tables.db.execute(query, [name, offset]).fetchone()
            return int(row[0]) if row else None

        tables.add("sizes", path.name, size)
        for part in read_parts(path, length_at=length_at):
            report.records += part.damage is None
            if part.damage is not None:
                tables.add("damage", path.name, part.offset, part.length, part.damage, part.is_cut)
            elif len(part.captures) > 1:
                tables.add("packed", path.name, len(part.captures))
            elif part.captures:
                tables.add("seen", *astuple(entry_of(part.captures[0], path.name, part.offset, part.length)))
            progress(before + part.offset + part.length, report.bytes)
        before += size
    # Only one index, so that SQLite can't choose a slower one (once, 423 s for 100,000 captures).
    tables.db.execute("CREATE INDEX seen_by_id ON seen (capture_id)")


def verify_search(path: Path) -> Iterator[Finding]:
    """Verifies a full-text index. FTS5 compares it with its rows during a write, which is rolled back here (fts5, 6.8)."""
    with closing(open_writable(path, create=False)) as db:
        db.execute("PRAGMA busy_timeout = 0")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'").fetchall():
            index = f"the search index {name} of {path.name}"
            try:
                db.execute("BEGIN IMMEDIATE")
                db.execute(f'INSERT INTO "{name}" ("{name}", rank) VALUES (\'integrity-check\', 1)')
            except sqlite3.OperationalError as error:
                text = f"{index} could not be compared with its rows ({error})"
                yield Finding("database-search", text, harmless=True, subject=name)
            except (sqlite3.DatabaseError, MemoryError):  # a damaged length asks for too much memory
                yield Finding("database-search", f"{index} does not match its rows", repair=_IS_REBUILT, subject=name)
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
