"""Checks of the sources: a listing that lost rows, and a source that has not answered for long.

Both only warn: a listing's losses stay in the archive and in the database, and a silent source makes no data worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from scraper.capture import from_iso
from scraper.config import Config
from scraper.database.checks import Check, Severity
from scraper.fetch.report import DONE
from scraper.fetch.report import Report as Fetched
from scraper.folders import Folders
from scraper.ledger.listings import SHRUNK, last_listings
from scraper.ledger.store import Ledger
from scraper.refresh.report import SILENT

SHRANK = "a listing that shrank"
SOURCE_CHECKS = (SHRANK, SILENT)


def source_checks(fetched: Fetched | None, folders: Folders, settings: Config) -> Iterator[Check]:
    """Yields the checks of every source that this run asked."""
    if fetched is None:
        return
    most = settings.checks.silent_days
    with Ledger(folders.ledger, writable=False) as ledger:
        listings = last_listings(ledger)
        for one in fetched.sources:
            shrunk = ", ".join(x.scope for x in listings if x.source == one.source and x.outcome == SHRUNK)
            message = f"captures that {shrunk} listed before are missing from the listing; nothing was removed: see `tta status`"
            yield Check(SHRANK, Severity.WARN, one.source, one.vanished, 0, not shrunk, message if shrunk else None)
            days = _days_silent(ledger, one.source)
            passed = days is None or days <= most
            message = "nothing new is known from it since then: the table runs has the problems of the last runs"
            yield Check(SILENT, Severity.WARN, one.source, days, most, passed, None if passed else message)


def _days_silent(ledger: Ledger, name: str) -> float | None:
    """Returns the days since the source answered last; if it never did, since it was asked first."""
    source = f"json_extract(summary, '$.sources.\"{name}\"')"  # a name from the program or checked by the configuration
    asked = f"SELECT ended_at FROM runs WHERE {source} IS NOT NULL"  # noqa: S608
    # A source may do all there is to do without asking: a listing of last week is not repeated.
    answered = f"(json_extract({source}, '$.answered') OR json_extract({source}, '$.outcome') = '{DONE}')"
    queries = (f"{asked} AND {answered} ORDER BY id DESC LIMIT 1", f"{asked} ORDER BY id LIMIT 1")
    since = next((from_iso(row[0]) for query in queries if (row := ledger.db.execute(query).fetchone())), None)
    return round((datetime.now(UTC) - since).total_seconds() / 86_400, 2) if since else None
