"""The run's log: JSON lines, appended to a file (docs/decisions/refresh.md).

Each line opens the file again and is written at once, so logrotate may move the file at any time. Of captured data it contains
only counts, sources, hosts, and URLs of records by their number: no titles, names or texts of pages.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from functools import partialmethod
from pathlib import Path
from urllib.parse import urlsplit

from parsers.urls import node_id
from scraper.archive.warc import utc_now
from scraper.capture import iso
from scraper.errors import TtaError
from scraper.terminal import escape, escape_url

_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
_MAX_TEXT = 1000


class Log:
    """Writes events. Without a path it writes nothing."""

    def __init__(self, path: Path | None) -> None:
        """Raises TtaError if the file can't be written to."""
        self._path = path
        if path is not None:
            try:
                os.close(self._open(path))
            except OSError as error:
                raise TtaError(f"{path} can't be written to ({error.strerror}): name another file with --log-file") from None

    def _write(self, level: str, event: str, **fields: object) -> None:
        if self._path is None:
            return
        clean = {name: _plain(value) for name, value in fields.items() if value is not None}
        line = {"time": iso(utc_now()), "level": level, "event": event, "pid": os.getpid(), **clean}
        # A full disk must not end the run; it is reported where the data are written.
        with suppress(OSError), os.fdopen(self._open(self._path), "wb", buffering=0) as file:
            file.write((json.dumps(line) + "\n").encode())

    info = partialmethod(_write, "info")
    warning = partialmethod(_write, "warning")
    error = partialmethod(_write, "error")

    @staticmethod
    def _open(path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _plain(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return escape(_ADDRESS.sub(lambda found: _place(found[0]), str(value)), _MAX_TEXT)


def _place(url: str) -> str:
    """Returns a URL as it may be logged: with a record's number, otherwise the host alone, because aliases contain words."""
    number = node_id(url)
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return "an address"
    return f"https://{escape(host)}/node/{number}" if number is not None else escape_url(f"{urlsplit(url).scheme}://{host}/...")
