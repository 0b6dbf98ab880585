"""Lines and progress bars while a fetch runs. Everything goes to standard error; bars only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from scraper.terminal import escape

MAX_FAILURES = 20
"""Lines about single captures; the ledger has them all."""


class Display:
    """Lines and, on a terminal, a progress bar with counts, rate and time left. Use it in a `with`."""

    def __init__(self) -> None:
        self.on_line: Callable[[str], None] = lambda _text: None
        """Is told every line, also those that are not shown; for a log."""
        self._console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._failures = 0
        if sys.stderr.isatty():
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}", markup=False),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._progress:
            self._progress.stop()

    def line(self, text: str) -> None:
        """Prints one line, escaped (`terminal.escape`)."""
        self.on_line(text)
        self._show_line(text)

    def _show_line(self, text: str) -> None:
        self._console.print(escape(text, 1000))

    def failure(self, text: str) -> None:
        """A line about one capture; only the first few are shown."""
        self._failures += 1
        self.on_line(text)
        if self._failures <= MAX_FAILURES:
            self._show_line(text)
        elif self._failures == MAX_FAILURES + 1:
            self._show_line("further failures of single captures are not shown")

    def waiting(self, host: str, seconds: float) -> None:
        """A host asked to wait."""
        if seconds >= 1:
            self.line(f"{host} asked to wait {seconds:.0f} s")

    def listing(self, what: str, rows: int) -> None:
        """Rows listed so far."""
        self._show(f"listing {what}", rows, None)

    def fetching(self, source: str, done: int, total: int) -> None:
        """Captures settled so far, of how many."""
        self._show(f"fetching {source}", done, total)

    def parsing(self, done: int, total: int) -> None:
        """Captures parsed so far, of how many."""
        self._show("parsing captures", done, total)

    def _show(self, text: str, done: int, total: int | None) -> None:
        progress = self._progress
        if progress is None:
            return
        if self._task is None or progress.tasks[-1].description != text:
            if self._task is not None:
                progress.remove_task(self._task)
            self._task = progress.add_task(text, total=total, rate="")
        speed = progress.tasks[-1].speed
        progress.update(self._task, completed=done, total=total, rate=f"{speed * 60:.0f}/min" if speed else "")
