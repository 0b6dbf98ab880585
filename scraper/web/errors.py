"""The errors that end a request; each docstring states what the caller does next."""

from __future__ import annotations

from datetime import datetime

from scraper.capture import iso
from scraper.errors import ExitStatus, TtaError


class NotAllowed(TtaError):
    """The URL is outside what the source may request (scheme, host, port, private network). Do not ask again."""


class RequestFailed(TtaError):
    """No usable answer after all retries; nothing is known about the requested resource. Ask again later."""

    status = ExitStatus.PARTLY_DONE


class TooLarge(TtaError):
    """The body exceeds a limit, as received or decoded. Asking again soon does not help."""

    status = ExitStatus.PARTLY_DONE


class SourcePaused(TtaError):
    """The host accepts no requests before `until`. End the source for this run; the ledger stores the time."""

    status = ExitStatus.PARTLY_DONE

    def __init__(self, host: str, until: datetime, reason: str) -> None:
        super().__init__(
            f"{host} must not be asked before {iso(until.replace(microsecond=0))}: {reason} (--now asks anyway)"
        )
        self.host = host
        self.until = until
