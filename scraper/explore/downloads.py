"""Downloads of all rows of a table, a question, a visitor's SQL or a chart, as CSV or Excel.

A process makes the whole file first (`scraper.download`): what fails has a status of its own, and a connection that breaks while
the file is sent contradicts its Content-Length.
"""

from __future__ import annotations

import asyncio
import pickle
import re
import sys
import tempfile
from collections import Counter
from typing import Any, BinaryIO

from datasette.utils import (
    InvalidSql,
    derive_named_parameters,
    escape_sqlite,
    tilde_decode,
    urlsafe_components,
    validate_sql_select,
)
from datasette.utils.asgi import BadRequest, NotFound
from datasette.views.base import DatasetteError

from scraper.database.about import TITLE
from scraper.download import Job
from scraper.explore.filters import DATABASE, read_filters
from scraper.explore.headers import Send
from scraper.explore.questions import QUESTIONS
from scraper.explore.requests import today

SECONDS = 60.0
"""For making a file; the fields of 100,000 records take about this long."""
SECONDS_OF_SQL = 5.0
"""The same for SQL that a visitor wrote."""
AT_ONCE = 2
"""Files that are made at a time, for which others wait."""
MAX_OPEN = 16
"""Files that are made or sent at a time; one client may have a few of them (`visitors`)."""
STALLED = 60.0
"""Seconds after which a client that takes nothing is cut off."""
_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_PIECE = 1 << 16
_now: Counter[str] = Counter()
"""How many files are open, and how many of them are being made."""


async def table_or_question(datasette: Any, request: Any) -> Download:
    """`/tta/NAME.csv` and `.xlsx`: the rows that `/tta/NAME` shows with the same query, on all pages; or one row."""
    name = tilde_decode(request.url_vars["name"])
    await datasette.ensure_permissions(request.actor, [("view-table", (DATABASE, name)), "view-instance"])
    if question := QUESTIONS.get(name):
        params = {parameter: request.args.get(parameter) or "" for parameter in question.parameters}
        words = "; ".join(f"{parameter}: {value}" for parameter, value in params.items() if value)
        return await download(datasette, request, question.title, words, sql=question.sql, params=params)
    database = datasette.get_database(DATABASE)
    if not await database.table_exists(name) and name not in await database.view_names():
        raise NotFound("There is no such table.")
    there, keys = await database.table_columns(name), await database.primary_keys(name)
    wanted = [*keys, *request.args.getlist("_col")] if "_col" in request.args else there
    metadata = datasette.table_metadata(DATABASE, name)
    own_sort = {key: request.args[key] for key in ("_sort", "_sort_desc") if request.args.get(key)}
    sort = own_sort or {f"_{key}": metadata[key] for key in ("sort", "sort_desc") if key in metadata}
    unknown = {*wanted, *request.args.getlist("_nocol"), *sort.values()} - {*there, "rowid"}
    if unknown or len(sort) > 1:
        raise BadRequest(f"There are no such columns to show or to sort by: {', '.join(sorted(unknown)) or 'two at once'}.")
    chosen = ", ".join(escape_sqlite(one) for one in dict.fromkeys(wanted) if one not in request.args.getlist("_nocol"))
    order = [escape_sqlite(one) + " DESC" * key.endswith("desc") for key, one in sort.items()] + [*map(escape_sqlite, keys)]
    found = await read_filters(datasette, request, name)
    where, params = found.where, found.params
    if request.url_vars["row"]:
        row = dict(zip(keys or ["rowid"], urlsafe_components(request.url_vars["row"]), strict=False))
        where, params = f"WHERE {' AND '.join(f'{escape_sqlite(key)} = :{key}' for key in row)}", row
    ordered = f"ORDER BY {', '.join(order)}" if order else ""
    sql = f"SELECT {chosen} FROM {escape_sqlite(name)} {where} {ordered}"
    seconds = SECONDS_OF_SQL if "_where" in request.args else SECONDS
    title = metadata.get("title", name)
    return await download(datasette, request, title, found.words, sql=sql, params=params, table=name, seconds=seconds)


async def visitors_sql(datasette: Any, request: Any) -> Download:
    """`/tta.csv?sql=` and `.xlsx`."""
    await datasette.ensure_permissions(request.actor, [("execute-sql", DATABASE), ("view-database", DATABASE), "view-instance"])
    sql = (request.args.get("sql") or "").strip().rstrip("; \n")
    try:
        validate_sql_select(sql)
    except InvalidSql as problem:
        raise BadRequest(str(problem)) from None
    names = await derive_named_parameters(datasette.get_database(DATABASE), sql)
    params = {name: request.args.get(name) or "" for name in names}
    return await download(datasette, request, "Results of a query", sql, sql=sql, params=params, seconds=SECONDS_OF_SQL)


async def download(datasette: Any, request: Any, title: str, words: str, *, seconds: float = SECONDS, **job: Any) -> Download:
    """A file of the format in the request's path. `words`: the filter, for people; `job`: see `scraper.download.Job`.

    Raises DatasetteError where the file can't be made.
    """
    extension = request.url_vars["format"]
    page = datasette.absolute_url(request, datasette.urls.path(request.full_path)).replace(f".{extension}", "", 1)
    about = (
        ("Rows of", title),
        ("Filter", words or "none: all rows"),
        ("Retrieved on", f"{today()}"),
        ("Page", page),
        ("Cite as", f"{cite(title, words)}, from {page}"),
    )
    path = str(datasette.get_database(DATABASE).path)
    made = Job(path, extension, title, about, seconds, **job)
    if _now["open"] >= MAX_OPEN:
        raise DatasetteError("Too many downloads at once: try again in a minute.", status=503)
    _now["open"] += 1
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is sent
    try:
        await _make(made, file)
        name = re.sub(r"[^a-z0-9]+", "-", f"{title} {words}".lower())[:90].strip("-")
        return Download(file, f"{name}-{today()}.{extension}", _TYPES[extension])
    except BaseException:
        _now["open"] -= 1
        file.close()
        raise


def cite(title: str, words: str) -> str:
    """How to cite rows that were chosen by a filter in words."""
    return f"{TITLE}: {title}{f' ({words})' if words else ''}. Retrieved {today():%B %d, %Y}"


async def _make(job: Job, file: BinaryIO) -> None:
    while _now["made"] >= AT_ONCE:
        await asyncio.sleep(0.1)
    _now["made"] += 1
    process = None
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "scraper.download", stdin=asyncio.subprocess.PIPE, stdout=file, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(job.seconds + 5):
            _, errors = await process.communicate(pickle.dumps(tuple(job)))
    except TimeoutError:
        raise DatasetteError("The file took too long to make: choose fewer rows or columns.", status=400) from None
    finally:
        _now["made"] -= 1
        if process and process.returncode is None:
            process.kill()
    if process.returncode:
        told = errors.decode("utf-8", "replace").strip()
        raise DatasetteError(told, status=400) if process.returncode == 1 and told.startswith("The file") else RuntimeError(told)


class Download:
    """The response with a file that is complete."""

    status = 200

    def __init__(self, file: BinaryIO, name: str, content_type: str) -> None:
        self._file = file
        self.headers = {
            "content-type": content_type,
            "content-length": str(file.seek(0, 2)),
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        }

    async def asgi_send(self, send: Send) -> None:
        """Raises TimeoutError where the client takes nothing; the server then breaks the connection."""
        try:
            headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            self._file.seek(0)
            while piece := self._file.read(_PIECE):
                async with asyncio.timeout(STALLED):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            _now["open"] -= 1
            self._file.close()
