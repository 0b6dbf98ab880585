"""Does tasks in other processes, of this machine or of a cluster: results in order, memory bounded, a deadly task costs itself.

`database.parse_captures` parses with it and `scan` reads whole crawls with it. `cluster` is the pool on other machines.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from multiprocessing.queues import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakSet

from scraper.errors import TtaError

AHEAD = 3
"""Tasks per process that are given out before the first result is taken: what bounds the memory."""
_LOOK = 0.5
"""Seconds between two looks at whether the run was asked to end."""
Check = Callable[[], None]
"""Raises where the run was asked to end (`stopping.Stop.check`)."""
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Job(Generic[Task, Result]):
    """What is done with each task. The functions have to be importable by name, as they are called in other processes.

    `work` must not depend on anything but its task. Where a task ends its process, `split` tells which smaller tasks it is made
    of; one of those that ends two processes is given up, and `give_up` says what its results are then.
    """

    work: Callable[[Task], list[Result]]
    split: Callable[[Task], list[Task]]
    give_up: Callable[[Task], list[Result]]


class WorkerPool(Protocol):
    """Whoever does tasks."""

    def run(self, job: Job[Task, Result], tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Result]]]:
        """Every task with its results, in the order of the tasks. Raises TtaError where nobody can work."""


class Processes:
    """Worker processes on this machine; one that dies is replaced."""

    def __init__(self, workers: int, check: Check | None = None) -> None:
        self._workers = workers
        self._check = check or _go_on

    def run(self, job: Job[Task, Result], tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Result]]]:
        context = _context(job.work.__module__)
        waiting = iter(tasks)
        pool = _executor(context, self._workers)
        given: deque[tuple[Task, Future[list[Result]]]] = deque()
        try:
            while True:
                try:
                    self._fill(pool, job, given, waiting)
                    if not given:
                        return
                    results = self._result(given[0][1])
                except BrokenProcessPool:
                    self._check()  # what was sent to the whole group of processes has ended the workers too
                    pool.shutdown(wait=False, cancel_futures=True)
                    # Which of the given tasks broke the pool is not told, so each is done again where it can harm no other.
                    for task, _ in given:
                        yield task, self.isolated(job, task)
                    given.clear()
                    pool = _executor(context, self._workers)
                    continue
                yield given.popleft()[0], results
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _fill(
        self,
        pool: ProcessPoolExecutor,
        job: Job[Task, Result],
        given: deque[tuple[Task, Future[list[Result]]]],
        tasks: Iterator[Task],
    ) -> None:
        while len(given) < self._workers * AHEAD:
            try:
                task = next(tasks)
            except StopIteration:
                return
            placeholder: Future[list[Result]] = Future()
            given.append((task, placeholder))  # before `submit`, which raises where the pool has broken meanwhile
            given[-1] = (task, pool.submit(job.work, task))

    def _result(self, future: Future[list[Result]]) -> list[Result]:
        """What a worker found. It may be at a task for long; a run that was asked to end does not wait for it."""
        while not future.done():
            self._check()
            wait_for([future], timeout=_LOOK)
        return future.result()

    def isolated(self, job: Job[Task, Result], task: Task) -> list[Result]:
        """The task's results, found part by part in a process of its own.

        A part that ends two processes is given up: the first may have been killed by something else.
        """
        context = _context(job.work.__module__)
        results: list[Result] = []
        pool = _sound(context)
        try:
            for part in job.split(task):
                for _ in range(2):
                    try:
                        results += self._result(pool.submit(job.work, part))
                        break
                    except BrokenProcessPool:
                        self._check()
                        pool.shutdown(wait=False, cancel_futures=True)
                        pool = _sound(context)
                else:
                    results += job.give_up(part)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return results


def end_workers() -> None:
    """Ends the worker processes of this process at once, whatever they are at: nobody takes their results any more.

    A worker that dies while it sends leaves the beginning of its results in a pipe, and the thread that reads them would wait for
    the rest as long as anybody may write there, this process among them, which could not end then. So it closes its own end.
    """
    for process in multiprocessing.active_children():
        process.terminate()
    for results in list(_results):
        results._writer.close()  # type: ignore[attr-defined]  # no public way closes this end alone


def _go_on() -> None:
    pass


def cores() -> int:
    """How many processes pay off here: one per core that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sound(context: BaseContext) -> ProcessPoolExecutor:
    """A process that is known to work, so that what ends it is the task. Raises TtaError where none can be had."""
    pool = _executor(context, 1)
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        pool.shutdown(wait=False, cancel_futures=True)
        raise TtaError("worker processes end as soon as they start: make memory free, or use `--workers 1`") from None
    return pool


_results: WeakSet[SimpleQueue[Any]] = WeakSet()
"""The pipes in which workers send their results, of every pool that is still in use."""


def _executor(context: BaseContext, workers: int) -> ProcessPoolExecutor:
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start)
    _results.add(pool._result_queue)
    return pool


def _start() -> None:
    """A worker whose parent was killed ends at once: nobody would ever take its results. Ctrl-C is the parent's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _context(module: str) -> BaseContext:
    """Workers are not forked from this process: it has databases open, which must not be carried into another one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context
