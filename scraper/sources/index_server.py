"""Asks a CDX server that runs pywb, as Common Crawl's does: an object per line, numbered pages, "no captures" as a 404.

A server without numbered pages cuts a listing at a limit and does not say so. A listing that is as long as a limit is therefore
listed again in two halves of time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from scraper.errors import NotCdx, RequestFailed
from scraper.ledger.rows import to_time, to_timestamp
from scraper.sources.base import SourceContext
from scraper.sources.cdx import parse_lines, until_readable
from scraper.web.client import RequestPolicy

MAX_PAGES = 10_000
MAX_FAILED_PAGES = 3
LIMIT = 50_000
"""Rows to ask for at a time where the server has no pages."""
USUAL_LIMITS = 1000
"""A listing whose length is a multiple of this may have been cut by a limit of the server's own."""
FIRST_YEAR = "19960101000000"
_NO_CAPTURES = re.compile(r"no captures found", re.IGNORECASE)
Rows = list[dict[str, str]]


class IndexServer:
    """One server's address and the policy for asking it."""

    def __init__(self, context: SourceContext, policy: RequestPolicy, address: str) -> None:
        self._context = context
        self._policy = policy
        self._address = address

    def pages(self, query: Mapping[str, str], window: tuple[str, str] | None) -> Iterator[Rows]:
        """Yields the rows of each page of a listing. Raises NotCdx, and what Client.get raises, where a part of it is missing."""
        start, end = window or ("", "")
        query = {**query, "output": "json", **({"from": start} if start else {}), **({"to": end} if end else {})}
        first = self._ask({**query, "limit": str(LIMIT), "showNumPages": "true"}, counting=True)
        if isinstance(first, int):
            yield from self._numbered(query, first)
        elif first:
            yield from self._halved(query, first, start, end)

    def _numbered(self, query: Mapping[str, str], count: int) -> Iterator[Rows]:
        """A page number is an address, not a cursor: a page that fails is skipped, and the listing is incomplete (urx #361)."""
        problem, failed = "", 0
        for page in range(count):
            try:
                rows = self._ask({**query, "page": str(page)})
            except (NotCdx, RequestFailed) as error:
                problem, failed = f"page {page}: {error}", failed + 1
                if failed >= MAX_FAILED_PAGES:
                    break
                continue
            failed = 0
            if rows is None:
                break
            assert not isinstance(rows, int)
            yield rows
        if problem:
            raise NotCdx(problem, final=True)

    def _halved(self, query: Mapping[str, str], rows: Rows, low: str, high: str) -> Iterator[Rows]:
        """Yields `rows`, the answer for the timestamps from `low` to `high`, and if it may be cut the answers for both halves."""
        yield rows
        if len(rows) < LIMIT and len(rows) % USUAL_LIMITS:
            return
        start = to_time(low.ljust(14, "0")) or to_time(low[:4].ljust(4, "0") + "0101000000") or to_time(FIRST_YEAR)
        end = to_time(high) or datetime.now(UTC)
        assert start is not None
        if end <= start:
            raise NotCdx(f"more than {len(rows)} rows of one second", final=True)
        middle = to_timestamp(start + (end - start) / 2)
        after = to_timestamp((to_time(middle) or end) + timedelta(seconds=1))
        for part in ((to_timestamp(start), middle), (after, to_timestamp(end))):
            found = self._ask({**query, "limit": str(LIMIT), "from": part[0], "to": part[1]})
            if isinstance(found, list) and found:
                yield from self._halved(query, found, *part)

    def _ask(self, query: Mapping[str, str], *, counting: bool = False) -> Rows | int | None:
        """Returns the rows, none for "no captures", None beyond the last page; when `counting`, the number of pages if it is
        told.
        """

        def ask(_attempt: int) -> Rows | int | None:
            answer = self._context.client.get(f"{self._address}?{urlencode(query)}", self._policy)
            told = _json(answer.body) if answer.status == 404 or counting else None
            fields = told if isinstance(told, dict) else {}
            if answer.status == 404 and _NO_CAPTURES.search(str(fields.get("message") or fields.get("error") or "")):
                return []  # any other 404 is an error (ARCHIVES.md, fact 8)
            if answer.status == 400 and counting:
                return 1
            if answer.status == 400 and query.get("page", "0") != "0" and b"invalid" in answer.body.lower():
                return None
            if answer.status != 200:
                raise NotCdx(f"the index answered {answer.status}", final=True)
            pages = fields.get("pages", told)
            if counting and isinstance(pages, int) and 0 <= pages <= MAX_PAGES:
                return pages
            if not answer.body:
                raise NotCdx("the index sent an empty answer")
            return list(parse_lines(answer.body.decode("utf-8", "surrogateescape")))

        return until_readable(self._context, self._address, ask)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None
