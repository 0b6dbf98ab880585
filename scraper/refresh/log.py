"""The run's log: JSON lines for machines, a file that only grows (docs/decisions/refresh.md).

Each line opens the file anew and is written at once, so logrotate may move it away at any time. Captured data reaches it only as
counts, names of sources and hosts, and addresses of records by their number: no titles, names or texts of pages.
"""

from __future__ import annotations

import json
import os
import re
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
        """Raises TtaError where the file can't be written to."""
        self._path = path
        if path is not None:
            try:
                os.close(self._open(path))
            except OSError as error:
                raise TtaError(f"{path} can't be written to ({error.strerror}): name another file with --log-file") from None

    def info(self, event: str, **fields: object) -> None:
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        if self._path is None:
            return
        line = {"time": iso(utc_now()), "level": level, "event": event, "pid": os.getpid(), **_clean(fields)}
        text = json.dumps(line) + "\n"
        try:
            descriptor = self._open(self._path)
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)
        except OSError:
            return  # a full disk must not end the run; what it costs is told where the data are written

    @staticmethod
    def _open(path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _clean(fields: dict[str, object]) -> dict[str, object]:
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {escape(name, 80): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return escape(_ADDRESS.sub(lambda found: _place(found[0]), str(value)), _MAX_TEXT)


def _place(url: str) -> str:
    """An address as far as it may be logged: a record's number, or the host alone, since aliases hold words of pages."""
    number = node_id(url)
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return "an address"
    return f"https://{escape(host)}/node/{number}" if number is not None else escape_url(f"{urlsplit(url).scheme}://{host}/...")
