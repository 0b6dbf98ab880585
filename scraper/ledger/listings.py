"""Listings in the ledger: which were complete, from when the next one must start, and whether one lost rows.

Every listing may add rows; only a complete one counts as knowledge of all that an archive has (ARCHIVES.md, section 7).
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

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


Counts = tuple[int, int, int]
"""Of one listing: distinct rows, those never listed before, and those that only an earlier one had."""


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
    return [LastListing(*row) for row in ledger.ask("last_listings")]


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
        """Stores that a listing begins now, and returns its number."""
        since = to_timestamp(start) if start else None
        begun = self._ledger.ask("begin_listing", **self._of, kind=kind, start=since, now=iso(utc_now()), outcome=RUNNING)
        return int(begun.lastrowid or 0)

    def add(self, listing: int, rows: Iterable[Row]) -> None:
        """Adds rows, or marks known ones as still listed; all of them or none."""
        with self._ledger.db:  # which commits, or rolls back
            self._ledger.db.execute("BEGIN")
            for row in rows:
                values = asdict(row) | {"urlkey": url_key(row.url), "node_id": node_id(row.url), "status": row.status or 0}
                values["digest"] = sha1_of(row.digest) or row.digest or ""
                self._ledger.ask("list_row", **self._of, listing=listing, **values)

    def counts(self, listing: int, start: str | None) -> Counts:
        """Returns the counts of a listing that has ended. `start`: the timestamp from which it lists, None for everything."""
        listed, new = self._ledger.ask("counts", **self._of, listing=listing).fetchone()
        full, vanished = self._last(FULL), 0
        if full:
            vanished = self._ledger.value("vanished", **self._of, listing=listing, full=full[0], start=start or "")
            if start is None:
                vanished = max(vanished, self._ledger.value("listed", full=full[0]) + new - listed)
        return listed, new, vanished

    def end(self, listing: int, outcome: str, counts: Counts, note: str = "") -> None:
        """Stores how a listing ended."""
        values = {"outcome": outcome, "listed": counts[0], "new": counts[1], "note": note}
        self._ledger.ask("end_listing", listing=listing, now=iso(utc_now()), **values)

    def shrunk_for_long(self) -> bool:
        """Returns whether full listings have been smaller than the last complete one for ACCEPT_SHRUNK_AFTER."""
        full = self._last(FULL)
        since = from_iso(self._ledger.value("shrunk_since", **self._of, full=full[0] if full else 0))
        return since is not None and datetime.now(UTC) - since >= ACCEPT_SHRUNK_AFTER

    def last_complete(self) -> datetime | None:
        """Returns when the last complete listing began, None where there is none."""
        last = self._last(INCREMENTAL)
        return last[1] if last else None

    def _last(self, or_kind: str) -> tuple[int, datetime] | None:
        """Returns number and start of the last complete listing that was full or of that kind."""
        row = self._ledger.ask("last_complete", **self._of, or_kind=or_kind).fetchone()
        at = from_iso(row[1]) if row else None
        return (int(row[0]), at) if row and at else None
