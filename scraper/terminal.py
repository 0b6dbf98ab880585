"""Text for a terminal or a log: text from pages and servers is reduced to one line of bounded length without control characters.

Also the progress line, on standard error, only if that is a terminal.
"""

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self, TypeVar
from urllib.parse import urlsplit

import click

MAX_SHOWN = 300
"""Characters; a `data:` URL in a listing can have kilobytes (ARCHIVES.md, section 1)."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_STEP = 2_000  # rows between two updates: an update costs a thousand times as much as passing on a row
_EVERY = 0.1  # seconds between two updates that are shown
_CLEAR = "\r\x1b[K"  # erases the line
Row = TypeVar("Row")
Progress = Callable[[int, int], None]
"""Called with how much is done, and the total."""


def escape(text: object, limit: int = MAX_SHOWN) -> str:
    r"""Returns at most `limit` characters in one line; control, line-end and direction characters become \xNN or \uNNNN."""
    shown = _UNSAFE.sub(lambda one: f"\\x{ord(one[0]):02x}" if one[0] <= "\xff" else f"\\u{ord(one[0]):04x}", str(text))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def counted(number: int, noun: str) -> str:
    """Returns a number with its noun: `1 capture`, `2,000 captures`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def escape_url(url: str) -> str:
    """As `escape`, for a URL, without the user name and password that it may contain (ARCHIVES.md, section 8)."""
    try:
        host = urlsplit(url).netloc
    except ValueError:
        return escape(url)
    return escape(url.replace(host, host.rpartition("@")[2], 1) if "@" in host else url)


class ProgressBar:
    """Shows one task at a time: its text, count, rate and time left. Use it in a `with`."""

    def __init__(self, *, counts_bytes: bool = False) -> None:
        self._shown = sys.stderr.isatty()
        self._unit, self._scale = (" MB", 1_000_000) if counts_bytes else ("", 1)
        self._task, self._began, self._last = "", 0.0, 0.0
        self.on_line: Callable[[str], None] = lambda _text: None
        """Called with every line, including those not shown; for a log."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._show(_CLEAR)

    def line(self, text: str, *, is_shown: bool = True) -> None:
        """Logs one line, and prints it, escaped, above the progress."""
        self.on_line(text)
        if is_shown:
            self._show(_CLEAR)
            click.echo(escape(text, 1000), err=True)

    def update(self, text: str, done: int, total: int | None = None) -> None:
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
        if self._shown:
            click.echo(text, nl=False, err=True)

    def watch(self, text: str, rows: Iterable[Row], total: int | None) -> Iterator[Row]:
        """Yields the rows unchanged, and shows how many."""
        for count, row in enumerate(rows, start=1):
            if count % _STEP == 0:
                self.update(text, count, total)
            yield row
