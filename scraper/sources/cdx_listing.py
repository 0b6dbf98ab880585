"""Listing hosts through a CDX server: pages, resume keys, loop guards, and the verdict on a whole listing.

The dialect is the Internet Archive's (ARCHIVES.md, section 1); one answer is parsed in `cdx`, what was listed is in `listings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from scraper import config
from scraper.errors import NotAllowed, NotCdx, RequestFailed, TooLarge, UnknownFields
from scraper.ledger.listings import COMPLETE, FULL, INCREMENTAL, PARTIAL, SHRUNK, WINDOW, Counts, Listings
from scraper.ledger.rows import Row, to_timestamp
from scraper.sources.base import Listed, Room
from scraper.sources.cdx import FIELDS, Page, parse_listing, to_row, until_readable
from scraper.terminal import escape
from scraper.web.addresses import AllowList
from scraper.web.client import MIB, Answer, Manner

MAX_PAGES = 10_000
MAX_ROWS = 5_000_000
MAX_EMPTY_PAGES = 200
"""Loop guards; a scan may give empty pages with a key, a loop gives them for ever (ARCHIVES.md, section 1, "Loop guards")."""
MAX_ALIKE = 1000
"""Rows of one page at one second that are asked for; the same second twice is the most that was seen (EDGI #40)."""
MAX_REDIRECTS = 5
CDX_WIRE, CDX_DECODED = 64 * MIB, 64 * MIB


class CdxListing:
    """The listings of one source. The configured hosts are listed with their subdomains."""

    def __init__(self, name: str, settings: config.Wayback, retry: config.Retry, room: Room, allow: AllowList) -> None:
        self.name = name
        self._settings = settings
        self._retry = retry
        self._room = room
        self._own_names = False
        self._cdx = Manner(
            allow=allow, interval=settings.cdx_interval, max_wire=CDX_WIRE, max_decoded=CDX_DECODED, follow=MAX_REDIRECTS
        )

    def list_captures(self, window: tuple[str, str] | None) -> Listed:
        """Lists every configured host. A host whose listing fails is a problem; the others are listed all the same."""
        total = Listed()
        for host in self._settings.hosts:
            try:
                self._list_host(host, window, total)
            except (NotCdx, RequestFailed, TooLarge, NotAllowed) as error:
                total.problems.append(f"the listing of {host} is not complete: {error}")
        return total

    def _list_host(self, host: str, window: tuple[str, str] | None, total: Listed) -> None:
        listings = Listings(self._room.ledger, self.name, host)
        if window:
            self._one_listing(listings, host, WINDOW, None, {"from": window[0], "to": window[1]}, total)
            return
        start = listings.start()
        if start is not None:
            counts = self._one_listing(listings, host, INCREMENTAL, start, {"from": to_timestamp(start)}, total)
            if counts.listed:
                return
            # Nothing new, or nothing at all any more? Only a full listing tells; for one host it is a few requests.
        self._one_listing(listings, host, FULL, None, {}, total)

    def _one_listing(
        self, listings: Listings, host: str, kind: str, start: datetime | None, extra: dict[str, str], total: Listed
    ) -> Counts:
        listing = listings.begin(kind, start)
        since = to_timestamp(start) if start else None
        reached_before = False
        try:
            for rows in self._pages(host, {name: value for name, value in extra.items() if value}, total):
                listings.add(listing, rows)
                reached_before = reached_before or any(since is not None and row.timestamp < since for row in rows)
        except BaseException as error:
            counts = self._add_up(listings.counts(listing, "~"), total)
            listings.end(listing, PARTIAL, counts, escape(error))
            raise
        # A server that ignores `from` has listed everything, and is judged by everything.
        counts = self._add_up(listings.counts(listing, None if reached_before else since), total)
        outcome, note = COMPLETE, ""
        if kind != WINDOW and counts.vanished > counts.new:
            note = f"{counts.vanished} captures that were listed before are not any more ({counts.listed} are)"
            outcome = COMPLETE if kind == FULL and listings.shrunk_for_long() else SHRUNK
            lines = total.notes if outcome == COMPLETE else total.problems
            lines.append(f"the listing of {host} shrank: {note}; nothing is removed")
        listings.end(listing, outcome, counts, note)
        return counts

    @staticmethod
    def _add_up(counts: Counts, total: Listed) -> Counts:
        total.listed += counts.listed
        total.new += counts.new
        total.vanished += counts.vanished
        return counts

    def _pages(self, host: str, extra: dict[str, str], total: Listed) -> Iterator[list[Row]]:
        """The rows of each page. Raises NotCdx where the listing does not end properly."""
        limit = self._settings.page_limit
        asked = {
            "url": host,
            "matchType": "domain",
            "fl": ",".join(FIELDS),
            "limit": str(limit),
            "showResumeKey": "true",
            **extra,
        }
        key: str | None = None
        seen: set[str] = set()
        rows_so_far = ours = empty = 0
        for _ in range(MAX_PAGES):
            page = self._page_or_end({**asked, "resumeKey": key} if key else asked, limit)
            rows = self._in_scope(page, total)
            yield rows
            rows_so_far += len(page.rows)
            ours += len(rows)
            self._room.progress(f"{self.name} {host}", rows_so_far)
            empty = 0 if page.rows else empty + 1
            key = page.resume_key
            if key is None:
                if len(page.rows) > limit:
                    raise NotCdx(f"more than {limit} rows are left, and no key to go on with")
                if rows_so_far and not ours:
                    raise NotCdx(f"none of its {rows_so_far} rows is of that host")
                return
            if key in seen or empty > MAX_EMPTY_PAGES or rows_so_far > MAX_ROWS:
                raise NotCdx(f"it goes round in circles after {rows_so_far} rows")
            seen.add(key)
            if len(page.rows) >= limit:
                yield self._at_boundary(page, asked, total)
        raise NotCdx(f"it does not end after {MAX_PAGES} pages")

    def _page_or_end(self, asked: dict[str, str], limit: int) -> Page:
        """One page. As many rows as were asked for and no key may be the end or a lost key: one row more is asked for to tell."""
        page = self._page(asked)
        if page.resume_key is None and len(page.rows) == limit:
            return self._page({**asked, "limit": str(limit + 1)})
        return page

    def _at_boundary(self, page: Page, asked: dict[str, str], total: Listed) -> list[Row]:
        """The rows that a page's end cut off from their like: the key names the next time, so those of the same page and time
        as the last row would be skipped (ARCHIVES.md, fact 6).
        """
        last = page.rows[-1]
        if to_row(last) is None:
            return []
        exact = {name: value for name, value in asked.items() if name != "showResumeKey"}
        exact |= {"url": last["original"], "matchType": "exact", "from": last["timestamp"], "to": last["timestamp"]}
        found = self._page({**exact, "limit": str(MAX_ALIKE)})
        return [row for row in self._in_scope(found, total) if row.timestamp == last["timestamp"]]

    def _in_scope(self, page: Page, total: Listed) -> list[Row]:
        """The rows that can be asked for and are of our hosts: listings hold junk (ARCHIVES.md, section 1, "Row quirks")."""
        rows = [row for fields in page.rows if (row := to_row(fields)) and self.is_ours(row.url)]
        total.skipped += len(page.rows) - len(rows)
        return rows

    def is_ours(self, url: str) -> bool:
        try:
            host = (urlsplit(url).hostname or "").rstrip(".").lower()
        except ValueError:
            return False
        return any(host == ours or host.endswith("." + ours) for ours in self._settings.hosts)

    def _page(self, asked: dict[str, str]) -> Page:
        """One page. What is no CDX is asked for again, as text every other time: JSON can be invalid where text is fine."""

        def ask(attempt: int) -> Page:
            form = {"output": "json"} if attempt % 2 == 0 or self._own_names else {}
            try:
                return self._ask({**asked, **form})
            except UnknownFields:
                # pywb names its fields in its own way and leaves out those it does not know (ARCHIVES.md, section 3).
                self._own_names = True
                return self._ask({**asked, "output": "json"})

        return until_readable(self._room.client, self._retry, self._settings.cdx_url, ask)

    def _ask(self, asked: dict[str, str]) -> Page:
        query = {name: value for name, value in asked.items() if name != "fl" or not self._own_names}
        return _checked_page(self._room.client.get(f"{self._settings.cdx_url}?{urlencode(query)}", self._cdx))


def _checked_page(answer: Answer) -> Page:
    if answer.status == 200:
        return parse_listing(answer)
    try:
        parse_listing(answer)
    except NotCdx as error:
        raise NotCdx(f"answered {answer.status}: {error}", final=True) from None
    raise NotCdx(f"answered {answer.status}", final=True)
