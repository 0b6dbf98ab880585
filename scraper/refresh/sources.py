"""Checks of the listings: one that lost rows, and a source that has not given a whole one for long.

Both only warn. What a listing lost stays in the archive and in the database, and data that came are not made worse by a source
that is silent; but somebody has to hear of it (DESIGN.md, "Unknown is not empty").
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from scraper.capture import from_iso
from scraper.config import Config
from scraper.database.checks import Check, Severity
from scraper.fetch.report import Report as Fetched
from scraper.folders import Folders
from scraper.ledger.completeness import Listing, last_listings
from scraper.ledger.listings import SHRUNK
from scraper.ledger.store import Ledger
from scraper.refresh.report import LISTING_AGE


def listing_checks(fetched: Fetched | None, folders: Folders, settings: Config) -> Iterator[Check]:
    """Of every source that this run asked."""
    asked = {} if fetched is None else {one.source: one for one in fetched.sources}
    if not asked:
        return
    with Ledger(folders.ledger, writable=False) as ledger:
        listings = [one for one in last_listings(ledger) if one.source in asked]
    for name, source in asked.items():
        yield _shrunk(name, source.vanished, [one for one in listings if one.source == name])
    for one in listings:
        yield _age(one, settings.checks.listing_age)


def _shrunk(name: str, vanished: int, listings: list[Listing]) -> Check:
    shrunk = [one.scope for one in listings if one.outcome == SHRUNK]
    passed = not shrunk
    message = (
        f"captures that {', '.join(shrunk)} listed before are missing from the listing; nothing was removed: see `tta status`"
    )
    return Check("a listing that shrank", Severity.WARN, name, vanished, 0, passed, None if passed else message)


def _age(listing: Listing, most: float) -> Check:
    last = from_iso(listing.last_complete_at) or from_iso(listing.started_at)
    days = (datetime.now(UTC) - last).total_seconds() / 86_400 if last else None
    passed = days is not None and days <= most
    message = (
        None if passed else "no new captures can be known of: see `tta status`, and what the last runs say in the table runs"
    )
    figure = None if days is None else round(days, 2)
    return Check(LISTING_AGE, Severity.WARN, f"{listing.source} {listing.scope}", figure, most, passed, message)
