"""What the ledger keeps of one listed capture, and what can become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """What is known of a listed capture. Those after DUPLICATE are not stored and will be asked for again."""

    LISTED = "listed"
    FETCHED = "fetched"  # stored with its body
    UNCHANGED = "unchanged"  # stored as a revisit: the body was there already
    DUPLICATE = "duplicate"  # the archive had this very capture, from another source or a file
    SUBSTITUTED = "substituted"  # the archive offers another capture instead
    BLOCKED = "blocked"  # excluded, by the site's owner or by robots.txt
    MISSING = "missing"  # listed, but the archive has nothing to play
    FAILED = "failed"  # no usable answer; nothing is known
    PARKED = "parked"  # failed so often that it is asked for but monthly


STORED = (State.FETCHED, State.UNCHANGED, State.DUPLICATE)

ASK_AGAIN = {
    State.SUBSTITUTED: timedelta(days=7),
    State.MISSING: timedelta(days=30),
    State.BLOCKED: timedelta(days=90),
    State.PARKED: timedelta(days=30),
}
"""When what can't be played is asked for again (ARCHIVES.md, section 7, "Negative cache"; EDGI's expires after 7 days)."""
PARK_AFTER = 8
"""Runs in which a capture failed."""


class Fixity(StrEnum):
    """How the body compares with the digest in the index."""

    MATCHES = "matches"
    DIFFERS = "differs"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One listed capture. `timestamp`: the index's 14 digits, as they stand; `digest` as the index writes it, None where it has
    none. `filename`, `offset`, `length`: where its WARC record lies, for sources that read ranges; bytes.
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
        """Whether the index says "the same as an earlier capture" (ARCHIVES.md, section 1, "Row quirks")."""
        return self.mime == "warc/revisit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one row. `reason` is printable. `ask_again`: later or sooner than the state's usual time."""

    state: State
    reason: str = ""
    served_timestamp: str | None = None
    served_url: str | None = None
    capture_id: str | None = None
    fixity: Fixity | None = None
    truncated: str | None = None
    ask_again: timedelta | None = None


def when_to_ask_again(verdict: Verdict, tries: int, now: datetime) -> datetime | None:
    """The time before which the row is not asked for again; None where it is settled. `tries` counts this one."""
    if verdict.state in STORED:
        return None
    if verdict.ask_again is not None:
        return now + verdict.ask_again
    if verdict.state is State.FAILED:
        # The next run or the one after may find the archive well again; after that the time doubles from a day.
        return now if tries < 3 else now + timedelta(days=2 ** (tries - 3))
    return now + ASK_AGAIN.get(verdict.state, timedelta())


def to_time(timestamp: str) -> datetime | None:
    """An index's 14 digits as a time in UTC; None where they are none.

    Captures of 2000 may have a month of 00 put in and the seconds cut off, as in `20000008241731` (ARCHIVES.md, section 1).
    """
    for digits in (timestamp, timestamp[:4] + timestamp[6:] + "00" if timestamp[4:6] == "00" else ""):
        try:
            if len(digits) == 14 and digits.isascii() and digits.isdigit():
                return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def to_timestamp(moment: datetime) -> str:
    """A time as 14 digits, UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def sha1_of(digest: str | None) -> str | None:
    """An index's digest as `sha1:BASE32`; None where it is none, or another kind: those can't be compared."""
    if not digest:
        return None
    kind, colon, value = digest.rpartition(":")
    if colon and kind.lower() not in ("sha1", "sha-1"):
        return None
    if len(value) == 40:
        from base64 import b32encode

        try:
            return "sha1:" + b32encode(bytes.fromhex(value)).decode()
        except ValueError:
            return None
    value = value.upper()
    return f"sha1:{value}" if len(value) == 32 and not value.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") else None


EMPTY_SHA1 = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
"""Of no bytes at all; server-not-modified revisits carry it too, whatever the page was (openwayback #224)."""
