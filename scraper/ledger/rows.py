"""What the ledger stores about one listed capture, and the results that a fetch of it can have."""

import re
from base64 import b32encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from scraper.archive.dating import parse_time


class State(StrEnum):
    """The state of a listed capture. Captures in the states after DUPLICATE are not stored and will be asked for again."""

    LISTED = "listed"
    FETCHED = "fetched"  # stored with its body
    UNCHANGED = "unchanged"  # stored as a revisit: the archive had the body already
    DUPLICATE = "duplicate"  # the archive had this capture already, from another source or a file
    SUBSTITUTED = "substituted"  # the archive offers another capture instead
    BLOCKED = "blocked"  # excluded, by the site's owner or by robots.txt
    MISSING = "missing"  # listed, but the archive can't play it
    FAILED = "failed"  # no usable answer
    PARKED = "parked"  # failed so often that it is asked for only once a month


STORED = (State.FETCHED, State.UNCHANGED, State.DUPLICATE)

ASK_AGAIN = {
    State.SUBSTITUTED: timedelta(days=7),
    State.MISSING: timedelta(days=30),
    State.BLOCKED: timedelta(days=90),
    State.PARKED: timedelta(days=30),
}
"""When captures that can't be played are asked for again (ARCHIVES.md, section 7, "Negative cache"; EDGI's expires after 7 days).
"""
PARK_AFTER = 8
"""Runs in which a capture failed."""
EMPTY_SHA1 = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
"""Of zero bytes; server-not-modified revisits have it too, whatever the page was (openwayback #224)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One listed capture. `timestamp`: the index's 14 digits; `digest`: as the index spells it, or None. `filename`, `offset` and
    `length` (bytes) locate its WARC record, for sources that read ranges.
    """

    url: str
    timestamp: str
    digest: str | None = None
    mime: str | None = None
    status: int | None = None
    length: int | None = None
    filename: str | None = None
    offset: int | None = None
    truncated: str | None = None
    id: int = 0
    tries: int = 0

    @property
    def is_revisit(self) -> bool:
        """Whether the index marks it as a repetition of an earlier capture (ARCHIVES.md, section 1, "Row quirks")."""
        return self.mime == "warc/revisit"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """The result for one row. `reason` contains no control characters. `ask_again` replaces the state's usual time."""

    state: State
    reason: str = ""
    capture_id: str | None = None
    truncated: str | None = None
    ask_again: timedelta | None = None


def when_to_ask_again(result: FetchResult, tries: int, now: datetime) -> datetime | None:
    """Returns the time before which the row is not asked for again, None where it is settled. `tries` includes this one."""
    if result.state in STORED:
        return None
    if result.ask_again is not None:
        return now + result.ask_again
    if result.state is State.FAILED:
        # The archive may have recovered in one of the next two runs; after that the time doubles from a day.
        return now if tries < 3 else now + timedelta(days=2 ** (tries - 3))
    return now + ASK_AGAIN.get(result.state, timedelta())


def to_time(timestamp: str) -> datetime | None:
    """Returns 14 digits as a time in UTC, None where they are not one.

    Captures of 2000 may have an inserted month of 00 and no seconds, as in `20000008241731` (ARCHIVES.md, section 1).
    """
    digits = timestamp[:4] + timestamp[6:] + "00" if timestamp[4:6] == "00" else timestamp
    time = parse_time(digits) if re.fullmatch(r"[0-9]{14}", digits) else None
    return time.moment if time else None


def to_timestamp(moment: datetime) -> str:
    """Returns a time as 14 digits, UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def sha1_of(digest: str | None) -> str | None:
    """Returns an index's digest as `sha1:BASE32`, None where it is missing, invalid or of another kind."""
    kind, colon, value = (digest or "").rpartition(":")
    if colon and kind.lower() not in ("sha1", "sha-1"):
        return None
    if len(value) == 40:
        try:
            return "sha1:" + b32encode(bytes.fromhex(value)).decode()
        except ValueError:
            return None
    value = value.upper()
    return f"sha1:{value}" if len(value) == 32 and not value.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") else None
