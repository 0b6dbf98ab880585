"""Brings the database in line with the archive, in one transaction: parses new captures, rebuilds the records that changed.

The same code parses a capture only once (`parsed_pages`). A record is always rebuilt from all its captures, and every other step
uses all captures, so the order in which they arrived makes no difference (docs/decisions/loading.md).
"""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from scraper.archive.store import CATALOG, Archive, Entry
from scraper.code_version import loading_code
from scraper.database import assign_records, availability, organizations, overlays, parsed_pages, revisits, runs, schema, similar
from scraper.database.assign_records import address_key
from scraper.database.build import build
from scraper.database.connection import absent_from, stoppable, writing
from scraper.database.parse_captures import GIVEN_UP, ParsedCapture, parse_all
from scraper.database.parsed_pages import ParsedPages
from scraper.database.tables import BY_NAME
from scraper.errors import ArchiveDamaged, ParsedPagesDamaged, TtaError
from scraper.folders import Folders
from scraper.sqlite import remove
from scraper.stopping import Stop
from scraper.terminal import Progress
from scraper.workers.processes import Processes, WorkerPool, cluster, cores

FEW = 500
"""Up to this many captures, starting processes takes longer than parsing (November 2026, two cores), and statistics stay true."""
BATCH = 500
"""Captures that are stored, or inserted, at a time: bounds memory, and what has to be parsed again after a killed load."""
_TABLES = {
    "loaded": "capture_id",  # inserted by this load
    "touched": "capture_id",  # inserted, or with changed meaning
    "affected": "record_id",  # to be rebuilt
    "renewed": "organization_id",  # to be rewritten
}
_ENTRIES = f"""
    SELECT {", ".join(f"entry.{name}" for name in Entry.__dataclass_fields__)}
    FROM archive.captures entry JOIN temp.touched USING (capture_id) ORDER BY entry.warc_file, entry.warc_offset
"""
_FROM_ENTRY = [name for name in Entry.__dataclass_fields__ if name in BY_NAME["captures"].columns]
_FROM_PARSER = ("kind", "reason", "node_id", "reference", "form", "shape", "flags", "redirect_to", "title", "listed")


@dataclass(slots=True)
class Loaded:
    """What a load did. Numbers of `captures` inserted, records `built`, `records` in total, and captures `parsed`.

    `unchanged`: the database had everything. `unreadable`: places in the archive that can't be read, one line each; their
    captures are not loaded. `difference`: the archive's state before, and the records written; no state where all were.
    """

    captures: int = 0
    records: int = 0
    built: int = 0
    parsed: int = 0
    unchanged: bool = False
    unreadable: list[str] = field(default_factory=list)
    difference: tuple[str | None, list[str]] = (None, [])


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How to load.

    rebuild: parse the whole archive again and recreate the database.
    forget_missing_captures: recreate it although the archive lacks captures that the database has; else that is an error.
    accept_refused: also load what the last refresh refused; else that is an error, unless `before_commit` checks it.
    workers: number of parsing processes; None: chosen automatically. scheduler: address of a dask cluster that parses instead.
    progress: called with the numbers of captures parsed and to be parsed.
    before_commit: called last, with the new state inside the transaction; an exception rolls everything back.
    database: a file other than the folder's own.
    stop: ends the load within a second or two.
    """

    rebuild: bool = False
    forget_missing_captures: bool = False
    accept_refused: bool = False
    workers: int | None = None
    scheduler: str | None = None
    progress: Progress = lambda _done, _total: None
    before_commit: Callable[[sqlite3.Connection, Loaded], None] | None = None
    database: Path | None = None
    stop: Stop = field(default_factory=Stop)


def load(folders: Folders, options: LoadOptions | None = None) -> Loaded:
    """Loads the captures that the database lacks, or all of them if other code built it. The caller holds the folder's lock.

    Raises TtaError, Stopped, or what the options' functions raise; then the database is unchanged.
    """
    options = options or LoadOptions()
    if not folders.archive.is_dir():
        raise TtaError(f"there is no archive at {folders.archive}: run `tta import` or `tta fetch` first")
    try:
        done = _load(folders, options)
    except ParsedPagesDamaged:
        remove(folders.data / parsed_pages.NAME)
        done = _load(folders, options)
    if options.database is None:
        try:
            similar.update(folders.database, *done.difference, lambda: options.stop.over)
        except (sqlite3.DatabaseError, OSError):  # all is committed, and the next load recreates the file
            with suppress(OSError):
                remove(folders.data / similar.NAME)
    return done


def _load(folders: Folders, options: LoadOptions) -> Loaded:
    """Loads once, in one transaction. Raises as `load`, and ParsedPagesDamaged if the store of parsed pages must be recreated."""
    catalog = folders.archive / CATALOG
    with (
        cluster(options.scheduler, options.stop.check) if options.scheduler else nullcontext() as remote,
        Archive(folders.archive, writable=True) as archive,
        closing(ParsedPages(folders.data, catalog, empty=options.rebuild)) as pages,
        writing(options.database or folders.database, catalog) as (db, version),
        stoppable(db, options.stop),
    ):
        for table, key in _TABLES.items():
            db.execute(f"CREATE TEMP TABLE {table} ({key} TEXT PRIMARY KEY) WITHOUT ROWID")
        state = _archive_state(db, folders.data)
        made_by = db.execute("SELECT code, archive FROM main.program").fetchone() if version == schema.VERSION else None
        fresh = options.rebuild or options.forget_missing_captures or made_by is None or made_by[0] != loading_code()
        done = Loaded(unreadable=list(archive.unread))
        done.unchanged = not fresh and made_by == (loading_code(), state)
        if done.unchanged:
            done.difference = state, []
        else:
            _Load(db, folders, pages, options, remote, version, done).run(fresh=fresh)
            db.execute("DELETE FROM program")
            db.execute(schema.insert_sql("program"), (loading_code(), None if done.unreadable else state))
        done.records = db.execute("SELECT count(*) FROM records").fetchone()[0]
        if options.before_commit:
            options.before_commit(db, done)
        if not done.unchanged and options.database is None:
            overlays.attach(db, folders.data)
            organizations.write_matches(db, folders.data)
        return done


def _archive_state(db: sqlite3.Connection, data: Path) -> str:
    """Returns a digest that changes with the catalog's captures and deliveries, and with decisions on organization matches."""
    files = db.execute("SELECT warc_file, read_to FROM archive.files ORDER BY warc_file").fetchall()
    rows = db.execute("SELECT count(*), max(rowid) FROM archive.captures").fetchone()
    return hashlib.sha256(repr((files, rows, organizations.decisions(data))).encode()).hexdigest()[:16]


@dataclass(slots=True)
class _Load:
    """One load, inside its transaction. `remote`: a cluster that parses; `version`: of the existing tables, None for none."""

    db: sqlite3.Connection
    folders: Folders
    pages: ParsedPages
    options: LoadOptions
    remote: WorkerPool | None
    version: int | None
    done: Loaded

    def run(self, *, fresh: bool) -> None:
        """Updates all tables; `fresh` recreates them first."""
        if self.version is not None and not self.options.forget_missing_captures:
            fresh |= self._check_none_is_lost()
        if not fresh:
            self._find_new()
        is_free = self.options.accept_refused or self.options.before_commit
        if not is_free and (fresh or self.db.execute("SELECT 1 FROM temp.touched").fetchone()):
            runs.check_none_is_refused(self.db)  # before any page is parsed, so that the error comes at once
        self._parse()
        if fresh:
            if self.version is not None:  # the checks look for those that are not built again
                self.db.execute("INSERT INTO temp.affected SELECT record_id FROM main.records")
            schema.renew(self.db)
            self._find_new()
        self._insert_captures()
        schema.finish(self.db, ("captures",))
        revisits.resolve(self.db)
        assign_records.assign_records(self.db)
        availability.assign_gone_records(self.db)
        assign_records.set_kinds(self.db)
        (affected,) = self.db.execute("SELECT count(*) FROM temp.affected").fetchone()
        self.done.built = build(self.db, self.pages, self._choose_pool(affected))
        availability.update_availability(self.db)
        schema.finish(self.db, ("fields",))
        organizations.assign_organizations(self.db, self.folders.data)
        schema.finish(self.db)
        self.db.execute("PRAGMA analysis_limit = 1000")
        self.db.execute("ANALYZE main" if fresh or self.done.captures > FEW else "PRAGMA main.optimize")
        if not fresh:
            built = [record_id for (record_id,) in self.db.execute("SELECT record_id FROM temp.affected")]
            self.done.difference = self.db.execute("SELECT archive FROM program").fetchone()[0], built

    def _find_new(self) -> None:
        """Fills `temp.touched` with the captures to be inserted."""
        self.db.execute(f"INSERT INTO temp.touched {absent_from('main.captures')}")

    def _check_none_is_lost(self) -> bool:
        """Returns whether the archive lists captures under other ids than the database, as after a change of the identity rules.

        Raises ArchiveDamaged if it lacks a capture that the database has, because its content would be dropped. Another version
        may have had other rules for what is one capture; among its captures, those whose file is missing are lost.
        """
        gone = "FROM main.captures one WHERE NOT EXISTS (SELECT 1 FROM archive.captures c WHERE c.capture_id = one.capture_id)"
        place = "archive.captures c WHERE c.warc_file = one.warc_file AND c.warc_offset = one.warc_offset"
        if self.version != schema.VERSION:
            place = "archive.files c WHERE c.warc_file = one.warc_file"
        is_other = self.db.execute(f"SELECT 1 {gone} LIMIT 1").fetchone() is not None
        lost = f"SELECT count(*), min(capture_id) {gone} AND NOT EXISTS (SELECT 1 FROM {place})"
        count, first = self.db.execute(lost).fetchone() if is_other else (0, None)
        if count:
            raise ArchiveDamaged(
                f"the archive lacks {count} captures that the database has, such as {first}; nothing changed: run `tta doctor`"
            )
        return is_other

    def _parse(self) -> None:
        """Parses the captures that are not parsed yet, and stores the results in batches, even if it is stopped."""
        total = self.pages.find_missing()
        if not total:
            return
        waiting: list[tuple[Entry, ParsedCapture]] = []
        pool = self._choose_pool(total, isolate_pages=self.pages.was_interrupted)
        with self.pages.parsing(), closing(parse_all(self.folders.archive, self.pages.missing(), pool)) as results:
            try:
                for count, (entry, parsed) in enumerate(results, start=1):
                    self.options.stop.check()
                    if self._is_result(entry, parsed):
                        waiting.append((entry, parsed))
                        self.done.parsed += 1
                    if len(waiting) >= BATCH:
                        self.pages.add(waiting)
                        waiting = []
                    self.options.progress(count, total)
            finally:
                self.pages.add(waiting)

    def _choose_pool(self, count: int, *, isolate_pages: bool = False) -> WorkerPool | None:
        """Returns where to parse so many captures, or to build so many records; None for this process."""
        workers, check = self.options.workers or (1 if count <= FEW else cores()), self.options.stop.check
        return self.remote or (Processes(workers, check, build.__module__) if workers > 1 or isolate_pages else None)

    def _is_result(self, entry: Entry, parsed: ParsedCapture) -> bool:
        """Whether parsing gave a result. A capture that the database has is not dropped because of damage or a busy machine."""
        if not parsed.damage and (parsed.reason != GIVEN_UP or self.options.rebuild):
            return True
        query = "SELECT record_id FROM main.captures WHERE capture_id = ?"
        loaded = None if self.version is None else self.db.execute(query, [entry.capture_id]).fetchone()
        if parsed.damage and loaded:
            raise ArchiveDamaged(f"{parsed.damage}; the database has this capture and is unchanged: run `tta doctor`")
        if parsed.damage:
            self.done.unreadable.append(parsed.damage)
        elif loaded and loaded[0] is not None:
            raise TtaError(
                f"{entry.warc_file} at {entry.warc_offset}: {GIVEN_UP}, although it was read before; nothing was changed: run "
                "`tta load` again when the machine is less busy, or `tta load --rebuild` to load it as unreadable"
            )
        return not parsed.damage

    def _insert_captures(self) -> None:
        """Inserts the captures that the database lacks, and those with a new preferred delivery."""
        db = self.db
        of_touched = "FROM main.captures WHERE capture_id IN (SELECT capture_id FROM temp.touched)"
        for column in ("record_id", "gone_record_id"):
            db.execute(f"INSERT OR IGNORE INTO temp.affected SELECT {column} {of_touched} AND {column} IS NOT NULL")
        db.execute(f"INSERT OR IGNORE INTO temp.renewed SELECT CAST(node_id AS TEXT) {of_touched} AND node_id IS NOT NULL")
        db.execute(f"DELETE {of_touched}")
        found = ((entry, self.pages.get(entry.capture_id)) for entry in (Entry(*row) for row in db.execute(_ENTRIES)))
        db.executemany(schema.insert_sql("captures"), (_capture_row(entry, parsed) for entry, parsed in found if parsed))
        db.execute("DELETE FROM temp.touched WHERE capture_id NOT IN (SELECT capture_id FROM main.captures)")
        self.done.captures = db.execute("INSERT INTO temp.loaded SELECT capture_id FROM temp.touched").rowcount


def _capture_row(entry: Entry, parsed: ParsedCapture) -> tuple[object, ...]:
    """Returns a row of `captures`, as far as the capture alone determines it."""
    values = dict.fromkeys(BY_NAME["captures"].columns)
    values |= {name: getattr(entry, name) for name in _FROM_ENTRY} | {name: getattr(parsed, name) for name in _FROM_PARSER}
    values["record_id"] = str(parsed.node_id) if parsed.form and parsed.node_id is not None else None
    return tuple((values | {"address": address_key(entry.url)}).values())
