"""Common Crawl: the list of crawls, the index of each, and records of WARC files, also for `endofterm` (ARCHIVES.md, 3 and 4)."""

import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO

from scraper.archive.packing import whole_member
from scraper.archive.records import Damage
from scraper.archive.warc import read_captures, utc_now
from scraper.capture import SECRETS, Capture, Form
from scraper.errors import NotCdx, RequestFailed
from scraper.ledger.listings import Listings
from scraper.ledger.store import FetchResult, Row, State, sha1_of, to_timestamp
from scraper.sources.base import LISTING_ERRORS, Fetched, ListingResult, SourceContext, Window, record_scope
from scraper.sources.cdx import IndexServer, until_readable, usable
from scraper.terminal import escape, escape_url
from scraper.web.client import MIB, Answer, Client, RequestPolicy

CUT_LENGTHS = (500 * 1024, MIB, 5 * MIB)
"""Bytes at which crawls cut bodies: 2008-12, since 2013, since 2025; not every such record is marked (ARCHIVES.md, section 3)."""
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
        data = replace(self._index, interval=settings.data_interval, accept_encoding="identity", ranged=True)
        self.fetch = Records(self.name, settings.data_url, context, data).fetch

    def list_captures(self, window: Window | None, total: ListingResult) -> None:
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
                listings = Listings(self._context.ledger, self.name, f"{crawl} {host}")
                record_scope(self._context, listings, pages, total, window, INDEX_FOR)

    def _crawls(self, total: ListingResult) -> list[tuple[str, str]]:
        """Returns name and index address of the crawls to ask."""
        known, wanted = self._known_crawls(), self._settings.crawls
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
        parsed = [*json.loads(answer.body)]
    except (ValueError, TypeError):
        raise NotCdx("it is no list of JSON") from None
    found = [(str(one.get("id")), one.get("cdx-api")) for one in parsed if isinstance(one, dict)]
    crawls = [(name, url) for name, url in found if isinstance(url, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name)]
    if len(crawls) < FEWEST_CRAWLS:
        raise NotCdx(f"it has {len(crawls)} names; fewer than {FEWEST_CRAWLS} count as an outage")
    return crawls


def read_range(client: Client, url: str, policy: RequestPolicy, start: int, length: int, *, short: bool = False) -> Answer:
    """Returns these bytes of a file; `short` permits fewer at its end. Other statuses than 206 are returned as they are.

    Raises RequestFailed where a server answers with another range, and what Client.get raises.
    """
    end = start + length - 1
    answer = client.get(url, policy, {"Range": f"bytes={start}-{end}"})
    if answer.status != 206:
        return answer
    stated = re.fullmatch(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", answer.headers.get("content-range", "").strip())
    last = int(stated[2]) if stated and int(stated[1]) == start else -1
    if last != end and not (short and 0 <= last < end and stated and stated[3] == str(last + 1)):
        raise _unlike(answer, "another range than was asked for")
    if len(answer.raw) != last - start + 1:
        raise _unlike(answer, f"{len(answer.raw)} of {last - start + 1} bytes")
    return answer


def _unlike(answer: Answer, what: str) -> RequestFailed:
    return RequestFailed(f"{escape_url(answer.url)}: {what} came")


def total_size(answer: Answer) -> int | None:
    """Returns the size of the whole file in bytes, None where a 206 does not state it."""
    size = answer.headers.get("content-range", "").rpartition("/")[2].strip()
    return int(size) if re.fullmatch(r"\d{1,19}", size) else None


@dataclass(frozen=True, slots=True)
class Records:
    """Single records of the WARC files below `data_url`, of one source."""

    source: str
    data_url: str
    context: SourceContext
    policy: RequestPolicy

    def fetch(self, row: Row, *, again: bool) -> Fetched | FetchResult:
        """Returns the capture that a row points to, fully checked. Raises RequestFailed, and what Client.get raises."""
        if row.filename is None or row.offset is None or row.length is None:
            return FetchResult(state=State.MISSING, reason="the index does not state where it is stored")
        answer = read_range(self.context.client, self.data_url + row.filename, self.policy, row.offset, row.length)
        if answer.status in (403, 404, 410):
            # S3 answers 403 for a missing file where listing is denied (ARCHIVES.md, section 4).
            return FetchResult(state=State.MISSING, reason=f"the archive answers {answer.status} for the file")
        if answer.status != 206:
            raise _unlike(answer, f"status {answer.status}")
        capture = _only_record(answer, row, self.source)
        truncated = capture.truncated or row.truncated
        if truncated is None and capture.form is Form.RESPONSE and len(capture.payload) in CUT_LENGTHS:
            truncated = "length"
        headers = tuple(pair for pair in capture.http_headers if pair[0].lower() not in SECRETS)
        digest, origin = sha1_of(row.digest) or capture.payload_digest, f"{row.filename}:{row.offset}"
        capture = replace(capture, source=self.source, fetched_at=utc_now(), http_headers=headers, payload_digest=digest)
        return Fetched(replace(capture, truncated=truncated, origin=origin))


def _only_record(answer: Answer, row: Row, source: str) -> Capture:
    member = whole_member(BytesIO(answer.raw), 0)
    if isinstance(member, str) or member.length != len(answer.raw):
        raise _unlike(answer, escape(member) if isinstance(member, str) else "more than one gzip member")
    found = [item[1] for item in read_captures(BytesIO(answer.raw), source, verify=True) if not isinstance(item, Damage)]
    if len(found) != 1:
        raise _unlike(answer, "no single whole WARC record")
    capture = found[0]
    if capture.url != row.url:
        raise _unlike(answer, f"the record of {escape_url(capture.url or 'no address')}")
    if capture.captured_at is None or to_timestamp(capture.captured_at) != row.timestamp:
        raise _unlike(answer, f"a record of another time than {row.timestamp}")
    return capture
