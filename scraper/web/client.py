"""The polite client: every request of every source goes through it (ARCHIVES.md, sections 6 and 8).

It spaces requests, retries if that can help, obeys servers' wait requests, and returns whole, bounded, decoded bodies or raises
an error; it never returns part of a body. Sources interpret the answers, `pacing` decides when, `addresses` to which hosts.

h11 implements the protocol; each request has its own connection to a checked address, and one deadline. If a server or proxy
answers twice, late, or with more bytes than announced, these stay in the connection, and a pooling client would read them as the
answer to its next request (ARCHIVES.md, section 9). Requests to one host are seconds apart, so new connections cost little.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

import h11

from scraper.config import Config
from scraper.encoding import MAX_BODY, MAX_RATIO, decode_content
from scraper.errors import ConnectionFailed, ConnectionRefused, RequestFailed, TimedOut, TooLarge, UndecodableContent
from scraper.terminal import escape, escape_url
from scraper.web.addresses import AllowList, checked_ip, host_of
from scraper.web.pacing import DEFAULT_429, Pacer, backoff, retry_after

MAX_CONNECT = 20.0
"""Seconds for resolving and connecting together."""
MAX_HEAD = 100 * 1024
"""Bytes of status line and headers; the same limit as httpcore's."""
_CHUNK = 65_536
_LINGER = 0.2
"""Seconds to wait for surplus bytes. The request asks the server to close the connection, so usually it is closed at once."""
MIB = 1024 * 1024
RETRYABLE = frozenset({408, 413, 421, 425, *range(500, 600)})
"""The retryable status codes of EDGI's `wayback` library and all 5xx (ARCHIVES.md, section 2, decision table)."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
FORBIDDEN_PAUSE = 86_400.0
"""Seconds after a 403 of an archive that blocks clients after too many requests (cc-downloader: "unrecoverable")."""


class Headers(tuple[tuple[str, str], ...]):
    """The headers of an answer, as names and values. Names are compared without case."""

    def get_list(self, name: str) -> list[str]:
        """Returns the values of all headers of that name."""
        return [value for key, value in self if key.lower() == name.lower()]

    def get(self, name: str) -> str:
        """Returns the values of the headers of that name, separated by commas (RFC 9110, 5.3); empty if there is none."""
        return ", ".join(self.get_list(name))


class OpenResponse(NamedTuple):
    """An answer as a stream. If it is `framed` (states its length or its end), a truncated `body` raises ConnectionFailed."""

    status: int
    headers: Headers
    framed: bool
    body: Iterator[bytes]


class Response(NamedTuple):
    """A complete answer. `body` is decoded (content encoding removed); `raw` is as received; `framed` as for OpenResponse."""

    url: str
    status: int
    headers: Headers
    raw: bytes
    body: bytes
    framed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPolicy:
    """How one kind of request is made. `limit`: bytes of the body, as sent and decoded; `interval`: seconds.

    `is_data`: tells whether an error status is archived data rather than the archive's own error. `final`: error statuses that
    are returned without a retry. `closed_by_403`: a 403 closes the host for FORBIDDEN_PAUSE. `ranged`: only 206 is read, because
    a server that ignores Range sends the whole file.
    """

    allow: AllowList
    interval: float
    limit: int = MAX_BODY
    accept_encoding: str = "gzip"
    is_data: Callable[[Headers], bool] = lambda _headers: False
    final: frozenset[int] = frozenset()
    follow: int = 0
    retry_timeouts: bool = True
    closed_by_403: bool = False
    ranged: bool = False


class _Failure(NamedTuple):
    text: str
    timed_out: bool = False
    limited: bool = False
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Client:
    """Makes requests, one at a time, each on its own connection."""

    settings: Config
    pacer: Pacer

    def get(self, url: str, policy: RequestPolicy, headers: Mapping[str, str] | None = None) -> Response:
        """Sends a GET and follows checked redirects. Raises NotAllowed, RequestFailed, TooLarge, SourcePaused, Stopped."""
        seen: set[str] = set()
        while True:
            answer = self._with_retries(url, policy, headers)
            if not policy.follow or answer.status not in REDIRECTS or policy.is_data(answer.headers):
                return answer
            seen.add(url)
            try:
                url = sendable(urljoin(url, answer.headers.get("location").strip())).partition("#")[0]
            except ValueError:
                raise RequestFailed(f"{escape_url(url)}: redirected to something that is not a URL") from None
            if url in seen or len(seen) > policy.follow:
                raise RequestFailed(f"{escape_url(url)}: redirected in a loop or more than {policy.follow} times")

    def _with_retries(self, url: str, policy: RequestPolicy, headers: Mapping[str, str] | None) -> Response:
        """Returns an answer that its source can use, after as many attempts as the run allows. Raises RequestFailed."""
        host = host_of(url)
        attempt, text = 0, ""
        while isinstance(failure := self._attempt(url, policy, headers, attempt), _Failure):
            text = failure.text
            attempt += 1
            if attempt == self.settings.retry.attempts or (failure.timed_out and not policy.retry_timeouts):
                break
            if not self.pacer.take_retry():
                text += "; the run has used up its retries"
                break
            self.pacer.delay(host, backoff(self.settings.retry.backoff, attempt - 1))
        else:
            self.pacer.note_success(host)
            return failure
        if failure.limited:
            self.pacer.hold(host, max(DEFAULT_429, failure.wait), text, end=True)
        if not failure.timed_out or policy.retry_timeouts:
            # One time-out does not count as a failure: archives time out while loading what they later answer from their cache.
            self.pacer.note_failure(host, self.settings.retry.backoff)
        raise RequestFailed(f"{escape_url(url)}: {text}")

    def _attempt(self, url: str, policy: RequestPolicy, headers: Mapping[str, str] | None, attempt: int) -> Response | _Failure:
        """Makes one request. Returns the answer, or why to try again. `attempt`: the number of attempts before it."""
        host = host_of(url)
        policy.allow.check(url)
        self.pacer.wait(host, policy.interval)
        self.pacer.requests += 1
        self.pacer.note_request(host)
        http, seconds = self.settings.http, self.settings.retry.deadline
        sent = {"User-Agent": user_agent(http.contact), "Accept": "*/*", "Accept-Encoding": policy.accept_encoding}
        sent |= headers or {}
        sending = request(url, [*sent.items()], seconds=seconds, loopback=http.allow_loopback)
        try:
            with self.pacer.stop.interruptible(), sending as response:
                answer = self._read(url, response, policy)
        except ConnectionFailed as error:
            if isinstance(error, ConnectionRefused):
                self.pacer.note_refusal(host)
            is_late = isinstance(error, TimedOut)
            return _Failure(str(error) if is_late else f"the connection failed: {error}", timed_out=is_late)
        except UndecodableContent as error:
            return _Failure(f"the body can't be decoded: {escape(error)}")
        finally:
            self.pacer.note_request(host)
        return self._classify(answer, policy, attempt)

    def _classify(self, answer: Response, policy: RequestPolicy, attempt: int) -> Response | _Failure:
        """Returns the answer if its source can use it, otherwise the reason for a retry. Raises SourcePaused."""
        status, host = answer.status, host_of(answer.url)
        if policy.is_data(answer.headers):
            return answer
        if status == 403 and policy.closed_by_403:
            self.pacer.hold(host, FORBIDDEN_PAUSE, "it answered 403, which it sends to clients that it blocks", end=True)
        wait = retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
        pause = max(wait or 0.0, backoff(self.settings.retry.backoff, attempt))
        if status == 429:
            # The source ends unless the server states how long to wait (ARCHIVES.md, section 2, decision table).
            self.pacer.note_limit(host)
            reason = "it asked for fewer requests (429)"
            self.pacer.hold(host, DEFAULT_429 if wait is None else pause, reason, end=wait is None)
            return _Failure(reason, limited=True, wait=pause)
        if wait and (status in REDIRECTS or status in RETRYABLE):
            self.pacer.hold(host, wait if status in REDIRECTS else pause, f"it answered {status} with Retry-After")
        return _Failure(f"answered {status}") if status in RETRYABLE - policy.final else answer

    def _read(self, url: str, response: OpenResponse, policy: RequestPolicy) -> Response:
        """Returns the whole answer. Raises TooLarge, RequestFailed, UndecodableContent, ConnectionFailed."""
        if policy.ranged and response.status == 200:
            self.pacer.note_failure(host_of(url), self.settings.retry.backoff)
            raise RequestFailed(f"{escape_url(url)}: the server ignored the range that was asked for")
        length = response.headers.get("content-length")
        if re.fullmatch(r"[0-9]{1,19}", length) and int(length) > policy.limit:
            raise TooLarge(f"{escape_url(url)}: {length} bytes; at most {policy.limit} are read")
        received = bytearray()
        for piece in response.body:
            received += piece
            if len(received) > policy.limit:
                raise TooLarge(f"{escape_url(url)}: more than {policy.limit} bytes")
        body = raw = bytes(received)
        if not policy.ranged:  # part of a file is wanted as stored, even if a header names an encoding
            try:
                body = decode_content(raw, encodings=response.headers.get_list("content-encoding"), limit=policy.limit)
            except UndecodableContent as error:
                if len(error.partial) >= policy.limit:
                    raise TooLarge(f"{escape_url(url)}: decodes to more than {policy.limit} bytes") from None
                raise
        if len(body) > MIB and len(body) > MAX_RATIO * len(raw):
            raise TooLarge(f"{escape_url(url)}: {len(raw)} bytes decode to {len(body)}: a decompression bomb")
        return Response(url, response.status, response.headers, raw, body, response.framed)


def sendable(url: str) -> str:
    """Returns the URL with only those characters percent-encoded that a request line can't contain."""
    encoded = url.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E and byte != 0x5C else f"%{byte:02X}" for byte in encoded)


def user_agent(contact: str | None) -> str:
    """Returns the User-Agent: the client and its contact. Archives block clients without one (ARCHIVES.md, section 1)."""
    return f"tta-archive/{version('tta')} ({contact or 'loopback test'})"


@contextmanager
def request(
    url: str, headers: Sequence[tuple[str, str]] = (), *, seconds: float, loopback: bool, method: str = "GET"
) -> Iterator[OpenResponse]:
    """Sends one request and yields its answer within `seconds`. Raises ConnectionFailed, TimedOut, NotAllowed."""
    parts = urlsplit(url)
    target = url.partition("#")[0][url.index(parts.netloc) + len(parts.netloc) :]
    sent = [("Host", parts.netloc), ("Connection", "close"), *headers]
    with ExitStack() as stack:
        with _as_failures():
            connection = _Connection(stack, parts, time.monotonic() + seconds, loopback)
            target = target if target.startswith("/") else "/" + target
            head = connection.answer(h11.Request(method=method, target=target, headers=sent))
        found = Headers(tuple((name.decode(), value.decode("utf-8", "replace")) for name, value in head.headers.raw_items()))
        framed = bool(found.get("content-length")) or "chunked" in found.get("transfer-encoding").lower()
        yield OpenResponse(head.status_code, found, framed, connection.body(framed=framed))


@cache
def _tls() -> ssl.SSLContext:
    """Returns a TLS context that checks certificates. Created once, because reading the system's certificates is slow."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Connection:
    """A connection for one request, closed by `stack`; `ends`: its deadline on the monotonic clock."""

    def __init__(self, stack: ExitStack, url: SplitResult, ends: float, loopback: bool) -> None:
        self._ends = ends
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        address = checked_ip(host, port, loopback=loopback, timeout=self._seconds_left(MAX_CONNECT))
        self._socket = stack.enter_context(socket.create_connection((address, port), timeout=self._seconds_left(MAX_CONNECT)))
        if url.scheme == "https":
            self._socket = stack.enter_context(_tls().wrap_socket(self._socket, server_hostname=host))

    def _seconds_left(self, most: float = 3600.0) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimedOut("the request took longer than its deadline")
        return min(left, most)

    def _next_event(self) -> h11.Event:
        while not isinstance(event := self._http.next_event(), h11.Event):
            self._socket.settimeout(self._seconds_left())
            self._http.receive_data(self._socket.recv(_CHUNK))
        return event

    def answer(self, head: h11.Request) -> h11.Response:
        """Sends a request without a body and returns the head of the answer."""
        self._socket.settimeout(self._seconds_left())
        self._socket.sendall((self._http.send(head) or b"") + (self._http.send(h11.EndOfMessage()) or b""))
        while isinstance(event := self._next_event(), h11.InformationalResponse):
            pass
        if not isinstance(event, h11.Response):
            raise ConnectionFailed("the server closed the connection without an answer")
        return event

    def body(self, *, framed: bool) -> Iterator[bytes]:
        """Yields the body, without chunk framing. Raises ConnectionFailed, also if bytes follow the end of the answer."""
        with _as_failures():
            while isinstance(event := self._next_event(), h11.Data):
                yield bytes(event.data)
        # What follows is either another answer, which is ignored, or the rest of a body that is longer than announced.
        surplus, _ = self._http.trailing_data
        with suppress(OSError, TimedOut):
            while framed and len(surplus) < len(b"HTTP/1."):
                self._socket.settimeout(self._seconds_left(_LINGER))
                if not (more := self._socket.recv(_CHUNK)):
                    break
                surplus += more
        if framed and surplus and not surplus.startswith(b"HTTP/1."):
            raise ConnectionFailed("more bytes came than the answer announced, so its length is wrong")


@contextmanager
def _as_failures() -> Iterator[None]:
    """Raises the errors of sockets and of h11 as ConnectionFailed."""
    try:
        yield
    except TimeoutError as error:
        raise TimedOut(escape(error) or "no answer in time") from error
    except (OSError, h11.RemoteProtocolError, h11.LocalProtocolError) as error:
        failure = ConnectionRefused if isinstance(error, ConnectionRefusedError) else ConnectionFailed
        raise failure(escape(error) or type(error).__name__) from error
