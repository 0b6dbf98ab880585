"""The ledger, `DIR/ledger.db`: what was listed, whether it was fetched, when to ask again, and which hosts must not be asked.

The WARC files are the truth about what is stored; the ledger is what makes the next run ask for the rest only. A capture is
written here as fetched after the archive has made it durable, so a crash in between costs one request and nothing else.
Listings and their completeness are in `listings`. A ledger of another version is set aside, and the sources are listed again.
"""

import json
import re
import sqlite3
from base64 import b32decode, b32encode
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from scraper.archive.dating import parse_time
from scraper.archive.warc import utc_now
from scraper.capture import from_iso, iso
from scraper.errors import TtaError
from scraper.sqlite import explain, open_memory, open_readonly, open_writable, replace_file, stored_version, tables_version
from scraper.web.pacing import MAX_RETRY_AFTER, Host

APPLICATION = 0x7474616C
"""`application_id`, "ttal": distinguishes the ledger from any other SQLite file."""
SCHEMA = Path(__file__).with_name("ledger.sql").read_text(encoding="utf-8")
VERSION = tables_version(SCHEMA)


class State(StrEnum):
    """The state of a listed capture. Captures in the states after DUPLICATE are not stored and will be asked for again."""

    LISTED = "listed"
    FETCHED = "fetched"  # stored with its body
    UNCHANGED = "unchanged"  # stored as a revisit: the archive had the body already
    DUPLICATE = "duplicate"  # the archive had this capture already, from another source or a file
    SUBSTITUTED = "substituted"  # the archive offers another capture instead
    BLOCKED = "blocked"  # excluded, by the site's owner or by robots.txt
    MISSING = "missing"  # listed, but the archive can't play it
    FAILED = "failed"  # no usable answer
    PARKED = "parked"  # failed so often that it is asked for only once a month


STORED = (State.FETCHED, State.UNCHANGED, State.DUPLICATE)

ASK_AGAIN = {
    State.SUBSTITUTED: timedelta(days=7),
    State.MISSING: timedelta(days=30),
    State.BLOCKED: timedelta(days=90),
    State.PARKED: timedelta(days=30),
}
"""When captures that can't be played are asked for again (ARCHIVES.md, section 7, "Negative cache"; EDGI's expires after 7 days).
"""
PARK_AFTER = 8
"""Runs in which a capture failed."""
EMPTY_SHA1 = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
"""Of zero bytes; server-not-modified revisits have it too, whatever the page was (openwayback #224)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One listed capture. `timestamp`: the index's 14 digits; `digest`: as the index spells it, or None. `filename`, `offset` and
    `length` (bytes) locate its WARC record, for sources that read ranges.
    """

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
        """Whether the index marks it as a repetition of an earlier capture (ARCHIVES.md, section 1, "Row quirks")."""
        return self.mime == "warc/revisit"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """The result for one row. `reason` contains no control characters. `ask_again` replaces the state's usual time."""

    state: State
    reason: str = ""
    capture_id: str | None = None
    truncated: str | None = None
    ask_again: timedelta | None = None


def when_to_ask_again(result: FetchResult, tries: int, now: datetime) -> datetime | None:
    """Returns the time before which the row is not asked for again, None where it is settled. `tries` includes this one."""
    if result.state in STORED:
        return None
    if result.ask_again is not None:
        return now + result.ask_again
    if result.state is State.FAILED:
        # The archive may have recovered in one of the next two runs; after that the time doubles from a day.
        return now if tries < 3 else now + timedelta(days=2 ** (tries - 3))
    return now + ASK_AGAIN.get(result.state, timedelta())


def to_time(timestamp: str) -> datetime | None:
    """Returns 14 digits as a time in UTC, None where they are not one.

    Captures of 2000 may have an inserted month of 00 and no seconds, as in `20000008241731` (ARCHIVES.md, section 1).
    """
    digits = timestamp[:4] + timestamp[6:] + "00" if timestamp[4:6] == "00" else timestamp
    time = parse_time(digits) if re.fullmatch(r"[0-9]{14}", digits) else None
    return time.moment if time else None


def to_timestamp(moment: datetime) -> str:
    """Returns a time as 14 digits, UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def sha1_of(digest: str | None) -> str | None:
    """Returns an index's digest as `sha1:BASE32`, None where it is missing, invalid or of another kind."""
    kind, _, value = (digest or "").rpartition(":")
    with suppress(ValueError):
        raw = bytes.fromhex(value) if len(value) == 40 else b32decode(value.upper())
        return f"sha1:{b32encode(raw).decode()}" if len(raw) == 20 and kind.lower() in ("", "sha1", "sha-1") else None
    return None


_FIELDS = tuple(Row.__dataclass_fields__)
_ROW = ", ".join(
    f"nullif({name}, '')" if name == "digest" else f"nullif({name}, 0)" if name == "status" else name for name in _FIELDS
)


class Ledger(AbstractContextManager["Ledger"]):
    """One writer at a time (the caller holds the data folder's lock). Every method that writes commits."""

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        """Opens the ledger. A missing or empty one is created; without `writable`, an empty one in memory is used instead.

        A ledger of another version is set aside when it is opened for writing. Raises TtaError, SqliteDamaged.
        """
        self.path = path
        self.notes: list[str] = []
        """What opening it did that a person should know, a line each."""
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

    def _value(self, query: str, values: Sequence[object]) -> Any:
        """The first column of a query's first row, None if there is no row."""
        return next(iter(self.db.execute(query, values).fetchone() or ()), None)

    # Hosts: what `pacing` remembers between runs.

    def host(self, name: str) -> Host:
        query = "SELECT not_before, reason, bans, limited_at, asked_at FROM hosts WHERE name = ?"
        row = self.db.execute(query, [name]).fetchone()
        return Host(name, from_iso(row[0]), row[1], row[2], from_iso(row[3]), from_iso(row[4])) if row else Host(name)

    def save_host(self, host: Host) -> None:
        values = [host.name, iso(host.not_before), host.reason, host.bans, iso(host.limited_at), iso(host.asked_at)]
        self.db.execute("INSERT OR REPLACE INTO hosts VALUES (?, ?, ?, ?, ?, ?)", values)

    # Runs, and small things to remember.

    def begin_run(self) -> int:
        return int(self.db.execute("INSERT INTO runs (started_at) VALUES (?)", [iso(utc_now())]).lastrowid or 0)

    def end_run(self, run: int, status: int, summary: dict[str, object]) -> None:
        values = [iso(utc_now()), status, json.dumps(summary), run]
        self.db.execute("UPDATE runs SET ended_at = ?, status = ?, summary = ? WHERE id = ?", values)

    def note(self, name: str, fresh_for: timedelta) -> str | None:
        """A value that was kept less than `fresh_for` ago."""
        since = iso(utc_now() - fresh_for)
        value: str | None = self._value("SELECT value FROM notes WHERE name = ? AND at > ?", [name, since])
        return value

    def keep_note(self, name: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", [name, value, iso(utc_now())])

    # Captures.

    def due_ids(
        self, source: str, *, now: datetime | None, window: tuple[str, str] = ("", "~"), failed_in: int | None = None
    ) -> list[int]:
        """The numbers of the rows to ask for, ordered by page and time, so that an original comes before its revisits.

        `now`: those whose time has come, None for all that are not settled; `window`: only timestamps within, inclusive;
        `failed_in`: only those that failed in that run.
        """
        query = (
            "SELECT id FROM captures WHERE source = ? AND ask_again_at IS NOT NULL AND ask_again_at <= ?"
            " AND timestamp BETWEEN ? AND ? AND (? IS NULL OR (run = ? AND state = 'failed')) ORDER BY urlkey, timestamp, id"
        )
        values = [source, iso(now) if now else "~", *window, failed_in, failed_in]
        return [number for (number,) in self.db.execute(query, values)]

    def row(self, number: int) -> Row:
        """The row of that number."""
        values = self.db.execute(f"SELECT {_ROW} FROM captures WHERE id = ?", [number]).fetchone()  # noqa: S608
        return Row(**dict(zip(_FIELDS, values, strict=True)))

    def settle(self, row: Row, result: FetchResult, run: int, *, again: bool = False) -> State:
        """Stores the result for a row. Returns its state, which is PARKED where it failed in too many runs.

        `again`: the row was tried before in this run, which counts as one try.
        """
        now = datetime.now(UTC)
        tries = row.tries + (0 if again else 1)
        if result.state is State.FAILED and tries >= PARK_AFTER:
            result = FetchResult(state=State.PARKED, reason=result.reason)
        ask_again = when_to_ask_again(result, tries, now)
        query = (
            "UPDATE captures SET state = ?, reason = ?, tries = ?, ask_again_at = ?, run = ?, fetched_at = ?, capture_id = ?,"
            " truncated = coalesce(?, truncated) WHERE id = ?"
        )
        values = (result.state, result.reason, tries, iso(ask_again), run, None if ask_again else iso(utc_now()))
        self.db.execute(query, [*values, result.capture_id, result.truncated, row.id])
        return result.state

    def failed_in(self, source: str, run: int) -> list[tuple[str, str, str]]:
        """Timestamp, URL and reason of each row that a run could not fetch."""
        query = "SELECT timestamp, url, reason FROM captures WHERE source = ? AND run = ? AND state IN ('failed', 'parked')"
        return self.db.execute(query, [source, run]).fetchall()

    def states(self, source: str) -> dict[State, int]:
        """How many rows of a source are in each state."""
        rows = self.db.execute("SELECT state, count(*) FROM captures WHERE source = ? GROUP BY state", [source])
        return {State(state): count for state, count in rows}

    def knows(self, urlkey: str, timestamp: str) -> bool:
        """Whether any source lists a capture of that page at that time."""
        query = "SELECT 1 FROM captures WHERE urlkey = ? AND timestamp = ? LIMIT 1"
        return self._value(query, [urlkey, timestamp]) is not None

    def stored_elsewhere(self, source: str, urlkey: str, row: Row) -> str | None:
        """The capture id of the same page at the same time with the same digest, stored from another source."""
        where = "timestamp = ? AND digest != '' AND source != ? AND state IN ('fetched', 'unchanged', 'duplicate')"
        return self._stored(urlkey, row.digest or "", where, [row.timestamp, source])

    def original_of(self, urlkey: str, digest: str) -> str | None:
        """The capture id of a stored capture of the same page, in whatever spelling, with that digest in the index."""
        return self._stored(urlkey, digest, "state IN ('fetched', 'duplicate') AND truncated IS NULL", [])

    def _stored(self, urlkey: str, digest: str, where: str, values: list[str]) -> str | None:
        query = f"SELECT capture_id FROM captures WHERE urlkey = ? AND digest = ? AND capture_id IS NOT NULL AND {where}"  # noqa: S608
        found: str | None = self._value(f"{query} ORDER BY timestamp LIMIT 1", [urlkey, digest, *values])
        return found

    def sources(self) -> list[str]:
        """The sources that list captures."""
        return [str(source) for (source,) in self.db.execute("SELECT DISTINCT source FROM captures")]

    def nodes(self, source: str, states: Iterable[State] = tuple(State)) -> set[int]:
        """The node numbers of a source's captures in these states."""
        query = "SELECT DISTINCT node_id FROM captures, json_each(?) WHERE source = ? AND state = value AND node_id > 0"
        return {node for (node,) in self.db.execute(query, [json.dumps(list(states)), source])}


def create(ledger: sqlite3.Connection) -> None:
    """Creates the tables in an empty file, in one transaction."""
    ledger.executescript(
        f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT"
    )


def replace(path: Path, reason: str) -> Path:
    """Puts an empty ledger in the place of an unusable one, which is kept under the name that is returned. Raises OSError.

    Carried over, as far as it can be read, is only when each host may be asked again: archives ban clients that forget it.
    """
    fresh = path.with_name(f".{path.stem}-new{path.suffix}")
    fresh.unlink(missing_ok=True)
    with closing(open_writable(fresh)) as db:
        create(db)
        with suppress(sqlite3.Error, ValueError, TypeError), closing(open_readonly(path)) as old:
            latest = utc_now() + timedelta(seconds=MAX_RETRY_AFTER)
            for name, not_before, *more in old.execute("SELECT name, not_before, reason, bans, limited_at, asked_at FROM hosts"):
                until = from_iso(not_before)
                if until is None or until <= latest:  # a damaged digit must not forbid a host for a century
                    db.execute("INSERT INTO hosts VALUES (?, ?, ?, ?, ?, ?)", [name, not_before, *more])
    return replace_file(path, fresh, reason)
