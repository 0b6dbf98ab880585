"""The pages of charts and the map: a chart made to order, with its files, and the most common charts of the chosen records."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from datasette.database import QueryInterrupted
from datasette.utils.asgi import Request, Response

from parsers.record import columns_of
from scraper.database.about import TITLE
from scraper.database.tables import BY_NAME, RecordRow
from scraper.explore.charts import DIMENSIONS, KINDS, MEASURES, TEXTS, Chart, Spec, count, draw, draw_rows, percent, read_spec
from scraper.explore.downloads import download
from scraper.explore.filters import RecordFilters, equal, form, read_filters
from scraper.explore.lines import question_rows
from scraper.explore.links import DATABASE, columns_in
from scraper.explore.metadata import Question

PARAMETERS: dict[str, str] = TEXTS["parameters"]
_COLUMNS = [name for name in BY_NAME["records"].columns if name not in ("record_id", "captures")]
_FILLED = f"SELECT count(*), {', '.join(f'count({name})' for name in _COLUMNS)} FROM records"


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
    fields = [row[0] for row in await datasette.get_database(DATABASE).execute("SELECT DISTINCT field FROM changes ORDER BY 1")]
    menus["field"] = [(name, columns_in("records")[name].heading if name in columns_in("records") else name) for name in fields]

    def url_of(row: Any) -> str | None:
        """The records that a row counts; None where its columns do not tell."""
        found = [(columns[name], row[name]) for name in row.keys() if name in columns]  # noqa: SIM118 - a row of sqlite3
        known = [equal(name, value) if "__" not in name else (name, value) for name, value in found]
        return chosen.url(*known) if known else None

    def chart_of_rows(rows: Any) -> Chart:
        name = request.url_vars["table"]
        table = TEXTS["rows"][name]["table"]
        return draw_rows(name, rows, datasette.urls.table(DATABASE, table) if table else "")

    return {
        "rows": await question_rows(datasette, request, question),
        "question": question,
        "chart": chart,
        "chart_of_rows": chart_of_rows,
        "chosen": chosen,
        "url_of": url_of,
        "menus": {name: menus[of] for name in question.parameters if (of := PARAMETERS.get(name, name)) in menus},
    }


async def _shown(datasette: Any, request: Any, chosen: RecordFilters) -> dict[str, Any]:
    last = (await datasette.get_database(DATABASE).execute("SELECT max(captured_at) FROM captures")).first()[0]
    cite = f"{TITLE}, as captured until {(last or 'unknown')[:10]}"
    return {"title": "TTA records in charts", "chosen_records": chosen, "cite": cite, **await form(datasette, request)}


async def picture_file(datasette: Any, request: Any) -> Any:
    """The chart as an SVG file: its title, filters, key and source are inside."""
    shown = await chart_context(datasette, request)
    text = await datasette.render_template("chart.svg", shown, request=request)
    name = "-".join(filter(None, shown["spec"][:3])).replace("_", "-")
    headers = {"content-disposition": f'attachment; filename="{name}.svg"'}
    return Response(text.strip(), headers=headers, content_type="image/svg+xml")


async def numbers_file(datasette: Any, request: Any) -> Any:
    """All numbers of the chart as CSV or Excel."""
    chosen, spec = await read_filters(datasette, request), read_spec(request.args)
    counts = await count(datasette.get_database(DATABASE), spec, chosen)
    chart = draw(spec._replace(kind="heat"), counts, chosen)  # the kind that leaves no series out
    names = [spec.across.heading, *([spec.down.heading] if spec.down else []), spec.figure.heading]
    names += ["Records"] * (spec.measure != "records")
    rows = [
        (row.name, *([series] if spec.down else []), round(mark.value, 2), mark.records)[: len(names)]
        for row in chart.rows
        for series, mark in zip(chart.series, row.marks, strict=True)
        if mark
    ]
    return await download(datasette, request, spec.title, chosen.words, (names, rows))


async def map_context(datasette: Any, request: Any) -> dict[str, Any]:
    """What `map.html` shows: how many records the filters choose, with a point and without. The points come from the table."""
    chosen = await read_filters(datasette, request)
    try:
        sql = f"SELECT count(*) AS records, count(latitude) AS placed FROM records {chosen.where}"
        counts = dict((await datasette.get_database(DATABASE).execute(sql, chosen.params)).first())
    except QueryInterrupted:
        counts = None
    without = chosen.url(("latitude__isnull", 1))
    return {
        "title": "Map of TTA records",
        "counts": counts,
        "without_place": without,
        "found": chosen,
        **await form(datasette, request),
    }
