"""Listings in the ledger: which were complete, from when the next one must start, and whether one lost rows.

Every listing may add rows; only a complete one counts as knowledge of all that an archive has (ARCHIVES.md, section 7).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from parsers.urls import node_id
from scraper.archive.warc import utc_now
from scraper.capture import from_iso, iso
from scraper.ledger.store import Ledger, Row, sha1_of, to_timestamp
from scraper.web.addresses import url_key

OVERLAP = timedelta(days=14)
"""Late indexing is normal; EDGI lists 10 days back every night (ARCHIVES.md, fact 12 and section 7)."""
FULL_EVERY = timedelta(days=7)
ACCEPT_SHRUNK_AFTER = timedelta(days=7)
"""Until then a smaller listing counts as the archive's mistake, as pages come and go (IA #242); then as its new state."""
FULL, INCREMENTAL, WINDOW = "full", "incremental", "window"
COMPLETE, PARTIAL, SHRUNK, RUNNING = "complete", "partial", "shrunk", "running"
_INSERT = Path(__file__).with_name("list_row.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of one listing: distinct rows, those never listed before, and those that only an earlier one had."""

    listed: int
    new: int
    vanished: int


@dataclass(frozen=True, slots=True)
class LastListing:
    """The last listing of one scope of one source; times ISO 8601, UTC. `note`: what was wrong with it, and unusable rows."""

    source: str
    scope: str
    outcome: str
    listed: int
    note: str
    started_at: str
    last_complete_at: str | None


def last_listings(ledger: Ledger) -> list[LastListing]:
    """Returns the last listing of every source and scope."""
    query = (
        "SELECT source, scope, outcome, listed, note, started_at, (SELECT max(started_at) FROM listings AS whole WHERE"
        " whole.source = one.source AND whole.scope = one.scope AND whole.outcome = 'complete' AND whole.kind != 'window')"
        " FROM listings AS one WHERE id IN (SELECT max(id) FROM listings GROUP BY source, scope) ORDER BY source, scope"
    )
    return [LastListing(*row) for row in ledger.db.execute(query)]


class Listings:
    """The listings of one source within one scope, such as a host or a crawl."""

    def __init__(self, ledger: Ledger, source: str, scope: str) -> None:
        self._db = ledger.db
        self._where = self.source, self.scope = source, scope

    def start(self) -> datetime | None:
        """Returns the time from which to list: the last complete one's start less the overlap; None (everything) once a week."""
        full, last = self._last(FULL), self.last_complete()
        return last - OVERLAP if full and last and datetime.now(UTC) - full[1] < FULL_EVERY else None

    def begin(self, kind: str, start: datetime | None) -> int:
        """Stores that a listing begins now, and returns its number."""
        values = [*self._where, kind, to_timestamp(start) if start else None, iso(utc_now()), RUNNING]
        query = "INSERT INTO listings (source, scope, kind, from_timestamp, started_at, outcome) VALUES (?, ?, ?, ?, ?, ?)"
        return int(self._db.execute(query, values).lastrowid or 0)

    def add(self, listing: int, rows: Iterable[Row]) -> None:
        """Adds rows, or marks known ones as still listed; all of them or none."""
        self._db.execute("BEGIN")
        try:
            for row in rows:
                values = asdict(row) | {"urlkey": url_key(row.url), "node_id": node_id(row.url), "status": row.status or 0}
                values |= {"digest": sha1_of(row.digest) or row.digest or "", "source": self.source, "scope": self.scope}
                self._db.execute(_INSERT, values | {"listing": listing})
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def counts(self, listing: int, start: str | None) -> Counts:
        """Returns the counts of a listing that has ended. `start`: the timestamp from which it lists, None for everything."""
        query = "SELECT count(*) FILTER (WHERE last_listing = ?), count(*) FILTER (WHERE first_listing = ?) FROM captures"
        listed, new = self._db.execute(f"{query} WHERE source = ? AND scope = ?", [listing, listing, *self._where]).fetchone()
        full = self._last(FULL)
        vanished = 0
        if full:
            # Rows that only a smaller or incomplete listing had don't count: it may have been another site's.
            complete = "SELECT id FROM listings WHERE source = ?1 AND scope = ?2 AND outcome = 'complete' AND id >= ?4"
            gone = f"source = ?1 AND scope = ?2 AND last_listing < ?3 AND last_listing IN ({complete}) AND timestamp >= ?5"
            values = (*self._where, listing, full[0], start or "")
            vanished = self._db.execute(f"SELECT count(*) FROM captures WHERE {gone}", values).fetchone()[0]  # noqa: S608
            if start is None:
                before = self._db.execute("SELECT listed FROM listings WHERE id = ?", [full[0]]).fetchone()[0]
                vanished = max(vanished, before + new - listed)
        return Counts(listed, new, vanished)

    def end(self, listing: int, outcome: str, counts: Counts, note: str = "") -> None:
        """Stores how a listing ended."""
        values = [iso(utc_now()), outcome, counts.listed, counts.new, note, listing]
        self._db.execute("UPDATE listings SET ended_at = ?, outcome = ?, listed = ?, new = ?, note = ? WHERE id = ?", values)

    def shrunk_for_long(self) -> bool:
        """Returns whether full listings have been smaller than the last complete one for ACCEPT_SHRUNK_AFTER."""
        full = self._last(FULL)
        query = "SELECT min(started_at) FROM listings WHERE source = ? AND scope = ? AND kind = ? AND outcome = ? AND id > ?"
        row = self._db.execute(query, [*self._where, FULL, SHRUNK, full[0] if full else 0]).fetchone()
        since = from_iso(row[0])
        return since is not None and datetime.now(UTC) - since >= ACCEPT_SHRUNK_AFTER

    def last_complete(self) -> datetime | None:
        """Returns when the last complete listing began, None where there is none."""
        last = self._last(FULL, INCREMENTAL)
        return last[1] if last else None

    def _last(self, *kinds: str) -> tuple[int, datetime] | None:
        """Returns number and start of the last complete listing of one of these kinds."""
        query = "SELECT id, started_at FROM listings WHERE source = ? AND scope = ? AND outcome = ? AND kind IN (?, ?)"
        row = self._db.execute(f"{query} ORDER BY id DESC LIMIT 1", [*self._where, COMPLETE, kinds[0], kinds[-1]]).fetchone()
        at = from_iso(row[1]) if row else None
        return (int(row[0]), at) if row and at else None
