"""A second database beside `tta.db`, for a look at what a rebuild would give; `plan` fills it, and nobody else sees it.

It is removed at the end, also on SIGTERM. What a killed program leaves behind, the next load or plan removes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scraper.errors import TtaError
from scraper.stopping import terminated_as_interrupted

NAME = ".tta-plan.db"


def clear(data: Path) -> None:
    """Removes a database that was left behind, with SQLite's files beside it. Raises TtaError."""
    try:
        for ending in ("", "-wal", "-shm", "-journal"):
            (data / (NAME + ending)).unlink(missing_ok=True)
    except OSError as error:
        raise TtaError(f"{error.filename}: {error.strerror}: remove this file, then run the command again") from error


@contextmanager
def second_database(data: Path) -> Iterator[Path]:
    """The path of a database that is not there yet and is gone after the block. The caller holds the data folder's lock."""
    clear(data)
    with terminated_as_interrupted():
        try:
            yield data / NAME
        finally:
            clear(data)
