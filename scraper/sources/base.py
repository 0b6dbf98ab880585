"""What all sources share: their interface to `scraper.fetch`, and how a listing is recorded in the ledger."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from scraper.archive.store import Archive
from scraper.archive.warc import sha1_digest
from scraper.capture import Capture, Original, WarcType, utc_now
from scraper.config import Config, load_config
from scraper.errors import ListingTimedOut, NotAllowed, NotCdx, RequestFailed, TooLarge, WrongUsage
from scraper.folders import Folders
from scraper.ledger.store import COMPLETE, FULL, WINDOW, FetchResult, FetchState, Ledger, ListedCapture, Listings, to_timestamp
from scraper.stopping import Stop
from scraper.terminal import escape
from scraper.web.addresses import AllowList
from scraper.web.client import Client
from scraper.web.pacing import Pacer

DONE, PARTLY, PAUSED, FAILED = "done", "partly", "paused", "failed"
LISTING_ERRORS = (NotCdx, RequestFailed, TooLarge, NotAllowed)
"""Errors that make a listing incomplete; any other ends the source's run."""
Pages = Iterable[tuple[Sequence[ListedCapture], int]]
"""The pages of a listing: the rows of each, and the number of unusable ones."""
Window = tuple[str, str]
"""The first and the last timestamp of the captures to list, both inclusive; each may be shortened, or empty."""


def as_revisit(capture: Capture, original: Capture) -> Capture:
    """Returns a capture without its body, which `original` has, but with the digest that replay needs (WARC 1.1, 6.7.2)."""
    repeats = Original(original.warc_record_id, original.url, original.captured_at)
    digest = sha1_digest(original.payload)
    return replace(capture, warc_type=WarcType.REVISIT, payload=b"", payload_digest=digest, original=repeats, warc_record_id=None)


def revisit_of(original: Capture, *, source: str, url: str, captured_at: datetime) -> Capture:
    """Returns a capture that repeats a stored one of another time, or of another spelling of the address."""
    kept = tuple(pair for pair in original.http_headers if pair[0].lower() in ("content-type", "location"))
    own = Capture(warc_type=WarcType.REVISIT, source=source, payload=b"", url=url, captured_at=captured_at, fetched_at=utc_now())
    own = replace(own, http_status=original.http_status, http_reason=original.http_reason, http_headers=kept)
    return as_revisit(replace(own, content_type=original.content_type), original)


@dataclass(slots=True)
class SourceReport:
    """Counts of one source in a run, `asked` and `answered` also of its listings. `skipped`: rows that can't be asked for;
    `waiting`: everything that is listed and not stored, in whatever run.
    """

    source: str = ""
    listed: int = 0
    new: int = 0
    vanished: int = 0
    skipped: int = 0
    asked: int = 0
    answered: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    outcome: str = DONE
    fetched: int = 0
    unchanged: int = 0
    duplicate: int = 0
    substituted: int = 0
    blocked: int = 0
    missing: int = 0
    failed: int = 0
    waiting: int = 0
    to_fetch: int = 0

    @property
    def new_captures(self) -> int:
        return self.fetched + self.unchanged + self.substituted

    def add_problem(self, problem: str, outcome: str) -> None:
        """Adds a problem. The first outcome other than "done" stays, except that a pause or a failure replaces "partly"."""
        self.problems.append(problem)
        if self.outcome in (DONE, PARTLY):
            self.outcome = outcome

    def count(self, state: FetchState, step: int = 1) -> None:
        """Counts the result for a capture; `step` is -1 where it was counted earlier in this run and is another now."""
        name = FetchState.FAILED if state is FetchState.PARKED else state
        setattr(self, name, getattr(self, name) + step)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source works with; it stores nothing itself. `progress` is called after each page of a listing: its name, rows."""

    settings: Config
    client: Client
    ledger: Ledger
    archive: Archive
    progress: Callable[[str, int], None]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts whose captures are wanted, with their subdomains."""
        return self.settings.sources.wayback.hosts

    def allow(self, *urls: str) -> AllowList:
        """Returns the allow-list for the hosts of these URLs, under the configured rule for loopback."""
        return AllowList.of(urls, loopback=self.settings.http.allow_loopback)


def standalone(contact: str | None) -> SourceContext:
    """Returns what a source works with outside a data folder: settings of `tta.toml`; what it learns is kept in memory."""
    settings, nowhere = load_config(), Folders(Path(os.devnull))  # below which nothing can be stored
    settings = replace(settings, http=replace(settings.http, contact=contact or settings.http.contact))
    if not settings.http.contact:
        raise WrongUsage('archives block clients without a contact: give one, such as contact="mailto:you@example.org"')
    ledger = Ledger(nowhere.ledger, writable=False)
    client = Client(settings, Pacer(ledger.host, ledger.save_host, Stop()))
    return SourceContext(settings, client, ledger, Archive(nowhere.archive), lambda *_: None)


class Source(Protocol):
    """One archive. Its methods raise the network errors of `scraper.errors`; SourcePaused ends the source for the run."""

    name: str

    def list_captures(self, window: Window | None, report: SourceReport) -> None:
        """Lists into the ledger and adds to `report`. A listing of a `window` does not count as a complete one."""

    def fetch(self, row: ListedCapture, *, again: bool) -> FetchResult:
        """Returns the result for a listed capture: the capture, or why there is none. `again`: it failed before in this run."""


def record_listing(
    context: SourceContext, listings: Listings, pages: Pages, report: SourceReport, kind: str, since: datetime | None = None
) -> int | None:
    """Stores a listing, adds to `report`, and returns its rows, None if incomplete. ListingTimedOut is left to the caller."""
    scope, number = listings.scope, listings.begin(kind, since)
    start = to_timestamp(since) if since else None
    report.asked += 1
    problem, skipped, seen = "", 0, 0
    try:
        for rows, unusable in pages:
            listings.add(number, rows)
            skipped += unusable
            seen += len(rows) + unusable
            context.progress(f"listing {listings.source} {scope}", seen)
            if start and any(row.timestamp < start for row in rows):
                since = start = None  # the server ignores `from` and lists everything, so everything is compared
    except BaseException as error:
        problem = escape(error) or "interrupted"
        if isinstance(error, ListingTimedOut) or not isinstance(error, LISTING_ERRORS):
            listings.end(number, kind, since, problem=problem, skipped=skipped)
            raise  # the report has only listings that ended
    ended = listings.end(number, kind, since, problem=problem, skipped=skipped)
    if problem:
        report.problems.append(f"the listing of {scope} is not complete: {problem}")
    if ended.shrunk:
        lines = report.notes if ended.outcome == COMPLETE else report.problems
        lines.append(f"the listing of {scope} shrank: {ended.shrunk}; nothing is removed")
    report.listed += ended.listed
    report.new += ended.new
    report.vanished += ended.vanished
    report.skipped += skipped
    report.answered += not problem
    return None if problem else ended.listed


def record_scope(
    context: SourceContext, scope: str, pages: Pages, report: SourceReport, window: Window | None, fresh_for: timedelta
) -> None:
    """Records a listing of a window, or of the whole scope unless a complete one is younger than `fresh_for`."""
    listings = Listings(context.ledger, report.source, scope)
    last = listings.last_complete()
    if window or last is None or datetime.now(UTC) - last >= fresh_for:
        record_listing(context, listings, pages, report, WINDOW if window else FULL)
