"""The End of Term archive: static files in a bucket, so its index is searched with range requests.

`cluster.idx` contains the first key of each block of the index, sorted; a binary search in it costs some twenty small requests,
where the whole file has hundreds of megabytes. Records are read like Common Crawl's (ARCHIVES.md, sections 3 and 4).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import chain, pairwise
from typing import NamedTuple

from scraper.archive.packing import whole_member
from scraper.errors import NotCdx
from scraper.ledger.listings import Listings
from scraper.ledger.store import Row
from scraper.sources.base import ListingResult, SourceContext, Window, record_scope
from scraper.sources.cdx import parse_lines, usable
from scraper.sources.commoncrawl import Records, read_range, total_size
from scraper.terminal import escape, escape_url
from scraper.web.client import MIB, Answer, RequestPolicy

NEAR = 64 * 1024
"""Bytes; a smaller part of `cluster.idx` is read rather than searched."""
PROBE = 8 * 1024
MAX_BLOCK = 16 * MIB
MAX_BLOCKS = 5_000


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
        self.fetch = Records(self.name, settings.data_url, context, data).fetch
        self._index = replace(data, interval=settings.index_interval, limit=MAX_BLOCK)

    def list_captures(self, window: Window | None, total: ListingResult) -> None:
        """Looks up every host in every collection that was not completely listed before: the collections are finished."""
        for collection in self._settings.collections:
            for host in self._context.hosts:
                pages = self._pages(collection, host, window or ("", ""))
                listings = Listings(self._context.ledger, self.name, f"{collection} {host}")
                record_scope(self._context, listings, pages, total, window, timedelta.max)

    def _pages(self, collection: str, host: str, window: Window) -> Iterator[tuple[list[Row], int]]:
        low, high = window
        surt = ",".join(reversed(host.split(".")))
        for block in self._blocks(collection, surt):
            rows, skipped = usable(self._found(collection, block, surt), [host], located=True)
            yield [row for row in rows if low <= row.timestamp <= high.ljust(14, "9")], skipped

    def _found(self, collection: str, block: _Block, surt: str) -> list[dict[str, str]]:
        """Returns the index lines of one block that are of the host. Raises NotCdx where one of them can't be parsed."""
        url = f"{self._settings.index_url}{collection}/indexes/{block.file}"
        answer = self._read(url, block.offset, block.length)
        member = whole_member(BytesIO(answer.raw), 0)
        if isinstance(member, str):
            raise NotCdx(f"{escape_url(url)}: a block of the index can't be read: {escape(member)}")
        found = []
        for line in member.record.decode("utf-8", "surrogateescape").split("\n"):
            if line.startswith((surt + ")", surt + ",")):
                _, timestamp, fields = [*line.split(" ", 2), "", ""][:3]
                found += [{**one, "timestamp": timestamp} for one in parse_lines(fields + "\n")]
        return found

    def _blocks(self, collection: str, surt: str) -> Iterator[_Block]:
        """Yields the blocks that may contain keys of the host: the last that begins before them and all that begin among them."""
        url = f"{self._settings.index_url}{collection}/indexes/cluster.idx"
        blocks = map(_block, self._lines(url, self._start(url, surt + ")")))
        for count, (block, following) in enumerate(pairwise(chain(blocks, [None]))):
            if block and block.key < surt + "-" and (following is None or following.key >= surt + ")"):
                yield block
            if following is None or following.key >= surt + "-" or count > MAX_BLOCKS:
                return

    def _start(self, url: str, key: str) -> int:
        """Returns where a line begins that sorts before `key`, close to those that don't; 0 where there is none."""
        low, high = 0, total_size(self._read(url, 0, PROBE, short=True)) or 0
        while high - low > NEAR:
            middle = (low + high) // 2
            text = self._read(url, middle, PROBE, short=True).raw
            begins, ends = text.find(b"\n") + 1, text.find(b"\n", text.find(b"\n") + 1)
            if begins and ends > 0 and _block(text[begins:ends].decode("utf-8", "replace")).key < key:
                low = middle + begins
            else:
                high = middle
        return low

    def _lines(self, url: str, start: int) -> Iterator[str]:
        """Yields whole lines from byte `start` to the end of the file."""
        rest = b""
        while True:
            answer = self._read(url, start, NEAR, short=True)
            start += len(answer.raw)
            *lines, rest = (rest + answer.raw).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines if line)
            size = total_size(answer)
            if size is None or start >= size:
                break
        if rest:
            raise NotCdx(f"{escape_url(url)}: the last line is cut")

    def _read(self, url: str, start: int, length: int, *, short: bool = False) -> Answer:
        answer = read_range(self._context.client, url, self._index, start, length, short=short)
        if answer.status != 206:
            raise NotCdx(f"{escape_url(url)}: answered {answer.status}", final=True)
        return answer


def _block(line: str) -> _Block:
    """Parses a line of `cluster.idx`: key and time, file, offset, length, number. Raises NotCdx."""
    parts = line.split("\t")
    if len(parts) < 4 or not re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,200}", parts[1]) or not (parts[2] + parts[3]).isdecimal():
        raise NotCdx(f"a line that is not of cluster.idx: {escape(line, 80)}")
    return _Block(parts[0], parts[1], int(parts[2]), min(int(parts[3]), MAX_BLOCK))
