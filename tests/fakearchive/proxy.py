"""A proxy on loopback that gets the framing of answers wrong, in front of a fake archive. It works on bytes, not on HTTP."""

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

Answers = Callable[[bytes, bytes], list[bytes | float]]
"""What to send for an answer, given the previous one: pieces of bytes, and seconds to wait between them."""


def _length(change: int) -> Answers:
    def send(answer: bytes, _before: bytes) -> list[bytes | float]:
        return [re.sub(rb"(?i)(content-length: )(\d+)", lambda m: m[1] + b"%d" % max(int(m[2]) + change, 0), answer)]

    return send


WAYS: dict[str, Answers] = {
    "twice": lambda answer, _: [answer + answer],
    "twice, late": lambda answer, _: [answer, 0.05, answer],
    "with the answer before it": lambda answer, before: [answer + before],
    "with the answer to the request before": lambda answer, before: [before or answer],
    "with surplus bytes": lambda answer, _: [answer + b"surplus bytes"],
    "with surplus bytes, late": lambda answer, _: [answer, 0.05, b"surplus bytes"],
    "with a length that is too short": _length(-40),
    "with a length that is too long": _length(40),
}


class Proxy:
    """Forwards each request to the fake archive at `port`. `answers` is applied to answers whose path contains `where`."""

    def __init__(self, port: int, answers: Answers, where: str) -> None:
        self.port = port
        self.answers: Answers | None = answers
        self.where = where
        self._before = b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator["Proxy"]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Keeps the connection open after an answer, though the client asks to close it."""
        with client, contextlib.suppress(OSError):
            while request := self._request(client):
                answer = self._forwarded(request)
                pieces: list[bytes | float] = [answer]
                if self.answers and self.where in request.split(b"\r\n")[0].decode():
                    pieces = self.answers(answer, self._before)
                    self._before = answer
                for piece in pieces:
                    if isinstance(piece, bytes):
                        client.sendall(piece)
                    else:
                        time.sleep(piece)

    @staticmethod
    def _request(client: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := client.recv(65536)):
                return b""
            data += more
        return data

    def _forwarded(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port)) as archive:
            archive.sendall(request)
            answer = b""
            while more := archive.recv(65536):
                answer += more
        return answer
