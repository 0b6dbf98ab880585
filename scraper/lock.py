"""The data folder's lock: only one run at a time may change the folder.

The lock is the kernel's (flock), which releases it when its process ends, however that ends. The file's content only names the
holder, for messages.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from scraper.archive.warc import utc_now
from scraper.capture import iso
from scraper.errors import TtaError
from scraper.terminal import escape

LOCK = "lock"


class Holder(NamedTuple):
    """The run that holds the lock, or held it last. `since`: ISO 8601, UTC."""

    command: str
    pid: int
    since: str


@contextmanager
def locked(data: Path, command: str) -> Iterator[Holder | None]:
    """Holds the lock of the data folder, which is made if missing; yields the last holder if that was killed. Raises TtaError."""
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
            raise TtaError(f"{data} is in use by {escape(who)}: wait for it to end") from None
        dead = _holder(descriptor)
        with suppress(OSError):  # on a full disk the name is missing, and the lock is held nevertheless
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(Holder(command, os.getpid(), iso(utc_now()) or "")._asdict()).encode(), 0)
        try:
            yield dead
        finally:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> Holder | None:
    """The holder that the file names; None if it names none, as in the moment after the lock was taken."""
    try:
        holder = json.loads(os.pread(descriptor, 4096, 0))
        return Holder(str(holder["command"]), int(holder["pid"]), str(holder["since"]))
    except (ValueError, KeyError, TypeError):
        return None
