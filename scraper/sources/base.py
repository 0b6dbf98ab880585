"""The interface between the sources and their caller (`scraper.fetch`): what a source is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from scraper.archive.warc import sha1_digest, utc_now
from scraper.capture import Capture, Form, Original
from scraper.ledger.rows import FetchResult, Row
from scraper.web.addresses import AllowList

if TYPE_CHECKING:  # `tta status` counts what sources did, and need not load an HTTP client
    from scraper.archive.store import Archive
    from scraper.config import Config
    from scraper.ledger.store import Ledger
    from scraper.web.client import Client


@dataclass(frozen=True, slots=True)
class Fetched:
    """A capture as the archive served it, not stored yet, with what the ledger records about it.

    `substitute`: it is not the capture that was asked for, which will be asked for again.
    """

    capture: Capture
    note: str = ""
    substitute: bool = False


def revisit_of(original: Capture, *, source: str, url: str, captured_at: datetime) -> Capture:
    """Returns a capture that repeats a stored one, with the digest by which replay finds the body (WARC 1.1, 6.7.2)."""
    return Capture(
        form=Form.REVISIT,
        source=source,
        payload=b"",
        url=url,
        captured_at=captured_at,
        fetched_at=utc_now(),
        http_status=original.http_status,
        http_reason=original.http_reason,
        http_headers=tuple(pair for pair in original.http_headers if pair[0].lower() in ("content-type", "location")),
        content_type=original.content_type,
        payload_digest=sha1_digest(original.payload),
        original=Original(original.warc_record_id, original.url, original.captured_at),
    )


@dataclass(slots=True)
class ListingResult:
    """The totals of a source's listings in one run. Counts are rows, except `asked` and `answered`: listings that were requested,
    and those of them that ended properly. `skipped`: rows that can't be asked for. `problems` are one printable line each.
    """

    listed: int = 0
    new: int = 0
    vanished: int = 0
    skipped: int = 0
    asked: int = 0
    answered: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source works with. `archive` is only asked what it has; the caller stores. `progress` is called after each page of a
    listing: what is listed, rows so far.
    """

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
        """Returns the list of the hosts of these URLs, under the configured rule for loopback."""
        return AllowList.of(urls, loopback=self.settings.http.allow_loopback)


class Source(Protocol):
    """One archive. Its methods raise the network errors of `scraper.errors`; SourcePaused ends the source for the run."""

    name: str

    def list_captures(self, window: tuple[str, str] | None, total: ListingResult) -> None:
        """Lists into the ledger and adds to `total`. `window`: only these timestamps, inclusive, without moving the watermark."""
        ...

    def fetch(self, row: Row, *, again: bool) -> Fetched | FetchResult:
        """Returns one listed capture, or why there is none. `again`: it failed before in this run."""
        ...


@runtime_checkable
class Visitor(Source, Protocol):
    """A source without a listing, which visits URLs known from elsewhere; its rows are not in the ledger."""

    def rows(self) -> Iterator[Row]:
        """Yields what to ask for in this run."""
        ...

    def stored(self, row: Row, fetched: Fetched, capture_id: str | None) -> None:
        """Called once the fetched capture is durable."""
        ...
