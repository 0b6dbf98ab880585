"""What can end a request, by what the caller has to do next."""

from __future__ import annotations

from datetime import datetime

from scraper.capture import iso
from scraper.errors import ExitStatus, TtaError


class NotAllowed(TtaError):
    """The address is outside what the source may ask for (scheme, host, port, private network). Don't ask for it again."""


class RequestFailed(TtaError):
    """No usable answer after every attempt that made sense. Nothing is known of what was asked for: ask again later."""

    status = ExitStatus.PARTLY_DONE


class TooLarge(TtaError):
    """The body exceeds a limit, on the wire or decoded. Asking again soon won't help."""

    status = ExitStatus.PARTLY_DONE


class SourcePaused(TtaError):
    """The host wants no requests before `until`. End the source for this run; the ledger remembers the time."""

    status = ExitStatus.PARTLY_DONE

    def __init__(self, host: str, until: datetime, reason: str) -> None:
        super().__init__(
            f"{host} is not to be asked before {iso(until.replace(microsecond=0))}: {reason} (--now asks all the same)"
        )
        self.host = host
        self.until = until
