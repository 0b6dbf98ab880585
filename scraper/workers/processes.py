"""Runs tasks in other processes: results in order, memory bounded, and a task that kills its process affects no other.

`database.parse_captures` uses it to parse, and `scan` to search whole crawls. The processes are on this machine, or on a
dask.distributed cluster, which the extra `cluster` installs. Its workers need the same version of this program but no data
folder: a task contains its bytes.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWorking
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Protocol, TypeVar

from scraper.errors import TtaError

AHEAD = 3
"""Tasks per process that are submitted before the first result is taken: bounds the memory."""
_LOOK_SECONDS = 0.5  # seconds between two checks whether the run must end
CONNECT_SECONDS = 30.0
ALONE_SECONDS = 120.0
"""Seconds that a cluster may be without workers before the run ends; a worker that died is back within seconds."""
Check = Callable[[], None]
"""Raises an exception if the run must end (`stopping.Stop.check`)."""
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Job(Generic[Task, Result]):
    """The functions for each task, importable by name, because they are called in other processes.

    `work` must depend only on its task. If a task ends its process, `split` returns the smaller tasks that it consists of; one of
    those that ends two processes is given up, and `give_up` returns its results.
    """

    work: Callable[[Task], list[Result]]
    split: Callable[[Task], list[Task]]
    give_up: Callable[[Task], list[Result]]


class WorkerPool(Protocol):
    """Runs tasks in other processes."""

    def run(self, job: Job[Task, Result], tasks: Iterable[Task]) -> Generator[tuple[Task, list[Result]], None, None]:
        """Yields every task with its results, in the order of the tasks; closing it ends the work. Raises TtaError."""


def in_order(
    tasks: Iterable[Task],
    ahead: Callable[[], int],
    give: Callable[[Task], Future[list[Result]]],
    results: Callable[[Task, Future[list[Result]]], list[Result]],
) -> Generator[tuple[Task, list[Result]], None, None]:
    """Implements `WorkerPool.run`. `give` starts a task, `results` waits for it; at most `ahead` tasks are started in advance."""
    waiting = iter(tasks)
    given: deque[tuple[Task, Future[list[Result]]]] = deque()
    try:
        while True:
            most = ahead()
            while len(given) < most and (task := next(waiting, None)) is not None:
                given.append((task, give(task)))
            if not given:
                return
            task, future = given.popleft()
            yield task, results(task, future)
    finally:
        for _, future in given:
            future.cancel()


class _Worker:
    """One worker process at a time: started when needed, and again after it has ended."""

    _starting = threading.Lock()
    """Prevents a process from inheriting another one's end of a pipe, which would hide that the other has ended."""

    def __init__(self, context: BaseContext) -> None:
        self._process_context = context
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_closed = False

    def work(self, job: Job[Task, Result], task: Task) -> list[Result]:
        """Returns the task's results. Raises ChildProcessError if it ends the process, TtaError if no process can be started."""
        pipe = self._pipe or self._start()
        try:
            pipe.send((job.work, task))
            results, error = pipe.recv()
        except (EOFError, OSError):
            self._pipe = None
            pipe.close()
            raise ChildProcessError from None
        if error is not None:
            raise error
        return results  # type: ignore[no-any-return]

    def _start(self) -> Connection:
        with self._starting:
            if self._is_closed:
                raise CancelledError
            self._pipe, theirs = self._process_context.Pipe()
            self._process = self._process_context.Process(target=_serve, args=(theirs,), daemon=True)  # type: ignore[attr-defined]
            self._process.start()
            theirs.close()
        try:
            self._pipe.recv()  # it works, so if it ends later, the task is the cause
        except (EOFError, OSError):
            self._pipe = None
            raise TtaError("worker processes end as soon as they start: free up memory, or use `--workers 1`") from None
        return self._pipe

    def close(self) -> None:
        """Ends the process at once, without waiting for its task: its results are no longer needed."""
        with self._starting:
            self._is_closed = True
            if self._process is not None:
                self._process.terminate()


@dataclass
class Processes:
    """Worker processes on this machine; one that ends is replaced. `check`: may raise an exception that ends the run."""

    _workers: int
    _check: Check = lambda: None
    _preload: str | None = None  # a module that imports those of all jobs

    def run(self, job: Job[Task, Result], tasks: Iterable[Task]) -> Generator[tuple[Task, list[Result]], None, None]:
        context = _process_context(self._preload or job.work.__module__)
        workers = [_Worker(context) for _ in range(self._workers)]
        idle = [*workers]  # pop and append are atomic, and there are as many threads as workers

        def do(task: Task) -> list[Result]:
            worker = idle.pop()
            try:
                return self._finish(worker, job, task)
            finally:
                idle.append(worker)

        with ThreadPoolExecutor(self._workers) as threads:  # a thread for each process: it sends a task and waits for the results
            try:
                yield from in_order(tasks, lambda: self._workers * AHEAD, lambda task: threads.submit(do, task), self._await)
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
                for worker in workers:
                    worker.close()

    def _await(self, _task: Task, future: Future[list[Result]]) -> list[Result]:
        while not future.done():
            self._check()
            wait_for([future], timeout=_LOOK_SECONDS)
        return future.result()

    def _finish(self, worker: _Worker, job: Job[Task, Result], task: Task) -> list[Result]:
        """Returns the task's results. A part that ends two processes is given up; only one could have another cause."""

        def attempt(part: Task) -> list[Result] | None:
            try:
                return worker.work(job, part)
            except ChildProcessError:
                self._check()  # a signal to the process group has ended the worker too
                return None

        if (results := attempt(task)) is None:
            results = []
            for part in job.split(task):
                found = attempt(part)
                found = attempt(part) if found is None else found
                results += job.give_up(part) if found is None else found
        return results


def _serve(pipe: Connection) -> None:
    """Runs in the worker process: a task for each message, until the parent process closes the pipe or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C

    def end_with_parent() -> None:
        if (parent := multiprocessing.parent_process()) is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    pipe.send(None)
    while True:
        try:
            work, task = pipe.recv()
        except EOFError:
            return
        try:
            results, failed = work(task), None
        except Exception as error:
            results, failed = [], error
        pipe.send((results, failed))


def cores() -> int:
    """Returns how many processes are useful: one per core that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _process_context(module: str) -> BaseContext:
    """Returns a context that does not fork this process, whose open databases must not be inherited. `module`: loaded first."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def _run_on_cluster(version: str, job: Job[Any, Any], task: Any) -> list[Any]:
    from scraper.code_version import loading_code

    if version != loading_code():
        versions = f"{loading_code()} in place of {version}"
        raise TtaError(f"a worker of the cluster runs another version of this program ({versions}): install the same")
    return job.work(task)


@contextmanager
def cluster(address: str, check: Check | None = None) -> Iterator[WorkerPool]:
    """Yields the pool at a dask scheduler's address, such as `tcp://10.0.0.5:8786`. `check` may end the wait. Raises TtaError."""
    try:
        from distributed import Client
    except ImportError:
        raise TtaError("--scheduler needs dask: run `pip install '.[cluster]'` in a clone of this program") from None
    try:
        client: Any = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise TtaError(
            f"no dask scheduler answers at {address} ({type(error).__name__}): start one, or leave --scheduler"
        ) from None
    with client:
        yield _Cluster(client, check or (lambda: None))


@dataclass
class _Cluster:
    _client: Any
    _check: Check

    def run(self, job: Job[Task, Result], tasks: Iterable[Task]) -> Generator[tuple[Task, list[Result]], None, None]:
        from scraper.code_version import loading_code

        return in_order(
            tasks,
            lambda: AHEAD * max(1, sum(self._client.nthreads().values())),
            partial(self._client.get_executor(pure=False).submit, _run_on_cluster, loading_code(), job),
            partial(self._results, job),
        )

    def _results(self, job: Job[Task, Result], task: Task, future: Future[list[Result]]) -> list[Result]:
        """Returns the task's results. dask can't tell which task killed its workers; a process on this machine finds out."""
        from distributed import KilledWorker

        try:
            return self._await(future)
        except KilledWorker:
            parts = Processes(1, self._check).run(job, job.split(task))
            return [result for _, results in parts for result in results]
        except (CancelledError, OSError) as error:
            raise TtaError(f"the dask scheduler is gone ({type(error).__name__}): start it, then run the command again") from None

    def _await(self, future: Future[list[Result]]) -> list[Result]:
        had_workers = time.monotonic()
        while True:
            self._check()
            try:
                return future.result(timeout=2 * _LOOK_SECONDS)
            except StillWorking:
                if self._client.nthreads():
                    had_workers = time.monotonic()
                elif time.monotonic() - had_workers > ALONE_SECONDS:
                    raise TtaError("the cluster has no workers: start some, or leave --scheduler") from None
