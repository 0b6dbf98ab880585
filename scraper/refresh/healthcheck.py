"""Tells a healthcheck service, such as healthchecks.io, that a run begins, went well or failed. Never part of the run's result.

The service says when nobody called for too long: the one failure that a run can't report itself. Addresses are those of
healthchecks.io: the check's own, with `/start` and `/fail` after it (https://healthchecks.io/docs/http_api/).
"""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from scraper.config import Config
from scraper.errors import BadConfiguration, NotAllowed, TtaError
from scraper.refresh.log import Log
from scraper.terminal import escape
from scraper.web.addresses import AllowList
from scraper.web.network import Transport

START, SUCCESS, FAILURE = "/start", "", "/fail"
_SECONDS = 10.0


class Healthcheck:
    """Pings the configured address, or does nothing where there is none."""

    def __init__(self, settings: Config, log: Log) -> None:
        """Raises BadConfiguration where the address is not one that may be asked."""
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
        """Asks once, for at most ten seconds; what goes wrong is a line in the log."""
        if not self._url:
            return
        transport = Transport(loopback=self._loopback)
        host = urlsplit(self._url).hostname  # the path is a secret: whoever has it can say that all is well
        try:
            with transport.deadline(_SECONDS), httpx.Client(transport=transport, trust_env=False) as client:
                answer = client.head(self._url.rstrip("/") + which, headers={"User-Agent": "tta"})
        except (httpx.HTTPError, TtaError, OSError) as error:
            self._log.warning("healthcheck.failed", host=host, call=which or "success", reason=escape(type(error).__name__))
            return
        level = self._log.info if answer.is_success else self._log.warning
        level("healthcheck.called", host=host, call=which or "success", status=answer.status_code)
