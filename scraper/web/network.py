"""The connections under the polite client: to checked addresses only, and with one deadline for a whole request.

httpx limits each operation, not the request: a server that drips a byte now and then, in the headers too, holds it for ever
(httpx #1450; ARCHIVES.md, section 8). httpcore lets the network below be replaced, which is what happens here.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

from scraper.web.addresses import checked_ip

MAX_CONNECT = 20.0
"""Seconds for resolving and connecting together."""


class _Clock:
    """When the request that is under way has to end; `time.monotonic` seconds."""

    def __init__(self) -> None:
        self.ends = float("inf")

    def left(self, asked: float | None = None) -> float:
        """Seconds left, at most `asked`. Raises httpx.TimeoutException."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise httpx.TimeoutException("the request took longer than its deadline")
        return min(left, 3600.0 if asked is None else asked)


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation ends with the request's deadline."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._clock.left(timeout)), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def __init__(self, clock: _Clock, *, loopback: bool) -> None:
        self._clock = clock
        self._loopback = loopback

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            address = checked_ip(host, port, loopback=self._loopback, timeout=self._clock.left(MAX_CONNECT))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        inner = super().connect_tcp(address, port, self._clock.left(MAX_CONNECT), local_address, socket_options)
        return _Stream(inner, self._clock)


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are always checked. Made once, since reading the system's takes a while."""
    return ssl.create_default_context()


class Transport(httpx.BaseTransport):
    """httpx on connections of our own. One request at a time; `deadline` says until when it may take."""

    def __init__(self, *, loopback: bool) -> None:
        self._clock = _Clock()
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=4,
            max_keepalive_connections=4,
            keepalive_expiry=15.0,
            network_backend=_Backend(self._clock, loopback=loopback),
        )

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Requests in this block must end, body included, within so many seconds. They raise httpx.TimeoutException."""
        self._clock.ends = time.monotonic() + seconds
        try:
            yield
        finally:
            self._clock.ends = float("inf")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = httpcore.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        outgoing = httpcore.Request(request.method, target, headers=request.headers.raw, extensions=request.extensions)
        with _as_httpx():
            answer = self._pool.handle_request(outgoing)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream, answer.close), extensions=answer.extensions
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: object, close: Callable[[], None]) -> None:
        self._stream = stream
        self._close = close

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            assert isinstance(self._stream, Iterable)
            yield from self._stream

    def close(self) -> None:
        self._close()


_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.TimeoutException, httpx.ReadTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.NetworkError, httpx.ReadError),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)


@contextmanager
def _as_httpx() -> Iterator[None]:
    """The errors of httpcore under httpx's names; the cause is kept, it tells a refusal from other failures."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        kind = next(theirs for ours, theirs in _ERRORS if isinstance(error, ours))
        raise kind(str(error)) from error


def was_refused(error: BaseException | None) -> bool:
    """Whether a failed connection was refused, which from an archive means "you are banned" (ARCHIVES.md, fact 2)."""
    for _ in range(8):
        if error is None:
            return False
        if isinstance(error, ConnectionRefusedError):
            return True
        error = error.__cause__ or error.__context__
    return False
