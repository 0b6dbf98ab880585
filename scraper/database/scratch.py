"""A second database beside `tta.db`, for a look at what a rebuild would give; `plan` fills it, and nobody else sees it.

It is removed at the end, also on SIGTERM. What a killed program leaves behind, the next load or plan removes.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from scraper.errors import TtaError

NAME = ".tta-plan.db"


def clear(data: Path) -> None:
    """Removes a database that was left behind, with SQLite's files beside it. Raises TtaError."""
    try:
        for ending in ("", "-wal", "-shm", "-journal"):
            (data / (NAME + ending)).unlink(missing_ok=True)
    except OSError as error:
        raise TtaError(f"{error.filename}: {error.strerror}: remove this file, then run the command again") from error


@contextmanager
def scratch(data: Path) -> Iterator[Path]:
    """The path of a database that is not there yet and is gone after the block. The caller holds the data folder's lock."""
    clear(data)
    with _terminated_as_interrupted():
        try:
            yield data / NAME
        finally:
            clear(data)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that it is left in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
