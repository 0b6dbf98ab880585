"""What the person at the terminal sees while a fetch runs: lines and a progress bar on standard error."""

from __future__ import annotations

from collections.abc import Callable

from scraper.progress import ProgressBar

MAX_FAILURES = 20
"""Lines about single captures; the ledger has them all."""


class Display(ProgressBar):
    """A progress bar with lines above it, which a log can be given too. Use it in a `with`."""

    def __init__(self) -> None:
        super().__init__()
        self.on_line: Callable[[str], None] = lambda _text: None
        """Is called with every line, also those that are not shown; for a log."""
        self._failures = 0

    def line(self, text: str) -> None:
        """Prints and logs one line."""
        self.on_line(text)
        super().line(text)

    def failure(self, text: str) -> None:
        """Prints and logs a line about one capture; only the first MAX_FAILURES are printed."""
        self._failures += 1
        self.on_line(text)
        if self._failures <= MAX_FAILURES:
            super().line(text)
        elif self._failures == MAX_FAILURES + 1:
            super().line("further failures of single captures are not shown")

    def waiting(self, host: str, seconds: float) -> None:
        """A host asked to wait."""
        if seconds >= 1:
            self.line(f"{host} asked to wait {seconds:.0f} s")

    def parsing(self, done: int, total: int) -> None:
        """Captures parsed so far, of how many."""
        self.update("parsing captures", done, total)
