"""What a stranger may ask of the server: which methods and parameters, how much at once, and where SQL of their own is run."""

import asyncio
from collections import Counter, defaultdict
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from datasette.database import Database, QueryInterrupted, Results
from datasette.utils.sqlite import sqlite3

from scraper.explore.headers import App, Receive, Scope, Send
from scraper.sandbox import TIMED_OUT, Query, Sandbox
from scraper.sqlite import open_memory

METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
MAX_COSTLY = 4
"""Requests with SQL, and downloads, that one address may have open; a person has one or two, and only two are run at a time."""
MAX_REQUESTS = 12
"""Requests of one address that are worked on at a time, more wait: twice what a browser opens. Static files count as well."""
MAX_FACETS = 10
"""Facets that a request may ask for by itself; each takes up to the time limit."""
_ALL_ROWS = 1_000_000
_visitors_sql: ContextVar[tuple[str, ...]] = ContextVar("visitors_sql", default=())
"""The pieces of SQL in the address of the request that is being answered."""


class GuardedDatabase(Database):  # type: ignore[misc] # Datasette has no types
    """A database whose queries run in the sandbox where the visitor wrote a part of them."""

    def __init__(self, datasette: Any, path: str) -> None:
        super().__init__(datasette, path=path, is_mutable=True)
        self._sandbox = Sandbox(Path(path))
        self.files = Sandbox(Path(path))
        self._connections: list[Any] = []

    def connect(self, write: bool = False) -> Any:
        connection = super().connect(write)
        self._connections.append(connection)
        return connection

    def end_queries(self) -> None:
        """Ends all running queries, so that the process can end."""
        self._sandbox.close()
        self.files.close()
        for connection in self._connections:
            connection.interrupt()

    async def execute(
        self,
        sql: str,
        params: Any = None,
        truncate: bool = False,
        custom_time_limit: int | None = None,
        page_size: int | None = None,
        log_sql_errors: bool = True,
    ) -> Results:
        if not any(piece in sql for piece in _visitors_sql.get()):
            return await super().execute(sql, params, truncate, custom_time_limit, page_size, log_sql_errors)
        most = self.ds.max_returned_rows + ((page_size or self.ds.page_size) == self.ds.max_returned_rows)
        milliseconds = min(self.ds.sql_time_limit_ms, custom_time_limit or self.ds.sql_time_limit_ms)
        query = Query(sql, params if params is not None else {}, milliseconds / 1000, most + 1 if truncate else _ALL_ROWS)
        answer = await asyncio.to_thread(self._sandbox.run, query)
        if answer is TIMED_OUT or answer.message == TIMED_OUT.message:
            raise QueryInterrupted(sqlite3.OperationalError(answer.message), sql, params)
        if answer.error:
            raise sqlite3.OperationalError(answer.message)
        cursor = _cursor_of(answer.columns)
        rows = [sqlite3.Row(cursor, row) for row in answer.rows]
        return Results(rows[:most] if truncate else rows, truncate and len(rows) > most, cursor.description)


def _cursor_of(columns: tuple[str, ...]) -> Any:
    """A cursor whose rows have these columns: sqlite3.Row takes the names from one."""
    names = (name.replace('"', '""') for name in columns)
    selected = ", ".join(f'NULL AS "{name}"' for name in names) or "NULL"
    return open_memory().execute(f"SELECT {selected}")


def limited(app: App) -> App:
    """The application for strangers: reading methods only, and a limit to what one address has done at a time."""
    waiting: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_REQUESTS))
    costly: Counter[str] = Counter()
    open_requests: Counter[str] = Counter()

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        if scope["method"] not in METHODS:
            return await _refuse(send, 405, "This server is read-only: use GET.", (b"allow", b"GET, HEAD, OPTIONS"))
        client = (scope.get("client") or ("",))[0]
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        if sum(name.startswith("_facet") for name, _ in query) > MAX_FACETS:
            return await _refuse(send, 400, f"At most {MAX_FACETS} facets can be requested at once.")
        pieces = tuple(piece for name, value in query if name in ("sql", "_where") and (piece := value.strip().rstrip("; \n")))
        is_costly = bool(pieces) or scope["path"].endswith((".csv", ".xlsx"))
        if is_costly and costly[client] >= MAX_COSTLY:
            return await _refuse(
                send, 429, "Too many queries or downloads at once: wait for the ones before.", (b"retry-after", b"5")
            )
        costly[client] += is_costly
        open_requests[client] += 1
        _visitors_sql.set(pieces)
        try:
            async with waiting[client]:
                await app(scope, receive, send)
        finally:
            costly[client] -= is_costly
            open_requests[client] -= 1
            if not open_requests[client]:
                del open_requests[client], costly[client], waiting[client]

    return wrapped


async def _refuse(send: Send, status: int, text: str, *more: tuple[bytes, bytes]) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
