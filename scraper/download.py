"""Makes the file of a download: `python -m scraper.download` reads a job from standard input and writes to standard output.

A process of its own, so that it can be ended at any moment, takes no time from pages, and has its own limit of memory. It ends
with status 1 and a line on standard error where the file can't be made. `explore.downloads` starts it and sends the file.
"""

from __future__ import annotations

import os
import pickle
import resource
import sqlite3
import sys
import time
from typing import Any, BinaryIO, NamedTuple

from parsers.record import columns_of
from scraper.database.tables import BY_NAME, RecordRow
from scraper.errors import TtaError
from scraper.export import csvfile
from scraper.export.columns import values_of
from scraper.sandbox import MAX_ADDRESS_SPACE, connect

MAX_FILE = 500_000_000
"""Bytes."""
_STEPS = 1000
_BOM = b"\xef\xbb\xbf"
"""By which Excel knows that a CSV file is UTF-8."""


class Job(NamedTuple):
    """What to write: the rows of a query on the database, or `rows` with their `columns` where these are made already.

    `table`: whose columns have labels and types; `title`: the sheet's; `about`: what the rows are, as pairs of label and text.
    """

    database: str
    format: str
    title: str
    about: tuple[tuple[str, str], ...]
    seconds: float
    sql: str = ""
    params: dict[str, Any] | tuple[Any, ...] = ()
    table: str = "records"
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


def make(job: Job, file: BinaryIO) -> None:
    """Writes the file. Raises sqlite3.Error, TtaError and OSError."""
    columns, rows = job.columns, iter(job.rows)
    if job.sql:
        db, deadline = connect(job.database), time.monotonic() + job.seconds
        db.set_progress_handler(lambda: time.monotonic() >= deadline, _STEPS)
        cursor = db.execute(job.sql, job.params)
        columns, rows = tuple(str(csvfile.cell(one[0])) for one in cursor.description), cursor
    if job.format == "csv":
        file.write(_BOM)
        csvfile.write(columns, rows, file)
        return
    from scraper.export.xlsx import SheetColumn, Workbook  # takes half a second

    known = columns_of(BY_NAME[job.table].model if job.table in BY_NAME else RecordRow)
    labels = [
        SheetColumn(known[name].heading, values_of(known[name]))
        if name in known
        else SheetColumn(name[:1].upper() + name[1:].replace("_", " "))
        for name in columns
    ]
    with Workbook(file) as book:
        counts = book.add(job.title, labels, rows)
        also = [("Rows", counts.rows), *([("Texts cut to fit a cell", counts.cut)] if counts.cut else [])]
        book.add("About", [SheetColumn("About these rows"), SheetColumn("")], [*job.about, *also])


def main() -> int:
    """Returns the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE, MAX_FILE))
    os.nice(5)
    job = Job(*pickle.load(sys.stdin.buffer))  # noqa: S301 - written by the server
    try:
        with open(1, "wb", closefd=False) as file:
            make(job, file)
    except sqlite3.OperationalError as error:
        problem = (
            f"it took longer than {job.seconds:g} seconds: choose fewer rows or columns" if str(error) == "interrupted" else error
        )
    except (sqlite3.Error, sqlite3.Warning, TtaError, MemoryError, ValueError, OverflowError) as error:
        problem = str(error) or "it needs too much memory: choose fewer rows or columns"
    except OSError as error:
        problem = f"{error.strerror}: choose fewer rows or columns, or use `tta export`"
    else:
        return 0
    print(f"The file can't be made: {problem}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
