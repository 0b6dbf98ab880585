"""Runs SQL that a visitor wrote in a separate process, which is ended when it takes too much time or memory.

A time limit inside SQLite takes effect only between two steps of a query, and a function call is one step, however large its
arguments are. Only a process can be ended at any moment. The program's own queries run in Datasette's threads, except those for
whole files, which would make all pages wait.
"""

import contextlib
import json
import re
import resource
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any, NamedTuple

from scraper.database.tables import columns_in
from scraper.errors import TtaError
from scraper.export import csvfile
from scraper.export.tables import Values, values_of
from scraper.search_query import fts_expression
from scraper.sqlite import open_readonly

WORKERS = 2
"""Visitors' queries that run at once; one for each core of a small server, so that pages are still served."""
_LIMIT = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


class DownloadFile(NamedTuple):
    """The file for a download. `path`: `.csv` or `.xlsx`; `table`: the table whose types its columns have.

    `about`: the rows of the sheet About, as label and text; `labels`: display labels by column; without any, CSV has the names.
    """

    path: str
    title: str
    about: tuple[tuple[str, str], ...]
    table: str = "records"
    labels: Mapping[str, str] = {}

    def write(self, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Writes the file. Raises TtaError, OSError and, if the rows come from a query, sqlite3.Error."""
        known = columns_in(self.table)
        values = [values_of(known[name]) if name in known else Values.TEXT for name in columns]
        labels = [self.labels.get(name) or name[:1].upper() + name[1:].replace("_", " ") for name in columns]
        with Path(self.path).open("wb") as file:
            if self.path.endswith(".csv"):
                file.write(b"\xef\xbb\xbf")  # the byte order mark, which makes Excel read UTF-8
                shows = [csvfile.SHOWN[one] if self.labels and one in (Values.LIST, Values.YES_NO) else None for one in values]
                rows = (tuple(one(x) if one and x is not None else x for one, x in zip(shows, row, strict=True)) for row in rows)
                csvfile.write(map(csvfile.text_cell, labels if self.labels else columns), rows, file)
                return
            from scraper.export.xlsx import SheetColumn, Workbook  # importing it takes half a second

            with contextlib.closing(Workbook(file)) as book:
                counts = book.add(self.title, list(map(SheetColumn, labels, values)), rows)
                also = [("Rows", counts.rows), *([("Texts cut to fit a cell", counts.cut)] if counts.cut else [])]
                book.add("About", [SheetColumn("About these rows"), SheetColumn("")], [*self.about, *also])


class Query(NamedTuple):
    """SQL with its parameters, its time limit in seconds, and the rows to return at most or the file to write all of them to.

    `largest`: bytes of any file that it writes, including SQLite's temporary files.
    """

    sql: str
    params: Any
    seconds: float
    rows: int = 0
    file: DownloadFile | None = None
    largest: int = _LIMIT["file"]


class QueryResult(NamedTuple):
    """Column names and rows, or the name of sqlite3's exception class and its message."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""
    message: str = ""


TIMED_OUT = QueryResult(error="OperationalError", message="interrupted")


def register_functions(db: sqlite3.Connection) -> None:
    """Adds the SQL functions of the program's own questions, and its search language instead of Datasette's."""

    def is_known_label(label: object) -> bool:
        from scraper.database.checks import is_known  # imported here, because it takes a while and few queries call it

        text = str(label)
        return is_known(text) or text.casefold().startswith(("milestone ", "metric ", "performance metric "))

    def words(text: str | None) -> str:
        """Returns a text's words of four letters or more, each once, as a JSON array."""
        return json.dumps(list(dict.fromkeys(re.findall(r"[^\W_]{4,}", (text or "")[:10_000].lower()))))

    db.create_function("is_known_label", 1, is_known_label, deterministic=True)
    db.create_function("tta_words", 1, words, deterministic=True)
    db.create_function("escape_fts", 1, fts_expression, deterministic=True)


class _Worker(NamedTuple):
    process: subprocess.Popen[bytes]
    pipe: Connection


class Sandbox:
    """Worker processes for queries on one database. Its methods may be called from any thread."""

    def __init__(self, database: Path) -> None:
        self._command = [sys.executable, "-c", f"from {__name__} import work; work()", str(database.resolve())]
        self._free: LifoQueue[_Worker | None] = LifoQueue()  # None: one that is not started
        for _ in range(WORKERS):
            self._free.put(None)
        self._all: set[_Worker] = set()

    def run(self, query: Query) -> QueryResult:
        """Returns the result; `TIMED_OUT` if the query, including the wait for a worker, takes longer than its limit."""
        try:
            worker = self._free.get(timeout=query.seconds)
        except Empty:
            return TIMED_OUT
        idle: _Worker | None = None  # one whose answer was read; any other might answer the next query with this one's rows
        try:
            worker = worker or self._start()
            with contextlib.suppress(OSError, EOFError):
                worker.pipe.send(query)
                if worker.pipe.poll(query.seconds + _LIMIT["grace"]):
                    answer, idle = worker.pipe.recv(), worker
                    return answer  # type: ignore[no-any-return]
            self._all.discard(worker)
            worker.process.kill()
            worker.process.wait()
            worker.pipe.close()
            return TIMED_OUT
        finally:
            self._free.put(idle)

    def _start(self) -> _Worker:
        ours, theirs = Pipe()
        with theirs:
            end = theirs.fileno()
            process = subprocess.Popen([*self._command, str(end)], pass_fds=[end], stderr=subprocess.DEVNULL)  # noqa: S603 - this module
        worker = _Worker(process, ours)
        self._all.add(worker)
        with contextlib.suppress(OSError, EOFError):  # the worker's start does not count as the query's time
            if ours.poll(_LIMIT["start"]):
                ours.recv()
        return worker

    def close(self) -> None:
        """Ends all workers; a query that is running counts as timed out."""
        for worker in tuple(self._all):
            worker.process.kill()


# --- the worker ---------------------------------------------------------------------------------------------------------


def connect(database: str) -> sqlite3.Connection:
    """Opens a read-only connection with all limits in effect."""
    db = open_readonly(Path(database))
    db.text_factory = lambda data: str(data, "utf-8", "replace")
    register_functions(db)
    db.execute(f"PRAGMA hard_heap_limit = {_LIMIT['heap']}")
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LIMIT["value"])
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    hidden = {(sqlite3.SQLITE_PRAGMA, "database_list"): sqlite3.SQLITE_IGNORE}  # its rows name the database's file
    db.set_authorizer(lambda action, name, *_: hidden.get((action, (name or "").lower()), sqlite3.SQLITE_OK))
    return db


def answer_of(db: sqlite3.Connection, query: Query) -> QueryResult:
    """Runs a query within its limits."""
    deadline = time.monotonic() + query.seconds
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(query.largest, 0), resource.RLIM_INFINITY))
    db.set_progress_handler(lambda: time.monotonic() >= deadline, _LIMIT["steps"])
    try:
        cursor = db.execute(query.sql, query.params)
        if query.file:
            query.file.write([one[0] for one in cursor.description], cursor)
            return QueryResult()
        rows, size = [], 0
        for row in cursor:
            size += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
            if size > _LIMIT["result"]:
                raise sqlite3.OperationalError(f"the result exceeds {_LIMIT['result']:,} bytes: select fewer columns or rows")
            rows.append(row)
            if len(rows) == query.rows:
                break
        return QueryResult(tuple(one[0] for one in cursor.description or ()), tuple(rows))
    except MemoryError:
        return QueryResult(error="OperationalError", message="the query needs too much memory: select fewer columns or rows")
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, OSError, TtaError) as error:
        return QueryResult(error=type(error).__name__, message=str(error))
    finally:
        db.set_progress_handler(None, 0)


def work() -> None:
    """Runs in the child process: sets its limits, reports that it is ready, runs queries until the pipe is closed."""
    resource.setrlimit(resource.RLIMIT_AS, (_LIMIT["address_space"], _LIMIT["address_space"]))
    db, pipe = connect(sys.argv[1]), Connection(int(sys.argv[2]))
    with contextlib.suppress(KeyboardInterrupt, OSError, EOFError):
        pipe.send(())
        while True:
            pipe.send(answer_of(db, pipe.recv()))
