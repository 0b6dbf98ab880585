"""The one progress bar: on standard error, and only where that is a terminal. Rich is imported only then."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

import click

from scraper.terminal import escape

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_STEP = 2_000
"""Rows between two updates of the bar: updating costs a thousand times what passing a row on costs."""
Row = TypeVar("Row")


class ProgressBar:
    """Shows one task at a time: its text, count, rate and time left. Use it in a `with`."""

    def __init__(self, *, counts_bytes: bool = False) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            *([DownloadColumn()] if counts_bytes else [MofNCompleteColumn(), TextColumn("{task.fields[rate]}", markup=False)]),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False, markup=False, soft_wrap=True),
            transient=True,
        )

    @property
    def shown(self) -> bool:
        """Whether anybody sees it: counting rows in advance pays only then."""
        return self._progress is not None

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()

    def line(self, text: str) -> None:
        """Prints one line, escaped, above the bar."""
        show = self._progress.console.print if self._progress else partial(click.echo, err=True)
        show(escape(text, 1000))

    def update(self, text: str, done: int, total: int | None) -> None:
        """Shows how much of the task called `text` is done; another text begins another task."""
        if (progress := self._progress) is None:
            return
        if self._task is None or progress.tasks[-1].description != text:
            if self._task is not None:
                progress.remove_task(self._task)
            self._task = progress.add_task(text, total=total, rate="")
        speed = progress.tasks[-1].speed
        progress.update(self._task, completed=done, total=total, rate=f"{speed * 60:,.0f}/min" if speed else "")

    def watch(self, text: str, rows: Iterable[Row], total: int | None) -> Iterator[Row]:
        """The rows, counted as they pass."""
        count = 0
        for count, row in enumerate(rows, start=1):
            if count % _STEP == 0:
                self.update(text, count, total)
            yield row
        self.update(text, count, count)
