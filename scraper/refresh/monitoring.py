"""How a run reports to those who watch it: a log of JSON lines, and calls of a healthcheck service (docs/decisions/refresh.md).

Of captured data they contain only counts, sources, hosts, and URLs of records by number: no titles, names or texts of pages.
"""

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
from scraper.config import Config
from scraper.errors import ConnectionFailed, NotAllowed, TtaError, WrongUsage
from scraper.terminal import escape
from scraper.web.addresses import AllowList
from scraper.web.client import request

START, SUCCESS, FAILURE = "/start", "", "/fail"
_PING_SECONDS = 10.0
_APPEND, _MODE = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


class Log:
    """Appends events to a file, without a path to none. Each line opens the file again, so logrotate may move it at any time."""

    def __init__(self, path: Path | None) -> None:
        """Raises TtaError if the file can't be written to."""
        self._path = path
        if path is not None:
            try:
                os.close(os.open(path, _APPEND, _MODE))
            except OSError as error:
                raise TtaError(f"{path} can't be written to ({error.strerror}): name another file with --log-file") from None

    def _write(self, level: str, event: str, **fields: object) -> None:
        if self._path is not None:
            clean = {name: _plain(value) for name, value in fields.items() if value is not None}
            line = {"time": iso(utc_now()), "level": level, "event": event, "pid": os.getpid(), **clean}
            # A full disk must not end the run; it is reported where the data are written.
            with suppress(OSError), os.fdopen(os.open(self._path, _APPEND, _MODE), "wb", buffering=0) as file:
                file.write((json.dumps(line) + "\n").encode())

    info = partialmethod(_write, "info")
    warning = partialmethod(_write, "warning")
    error = partialmethod(_write, "error")


def _plain(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return escape(_ADDRESS.sub(_loggable, str(value)), 1000)


def _loggable(found: re.Match[str]) -> str:
    """A URL as it may be logged: with a record's number, otherwise the host alone, because aliases contain words."""
    try:
        host = escape(urlsplit(found[0]).hostname or "")
    except ValueError:
        return "an address"
    number = node_id(found[0])
    return f"https://{host}/{'...' if number is None else f'node/{number}'}"


class Healthcheck:
    """Notifies a service such as healthchecks.io that a run starts, succeeded or failed; does nothing if none is configured.

    The service reports missing calls: the one failure that a run can't report itself. The URLs are those of healthchecks.io: the
    check's own, followed by `/start` or `/fail` (https://healthchecks.io/docs/http_api/).
    """

    def __init__(self, settings: Config, log: Log) -> None:
        """Raises WrongUsage if the URL may not be requested."""
        self._url, self._loopback, self._log = settings.refresh.healthcheck_url, settings.http.allow_loopback, log
        if self._url:
            try:
                AllowList.of([self._url], loopback=self._loopback).check(self._url)
            except NotAllowed as error:
                why = str(error).rpartition(": ")[2]
                raise WrongUsage(f"refresh.healthcheck_url can't be used: {why}") from None

    def ping(self, which: str) -> None:
        """Calls once, for at most ten seconds. A failure is a line in the log and does not change the run's result."""
        if not self._url:
            return
        about = {"host": urlsplit(self._url).hostname, "call": which or "success"}  # whoever has the path can report success
        target, head = self._url.rstrip("/") + which, [("User-Agent", "tta")]
        try:
            with request(target, head, seconds=_PING_SECONDS, loopback=self._loopback, method="HEAD") as answer:
                level = self._log.info if 200 <= answer.status < 300 else self._log.warning
                level("healthcheck.called", **about, status=answer.status)
        except (ConnectionFailed, TtaError) as error:
            self._log.warning("healthcheck.failed", **about, reason=type(error).__name__)
