"""The server: listing and replay as they should be, and the place where a test puts a fault in."""

import contextlib
import gzip
import hashlib
import json
import sys
import threading
import time
from base64 import b32encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote_plus, urlsplit

FIELDS = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]


@dataclass
class Kept:
    """One capture that the archive has. `listed`: None lists it as it is, or the row's fields are replaced by these."""

    url: str
    timestamp: str
    body: bytes = b"<html><body>a page</body></html>"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=UTF-8"),)
    row: dict[str, str] = field(default_factory=dict)
    is_listed: bool = True

    @property
    def digest(self) -> str:
        return b32encode(hashlib.sha1(self.body, usedforsecurity=False).digest()).decode()

    @property
    def urlkey(self) -> str:
        parts = urlsplit(self.url)
        host = (parts.hostname or "").removeprefix("www.")
        query = f"?{parts.query}" if parts.query else ""
        return ",".join(reversed(host.split("."))) + ")" + (parts.path.rstrip("/") or "/").lower() + query

    def fields(self) -> list[str]:
        mime = next((value.split(";")[0] for name, value in self.headers if name == "Content-Type"), "unk")
        row = dict(zip(FIELDS, [self.urlkey, self.timestamp, self.url, mime, str(self.status), self.digest, "1234"], strict=True))
        return list((row | self.row).values())


Fault = Callable[["Handler"], bool | None]
"""Answers in the server's place; False lets the server answer as usual."""


class FakeArchive:
    """The archive's contents, its faults and its log. `url` is its address while it runs."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []
        self.arrivals: list[tuple[float, str]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.on_listing: list[Fault] = []
        self.on_replay: dict[str, list[Fault]] = {}
        self.always: Fault | None = None
        self.files: dict[str, Fault] = {}
        self.data = b""
        self.gzip_listings = True
        self.url = ""
        self._server: ThreadingHTTPServer | None = None

    def add(self, url: str, timestamp: str, body: bytes = b"", **more: object) -> Kept:
        kept = Kept(url, timestamp, body or f"<html><body>{url} {timestamp}</body></html>".encode(), **more)  # type: ignore[arg-type]
        self.kept.append(kept)
        return kept

    def fault(self, kept: Kept, *faults: Fault) -> None:
        """The next requests for this capture are answered so, one after the other."""
        self.on_replay.setdefault(f"{kept.timestamp}id_/{kept.url}", []).extend(faults)

    def replays(self) -> list[str]:
        return [path for _, path in self.arrivals if path.startswith("/web/")]

    def listings(self) -> list[str]:
        return [path for _, path in self.arrivals if path.startswith("/cdx")]

    @contextlib.contextmanager
    def running(self, port: int = 0) -> Iterator["FakeArchive"]:
        self.start(port)
        try:
            yield self
        finally:
            self.stop()

    def start(self, port: int = 0) -> None:
        handler = type("BoundHandler", (Handler,), {"archive": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def stop_soon(self) -> None:
        """No connection is accepted any more; those that are open go on."""
        if self._server:
            server, self._server = self._server, None
            server.socket.close()
            threading.Thread(target=server.shutdown, daemon=True).start()

    # What the archive answers when nothing is wrong.

    def rows(self, query: dict[str, str]) -> list[list[str]]:
        wanted = query["url"]
        found = []
        for kept in self.kept:
            host = (urlsplit(kept.url).hostname or "") if kept.is_listed else ""
            if query.get("matchType") == "exact":
                matches = kept.is_listed and kept.urlkey == Kept(wanted, "").urlkey
            else:
                matches = host == wanted or host.endswith("." + wanted)
            low, high = query.get("from", ""), query.get("to", "99999999999999")
            if matches and low <= kept.timestamp and (kept.timestamp <= high or kept.timestamp.startswith(high)):
                found.append(kept.fields())
        return sorted(found, key=lambda row: (row[0], row[1]))

    def list(self, query: dict[str, str]) -> tuple[list[list[str]], str | None]:
        rows = self.rows(query)
        if "resumeKey" in query:
            # The server decodes the parameter once more than HTTP does (ARCHIVES.md, section 1).
            key, _, timestamp = unquote_plus(query["resumeKey"]).rpartition(" ")
            rows = [row for row in rows if (row[0], row[1]) >= (key, timestamp)]
        limit = int(query.get("limit", "150000"))
        if len(rows) <= limit or query.get("showResumeKey") != "true":
            return rows[:limit], None
        last = rows[limit - 1]
        return rows[:limit], quote(f"{last[0]} {int(last[1]) + 1}").replace("%20", "+")


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error of the server's."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """One connection. Faults use its methods to answer in ways no good server does."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    archive: FakeArchive

    def log_message(self, *_args: object) -> None:
        return

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        archive = self.archive
        archive.arrivals.append((time.monotonic(), self.path))
        archive.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if archive.always and archive.always(self) is not False:
                return
            path = urlsplit(self.path).path
            if path in archive.files:
                archive.files[path](self)
            elif path == "/cdx":
                self._faulty(archive.on_listing, self._listing)
            elif path.startswith("/web/"):
                self._faulty(archive.on_replay.get(self.path[len("/web/") :], []), self._replay)
            else:
                self.answer(404, b"no such page")

    def _faulty(self, faults: list[Fault], usual: Callable[[], None]) -> None:
        if not faults or faults.pop(0)(self) is False:
            usual()

    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query, keep_blank_values=True).items()}

    def answer(self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = (), *, framed: bool = True) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if framed:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _listing(self) -> None:
        rows, key = self.archive.list(self.query())
        values: list[list[str]] = [FIELDS, *rows] if rows else []
        values += [[], [key]] if key else []
        body = ("[" + ",\n".join(json.dumps(row) for row in values) + "]\n").encode()
        is_gzip = self.archive.gzip_listings and "gzip" in self.headers.get("Accept-Encoding", "")
        encoded = (("Content-Encoding", "gzip"),) if is_gzip else ()
        self.answer(200, gzip.compress(body) if encoded else body, (("Content-Type", "application/json"), *encoded))

    def _replay(self) -> None:
        timestamp, _, url = self.path[len("/web/") :].partition("id_/")
        same = [kept for kept in self.archive.kept if Kept(url, "").urlkey == kept.urlkey]
        exact = [kept for kept in same if kept.timestamp == timestamp and kept.url == url]
        exact = exact or [kept for kept in same if kept.timestamp == timestamp]
        if exact:
            self.memento(exact[0])
        elif same:
            nearest = min(same, key=lambda kept: abs(int(kept.timestamp) - int(timestamp)))
            self.substitute(nearest.timestamp, nearest.url)
        else:
            self.answer(404, b"<html>not here</html>", (("Content-Type", "text/html"),))

    def kept(self) -> Kept:
        """The capture whose replay is requested."""
        timestamp, _, url = self.path[len("/web/") :].partition("id_/")
        return next(kept for kept in self.archive.kept if (kept.timestamp, kept.url) == (timestamp, url))

    def substitute(self, timestamp: str, url: str) -> None:
        location = ("Location", f"{self.archive.url}/web/{timestamp}id_/{url}")
        self.answer(302, b"", (("X-Archive-Redirect-Reason", f"found capture at {timestamp}"), location))

    def memento(self, kept: Kept, body: bytes | None = None, *, framed: bool = True, **more: str) -> None:
        self.answer(kept.status, kept.body if body is None else body, self.memento_headers(kept, **more), framed=framed)

    def memento_headers(self, kept: Kept, **more: str) -> tuple[tuple[str, str], ...]:
        moment = datetime.strptime(kept.timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        replay, timemap = f"{self.archive.url}/web/{kept.timestamp}id_/", f"{self.archive.url}/web/timemap/link/{kept.url}"
        return (
            *((name, value) for name, value in kept.headers if name == "Content-Type"),
            *((name, f"{replay}{value}") for name, value in kept.headers if name == "Location"),
            ("Memento-Datetime", format_datetime(moment, usegmt=True)),
            ("Link", f'<{kept.url}>; rel="original", <{timemap}>; rel="timemap"'),
            ("x-archive-src", "item-1/file-1.warc.gz"),
            *((f"X-Archive-Orig-{name}", value) for name, value in kept.headers),
            *((name.replace("_", "-"), value) for name, value in more.items()),
        )
