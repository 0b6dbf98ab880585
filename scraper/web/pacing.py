"""Decides when the next request may be made: intervals, waits, retry budget, circuit breaker.

Everything is per host and shared by all requests of a run, retries and redirects included (ARCHIVES.md, section 6). The ledger
stores what the next run needs, such as a ban.
"""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from scraper.errors import SourcePaused
from scraper.stopping import Stop

MAX_WAIT = 600.0
"""Seconds that a run waits in total; longer waits are left to a later run (DESIGN.md, "Fetching")."""
DEFAULT_429 = 60.0
"""Seconds; the Internet Archive sent no Retry-After with 429 as of 2023-11-27 (ARCHIVES.md, section 1, "Rates")."""
FIRST_BAN = 3600.0
"""Seconds; the Internet Archive's block lasts 1 h and doubles each time (edgi-govdata-archiving/wayback#137, 2023)."""
MAX_BAN = 7 * 86_400.0
BAN_MEMORY = timedelta(days=1)
"""A refused connection this soon after a 429, or after the end of a ban, counts as a ban."""
BANS_FORGOTTEN = timedelta(days=30)
"""After this time without a 429 the next ban counts as the first one."""
MAX_RETRY_AFTER = 365 * 86_400.0
"""Seconds; longer values are reduced to this, so that the resulting date is valid."""
MAX_BACKOFF = 300.0
BREAKER_LIMIT = 5
"""Consecutive failed requests (not counting retries) before the source is paused."""
BREAKER_PAUSE = 300.0
"""Multiple of the configured back-off: 10 min with the default of 2 s."""
BUDGET_BASE = 50
BUDGET_SHARE = 0.1
"""Retries allowed in a run: 50, plus 1 for every 10 requests."""
_JITTER = random.SystemRandom()  # random, so that clients do not retry together


@dataclass(slots=True)
class Host:
    """What is known about a host; from `closed` on, only in this run. `last` and `ready` are on the monotonic clock."""

    name: str
    not_before: datetime | None = None
    reason: str = ""
    bans: int = 0
    limited_at: datetime | None = None
    asked_at: datetime | None = None
    closed: bool = False
    last: float = float("-inf")
    ready: float = 0.0
    waited: float = 0.0
    failures: int = 0


def retry_after(value: str | None, now: datetime) -> float | None:
    """Returns the seconds that a Retry-After header states, at most MAX_RETRY_AFTER; None if it is invalid (RFC 9110, 10.2.3)."""
    text = (value or "").strip()
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", text):
        return min(max(float(text), 0.0), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
        return min(max((date - now).total_seconds(), 0.0), MAX_RETRY_AFTER)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def backoff(base: float, attempt: int) -> float:
    """Returns the seconds before retry number `attempt` (from 0): doubled each time, half of it random."""
    full = min(MAX_BACKOFF, base * float(2**attempt))
    return full / 2 + _JITTER.uniform(0, full / 2)


@dataclass(slots=True)
class Pacer:
    """Spaces the requests to each host, and stores until when a host must not be contacted.

    `load` and `save` keep what is known about hosts between runs. `override`: waits that earlier runs stored are ignored
    (`--now`). `on_wait` is called with the host's name and the seconds of each wait that a host requests.
    `requests` and `retries` count those of the whole run.
    """

    load: Callable[[str], Host]
    save: Callable[[Host], None]
    stop: Stop
    override: bool = False
    on_wait: Callable[[str, float], None] = lambda _name, _seconds: None
    requests: int = 0
    retries: int = 0
    _seen: dict[str, Host] = field(default_factory=dict)

    def take_retry(self) -> bool:
        """Counts and allows one more retry, if possible: retries must not multiply the load on a failing host."""
        may_retry = self.retries < BUDGET_BASE + BUDGET_SHARE * self.requests
        self.retries += may_retry
        return may_retry

    def _host(self, name: str) -> Host:
        if name not in self._seen:
            host = self._seen[name] = self.load(name)
            now = datetime.now(UTC)
            if self.override:
                host.not_before = None
            host.closed = bool(host.not_before and host.not_before > now)
            if host.asked_at and host.asked_at <= now:
                host.last = time.monotonic() - (now - host.asked_at).total_seconds()
        return self._seen[name]

    def wait(self, name: str, interval: float) -> None:
        """Waits until `name` may be contacted, `interval` seconds after the last request to it. Raises SourcePaused, Stopped."""
        host = self._host(name)
        if host.closed and host.not_before:
            raise SourcePaused(name, host.not_before, host.reason)
        self.stop.sleep(max(host.ready, host.last + interval) - time.monotonic())

    def note_request(self, name: str) -> None:
        """Records that a request to `name` starts or has ended; the interval counts from the later of the two."""
        host = self._host(name)
        host.last = time.monotonic()
        host.asked_at = datetime.now(UTC)
        self.save(host)

    def delay(self, name: str, seconds: float) -> None:
        """Delays the next request to `name` by at least `seconds`: the client's own back-off."""
        host = self._host(name)
        host.ready = max(host.ready, time.monotonic() + seconds)

    def hold(self, name: str, seconds: float, reason: str, *, end: bool = False) -> None:
        """Stores that a host gets no request for `seconds`. Raises SourcePaused if this run can't wait, or if `end`."""
        host = self._host(name)
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        host.not_before = max(until, host.not_before or until)
        host.reason = reason
        self.save(host)
        self.delay(name, seconds)
        host.waited += seconds
        if end or host.waited > MAX_WAIT:
            host.closed = True
            raise SourcePaused(name, host.not_before, reason)
        self.on_wait(name, seconds)

    def note_limit(self, name: str) -> None:
        """Records a 429: a refused connection after it is a ban."""
        host = self._host(name)
        now = datetime.now(UTC)
        if host.limited_at and now - host.limited_at > BANS_FORGOTTEN:
            host.bans = 0
        host.limited_at = now
        self.save(host)

    def note_refusal(self, name: str) -> None:
        """Records a refused connection: raises SourcePaused if a 429 shortly before makes it a ban."""
        host = self._host(name)
        now = datetime.now(UTC)
        if host.limited_at and now - host.limited_at < BAN_MEMORY:
            seconds = min(FIRST_BAN * 2**host.bans, MAX_BAN)
            host.bans = min(host.bans + 1, 20)
            host.limited_at = now + timedelta(seconds=seconds)
            self.hold(name, seconds, "it refuses connections after a 429: banned", end=True)

    def note_failure(self, name: str, base: float) -> None:
        """Counts a request that failed after its retries. BREAKER_LIMIT in a row pause the host for `base` x BREAKER_PAUSE."""
        host = self._host(name)
        host.failures += 1
        if host.failures >= BREAKER_LIMIT:
            host.failures = 0
            self.hold(name, BREAKER_PAUSE * base, f"{BREAKER_LIMIT} requests in a row failed", end=True)

    def note_success(self, name: str) -> None:
        """Records a usable answer: resets the failure count and ends a wait that the host had requested."""
        host = self._host(name)
        host.failures = 0
        if host.not_before and not host.closed:
            host.not_before, host.reason = None, ""
            self.save(host)
