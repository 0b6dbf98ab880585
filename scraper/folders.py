"""The paths in the data folder, the free space of its disk, and how a file on it survives a loss of power."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MIN_FREE = 1_000_000_000
"""Bytes; a night's captures, and the files that a load writes beside the database, took far less (docs/performance.md)."""


@dataclass(frozen=True, slots=True)
class Folders:
    """The data folder and the configuration file that a command was called with."""

    data: Path
    config_file: Path | None = None

    @property
    def archive(self) -> Path:
        return self.data / "archive"

    @property
    def database(self) -> Path:
        return self.data / "tta.db"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.db"

    def low_space(self) -> str | None:
        """Returns a warning if the disk may be full soon: less is free than the database needs to be written once more."""
        with suppress(OSError):
            existing = next(path for path in (self.data, *self.data.absolute().parents) if path.exists())
            free = shutil.disk_usage(existing).free
            size = self.database.stat().st_size if self.database.exists() else 0
            if free < MIN_FREE + size:
                return (
                    f"the disk of {self.data} has {free // 1_000_000} MB left; {(MIN_FREE + size) // 1_000_000} MB are advisable"
                )
        return None


def sync(path: Path) -> None:
    """Returns when the disk has a file's bytes, or a folder's list of new and renamed files. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
