"""The page of charts: what the records that an address chooses are about, counted, and each count linked to its rows."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from datasette.database import QueryInterrupted
from datasette.utils.asgi import BadRequest
from datasette.utils.sqlite import sqlite3

from scraper.database.tables import BY_NAME
from scraper.explore import charts
from scraper.explore.filters import DATABASE, RecordFilters, equal, form, read_filters

TITLE = "TTA records in charts"
ANSWERS = {
    "evidence_based": "For an evidence-based or promising practice?",
    "emerging_need": "For an emerging public safety need?",
}
_LISTED = 15
"""Bars shown at once; the others are folded away."""
_ONE = "SELECT {column}, count(*) FROM records {where} GROUP BY 1"
_ALIKE_COLUMNS = ("fiscal_year", "status", "evidence_based", "emerging_need")
_ALIKE = f"SELECT {', '.join(_ALIKE_COLUMNS)}, count(*) FROM records {{where}} GROUP BY 1, 2, 3, 4"
"""Few values each, and the first columns of the index over `COUNTED`, in its order: one walk along it counts for four charts."""
_LIST_BY_YEAR = """
WITH arrays AS (SELECT fiscal_year, {column} AS items, count(*) AS n FROM records {where} GROUP BY 1, 2),
     parts AS (SELECT DISTINCT fiscal_year, items, n, item.value FROM arrays, json_each(arrays.items) AS item)
SELECT fiscal_year, value, sum(n) FROM parts GROUP BY 1, 2
"""
_MONTHS = """
WITH RECURSIVE months (month) AS (
    SELECT substr(min(captured_at), 1, 7) FROM captures
    UNION ALL
    SELECT (SELECT substr(min(captured_at), 1, 7) FROM captures WHERE captured_at > month || '~')
    FROM months WHERE month IS NOT NULL
)
SELECT month, (SELECT count(*) FROM captures WHERE captured_at BETWEEN month AND month || '~') FROM months WHERE month IS NOT NULL
"""
"""A step along the index for every month (`~` comes after all that a time may go on with): cutting 1.5 million times to their
months takes eight times as long."""
_COLUMNS = [name for name in BY_NAME["records"].columns if name not in ("record_id", "captures")]
_FILLED = f"SELECT count(*), {', '.join(f'count({name})' for name in _COLUMNS)} FROM records {{where}}"

Counts = dict[tuple[object, object], int]
Alike = list[tuple[dict[str, object], int]]


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """What the template `charts.html` shows."""
    found = await read_filters(datasette, request)
    ask = _Asking(datasette.get_database(DATABASE), found)
    asked = {
        "alike": ask.alike(),
        "areas": ask.pairs(_LIST_BY_YEAR, "program_areas"),
        "agencies": ask.pairs(_LIST_BY_YEAR, "agency_types"),
        "states": ask.one("place_state"),
        "filled": ask.row(_FILLED),
        "months": ask.months(datasette.urls.table(DATABASE, "captures")),
    }
    counts: dict[str, Any] = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
    alike: Alike = counts["alike"]

    def url_of_answer(column: str) -> Any:
        return lambda year, answer: found.url(equal("fiscal_year", year), equal(column, answer))

    years = _sum((values["fiscal_year"], count) for values, count in alike)
    statuses = _sum((values["status"], count) for values, count in alike)
    areas, agencies = (_sum((value, n) for (_, value), n in counts[name].items()) for name in ("areas", "agencies"))
    return {
        **await form(datasette, request),
        "title": TITLE,
        "records": sum(years.values()),
        "cut_off": ask.cut_off,
        "table_url": found.url(),
        "words": found.words,
        "listed": _LISTED,
        "years": charts.bars(sorted(years.items(), key=lambda one: (one[0] is None, str(one[0]))), ask.url_of("fiscal_year")),
        "areas": charts.bars(charts.longest_first(areas), ask.url_of_item("program_areas")),
        "areas_by_year": _areas_by_year(counts["areas"], found),
        "agencies": charts.bars(charts.longest_first(agencies), ask.url_of_item("agency_types")),
        "statuses": charts.bars(charts.longest_first(statuses), ask.url_of("status")),
        "states": charts.state_map(counts["states"], ask.url_of("place_state")),
        "answers": [
            (column, name, charts.wholes(_sum(((one["fiscal_year"], one[column]), n) for one, n in alike), url_of_answer(column)))
            for column, name in ANSWERS.items()
        ],
        "months": counts["months"],
        "filled": _filled(counts["filled"], found),
    }


class _Asking:
    """Counts of the chosen records."""

    def __init__(self, database: Any, found: RecordFilters) -> None:
        self._database = database
        self._chosen = found
        self.cut_off = False
        """Whether the database's time limit ended a count, whose chart is then missing."""

    async def rows(self, sql: str) -> list[Any]:
        """None where the time limit ended the count. Raises BadRequest where the filters are no SQL."""
        try:
            found = await self._database.execute(sql, self._chosen.params, log_sql_errors=False)
        except QueryInterrupted:
            self.cut_off = True
            return []
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
            raise BadRequest(f"These filters can't be used: {error}") from None
        rows: list[Any] = found.rows
        return rows

    async def one(self, column: str) -> dict[object, int]:
        return {row[0]: row[1] for row in await self.rows(_ONE.format(column=column, where=self._chosen.where))}

    async def alike(self) -> Alike:
        """How many records have each set of values of `_ALIKE_COLUMNS`."""
        rows = await self.rows(_ALIKE.format(where=self._chosen.where))
        return [(dict(zip(_ALIKE_COLUMNS, row, strict=False)), row[-1]) for row in rows]

    async def pairs(self, sql: str, column: str) -> Counts:
        return {(row[0], row[1]): row[2] for row in await self.rows(sql.format(column=column, where=self._chosen.where))}

    async def row(self, sql: str) -> list[int]:
        """The only row; empty where the time limit ended the count."""
        found = await self.rows(sql.format(where=self._chosen.where))
        return list(found[0]) if found else []

    async def months(self, captures_url: str) -> list[charts.Bar]:
        """Captures of each month, months without one included; of the whole database, so only where all records are chosen."""
        if self._chosen.where:
            return []
        counts = {str(row[0]): int(row[1]) for row in await self.rows(_MONTHS)}
        return charts.bars(
            [(month, counts.get(month, 0)) for month in _months_between(counts)],
            lambda month: f"{captures_url}?captured_at__startswith={month}",
        )

    def url_of(self, column: str) -> Any:
        return lambda value: self._chosen.url(equal(column, value))

    def url_of_item(self, column: str) -> Any:
        return lambda value: self._chosen.url((f"{column}__arraycontains", value))


def _sum(counts: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    """The counts of equal keys together."""
    totals: dict[Any, int] = defaultdict(int)
    for key, count in counts:
        totals[key] += count
    return totals


def _areas_by_year(counts: Counts, found: RecordFilters) -> charts.Grid:
    years = sorted({year for year, _ in counts}, key=lambda year: (year is None, str(year)))
    areas = [area for area, _ in charts.longest_first(_sum((area, count) for (_, area), count in counts.items()))]
    turned = {(area, year): count for (year, area), count in counts.items()}
    return charts.grid(
        turned, years, areas, lambda area, year: found.url(("program_areas__arraycontains", area), equal("fiscal_year", year))
    )


def _filled(counts: list[int], found: RecordFilters) -> list[charts.Bar]:
    """How many records have a value in each column, as shares of all of them."""
    if not counts:
        return []
    total, *of_columns = counts
    rows = list(zip(_COLUMNS, of_columns, strict=True))
    return charts.bars(rows, lambda column: found.url((f"{column}__isnull", 1)), total or 1)


def _months_between(counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    (first_year, first), (last_year, last) = ((int(month[:4]), int(month[5:7])) for month in (min(counts), max(counts)))
    return [
        f"{year}-{month:02}"
        for year in range(first_year, last_year + 1)
        for month in range(1, 13)
        if (first_year, first) <= (year, month) <= (last_year, last)
    ]
