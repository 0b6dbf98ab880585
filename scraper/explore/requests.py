"""Reads what people write in an address before any page does, so that all pages understand the same.

Dates, fiscal years and states are understood the way people write them: `10/25/2026`, `last week`, `FY2024`, `March 2024`, `TX`.
A page is then at the address with what they mean; files and feeds stay at theirs. What is none of these, and searches that cannot
be read, end in one page with status 400; nothing is compared as text. Also: `base_url` is removed from the path; filters without
a value, and what a visitor may not set, from the query; and every facet of a column is one of `facets`.
"""

import json
import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from datasette.utils.asgi import Response

from parsers.record import ColumnInfo
from parsers.scalars import iso_time
from scraper.database.counties import STATES
from scraper.database.tables import BY_NAME, columns_in
from scraper.errors import BadQuery
from scraper.explore.facets import TYPE
from scraper.explore.filters import RECORD, Pairs, read_yaml, start_of
from scraper.explore.links import NOT_KNOWN
from scraper.explore.metadata import LOOKS, QUESTIONS
from scraper.explore.middleware import App, Receive, Scope, Send
from scraper.export.tables import Values, values_of
from scraper.search_query import match

UNREADABLE = "/-/unreadable"
_DROPPED = ("_ttl", "_searchmode", "_timelimit", "_json_infinity")
_TIMES = (Values.DATE, Values.TIME, Values.PARTIAL_TIME)
_COMPARING = ("exact", "not", "gt", "gte", "lt", "lte", "date")
_WITHOUT_VALUE = {"isnull", "notnull", "isblank", "notblank"}
_PART_OF_A_TIME = re.compile(r"[\d:TZ.+%_*?\[\]-]+")
_NUMBER = re.compile(r"-?\d{1,18}(\.\d+)?", re.ASCII)
_YES_NO = dict.fromkeys(("yes", "true", "on", "1"), "1") | dict.fromkeys(("no", "false", "off", "0"), "0")
_DATES: dict[str, Any] = read_yaml("filters")["dates"]
_IGNORED, _FROM_TO, _FISCAL_YEAR, _RELATIVE, _QUARTER = (
    re.compile(_DATES[name]) for name in ("ignored", "from_to", "fiscal_year", "relative", "quarter")
)
NODE = re.compile(r"(?:\S+/(?:node|tta/records)/)?(\d{1,17})/?(?:[?#]\S*)?")
"""A node number, or an address of a record's page, here or on the portal; in a search of records it is one with seven digits."""
_STATES = {key.casefold().replace(".", ""): names for names in STATES.values() for key in names}  # by name or code


def today() -> date:
    """Returns the current day in the portal's time zone."""
    return datetime.now(ZoneInfo("America/New_York")).date()


def normalize_request(app: App, base_url: str) -> App:
    """Wraps the application, so that it gets a request's path without `base_url`, and its query as `convert_query` returns it.

    Datasette 0.65 accepts both forms of the path, but writes `base_url` twice into links of pages requested with it. Datasette
    rejects an empty search, but an empty form means all rows.
    """
    prefix = base_url.encode()

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raw = scope.get("raw_path") or scope["path"].encode()
            if base_url != "/" and raw.startswith(prefix):
                scope = dict(scope, raw_path=b"/" + raw[len(prefix) :], path="/" + scope["path"][len(base_url) :])
            scope = dict(scope, query_string=scope["query_string"].replace(b"%00", b""))  # not allowed in SQL
            asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            pairs = [pair for pair in asked if pair[0] not in _DROPPED]
            try:
                read = convert_query(scope["path"], pairs)
                words = {one for _, one in pairs if one} - {one for _, one in read}  # else only empty ones were removed
                if words and "." not in scope["path"]:  # a page's own address means the same on any day
                    await Response.redirect(f"?{urlencode(read)}").asgi_send(send)
                    return
                scope = dict(scope, query_string=urlencode(read).encode()) if read != asked else scope
            except BadQuery as problem:
                path = UNREADABLE + ".json" * scope["path"].endswith(".json")
                good: Pairs = []
                for pair in pairs:
                    with suppress(BadQuery):
                        good += [pair] * (convert_query(scope["path"], [pair]) is not None)
                bad = [pair for pair in pairs if pair not in good]  # none: each alone can be read
                asked_of = (f"{base_url.rstrip('/')}{scope['path']}", good if bad else [], bad or good)
                scope = dict(scope, path=path, raw_path=path.encode(), tta_problem=str(problem), tta_asked=asked_of)
        await app(scope, receive, send)

    return wrapped


def convert_query(path: str, pairs: Pairs) -> Pairs:
    """Converts the query to what Datasette needs. Raises BadQuery."""
    _, first, name, *_ = [*path.split("/"), "", ""]
    name = name.partition(".")[0]
    if first not in ("tta", "-") or name == "search":
        return pairs
    if name in QUESTIONS:
        read = {"since": lambda one: str(parse_days(one, today()).first), "fiscal_year": lambda one: parse_year(one, today())}
        read |= {"state": lambda one: parse_state(one, code=False), "agency_state": lambda one: parse_state(one, code=True)}
        read["search"] = lambda one: match(one) and one
        return [(key, read[key](value) if value.strip() and key in read else value.strip()) for key, value in pairs]
    columns, given = columns_in(name), dict(pairs)
    sort = given.get("_sort") or given.get("_sort_desc") or LOOKS.get(name, {}).get("sort_desc")
    if sort:  # Datasette fails where the rows lack its column
        pairs = [pair for pair in pairs if pair != ("_nocol", sort)]
        pairs += [("_col", sort)] * ("_col" in given and ("_col", sort) not in pairs)
    if columns == columns_in("records"):
        pairs = [(key.removeprefix(RECORD), value) for key, value in pairs]
        node = NODE.fullmatch(dict(pairs).get("_search", "").strip())
        pairs = [("node_id", node[1]) if node and key == "_search" and len(value) > 6 else (key, value) for key, value in pairs]
    for column in {key.rpartition("__")[0] or key for key, _ in pairs if not key.startswith("_")} - {*columns, "rowid"}:
        if name in BY_NAME:  # SQLite treats the quoted name of a missing column as a text
            raise BadQuery(f"There is no such column in {name}: {column[:80]}.")
    found = [pair for key, value in _convert_span(pairs) for pair in _convert_filter(columns, key, value)]
    ends = {start_of(end): (end, value) for end, value in found}
    for start, first in found:
        end, until = ends.get(re.sub("gt$", "gte", start), ("", first))
        order: Callable[[str], Any] = float if _NUMBER.fullmatch(first) and _NUMBER.fullmatch(until) else str
        if order(first) > order(until) or (first == until and end and {"gt", "lt"} & {start[-2:], end[-2:]}):
            raise BadQuery(f"From {first} to {until} ends before it starts: change one of the two, or leave it out.")
    return found


def _convert_span(pairs: Pairs) -> Pairs:
    """Converts the dates of What's new, `_since` and `_until` or `_dates` for both, to a first and a last day, the last pairs."""
    if given := {name: value for name, value in pairs if value and name in ("_since", "_until", "_dates")}:
        pairs = [pair for pair in pairs if pair[0] not in ("_since", "_until", "_dates")]
        span = parse_days(given.get("_dates") or given.get("_since") or given["_until"], today())
        pairs += [("_since", str(span.first))] if {"_dates", "_since"} & set(given) else []
        last = parse_days(given["_until"], today()) if "_until" in given and "_dates" not in given else span
        if {"_until", "_dates"} & set(given) or last.end - last.first > timedelta(days=1):  # else a day is meant as the first
            pairs.append(("_until", str(last.end - timedelta(days=1))))
    return pairs


def _convert_filter(columns: Mapping[str, ColumnInfo], key: str, value: str) -> Pairs:
    """Converts one argument of a query to those that Datasette needs; to none if it has no value. Raises BadQuery."""
    from datasette.filters import Filters  # loads Datasette's plugins, including this one, so not while it is being imported

    if key.startswith("_search"):
        return [(key, value)] if value.strip() and match(value) else []
    if key.startswith(RECORD) and value:
        if "record_id" not in columns or key.startswith(f"{RECORD}_where"):
            raise BadQuery(f"There is no filter {key[:80]} here: use one that the page offers.")
        of_record = _convert_filter(columns_in("records"), key.removeprefix(RECORD).replace(".", "__"), value)
        return [(RECORD + name.replace("__", "."), one) for name, one in of_record]  # to Datasette, `__` follows a column
    if key == "_agency_state" and value.casefold() != NOT_KNOWN:
        return [(key, parse_state(value, code=True))] if value else []
    if key == "_through":
        raise BadQuery("The filter _through is not available: filter the other table, or write SQL.")
    if key in ("_facet", "_facet_array"):
        return [(f"_facet_{TYPE}", value)]
    if key in ("_size", "_facet_size") and not re.fullmatch(r"\d{1,9}|max", value, re.ASCII):
        raise BadQuery(f"“{value[:80]}” is not a number of rows: write a number, or max.")
    column, lookup = key.rsplit("__", 1) if "__" in key else (key, "exact")
    if key.startswith("_") or column not in columns:
        return [(key, value)] * (bool(value) or (key[:1] == "_" and not key.startswith(RECORD)))
    if lookup not in {name for name, _, _ in Filters([]).lookups()}:
        raise BadQuery(f"There is no filter “{lookup[:40]}”: use one listed on the page under Advanced.")
    if not value:
        return []
    return [(key if also == lookup else f"{column}__{also}", text) for also, text in _compare(columns[column], lookup, value)]


def _compare(info: ColumnInfo, lookup: str, value: str) -> Pairs:
    """Returns lookups and values with which Datasette makes the comparison that the user means."""
    kind = values_of(info)
    if lookup in ("exact", "not", "arraycontains") and value.casefold() == NOT_KNOWN:
        return [("notnull" if lookup == "not" else "isnull", "1")]
    if kind is Values.LIST and lookup in ("exact", "not") and not value.startswith("["):
        return [("arraycontains" if lookup == "exact" else "arraynotcontains", value)]
    if lookup in ("gt", "gte", "lt", "lte") and value.isdigit() and not re.fullmatch(r"\d{1,18}", value, re.ASCII):
        raise BadQuery(f"“{value[:80]}” has too many digits to be compared.")
    if lookup in ("in", "notin") and value.startswith("["):
        with suppress(ValueError):
            return [(lookup, json.dumps(json.loads(value)))]
        raise BadQuery(f"“{value[:80]}” is not a list: separate values with commas.")
    if lookup in ("in", "notin") and kind not in (Values.TEXT, Values.CODE, Values.LIST):
        each = [pair for one in value.split(",") for pair in _compare(info, "exact", one.strip())]
        if {also for also, _ in each} != {"exact"}:
            raise BadQuery(f"“{value[:80]}” are not single values: use “from” and “through” for a time span.")
        return [(lookup, ",".join(one for _, one in each))]
    if kind in _TIMES:
        return _compare_times(kind, lookup, value)
    return [(lookup, _convert_value(info, kind, value) if lookup in _COMPARING else value)]


def _convert_value(info: ColumnInfo, kind: Values, value: str) -> str:
    if info.unit == "year":
        return parse_year(value, today())
    if (is_code := info.unit == "two letters") or info.name == "place_state":
        return parse_state(value, code=is_code)
    if kind is Values.YES_NO:
        if value.casefold() not in _YES_NO:
            raise BadQuery(f"“{value[:80]}” is neither Yes, No nor {NOT_KNOWN}.")
        return _YES_NO[value.casefold()]
    number = value.replace(",", "").lstrip("$")
    if kind in (Values.INTEGER, Values.NUMBER) and not _NUMBER.fullmatch(number):
        raise BadQuery(f"“{value[:80]}” is not a number, which {info.heading} is.")
    return number if kind in (Values.INTEGER, Values.NUMBER) else value


def _compare_times(kind: Values, lookup: str, value: str) -> Pairs:
    if lookup not in _COMPARING:
        if lookup not in _WITHOUT_VALUE and not _PART_OF_A_TIME.fullmatch(value):
            raise BadQuery(f"“{value[:80]}” is not part of a date such as 2024-10: to use other words, compare with =, > or <.")
        return [(lookup, value)]
    if "T" in value and (time := iso_time(value)):
        return [(lookup, time[:10] if kind is Values.DATE else time)]
    span = parse_days(value, today())
    first, last, end = (day.isoformat() for day in (span.first, span.end - timedelta(days=1), span.end))
    is_day = first == last and kind is Values.DATE
    through = ("lte", last) if kind is Values.DATE else ("lt", end)
    if lookup == "not" and not is_day:
        raise BadQuery(f"“{value[:80]}” is more than one value, which “not” can't exclude: use “before” or “after”.")
    spans = {"gt": [("gte", end)], "gte": [("gte", first)], "lt": [("lt", first)], "lte": [through], "not": [("not", first)]}
    return spans.get(lookup) or ([("exact", first)] if is_day else [("gte", first), through])


class Days(NamedTuple):
    """A span of days, from the first up to but not including `end`."""

    first: date
    end: date


def parse_days(text: str, today: date) -> Days:
    """Returns the days that the text means. `last 7 days` ends today; `last week` begins on a Sunday. Raises BadQuery."""
    plain = " ".join(_IGNORED.sub(" ", text.casefold()).replace("sept ", "sep ").split())
    with suppress(ValueError, OverflowError):
        if plain in ("today", "yesterday"):
            return _unit_days(today - timedelta(days=plain == "yesterday"), "day")
        if found := _FISCAL_YEAR.fullmatch(plain):
            return _unit_days(date(1999 + int(found[1]), 10, 1), "year")
        if found := _RELATIVE.fullmatch(plain):
            return _relative_days(found[1] in ("this", "current"), int(found[2] or 0), found[3], today)
        if len(plain) < 80 and (found := _FROM_TO.fullmatch(plain)):
            start, end, *_ = [*filter(None, found.groups()), "today"]
            if (span := Days(parse_days(start, today).first, parse_days(end, today).end)).first < span.end:
                return span
            raise BadQuery(f"“{text[:80]}” ends before it starts.")
        if (found := _QUARTER.fullmatch(plain)) and found[1] + found[4]:  # of a year or a fiscal year
            year = parse_days(found[1] + found[4], today)
            if year.end == _add_units(year.first, "year", 1):
                return _unit_days(_add_units(year.first, "quarter", _DATES["quarters_before"][found[2] or found[3]]), "quarter")
        for unit, formats in _DATES["formats"].items():
            for form in formats:
                with suppress(ValueError):
                    return _unit_days(datetime.strptime(plain, form).replace(tzinfo=UTC).date(), unit)
    raise BadQuery(f"“{text[:80]}” is not a date: write 10/25/2026, March 2024, FY2024, 2015 to 2020 or last 30 days.")


def _relative_days(is_this: bool, number: int, unit: str, today: date) -> Days:
    if number:
        end = today + timedelta(days=1)
        return Days(_add_units(end, unit, -number), end)
    first = today - timedelta(days=today.isoweekday() % 7 * (unit == "week"))
    if months := _DATES["months_in"].get(unit):
        first = _add_units(today.replace(day=1), "month", -((today.month - (10 if unit.startswith("f") else 1)) % months))
    return _unit_days(first if is_this else _add_units(first, unit, -1), unit)


def _unit_days(first: date, unit: str) -> Days:
    return Days(first, _add_units(first, unit, 1))


def _add_units(day: date, unit: str, number: int) -> date:
    """Returns the day `number` units later; in a shorter month, its last day."""
    if days := _DATES["days_in"].get(unit):
        return day + timedelta(days=number * days)
    year, month = divmod(day.year * 12 + day.month - 1 + number * _DATES["months_in"][unit], 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def parse_year(text: str, today: date) -> str:
    """Returns the year for a column of years: `2024`, `FY24`, `this fiscal year`. Raises BadQuery."""
    with suppress(BadQuery):
        span = parse_days(text, today)
        if span.end == _add_units(span.first, "year", 1):
            return str((span.end - timedelta(days=1)).year)
    raise BadQuery(f"“{text[:80]}” is not a year: write 2024, FY2024 or this fiscal year.")


def parse_state(text: str, *, code: bool) -> str:
    """Returns the name of a state or territory (or its postal code) from either, in any case. Raises BadQuery."""
    if found := _STATES.get(" ".join(text.casefold().replace(".", "").split())):
        return found[code]
    raise BadQuery(f"“{text[:80]}” is not a state: write its name or postal code, such as Texas or TX.")
