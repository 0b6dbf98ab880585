"""One HTTP request on a connection of its own, to a checked address, within one deadline. h11 speaks the protocol.

A connection is never reused. A server or proxy that answers twice, late, or with more bytes than it announced leaves them in the
connection, and a pooling client reads them as the answer to its next request (ARCHIVES.md, section 9). Requests to one host are
seconds apart, so a new connection for each costs little.
"""

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import h11
import httpx

from scraper.errors import ConnectionFailed, TimedOut
from scraper.terminal import escape
from scraper.web.addresses import checked_ip

MAX_CONNECT = 20.0
"""Seconds for resolving and connecting together."""
MAX_HEAD = 100 * 1024
"""Bytes of status line and headers; the same limit as httpcore's."""
_CHUNK = 65_536
_LINGER = 0.2
"""Seconds to wait for surplus bytes. The request asks the server to close the connection, so usually it is closed at once."""


class Response(NamedTuple):
    """An answer whose body is read from `body`, which raises ConnectionFailed where the body is cut.

    `framed`: the answer states its length or marks its end, so a cut body is noticed.
    """

    status: int
    headers: httpx.Headers
    framed: bool
    body: Iterator[bytes]


@contextmanager
def request(
    url: str, headers: Sequence[tuple[str, str]] = (), *, seconds: float, loopback: bool, method: str = "GET"
) -> Iterator[Response]:
    """Sends one request and yields its answer; the connection is closed afterwards. `seconds` covers all of it, body included.

    The request target is sent as `url` spells it. Raises ConnectionFailed, TimedOut, NotAllowed (`loopback`: see `checked_ip`).
    """
    parts = urlsplit(url)
    target = url.partition("#")[0][url.index(parts.netloc) + len(parts.netloc) :]
    sent = [("Host", parts.netloc), ("Connection", "close"), *headers]
    with ExitStack() as stack:
        with _as_failures():
            connection = _Connection(stack, parts, time.monotonic() + seconds, loopback)
            target = target if target.startswith("/") else "/" + target
            head = connection.answer(h11.Request(method=method, target=target, headers=sent))
        found = httpx.Headers(head.headers.raw_items())
        framed = "content-length" in found or "chunked" in found.get("transfer-encoding", "").lower()
        yield Response(head.status_code, found, framed, connection.body(framed=framed))


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are always checked. Made once, because reading the system's certificates is slow."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Connection:
    """A connection for one request, which `stack` closes; `ends` is its deadline on the monotonic clock."""

    def __init__(self, stack: ExitStack, url: SplitResult, ends: float, loopback: bool) -> None:
        self._ends = ends
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        host, port = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
        address = checked_ip(host, port, loopback=loopback, timeout=self._left(MAX_CONNECT))
        self._socket = stack.enter_context(socket.create_connection((address, port), timeout=self._left(MAX_CONNECT)))
        if url.scheme == "https":
            self._socket = stack.enter_context(_tls().wrap_socket(self._socket, server_hostname=host))

    def _left(self, most: float = 3600.0) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimedOut("the request took longer than its deadline")
        return min(left, most)

    def _next_event(self) -> h11.Event:
        while not isinstance(event := self._http.next_event(), h11.Event):
            self._socket.settimeout(self._left())
            self._http.receive_data(self._socket.recv(_CHUNK))
        return event

    def answer(self, head: h11.Request) -> h11.Response:
        """Sends a request without a body and returns the head of the answer."""
        self._socket.settimeout(self._left())
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
        # What follows is either another answer, which is ignored, or the rest of a body that is longer than it was said to be.
        surplus, _ = self._http.trailing_data
        with suppress(OSError, TimedOut):
            while framed and len(surplus) < len(b"HTTP/1."):
                self._socket.settimeout(self._left(_LINGER))
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
        is_refused = isinstance(error, ConnectionRefusedError)
        raise ConnectionFailed(escape(error) or type(error).__name__, refused=is_refused) from error
