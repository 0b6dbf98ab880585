"""Common Crawl and the End of Term archive: their indexes, and single records of WARC files by range (ARCHIVES.md, 3 and 4).

End of Term is static files in a bucket, so its index is searched with range requests. `cluster.idx` contains the first key of
each block of the index, sorted; a binary search costs some twenty small requests instead of hundreds of megabytes.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from itertools import chain, pairwise
from typing import NamedTuple

from scraper.archive.packing import only_member
from scraper.archive.records import Damage
from scraper.archive.warc import read_captures
from scraper.capture import SECRETS, Capture, WarcType, utc_now
from scraper.errors import Broken, NotCdx, RequestFailed
from scraper.ledger.store import FetchResult, FetchState, ListedCapture, sha1_of, to_timestamp
from scraper.sources.base import LISTING_ERRORS, SourceContext, SourceReport, Window, record_scope
from scraper.sources.cdx import IndexServer, ask_index, parse_lines, usable
from scraper.terminal import escape, escape_url
from scraper.web.client import MIB, Client, RequestPolicy, Response

CUT_LENGTHS = (500 * 1024, MIB, 5 * MIB)
"""Bytes at which crawls cut bodies: 2008-12, since 2013, since 2025; not every such record is marked (ARCHIVES.md, section 3)."""
FEWEST_CRAWLS = 60
"""The list has more than 100 names; during outages it was empty (commoncrawl/cdx_toolkit#24; it rejects fewer than 60, too)."""
LIST_FOR = timedelta(hours=24)
INDEX_FOR = timedelta(days=7)
"""How long the list of crawls and a crawl's index count as fresh (ARCHIVES.md, sections 3 and 7)."""
NEAR = 64 * 1024
"""Bytes; a smaller part of `cluster.idx` is read rather than searched."""
PROBE = 8 * 1024  # bytes read at a time when searching a sorted index
MAX_BLOCK = 16 * MIB  # bytes
MAX_BLOCKS = 5_000  # of one host in one collection


class CommonCrawl:
    """The newest crawls, or those that the settings name."""

    name = "commoncrawl"

    def __init__(self, context: SourceContext) -> None:
        self._settings = settings = context.settings.sources.commoncrawl
        self._context = context
        allow = context.allow(settings.collinfo_url, settings.data_url)
        self._index = RequestPolicy(allow=allow, interval=settings.index_interval, closed_by_403=True)
        data = replace(self._index, interval=settings.data_interval, accept_encoding="identity", ranged=True)
        self.fetch = RecordReader(self.name, settings.data_url, context, data).fetch

    def list_captures(self, window: Window | None, report: SourceReport) -> None:
        """Lists every wanted crawl whose index was not completely listed in the last days."""
        wanted = self._settings.crawls
        try:
            known = self._known_crawls()
        except LISTING_ERRORS as error:
            report.asked += 1
            report.problems.append(f"the list of crawls can't be used: {error}")
            return
        names = [*known][:wanted] if isinstance(wanted, int) else wanted
        report.problems += [f"there is no crawl {name} in the list of crawls" for name in names if name not in known]
        for crawl in (name for name in names if name in known):
            server = IndexServer(self._context, self._index, known[crawl])
            for host in self._context.hosts:
                pages = (usable(page, [host], located=True) for page in server.pages({"url": f"*.{host}"}, window))
                record_scope(self._context, f"{crawl} {host}", pages, report, window, INDEX_FOR)

    def _known_crawls(self) -> dict[str, str]:
        """Returns each crawl's index address, newest first. The list changes monthly and is stored, to be requested rarely."""
        url, ledger = self._settings.collinfo_url, self._context.ledger
        if kept := ledger.read_note(f"collinfo {url}", LIST_FOR):
            return dict(json.loads(kept))
        known = ask_index(self._context, url, self._index, _parse_crawls)
        for address in known.values():
            self._index.allow.check(address)
        ledger.keep_note(f"collinfo {url}", json.dumps([*known.items()]))
        return known


def _parse_crawls(answer: Response) -> dict[str, str]:
    if answer.status != 200:
        raise NotCdx(f"the server answered {answer.status}", final=True)
    try:
        parsed = [*json.loads(answer.body)]
    except (ValueError, TypeError):
        raise NotCdx("it is not a JSON list") from None
    found = [(str(one.get("id")), one.get("cdx-api")) for one in parsed if isinstance(one, dict)]
    crawls = {name: url for name, url in found if isinstance(url, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name)}
    if len(crawls) < FEWEST_CRAWLS:
        raise NotCdx(f"it has {len(crawls)} names; fewer than {FEWEST_CRAWLS} count as an outage")
    return crawls


def read_range(client: Client, url: str, policy: RequestPolicy, start: int, length: int, *, short: bool = False) -> Response:
    """Returns these bytes of a file (`short`: or fewer at its end), or an answer other than 206. Raises as Client.get."""
    end = start + length - 1
    answer = client.get(url, policy, {"Range": f"bytes={start}-{end}"})
    if answer.status != 206:
        return answer
    stated = re.fullmatch(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", answer.headers.get("content-range").strip())
    last = int(stated[2]) if stated and int(stated[1]) == start else -1
    if last != end and not (short and 0 <= last < end and stated and stated[3] == str(last + 1)):
        raise _unexpected(answer, "not the requested range")
    if len(answer.raw) != last - start + 1:
        raise _unexpected(answer, f"{len(answer.raw)} of {last - start + 1} bytes")
    return answer


def _unexpected(answer: Response, what: str) -> RequestFailed:
    return RequestFailed(f"{escape_url(answer.url)}: {what} came")


def _total_size(answer: Response) -> int:
    """Returns the size of the whole file in bytes, from Content-Range; 0 if it is not stated there."""
    size = answer.headers.get("content-range").rpartition("/")[2].strip()
    return int(size) if re.fullmatch(r"\d{1,19}", size) else 0


@dataclass(frozen=True, slots=True)
class RecordReader:
    """Single records of the WARC files below `data_url`, of one source."""

    source: str
    data_url: str
    context: SourceContext
    policy: RequestPolicy

    def fetch(self, row: ListedCapture, *, again: bool) -> FetchResult:
        """Returns the capture of a row, fully checked. Raises RequestFailed, and what Client.get raises."""
        if row.filename is None or row.offset is None or row.length is None:
            return FetchResult(state=FetchState.MISSING, reason="the index does not state where it is stored")
        answer = read_range(self.context.client, self.data_url + row.filename, self.policy, row.offset, row.length)
        if answer.status in (403, 404, 410):
            # S3 answers 403 for a missing file if listing is denied (ARCHIVES.md, section 4).
            return FetchResult(state=FetchState.MISSING, reason=f"the archive answers {answer.status} for the file")
        if answer.status != 206:
            raise _unexpected(answer, f"status {answer.status}")
        capture = _only_record(answer, row, self.source)
        truncated = capture.truncated or row.truncated
        if truncated is None and capture.warc_type is WarcType.RESPONSE and len(capture.payload) in CUT_LENGTHS:
            truncated = "length"
        headers = tuple(pair for pair in capture.http_headers if pair[0].lower() not in SECRETS)
        digest, origin = sha1_of(row.digest) or capture.payload_digest, f"{row.filename}:{row.offset}"
        capture = replace(capture, source=self.source, fetched_at=utc_now(), http_headers=headers, payload_digest=digest)
        capture = replace(capture, truncated=truncated, origin=origin)
        return FetchResult(state=FetchState.FETCHED, reason=capture.damage or "", capture=capture)


def _only_record(answer: Response, row: ListedCapture, source: str) -> Capture:
    try:
        record = BytesIO(only_member(answer.raw))
    except Broken as broken:
        raise _unexpected(answer, escape(broken)) from None
    found = [item[1] for item in read_captures(record, source) if not isinstance(item, Damage)]
    if len(found) != 1:
        raise _unexpected(answer, "no single whole WARC record")
    capture = found[0]
    if capture.url != row.url:
        raise _unexpected(answer, f"the record of {escape_url(capture.url or 'no address')}")
    if capture.captured_at is None or to_timestamp(capture.captured_at) != row.timestamp:
        raise _unexpected(answer, f"a record of another time than {row.timestamp}")
    return capture


class _Block(NamedTuple):
    """A block of the index: its first key and its place, in bytes."""

    key: str
    file: str
    offset: int
    length: int


class EndOfTerm:
    """The collections that the settings name."""

    name = "endofterm"

    def __init__(self, context: SourceContext) -> None:
        self._settings = settings = context.settings.sources.endofterm
        self._context = context
        allow = context.allow(settings.index_url, settings.data_url)
        data = RequestPolicy(allow=allow, interval=settings.data_interval, accept_encoding="identity", ranged=True)
        self.fetch = RecordReader(self.name, settings.data_url, context, data).fetch
        self._index = replace(data, interval=settings.index_interval, limit=MAX_BLOCK)

    def list_captures(self, window: Window | None, report: SourceReport) -> None:
        """Looks up every host in every collection that was not completely listed before: the collections are finished."""
        for collection in self._settings.collections:
            for host in self._context.hosts:
                pages = self._pages(collection, host, window or ("", ""))
                record_scope(self._context, f"{collection} {host}", pages, report, window, timedelta.max)

    def _pages(self, collection: str, host: str, window: Window) -> Iterator[tuple[list[ListedCapture], int]]:
        low, high = window
        surt = ",".join(reversed(host.split(".")))
        for block in self._blocks(collection, surt):
            rows, skipped = usable(self._find_lines(collection, block, surt), [host], located=True)
            yield [row for row in rows if low <= row.timestamp <= high.ljust(14, "9")], skipped

    def _find_lines(self, collection: str, block: _Block, surt: str) -> list[dict[str, str]]:
        """Returns the index lines of one block that are of the host. Raises NotCdx if one of them can't be parsed."""
        url = f"{self._settings.index_url}{collection}/indexes/{block.file}"
        answer = self._read(url, block.offset, block.length)
        try:
            lines = only_member(answer.raw).decode("utf-8", "surrogateescape").split("\n")
        except Broken as broken:
            raise NotCdx(f"{escape_url(url)}: a block of the index can't be read: {escape(broken)}") from None
        found = []
        for line in lines:
            if line.startswith((surt + ")", surt + ",")):
                _, timestamp, fields = [*line.split(" ", 2), "", ""][:3]
                found += [{**one, "timestamp": timestamp} for one in parse_lines(fields + "\n")]
        return found

    def _blocks(self, collection: str, surt: str) -> Iterator[_Block]:
        """Yields the blocks that may contain keys of the host: the last that begins before them and all that begin among them."""
        url = f"{self._settings.index_url}{collection}/indexes/cluster.idx"
        blocks = map(_parse_block, self._lines(url, self._find_start(url, surt + ")")))
        for count, (block, following) in enumerate(pairwise(chain(blocks, [None]))):
            if block and block.key < surt + "-" and (following is None or following.key >= surt + ")"):
                yield block
            if following is None or following.key >= surt + "-" or count > MAX_BLOCKS:
                return

    def _find_start(self, url: str, key: str) -> int:
        """Returns where a line begins that sorts before `key`, close to those that don't; 0 if there is none."""
        low, high = 0, _total_size(self._read(url, 0, PROBE, short=True))
        while high - low > NEAR:
            middle = (low + high) // 2
            text = self._read(url, middle, PROBE, short=True).raw
            begins, ends = text.find(b"\n") + 1, text.find(b"\n", text.find(b"\n") + 1)
            if begins and ends > 0 and _parse_block(text[begins:ends].decode("utf-8", "replace")).key < key:
                low = middle + begins
            else:
                high = middle
        return low

    def _lines(self, url: str, start: int) -> Iterator[str]:
        """Yields whole lines from byte `start` to the end of the file."""
        rest, size = b"", start + 1
        while start < size:
            answer = self._read(url, start, NEAR, short=True)
            start, size = start + len(answer.raw), _total_size(answer)
            *lines, rest = (rest + answer.raw).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines if line)
        if rest:
            raise NotCdx(f"{escape_url(url)}: the last line is cut")

    def _read(self, url: str, start: int, length: int, *, short: bool = False) -> Response:
        answer = read_range(self._context.client, url, self._index, start, length, short=short)
        if answer.status != 206:
            raise NotCdx(f"{escape_url(url)}: answered {answer.status}", final=True)
        return answer


def _parse_block(line: str) -> _Block:
    """Parses a line of `cluster.idx`: key and time, file, offset, length, number. Raises NotCdx."""
    parts = line.split("\t")
    if len(parts) < 4 or not re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,200}", parts[1]) or not (parts[2] + parts[3]).isdecimal():
        raise NotCdx(f"a line that is not of cluster.idx: {escape(line, 80)}")
    return _Block(parts[0], parts[1], int(parts[2]), min(int(parts[3]), MAX_BLOCK))
