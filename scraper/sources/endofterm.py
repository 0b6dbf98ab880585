"""The End of Term archive: static files in a bucket, so its index is looked up by range reads.

`cluster.idx` names the first key of each block of the index, sorted; a binary search in it costs some twenty small reads where
the whole file is hundreds of megabytes. Records are then read as Common Crawl's (ARCHIVES.md, sections 3 and 4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from scraper import config
from scraper.errors import NotAllowed, NotCdx, RequestFailed, TooLarge
from scraper.ledger.listings import COMPLETE, FULL, PARTIAL, WINDOW, Listings
from scraper.ledger.rows import Row, Verdict
from scraper.sources.base import Fetched, Listed, Room
from scraper.sources.ranges import MAX_RECORD, fetch_record, located_row, one_member, read_range, total_size
from scraper.terminal import escape, escape_url
from scraper.web.addresses import AllowList
from scraper.web.client import MIB, Answer, Manner

INDEX_FOR = timedelta(days=30)
"""The data sets are finished; a look each month is enough (ARCHIVES.md, section 4)."""
NEAR = 64 * 1024
"""Bytes from which on `cluster.idx` is read on rather than searched."""
PROBE = 8 * 1024
MAX_BLOCK = 16 * MIB
MAX_BLOCKS = 5_000


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of the index: its first key, and where it lies; bytes."""

    key: str
    file: str
    offset: int
    length: int


class EndOfTerm:
    """The collections that the settings name."""

    name = "endofterm"

    def __init__(self, settings: config.EndOfTerm, hosts: tuple[str, ...], room: Room, *, loopback: bool) -> None:
        self._settings = settings
        self._hosts = hosts
        self._room = room
        self._data = Manner(
            allow=AllowList.of([settings.index_url, settings.data_url], loopback=loopback),
            interval=settings.data_interval,
            max_wire=MAX_RECORD,
            max_decoded=MAX_RECORD,
            accept_encoding="identity",
            ranged=True,
        )
        self._index = replace(self._data, interval=settings.index_interval, max_wire=MAX_BLOCK, max_decoded=MAX_BLOCK)

    def fetch(self, row: Row, *, again: bool) -> Fetched | Verdict:
        """One record."""
        return fetch_record(self._room, row, source=self.name, data_url=self._settings.data_url, manner=self._data)

    def list_captures(self, window: tuple[str, str] | None) -> Listed:
        """Looks every host up in every collection that was not looked up in the last weeks."""
        total = Listed()
        for collection in self._settings.collections:
            for host in self._hosts:
                listings = Listings(self._room.ledger, self.name, f"{collection} {host}")
                last = listings.last_complete()
                if window is None and last and datetime.now(UTC) - last < INDEX_FOR:
                    continue
                try:
                    self._list_host(listings, collection, host, window, total)
                except (NotCdx, RequestFailed, TooLarge, NotAllowed) as error:
                    total.problems.append(f"the listing of {collection} {host} is not complete: {error}")
        return total

    def _list_host(self, listings: Listings, collection: str, host: str, window: tuple[str, str] | None, total: Listed) -> None:
        listing = listings.begin(WINDOW if window else FULL, None)
        problem = "interrupted"
        low, high = window or ("", "")
        try:
            for block in self._blocks(collection, _surt(host)):
                rows = self._rows(collection, block, _surt(host), total)
                listings.add(listing, [row for row in rows if low <= row.timestamp <= high.ljust(14, "9")])
                self._room.progress(f"{self.name} {collection} {host}", total.listed)
            problem = ""
        except (NotCdx, RequestFailed, TooLarge, NotAllowed) as error:
            problem = escape(error)
            raise
        finally:
            counts = listings.counts(listing, "")
            total.listed += counts.listed
            total.new += counts.new
            listings.end(listing, PARTIAL if problem else COMPLETE, counts, problem)

    def _rows(self, collection: str, block: _Block, surt: str, total: Listed) -> list[Row]:
        """The rows of one block that are of the host; every line of it has to be sound."""
        url = f"{self._settings.index_url}{collection}/indexes/{block.file}"
        answer = self._read(url, block.offset, block.length)
        try:
            text = one_member(answer.raw, MAX_BLOCK).decode("utf-8", "surrogateescape")
        except ValueError as error:
            raise NotCdx(f"{escape_url(url)}: a block of the index is {escape(error)}") from None
        found = [_fields(line) for line in text.split("\n") if _is_ours(line, surt)]
        rows = [row for fields in found if (row := located_row(fields))]
        total.skipped += len(found) - len(rows)
        return rows

    def _blocks(self, collection: str, surt: str) -> Iterator[_Block]:
        """The blocks that may hold keys of the host: the last that begins before them, and all that begin among them."""
        url = f"{self._settings.index_url}{collection}/indexes/cluster.idx"
        before: _Block | None = None
        for count, line in enumerate(self._lines(url, self._start(url, surt + ")"))):
            block = _block(line)
            if block.key < surt + ")":
                before = block
                continue
            if before:
                yield before
                before = None
            if block.key >= surt + "-" or count > MAX_BLOCKS:
                return
            yield block
        if before:
            yield before

    def _start(self, url: str, key: str) -> int:
        """Where a line begins that sorts before `key`, not far before those that don't; 0 where there is none."""
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
        """Whole lines from byte `start` on, to the end of the file."""
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
        answer = read_range(self._room, url, self._index, start, length, short=short)
        if answer.status != 206:
            raise NotCdx(f"{escape_url(url)}: answered {answer.status}", final=True)
        return answer


def _surt(host: str) -> str:
    """The host as the index sorts it: `gov,ojp,bja,bjatta`; its pages follow after `)`, its subdomains after `,`."""
    return ",".join(reversed(host.split(".")))


def _is_ours(line: str, surt: str) -> bool:
    return line.startswith((surt + ")", surt + ","))


def _block(line: str) -> _Block:
    """A line of `cluster.idx`: key and time, file, offset, length, number."""
    parts = line.split("\t")
    if len(parts) < 4 or not re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,200}", parts[1]) or not (parts[2] + parts[3]).isdecimal():
        raise NotCdx(f"a line that is none of cluster.idx: {escape(line, 80)}")
    return _Block(parts[0], parts[1], int(parts[2]), min(int(parts[3]), MAX_BLOCK))


def _fields(line: str) -> dict[str, object]:
    """A line of the index: key, time, JSON."""
    parts = line.split(" ", 2)
    try:
        fields = json.loads(parts[2])
    except (ValueError, IndexError, RecursionError):
        raise NotCdx(f"an index line that can't be read: {escape(line, 80)}") from None
    if not isinstance(fields, dict):
        raise NotCdx(f"an index line that can't be read: {escape(line, 80)}")
    return {**fields, "timestamp": parts[1]}
