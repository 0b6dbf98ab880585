"""Answers that are kept until the database changes, with an ETag: a page that many visitors open is made once."""

from __future__ import annotations

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
_NEVER = (b"_stream=", b"sql=", b"_where=")
"""Marks of requests that are streamed, or made once by one visitor."""

Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """A complete answer with status 200."""

    headers: Headers
    body: bytes
    etag: bytes


class Answers:
    """Answers by address, all made from one state of the database; the ones not asked for longest are dropped first."""

    def __init__(self, database: Path) -> None:
        self._db = open_readonly(database, any_thread=True)
        self._version = 0
        self._kept: OrderedDict[bytes, Answer] = OrderedDict()
        self._size = 0

    def version(self) -> int:
        """A number that changes with the database; a change drops all answers."""
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            self._kept.clear()
            self._size, self._version = 0, version
        return version

    def get(self, address: bytes) -> Answer | None:
        self.version()
        found = self._kept.get(address)
        if found:
            self._kept.move_to_end(address)
        return found

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
    making: dict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _can_be_kept(scope):
            return await app(scope, receive, send)
        address = (scope.get("raw_path") or scope["path"].encode()) + b"?" + scope["query_string"]
        if answer := answers.get(address):
            return await _send(answer, scope, send)
        async with making[address]:
            answer = answers.get(address)
            if answer is None:
                version = answers.version()
                recorder = _Recorder(send)
                await app(scope, receive, recorder.take)
                if not (answer := recorder.answer()):
                    return None
                answers.put(address, answer, version)
        making.pop(address, None)
        return await _send(answer, scope, send)

    return wrapped


def _can_be_kept(scope: Scope) -> bool:
    query: bytes = scope["query_string"]
    has_session = any(name == b"cookie" and b"ds_" in value for name, value in scope["headers"])
    return (
        scope["method"] == "GET"
        and not has_session
        and not any(mark in query for mark in _NEVER)
        and b"/-/static" not in (scope.get("raw_path") or b"")
    )


class _Recorder:
    """Collects an answer instead of sending it. An answer that can't be kept is passed on as it comes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()
        self._is_passed_on = False

    async def take(self, message: Message) -> None:
        if self._is_passed_on:
            return await self._send(message)
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._body += message.get("body", b"")
        assert self._start
        if len(self._body) <= MAX_ANSWER and _is_plain(self._start):
            return None
        self._is_passed_on = True
        await self._send(self._start)
        if message["type"] == "http.response.body":
            await self._send(dict(message) | {"body": bytes(self._body)})
        return None

    def answer(self) -> Answer | None:
        """The complete answer; None where it was passed on."""
        if self._is_passed_on or not self._start:
            return None
        body = bytes(self._body)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
        return Answer(list(self._start.get("headers", ())), body, etag)


def _is_plain(start: Message) -> bool:
    return start.get("status") == 200 and not any(name.lower() == b"set-cookie" for name, _ in start.get("headers", ()))


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    asked = [value for name, value in scope["headers"] if name == b"if-none-match"]
    is_known = any(answer.etag in value for value in asked)
    kept = [(name, value) for name, value in answer.headers if name.lower() not in (b"content-length", b"cache-control")]
    body = b"" if is_known else answer.body
    added = [(b"etag", answer.etag), (b"cache-control", f"public, max-age={MAX_AGE}".encode())]
    added += [] if is_known else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 304 if is_known else 200, "headers": [*kept, *added]})
    await send({"type": "http.response.body", "body": body})
