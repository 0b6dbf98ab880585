"""ASGI middleware: limits per client, security headers, and a cache of responses that is emptied when the database changes.

Scripts run only from this server's files, or if they are Datasette's own, unchanged. A page that many open is rendered once.
"""

import asyncio
import base64
import hashlib
import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from importlib import resources
from importlib.metadata import version
from math import inf
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit
from weakref import WeakValueDictionary

import datasette_leaflet
from datasette.database import Database, QueryInterrupted, Results
from datasette.utils.asgi import Response
from datasette.utils.sqlite import sqlite3

from scraper.database.tables import BY_NAME
from scraper.explore.filters import read_yaml, rows_of_records
from scraper.sandbox import TIMED_OUT, WORKERS, Query, Sandbox
from scraper.sqlite import open_memory, open_readonly

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_POLICY, _FIXED = read_yaml("headers").values()
METHODS = ("GET", "HEAD", "OPTIONS")
MAX_COSTLY = 4
"""Requests with SQL, and downloads, that one client address may have open; a person has one or two, and two run at a time."""
MAX_REQUESTS = 12
"""Concurrent requests of one client address; more wait. Twice what a browser opens; static files count too."""
MAX_FACETS = 10  # facets that a request may add; each takes up to the time limit
_ALL_ROWS = 1_000_000
_visitors_sql: ContextVar[tuple[str, ...]] = ContextVar("visitors_sql", default=())
"""The parts of SQL in the URL of the current request."""
_cut_off: ContextVar[list[str]] = ContextVar("cut_off")
"""The queries of the current page that exceeded the time limit, so that it lacks a part and is not cached."""
_PAGE_OF_TABLE = re.compile(r"(select .*? from (\S+) .*order by [^(),]+) limit \d+")
"""A query of a table sorted by one column, as Datasette writes it."""
_READ_AT_ONCE = re.compile(r"(select .*? from (\S+) )(.*)(order by .*)( limit \d+)")
_READ_LATE = r"\1where rowid in (select rowid from \2 \3\4\5) \4"
"""So that SQLite sorts keys alone and then reads the rows that a page shows: of a span of years 0.2 s instead of 0.5."""
MAX_BYTES = 48_000_000  # bytes of all cached responses together; a page has 30 to 300 KB
MAX_ANSWER = 2_000_000  # bytes of one cached response; a larger one is streamed
MAX_AGE = 10  # seconds for which a proxy may reuse a response: the delay before a refresh is visible
_NEVER = (b".csv?", b".xlsx?", b".svg?", b"sql=", b"_where=")
"""Parts of URLs that are never cached: file downloads, and a visitor's own SQL."""


def with_headers(app: App, headers: dict[str, str]) -> App:
    """Middleware: sets the headers on every response, replacing those of the same name."""
    added = {name.lower().encode(): value.encode() for name, value in headers.items()}

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in added]
                message = {**message, "headers": [*kept, *added.items()]}
            await send(message)

        await app(scope, receive, sending)

    return wrapped


def headers(datasette: Any, settings: Mapping[str, Any]) -> dict[str, str]:
    """Returns all security headers, by name. `settings`: `scraper.config.Serve`. Only map tiles may come from another host."""
    if settings.get("content_security_policy") is False:
        return dict(_FIXED)
    folder = resources.files("datasette") / "templates"
    texts = "\n".join(one.read_text(encoding="utf-8") for one in folder.iterdir() if one.is_file())
    scripts = [script for script in _INLINE.findall(texts) if "{{" not in script and "{%" not in script]
    scripts += [f"DATASETTE_ALLOW_FACET = {allowed};" for allowed in ("true", "false")]
    scripts += [f"window.datasetteVersion = '{version('datasette')}';", str(datasette_leaflet.extra_body_script(datasette))]
    digests = sorted({base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts})
    tiles = urlsplit(settings.get("tile_url") or "")
    sources = {"scripts": " ".join(f"'sha256-{digest}'" for digest in digests)}
    sources["images"] = "data:" + f" {tiles.scheme}://{tiles.netloc}" * bool(tiles.netloc)
    return {"Content-Security-Policy": _POLICY.format(**sources), **_FIXED}


class CachedPage(NamedTuple):
    """A complete response with status 200."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: bytes


class PageCache:
    """Responses by URL, all from one state of the database; the least recently used are dropped first."""

    def __init__(self, database: Path) -> None:
        self._db = open_readonly(database, any_thread=True)
        self._version = 0
        self._kept: OrderedDict[bytes, CachedPage] = OrderedDict()
        self.making: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)

    def version(self) -> int:
        """Returns a number that changes with the database; a change drops all responses."""
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            self._kept.clear()
            self._version = version
        return version

    def get(self, address: bytes) -> CachedPage | None:
        self.version()
        with suppress(KeyError):
            self._kept.move_to_end(address)
        return self._kept.get(address)

    def put(self, address: bytes, answer: CachedPage, version: int) -> None:
        """Caches a response that was begun at `version`, unless the database has changed since."""
        if self.version() != version or address in self._kept:
            return
        self._kept[address] = answer
        while sum(len(one.body) for one in self._kept.values()) > MAX_BYTES:
            self._kept.popitem(last=False)


def cached(app: App, answers: PageCache) -> App:
    """Middleware: caches pages per state of the database; concurrent requests for a page render it once."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("raw_path") or scope["path"].encode() if scope["type"] == "http" else b""
        asked = dict(scope.get("headers", ()))
        host = asked.get(b"host", b"")  # some responses contain absolute links
        address = scope.get("scheme", "").encode() + b"://" + host + path + b"?" + scope.get("query_string", b"")
        never = b"/-/static" in path or b"ds_" in asked.get(b"cookie", b"") or any(mark in address for mark in _NEVER)
        if not path or scope["method"] != "GET" or never:
            return await app(scope, receive, send)
        answer = answers.get(address)
        if answer is None:
            async with answers.making[address]:
                if not (answer := answers.get(address) or await _make(app, scope, receive, send, answers, address)):
                    return None
            answers.making.pop(address, None)
        is_known = answer.etag in asked.get(b"if-none-match", b"")
        added = [(b"etag", answer.etag), (b"cache-control", f"public, max-age={MAX_AGE}".encode())]
        added += [] if is_known else [(b"content-length", str(len(answer.body)).encode())]
        await send({"type": "http.response.start", "status": 304 if is_known else 200, "headers": [*answer.headers, *added]})
        return await send({"type": "http.response.body", "body": b"" if is_known else answer.body})

    return wrapped


async def _make(app: App, scope: Scope, receive: Receive, send: Send, answers: PageCache, address: bytes) -> CachedPage | None:
    """Renders the response and caches it; None if it can't be cached and was sent directly."""
    version, cut = answers.version(), list[str]()
    _cut_off.set(cut)
    start: Message | None = None
    answer: CachedPage | None = None

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
                answer = CachedPage(kept, bytes(body), f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode())
                return
            await send(start)
            start = None
        await send(message)

    await app(scope, receive, take)
    if answer and not cut:
        answers.put(address, answer, version)
    return answer


class GuardedDatabase(Database):  # type: ignore[misc] # Datasette has no types
    """A database whose queries run in the sandbox if the visitor wrote a part of them."""

    count_limit = 10**9  # Datasette 1.0 counts rows of a table up to here

    def __init__(self, datasette: Any, path: str) -> None:
        super().__init__(datasette, path=path, is_mutable=True)
        self._sandbox = Sandbox(Path(path))
        self.files, self.making = Sandbox(Path(path)), asyncio.Semaphore(WORKERS)
        self._connections: list[Any] = []

    def connect(self, write: bool = False) -> Any:
        connection = super().connect(write)
        self._connections.append(connection)
        return connection

    def end_queries(self) -> None:
        """Interrupts all running queries, so that the process can end."""
        self._sandbox.close()
        self.files.close()
        for connection in self._connections:
            with suppress(sqlite3.ProgrammingError):  # Datasette 1.0 has closed it
                connection.interrupt()

    async def execute(self, sql: str, params: Any = None, **options: Any) -> Results:
        """As Datasette's. Some queries of tables are replaced by faster ones, and the sandbox runs those with a visitor's SQL."""
        if sql.startswith("select count(*) from ") and (of_records := rows_of_records(sql)):
            sql = f"select count(*) from {of_records[0].stored_in[0]} {of_records[1]}"  # half the time without the shared values
        sql = _READ_AT_ONCE.sub(_READ_LATE, tied) if (tied := break_ties(sql)) != sql else sql
        if not any(piece in sql for piece in _visitors_sql.get()):
            try:
                return await super().execute(sql, params, **options)
            except QueryInterrupted:
                if (options.get("custom_time_limit") or inf) >= self.ds.sql_time_limit_ms:  # else it was only worth so long
                    _cut_off.get([]).append(sql)
                raise
        most, page_size = self.ds.max_returned_rows, options.get("page_size") or self.ds.page_size
        most += page_size == most
        seconds = min(self.ds.sql_time_limit_ms, options.get("custom_time_limit") or self.ds.sql_time_limit_ms) / 1000
        truncate = options.get("truncate")
        given = params if isinstance(params, list) else dict(params or {})
        answer = await asyncio.to_thread(self._sandbox.run, Query(sql, given, seconds, most + 1 if truncate else _ALL_ROWS))
        if answer is TIMED_OUT or answer.message == TIMED_OUT.message:
            raise QueryInterrupted(sqlite3.OperationalError(answer.message), sql, params)
        if answer.error:
            raise sqlite3.OperationalError(answer.message)
        names = ", ".join('NULL AS "{}"'.format(name.replace('"', '""')) for name in answer.columns)
        cursor = open_memory().execute(f"SELECT {names or 'NULL'}")  # sqlite3.Row takes its column names from a cursor
        rows = [sqlite3.Row(cursor, row) for row in answer.rows]
        return Results(rows[:most] if truncate else rows, bool(truncate) and len(rows) > most, cursor.description)


def break_ties(sql: str) -> str:
    """Returns the query of a table's page with equal rows sorted by key, as is Datasette's next page, which else lacks rows."""
    found = _PAGE_OF_TABLE.fullmatch(sql)
    table = BY_NAME.get(found[2].strip("[]")) if found else None
    return f"{found[1]}, {', '.join(table.keys or ('rowid',))}{sql[found.end(1) :]}" if found and table else sql


def limited(app: App) -> App:
    """Middleware: allows only reading methods, and limits the concurrent requests of a client address."""
    waiting: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
    costly: Counter[str] = Counter()

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> Any:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        client = (scope.get("client") or ("",))[0]
        query = parse_qsl(scope["query_string"].decode("latin-1"))
        pieces = tuple(piece for name, value in query if name in ("sql", "_where") and (piece := value.strip().rstrip("; \n")))
        is_costly = bool(pieces) or scope["path"].endswith((".csv", ".xlsx"))
        if scope["method"] not in METHODS:
            refused = Response.text("This server is read-only: use GET.", 405, {"allow": ", ".join(METHODS)})
            return await refused.asgi_send(send)
        if sum(name.startswith("_facet") for name, _ in query) > MAX_FACETS:
            return await Response.text(f"At most {MAX_FACETS} facets can be requested at once.", 400).asgi_send(send)
        if is_costly and costly[client] >= MAX_COSTLY:
            text = "Too many queries or downloads at once: wait until earlier ones are done."
            return await Response.text(text, 429, {"retry-after": "5"}).asgi_send(send)
        _visitors_sql.set(pieces)
        costly.update([client] * is_costly)
        try:
            async with waiting.setdefault(client, asyncio.Semaphore(MAX_REQUESTS)):
                return await app(scope, receive, send)
        finally:
            costly.subtract([client] * is_costly)
            if not costly[client]:
                del costly[client]

    return wrapped
