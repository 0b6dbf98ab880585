"""Runs SQL that a visitor wrote in a process of its own, which is ended when it takes too much time or memory.

A time limit inside SQLite takes effect between two steps of a query, and one call of a function is one step, however large its
arguments are. Only a process can be ended at any moment. Queries of the program itself stay in Datasette's own threads.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import select
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, NamedTuple

from scraper.search_query import fts_expression
from scraper.sqlite import open_readonly

WORKERS = 2
"""Queries of visitors that run at once; one for each core of a small server, so that pages are still answered."""
MAX_VALUE = 5_000_000
"""Bytes of one value or row. The longest texts seen on pages have 30,000 characters."""
MAX_HEAP = 48_000_000
"""Bytes that SQLite may use in a worker; sorting spills to disk long before."""
MAX_RESULT = 12_000_000
"""Bytes of all values of a result. A worker at its limits needs less than the 100 MB that docs/decisions/serving.md allows."""
MAX_ADDRESS_SPACE = 600_000_000
"""Bytes; a backstop for memory that SQLite does not count. Python alone reserves about 150 MB without using it."""
GRACE = 0.5
"""Seconds that a worker gets beyond the query's limit before it is killed."""
_STEPS = 1000
"""Virtual machine instructions of SQLite between two looks at the clock, as in Datasette."""
_SIZE = struct.Struct(">Q")


class Query(NamedTuple):
    """SQL with its parameters, its time limit in seconds, and the number of rows to return at most."""

    sql: str
    params: Any
    seconds: float
    rows: int


class Answer(NamedTuple):
    """Column names and rows, or the name of sqlite3's exception class and its message."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    error: str = ""
    message: str = ""


TIMED_OUT = Answer(error="OperationalError", message="interrupted")


def register_functions(db: sqlite3.Connection) -> None:
    """Adds the SQL functions that the program's own questions use, and its search language in place of Datasette's."""
    db.create_function("is_known_label", 1, lambda label: int(_is_described(str(label))), deterministic=True)
    db.create_function("escape_fts", 1, fts_expression, deterministic=True)


def _is_described(label: str) -> bool:
    """Also true for fields of a milestone or metric: their values are in the tables of these groups."""
    from scraper.database.checks import is_known  # here, because it takes a while to import and few queries call it

    return is_known(label) or label.casefold().startswith(("milestone ", "metric ", "performance metric "))


class Sandbox:
    """Worker processes for queries on one database. Its methods may be called from any thread."""

    def __init__(self, database: Path) -> None:
        self._command = [sys.executable, "-m", __name__, str(database.resolve())]
        self._free = threading.BoundedSemaphore(WORKERS)
        self._idle: list[subprocess.Popen[bytes]] = []
        self._all: set[subprocess.Popen[bytes]] = set()

    def run(self, query: Query) -> Answer:
        """The answer; `TIMED_OUT` where the query, waiting for a worker included, takes longer than its limit."""
        if not self._free.acquire(timeout=query.seconds):
            return TIMED_OUT
        try:
            return self._ask(query)
        finally:
            self._free.release()

    def _ask(self, query: Query) -> Answer:
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = subprocess.Popen(  # noqa: S603 - this module, run by the same Python
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            self._all.add(worker)
        assert worker.stdin
        assert worker.stdout
        deadline = time.monotonic() + query.seconds + GRACE
        try:
            _write(worker.stdin, query)
            answer = _read_before(worker.stdout, deadline)
        except OSError:
            answer = None
        if answer is None:
            self._all.discard(worker)
            worker.kill()
            worker.communicate()
            return TIMED_OUT
        self._idle.append(worker)
        return answer

    def close(self) -> None:
        """Ends all workers; a query that is running counts as timed out."""
        self._idle.clear()
        for worker in tuple(self._all):
            worker.kill()


def _write(stream: IO[bytes], message: Query | Answer) -> None:
    data = pickle.dumps(tuple(message))
    stream.write(_SIZE.pack(len(data)) + data)
    stream.flush()


def _read_before(stream: IO[bytes], deadline: float) -> Answer | None:
    """A worker's answer; None where it does not come in time, or the worker ended."""
    data = bytearray()
    raw = stream.fileno()
    while len(data) < _SIZE.size or len(data) < _SIZE.size + _SIZE.unpack_from(data)[0]:
        ready, _, _ = select.select([raw], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(raw, 1 << 20) if ready else b""
        if not piece:
            return None
        data += piece
    return Answer(*pickle.loads(bytes(data[_SIZE.size :])))  # noqa: S301 - written by this module's own process


# --- the worker ---------------------------------------------------------------------------------------------------------


def connect(database: str) -> sqlite3.Connection:
    """A read-only connection with every limit in force."""
    db = open_readonly(Path(database))
    db.text_factory = lambda data: str(data, "utf-8", "replace")
    register_functions(db)
    db.execute(f"PRAGMA hard_heap_limit = {MAX_HEAP}")
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    db.set_authorizer(_authorize)
    return db


def _authorize(action: int, name: str | None, *_: str | None) -> int:
    """Hides the database file's path: the list of databases is empty."""
    hidden = action == sqlite3.SQLITE_PRAGMA and (name or "").lower() == "database_list"
    return sqlite3.SQLITE_IGNORE if hidden else sqlite3.SQLITE_OK


def answer_of(db: sqlite3.Connection, query: Query) -> Answer:
    """Runs a query within its limits."""
    deadline = time.monotonic() + query.seconds
    db.set_progress_handler(lambda: time.monotonic() >= deadline, _STEPS)
    try:
        cursor = db.execute(query.sql, query.params)
        rows, size = [], 0
        for row in cursor:
            size += sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
            if size > MAX_RESULT:
                message = f"the result is larger than {MAX_RESULT:,} bytes: select fewer columns or rows"
                return Answer(error="OperationalError", message=message)
            rows.append(row)
            if len(rows) == query.rows:
                break
        return Answer(tuple(one[0] for one in cursor.description or ()), tuple(rows))
    except MemoryError:
        return Answer(error="OperationalError", message="the query needs too much memory: select fewer columns or rows")
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
        return Answer(error=type(error).__name__, message=str(error))
    finally:
        db.set_progress_handler(None, 0)


def work(database: str, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers queries until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    db = connect(database)
    while size := requests.read(_SIZE.size):
        query = Query(*pickle.loads(requests.read(_SIZE.unpack(size)[0])))  # noqa: S301 - written by the parent process
        _write(answers, answer_of(db, query))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        work(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
