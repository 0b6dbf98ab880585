"""The Internet Archive's Wayback Machine: its CDX server's dialect, and raw replay."""

from __future__ import annotations

from scraper import config
from scraper.ledger.rows import FetchResult, Row
from scraper.sources.base import Fetched, ListingResult, SourceContext
from scraper.sources.cdx_listing import CdxListing
from scraper.sources.replay import Replay
from scraper.web.addresses import AllowList


class Wayback:
    """One archive with a CDX server of the Internet Archive's dialect."""

    name = "wayback"

    def __init__(self, settings: config.Wayback, retry: config.Retry, context: SourceContext, *, loopback: bool) -> None:
        allow = AllowList.of([settings.cdx_url, settings.replay_url], loopback=loopback)
        self._listing = CdxListing(self.name, settings, retry, context, allow)
        self._replay = Replay(self.name, settings.replay_url, settings.replay_interval, settings.hosts, retry, context, allow)

    def list_captures(self, window: tuple[str, str] | None) -> ListingResult:
        """Lists every configured host."""
        return self._listing.list_captures(window)

    def fetch(self, row: Row, *, again: bool) -> Fetched | FetchResult:
        """Returns the capture, raw."""
        return self._replay.fetch(row, again=again)
