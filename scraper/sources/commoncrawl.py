"""Common Crawl: the list of crawls, each crawl's index, and single records out of its files.

"No captures" is a 404 with a JSON message here; everything else that is not a listing is an error (ARCHIVES.md, fact 8).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from scraper import config
from scraper.errors import NotAllowed, NotCdx, RequestFailed, TooLarge
from scraper.ledger.listings import COMPLETE, FULL, PARTIAL, WINDOW, Counts, Listings
from scraper.ledger.rows import Row, Verdict
from scraper.sources.base import Fetched, Listed, Room
from scraper.sources.cdx import parse_lines, until_readable
from scraper.sources.ranges import MAX_RECORD, fetch_record, located_row
from scraper.terminal import escape
from scraper.web.addresses import AllowList
from scraper.web.client import MIB, Answer, Manner

FEWEST_CRAWLS = 60
"""The list has more than 100 names; during outages it was empty (cdx_toolkit #24, which rejects fewer than 60 as well)."""
LIST_FOR = timedelta(hours=24)
INDEX_FOR = timedelta(days=7)
"""How long a list of crawls and a crawl's index count as fresh (ARCHIVES.md, sections 3 and 7)."""
FORBIDDEN_PAUSE = 86_400.0
"""Seconds after a 403, which is a block for asking too much (cc-downloader: "unrecoverable")."""
MAX_PAGES = 10_000
MAX_FAILED_PAGES = 3
INDEX_WIRE, INDEX_DECODED = 64 * MIB, 64 * MIB
_NO_CAPTURES = re.compile(r"no captures found", re.IGNORECASE)


class CommonCrawl:
    """The newest crawls, or those that the settings name."""

    name = "commoncrawl"

    def __init__(
        self, settings: config.CommonCrawl, hosts: tuple[str, ...], retry: config.Retry, room: Room, *, loopback: bool
    ) -> None:
        self._settings = settings
        self._hosts = hosts
        self._retry = retry
        self._room = room
        # On loopback the list of crawls may name an index at another port.
        allow = replace(AllowList.of([settings.collinfo_url, settings.data_url], loopback=loopback), ports=frozenset())
        self._index = Manner(
            allow=allow,
            interval=settings.index_interval,
            max_wire=INDEX_WIRE,
            max_decoded=INDEX_DECODED,
            forbidden_pause=FORBIDDEN_PAUSE,
        )
        self._data = Manner(
            allow=allow,
            interval=settings.data_interval,
            max_wire=MAX_RECORD,
            max_decoded=MAX_RECORD,
            accept_encoding="identity",
            forbidden_pause=FORBIDDEN_PAUSE,
            ranged=True,
        )

    def fetch(self, row: Row, *, again: bool) -> Fetched | Verdict:
        """One record."""
        return fetch_record(self._room, row, source=self.name, data_url=self._settings.data_url, manner=self._data)

    def list_captures(self, window: tuple[str, str] | None) -> Listed:
        """Lists every wanted crawl whose index was not completely listed in the last days."""
        total = Listed()
        try:
            crawls = self._crawls(total)
        except (NotCdx, RequestFailed, TooLarge, NotAllowed) as error:
            total.problems.append(f"the list of crawls can't be used: {error}")
            return total
        for crawl, address in crawls:
            for host in self._hosts:
                listings = Listings(self._room.ledger, self.name, f"{crawl} {host}")
                last = listings.last_complete()
                if window is None and last and datetime.now(UTC) - last < INDEX_FOR:
                    continue
                self._list_crawl(listings, f"{crawl} {host}", address, _query(host, window), total)
        return total

    # The list of crawls

    def _crawls(self, total: Listed) -> list[tuple[str, str]]:
        """Name and index address of the crawls to ask."""
        known = self._known_crawls()
        wanted = self._settings.crawls
        if isinstance(wanted, int):
            return known[:wanted]
        by_name = dict(known)
        total.problems += [f"there is no crawl {name} in the list of crawls" for name in wanted if name not in by_name]
        return [(name, by_name[name]) for name in wanted if name in by_name]

    def _known_crawls(self) -> list[tuple[str, str]]:
        """All crawls, newest first. The list changes monthly and is not to be asked for often, so it is kept for a day."""
        url = self._settings.collinfo_url
        kept = self._room.ledger.note(f"collinfo {url}")
        if kept and datetime.now(UTC) - kept[1] < LIST_FOR:
            return [(name, address) for name, address in json.loads(kept[0])]
        known = until_readable(
            self._room.client, self._retry, url, lambda _: _parse_crawls(self._room.client.get(url, self._index))
        )
        for _, address in known:
            self._index.allow.check(address)
        self._room.ledger.keep_note(f"collinfo {url}", json.dumps(known))
        return known

    # The index of one crawl

    def _list_crawl(self, listings: Listings, scope: str, address: str, query: dict[str, str], total: Listed) -> None:
        listing = listings.begin(WINDOW if "from" in query or "to" in query else FULL, None)
        problem = ""
        try:
            pages = self._page_count(address, query)
            problem = self._list_pages(listings, listing, address, query, pages, total)
        except (NotCdx, RequestFailed, TooLarge, NotAllowed) as error:
            problem = str(error)
        except BaseException as error:
            self._end(listings, listing, escape(error) or "interrupted", total)
            raise
        counts = self._end(listings, listing, problem, total)
        self._room.progress(f"{self.name} {scope}", counts.listed)
        if problem:
            total.problems.append(f"the listing of {scope} is not complete: {problem}")

    @staticmethod
    def _end(listings: Listings, listing: int, problem: str, total: Listed) -> Counts:
        counts = listings.counts(listing, "")
        total.listed += counts.listed
        total.new += counts.new
        listings.end(listing, PARTIAL if problem else COMPLETE, counts, problem)
        return counts

    def _page_count(self, address: str, query: dict[str, str]) -> int | None:
        """How many pages the index has for the query, 0 where it has no captures; None where it can't page."""
        answer = self._room.client.get(f"{address}?{urlencode({**query, 'showNumPages': 'true'})}", self._index)
        if _has_no_captures(answer):
            return 0
        if answer.status not in (200, 400):
            raise NotCdx(f"the index answered {answer.status}", final=True)
        text = answer.body.decode("utf-8", "replace").strip()
        try:
            told = json.loads(text) if answer.status == 200 else None
        except ValueError:
            return None
        pages = told.get("pages") if isinstance(told, dict) else told
        return pages if isinstance(pages, int) and 0 <= pages <= MAX_PAGES else None

    def _list_pages(
        self, listings: Listings, listing: int, address: str, query: dict[str, str], pages: int | None, total: Listed
    ) -> str:
        """Lists the pages; what was wrong with those that could not be read, empty where all could.

        A page number is an address, not a cursor: one that fails is skipped, and the index is listed again (urx #361).
        """
        if pages is None:
            listings.add(listing, self._rows(address, query, total) or [])
            return ""
        problem, failed = "", 0
        for page in range(pages):
            try:
                rows = self._rows(address, {**query, "page": str(page)}, total)
            except (NotCdx, RequestFailed) as error:
                problem, failed = f"page {page}: {error}", failed + 1
                if failed >= MAX_FAILED_PAGES:
                    return problem
                continue
            failed = 0
            if rows is None:
                break
            listings.add(listing, rows)
        return problem

    def _rows(self, address: str, query: dict[str, str], total: Listed) -> list[Row] | None:
        """The rows of one page, None beyond the last."""

        def ask(_attempt: int) -> list[Row] | None:
            answer = self._room.client.get(f"{address}?{urlencode(query)}", self._index)
            if _has_no_captures(answer):
                return []
            if answer.status == 400 and query.get("page", "0") != "0" and b"invalid" in answer.body.lower():
                return None
            if answer.status != 200:
                raise NotCdx(f"the index answered {answer.status}", final=True)
            if not answer.body:
                raise NotCdx("the index answered nothing at all")
            fields = list(parse_lines(answer.body.decode("utf-8", "surrogateescape")))
            rows = [row for one in fields if (row := located_row(one))]
            total.skipped += len(fields) - len(rows)
            return rows

        return until_readable(self._room.client, self._retry, address, ask)


def _query(host: str, window: tuple[str, str] | None) -> dict[str, str]:
    start, end = window or ("", "")
    return {"url": f"*.{host}", "output": "json"} | ({"from": start} if start else {}) | ({"to": end} if end else {})


def _has_no_captures(answer: Answer) -> bool:
    """Whether the index says, in so many words, that it has none; any other 404 is an error."""
    if answer.status != 404:
        return False
    try:
        told = json.loads(answer.body)
    except ValueError:
        return False
    return isinstance(told, dict) and bool(_NO_CAPTURES.search(str(told.get("message") or told.get("error") or "")))


def _parse_crawls(answer: Answer) -> list[tuple[str, str]]:
    if answer.status != 200:
        raise NotCdx(f"the server answered {answer.status}", final=True)
    try:
        told = json.loads(answer.body)
    except ValueError:
        raise NotCdx("it is not JSON") from None
    crawls = [
        (item["id"], item["cdx-api"])
        for item in (told if isinstance(told, list) else [])
        if isinstance(item, dict) and isinstance(item.get("id"), str) and isinstance(item.get("cdx-api"), str)
    ]
    crawls = [(name, address) for name, address in crawls if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name)]
    if len(crawls) < FEWEST_CRAWLS:
        raise NotCdx(f"it has {len(crawls)} names; fewer than {FEWEST_CRAWLS} are taken for an outage")
    return crawls
