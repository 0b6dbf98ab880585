"""Answers that are kept until the database changes, with an ETag: a page that many visitors open is made once."""

import asyncio
import hashlib
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import NamedTuple

from scraper.explore.headers import App, Message, Receive, Scope, Send
from scraper.sqlite import open_readonly

MAX_BYTES = 48_000_000
"""Bytes of all kept answers together; a page has 30 to 300 KB."""
MAX_ANSWER = 2_000_000
"""Bytes of one kept answer; a larger one is streamed."""
MAX_AGE = 10
"""Seconds for which a proxy may repeat an answer without asking: the delay with which a refresh is seen."""
_NEVER = (b".csv?", b".xlsx?", b"sql=", b"_where=")
"""Marks of requests that are sent as files, or made once by one visitor."""


class Answer(NamedTuple):
    """A complete answer with status 200."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: bytes


class Answers:
    """Answers by address, all made from one state of the database; the ones not asked for longest are dropped first."""

    def __init__(self, database: Path) -> None:
        self._db = open_readonly(database, any_thread=True)
        self._version = 0
        self._kept: OrderedDict[bytes, Answer] = OrderedDict()
        self._size = 0
        self.making: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)

    def version(self) -> int:
        """A number that changes with the database; a change drops all answers."""
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            self._kept.clear()
            self._size, self._version = 0, version
        return version

    def get(self, address: bytes) -> Answer | None:
        self.version()
        if address in self._kept:
            self._kept.move_to_end(address)
        return self._kept.get(address)

    def put(self, address: bytes, answer: Answer, version: int) -> None:
        """Keeps an answer whose making began at `version`, unless the database has changed since."""
        if self.version() != version or address in self._kept:
            return
        self._kept[address] = answer
        self._size += len(answer.body)
        while self._size > MAX_BYTES:
            self._size -= len(self._kept.popitem(last=False)[1].body)


def cached(app: App, answers: Answers) -> App:
    """The application, whose pages are made once for each state of the database, also when many ask at the same time."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("raw_path") or scope["path"].encode() if scope["type"] == "http" else b""
        has_session = any(name == b"cookie" and b"ds_" in value for name, value in scope.get("headers", ()))
        host = b"".join(value for name, value in scope.get("headers", ()) if name == b"host")  # some answers have absolute links
        address = scope.get("scheme", "").encode() + b"://" + host + path + b"?" + scope.get("query_string", b"")
        never = b"/-/static" in path or any(mark in address for mark in _NEVER)
        if not path or scope["method"] != "GET" or has_session or never:
            return await app(scope, receive, send)
        answer = answers.get(address)
        if answer is None:
            async with answers.making[address]:
                if not (answer := answers.get(address) or await _make(app, scope, receive, send, answers, address)):
                    return None
            answers.making.pop(address, None)
        is_known = any(name == b"if-none-match" and answer.etag in value for name, value in scope["headers"])
        added = [(b"etag", answer.etag), (b"cache-control", f"public, max-age={MAX_AGE}".encode())]
        added += [] if is_known else [(b"content-length", str(len(answer.body)).encode())]
        await send({"type": "http.response.start", "status": 304 if is_known else 200, "headers": [*answer.headers, *added]})
        return await send({"type": "http.response.body", "body": b"" if is_known else answer.body})

    return wrapped


async def _make(app: App, scope: Scope, receive: Receive, send: Send, answers: Answers, address: bytes) -> Answer | None:
    """Has the answer made and keeps it; None if it can't be kept, and was sent as it came."""
    version = answers.version()
    start: Message | None = None
    answer: Answer | None = None

    async def take(message: Message) -> None:
        nonlocal start, answer
        if message["type"] == "http.response.start":
            start = message
            return
        if start:
            headers = [(name.lower(), value) for name, value in start.get("headers", ())]
            body, is_whole = message.get("body", b""), not message.get("more_body")
            if start["status"] == 200 and is_whole and len(body) <= MAX_ANSWER and b"set-cookie" not in dict(headers):
                kept = [(name, value) for name, value in headers if name not in (b"content-length", b"cache-control")]
                answer = Answer(kept, bytes(body), f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode())
                return
            await send(start)
            start = None
        await send(message)

    await app(scope, receive, take)
    if answer:
        answers.put(address, answer, version)
    return answer
