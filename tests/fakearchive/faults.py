"""What can go wrong on the way, as faults for the server. Each answers one request."""

import contextlib
import gzip
import socket
import struct
import time
from functools import cache

from tests.fakearchive.server import Fault, Handler

HTML = (("Content-Type", "text/html"),)
TEXT = (("Content-Type", "text/plain"),)
JSON = (("Content-Type", "application/json"),)


def answers(status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = HTML) -> Fault:
    return lambda handler: handler.answer(status, body, headers)


def redirects(location: str, status: int = 302) -> Fault:
    return answers(status, b"", (("Location", location),))


def asks_to_wait(status: int, seconds: str) -> Fault:
    return answers(status, b"", (("Retry-After", seconds),))


def usual(_handler: Handler) -> bool:
    return False


def raw(data: bytes) -> Fault:
    """These bytes and the end of the connection."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return answer


def cut(body: bytes, headers: bytes = b"Content-Type: application/json\r\n") -> Fault:
    """A Content-Length twice as long as what comes."""
    return raw(b"HTTP/1.1 200 OK\r\n" + headers + b"Content-Length: %d\r\n\r\n" % (2 * len(body)) + body)


def reset(handler: Handler) -> None:
    """The connection is broken without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
    with contextlib.suppress(OSError):
        handler.wfile.close()


def hangs(seconds: float) -> Fault:
    def answer(handler: Handler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return answer


def _drips(head: bytes) -> Fault:
    """A byte now and then, for ever: no single read takes long."""

    def answer(handler: Handler) -> None:
        with contextlib.suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + head)
            for _ in range(200):
                handler.wfile.write(b"x")
                time.sleep(0.05)
        handler.close_connection = True

    return answer


drips = _drips(b"Content-Length: 100000\r\n\r\n")
drips_headers = _drips(b"X-Slow: ")


def bomb(size: int, layers: int = 1, headers: tuple[tuple[str, str], ...] = ()) -> Fault:
    encoding = ", ".join(["gzip"] * layers)
    return lambda handler: handler.answer(
        200, _packed(size, layers), (("Content-Type", "text/html"), ("Content-Encoding", encoding), *headers)
    )


@cache
def _packed(size: int, layers: int) -> bytes:
    body = b"0" * size
    for _ in range(layers):
        body = gzip.compress(body, 1)
    return body
