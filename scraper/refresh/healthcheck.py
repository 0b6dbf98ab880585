"""Notifies a healthcheck service, such as healthchecks.io, that a run starts, succeeded or failed.

The service reports missing calls: the one failure that a run can't report itself. The URLs are those of healthchecks.io: the
check's own, followed by `/start` or `/fail` (https://healthchecks.io/docs/http_api/).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from scraper.config import Config
from scraper.errors import BadConfiguration, ConnectionFailed, NotAllowed, TtaError
from scraper.refresh.log import Log
from scraper.terminal import escape
from scraper.web.addresses import AllowList
from scraper.web.network import request

START, SUCCESS, FAILURE = "/start", "", "/fail"
_SECONDS = 10.0


class Healthcheck:
    """Calls the configured URL; does nothing if there is none."""

    def __init__(self, settings: Config, log: Log) -> None:
        """Raises BadConfiguration if the URL may not be requested."""
        self._url = settings.refresh.healthcheck_url
        self._loopback = settings.http.allow_loopback
        self._log = log
        if self._url:
            try:
                AllowList.of([self._url], loopback=self._loopback).check(self._url)
            except NotAllowed as error:
                why = str(error).rpartition(": ")[2]
                raise BadConfiguration(f"refresh.healthcheck_url can't be used: {why}") from None

    def ping(self, which: str) -> None:
        """Calls once, for at most ten seconds. A failure is a line in the log and does not change the run's result."""
        if not self._url:
            return
        host = urlsplit(self._url).hostname  # the path is a secret: whoever has it can report success
        target = self._url.rstrip("/") + which
        try:
            with request(target, [("User-Agent", "tta")], seconds=_SECONDS, loopback=self._loopback, method="HEAD") as answer:
                status = answer.status
        except (ConnectionFailed, TtaError) as error:
            self._log.warning("healthcheck.failed", host=host, call=which or "success", reason=escape(type(error).__name__))
            return
        level = self._log.info if 200 <= status < 300 else self._log.warning
        level("healthcheck.called", host=host, call=which or "success", status=status)
