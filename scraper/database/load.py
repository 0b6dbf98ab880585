"""Brings the database in line with the archive, in one transaction: what it lacks is parsed, what that touches is built anew.

The order in which captures came makes no difference: every step but the parsing looks at all captures, and a record is always
built from all its captures, the older ones read from the archive once more (docs/decisions/).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from scraper.archive.catalog import CATALOG, Entry
from scraper.archive.store import Archive
from scraper.database import assign_records, availability, program, revisits, runs, schema, second_database
from scraper.database.build import build
from scraper.database.bulk import insert_rows
from scraper.database.connection import stoppable, writing
from scraper.database.parse_captures import GIVEN_UP, ParsedCapture, parse_all
from scraper.database.record_identity import address
from scraper.database.spill import Spill
from scraper.database.tables import BY_NAME
from scraper.errors import ArchiveDamaged, Stopped, TtaError
from scraper.folders import Folders
from scraper.sqlite import open_readonly
from scraper.stopping import Stop
from scraper.workers.cluster import cluster
from scraper.workers.processes import Processes, WorkerPool, cores, end_workers

Progress = Callable[[int, int], None]
Gate = Callable[[sqlite3.Connection, "Loaded"], None]
"""Looks at the new state inside the transaction; what it raises rolls everything back."""
_Choose = Callable[[int], WorkerPool | None]
"""Who parses so many captures; None is this process."""
_FEW = 500
"""Captures up to which starting processes takes longer than parsing (November 2026, two cores)."""
_ENTRY = ", ".join(f"entry.{name}" for name in Entry.__dataclass_fields__)
_READ = ("reason", "node_id", "reference", "form", "shape", "flags", "redirect_to")
_READ_AGAIN = (
    f"UPDATE captures SET (kind, {', '.join(_READ)}) = ({', '.join('?' * (len(_READ) + 1))}) "
    f"WHERE capture_id = ? AND ({', '.join(_READ)}) IS NOT ({', '.join('?' * len(_READ))})"
)
_AT_ONCE = 500


@dataclass(slots=True)
class Loaded:
    """What a load did. `unreadable`: places in the archive that could not be read, a line each; their captures are not loaded."""

    captures: int = 0
    records: int = 0
    built: int = 0
    unreadable: list[str] = field(default_factory=list)


def load(  # noqa: PLR0913 - all by name; each is a wish of its own
    folders: Folders,
    *,
    rebuild: bool = False,
    without_lost: bool = False,
    unchecked: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
    gate: Gate | None = None,
    database: Path | None = None,
    like: Path | None = None,
    stop: Stop | None = None,
) -> Loaded:
    """Loads what the archive has and the database lacks; `rebuild` makes all of it again. The caller holds the folder's lock.

    `without_lost`: makes all of it again although the archive has lost captures that the database has; else that is an error.
    `unchecked`: also what the last refresh kept out; else that is an error, but where a `gate` checks it anew.
    `workers`: processes to parse in; None chooses. `scheduler`: address of a dask cluster to parse on in their place. `progress`
    is told how many captures of how many are parsed. `gate` is asked last, before the commit. `database`: another file than the
    folder's own (`plan`). `like`: loads only the captures that this database has. `stop` ends it within a second or two. Raises
    TtaError, Stopped, or what `progress` and `gate` raise, and then nothing was changed.
    """
    try:
        return _load(folders, _Wishes(rebuild, without_lost, unchecked, workers, scheduler, progress, gate, database, like, stop))
    except Stopped:
        end_workers()
        raise


class _Wishes(NamedTuple):
    """The arguments of `load`."""

    rebuild: bool
    without_lost: bool
    unchecked: bool
    workers: int | None
    scheduler: str | None
    progress: Progress | None
    gate: Gate | None
    database: Path | None
    like: Path | None
    stop: Stop | None


def _load(folders: Folders, wishes: _Wishes) -> Loaded:
    folder = folders.archive
    if not folder.is_dir():
        raise TtaError(f"there is no archive at {folder}: run `tta import` or `tta fetch` first")
    if wishes.database is None:
        second_database.clear(folders.data)
    with (
        Archive(folder, writable=True) as archive,
        Spill(folders.data) as spill,
        _pools(wishes, careful=spill.left_behind) as choose,
        writing(wishes.database or folders.database, folder / CATALOG) as (db, version),
        stoppable(db, wishes.stop),
    ):
        fresh = wishes.rebuild or wishes.without_lost or version != schema.VERSION
        assign_records.prepare(db)
        spill.begin(db)
        if not wishes.without_lost and version == schema.VERSION:  # another version may have derived ids by other rules
            fresh |= _check_none_is_lost(db)
        if fresh:
            if not wishes.without_lost:
                _remember_captures(db)
            schema.renew(db)
        schema.refresh_dictionary(db)
        job = _Load(db, folder, spill, choose, wishes)
        job.done.unreadable += archive.unread
        if job.parse_new() or fresh:
            schema.finish(db, ("captures",))
            job.settle()
            job.done.built = build(db, spill)
            availability.apply(db)
            program.note(db, whole=fresh)
            schema.finish(db)
            db.execute("PRAGMA analysis_limit = 1000")
            db.execute("ANALYZE main")
        job.done.records = db.execute("SELECT count(*) FROM records").fetchone()[0]
        if wishes.gate:
            wishes.gate(db, job.done)
        return job.done


@contextmanager
def _pools(wishes: _Wishes, *, careful: bool) -> Iterator[_Choose]:
    """`careful`: an earlier load was killed, perhaps by a page; then no page is read in this process."""
    check = wishes.stop.check if wishes.stop else None
    if wishes.scheduler:
        with cluster(wishes.scheduler, check) as pool:
            yield lambda total: pool if total else None
        return

    def choose(total: int) -> WorkerPool | None:
        wanted = wishes.workers or (1 if total <= _FEW else cores())
        return Processes(wanted, check) if total and (wanted > 1 or careful) else None

    yield choose


def _check_none_is_lost(db: sqlite3.Connection) -> bool:
    """Whether captures got another id because the archive dates or addresses them by another rule: then all is built anew.

    Raises ArchiveDamaged where the archive lacks a capture that the database has: building anew would drop what it said.
    """
    if not _has_captures(db):
        return False
    gone = "FROM main.captures one WHERE NOT EXISTS (SELECT 1 FROM archive.captures c WHERE c.capture_id = one.capture_id)"
    place = "c.warc_file = one.warc_file AND c.warc_offset = one.warc_offset"
    lost = f"{gone} AND NOT EXISTS (SELECT 1 FROM archive.captures c WHERE {place})"
    count, first = db.execute(f"SELECT count(*), min(capture_id) {lost}").fetchone()
    if count:
        raise ArchiveDamaged(
            f"the archive lacks {count} captures that the database has, {first} for one; nothing was changed: run `tta doctor`"
        )
    return db.execute(f"SELECT 1 {gone} LIMIT 1").fetchone() is not None


def _remember_captures(db: sqlite3.Connection) -> None:
    """Lists the captures that the database has before it is made again (`_note_damage` asks)."""
    if _has_captures(db):
        db.execute("INSERT INTO temp.known SELECT capture_id FROM main.captures")


def _has_captures(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'captures'").fetchone() is not None


class _Load:
    """One load, inside its transaction."""

    def __init__(self, db: sqlite3.Connection, folder: Path, spill: Spill, choose: _Choose, wishes: _Wishes) -> None:
        self.db = db
        self.folder = folder
        self.spill = spill
        self.choose = choose
        self.wishes = wishes
        self.done = Loaded()

    def parse_new(self) -> bool:
        """Parses and lists the captures that the database lacks; whether there were any."""
        self.db.execute(
            "INSERT INTO temp.todo SELECT capture_id FROM archive.captures EXCEPT SELECT capture_id FROM main.captures"
        )
        if self.wishes.like:
            self._leave_out_what_lacks(self.wishes.like)
        self._check_none_is_refused()
        assign_records.read_moved_again(self.db)
        for parsed in self._parsed():
            self._keep_new(parsed)
        self.done.captures = self.db.execute("SELECT count(*) FROM temp.parsed").fetchone()[0]
        return self.done.captures > 0

    def _leave_out_what_lacks(self, like: Path) -> None:
        self.db.execute("CREATE TEMP TABLE alike (capture_id TEXT PRIMARY KEY) WITHOUT ROWID")
        with closing(open_readonly(like)) as other:
            self.db.executemany("INSERT INTO temp.alike VALUES (?)", other.execute("SELECT capture_id FROM captures"))
        self.db.execute("DELETE FROM temp.todo WHERE capture_id NOT IN (SELECT capture_id FROM temp.alike)")

    def _check_none_is_refused(self) -> None:
        """Before any page is parsed: whoever has to choose need not wait for it."""
        if self.wishes.unchecked or self.wishes.gate:
            return
        if self.db.execute("SELECT EXISTS (SELECT 1 FROM temp.todo)").fetchone()[0]:
            runs.check_none_is_refused(self.db)

    def settle(self) -> None:
        """Finds every capture's record, and reads the older captures of the records that are to be built again.

        Where those are read differently now, because the parser has changed since, the records are found once more.
        """
        changed = True
        while changed:
            revisits.resolve(self.db)
            assign_records.assign(self.db)
            availability.assign(self.db)
            self.db.execute(
                "INSERT INTO temp.todo SELECT DISTINCT coalesce(original_id, capture_id) FROM captures "
                f"WHERE {assign_records.SHOWS} AND record_id IN (SELECT record_id FROM temp.affected) "
                "EXCEPT SELECT capture_id FROM temp.parsed"
            )
            changed = sum([self._keep_again(parsed) for parsed in self._parsed()]) > 0
        assign_records.set_kinds(self.db)

    def _parsed(self) -> Iterator[list[tuple[Entry, ParsedCapture]]]:
        """Parses the captures of `temp.todo` in the order in which they lie on disk, some hundred at a time, and empties it."""
        total = self.db.execute("SELECT count(*) FROM temp.todo").fetchone()[0]
        waiting: list[tuple[Entry, ParsedCapture]] = []
        for count, (entry, verdict) in enumerate(parse_all(self.folder, self._entries(), self.choose(total)), start=1):
            if self.wishes.stop:
                self.wishes.stop.check()
            if verdict.damage:
                self._note_damage(entry, verdict.damage)
            else:
                waiting.append((entry, verdict))
            if len(waiting) >= _AT_ONCE:
                yield self._spilled(waiting)
                waiting = []
            if self.wishes.progress:
                self.wishes.progress(count, total)
        yield self._spilled(waiting)
        self.db.execute("DELETE FROM temp.todo")

    def _entries(self) -> Iterator[Entry]:
        query = (
            f"SELECT {_ENTRY} FROM archive.captures entry JOIN temp.todo USING (capture_id) "
            "ORDER BY entry.warc_file, entry.warc_offset"
        )
        return (Entry(*row) for row in self.db.execute(query))

    def _note_damage(self, entry: Entry, damage: str) -> None:
        """A capture that the database has or had must not be lost to damage; a new one waits until the archive is mended."""
        for table in ("main.captures", "temp.known"):
            if self.db.execute(f"SELECT 1 FROM {table} WHERE capture_id = ?", [entry.capture_id]).fetchone():
                raise ArchiveDamaged(f"{damage}; the database has this capture and was left as it is: run `tta doctor`")
        self.done.unreadable.append(damage)

    def _spilled(self, parsed: list[tuple[Entry, ParsedCapture]]) -> list[tuple[Entry, ParsedCapture]]:
        self.spill.add(self.db, ((verdict.capture_id, verdict.page) for _, verdict in parsed))
        return parsed

    def _keep_new(self, parsed: list[tuple[Entry, ParsedCapture]]) -> None:
        insert_rows(self.db, "captures", [_row(entry, verdict) for entry, verdict in parsed])
        self.db.executemany("INSERT INTO temp.touched VALUES (?)", ((verdict.capture_id,) for _, verdict in parsed))

    def _keep_again(self, parsed: list[tuple[Entry, ParsedCapture]]) -> int:
        """Notes which captures are read differently now than when they were loaded; returns how many."""
        changed = 0
        for entry, verdict in parsed:
            if verdict.reason == GIVEN_UP:
                self._check_was_given_up(entry)
            values = [getattr(verdict, name) for name in _READ]
            changed += self.db.execute(_READ_AGAIN, [verdict.kind, *values, verdict.capture_id, *values]).rowcount
            self.db.execute("INSERT OR IGNORE INTO temp.touched VALUES (?)", [verdict.capture_id])
        return changed

    def _check_was_given_up(self, entry: Entry) -> None:
        """Raises TtaError where the page was read before: a machine that is short of time or memory must not unsay it."""
        query = f"SELECT 1 FROM main.captures WHERE capture_id = ? AND {assign_records.SHOWS}"
        if self.db.execute(query, [entry.capture_id]).fetchone():
            place = f"{entry.warc_file} at {entry.warc_offset}"
            raise TtaError(
                f"{place}: {GIVEN_UP}, and it was read before; nothing was changed: run `tta load` again when the machine has "
                "less to do, or `tta load --rebuild --plan` to see what would change"
            )


def _row(entry: Entry, verdict: ParsedCapture) -> tuple[object, ...]:
    """A row of `captures` as far as the capture alone tells it."""
    values = {
        "capture_id": entry.capture_id,
        "record_id": str(verdict.node_id) if verdict.form and verdict.node_id is not None else None,
        "url": entry.url,
        "captured_at": entry.captured_at,
        "source": entry.source,
        "http_status": entry.http_status,
        "kind": verdict.kind,
        "sha256": entry.sha256,
        "address": address(entry.url),
        "original_id": None,
        "gone_record_id": None,
        "warc_type": entry.form,
        "truncated": entry.truncated,
        "intact": entry.intact,
        "warc_file": entry.warc_file,
        "warc_offset": entry.warc_offset,
    }
    values |= {name: getattr(verdict, name) for name in _READ}
    return tuple(values[name] for name in BY_NAME["captures"].columns)
