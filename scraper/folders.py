"""The data folder: its paths, the free space of its disk, its lock, and how to make files survive a power failure.

Only one run at a time may change the folder. The lock is the kernel's (flock), which releases it when the process ends for any
reason; the lock file's content only names the holder, for messages.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from scraper.errors import TtaError
from scraper.terminal import escape

LOCK = "lock"

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
        """Returns a warning if the disk may soon be full: there is not enough free space to write the database once more."""
        with suppress(OSError):
            existing = next(path for path in (self.data, *self.data.absolute().parents) if path.exists())
            free = shutil.disk_usage(existing).free
            needed = MIN_FREE + (self.database.stat().st_size if self.database.exists() else 0)
            if free < needed:
                return f"the disk of {self.data} has {free // 1_000_000} MB left; {needed // 1_000_000} MB are advisable"
        return None


def sync(path: Path) -> None:
    """Flushes a file's bytes, or a folder's list of new and renamed files, to disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Holder(NamedTuple):
    """The run that holds the lock, or the last one that held it. `since`: ISO 8601, UTC."""

    command: str
    pid: int
    since: str


@contextmanager
def locked(data: Path, command: str) -> Iterator[Holder | None]:
    """Holds the lock of the data folder, created if missing; yields the previous holder if it was killed. Raises TtaError."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise TtaError(f"{data}: {error.strerror}; give a folder that can be written to with --data") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _holder(descriptor)
            who = f"`{other.command}`, process {other.pid}, since {other.since}" if other else "another run"
            raise TtaError(f"{data} is in use by {escape(who)}: wait for it to end") from None
        dead = _holder(descriptor)
        with suppress(OSError):  # on a full disk the name is missing, but the lock is held
            os.ftruncate(descriptor, 0)
            holder = Holder(command, os.getpid(), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
            os.pwrite(descriptor, json.dumps(holder._asdict()).encode(), 0)
        try:
            yield dead
        finally:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> Holder | None:
    """Returns the holder that the file names; None if it names none, as just after the lock was acquired."""
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return Holder(str(holder["command"]), int(holder["pid"]), str(holder["since"]))
    except (ValueError, KeyError, TypeError):
        return None
