"""Parses stored captures, in this process or in several, with bounded memory; a page that kills or hangs a process costs itself.

Results come in the order of the captures. `parsed` is what runs in the other processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from pathlib import Path

from scraper.archive import Entry
from scraper.database.parsed import Verdict, parse_stored, unreadable
from scraper.errors import TtaError
from scraper.stopping import Stop

BATCH_CAPTURES = 64
BATCH_BYTES = 2_000_000
"""A task for a process: captures that lie side by side, up to so many, or so many compressed bytes."""
AHEAD = 3
"""Tasks per process that are given out before the first result is taken: what bounds the memory."""
_LOOK = 0.5
"""Seconds between two looks at whether the run was asked to end."""
FEW = 500
"""Captures up to which starting processes takes longer than parsing (November 2026, two cores)."""


def parse_all(folder: Path, entries: Iterable[Entry], workers: int, stop: Stop | None = None) -> Iterator[tuple[Entry, Verdict]]:
    """Every entry with its verdict, in order. `workers`: processes; 0 parses in this one. `stop` ends the wait for them."""
    batches = _batches(entries)
    if workers < 1:
        for batch in batches:
            yield from zip(batch, parse_stored(folder, batch, alone=False), strict=True)
    else:
        yield from _Pool(folder, workers, stop).run(batches)


def end_workers() -> None:
    """Ends the worker processes of this process at once, whatever page they are at: nobody takes their results any more."""
    for process in multiprocessing.active_children():
        process.terminate()


def sensible_workers(captures: int) -> int:
    """How many processes for so many captures: none for a few, else one per core that this program may use."""
    if captures <= FEW:
        return 0
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.warc_length
        if len(batch) >= BATCH_CAPTURES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _start() -> None:
    """A worker whose parent was killed ends at once: nobody would ever take its results. Ctrl-C is the parent's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _context() -> BaseContext:
    """Workers are not forked from this process: it has the database open, which must not be carried into another one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["scraper.database.parsed"])
    return context


class _Pool:
    """Worker processes that are replaced when one dies."""

    def __init__(self, folder: Path, workers: int, stop: Stop | None) -> None:
        self._folder = folder
        self._stop = stop
        self._workers = workers
        self._context = _context()

    def _executor(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(workers, mp_context=self._context, initializer=_start)

    def run(self, batches: Iterator[list[Entry]]) -> Iterator[tuple[Entry, Verdict]]:
        pool = self._executor(self._workers)
        given: deque[tuple[list[Entry], Future[list[Verdict]]]] = deque()
        try:
            while True:
                try:
                    self._fill(pool, given, batches)
                    if not given:
                        return
                    verdicts = self._result(given[0][1])
                except BrokenProcessPool:
                    self._check()  # what was sent to the whole group of processes has ended the workers too
                    pool.shutdown(wait=False, cancel_futures=True)
                    # Which of the given tasks broke the pool is not told, so each is done again where it can harm no other.
                    for batch, _ in given:
                        yield from zip(batch, self._isolated(batch), strict=True)
                    given.clear()
                    pool = self._executor(self._workers)
                    continue
                batch, _ = given.popleft()
                yield from zip(batch, verdicts, strict=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _check(self) -> None:
        if self._stop:
            self._stop.check()

    def _result(self, future: Future[list[Verdict]]) -> list[Verdict]:
        """What a worker found. It may be at a page for half a minute; a run that was asked to end does not wait for it."""
        while self._stop and not future.done():
            self._stop.check()
            wait_for([future], timeout=_LOOK)
        return future.result()

    def _fill(
        self,
        pool: ProcessPoolExecutor,
        given: deque[tuple[list[Entry], Future[list[Verdict]]]],
        batches: Iterator[list[Entry]],
    ) -> None:
        while len(given) < self._workers * AHEAD:
            batch = next(batches, None)
            if batch is None:
                return
            placeholder: Future[list[Verdict]] = Future()
            given.append((batch, placeholder))  # before `submit`, which raises where the pool has broken meanwhile
            given[-1] = (batch, pool.submit(parse_stored, self._folder, batch))

    def _isolated(self, batch: list[Entry]) -> Iterator[Verdict]:
        """Page by page in a process of their own. One that ends two of them is given up: the first may have been killed."""
        pool = self._sound()
        try:
            for entry in batch:
                for _ in range(2):
                    try:
                        yield from self._result(pool.submit(parse_stored, self._folder, [entry]))
                        break
                    except BrokenProcessPool:
                        self._check()
                        pool.shutdown(wait=False, cancel_futures=True)
                        pool = self._sound()
                else:
                    yield unreadable(entry.capture_id, entry.url, "the parser crashed or took too long on it")
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _sound(self) -> ProcessPoolExecutor:
        """A process that is known to work, so that what ends it is the page. Raises TtaError where none can be had."""
        pool = self._executor(1)
        try:
            pool.submit(os.getpid).result()
        except BrokenProcessPool:
            pool.shutdown(wait=False, cancel_futures=True)
            raise TtaError("worker processes end as soon as they start: make memory free, or use `--workers 1`") from None
        return pool
