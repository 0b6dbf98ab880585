"""Checks of the sources: a listing that lost rows, and a source that has been of no use for long.

Both only warn. What a listing lost stays in the archive and in the database, and data that came are not made worse by a source
that is silent; but somebody has to hear of it (DESIGN.md, "Unknown is not empty").
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from scraper.capture import from_iso
from scraper.config import Config
from scraper.database.checks import Check, Severity
from scraper.fetch.report import DONE, PARTLY
from scraper.fetch.report import Report as Fetched
from scraper.folders import Folders
from scraper.ledger.completeness import last_listings
from scraper.ledger.listings import SHRUNK
from scraper.ledger.store import Ledger
from scraper.refresh.report import SILENT

_SHRANK = "a listing that shrank"
SOURCE_CHECKS = (_SHRANK, SILENT)


def source_checks(fetched: Fetched | None, folders: Folders, settings: Config) -> Iterator[Check]:
    """Of every source that this run asked."""
    if fetched is None:
        return
    with Ledger(folders.ledger, writable=False) as ledger:
        listings = last_listings(ledger)
        for one in fetched.sources:
            shrunk = [listing.scope for listing in listings if listing.source == one.source and listing.outcome == SHRUNK]
            yield _shrunk(one.source, one.vanished, shrunk)
            yield _silent(ledger, one.source, settings.checks.silent_days)


def _shrunk(name: str, vanished: int, scopes: list[str]) -> Check:
    message = (
        f"captures that {', '.join(scopes)} listed before are missing from the listing; nothing was removed: see `tta status`"
    )
    return Check(_SHRANK, Severity.WARN, name, vanished, 0, not scopes, message if scopes else None)


def _silent(ledger: Ledger, name: str, most: float) -> Check:
    """How long ago the source last did all or listed anything; where it never did, how long ago it was first asked."""
    outcome, listed = (f"json_extract(summary, '$.sources.{name}.{key}')" for key in ("outcome", "listed"))  # a name of ours
    asked = f"SELECT ended_at FROM runs WHERE {outcome} IS NOT NULL"  # noqa: S608
    answered = f"{asked} AND ({outcome} = ? OR ({outcome} = ? AND {listed} > 0)) ORDER BY id DESC LIMIT 1"
    well = ledger.db.execute(answered, [DONE, PARTLY]).fetchone()
    first = ledger.db.execute(f"{asked} ORDER BY id LIMIT 1").fetchone()
    since = next((from_iso(row[0]) for row in (well, first) if row), None)
    days = round((datetime.now(UTC) - since).total_seconds() / 86_400, 2) if since else None
    passed = days is None or days <= most
    message = None if passed else "nothing new is known of it since: the problems of the last runs are in the table runs"
    return Check(SILENT, Severity.WARN, name, days, most, passed, message)
