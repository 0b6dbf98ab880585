"""How far a long export is: a bar on standard error, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_STEP = 2_000
"""Rows between two looks at the bar."""


class Bar:
    """Counts rows as they pass. Use it in a `with`."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        if sys.stderr.isatty():
            parts = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._progress = Progress(*parts, console=Console(stderr=True), transient=True)

    @property
    def shown(self) -> bool:
        """Whether anybody sees it: counting in advance only pays then."""
        return self._progress is not None

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress:
            self._progress.stop()

    def watch(self, what: str, rows: Iterable[Any], total: int | None) -> Iterable[Any]:
        """The rows, counted while they pass."""
        return rows if self._progress is None else _counted(self._progress, self._progress.add_task(what, total=total), rows)


def _counted(progress: Progress, task: TaskID, rows: Iterable[Any]) -> Iterator[Any]:
    count = 0
    for count, row in enumerate(rows, start=1):
        if count % _STEP == 0:
            progress.update(task, completed=count)
        yield row
    progress.update(task, completed=count, total=count)
