"""Common Crawl: the list of crawls, the index of each crawl, and single records from its WARC files."""

import json
import re
from dataclasses import replace
from datetime import timedelta

from scraper.errors import NotCdx
from scraper.sources.base import LISTING_ERRORS, ListingResult, SourceContext, record_scope
from scraper.sources.cdx import IndexServer, until_readable, usable
from scraper.sources.ranges import Records, range_policy
from scraper.web.client import Answer, RequestPolicy

FEWEST_CRAWLS = 60
"""The list has more than 100 names; during outages it was empty (cdx_toolkit #24, which rejects fewer than 60 as well)."""
LIST_FOR = timedelta(hours=24)
INDEX_FOR = timedelta(days=7)
"""How long the list of crawls and a crawl's index count as fresh (ARCHIVES.md, sections 3 and 7)."""


class CommonCrawl:
    """The newest crawls, or those that the settings name."""

    name = "commoncrawl"

    def __init__(self, context: SourceContext) -> None:
        self._settings = settings = context.settings.sources.commoncrawl
        self._context = context
        allow = context.allow(settings.collinfo_url, settings.data_url)
        self._index = RequestPolicy(allow=allow, interval=settings.index_interval, closed_by_403=True)
        data = replace(range_policy(allow, settings.data_interval), closed_by_403=True)
        self.fetch = Records(self.name, settings.data_url, context, data).fetch

    def list_captures(self, window: tuple[str, str] | None, total: ListingResult) -> None:
        """Lists every wanted crawl whose index was not completely listed in the last days."""
        try:
            crawls = self._crawls(total)
        except LISTING_ERRORS as error:
            total.asked += 1
            total.problems.append(f"the list of crawls can't be used: {error}")
            return
        for crawl, address in crawls:
            server = IndexServer(self._context, self._index, address)
            for host in self._context.hosts:
                pages = (usable(page, [host], located=True) for page in server.pages({"url": f"*.{host}"}, window))
                record_scope(self._context, self.name, f"{crawl} {host}", pages, total, window, INDEX_FOR)

    def _crawls(self, total: ListingResult) -> list[tuple[str, str]]:
        """Returns name and index address of the crawls to ask."""
        known = self._known_crawls()
        wanted = self._settings.crawls
        if isinstance(wanted, int):
            return known[:wanted]
        by_name = dict(known)
        total.problems += [f"there is no crawl {name} in the list of crawls" for name in wanted if name not in by_name]
        return [(name, by_name[name]) for name in wanted if name in by_name]

    def _known_crawls(self) -> list[tuple[str, str]]:
        """Returns all crawls, newest first. The list changes monthly and must not be requested often: it is kept a day."""
        url = self._settings.collinfo_url
        if kept := self._context.ledger.note(f"collinfo {url}", LIST_FOR):
            return [(name, address) for name, address in json.loads(kept)]
        known = until_readable(self._context, url, lambda: _parse_crawls(self._context.client.get(url, self._index)))
        for _, address in known:
            self._index.allow.check(address)
        self._context.ledger.keep_note(f"collinfo {url}", json.dumps(known))
        return known


def _parse_crawls(answer: Answer) -> list[tuple[str, str]]:
    if answer.status != 200:
        raise NotCdx(f"the server answered {answer.status}", final=True)
    try:
        parsed = json.loads(answer.body)
    except ValueError:
        raise NotCdx("it is not JSON") from None
    found = (
        [(str(one.get("id")), one.get("cdx-api")) for one in parsed if isinstance(one, dict)] if isinstance(parsed, list) else []
    )
    crawls = [(name, url) for name, url in found if isinstance(url, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name)]
    if len(crawls) < FEWEST_CRAWLS:
        raise NotCdx(f"it has {len(crawls)} names; fewer than {FEWEST_CRAWLS} count as an outage")
    return crawls
