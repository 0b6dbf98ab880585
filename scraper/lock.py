"""The data folder's lock: one run at a time may change it, and who holds it can be told.

The kernel's lock (flock) ends with its process, however that ends, so a dead holder is never in the way; the text in the file
only says whose it is.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scraper.archive.warc import utc_now
from scraper.capture import iso
from scraper.errors import Locked, TtaError
from scraper.terminal import escape

LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock, as the file tells. `since`: ISO 8601, UTC."""

    command: str
    pid: int
    since: str


@contextmanager
def locked(data: Path, command: str) -> Iterator[Holder | None]:
    """Holds the lock of the data folder `data`, which is made when missing, while the block runs. Raises Locked, TtaError.

    Yields the holder before, where it did not give the lock back: it was killed, or the machine went down.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise TtaError(f"{data}: {error.strerror}; give a folder that can be written to with --data") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            who = f"`{holder.command}`, process {holder.pid}, since {holder.since}" if holder else "another run"
            raise Locked(f"{data} is in use by {escape(who)}: wait for it to end") from None
        dead = _holder(descriptor)
        _write(descriptor, {"pid": os.getpid(), "command": command, "since": iso(utc_now())})
        try:
            yield dead
        finally:
            _write(descriptor, {})
    finally:
        os.close(descriptor)


def _write(descriptor: int, holder: dict[str, object]) -> None:
    """On a full disk the text is missing and the lock holds all the same."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        if holder:
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)


def _holder(descriptor: int) -> Holder | None:
    """Whose lock it is, as far as the file tells: its holder may have taken it this very moment."""
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return Holder(str(holder["command"]), int(holder["pid"]), str(holder["since"]))
    except (ValueError, KeyError, TypeError):
        return None
