"""The pool on other machines: a dask.distributed cluster, through its `concurrent.futures` executor.

`processes` says what a pool is; the extra `cluster` installs what this needs. Workers need this program, in the same version, and
nothing of the data folder: tasks bring the bytes they are about.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as StillWorking
from contextlib import contextmanager
from typing import Any, NamedTuple

from scraper.code_version import loading_code
from scraper.errors import OtherVersion, TtaError
from scraper.workers.processes import AHEAD, Check, Job, Processes, Result, Task, WorkerPool

CONNECT_SECONDS = 30.0
ALONE_SECONDS = 120.0
"""How long a cluster may be without workers before the run ends; a worker that died is back within seconds."""
_LOOK_SECONDS = 1.0


class _Asked(NamedTuple):
    """What a worker is sent."""

    version: str
    job: Job[Any, Any]
    task: Any


def _work(asked: _Asked) -> list[Any]:
    if asked.version != loading_code():
        raise OtherVersion(f"{loading_code()} in place of {asked.version}")
    return asked.job.work(asked.task)


@contextmanager
def cluster(address: str, check: Check | None = None) -> Iterator[WorkerPool]:
    """The pool at a dask scheduler's address, such as `tcp://10.0.0.5:8786`. `check` ends the wait. Raises TtaError."""
    try:
        from distributed import Client
    except ImportError:
        raise TtaError("--scheduler needs dask: install this program with its extra, `tta[cluster]`") from None
    try:
        client: Any = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise TtaError(
            f"no dask scheduler answers at {address} ({type(error).__name__}): start one, or leave --scheduler"
        ) from None
    with client:
        yield _Cluster(client, check)


class _Cluster:
    def __init__(self, client: Any, check: Check | None) -> None:
        self._check = check
        self._client = client
        self._executor = client.get_executor(pure=False)

    def run(self, job: Job[Task, Result], tasks: Iterable[Task]) -> Generator[tuple[Task, list[Result]], None, None]:
        waiting = iter(tasks)
        given: deque[tuple[Task, Future[list[Result]]]] = deque()
        try:
            while True:
                ahead = AHEAD * max(1, sum(self._client.nthreads().values()))
                while len(given) < ahead and (task := next(waiting, None)) is not None:
                    given.append((task, self._give(job, task)))
                if not given:
                    return
                task, future = given.popleft()
                yield task, self._results(job, task, future)
        finally:
            for _, future in given:
                future.cancel()

    def _give(self, job: Job[Task, Result], task: Task) -> Future[list[Result]]:
        future: Future[list[Result]] = self._executor.submit(_work, _Asked(loading_code(), job, task))
        return future

    def _results(self, job: Job[Task, Result], task: Task, future: Future[list[Result]]) -> list[Result]:
        """The task's results. Where several workers died while they had it, this machine finds out what it does to a process.

        dask counts a worker's death against every task that the worker had, so it can't tell which of them is to blame.
        """
        from distributed import KilledWorker

        try:
            return self._await(future)
        except KilledWorker:
            parts = Processes(1, self._check).run(job, job.split(task))
            return [result for _, results in parts for result in results]

    def _await(self, future: Future[list[Result]]) -> list[Result]:
        alone_since: float | None = None
        while True:
            if self._check:
                self._check()
            try:
                return future.result(timeout=_LOOK_SECONDS)
            except StillWorking:
                working = bool(self._client.nthreads())
                alone_since = None if working else alone_since or time.monotonic()
                if alone_since is not None and time.monotonic() - alone_since > ALONE_SECONDS:
                    raise TtaError("the cluster has no workers: start some, or leave --scheduler") from None
            except OtherVersion as error:
                raise TtaError(
                    f"a worker of the cluster runs another version of this program ({error}): install the same"
                ) from None
            except (CancelledError, OSError) as error:
                raise TtaError(
                    f"the dask scheduler is gone ({type(error).__name__}): start it, then run the command again"
                ) from None
