"""The ledger, `DIR/ledger.db`: what was listed, whether it was fetched, when to request it again, and which hosts to avoid.

The WARC files are the truth about what is stored; the ledger lets the next run request only the rest. A capture is marked as
fetched after the archive has made it durable, so a crash in between costs only one request. `queries.sql` has the queries, which
callers run by name. Every listing may add rows; only a complete one shows all that an archive has (ARCHIVES.md, section 7). A
ledger of another version is set aside, and the sources are listed again.
"""

import json
import re
import sqlite3
from base64 import b32decode, b32encode
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, cast

from parsers.urls import node_id
from scraper.archive.dating import parse_time
from scraper.capture import Capture, from_iso, iso, url_key, utc_now
from scraper.errors import TtaError
from scraper.sqlite import dicts, explain, open_memory, open_readonly, open_writable, replace_file, stored_version, tables_version
from scraper.web.pacing import MAX_RETRY_AFTER, Host

APPLICATION = 0x7474616C
"""`application_id`, "ttal": distinguishes the ledger from any other SQLite file."""
SCHEMA = Path(__file__).with_name("ledger.sql").read_text(encoding="utf-8")
VERSION = tables_version(SCHEMA)
_NAMED = re.split(r"(?m)^-- (\w+).*\n", Path(__file__).with_name("queries.sql").read_text(encoding="utf-8"))
_QUERIES = dict(zip(_NAMED[1::2], _NAMED[2::2], strict=True))


class FetchState(StrEnum):
    """The state of a listed capture. Captures in the states after DUPLICATE are not stored and will be requested again."""

    LISTED = "listed"
    FETCHED = "fetched"  # stored with its body
    UNCHANGED = "unchanged"  # stored as a revisit: our archive already had the body
    DUPLICATE = "duplicate"  # our archive already had this capture, from another source or a file
    SUBSTITUTED = "substituted"  # the source offers another capture instead
    BLOCKED = "blocked"  # excluded, by the site's owner or by robots.txt
    MISSING = "missing"  # listed, but the source can't replay it
    FAILED = "failed"  # no usable answer
    PARKED = "parked"  # failed so often that it is requested only once a month


STORED = (FetchState.FETCHED, FetchState.UNCHANGED, FetchState.DUPLICATE)  # states of captures that the archive has

ASK_AGAIN = {FetchState.SUBSTITUTED: 7, FetchState.MISSING: 30, FetchState.BLOCKED: 90, FetchState.PARKED: 30}
"""Days until captures that can't be replayed are requested again (ARCHIVES.md, section 7, "Negative cache"; EDGI's has 7)."""
PARK_AFTER = 8
"""Failed runs after which a capture is requested only once a month (`FetchState.PARKED`)."""
OVERLAP = timedelta(days=14)
"""Late indexing is normal; EDGI lists 10 days back every night (ARCHIVES.md, fact 12 and section 7)."""
FULL_EVERY = timedelta(days=7)
ACCEPT_SHRUNK_AFTER = timedelta(days=7)
"""A smaller listing counts as an error of the archive (internetarchive/wayback#242) for this long, then as its new state."""
FULL, INCREMENTAL, WINDOW = "full", "incremental", "window"
COMPLETE, PARTIAL, SHRUNK, RUNNING = "complete", "partial", "shrunk", "running"
EMPTY_SHA1 = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
"""Digest of zero bytes; server-not-modified revisits have it too, for any page (iipc/openwayback#224)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCapture:
    """One listed capture, with the index's values. `filename`, `offset` and `length` locate its record for range requests."""

    url: str
    timestamp: str
    digest: str | None = None
    mime: str | None = None
    status: int | None = None
    length: int | None = None
    filename: str | None = None
    offset: int | None = None
    truncated: str | None = None
    id: int = 0
    tries: int = 0

    @property
    def is_revisit(self) -> bool:
        """Whether the index marks it as a revisit of an earlier capture (ARCHIVES.md, section 1, "Row quirks")."""
        return self.mime == "warc/revisit"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """The result for one row. `ask_again` replaces the state's usual time. `capture`: it is not stored yet."""

    state: FetchState
    reason: str = ""
    capture_id: str | None = None
    truncated: str | None = None
    ask_again: timedelta | None = None
    capture: Capture | None = None


def to_time(timestamp: str) -> datetime | None:
    """14 digits as a time in UTC, else None. Those of 2000 may have a month 00 and no seconds, as in `20000008241731`."""
    digits = timestamp[:4] + timestamp[6:] + "00" if timestamp[4:6] == "00" else timestamp
    time = parse_time(digits) if re.fullmatch(r"[0-9]{14}", digits) else None
    return time.moment if time else None


def to_timestamp(moment: datetime) -> str:
    """Returns a time as 14 digits, UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def sha1_of(digest: str | None) -> str | None:
    """Returns an index's digest as `sha1:BASE32`, None if it is missing, invalid or of another kind."""
    kind, _, value = (digest or "").rpartition(":")
    with suppress(ValueError):
        raw = bytes.fromhex(value) if len(value) == 40 else b32decode(value.upper())
        return f"sha1:{b32encode(raw).decode()}" if len(raw) == 20 and kind.lower() in ("", "sha1", "sha-1") else None
    return None


class Ledger(AbstractContextManager["Ledger"]):
    """One writer at a time (the caller holds the data folder's lock). Every method that writes commits."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        """Opens or creates the ledger; if `writable`, sets one of another version aside. Raises TtaError, SqliteDamaged."""
        self.path = path
        self.notes: list[str] = []
        """What was done on opening that the user should know, one line each."""
        try:
            self.db = self._open(writable)
        except sqlite3.Error as error:
            raise explain(path, error) from None

    def _open(self, writable: bool) -> sqlite3.Connection:
        exists = writable or self.path.exists()
        db = (open_writable(self.path) if writable else open_readonly(self.path)) if exists else open_memory()
        version = stored_version(db, self.path, APPLICATION)
        if writable and version is not None and (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
        if version not in (None, VERSION):
            if not writable:
                raise TtaError(f"{self.path} was written by another version of this program: run `tta fetch`, which replaces it")
            db.close()
            kept = replace(self.path, "version")
            self.notes.append(f"{self.path} is of another version: it is kept as {kept.name}, and the sources are listed again")
            return self._open(writable)
        if version is None and not writable:
            db = open_memory()
        if version is None:
            create(db)
        if writable:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
        return db

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def ask(self, query: str, **values: object) -> sqlite3.Cursor:
        """Runs the query of that name in `queries.sql`."""
        return self.db.execute(_QUERIES[query], values)

    def value(self, query: str, **values: object) -> Any:
        """Returns the first column of a query's first row, None if there is no row."""
        return next(iter(self.ask(query, **values).fetchone() or ()), None)

    def host(self, name: str) -> Host:
        """Returns what `pacing` has stored about a host."""
        row = self.ask("host", name=name).fetchone()
        return Host(name, from_iso(row[0]), row[1], row[2], from_iso(row[3]), from_iso(row[4])) if row else Host(name)

    def save_host(self, host: Host) -> None:
        times = {name: iso(getattr(host, name)) for name in ("not_before", "limited_at", "asked_at")}
        self.ask("save_host", name=host.name, reason=host.reason, bans=host.bans, **times)

    def begin_run(self) -> int:
        return int(self.ask("begin_run", now=iso(utc_now())).lastrowid or 0)

    def end_run(self, run: int, status: int, summary: dict[str, object]) -> None:
        self.ask("end_run", now=iso(utc_now()), status=status, summary=json.dumps(summary), run=run)

    def read_note(self, name: str, fresh_for: timedelta) -> str | None:
        """Returns what `keep_note` stored under that name; None if that was more than `fresh_for` ago."""
        return cast("str | None", self.value("note", name=name, since=iso(utc_now() - fresh_for)))

    def keep_note(self, name: str, value: str) -> None:
        self.ask("keep_note", name=name, value=value, now=iso(utc_now()))

    def due_ids(
        self, source: str, *, now: datetime | None, window: tuple[str, str] = ("", "~"), failed_in: int | None = None
    ) -> list[int]:
        """Returns the numbers of the rows to request, ordered by page and time, so that an original comes before its revisits.

        `now`: those due by then, None for all that are not settled; `window`: only timestamps within, inclusive;
        `failed_in`: only those that failed in that run.
        """
        low, high = window
        rows = self.ask("due", source=source, now=iso(now) if now else "~", low=low, high=high, failed_in=failed_in)
        return [number for (number,) in rows]

    def row(self, number: int) -> ListedCapture:
        return ListedCapture(**dict(zip(ListedCapture.__dataclass_fields__, self.ask("row", id=number).fetchone(), strict=True)))

    def settle(self, row: ListedCapture, result: FetchResult, run: int, *, again: bool = False) -> FetchState:
        """Stores the result for a row, and returns its state. `again`: a second try in one run, not counted separately."""
        tries, state, now = row.tries + (not again), result.state, datetime.now(UTC)
        if state is FetchState.FAILED and tries >= PARK_AFTER:
            state = FetchState.PARKED
        wait = result.ask_again or timedelta(days=ASK_AGAIN.get(state, 0))
        if state is FetchState.FAILED and not result.ask_again and tries >= 3:
            # The archive may have recovered in one of the next two runs; after that the time doubles from a day.
            wait = timedelta(days=2 ** (tries - 3))
        is_stored = state in STORED
        times = {"ask_again_at": None if is_stored else iso(now + wait), "fetched_at": iso(utc_now()) if is_stored else None}
        values = {"state": state, "reason": result.reason, "capture_id": result.capture_id, "truncated": result.truncated}
        self.ask("settle", **values, **times, id=row.id, tries=tries, run=run)
        return state

    def sources(self) -> list[str]:
        """Returns the sources that list captures."""
        return [str(source) for (source,) in self.ask("sources")]

    def nodes(self, source: str, states: Iterable[FetchState] = tuple(FetchState)) -> set[int]:
        """Returns the node numbers of a source's captures in these states."""
        return {node for (node,) in self.ask("nodes", source=source, states=json.dumps(list(states)))}


def last_listings(ledger: Ledger) -> list[dict[str, Any]]:
    """Returns the last listing of every source and scope: source, scope, outcome, listed, note, started_at, last_complete_at."""
    return dicts(ledger.db, _QUERIES["last_listings"])


class ListingEnd(NamedTuple):
    """The result of a listing: distinct rows, those new in it, those missing since an earlier one. `shrunk`: a warning."""

    listed: int
    new: int
    vanished: int
    outcome: str
    shrunk: str


class Listings:
    """The listings of one source within one scope, such as a host or a crawl."""

    def __init__(self, ledger: Ledger, source: str, scope: str) -> None:
        self.source, self.scope = source, scope
        self._ledger, self._of = ledger, {"source": source, "scope": scope}

    def start(self) -> datetime | None:
        """Returns the time from which to list: the last complete one's start less the overlap; None (everything) once a week."""
        full, last = self._last(FULL), self.last_complete()
        return last - OVERLAP if full and last and datetime.now(UTC) - full[1] < FULL_EVERY else None

    def begin(self, kind: str, start: datetime | None) -> int:
        """Records that a listing begins now, and returns its number."""
        since = to_timestamp(start) if start else None
        begun = self._ledger.ask("begin_listing", **self._of, kind=kind, start=since, now=iso(utc_now()), outcome=RUNNING)
        return int(begun.lastrowid or 0)

    def add(self, listing: int, rows: Iterable[ListedCapture]) -> None:
        """Adds rows, or marks known ones as still listed; all or none."""
        with self._ledger.db:  # which commits, or rolls back
            self._ledger.db.execute("BEGIN")
            for row in rows:
                values = asdict(row) | {"urlkey": url_key(row.url), "node_id": node_id(row.url), "status": row.status or 0}
                values["digest"] = sha1_of(row.digest) or row.digest or ""
                self._ledger.ask("list_row", **self._of, listing=listing, **values)

    def end(self, listing: int, kind: str, since: datetime | None = None, *, problem: str = "", skipped: int = 0) -> ListingEnd:
        """Stores how a listing (of captures `since` a time) ended. `problem`: why it is incomplete; `skipped`: unusable rows."""
        listed, new = self._ledger.ask("counts", **self._of, listing=listing).fetchone()
        full, vanished, start = self._last(FULL), 0, to_timestamp(since) if since else ""
        if full and not problem:
            vanished = self._ledger.value("vanished", **self._of, listing=listing, full=full[0], start=start)
            if since is None:
                vanished = max(vanished, self._ledger.value("listed", full=full[0]) + new - listed)
        outcome, shrunk = PARTIAL if problem else COMPLETE, ""
        if kind != WINDOW and vanished > new:
            shrunk = f"{vanished} captures that were listed before are missing ({listed} are listed)"
            first = from_iso(self._ledger.value("shrunk_since", **self._of, full=full[0] if full else 0))
            is_old = first is not None and datetime.now(UTC) - first >= ACCEPT_SHRUNK_AFTER
            outcome = COMPLETE if kind == FULL and is_old else SHRUNK
        notes = [*filter(None, (problem, shrunk)), *[f"rows that can't be used: {skipped}"] * bool(skipped)]
        values = {"outcome": outcome, "listed": listed, "new": new, "note": "; ".join(notes)}
        self._ledger.ask("end_listing", listing=listing, now=iso(utc_now()), **values)
        return ListingEnd(listed, new, vanished, outcome, shrunk)

    def last_complete(self) -> datetime | None:
        """Returns when the last complete listing began, None if there is none."""
        return (self._last(INCREMENTAL) or (0, None))[1]

    def _last(self, or_kind: str) -> tuple[int, datetime] | None:
        """Returns number and start of the last complete listing that was full or of that kind."""
        row = self._ledger.ask("last_complete", **self._of, or_kind=or_kind).fetchone()
        at = from_iso(row[1]) if row else None
        return (int(row[0]), at) if row and at else None


def create(ledger: sqlite3.Connection) -> None:
    """Creates the tables in an empty file, in one transaction."""
    header = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}"
    ledger.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {header}; COMMIT")


def replace(path: Path, reason: str) -> Path:
    """Replaces an unusable ledger, kept under the returned name, by one that has only the waits of hosts. Raises OSError."""
    fresh = path.with_name(f".{path.stem}-new{path.suffix}")
    fresh.unlink(missing_ok=True)
    with closing(open_writable(fresh)) as db:
        create(db)
        with suppress(sqlite3.Error, ValueError, TypeError), closing(open_readonly(path)) as old:
            latest = utc_now() + timedelta(seconds=MAX_RETRY_AFTER)
            for name, not_before, *more in old.execute("SELECT name, not_before, reason, bans, limited_at, asked_at FROM hosts"):
                until = from_iso(not_before)
                if until is None or until <= latest:  # a damaged digit must not block a host for a century
                    db.execute("INSERT INTO hosts VALUES (?, ?, ?, ?, ?, ?)", [name, not_before, *more])
    return replace_file(path, fresh, reason)
