"""Records one listing in the ledger, whatever the archive: its rows, how it ended, and whether it lost rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from scraper.errors import ListingTimedOut, NotAllowed, NotCdx, RequestFailed, TooLarge
from scraper.ledger.listings import COMPLETE, FULL, PARTIAL, SHRUNK, WINDOW, Counts, Listings
from scraper.ledger.rows import Row, to_timestamp
from scraper.sources.base import ListingResult, SourceContext
from scraper.terminal import escape

LISTING_ERRORS = (NotCdx, RequestFailed, TooLarge, NotAllowed)
"""What makes a listing incomplete; anything else ends the source's run."""
Pages = Iterable[tuple[Sequence[Row], int]]
"""The pages of a listing: the rows of each, and how many more it has that can't be asked for."""


def record(
    context: SourceContext,
    source: str,
    scope: str,
    pages: Pages,
    total: ListingResult,
    *,
    kind: str = FULL,
    since: datetime | None = None,
) -> Counts | None:
    """Stores the pages of a listing and adds its counts to `total`. Returns the counts, None where it is not complete.

    LISTING_ERRORS become a line of `total.problems`, except ListingTimedOut, which the caller handles.
    """
    listings = Listings(context.ledger, source, scope)
    number = listings.begin(kind, since)
    start = to_timestamp(since) if since else None
    total.asked += 1
    problem, skipped, seen = "", 0, 0
    try:
        for rows, unusable in pages:
            listings.add(number, rows)
            skipped += unusable
            seen += len(rows) + unusable
            context.progress(f"{source} {scope}", seen)
            if start and any(row.timestamp < start for row in rows):
                start = None  # the server ignores `from`, so it lists everything, and everything is compared
    except BaseException as error:
        problem = escape(error) or "interrupted"
        if isinstance(error, ListingTimedOut) or not isinstance(error, LISTING_ERRORS):
            total = ListingResult()  # the totals are of listings that ended
            raise
    finally:
        counts = listings.counts(number, "~" if problem else start)
        outcome, note = PARTIAL if problem else COMPLETE, problem
        if problem:
            total.problems.append(f"the listing of {scope} is not complete: {problem}")
        elif kind != WINDOW and counts.vanished > counts.new:
            note = f"{counts.vanished} captures that were listed before are missing ({counts.listed} are listed)"
            outcome = COMPLETE if kind == FULL and listings.shrunk_for_long() else SHRUNK
            lines = total.notes if outcome == COMPLETE else total.problems
            lines.append(f"the listing of {scope} shrank: {note}; nothing is removed")
        total.listed += counts.listed
        total.new += counts.new
        total.vanished += counts.vanished
        total.skipped += skipped
        total.answered += not problem
        unusable_rows = f"rows that can't be used: {skipped}" if skipped else ""
        listings.end(number, outcome, counts, "; ".join(filter(None, (note, unusable_rows))))
    return None if problem else counts


def record_scope(
    context: SourceContext,
    source: str,
    scope: str,
    pages: Pages,
    total: ListingResult,
    window: tuple[str, str] | None,
    fresh_for: timedelta,
) -> None:
    """Records a listing of a window, or of the whole scope unless a complete one is younger than `fresh_for`."""
    last = Listings(context.ledger, source, scope).last_complete()
    if window or last is None or datetime.now(UTC) - last >= fresh_for:
        record(context, source, scope, pages, total, kind=WINDOW if window else FULL)
