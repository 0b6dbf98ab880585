"""Archives that run pywb, such as Arquivo.pt or the UK Web Archive: their CDX server and raw replay. One source per archive.

Some of them block a client permanently that asks too fast, so each has intervals of its own, and is listed once a week.
"""

from collections.abc import Iterator
from datetime import timedelta

from scraper import config
from scraper.errors import NotCdx
from scraper.ledger.listings import Listings
from scraper.ledger.store import Row
from scraper.sources.base import ListingResult, SourceContext, Window, record_scope
from scraper.sources.cdx import IndexServer, usable
from scraper.sources.replay import Replay
from scraper.web.client import RequestPolicy

LIST_FOR = timedelta(days=7)
"""How long a listing counts as fresh: these archives add captures late, Arquivo.pt after a year (ARCHIVES.md, section 9)."""
FORMS = ({"url": "*.{}"}, {"url": "{}", "matchType": "domain"}, {"url": "*.{}", "matchType": "domain"}, {"url": "{}/*"})
"""Ways to ask for a host with its subdomains; archives differ in which they understand (ARCHIVES.md, section 4)."""


class Pywb:
    """One archive. Its captures have the source `pywb:NAME`."""

    def __init__(self, settings: config.PywbArchive, context: SourceContext) -> None:
        self.name = f"pywb:{settings.name}"
        self._context = context
        allow = context.allow(settings.cdx_url, settings.replay_url)
        policy = RequestPolicy(allow=allow, interval=settings.cdx_interval, follow=1, closed_by_403=True)
        self._server = IndexServer(context, policy, settings.cdx_url)
        self.fetch = Replay(self.name, settings.replay_url, settings.replay_interval, context, allow).fetch

    def list_captures(self, window: Window | None, total: ListingResult) -> None:
        """Lists every host that was not completely listed in the last days."""
        for host in self._context.hosts:
            listings = Listings(self._context.ledger, self.name, host)
            record_scope(self._context, listings, self._pages(host, window), total, window, LIST_FOR)

    def _pages(self, host: str, window: Window | None) -> Iterator[tuple[list[Row], int]]:
        """Yields the pages of all ways of asking: an archive may answer one that it does not understand with the home page only.

        Raises NotCdx where a listing breaks off, or no way of asking lists anything and one failed.
        """
        problem: NotCdx | None = None
        found = False
        for form in FORMS:
            is_listed = False
            try:
                for page in self._server.pages(form | {"url": form["url"].format(host)}, window):
                    is_listed |= bool(page)
                    yield usable(page, self._context.hosts)
            except NotCdx as error:
                if is_listed:
                    raise
                problem = error
            found |= is_listed
        if problem and not found:
            raise problem
