"""The rows that an address chooses: its filters mean what they mean to Datasette's own table, on every page of this plugin."""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlencode

import yaml
from datasette.utils import await_me_maybe

from parsers.record import ColumnInfo
from scraper.errors import BadQuery
from scraper.explore.links import DATABASE, NOT_KNOWN, columns_in
from scraper.export.tables import Values, values_of

Pairs = list[tuple[str, str]]
TABLE = "records"
_ALSO = ("_where", "_search")
"""Arguments that are spelt like those that shape a table, and choose rows all the same."""
ARRAY_CONTAINS = (
    "{t}.{c} in (select arrays.items from (select distinct {t}.{c} as items from {t}) as arrays, json_each(arrays.items) as item "
    "where item.value = :{p})"
)
"""The condition that a JSON array contains a value: `t` is the table, `c` its column, `p` the parameter. NULL contains nothing.

Datasette's own takes the array of every row apart. There are few different ones (`records.program_areas` of 100,000 records: 15),
so these are taken apart: 20 ms in place of 60 ms a count (November 2026). It replaces Datasette's: there is no
hook that could take away the slow condition.
"""


def texts(name: str) -> Any:
    """The content of one of this package's YAML files."""
    return yaml.safe_load((files("scraper.explore") / f"{name}.yml").read_text(encoding="utf-8"))


QUERIES: dict[str, Any] = texts("queries")
_TEXTS = texts("filters")
_MENUS: dict[str, dict[str, str]] = _TEXTS["menus"]
"""The menus of the form that table, charts and map share: values and what is shown for them."""
_WORDS: dict[str, str] = _TEXTS["words"]
"""A filter in words, by its lookup: the column's heading and the value are filled in."""
FORM = ("_search", *_MENUS, "submitted_on", "submitted_on__gte", "submitted_on__lte")
"""The filters that the form offers."""


async def ask(database: Any, page: str, params: Any = None, **parts: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of the queries of a page (`queries.yml`), by their names. `parts` replace names in braces in their SQL."""
    queries, parts = QUERIES[page], {"named": QUERIES["named"], "mentioned": QUERIES["mentioned"]} | parts
    found = await asyncio.gather(*(database.execute(sql.format(**parts), params) for sql in queries.values()))
    return {name: [dict(row) for row in result.rows] for name, result in zip(queries, found, strict=True)}


class Chip(NamedTuple):
    """A filter in words, and the query of the page without it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class RecordFilters:
    """`where` is a condition on the table (empty: all of it), `words` the same for people, `pairs` the address's filters."""

    table_url: str
    pairs: Pairs
    where: str
    params: dict[str, Any]
    chips: list[Chip]

    @property
    def words(self) -> str:
        return "; ".join(chip.text for chip in self.chips)

    def url(self, *more: tuple[str, object]) -> str:
        """Address of the rows of the table: those chosen that meet these filters too."""
        query = urlencode([*self.pairs, *((name, str(value)) for name, value in more)])
        return f"{self.table_url}?{query}" if query else self.table_url


def pairs_of(request: Any) -> Pairs:
    """The filters in the address. An empty value is a choice that was not made in the form."""
    return [
        (name, value) for name, value in _arguments(request) if value and (not name.startswith("_") or name.startswith(_ALSO))
    ]


def _arguments(request: Any) -> Pairs:
    return [(name, value) for name in request.args for value in request.args.getlist(name)]


def equal(column: str, value: object) -> tuple[str, object]:
    """The filter for the rows with that value."""
    return (f"{column}__isnull", 1) if value is None else (f"{column}__exact", value)


async def read_filters(datasette: Any, request: Any) -> RecordFilters:
    """Reads the filters on records. Raises BadQuery where they name no column."""
    from datasette.filters import Filters
    from datasette.plugins import pm

    pairs = pairs_of(request)
    filters = Filters(sorted((name, value) for name, value in pairs if not name.startswith("_")))
    unknown = {column for column, _, _ in filters.selections()} - set(columns_in(TABLE))
    if unknown:
        raise BadQuery(f"no such column of {TABLE}: {', '.join(sorted(unknown))}")
    clauses, params = filters.build_where_clauses(TABLE)
    for found in pm.hook.filters_from_request(request=request, table=TABLE, database=DATABASE, datasette=datasette):
        also = await await_me_maybe(found)
        if also:
            clauses += also.where_clauses
            params |= also.params
    where = f"WHERE {' AND '.join(f'({clause})' for clause in clauses)}" if clauses else ""
    return RecordFilters(datasette.urls.table(DATABASE, TABLE), pairs, where, params, chips(request, TABLE)["chips"])


def chips(request: Any, table: str) -> dict[str, Any]:
    """What the template `_chips.html` shows: the filters in words, a span of time as one, and the query without any."""
    columns, arguments, found = columns_in(table), _arguments(request), []
    pairs, spans = pairs_of(request), dict(arguments)
    for name, value in pairs:
        without = {name}
        column, _, lookup = name.partition("__")
        if name.startswith("_"):
            text = f"{'SQL' if name == '_where' else 'Search'}: {value}"
        elif lookup in ("lte", "lt") and f"{column}__gte" in spans:
            continue
        else:
            text = _in_words(columns.get(column), column, lookup or "exact", value)
            other = next((end for end in (f"{column}__lte", f"{column}__lt") if lookup == "gte" and end in spans), None)
            if other:
                last = _in_words(columns.get(column), column, other.rpartition("__")[2], spans[other]).rpartition(" ")[2]
                text, without = _WORDS["between"].format(text.rpartition(" from ")[0], value, last), {name, other}
        rest = [(key, one) for key, one in arguments if key != "_next" and not (key in without and one in (value, spans[key]))]
        found.append(Chip(text, f"?{urlencode(rest)}"))
    rest = [(name, value) for name, value in arguments if name not in dict(pairs) and name != "_next"]
    return {"chips": found, "without_filters": f"?{urlencode(rest)}"}


def _in_words(info: ColumnInfo | None, column: str, lookup: str, value: str) -> str:
    kind = values_of(info) if info else Values.TEXT
    if kind is Values.YES_NO and lookup in ("exact", "not"):
        value = {"1": "Yes", "0": "No"}.get(value, value)
    if lookup == "lt" and kind in (Values.DATE, Values.TIME, Values.PARTIAL_TIME) and len(value) == len("2024-10-01"):
        lookup, value = "lte", (date.fromisoformat(value) - timedelta(days=1)).isoformat()
    return _WORDS.get(lookup, f"{{0}} {lookup} {{1}}").format(info.heading if info else column, value)


async def form(datasette: Any, request: Any) -> dict[str, Any]:
    """What the template `_filters.html` shows: the choices, what is chosen, and the filters that the form has to keep."""
    database = datasette.get_database(DATABASE)
    menus = [(name, menu["label"], (await database.execute(menu["sql"])).rows) for name, menu in _MENUS.items()]
    other = [(name, value) for name, value in _arguments(request) if name != "_next"]
    dated = [pair for pair in other if not pair[0].startswith(("submitted_on", "fiscal_year"))]
    missing = {name: NOT_KNOWN for name in FORM if request.args.get(f"{name.partition('__')[0]}__isnull")}
    kept = [pair for pair in pairs_of(request) if pair[0] not in FORM and pair[0].removesuffix("__exact") not in FORM]
    return {
        "menus": menus,
        "chosen": {
            name: missing.get(name) or request.args.get(name) or request.args.get(f"{name}__exact") or "" for name in FORM
        },
        "kept": [(name, value) for name, value in kept if not (name.endswith("__isnull") and missing)],
        "query_string": urlencode(pairs_of(request)),
        "shortcuts": [(text, f"?{urlencode([*dated, ('submitted_on', text.lower())])}") for text in _TEXTS["shortcuts"]],
        **chips(request, TABLE),
    }
