"""The rows that a URL selects: on every page of this plugin, its filters mean the same as on Datasette's own table page."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, timedelta
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlencode

import yaml
from datasette.database import QueryInterrupted
from datasette.utils import await_me_maybe
from datasette.utils.asgi import Request

from parsers.record import ColumnInfo
from scraper.database.tables import BY_NAME, Table, columns_in
from scraper.errors import BadQuery
from scraper.explore.links import DATABASE, NOT_KNOWN
from scraper.export.tables import Values, values_of

Pairs = list[tuple[str, str]]
TABLE = "records"
RECORD = "_record."
"""Begins the filters of a table whose rows belong to records that choose them by their record: `_record.fiscal_year=2024`."""
OWN_FILTERS = ("_search", "_organization", "_agency_state", "_since", "_until", RECORD)
"""Arguments that are spelled like those that shape a table, and choose rows all the same; the last one only begins so."""
_SELECTS = ("_where", *OWN_FILTERS)
_OF_RECORDS = "/* of these records */"
_ROWS_OF_RECORDS = re.compile(rf"from (\w+) (where record_id IN \((?:(?!record_id IN)[^*])*{re.escape(_OF_RECORDS)}\)) *$")
"""The end of a query for all rows of some records: their filters end with the comment, and no other condition follows."""
PLACE = ("_next", "_before")
"""Arguments that begin a page elsewhere than at the first row."""
COUNT_FOR = 300  # milliseconds for counting what a page shows only in part (100,000 records take longer): else it says so


def read_yaml(name: str) -> Any:
    """Returns the content of one of this package's YAML files."""
    return yaml.safe_load((files("scraper.explore") / f"{name}.yml").read_text(encoding="utf-8"))


QUERIES: dict[str, Any] = read_yaml("queries")
ARRAY_CONTAINS: str = QUERIES["array_contains"]
"""The condition that a JSON array contains a value: `t` is the table, `c` its column, `p` the parameter. NULL contains nothing.

Datasette's own, which it replaces, splits the array of every row; this one only different arrays, of which there are few.
"""
_TEXTS = read_yaml("filters")
_MENUS: dict[str, dict[str, str]] = _TEXTS["menus"]
"""The menus of the form shared by table, charts and map: values and their display names."""
_WORDS: dict[str, str] = _TEXTS["words"]
HEADINGS: dict[str, str] = _TEXTS["headings"]
"""Templates of filters in words, by lookup: the column's heading and the value are filled in."""
_OWN: dict[str, dict[str, str]] = _TEXTS["own"]
_NAMED = ("agency_id", "provider_id", "organization_id", "_organization", "family_id")
"""Filters whose values are numbers of organizations or records, which have names."""
FORM = ("_search", *_MENUS, "submitted_on", "submitted_on__gte", "submitted_on__lte")
"""The columns and lookups that the form offers."""


async def ask(database: Any, page: str, params: Any = None, *only: str, **parts: str) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of a page's queries (`queries.yml`), or `only` of these, by name. `parts` replace names in braces."""
    queries, parts = QUERIES[page], {"named": QUERIES["named"], "mentioned": QUERIES["mentioned"]} | parts
    names = only or tuple(queries)
    found = await asyncio.gather(*(database.execute(queries[name].format(**parts), params) for name in names))
    return {name: [dict(row) for row in result.rows] for name, result in zip(names, found, strict=True)}


def rows_of_records(sql: str) -> tuple[Table, str] | None:
    """Returns the table and the condition of a query for all rows of some records of a table with shared values; else None."""
    found = _ROWS_OF_RECORDS.search(sql)
    return (table, found[2]) if found and (table := BY_NAME[found[1]]).shared else None


async def ask_together(count: Callable[[Sequence[Any]], Awaitable[list[Any]]], wanted: Sequence[Any]) -> list[Any]:
    """Returns what `count` answers to all at once, as the filter costs most; if that takes too long, to each until one does."""
    found: list[Any] = []
    with suppress(QueryInterrupted):
        return await count(wanted) if wanted else []
    with suppress(QueryInterrupted):
        for one in wanted if len(wanted) > 1 else ():
            found += await count([one])
    return found


class RecordFilters(NamedTuple):
    """`where` is a condition on the table (empty: all rows), `words` the same in words, `pairs` the URL's filters."""

    table_url: str
    pairs: Pairs
    where: str
    params: dict[str, Any]
    words: str

    def url(self, *more: tuple[str, object]) -> str:
        """Returns the URL of the selected rows that also match these filters."""
        query = urlencode([*self.pairs, *((name, str(value)) for name, value in more)])
        return f"{self.table_url}?{query}" if query else self.table_url


def pairs_of(request: Any) -> Pairs:
    """Returns the filters in the URL. Empty values, from unused inputs of the form, are dropped."""
    return [(name, value) for name, value in _arguments(request) if value and (name[:1] != "_" or name.startswith(_SELECTS))]


def _arguments(request: Any) -> Pairs:
    """Returns the query as it is written in links: `convert_query` writes the lookup of a filter of `RECORD` after a dot."""
    return [
        (re.sub(rf"^({re.escape(RECORD)}\w+)\.", r"\1__", name), value)
        for name in request.args
        for value in request.args.getlist(name)
    ]


def equal(column: str, value: object) -> tuple[str, object]:
    """Returns the filter for the rows with that value; None: it is not known."""
    if column in _OWN:
        return column, NOT_KNOWN if value is None else value
    return (f"{column}__isnull", 1) if value is None else (f"{column}__exact", value)


async def read_filters(datasette: Any, request: Any) -> RecordFilters:
    """Reads the filters on records. Raises BadQuery if they name an unknown column."""
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
    words = (await chips(datasette, request, TABLE))["words"]
    return RecordFilters(datasette.urls.table(DATABASE, TABLE), pairs, where, params, words)


async def own_conditions(datasette: Any, request: Any, table: str) -> Any:
    """Converts this program's filters to Datasette's form: `_OWN`, `_since` with `_until`, and those of `RECORD`."""
    from datasette.filters import FilterArguments

    database = datasette.get_database(DATABASE)
    if table != TABLE:
        own = [(name.removeprefix(RECORD), value) for name, value in pairs_of(request) if name.startswith(RECORD)]
        if not own:
            return None
        chosen = await read_filters(datasette, Request.fake(f"/?{urlencode(own)}"))
        of_records = f"record_id IN (SELECT record_id FROM records {chosen.where} {_OF_RECORDS})"
        sql, params = _rename_parameters(of_records, "of", chosen.params)
        return FilterArguments([sql], params)
    params = {name: request.args[name] for name in _OWN if request.args.get(name)}
    clauses = [_OWN[name]["sql"] for name in params]
    if any(span := [request.args.get(name) or "" for name in ("_since", "_until")]):
        sql, also = await events_between(database, *span)
        clauses.append(f"record_id IN (SELECT record_id FROM ({sql}))")
        params |= also
    return FilterArguments(clauses, params)


def _rename_parameters(sql: str, prefix: str, params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return re.sub(r":(\w+)", rf":{prefix}_\1", sql), {f"{prefix}_{name}": value for name, value in params.items()}


async def nights_between(database: Any, since: str, until: str) -> list[Any]:
    """Returns the nights that brought captures, from `since` through `until`, latest first. An empty date is no limit."""
    rows = (await database.execute(QUERIES["nights"])).rows
    return [x for x in rows if x["captures"] > x["known"] and (not x["ended_at"] or since <= x["ended_at"] < until + "~")]


async def events_between(database: Any, since: str, until: str) -> tuple[str, dict[str, Any]]:
    """Returns SQL for the records and times of all events of those nights, and its parameters."""
    nights = await nights_between(database, since, until)
    runs, parts, params = [one for one in nights if one["run_id"]], ["SELECT NULL AS record_id, NULL LIMIT 0"], dict[str, Any]()
    windows = [(runs[-1]["known"], runs[0]["captures"], "", "~")] if runs else []
    windows += [(one["known"], one["captures"], since, until + "~") for one in nights if not one["run_id"]]
    for place, window in enumerate(windows):
        given = dict(zip(("known", "captures", "since", "until"), window, strict=True))
        sql, given = _rename_parameters(f"SELECT * FROM ({QUERIES['arrivals']})", f"w{place}", given)
        params |= given
        parts.append(sql)
    return " UNION ALL ".join(f"SELECT * FROM ({part})" for part in parts), params


async def names_of(database: Any, ids: Iterable[str], query: str = "names") -> dict[str, str]:
    """Returns names by id: of organizations (agencies with their state) and records, or only these with the query `titles`."""
    return dict((await database.execute(QUERIES[query].format(label=QUERIES["label"]), [json.dumps(list(ids))])).rows)


def start_of(name: str) -> str:
    """Returns the name of the filter that starts the span which the named one ends; empty if it ends none."""
    return "_since" if name == "_until" else re.sub("lte?$", "gte", name) if re.search(r"(?:__|\.)lte?$", name) else ""


async def chips(datasette: Any, request: Any, table: str) -> dict[str, Any]:
    """Returns what `_chips.html` shows: the filters in words, a time span as one, each with the query without it."""
    arguments, found, pairs = _arguments(request), [], pairs_of(request)
    ids = [value for name, value in pairs if name.removeprefix(RECORD).partition("__")[0] in _NAMED]
    names, given = await names_of(datasette.get_database(DATABASE), ids), dict(arguments)
    for name, value in (pair for pair in pairs if start_of(pair[0]) not in given):
        plain = name.removeprefix(RECORD)
        column, _, lookup = plain.partition("__")
        info, text = columns_in(TABLE if plain != name else table).get(column), names.get(value, value)
        end = next((one for one in given if start_of(one) == name), "")
        if plain in ("_since", "_until"):
            text = _WORDS["since_until" if end else plain[1:]].format(value, given.get(end))
        elif plain.startswith("_"):
            text = f"{_OWN[plain]['label'] if plain in _OWN else 'SQL' if plain == '_where' else 'Search'}: {text}"
        else:
            text = _filter_in_words(info, column, lookup or "exact", text)
            if end:
                last = _filter_in_words(info, column, end.rpartition("__")[2], given[end]).rpartition(" ")[2]
                text = _WORDS["between"].format(text.rpartition(" from ")[0], value, last)
        rest = [(key, one) for key, one in arguments if key not in (*PLACE, end) and (key, one) != (name, value)]
        found.append({"text": text, "url": f"?{urlencode(rest)}"})
    rest = [(name, value) for name, value in arguments if name not in dict(pairs) and name not in PLACE]
    return {"chips": found, "words": "; ".join(one["text"] for one in found), "without_filters": f"?{urlencode(rest)}"}


def _filter_in_words(info: ColumnInfo | None, column: str, lookup: str, value: str) -> str:
    kind = values_of(info) if info else Values.TEXT
    if kind is Values.YES_NO and lookup in ("exact", "not"):
        value = {"1": "Yes", "0": "No"}.get(value, value)
    if lookup == "lt" and kind in (Values.DATE, Values.TIME, Values.PARTIAL_TIME) and len(value) == len("2024-10-01"):
        lookup, value = "lte", (date.fromisoformat(value) - timedelta(days=1)).isoformat()
    return _WORDS.get(lookup, f"{{0}} {lookup} {{1}}").format(heading(column, info), value)


def heading(name: str, info: ColumnInfo | None = None) -> str:
    """Returns the display name of a column, parameter or changed field; a page's label is unchanged."""
    known = info or columns_in(TABLE).get(name)
    return HEADINGS.get(name) or (known.heading.removesuffix(" (id)") if known else name.replace("_", " ").capitalize())


async def form(datasette: Any, request: Any, prefix: str = "") -> dict[str, Any]:
    """Returns what the template `_filters.html` shows: the choices, the current ones, and other filters to keep.

    `prefix` begins the names of its fields: empty, or `RECORD`.
    """
    database, args, pairs = datasette.get_database(DATABASE), dict(_arguments(request)), pairs_of(request)
    menus = [(name, menu["label"], (await database.execute(menu["sql"])).rows) for name, menu in _MENUS.items()]
    other = [(name, value) for name, value in _arguments(request) if name not in PLACE]
    dated = [pair for pair in other if not pair[0].removeprefix(prefix).startswith(("submitted_on", "fiscal_year"))]
    missing = {name: NOT_KNOWN for name in FORM if args.get(f"{prefix}{name.partition('__')[0]}__isnull")}
    own = {"_search", *(prefix + name for name in FORM[1:])}  # a search of the records of other tables' rows has no field
    kept = [pair for pair in pairs if pair[0] not in own and pair[0].removesuffix("__exact") not in own]
    chosen = {name: missing.get(name) or args.get(prefix + name) or args.get(f"{prefix}{name}__exact") or "" for name in FORM}
    words = [(text, f"?{urlencode([*dated, (f'{prefix}submitted_on', text.lower())])}") for text in _TEXTS["shortcuts"]]
    shown = {"menus": menus, "prefix": prefix, "chosen": chosen, "shortcuts": words, "record_pairs": pairs}
    shown["kept"] = [(name, value) for name, value in kept if not (name.endswith("__isnull") and missing)]
    shown["query_string"] = urlencode(pairs)
    return shown | await chips(datasette, request, request.url_vars.get("table", TABLE) if prefix else TABLE)
