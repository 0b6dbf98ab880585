"""Records one listing in the ledger, whatever the archive: its rows, how it ended, and whether it lost rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from scraper.errors import ListingTimedOut, NotAllowed, NotCdx, RequestFailed, TooLarge
from scraper.ledger.listings import COMPLETE, FULL, PARTIAL, SHRUNK, WINDOW, Counts, Listings
from scraper.ledger.rows import Row, to_timestamp
from scraper.sources.base import ListingResult, SourceContext
from scraper.terminal import escape

LISTING_ERRORS = (NotCdx, RequestFailed, TooLarge, NotAllowed)
"""What makes a listing incomplete; anything else ends the source's run."""


class Listing:
    """A listing in progress. `counts` is set when it has ended."""

    def __init__(self, context: SourceContext, source: str, scope: str, kind: str, since: datetime | None = None) -> None:
        self.scope = scope
        self.kind = kind
        self.counts = Counts(0, 0, 0)
        self.is_complete = False
        self.skipped = 0
        self.listings = Listings(context.ledger, source, scope)
        self._progress = partial(context.progress, f"{source} {scope}")
        self._rows = 0
        self._since = to_timestamp(since) if since else None
        self._reached_before = False
        self._number = self.listings.begin(kind, since)

    def add(self, rows: Sequence[Row], skipped: int = 0) -> None:
        """Stores rows, all of them or none. `skipped`: rows of the same page that can't be asked for."""
        self.listings.add(self._number, rows)
        self.skipped += skipped
        self._rows += len(rows) + skipped
        self._progress(self._rows)
        since = self._since
        self._reached_before |= since is not None and any(row.timestamp < since for row in rows)

    def end(self, total: ListingResult, problem: str = "") -> None:
        """Ends it and adds its counts to `total`. `problem`: why it is not complete."""
        # A server that ignores `from` has listed everything, so everything is compared.
        start = "~" if problem else None if self._reached_before else self._since
        self.counts = counts = self.listings.counts(self._number, start)
        outcome, note = PARTIAL if problem else COMPLETE, problem
        if problem:
            total.problems.append(f"the listing of {self.scope} is not complete: {problem}")
        elif self.kind != WINDOW and counts.vanished > counts.new:
            note = f"{counts.vanished} captures that were listed before are missing ({counts.listed} are listed)"
            outcome = COMPLETE if self.kind == FULL and self.listings.shrunk_for_long() else SHRUNK
            lines = total.notes if outcome == COMPLETE else total.problems
            lines.append(f"the listing of {self.scope} shrank: {note}; nothing is removed")
        total.listed += counts.listed
        total.new += counts.new
        total.vanished += counts.vanished
        total.skipped += self.skipped
        self.is_complete = not problem
        total.answered += self.is_complete
        skipped = f"rows that can't be used: {self.skipped}" if self.skipped else ""
        self.listings.end(self._number, outcome, counts, "; ".join(filter(None, (note, skipped))))


def record(listing: Listing, pages: Iterable[tuple[Sequence[Row], int]], total: ListingResult) -> None:
    """Stores the pages of a listing, each its rows and how many more can't be asked for, and ends the listing.

    LISTING_ERRORS become a line of `total.problems`, except ListingTimedOut, which the caller handles.
    """
    total.asked += 1
    try:
        for rows, skipped in pages:
            listing.add(rows, skipped)
    except ListingTimedOut as error:
        listing.end(ListingResult(), str(error))
        raise
    except LISTING_ERRORS as error:
        listing.end(total, str(error))
    except BaseException as error:
        listing.end(ListingResult(), escape(error) or "interrupted")
        raise
    else:
        listing.end(total)


def record_scope(
    context: SourceContext,
    source: str,
    scope: str,
    pages: Iterable[tuple[Sequence[Row], int]],
    total: ListingResult,
    *,
    window: tuple[str, str] | None,
    fresh_for: timedelta,
) -> None:
    """Records a listing of a window, or of the whole scope unless a complete one is younger than `fresh_for`."""
    last = Listings(context.ledger, source, scope).last_complete()
    if window or last is None or datetime.now(UTC) - last >= fresh_for:
        record(Listing(context, source, scope, WINDOW if window else FULL), pages, total)
