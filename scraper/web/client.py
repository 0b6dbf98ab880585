"""The one polite client: every request of every source goes through it (ARCHIVES.md, sections 6 and 8).

It waits its turn, retries where that can help, honours what servers ask for, and hands back whole, bounded, decoded bodies or
an error, never part of a body. What an answer means is the sources' business; when to ask, `pacing`'s; whom, `addresses`'.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from scraper.config import Retry
from scraper.encoding import decode_content
from scraper.errors import RequestFailed, TooLarge, UndecodableContent
from scraper.stopping import Stop
from scraper.terminal import escape, escape_url
from scraper.web.addresses import AllowList, host_of
from scraper.web.network import Transport, was_refused
from scraper.web.pacing import DEFAULT_429, Pacer, RetryBudget, backoff, retry_after

MIB = 1024 * 1024
MAX_RATIO = 200
"""Decoded bytes for each byte on the wire, in bodies over 1 MiB; beyond it is a bomb (ARCHIVES.md, section 8)."""
SLOWEST = 100
"""Bytes a second, over each half minute; a slower body is given up (ARCHIVES.md, section 8)."""
SLOW_AFTER = 30.0
RETRYABLE = frozenset({408, 413, 421, 425, *range(500, 600)})
"""EDGI's set of retryable answers and all of the 5xx (ARCHIVES.md, section 2, decision table)."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `body` has its content encoding taken off; `raw` is as it came. `framed`: its length was told or its end
    marked, so that a cut would have been noticed.
    """

    url: str
    status: int
    headers: httpx.Headers
    raw: bytes
    body: bytes
    framed: bool


def _never(_status: int, _headers: httpx.Headers) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one kind of request is made. Sizes are bytes, times seconds.

    `is_data` tells an archived error, which is data, from the archive's own. `forbidden_pause`: how long a 403 closes the host.
    `ranged`: only 206 is read, since a server that ignores Range sends the whole file.
    """

    allow: AllowList
    interval: float
    max_wire: int
    max_decoded: int
    accept_encoding: str = "gzip"
    is_data: Callable[[int, httpx.Headers], bool] = _never
    follow: int = 0
    retry_timeouts: bool = True
    forbidden_pause: float | None = None
    ranged: bool = False


@dataclass(frozen=True, slots=True)
class _Failure:
    text: str
    timed_out: bool = False
    limited: bool = False
    wait: float | None = None


class Client:
    """Makes requests, one at a time. Close it, or use it in a `with`."""

    def __init__(self, retry: Retry, pacer: Pacer, stop: Stop, *, contact: str | None = None, loopback: bool = False) -> None:
        self.pacer = pacer
        self.budget = RetryBudget()
        self._retry = retry
        self._stop = stop
        self._transport = Transport(loopback=loopback)
        self._client = httpx.Client(
            transport=self._transport,
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": user_agent(contact), "Accept": "*/*"},
            timeout=retry.deadline,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def get(self, url: str, manner: Manner, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a GET, redirects followed as far as `manner` says, each checked and paced like any request.

        Raises NotAllowed, RequestFailed, TooLarge, SourcePaused, Stopped.
        """
        seen: set[str] = set()
        while True:
            answer = self._with_retries(url, manner, headers)
            if not manner.follow or answer.status not in REDIRECTS or manner.is_data(answer.status, answer.headers):
                return answer
            seen.add(url)
            url = _joined(url, answer.headers.get("location", ""))
            if url in seen or len(seen) > manner.follow:
                raise RequestFailed(f"{escape_url(url)}: redirected in a loop or more than {manner.follow} times")

    def _with_retries(self, url: str, manner: Manner, headers: Mapping[str, str] | None) -> Answer:
        host = host_of(url)
        failure = _Failure("not asked")
        for attempt in range(self._retry.attempts):
            outcome = self._attempt(url, manner, headers, attempt)
            if isinstance(outcome, Answer):
                self.pacer.well(host)
                return outcome
            failure = outcome
            if attempt + 1 == self._retry.attempts or (failure.timed_out and not manner.retry_timeouts):
                break
            if not self.budget.take():
                failure = _Failure(f"{failure.text}; the run's retries are used up", failure.timed_out, failure.limited)
                break
            self.pacer.delay(host, backoff(self._retry.backoff, attempt))
        if failure.limited:
            self.pacer.hold(host, max(DEFAULT_429, failure.wait or 0.0), failure.text, end=True)
        if not failure.timed_out or manner.retry_timeouts:
            # A lone time-out is no trouble yet: archives time out while they load what they then answer from.
            self.pacer.trouble(host, self._retry.backoff)
        raise RequestFailed(f"{escape_url(url)}: {failure.text}")

    def _attempt(self, url: str, manner: Manner, headers: Mapping[str, str] | None, attempt: int) -> Answer | _Failure:
        host = host_of(url)
        try:
            answer = self._once(url, manner, headers)
        except httpx.TimeoutException as error:
            return _Failure(escape(error) or "no answer in time", timed_out=True)
        except httpx.TransportError as error:
            if was_refused(error):
                self.pacer.refused(host)
            return _Failure(f"the connection failed: {escape(error)}")
        except UndecodableContent as error:
            return _Failure(f"the body can't be decoded: {escape(error)}")
        return self._judged(answer, manner, attempt)

    def _judged(self, answer: Answer, manner: Manner, attempt: int) -> Answer | _Failure:
        """The answer where its source can make something of it, else why to ask again; raises SourcePaused where not to."""
        status, host = answer.status, host_of(answer.url)
        if manner.is_data(status, answer.headers):
            return answer
        if status == 403 and manner.forbidden_pause is not None:
            self.pacer.hold(host, manner.forbidden_pause, "it answered 403, which it gives to clients it blocks", end=True)
        wait = retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
        if status == 429:
            return self._too_many(host, wait, attempt)
        if status not in RETRYABLE:
            if wait and status in REDIRECTS:
                self.pacer.hold(host, wait, f"it answered {status} with Retry-After")
            return answer
        if wait:
            self.pacer.hold(host, max(wait, backoff(self._retry.backoff, attempt)), f"it answered {status} with Retry-After")
        return _Failure(f"answered {status}")

    def _too_many(self, host: str, wait: float | None, attempt: int) -> _Failure:
        """429: the source ends unless the server said how long to wait (ARCHIVES.md, section 2, decision table)."""
        self.pacer.limited(host)
        reason = "it asked for fewer requests (429)"
        if wait is None:
            self.pacer.hold(host, DEFAULT_429, reason, end=True)
        seconds = max(wait or 0.0, backoff(self._retry.backoff, attempt))
        self.pacer.hold(host, seconds, reason)
        return _Failure(reason, limited=True, wait=seconds)

    def _once(self, url: str, manner: Manner, headers: Mapping[str, str] | None) -> Answer:
        manner.allow.check(url)
        host = host_of(url)
        self.pacer.wait(host, manner.interval)
        parts = urlsplit(url)
        target = url[url.index(parts.netloc) + len(parts.netloc) :]
        request = self._client.build_request(
            "GET",
            f"{parts.scheme}://{parts.netloc}/",
            headers={"Accept-Encoding": manner.accept_encoding, **(headers or {})},
            # The target goes out as it was built: httpx would remove `..` and re-encode what is an archive's own spelling.
            extensions={"target": (target if target.startswith("/") else "/" + target).encode("ascii")},
        )
        self.budget.requests += 1
        self.pacer.asked(host)
        try:
            with self._stop.interruptible(), self._transport.deadline(self._retry.deadline):
                response = self._client.send(request, stream=True)
                try:
                    return self._read(url, response, manner)
                finally:
                    response.close()
        finally:
            self.pacer.asked(host)

    def _read(self, url: str, response: httpx.Response, manner: Manner) -> Answer:
        """The whole body, bounded. Raises TooLarge, RequestFailed, UndecodableContent, httpx.TransportError."""
        if manner.ranged and response.status_code == 200:
            self.pacer.trouble(host_of(url), self._retry.backoff)
            raise RequestFailed(f"{escape_url(url)}: the server ignored the range that was asked for")
        length = response.headers.get("content-length", "")
        if re.fullmatch(r"[0-9]{1,19}", length) and int(length) > manner.max_wire:
            raise TooLarge(f"{escape_url(url)}: {length} bytes; at most {manner.max_wire} are read")
        raw = b"".join(_bounded(url, response, manner.max_wire))
        framed = bool(length) or "chunked" in response.headers.get("transfer-encoding", "").lower()
        if manner.ranged:
            # A piece of a file is wanted as it lies there, whatever a header says about its encoding.
            return Answer(url, response.status_code, response.headers, raw, raw, framed)
        encodings = response.headers.get_list("content-encoding")
        try:
            body = decode_content(raw, encodings=encodings, limit=manner.max_decoded)
        except UndecodableContent as error:
            if len(error.partial) >= manner.max_decoded:
                raise TooLarge(f"{escape_url(url)}: decodes to more than {manner.max_decoded} bytes") from None
            raise
        if len(body) > MIB and len(body) > MAX_RATIO * len(raw):
            raise TooLarge(f"{escape_url(url)}: {len(raw)} bytes decode to {len(body)}, which only a bomb does")
        return Answer(url, response.status_code, response.headers, raw, body, framed)


def _bounded(url: str, response: httpx.Response, limit: int) -> list[bytes]:
    pieces: list[bytes] = []
    size, checked_size, checked_at = 0, 0, time.monotonic()
    for piece in response.iter_raw():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise TooLarge(f"{escape_url(url)}: more than {limit} bytes")
        if (now := time.monotonic()) - checked_at > SLOW_AFTER:
            if size - checked_size < SLOWEST * (now - checked_at):
                raise httpx.ReadTimeout("the body came too slowly")
            checked_size, checked_at = size, now
    return pieces


def _joined(base: str, location: str) -> str:
    """A redirect's target as an address that can be sent."""
    try:
        return sendable(urljoin(base, location.strip())).partition("#")[0]
    except ValueError:
        raise RequestFailed(f"{escape_url(base)}: redirected to what is no address") from None


def sendable(url: str) -> str:
    """The address with only those characters percent-encoded that can't stand in a request line."""
    return re.sub(r"[^\x21-\x7e]|\\", lambda found: _percent(found[0]), url)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))


def user_agent(contact: str | None) -> str:
    """Who asks and how to reach them: archives block clients that don't say (ARCHIVES.md, section 1)."""
    return f"tta-archive/{version('tta')} ({contact or 'loopback test'})"
