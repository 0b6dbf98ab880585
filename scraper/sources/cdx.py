"""Parses answers of CDX servers into rows: the Internet Archive's table, and pywb's object per line.

`IndexServer` queries a server that runs pywb, as Common Crawl's does: numbered pages, "no captures" as a 404. A server without
numbered pages silently truncates a listing at a limit; a listing of that length is requested again in two halves of time.
Anything that is not CDX raises NotCdx: an error page taken for an empty listing would hide an archive (ARCHIVES.md, fact 7).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar
from urllib.parse import urlencode

from parsers.urls import is_of_hosts
from scraper.encoding import MAX_BODY
from scraper.errors import NotCdx, RequestFailed
from scraper.ledger.store import ListedCapture, to_time, to_timestamp
from scraper.sources.base import SourceContext
from scraper.terminal import escape
from scraper.web.addresses import host_of
from scraper.web.client import RequestPolicy, Response
from scraper.web.pacing import backoff

FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_NAMES = {"url": "original", "mime": "mimetype", "status": "statuscode"}
MAX_PAGES = 10_000
MAX_FAILED_PAGES = 3
LIMIT = 50_000
"""Rows to request at a time if the server has no pages."""
USUAL_LIMITS = 1000
"""A listing whose length is a multiple of this may have been truncated by the server's own limit."""
FIRST_YEAR = "19960101000000"  # before the first web archive
Rows = list[dict[str, str]]
T = TypeVar("T")
_FILE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.=-]*/){0,12}[A-Za-z0-9_][A-Za-z0-9_.=-]*\.warc\.gz")


def parse_listing(answer: Response) -> tuple[Rows, str | None]:
    """Returns the rows, and the key of the next page, which follows an empty row if there are more. Raises NotCdx."""
    text = answer.body.decode("utf-8", "surrogateescape").removeprefix("\ufeff").lstrip()
    if blocked := re.search(r"(Administrative|Robot)AccessControlException|Blocked Site Error", text[:4096]):
        raise NotCdx(f"the archive excludes this site ({blocked[0]})", final=True)
    if "html" in answer.headers.get("content-type").lower() or text.startswith("<"):
        words = " ".join(re.sub(r"<[^>]*>", " ", text[:2000]).split())
        raise NotCdx(f"an HTML page instead of a listing: {escape(words, 80)}")
    table = _parse_table(text) if text else []
    end = table.index([]) if [] in table else len(table)
    header, tail = table[0] if end else [], table[end:]
    if end and not {"timestamp", "original"} <= set(header):
        raise NotCdx(f"a listing without field names: {escape(header, 80)}")
    if odd := next((row for row in table[:end] if len(row) != len(header)), None):
        raise NotCdx(f"a row of {len(odd)} fields where there are {len(header)}: {escape(odd, 80)}")
    if tail and (len(tail) != 2 or len(tail[1]) != 1):
        raise NotCdx("the listing does not end properly: no key after the empty row")
    key = tail[1][0] if tail else None
    if key is not None and not re.fullmatch(r"[\x20-\x7e]{1,20000}", key):
        raise NotCdx("the resume key contains invalid characters")
    return [dict(zip(header, row, strict=True)) for row in table[1:end]], key


def _parse_table(text: str) -> list[list[str]]:
    r"""Parses a table in JSON. The server's escapes are Java's, which include \' (ARCHIVES.md, section 1)."""
    try:
        table = json.loads(re.sub(r"\\(.)", lambda found: "'" if found[1] == "'" else found[0], text))
    except (ValueError, RecursionError) as error:
        raise NotCdx(f"the listing is cut or damaged: {escape(error, 80)}") from None
    for row in table if isinstance(table, list) else [table]:
        if not isinstance(row, list) or not all(isinstance(value, str | int | None) for value in row):
            raise NotCdx(f"a row that is not a list of texts: {escape(row, 80)}")
    return [["" if value is None else str(value) for value in row] for row in table]


def parse_lines(text: str) -> Iterator[dict[str, str]]:
    """Parses an answer with one object per line, without fuzzy matches. Raises NotCdx, also if the last line is truncated."""
    if not text.endswith("\n"):
        raise NotCdx("the last line of the listing is cut")
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise NotCdx(f"a line that is not JSON: {escape(line, 80)}") from None
        if not isinstance(row, dict) or ("urlkey" not in row and "url" not in row):
            raise NotCdx(f"a line that is not a row: {escape(line, 120)}")
        if str(row.get("is_fuzzy", "0")) in ("0", "False", "false"):
            yield {_NAMES.get(str(name), str(name)): str(value) for name, value in row.items() if value is not None}


def ask_index(context: SourceContext, url: str, policy: RequestPolicy, parse: Callable[[Response], T]) -> T:
    """Returns what `parse` returns; the answer is requested again after a NotCdx that is not final. Raises as Client.get."""
    retry, pacer = context.settings.retry, context.client.pacer
    for attempt in count(1):
        try:
            return parse(context.client.get(url, policy))
        except NotCdx as error:
            if error.final or attempt >= retry.attempts or not pacer.take_retry():
                raise
            pacer.delay(host_of(url), backoff(retry.backoff, attempt - 1))
    raise AssertionError


def to_row(fields: Mapping[str, str], *, located: bool = False) -> ListedCapture | None:
    """Converts a listed row; None if it is unusable. The timestamp becomes part of a URL: only digits (jsvine/waybackpack#63).

    `located`: it must have the file (with a valid name), offset and length of its record. Raises NotCdx if it lacks them.
    """
    known = {name: value for name, value in fields.items() if value != "-" and re.fullmatch(r"[\x20-\x7e]{1,150}", value)}
    numbers = {name: int(value) for name, value in known.items() if re.fullmatch(r"[0-9]{1,15}", value)}
    timestamp, original, filename = fields.get("timestamp", ""), fields.get("original", ""), fields.get("filename", "")
    if located and not {"original", "timestamp", "filename", "offset", "length"} <= set(fields):
        raise NotCdx(f"an index line without the place of its record: {escape(dict(fields), 120)}")
    is_address = re.match(r"https?://[^/]", original, re.IGNORECASE) and not re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", original)
    if not re.fullmatch(r"[0-9]{14}", timestamp) or not is_address:
        return None
    length, offset, status = (numbers.get(name) for name in ("length", "offset", "statuscode"))
    if located and (offset is None or not 0 < (length or 0) <= MAX_BODY or not _FILE.fullmatch(filename)):
        return None
    status = status if 100 <= (status or 0) < 1000 else None
    digest, media_type = known.get("digest"), known.get("mimetype")
    row = ListedCapture(url=original, timestamp=timestamp, digest=digest, mime=media_type, status=status, length=length)
    return replace(row, filename=filename, offset=offset, truncated=known.get("truncated")) if located else row


def usable(page: list[dict[str, str]], hosts: Iterable[str], *, located: bool = False) -> tuple[list[ListedCapture], int]:
    """Returns the usable rows of a page that are of the hosts, and the number of others. Raises NotCdx, see `to_row`."""
    rows = [row for fields in page if (row := to_row(fields, located=located)) and is_of_hosts(row.url, hosts)]
    return rows, len(page) - len(rows)


@dataclass(frozen=True, slots=True)
class IndexServer:
    """One server's address and the policy for requests to it."""

    context: SourceContext
    policy: RequestPolicy
    address: str

    def pages(self, query: Mapping[str, str], window: tuple[str, str] | None) -> Iterator[Rows]:
        """Yields the rows of each page of a listing. Raises NotCdx, and what Client.get raises, if a part of it is missing."""
        start, end = window or ("", "")
        query = {**query, "output": "json", **({"from": start} if start else {}), **({"to": end} if end else {})}
        first = self._ask({**query, "limit": str(LIMIT), "showNumPages": "true"}, counting=True)
        if isinstance(first, int):
            yield from self._numbered_pages(query, first)
        elif first:
            yield from self._halve_window(query, first, start, end)

    def _numbered_pages(self, query: Mapping[str, str], pages: int) -> Iterator[Rows]:
        """Yields the rows of numbered pages. One that fails is skipped, and the listing is incomplete (hahwul/urx#361)."""
        problem, failed = "", 0
        for page in range(pages):
            try:
                rows = self._ask({**query, "page": str(page)})
            except (NotCdx, RequestFailed) as error:
                problem, failed = f"page {page}: {error}", failed + 1
                rows = [] if failed < MAX_FAILED_PAGES else None
            else:
                failed = 0
            if not isinstance(rows, list):
                break
            yield rows
        if problem:
            raise NotCdx(problem, final=True)

    def _halve_window(self, query: Mapping[str, str], rows: Rows, low: str, high: str) -> Iterator[Rows]:
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
                yield from self._halve_window(query, found, *part)

    def _ask(self, query: Mapping[str, str], *, counting: bool = False) -> Rows | int | None:
        """Returns the rows, [] for "no captures", None beyond the last page; if `counting`, the number of pages, if stated."""

        def parse(answer: Response) -> Rows | int | None:
            parsed: object = None
            if answer.status == 404 or counting:
                with suppress(ValueError):
                    parsed = json.loads(answer.body)
            fields = parsed if isinstance(parsed, dict) else {}
            if answer.status == 404 and "no captures found" in str(fields.get("message") or fields.get("error")).lower():
                return []  # any other 404 is an error (ARCHIVES.md, fact 8)
            if answer.status == 400 and counting:
                return 1
            if answer.status == 400 and query.get("page", "0") != "0" and b"invalid" in answer.body.lower():
                return None
            if answer.status != 200:
                raise NotCdx(f"the index answered {answer.status}", final=True)
            pages = fields.get("pages", parsed)
            if counting and isinstance(pages, int) and 0 <= pages <= MAX_PAGES:
                return pages
            if not answer.body:
                raise NotCdx("the index sent an empty answer")
            return list(parse_lines(answer.body.decode("utf-8", "surrogateescape")))

        return ask_index(self.context, f"{self.address}?{urlencode(query)}", self.policy, parse)
