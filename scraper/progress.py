"""The one progress line: on standard error, and only where that is a terminal."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Self, TypeVar

import click

from scraper.terminal import escape

_STEP = 2_000
"""Rows between two updates: an update costs a thousand times what passing a row on costs."""
_EVERY = 0.1
"""Seconds between two updates that are shown."""
_CLEAR = "\r\x1b[K"
Row = TypeVar("Row")


class ProgressBar:
    """Shows one task at a time: its text, count, rate and time left. Use it in a `with`.

    `shown`: whether anybody sees it; counting rows in advance pays only then.
    """

    def __init__(self, *, counts_bytes: bool = False) -> None:
        self.shown = sys.stderr.isatty()
        self._unit, self._scale = (" MB", 1_000_000) if counts_bytes else ("", 1)
        self._task, self._began, self._last = "", 0.0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._show(_CLEAR)

    def line(self, text: str) -> None:
        """Prints one line, escaped, above the progress."""
        self._show(_CLEAR)
        click.echo(escape(text, 1000), err=True)

    def update(self, text: str, done: int, total: int | None) -> None:
        """Shows how much of the task called `text` is done; another text begins another task."""
        now = time.monotonic()
        if text != self._task:
            self._task, self._began = text, now
        elif now - self._last < _EVERY:
            return
        self._last, speed = now, done / max(now - self._began, _EVERY)
        line = f"{text}: {done // self._scale:,}"
        if total is not None:
            line += f" of {total // self._scale:,}"
        line += f"{self._unit}, {speed * 60 / self._scale:,.0f}{self._unit} a minute"
        if total and speed:
            minutes, seconds = divmod(round((total - done) / speed), 60)
            line += f", {minutes}:{seconds:02} left"
        self._show(_CLEAR + escape(line, 79))

    def _show(self, text: str) -> None:
        if self.shown:
            click.echo(text, nl=False, err=True)

    def watch(self, text: str, rows: Iterable[Row], total: int | None) -> Iterator[Row]:
        """The rows, counted as they pass."""
        count = 0
        for count, row in enumerate(rows, start=1):
            if count % _STEP == 0:
                self.update(text, count, total)
            yield row
