"""The pages of charts and the map: a custom chart, with its files, and the most common charts of the selected records."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from itertools import chain, combinations, islice
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from datasette.database import QueryInterrupted
from datasette.utils.asgi import Request, Response

from scraper.database.about import TITLE
from scraper.database.tables import BY_NAME
from scraper.explore import charts
from scraper.explore.charts import MAX_ROWS, TEXTS, Chart, Counts, Spec, Value, draw, read_spec
from scraper.explore.downloads import download, file_name
from scraper.explore.filters import COUNT_FOR, QUERIES, Pairs, RecordFilters, ask, ask_together, equal, form, read_filters
from scraper.explore.lines import question_rows
from scraper.explore.links import DATABASE, NOT_KNOWN
from scraper.explore.metadata import Question
from scraper.explore.requests import today

PARAMETERS: dict[str, str] = TEXTS["parameters"]
_MAX_SETS = 31  # sets of filtered columns whose values records may lack: of five columns, every combination
_FILLED = ", ".join(f"count({name}) AS {name}" for name in BY_NAME["records"].columns)


async def count_charts(database: Any, specs: Sequence[Spec], filters: RecordFilters) -> list[Counts]:
    """Counts the selected records by the dimensions of each chart, in one query. Raises QueryInterrupted at the time limit."""
    wanted = [[one.across.sql, one.down.sql if one.down else "NULL", one.figure.sql] for one in specs]
    columns = {sql: f"c{at}" for at, sql in enumerate(dict.fromkeys(chain(*wanted)))}
    parts = []
    for at, some in enumerate(wanted):
        groups = ", ".join(columns[sql] for sql in some if sql != "NULL")
        parts.append(f"SELECT {at}, {', '.join(columns[sql] for sql in some)}, count(*) FROM chosen GROUP BY {groups}")
    # SQLite stores `chosen` for several charts, so that it reads the rows once; for one, a plus keeps it from an index's order.
    chosen = ", ".join(f"+({sql}) AS {name}" for sql, name in columns.items())
    sql = f"WITH chosen AS (SELECT {chosen} FROM records {filters.where}) {' UNION ALL '.join(parts)}"
    rows = [tuple(row) for row in (await database.execute(sql, filters.params, log_sql_errors=False)).rows]
    lacking = {(row["dimension"], row["value"]): row["lack"] for row in (await database.execute(QUERIES["incomplete"])).rows}
    return [_counts_of(spec, [row[1:] for row in rows if row[0] == at], lacking) for at, spec in enumerate(specs)]


def _counts_of(spec: Spec, rows: Iterable[Sequence[Any]], lacking: Mapping[tuple[str, Value], str]) -> Counts:
    """Returns the counts of a chart: of each row, the values of both dimensions and of the measure, and a number of records."""
    by, split, measure = spec.across, spec.down, spec.figure
    counts, only = Counts(lacking=lacking), spec.only.split("\n")
    across_of, down_of = cache(by.values), cache(split.values if split else lambda _: (None,))
    for first, second, value, n in rows:
        across, down = across_of(first), down_of(second)
        reasons = [f"unknown {measure.value}"] if (is_unknown := measure.sql != "NULL" and value is None) else []
        empty = [(one, values) for one, values in ((by, across), (split, down)) if one and (None in values or not values)]
        reasons += [f"{'unknown' if values else 'cut-off'} {one.name_in_text}" for one, values in empty]
        if spec.only and not any((split or by).name(one) in only for one in (down if split else across)):
            reasons.append(f"another {(split or by).name_in_text}")
        counts.add(n, () if is_unknown else across, () if is_unknown else down, value, "".join(reasons[:1]))
    return counts


async def charts_of(datasette: Any, specs: Sequence[Spec], filters: RecordFilters) -> list[Chart]:
    """Returns the charts, up to the first whose count exceeded the time limit."""
    count = partial(count_charts, datasette.get_database(DATABASE), filters=filters)
    return [draw(one, n, filters) for one, n in zip(specs, await ask_together(count, specs), strict=False)]


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """Returns what the template `charts.html` shows."""
    chosen, database = await read_filters(datasette, request), datasette.get_database(DATABASE)
    drawn = await charts_of(datasette, specs := [Spec(**one) for one in TEXTS["page"]], chosen)
    shown: dict[str, Any] = {"charts": drawn, "records": max([0, *(one.counts.groups.total() for one in drawn)]), "filled": []}
    with suppress(QueryInterrupted):
        complete = await ask(database, "complete", chosen.params, where=chosen.where, filled=_FILLED)
        shown |= {"records": (filled := complete["filled"][0]).pop("all"), "filled": sorted(filled.items(), key=itemgetter(1))}
        numbers = next((one.counts.rows for one in drawn if one.spec.by == "fiscal_year"), {})
        years = [one | {"chosen": n.total()} for one in complete["years"] if (n := numbers.get(one["fiscal_year"]))]
        shown |= {"years": years, "left_out": await _left_out(datasette, chosen.pairs)}
    lacks = len(drawn) < len(specs) or not shown["filled"]
    return shown | {"cut_off": lacks} | await _common_context(datasette, request, chosen)


async def _left_out(datasette: Any, pairs: Pairs) -> list[tuple[Sequence[str], RecordFilters, int]]:
    """Returns for columns of the filters, alone and together, the records without a known value there that match the others."""
    found = list[tuple[Sequence[str], RecordFilters, int]]()
    own = {one.columns[0] for one in charts.DIMENSIONS.values() if one.lookup == "own"}
    given = [name for name, value in pairs if (name[0] != "_" or name in own) and value != NOT_KNOWN]
    columns = {name: name.partition("__")[0] for name in given if not name.endswith(("null", "blank"))}
    for some in islice(chain.from_iterable(combinations(dict.fromkeys(columns.values()), n) for n in range(1, 6)), _MAX_SETS):
        rest = [*((name, value) for name, value in pairs if columns.get(name) not in some), *(equal(one, None) for one in some)]
        chosen = await read_filters(datasette, Request.fake(f"/?{urlencode(rest)}"))
        counts = await ask(datasette.get_database(DATABASE), "map", chosen.params, where=chosen.where)
        found += [(some, chosen, n)] if (n := counts["counts"][0]["records"]) or len(some) == 1 else []
    return found


async def chart_context(datasette: Any, request: Any) -> dict[str, Any]:
    """Returns what the templates `chart.html` and `chart.svg` show."""
    chosen, spec = await read_filters(datasette, request), read_spec(request.args)
    chart = next(iter(await charts_of(datasette, [spec], chosen)), None)
    has_few_more = chart and 0 < len(chart.others) < MAX_ROWS
    numbers = draw(spec._replace(kind="numbers"), chart.counts, chosen) if chart and has_few_more else chart
    shown = {"chart": chart, "numbers": numbers, "spec": spec, "choices": charts.CHOICES, "needs": TEXTS["needs"]}
    return shown | {"file_name": file_name(spec.title, spec.words(chosen))} | await _common_context(datasette, request, chosen)


async def question_context(datasette: Any, request: Any, question: Question) -> dict[str, Any]:
    """Returns what `query-tta.html` shows besides a question's rows: menus, the chart, and links to the rows' records."""
    names = {**PARAMETERS, **question.given}
    asked = [(names[name], value) for name in question.parameters if name in names and (value := request.args.get(name))]
    chosen = await read_filters(datasette, Request.fake(f"/?{urlencode([*question.of.items(), *asked])}"))
    chart = next(iter(await charts_of(datasette, [Spec(**question.chart)] if question.chart else [], chosen)), None)
    columns, menus = PARAMETERS | TEXTS["columns"], {name: rows for name, _, rows in (await form(datasette, request))["menus"]}

    def url_of(row: Any) -> str | None:
        """Returns the URL of the records that a row counts; None if its columns do not determine them."""
        found = [(columns[name], row[name]) for name in dict(row) if columns.get(name, "_")[0] != "_"]
        return chosen.url(*((one[0], one[1] or NOT_KNOWN) if "__" in one[0] else equal(*one) for one in found)) if found else None

    async def count_rows() -> int | None:
        with suppress(QueryInterrupted):
            params = {name: request.args.get(name) or "" for name in question.parameters}
            sql = f"SELECT count(*) FROM ({question.sql})"
            return int((await datasette.get_database(DATABASE).execute(sql, params, custom_time_limit=COUNT_FOR)).first()[0])
        return None

    shown: dict[str, Any] = {"question": question, "chart": chart, "chosen": chosen, "url_of": url_of, "count_rows": count_rows}
    shown["chart_of_rows"] = partial(charts.draw_rows, datasette.urls, request.url_vars["table"])
    shown["menus"] = {name: menus[of] for name in question.parameters if (of := PARAMETERS.get(name, name)) in menus}
    return shown | await question_rows(datasette, request, question)


async def _common_context(datasette: Any, request: Any, filters: RecordFilters) -> dict[str, Any]:
    last = (await datasette.get_database(DATABASE).execute("SELECT max(captured_at) FROM captures")).first()[0]
    cite = f"{TITLE}, as captured until {(last or 'unknown')[:10]}"
    return {"title": "TTA records in charts", "chosen_records": filters, "cite": cite, **await form(datasette, request)}


async def picture_file(datasette: Any, request: Any) -> Any:
    """Returns the chart as an SVG file, including its title, filters, key and source."""
    page = datasette.absolute_url(request, datasette.urls.path(request.full_path)).replace(".svg", "", 1)
    source = f", retrieved on {today()} from {page}" if request.host != "localhost" else ""  # a saved site has no other address
    shown = await chart_context(datasette, request) | {"source": source}
    text = await datasette.render_template("chart.svg", shown, request=request)
    headers = {"content-disposition": f'attachment; filename="{shown["file_name"]}.svg"'}
    return Response(text.strip(), headers=headers, content_type="image/svg+xml")


async def numbers_file(datasette: Any, request: Any) -> Any:
    """Returns all numbers of the chart as CSV or Excel."""
    chosen, spec, database = await read_filters(datasette, request), read_spec(request.args), datasette.get_database(DATABASE)
    chart = draw(spec._replace(kind="numbers"), (await count_charts(database, [spec], chosen))[0], chosen)
    lacks, rows, is_count = chart.lacks, [], spec.measure == "records"
    names = [one.heading for one in (spec.across, spec.down, spec.figure) if one] + ["Records"] * (not is_count)
    for row in chart.rows:
        for series, mark in ((one, mark) for one, mark in zip(chart.series, row.marks(), strict=True) if mark):
            of = (row.name.rstrip("*"), series.rstrip("*"))[: 1 + bool(spec.down)]
            lack = "; ".join(lacks[one] for one in of if one in lacks) or None
            values = [int(one) if one.isdigit() else one for one in of]  # years are numbers, in Excel too
            rows.append((*values, round(mark.value, 2), *[mark.records] * (not is_count), *[lack] * bool(lacks)))
    return await download(datasette, request, spec.title, spec.words(chosen), (names + ["Incomplete"] * bool(lacks), rows))


async def map_context(datasette: Any, request: Any) -> dict[str, Any]:
    """Returns what `map.html` shows: numbers of matching records with and without a point. The table has the points."""
    chosen, counts = await read_filters(datasette, request), None
    with suppress(QueryInterrupted):
        (counts,) = (await ask(datasette.get_database(DATABASE), "map", chosen.params, where=chosen.where))["counts"]
    return {"title": "Map of TTA records", "counts": counts, "found": chosen, **await form(datasette, request)}
