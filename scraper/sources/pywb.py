"""Archives that run pywb, such as Arquivo.pt or the UK Web Archive: their CDX server and raw replay. One source per archive.

Some of them block a client permanently that asks too fast, so each has intervals of its own, and is listed once a week.
"""

from __future__ import annotations

from datetime import timedelta

from scraper import config
from scraper.errors import NotCdx
from scraper.ledger.listings import FULL, WINDOW
from scraper.ledger.rows import FetchResult, Row
from scraper.sources.base import Fetched, ListingResult, SourceContext
from scraper.sources.cdx import to_row
from scraper.sources.index_server import IndexServer
from scraper.sources.listing import Listing, is_fresh, recorded
from scraper.sources.replay import Replay
from scraper.web.addresses import AllowList, is_of_hosts
from scraper.web.client import MIB, RequestPolicy

LIST_FOR = timedelta(days=7)
"""How long a listing counts as fresh: these archives add captures late, Arquivo.pt after a year (ARCHIVES.md, section 9)."""
FORBIDDEN_PAUSE = 86_400.0
"""Seconds after a 403, which may be the first sign of a block."""
INDEX_WIRE, INDEX_DECODED = 64 * MIB, 64 * MIB
FORMS = (
    lambda host: {"url": f"*.{host}"},
    lambda host: {"url": host, "matchType": "domain"},
    lambda host: {"url": f"*.{host}", "matchType": "domain"},
    lambda host: {"url": f"{host}/*"},
)
"""Ways to ask for a host with its subdomains; archives differ in which they understand (ARCHIVES.md, section 4)."""


class Pywb:
    """One archive. Its captures have the source `pywb:NAME`."""

    def __init__(
        self,
        settings: config.PywbArchive,
        hosts: tuple[str, ...],
        retry: config.Retry,
        context: SourceContext,
        *,
        loopback: bool,
    ) -> None:
        self.name = f"pywb:{settings.name}"
        self._hosts = hosts
        self._context = context
        allow = AllowList.of([settings.cdx_url, settings.replay_url], loopback=loopback)
        policy = RequestPolicy(
            allow=allow,
            interval=settings.cdx_interval,
            max_wire=INDEX_WIRE,
            max_decoded=INDEX_DECODED,
            follow=1,
            forbidden_pause=FORBIDDEN_PAUSE,
        )
        self._server = IndexServer(context, retry, policy, settings.cdx_url)
        self._replay = Replay(self.name, settings.replay_url, settings.replay_interval, hosts, retry, context, allow)

    def fetch(self, row: Row, *, again: bool) -> Fetched | FetchResult:
        """Returns the capture, raw."""
        return self._replay.fetch(row, again=again)

    def list_captures(self, window: tuple[str, str] | None) -> ListingResult:
        """Lists every host that was not completely listed in the last days."""
        total = ListingResult()
        start, end = window or ("", "")
        span = {"output": "json"} | ({"from": start} if start else {}) | ({"to": end} if end else {})
        for host in self._hosts:
            if window is None and is_fresh(self._context, self.name, host, LIST_FOR):
                continue
            with recorded(Listing(self._context, self.name, host, WINDOW if window else FULL), total) as listing:
                self._list(listing, host, span)
            self._context.progress(f"{self.name} {host}", listing.counts.listed)
        return total

    def _list(self, listing: Listing, host: str, span: dict[str, str]) -> None:
        """Adds the rows of the way of asking that worked last time; the first time, those of all ways."""
        note = f"form {self.name} {host}"
        kept = self._context.ledger.note(note)
        found: dict[int, int] = {}
        problem: NotCdx | None = None
        for number in [int(kept[0])] if kept else range(len(FORMS)):
            try:
                found[number] = sum(self._add(listing, page) for page in self._server.pages({**FORMS[number](host), **span}))
            except NotCdx as error:
                problem = error
        best = max(found, key=lambda number: found[number], default=None)
        if problem and (kept or best is None or not found[best]):
            raise problem
        if best is not None and found[best]:
            self._context.ledger.keep_note(note, str(best))

    def _add(self, listing: Listing, page: list[dict[str, str]]) -> int:
        rows = [row for fields in page if (row := to_row(fields)) and is_of_hosts(row.url, self._hosts)]
        listing.add(rows, len(page) - len(rows))
        return len(rows)
