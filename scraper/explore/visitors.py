"""What a stranger may ask of the server: which methods and parameters, how much at once, and where SQL of their own is run."""

import asyncio
from collections import Counter, defaultdict
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from datasette.database import Database, QueryInterrupted, Results
from datasette.utils.asgi import Response
from datasette.utils.sqlite import sqlite3

from scraper.explore.middleware import App, Receive, Scope, Send
from scraper.sandbox import TIMED_OUT, Query, Sandbox
from scraper.sqlite import open_memory

METHODS = ("GET", "HEAD", "OPTIONS")
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

    async def execute(self, sql: str, params: Any = None, **options: Any) -> Results:
        if not any(piece in sql for piece in _visitors_sql.get()):
            return await super().execute(sql, params, **options)
        most, page_size = self.ds.max_returned_rows, options.get("page_size") or self.ds.page_size
        most += page_size == most
        seconds = min(self.ds.sql_time_limit_ms, options.get("custom_time_limit") or self.ds.sql_time_limit_ms) / 1000
        truncate = options.get("truncate")
        query = Query(sql, params if params is not None else {}, seconds, most + 1 if truncate else _ALL_ROWS)
        answer = await asyncio.to_thread(self._sandbox.run, query)
        if answer is TIMED_OUT or answer.message == TIMED_OUT.message:
            raise QueryInterrupted(sqlite3.OperationalError(answer.message), sql, params)
        if answer.error:
            raise sqlite3.OperationalError(answer.message)
        names = ", ".join('NULL AS "{}"'.format(name.replace('"', '""')) for name in answer.columns)
        cursor = open_memory().execute(f"SELECT {names or 'NULL'}")  # sqlite3.Row takes the names of columns from one
        rows = [sqlite3.Row(cursor, row) for row in answer.rows]
        return Results(rows[:most] if truncate else rows, bool(truncate) and len(rows) > most, cursor.description)


def limited(app: App) -> App:
    """The application for strangers: reading methods only, and a limit to what one address has done at a time."""
    waiting: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_REQUESTS))
    costly: Counter[str] = Counter()
    open_requests: Counter[str] = Counter()

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        client = (scope.get("client") or ("",))[0]
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        pieces = tuple(piece for name, value in query if name in ("sql", "_where") and (piece := value.strip().rstrip("; \n")))
        is_costly = bool(pieces) or scope["path"].endswith((".csv", ".xlsx"))
        refused = None
        if scope["method"] not in METHODS:
            refused = Response.text("This server is read-only: use GET.", 405, {"allow": ", ".join(METHODS)})
        elif sum(name.startswith("_facet") for name, _ in query) > MAX_FACETS:
            refused = Response.text(f"At most {MAX_FACETS} facets can be requested at once.", 400)
        elif is_costly and costly[client] >= MAX_COSTLY:
            text = "Too many queries or downloads at once: wait for the ones before."
            refused = Response.text(text, 429, {"retry-after": "5"})
        if refused:
            await refused.asgi_send(send)
            return
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
