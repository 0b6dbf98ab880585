"""The records that an address chooses: its filters mean what they mean to Datasette's own table, on every page of this plugin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from datasette.utils import await_me_maybe
from datasette.utils.asgi import BadRequest

from parsers.record import columns_of
from scraper.database.tables import RecordRow

DATABASE = "tta"
TABLE = "records"
FORM = ("_search", "fiscal_year", "program_areas__arraycontains", "place_state")
"""The filters that the form of the map and the charts offers."""
YEARS = "SELECT DISTINCT fiscal_year FROM records WHERE fiscal_year IS NOT NULL ORDER BY 1 DESC"
AREAS = """
WITH arrays AS (SELECT DISTINCT program_areas AS items FROM records)
SELECT DISTINCT area.value FROM arrays, json_each(arrays.items) AS area ORDER BY 1
"""
STATES = "SELECT DISTINCT place_state FROM records WHERE place_state IS NOT NULL ORDER BY 1"
_ALSO = ("_where", "_search", "_through")
"""Arguments that are spelt like those that shape a table, and choose rows all the same."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RecordFilters:
    """`where` is a condition on `records` (empty: all of them), `words` the same for people, `pairs` the address's filters."""

    table_url: str
    pairs: Pairs
    where: str
    params: dict[str, Any]
    words: str

    def url(self, *more: tuple[str, object]) -> str:
        """Address of the rows of the table: those chosen that meet these filters too."""
        query = urlencode([*self.pairs, *((name, str(value)) for name, value in more)])
        return f"{self.table_url}?{query}" if query else self.table_url


def pairs_of(request: Any) -> Pairs:
    """The filters in the address. An empty value is a choice that was not made in the form."""
    return [
        (name, value)
        for name in request.args
        for value in request.args.getlist(name)
        if value and (not name.startswith("_") or name.startswith(_ALSO))
    ]


def equal(column: str, value: object) -> tuple[str, object]:
    """The filter for the rows with that value."""
    return (f"{column}__isnull", 1) if value is None else (f"{column}__exact", value)


async def read_filters(datasette: Any, request: Any) -> RecordFilters:
    """Reads the filters. Raises BadRequest where they name no column of the table."""
    from datasette.filters import Filters  # these load Datasette's plugins, this one among them: not while it is being imported
    from datasette.plugins import pm

    pairs = pairs_of(request)
    plain = [(name, value) for name, value in pairs if not name.startswith("_")]
    filters = Filters(sorted(plain))
    unknown = {column for column, _, _ in filters.selections()} - set(columns_of(RecordRow))
    if unknown:
        raise BadRequest(f"no such column of {TABLE}: {', '.join(sorted(unknown))}")
    clauses, params = filters.build_where_clauses(TABLE)
    words: list[str] = []
    for found in pm.hook.filters_from_request(request=request, table=TABLE, database=DATABASE, datasette=datasette):
        also = await await_me_maybe(found)
        if also:
            clauses += also.where_clauses
            params |= also.params
            words += also.human_descriptions
    where = f"WHERE {' AND '.join(f'({clause})' for clause in clauses)}" if clauses else ""
    return RecordFilters(datasette.urls.table(DATABASE, TABLE), pairs, where, params, filters.human_description_en(words))


async def form(datasette: Any, request: Any) -> dict[str, Any]:
    """What the template `_chooser.html` shows: the choices, what is chosen, and the filters that the form has to keep."""
    database = datasette.get_database(DATABASE)
    choices = [
        ("fiscal_year", "Fiscal year", YEARS),
        ("program_areas__arraycontains", "Program area", AREAS),
        ("place_state", "State", STATES),
    ]
    lists = [(name, label, await _first_column(database, sql)) for name, label, sql in choices]
    return {
        "lists": lists,
        "chosen": {name: request.args.get(name) or "" for name in FORM},
        "kept": [(name, value) for name, value in pairs_of(request) if name not in FORM],
        "query_string": urlencode(pairs_of(request)),
    }


async def _first_column(database: Any, sql: str) -> list[str]:
    found: Iterable[Any] = (await database.execute(sql)).rows
    return [str(row[0]) for row in found]
