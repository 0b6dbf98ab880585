"""Parses stored captures, here or by workers, in bounded memory. A page that kills or hangs a process affects no other.

A task is a slice of a WARC file, as compressed bytes, with the captures wanted from it, so a worker needs no archive. Results are
in the order of the captures. Workers import this module; nothing in it opens the database.
"""

import faulthandler
import os
import re
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from parsers.record import Kind
from parsers.urls import absolute, node_id
from scraper.archive.records import Damage
from scraper.archive.store import Entry
from scraper.archive.warc import read_captures
from scraper.capture import Capture, WarcType
from scraper.database.stored_page import encode, json_text, storable
from scraper.errors import PageTookTooLong
from scraper.reading import read_capture
from scraper.workers.processes import Job, WorkerPool

SLICE_CAPTURES = 64
SLICE_BYTES = 2_000_000
"""A task: captures that are adjacent in a file, up to this many, or this many compressed bytes."""
GAP_BYTES = 100_000
"""Bytes between two captures that are read rather than starting another slice: about ten captures."""
PAGE_SECONDS = 30.0
"""Seconds for one page. A 5 MB page takes under a second on a slow machine, so a longer time means a hang (November 2026)."""
GIVEN_UP = "the parser crashed or took too long on it"
"""The reason given for a page that killed the processes that parsed it, or exceeded its time."""
_LISTED = re.compile(
    rb"""<article\b(?=[^<>]{0,999}\bclass="(?:[^"<>]* )?(?:node--type-)?tta[ "])[^<>]{0,999}\bdata-history-node-id="(\d{1,9})"|"""
    rb"""href="[^"<>]{0,99}/node/(\d{1,9})"[^<>]{0,300}>(?:\s{0,50}<[^<>]{1,200}>){0,4}\s{0,50}\d{8}-\d{5,6}-\d\d?\s{0,50}<"""
)
"""A teaser of a record, or a link to a node whose text is a record's reference (DOMAIN.md, "The page")."""
_ONE_AT_A_TIME = threading.Lock()  # a process has one watchdog (`faulthandler`)


class ParsedCapture(NamedTuple):
    """The result of parsing one capture. `page`: the content, encoded and compressed, if it shows a record.

    `damage`: why the capture could not be read from the archive; then nothing else is known.
    """

    capture_id: str
    kind: str
    reason: str
    node_id: int | None = None
    reference: str | None = None
    form: str | None = None
    shape: str | None = None
    flags: str | None = None
    redirect_to: str | None = None
    page: bytes | None = None
    damage: str | None = None
    title: str | None = None
    listed: str | None = None


class WarcSlice(NamedTuple):
    """Part of a WARC file from byte `start` on, and the captures wanted from it; `problem`: why a record in it can't be read."""

    file: str
    start: int
    data: bytes
    wanted: tuple[Entry, ...]
    problem: str

    def split(self) -> "list[WarcSlice]":
        """Returns a slice for each capture."""
        places = ((one, one.warc_offset - self.start) for one in self.wanted)
        cut = ((one, self.data[at : at + one.warc_length]) for one, at in places)
        return [WarcSlice(self.file, one.warc_offset, data, (one,), self.problem) for one, data in cut]

    def give_up(self) -> list[ParsedCapture]:
        """Returns results for captures that the parser can't handle."""
        return [_unreadable_result(one, GIVEN_UP) for one in self.wanted]


def parse_all(
    folder: Path, entries: Iterable[Entry], pool: WorkerPool | None
) -> Generator[tuple[Entry, ParsedCapture], None, None]:
    """Yields every entry with its result, in order. `entries`: in the order of files and offsets; `pool`: None parses here."""
    slices = _split_into_slices(folder, entries)
    with closing(pool.run(JOB, slices) if pool else ((one, parse_slice(one, alone=False)) for one in slices)) as results:
        for part, parsed in results:
            yield from zip(part.wanted, parsed, strict=True)


def _split_into_slices(folder: Path, entries: Iterable[Entry]) -> Iterator[WarcSlice]:
    """Yields slices with neighboring captures, limited in number and bytes. `entries`: in the order of files and offsets."""
    some: list[Entry] = []
    size = end = 0
    for entry in entries:
        full = len(some) >= SLICE_CAPTURES or size >= SLICE_BYTES
        if some and (full or entry.warc_file != some[0].warc_file or entry.warc_offset - end > GAP_BYTES):
            yield slice_of(folder, some)
            some, size = [], 0
        some.append(entry)
        size += entry.warc_length
        end = entry.warc_offset + entry.warc_length
    if some:
        yield slice_of(folder, some)


def slice_of(folder: Path, entries: list[Entry]) -> WarcSlice:
    """Returns captures of one file, with the bytes from the first to the last; no bytes if the file can't be read."""
    path = folder / entries[0].warc_file
    start, end = entries[0].warc_offset, entries[-1].warc_offset + entries[-1].warc_length
    data, problem = b"", "no readable record"
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(end - start)
    except OSError as error:
        problem = error.strerror or "can't be read"
    return WarcSlice(str(path), start, data, tuple(entries), problem)


def parse_slice(part: WarcSlice, *, alone: bool = True) -> list[ParsedCapture]:
    """Returns a result for each wanted capture. `alone`: a page that exceeds its time ends the process."""
    try:
        return [_parse_one(one, capture, part, alone=alone) for one, capture in _read(part)]
    except MemoryError:  # not the page's fault: a machine with more memory may parse it
        if len(part.wanted) == 1:
            problem = "there is not enough memory to read this page; free up memory, or use `--workers 1`"
            return [_damaged_result(part.wanted[0], part, problem)]
    return [result for one in part.split() for result in parse_slice(one, alone=alone)]


JOB: Job[WarcSlice, ParsedCapture] = Job(parse_slice, WarcSlice.split, WarcSlice.give_up)


def _read(part: WarcSlice) -> Iterator[tuple[Entry, Capture | None]]:
    """Reads the wanted captures in one pass; None for each without a readable record."""
    records = (item for item in read_captures(BytesIO(part.data), "") if not isinstance(item, Damage))
    at, capture = next(records, (-1, None))
    for one in part.wanted:
        offset = one.warc_offset - part.start
        while capture is not None and at < offset:
            at, capture = next(records, (-1, None))
        yield one, capture if at == offset else None


def _parse_one(entry: Entry, capture: Capture | None, part: WarcSlice, *, alone: bool) -> ParsedCapture:
    redirects = entry.http_status is not None and 300 <= entry.http_status < 400
    if entry.warc_type == WarcType.REVISIT and (capture is not None or not redirects):
        found = ParsedCapture(entry.capture_id, Kind.REVISIT, "the archive holds no body of its own for it", node_id(entry.url))
        return found._replace(redirect_to=_redirect_target(capture)) if redirects and capture else found
    if capture is None:
        return _damaged_result(entry, part, f"{part.problem}; restore it from a copy")
    try:
        with _time_limit(PAGE_SECONDS, alone=alone):
            return parse_capture(capture, entry.capture_id)
    except MemoryError:
        raise
    except Exception as error:  # one page must never end the whole load
        gave_up = isinstance(error, PageTookTooLong)
        return _unreadable_result(entry, GIVEN_UP if gave_up else f"the parser failed: {type(error).__name__}")


def _damaged_result(entry: Entry, part: WarcSlice, problem: str) -> ParsedCapture:
    return ParsedCapture(entry.capture_id, Kind.UNREADABLE, "", damage=f"{part.file} at {entry.warc_offset}: {problem}")


def _unreadable_result(entry: Entry, reason: str) -> ParsedCapture:
    return ParsedCapture(entry.capture_id, Kind.UNREADABLE, reason, node_id(entry.url))


def _redirect_target(capture: Capture) -> str | None:
    """Returns the target of an archived redirect, absolute and without an archive's prefix."""
    return storable(absolute(capture.header("location"), capture.url))  # type: ignore[no-any-return]


def parse_capture(capture: Capture, capture_id: str) -> ParsedCapture:
    """Returns the result for one capture; for a page of another kind, also its title, and what it lists or redirects to."""
    page = read_capture(capture)
    record = page.record
    found = ParsedCapture(capture_id, str(page.kind), storable(page.reason), node_id(capture.url))
    if page.kind is not Kind.RECORD or record is None:
        target = _redirect_target(capture) if page.kind is Kind.REDIRECT else None
        numbers = {int(one or other) for one, other in _LISTED.findall(capture.content)} if page.kind is Kind.OTHER else None
        listed = json_text(sorted(numbers)) if numbers else None
        return found._replace(redirect_to=target, title=storable(page.title), listed=listed)
    return found._replace(
        node_id=record.node_id if record.node_id is not None else found.node_id,
        reference=storable(record.reference),
        form=record.form,
        shape=record.shape or None,
        flags=json_text(storable(record.flags)) if record.flags else None,
        page=encode(record),
    )


@contextmanager
def _time_limit(seconds: float, *, alone: bool) -> Iterator[None]:
    """Ends a page's parsing after `seconds`: PageTookTooLong; if `alone` (a worker process), the process is killed.

    In the main thread, SIGALRM ends a worker even if C code hangs; without `alone` it can only interrupt Python code. A cluster's
    worker runs its tasks in other threads, which signals don't reach: there a watchdog ends the process.
    """

    def give_up(*_: object) -> None:
        raise PageTookTooLong

    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGALRM, signal.SIG_DFL if alone else give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    elif alone:
        with _ONE_AT_A_TIME, open(os.devnull, "w") as nowhere:  # noqa: PTH123  (the watchdog wants a file descriptor)
            faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
            try:
                yield
            finally:
                faulthandler.cancel_dump_traceback_later()
    else:
        yield
