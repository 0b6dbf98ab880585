"""Parses stored captures, in this process or by a crew, with bounded memory; a page that kills or hangs a process costs itself.

A task is a stretch of a WARC file, as it lies on disk, with the captures wanted of it: whoever works on it needs no archive.
Results come in the order of the captures. `parsed` is what runs in the other processes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from scraper.archive.catalog import Entry
from scraper.crew.processes import Crew, Job
from scraper.database.parsed import Stretch, Verdict, Wanted, parse_stretch

STRETCH_CAPTURES = 64
STRETCH_BYTES = 2_000_000
"""A task for a process: captures that lie side by side, up to so many, or so many compressed bytes."""
GAP_BYTES = 100_000
"""Bytes between two captures up to which reading on is cheaper than another stretch: some ten captures."""
FEW = 500
"""Captures up to which starting processes takes longer than parsing (November 2026, two cores)."""
JOB: Job[Stretch, Verdict] = Job(parse_stretch, Stretch.split, Stretch.give_up)


def parse_all(folder: Path, entries: Iterable[Entry], crew: Crew | None) -> Iterator[tuple[Entry, Verdict]]:
    """Every entry with its verdict, in order. `entries` come as they lie on disk; `crew`: who parses, None parses here."""
    taken: deque[Entry] = deque()
    stretches = _stretches(folder, entries, taken)
    for _, verdicts in crew.run(JOB, stretches) if crew else _here(stretches):
        for verdict in verdicts:
            entry = taken.popleft()
            assert verdict.capture_id == entry.capture_id, "a crew keeps the order"
            yield entry, verdict


def _here(stretches: Iterable[Stretch]) -> Iterator[tuple[Stretch, list[Verdict]]]:
    for stretch in stretches:
        yield stretch, parse_stretch(stretch, alone=False)


def _stretches(folder: Path, entries: Iterable[Entry], taken: deque[Entry]) -> Iterator[Stretch]:
    """The tasks; each entry that goes into one is appended to `taken`."""
    for some in _side_by_side(entries):
        taken.extend(some)
        yield _stretch(folder / some[0].warc_file, some)


def _side_by_side(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    some: list[Entry] = []
    size = end = 0
    for entry in entries:
        full = len(some) >= STRETCH_CAPTURES or size >= STRETCH_BYTES
        if some and (full or entry.warc_file != some[0].warc_file or entry.warc_offset - end > GAP_BYTES):
            yield some
            some, size = [], 0
        some.append(entry)
        size += entry.warc_length
        end = entry.warc_offset + entry.warc_length
    if some:
        yield some


def _stretch(path: Path, some: list[Entry]) -> Stretch:
    start, end = some[0].warc_offset, some[-1].warc_offset + some[-1].warc_length
    data, problem = b"", "no readable record"
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(end - start)
    except OSError as error:
        problem = error.strerror or "can't be read"
    wanted = tuple(
        Wanted(one.capture_id, one.warc_offset - start, one.warc_length, one.form, one.url, one.http_status) for one in some
    )
    return Stretch(str(path), start, data, wanted, problem)
