"""The home page (how much data there is, how current and complete, where to begin), the codebook, and monitoring."""

import asyncio
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import zip_longest
from typing import Any

from datasette.database import QueryInterrupted
from datasette.utils.asgi import Response

from scraper.capture import from_iso
from scraper.database.tables import TABLES, VIEWS
from scraper.errors import BadQuery
from scraper.explore.charts import TEXTS, Spec, percent
from scraper.explore.dashboard import charts_of
from scraper.explore.downloads import download
from scraper.explore.filters import RecordFilters, ask
from scraper.explore.links import DATABASE
from scraper.explore.metadata import LOOKS, QUESTIONS, UNKNOWN_LABELS
from scraper.explore.record import MADE_UP
from scraper.export.tables import BY_NAME, CODEBOOK, Count, codebook_rows, count_values

STALE_AFTER = 72.0
"""Hours since the last refresh that committed: three nights. One or two nights without an answer are normal for web archives."""
MAX_COUNTED = 2_000_000  # cells of a table up to which the page compares values, within a second (750,000 took 0.33 s)


async def context(datasette: Any) -> dict[str, Any]:
    """Returns what the template `index.html` shows besides the metadata."""
    database, urls = datasette.get_database(DATABASE), datasette.urls
    found, labels = await asyncio.gather(ask(database, "home", {"made_up": MADE_UP}), database.execute(UNKNOWN_LABELS))
    (counts,) = found["counts"]
    everything = RecordFilters(urls.table(DATABASE, "records"), [], "", {}, "")
    shown = {"counts": counts, "times": found["times"][0], "years": found["years"], "demo": found["demo"][0]["is_demo"]}
    shown |= {"run": next(iter(found["run"]), None), "good_run": found["good_run"][0]["ended_at"]}
    shown["unknown_labels"] = labels.first()[0]
    shown["captures"] = sum(row["captures"] for row in found["kinds"])
    shown["kinds"] = [(*row.values(), f"{urls.table(DATABASE, 'captures')}?kind={row['kind']}") for row in found["kinds"]]
    drawn = await charts_of(datasette, [Spec(**one) for one in TEXTS["home"].values()], everything)
    shares = [(counts[key], one) for key, one in TEXTS["shares"].items()]
    shown["shares"] = [one | {"count": n, "percent": percent(n, counts["records"])} for n, one in shares]
    shown |= {"charts": zip_longest(drawn, TEXTS["home"]), "views": VIEWS}
    shown["tables"] = [one for one in TABLES if "hidden" not in LOOKS[one.name]]
    shown["about_table"] = lambda one: (LOOKS[one.name]["title"], one.about)
    return shown | {"questions": [(name, one.title, one.description) for name, one in QUESTIONS.items()]}


async def codebook(datasette: Any, request: Any) -> dict[str, Any]:
    """Returns what the template `codebook.html` shows: the columns of a table, as in the codebook of an export."""
    tables = {one.name: LOOKS[one.name]["title"] for one in TABLES if one.name in BY_NAME}
    name = request.args.get("table") or "records"
    if name not in tables:
        raise BadQuery(f"There is no table “{name[:80]}” in the codebook: choose {', '.join(tables)}.")
    database, columns = datasette.get_database(DATABASE), [one for one in BY_NAME[name].columns if one not in BY_NAME[name].local]
    size, counts = 0, [Count() for _ in columns]  # what exceeds the time limit is not counted
    with suppress(QueryInterrupted):
        filled = ", ".join(f'count("{column}")' for column in columns)
        size, *numbers = (await database.execute(f'SELECT count(*), {filled} FROM "{name}"')).first()
        counts = [Count(missing=size - values, values=values, seen=None) for values in numbers]
    is_whole = 0 < size * len(columns) <= MAX_COUNTED
    if is_whole:
        counts, quoted = [Count() for _ in columns], ", ".join(f'"{column}"' for column in columns)
        await database.execute_fn(lambda db: deque(count_values(db.execute(f'SELECT {quoted} FROM "{name}"'), counts), maxlen=0))
    rows = [dict(zip(BY_NAME[CODEBOOK].columns, row, strict=True)) for row in codebook_rows(name, columns, counts)]
    return {"tables": tables, "name": name, "size": size, "is_whole": is_whole, "columns": rows}


async def codebook_file(datasette: Any, request: Any) -> Any:
    found = await codebook(datasette, request)
    words = f"Table: {found['name']}" + "; values that differ are not counted" * (not found["is_whole"])
    rows = [tuple(one.values()) for one in found["columns"]]
    return await download(datasette, request, "Codebook", words, ([*found["columns"][0]], rows), CODEBOOK)


async def health(datasette: Any) -> Any:
    """`/-/health`: JSON without text from pages and without messages, which could name paths.

    The status is 503 if the last committed refresh is older than STALE_AFTER, otherwise 200. A database that was never refreshed,
    such as one that is loaded by hand, is not stale: `age_hours` is null.
    """
    found = await ask(datasette.get_database(DATABASE), "health")
    last, good = (next(iter(found[name]), None) for name in ("last", "good"))
    ended = from_iso(good["ended_at"] or good["started_at"]) if good else None
    age = round((datetime.now(UTC) - ended).total_seconds() / 3600, 2) if ended else None
    stale = age is not None and age > STALE_AFTER
    body: dict[str, Any] = {"status": "stale" if stale else "ok", "age_hours": age, "stale_after_hours": STALE_AFTER}
    body |= {"last_committed_run": good, "last_run": last, "data": found["records"][0], "program": version("tta")}
    return Response.json(body, status=503 if stale else 200, headers={"Cache-Control": "no-store"})
