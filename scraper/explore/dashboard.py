"""The pages of charts: one that is made to order, with its files, and one of the most common charts of the chosen records."""

from __future__ import annotations

import asyncio
import codecs
import io
from typing import Any
from urllib.parse import urlencode

from datasette.database import QueryInterrupted
from datasette.utils.asgi import Request, Response

from parsers.record import columns_of
from scraper.database.about import TITLE
from scraper.database.tables import BY_NAME, RecordRow
from scraper.explore.charts import DIMENSIONS, KINDS, MEASURES, TEXTS, Chart, Spec, count, draw, percent, read_spec
from scraper.explore.filters import DATABASE, RecordFilters, equal, form, read_filters
from scraper.explore.questions import Question
from scraper.export.csvfile import write

PAGE_TITLE = "TTA records in charts"
PARAMETERS: dict[str, str] = TEXTS["parameters"]
_COLUMNS = [name for name in BY_NAME["records"].columns if name not in ("record_id", "captures")]
_FILLED = f"SELECT count(*), {', '.join(f'count({name})' for name in _COLUMNS)} FROM records"
_LAST = "SELECT max(captured_at) FROM captures"


async def chart_of(datasette: Any, spec: Spec, chosen: RecordFilters) -> Chart | None:
    """The chart; None where the time limit ended the count."""
    try:
        return draw(spec, await count(datasette.get_database(DATABASE), spec, chosen), chosen)
    except QueryInterrupted:
        return None


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """What the template `charts.html` shows."""
    chosen = await read_filters(datasette, request)
    database = datasette.get_database(DATABASE)
    found = await asyncio.gather(*(chart_of(datasette, Spec(**spec), chosen) for spec in TEXTS["page"]))
    try:
        (total, *filled), *_ = (await database.execute(f"{_FILLED} {chosen.where}", chosen.params)).rows
    except QueryInterrupted:
        total, filled = 0, []
    return {
        **await _shown(datasette, request, chosen),
        "charts": [chart for chart in found if chart],
        "cut_off": None in found or not filled,
        "records": max([total, *(chart.counts.total for chart in found if chart)]),
        "filled": [
            (columns_of(RecordRow)[name].heading, n, percent(n, total), f"{name}__isnull")
            for name, n in zip(_COLUMNS, filled, strict=False)
        ],
    }


async def chart_context(datasette: Any, request: Any) -> dict[str, Any]:
    """What the templates `chart.html` and `chart.svg` show."""
    chosen = await read_filters(datasette, request)
    spec = read_spec(request.args)
    shown = await _shown(datasette, request, chosen)
    choices: dict[str, dict[str, Any]] = {"measure": MEASURES, "by": DIMENSIONS, "split": DIMENSIONS, "kind": KINDS}
    return shown | {
        "chart": await chart_of(datasette, spec, chosen),
        "spec": spec,
        "choices": {name: [(key, getattr(one, "heading", one)) for key, one in found.items()] for name, found in choices.items()},
    }


async def question_context(datasette: Any, request: Any, question: Question) -> dict[str, Any]:
    """What `query-tta.html` shows of a question beside its rows: menus, the chart, and where the rows' records are."""
    given = [(name, request.args.get(name)) for name in question.parameters if request.args.get(name)]
    filters = [*question.of.items(), *((PARAMETERS[name], value) for name, value in given if name in PARAMETERS)]
    chosen = await read_filters(datasette, Request.fake(f"/?{urlencode(filters)}"))
    chart = await chart_of(datasette, Spec(**question.chart), chosen) if question.chart else None
    columns = PARAMETERS | TEXTS["columns"]
    menus = {name: values for name, _, values in (await form(datasette, request))["menus"]}

    def url_of(row: Any) -> str | None:
        """The records that a row counts; None where its columns do not tell."""
        found = [(columns[name], row[name]) for name in row.keys() if name in columns]  # noqa: SIM118 - a row of sqlite3
        known = [equal(name, value) if "__" not in name else (name, value) for name, value in found]
        return chosen.url(*known) if known else None

    return {
        "question": question,
        "chart": chart,
        "chosen": chosen,
        "url_of": url_of,
        "menus": {name: menus[PARAMETERS[name]] for name in question.parameters if PARAMETERS.get(name) in menus},
    }


async def _shown(datasette: Any, request: Any, chosen: RecordFilters) -> dict[str, Any]:
    last = (await datasette.get_database(DATABASE).execute(_LAST)).first()[0]
    cite = f"{TITLE}, as captured until {(last or 'unknown')[:10]}"
    return {"title": PAGE_TITLE, "chosen_records": chosen, "cite": cite, **await form(datasette, request)}


async def picture_file(datasette: Any, request: Any) -> Any:
    """The chart as an SVG file: its title, filters, key and source are inside."""
    shown = await chart_context(datasette, request)
    text = await datasette.render_template("chart.svg", shown, request=request)
    return _file(text.strip(), "image/svg+xml", shown["spec"], "svg")


async def numbers_file(datasette: Any, request: Any) -> Any:
    """All numbers of the chart as CSV; the lines after them say what they are."""
    shown = await chart_context(datasette, request)
    chosen, spec = shown["chosen_records"], shown["spec"]
    chart = await chart_of(datasette, spec._replace(kind="heat"), chosen)  # the kind that leaves no series out
    if not chart:
        return Response.text("The count reached the time limit: choose fewer records.", status=400)
    names = [spec.across.heading, *([spec.down.heading] if spec.down else []), spec.figure.heading, "Records"]
    rows = [
        (row.name, *([series] if spec.down else []), round(mark.value, 2), mark.records)
        for row in chart.rows
        for series, mark in zip(chart.series, row.marks, strict=True)
        if mark
    ]
    about = (spec.title, chosen.words or "all records", shown["cite"], datasette.absolute_url(request, request.full_path))
    file = io.BytesIO()
    file.write(codecs.BOM_UTF8)
    write(names, [*rows, (), *((f"# {line}",) for line in about)], file)
    return _file(file.getvalue().decode(), "text/csv; charset=utf-8", spec, "csv")


def _file(text: str, content_type: str, spec: Spec, ending: str) -> Any:
    name = "-".join(filter(None, spec[:3])).replace("_", "-")
    return Response(text, headers={"content-disposition": f'attachment; filename="{name}.{ending}"'}, content_type=content_type)
