"""The pool on other machines: a dask.distributed cluster, through its `concurrent.futures` executor.

`processes` defines what a pool is; the extra `cluster` installs dask. Workers need the same version of this program and
nothing of the data folder: a task contains the bytes it is about.
"""

import time
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as StillWorking
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from scraper.code_version import loading_code
from scraper.errors import TtaError
from scraper.workers.processes import AHEAD, Check, Job, Processes, Result, Task, WorkerPool, in_order

CONNECT_SECONDS = 30.0
ALONE_SECONDS = 120.0
"""How long a cluster may be without workers before the run ends; a worker that died is back within seconds."""
_LOOK_SECONDS = 1.0


def _work(version: str, job: Job[Any, Any], task: Any) -> list[Any]:
    """What a worker does."""
    if version != loading_code():
        versions = f"{loading_code()} in place of {version}"
        raise TtaError(f"a worker of the cluster runs another version of this program ({versions}): install the same")
    return job.work(task)


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
        yield _Cluster(client, check or (lambda: None))


@dataclass
class _Cluster:
    _client: Any
    _check: Check

    def run(self, job: Job[Task, Result], tasks: Iterable[Task]) -> Generator[tuple[Task, list[Result]], None, None]:
        executor = self._client.get_executor(pure=False)
        return in_order(
            tasks,
            lambda: AHEAD * max(1, sum(self._client.nthreads().values())),
            partial(executor.submit, _work, loading_code(), job),
            partial(self._results, job),
        )

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
        except (CancelledError, OSError) as error:
            raise TtaError(f"the dask scheduler is gone ({type(error).__name__}): start it, then run the command again") from None

    def _await(self, future: Future[list[Result]]) -> list[Result]:
        had_workers = time.monotonic()
        while True:
            self._check()
            try:
                return future.result(timeout=_LOOK_SECONDS)
            except StillWorking:
                if self._client.nthreads():
                    had_workers = time.monotonic()
                elif time.monotonic() - had_workers > ALONE_SECONDS:
                    raise TtaError("the cluster has no workers: start some, or leave --scheduler") from None
