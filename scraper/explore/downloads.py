"""Downloads of all rows of a table, a question, a visitor's SQL or a chart, as CSV or Excel.

A separate process makes the file (`scraper.sandbox`). A failure within `PATIENCE`, or for an Excel file, is reported by the
status; a larger CSV file is sent while it is made, and a failure breaks the connection, which clients report.
"""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from datasette.utils import escape_sqlite
from datasette.views.base import DatasetteError

from scraper.database.about import TITLE
from scraper.database.tables import columns_in
from scraper.explore.filters import HEADINGS, QUERIES, chips, heading
from scraper.explore.links import DATABASE, NOT_KNOWN
from scraper.explore.metadata import QUESTIONS, metadata
from scraper.explore.middleware import Message, Send, break_ties
from scraper.explore.requests import today
from scraper.sandbox import TIMED_OUT, DownloadFile, Query

SECONDS = 3600.0
"""Time limit in seconds for making a file; 500 MB take about a minute on an idle machine."""
PATIENCE = 5.0
"""Seconds after which an incomplete CSV file is sent: a reverse proxy waits 60 for the first byte."""
MIN_FREE = 2_000_000_000  # bytes that must stay free on the disk of the folder for temporary files
SECONDS_OF_SQL = 5.0
"""Seconds for a download of a visitor's own SQL; `SECONDS` is for all others."""
MAX_OPEN = 16
"""Files that are made or sent at a time; one client may have `middleware.MAX_COSTLY` of them."""
STALLED = 60.0  # seconds after which a client that reads nothing is disconnected
_TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_OF_A_PAGE = ("_size", "_next", "_shape", "_labels", "_header")


class Download:
    """The response with a file, which `making` writes if it is not complete yet. `open_now`: files that are made or sent."""

    open_now = 0

    def __init__(self, name: str, extension: str) -> None:
        Download.open_now += 1
        self.file = tempfile.NamedTemporaryFile(suffix=f".{extension}")  # noqa: SIM115 - closed when it is sent
        self.making: asyncio.Task[None] | None = None
        self._name, self._type = f"{name}.{extension}", _TYPES[extension]

    def close(self) -> None:
        Download.open_now -= 1
        self.file.close()

    async def asgi_send(self, send: Send) -> None:
        """Sends the file. Raises TimeoutError if the client reads nothing, and what `making` raises: the connection breaks."""

        async def patient(message: Message) -> None:
            async with asyncio.timeout(STALLED):
                await send(message)

        headers = {"content-type": self._type, "content-disposition": f'attachment; filename="{self._name}"'}
        headers |= {"cache-control": "no-store"}
        headers |= {} if self.making else {"content-length": str(Path(self.file.name).stat().st_size)}
        try:
            encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
            await patient({"type": "http.response.start", "status": 200, "headers": encoded})
            with Path(self.file.name).open("rb") as file:
                is_complete = False
                while not is_complete:
                    is_complete = not self.making or self.making.done()  # checked before reading, so that nothing is missed
                    while piece := file.read(1 << 16):
                        await patient({"type": "http.response.body", "body": piece, "more_body": True})
                    await asyncio.sleep(0 if is_complete else 0.1)
            if self.making:
                self.making.result()
            await patient({"type": "http.response.body", "body": b""})
        finally:
            self.close()


async def of_page(datasette: Any, request: Any) -> Download:
    """`/tta/NAME.csv`, `/tta/NAME/KEY.csv`, `/tta.csv?sql=` and the same with `.xlsx`: all rows of the page at that address.

    The SQL comes from that page, so that filters, order, columns, errors and permissions are the same. CSV has the columns' names
    and stored values or, with `_header=labels`, what pages show.
    """
    path = request.path.rpartition(".")[0]
    name, *row = [*path.replace("/-/query", "").split("/"), ""][2:4]  # 1.0's address of a visitor's SQL
    if not name and not request.args.get("sql"):
        raise DatasetteError("There is no table or question at this address.", status=404)
    pairs = [pair for pair in parse_qsl(request.query_string) if pair[0] not in _OF_A_PAGE]
    asked = f"{urlencode(pairs)}&_size=0&_nofacet=1&_nocount=1&_shape=arrays&_extra=columns,query"
    answer = await datasette.client.get(f"{path}.json?{asked}", follow_redirects=True)
    if answer.status_code != 200:
        is_json = answer.headers["content-type"].startswith("application/json")
        raise DatasetteError(answer.json()["error"] if is_json else "This can't be downloaded.", status=answer.status_code)
    page = answer.json()
    if name in QUESTIONS:
        title, words = QUESTIONS[name].title, "; ".join(f"{heading(key)}: {value}" for key, value in pairs if value)
        words = words or QUESTIONS[name].description  # which states the limit, if there is one
    elif name:
        title = metadata()["databases"][DATABASE]["tables"].get(name, {}).get("title", name)
        title += ", some columns" * ("_col" in request.args)
        words = "; ".join(filter(None, [*row, (await chips(datasette, request, name))["words"]]))
    else:
        title, words = "Query", page["query"]["sql"]
    if any(row):
        return await download(datasette, request, title, words, (page["columns"], page["rows"]), name)
    sql = page["query"]["sql"]
    if name not in ("", *QUESTIONS):
        sql = break_ties(sql).removesuffix(" limit 1")
        columns = [f"rows_of.{escape_sqlite(one)}" for one in dict.fromkeys(page["columns"])]  # Datasette repeats a chosen key
        record = [QUERIES["record_of_row"]] * (name != "records" and "record_id" in page["columns"])
        sql = f"SELECT {', '.join(record + columns)} FROM ({sql}) AS rows_of"
    return await download(datasette, request, title, words, Query(sql, page["query"]["params"], SECONDS_OF_SQL), name)


def file_name(title: str, words: str) -> str:
    """Returns the name of a file without its extension: what it contains, the filter in words, and the day."""
    return f"{re.sub(r'[^a-z0-9]+', '-', f'{title} {words}'.lower())[:90].strip('-')}-{today()}"


async def download(
    datasette: Any, request: Any, title: str, words: str, source: Query | tuple[list[str], list[Any]], table: str = "records"
) -> Download:
    """Returns a file in the format that the route names. `words`: the filter in words; `source`: a query, or columns and rows.

    Raises DatasetteError if the file can't be made.
    """
    extension = request.url_vars["format"]
    if isinstance(source, Query) and not {"sql", "_where"} & set(request.args):
        source = source._replace(seconds=SECONDS, largest=shutil.disk_usage(tempfile.gettempdir()).free - MIN_FREE)
    page = datasette.absolute_url(request, datasette.urls.path(request.full_path)).replace(f".{extension}", "", 1)
    last = (await datasette.get_database(DATABASE).execute("SELECT max(captured_at) FROM captures")).first()[0]
    about = {"Rows of": title, "Filter": words or "none: all rows", "Retrieved on": f"{today()}", "Page": page}
    about |= {"Latest capture": str(last or NOT_KNOWN), "Cite as": f"{cite(title, words)}, from {page}"}
    if Download.open_now >= MAX_OPEN:
        raise DatasetteError("Too many downloads at once: try again in a minute.", status=503)
    found = Download(file_name(title, words), extension)
    try:
        labels = HEADINGS | {name: one.heading for name, one in columns_in(table).items()}
        has_names = extension == "csv" and request.args.get("_header") != "labels"
        file = DownloadFile(found.file.name, title, tuple(about.items()), table, {} if has_names else labels)
        if isinstance(source, Query):
            task = asyncio.create_task(_make(datasette.get_database(DATABASE), source._replace(file=file)))
            is_streamed = extension == "csv" and source.seconds > PATIENCE
            done, _ = await asyncio.wait([task], timeout=PATIENCE if is_streamed else None)
            found.making = None if done else task
            if done:
                task.result()
        else:
            await asyncio.to_thread(file.write, *source)
    except BaseException:
        found.close()
        raise
    return found


def cite(title: str, words: str) -> str:
    """Returns how to cite rows that were selected by a filter, given in words."""
    return f"{TITLE}: {title}{f' ({words})' if words else ''}. Retrieved {today():%B %d, %Y}"


async def _make(database: Any, query: Query) -> None:
    async with database.making:
        answer = await asyncio.to_thread(database.files.run, query)
    if answer.error:
        late = f"it took longer than {query.seconds:g} seconds"
        told = late if answer.message == TIMED_OUT.message else answer.message
        raise DatasetteError(f"The file can't be made: {told}. Select fewer rows or columns, or use tta export.", status=400)
