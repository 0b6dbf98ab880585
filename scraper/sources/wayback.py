"""Archives with a CDX server and raw replay: the Internet Archive's Wayback Machine, and archives that run pywb.

The Wayback Machine's listings have pages and resume keys, and need loop guards (ARCHIVES.md, section 1). Archives that run pywb,
such as Arquivo.pt or the UK Web Archive, are a source each; some of them permanently block a client that sends requests too fast,
so each has its own intervals and is listed once a week.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from scraper import config
from scraper.capture import Capture
from scraper.errors import ListingTimedOut, NotCdx
from scraper.ledger.store import FULL, INCREMENTAL, WINDOW, ListedCapture, Listings, to_timestamp
from scraper.sources.base import SourceContext, SourceReport, Window, record_listing, record_scope, standalone
from scraper.sources.cdx import FIELDS, MAX_PAGES, IndexServer, Rows, ask_index, parse_listing, to_row, usable
from scraper.sources.replay import Replay
from scraper.web.client import RequestPolicy, Response

MAX_ROWS = 5_000_000
MAX_EMPTY_PAGES = 200
"""Loop guards: a scan may return empty pages with a key, a loop returns them forever (ARCHIVES.md, section 1, "Loop guards")."""
MAX_ALIKE = 1000
"""Rows of one page at one second that are requested; at most two have been seen (edgi-govdata-archiving/wayback#40)."""
MAX_REDIRECTS = 5
GATEWAY_TIMEOUTS = frozenset({504, 524})
"""Status of a server that gave up a listing with `from=`, which scans as much as a full one (internetarchive/wayback#285)."""
LIST_FOR = timedelta(days=7)
"""How long a pywb listing counts as fresh: captures are added late, at Arquivo.pt after a year (ARCHIVES.md, section 9)."""
FORMS = ({"url": "*.{}"}, {"url": "{}", "matchType": "domain"}, {"url": "*.{}", "matchType": "domain"}, {"url": "{}/*"})
"""Ways to query pywb for a host with its subdomains; archives support different ones (ARCHIVES.md, section 4)."""
FORM_FOR = timedelta(days=90)
"""How long only the way that listed everything is used, before all ways are tried again."""


class Wayback:
    """The archive's listings and captures. The configured hosts are listed with their subdomains.

    Without a `context` it is for use outside a data folder; then `contact`, or else that of `tta.toml`, is sent to the archive.
    """

    name = "wayback"

    def __init__(self, context: SourceContext | None = None, contact: str | None = None) -> None:
        context = context or standalone(contact)
        self._settings = settings = context.settings.sources.wayback
        self._context = context
        allow = context.allow(settings.cdx_url, settings.replay_url)
        self._policy = RequestPolicy(allow=allow, interval=settings.cdx_interval, follow=MAX_REDIRECTS)
        self.fetch = Replay(self.name, settings.replay_url, settings.replay_interval, context, allow).fetch

    def captures(self, url: str, since: str = "", until: str = "") -> Iterator[Capture]:
        """Yields the captures of a URL of the configured hosts, each requested in turn; skips those that can't be shown.

        `since`, `until`: timestamps such as 2024 or 20240531, inclusive. Raises NotCdx, RequestFailed, TooLarge, SourcePaused.
        """
        limits = {name: value for name, value in (("from", since), ("to", until)) if value}
        for rows, _ in self._pages(url, {"matchType": "exact", **limits}):
            yield from filter(None, (self.fetch(row, again=True).capture for row in rows))

    def list_captures(self, window: Window | None, report: SourceReport) -> None:
        """Lists every configured host. A host whose listing fails is a problem; the others are still listed."""
        for host in self._context.hosts:
            listings = Listings(self._context.ledger, self.name, host)
            if window:
                limits = {name: value for name, value in zip(("from", "to"), window, strict=True) if value}
                record_listing(self._context, listings, self._pages(host, limits), report, WINDOW)
                continue
            if start := listings.start():
                with suppress(ListingTimedOut):
                    pages = self._pages(host, {"from": to_timestamp(start)})
                    if record_listing(self._context, listings, pages, report, INCREMENTAL, start) != 0:
                        continue
                # No rows may mean that nothing is new, or that nothing is listed anymore. A full listing shows which.
            record_listing(self._context, listings, self._pages(host, {}), report, FULL)

    def _pages(self, host: str, query: dict[str, str]) -> Iterator[tuple[list[ListedCapture], int]]:
        """Yields the rows of each page, and how many more can't be used. Raises NotCdx if the listing does not end properly."""
        limit = self._settings.page_limit
        asked = {"url": host, "matchType": "domain", "fl": ",".join(FIELDS), "output": "json", "limit": str(limit)}
        asked |= {"showResumeKey": "true", **query}
        key: str | None = None
        seen: set[str] = set()
        rows_so_far = ours = empty = 0
        for _ in range(MAX_PAGES):
            query = {**asked, "resumeKey": key} if key else asked
            page, key = self._fetch_page(query)
            if key is None and len(page) == limit:
                # This may be the end or a lost key; requesting one row more shows which.
                page, key = self._fetch_page({**query, "limit": str(limit + 1)})
            rows, skipped = usable(page, self._context.hosts)
            yield rows, skipped
            rows_so_far += len(page)
            ours += len(rows)
            empty = 0 if page else empty + 1
            if key is None:
                if len(page) > limit:
                    raise NotCdx(f"more than {limit} rows are left, and there is no key to continue with")
                if rows_so_far and not ours:
                    raise NotCdx(f"none of its {rows_so_far} rows is of that host")
                return
            if key in seen or empty > MAX_EMPTY_PAGES or rows_so_far > MAX_ROWS:
                raise NotCdx(f"it goes in circles after {rows_so_far} rows")
            seen.add(key)
            if len(page) >= limit and to_row(page[-1]):
                yield self._rows_at_boundary(page[-1], asked), 0
        raise NotCdx(f"it does not end after {MAX_PAGES} pages")

    def _rows_at_boundary(self, last: dict[str, str], asked: dict[str, str]) -> list[ListedCapture]:
        """Returns the rows at the second of a page's last row, which the key to the next page skips (ARCHIVES.md, fact 6)."""
        exact = {name: value for name, value in asked.items() if name != "showResumeKey"}
        exact |= {"url": last["original"], "matchType": "exact", "from": last["timestamp"], "to": last["timestamp"]}
        rows, _ = usable(self._fetch_page({**exact, "limit": str(MAX_ALIKE)})[0], self._context.hosts)
        return [row for row in rows if row.timestamp == last["timestamp"]]

    def _fetch_page(self, asked: dict[str, str]) -> tuple[Rows, str | None]:
        is_incremental = asked.get("matchType") == "domain" and "from" in asked and "to" not in asked
        policy = replace(self._policy, final=GATEWAY_TIMEOUTS) if is_incremental else self._policy

        def parse(answer: Response) -> tuple[Rows, str | None]:
            if answer.status in policy.final:
                raise ListingTimedOut(f"answered {answer.status}", final=True)
            try:
                page = parse_listing(answer)
            except NotCdx as error:
                raise error if answer.status == 200 else NotCdx(f"answered {answer.status}: {error}", final=True) from None
            if answer.status != 200:
                raise NotCdx(f"answered {answer.status}", final=True)
            return page

        return ask_index(self._context, f"{self._settings.cdx_url}?{urlencode(asked)}", policy, parse)


class Pywb:
    """One archive that runs pywb. Its captures have the source `pywb:NAME`."""

    def __init__(self, settings: config.PywbArchive, context: SourceContext) -> None:
        self.name = f"pywb:{settings.name}"
        self._context = context
        allow = context.allow(settings.cdx_url, settings.replay_url)
        policy = RequestPolicy(allow=allow, interval=settings.cdx_interval, follow=1, closed_by_403=True)
        self._server = IndexServer(context, policy, settings.cdx_url)
        self.fetch = Replay(self.name, settings.replay_url, settings.replay_interval, context, allow).fetch

    def list_captures(self, window: Window | None, report: SourceReport) -> None:
        """Lists every host that was not completely listed in the last days."""
        for host in self._context.hosts:
            record_scope(self._context, host, self._pages(host, window), report, window, LIST_FOR)

    def _pages(self, host: str, window: Window | None) -> Iterator[tuple[list[ListedCapture], int]]:
        """Yields the pages of all queries: an archive may answer one that it does not support with only the home page."""
        problem: NotCdx | None = None
        ledger, note = self._context.ledger, f"form {self.name} {self._server.address} {host}"
        known = ledger.read_note(note, FORM_FOR)
        found: dict[str, set[str]] = {}
        for form in sorted(FORMS, key=lambda form: str(form) != known):
            listed = found[str(form)] = set()
            try:
                for page in self._server.pages(form | {"url": form["url"].format(host)}, window):
                    listed.update(map(str, page))
                    yield usable(page, self._context.hosts)
            except NotCdx as error:
                if listed:
                    raise
                problem = error
            if listed and str(form) == known:
                return
        everything = set().union(*found.values())
        if problem and not everything:
            raise problem
        if everything and not window and (best := next((form for form in found if found[form] == everything), None)):
            ledger.keep_note(note, best)
