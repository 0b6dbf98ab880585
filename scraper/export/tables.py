"""The tables of an export: those of the database, a long table for each list, a flat one for spreadsheets, and the codebook."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, make_dataclass
from enum import Enum, StrEnum
from itertools import islice
from typing import Any, get_origin

from parsers.record import ColumnInfo, columns_of, optional, required
from scraper.database.tables import BY_NAME as STORED
from scraper.database.tables import LOCAL_TABLES, TABLES, Table, columns_in

FLAT = "records_flat"
CODEBOOK = "codebook"
MAX_DISTINCT = 2_000
"""Maximum number of different values counted per column; bounds the memory."""
_FREQUENT = 5
_MAX_SHOWN = 80
_ROWS_AT_ONCE = 1_000
Values = Enum("Values", "TEXT CODE INTEGER NUMBER YES_NO LIST TIME DATE PARTIAL_TIME")
"""What a column contains. TIME is a time in UTC; PARTIAL_TIME may be a day, or a local time without zone."""
_BY_UNIT = {
    "ISO 8601, UTC": Values.TIME,
    "YYYY-MM-DD": Values.DATE,
    "ISO 8601": Values.PARTIAL_TIME,
    "ISO 8601, UTC where the page gives the zone": Values.PARTIAL_TIME,
}
_BY_TYPE = {str: Values.TEXT, int: Values.INTEGER, float: Values.NUMBER, bool: Values.YES_NO}


def values_of(info: ColumnInfo) -> Values:
    """Returns what the column contains, by its type and unit. Raises TypeError for a type or unit without a rule here."""
    if get_origin(info.type) is list:
        return Values.LIST
    if issubclass(info.type, StrEnum):
        return Values.CODE
    is_time = info.type is str and info.unit and ("ISO 8601" in info.unit or "YYYY" in info.unit)
    found = _BY_UNIT.get(info.unit or "") if is_time else _BY_TYPE.get(info.type)
    if found is None:
        raise TypeError(f"no rule for values of the type {info.type!r} in {info.unit!r}")
    return found


def _list_table(info: ColumnInfo) -> Table:
    """Returns a table with a row per item of a list column of `records`: `records_program_areas` has a column `program_area`."""
    texts: dict[str, Any] = {"heading": info.heading.removesuffix("s"), "label": info.label, "contact": info.contact}
    columns = [
        ("record_id", str, required("the record, as in `records`")),
        ("position", int, required("place in the record's list, from 1")),
        (info.name.removesuffix("s"), str, required(f"one value of records.{info.name}", **texts)),
    ]
    model = make_dataclass("LongRow", columns, kw_only=True)
    about, links = f"The values of records.{info.name}, one per row.", (("record_id", "records"),)
    return Table(f"records_{info.name}", model, about, keys=("record_id", "position"), links=links)


_LISTS = {f"records_{info.name}": info for info in columns_in("records").values() if values_of(info) is Values.LIST}
LIST_COLUMNS = frozenset(info.name for info in _LISTS.values())
_ABOUT_FLAT = (
    "The records as a spreadsheet shows them: lists joined with '; ', Yes and No in words, long texts truncated and marked."
)
_ABOUT_CODEBOOK = "Every column of this export: what it means, how many values it has and which are most frequent."
_ABOUT_FREQUENT = f"the {_FREQUENT} most frequent values, each with its number of rows, if any occurs twice"
_COUNTS = [
    ("values", int, required("rows with a value", "rows")),
    ("missing", int, required("rows without a value", "rows")),
    ("distinct", int | None, optional(f"number of different values; NULL if more than {MAX_DISTINCT:,}")),
    ("frequent", str | None, optional(_ABOUT_FREQUENT)),
]
"""What the codebook has of each column besides the dictionary's texts."""
_CODEBOOK_ROW = make_dataclass("CodebookRow", _COUNTS, bases=(STORED["dictionary"].model,), kw_only=True)
BY_NAME = {
    table.name: table
    for table in (
        *(one for one in TABLES if one.name not in (*LOCAL_TABLES, "dictionary", "captures", "changes")),
        *(STORED[name] for name in ("captures", "changes")),
        *map(_list_table, _LISTS.values()),
        Table(FLAT, STORED["records"].model, _ABOUT_FLAT, keys=("record_id",)),
        Table(CODEBOOK, _CODEBOOK_ROW, _ABOUT_CODEBOOK, keys=("table", "column")),
    )
}
EXPORTED = tuple(BY_NAME)
"""All exported tables, in this order: all but LOCAL_TABLES, and CODEBOOK in place of `dictionary`."""
LONG_VIEWS = {
    name: f'SELECT record_id, item.key + 1 AS position, item.value AS "{info.name.removesuffix("s")}" '
    f'FROM main.records, json_each(records."{info.name}") AS item'
    for name, info in _LISTS.items()
}
"""The SQL of each list table."""


@dataclass(slots=True)
class Count:
    """Counts the values of one column."""

    missing: int = 0
    values: int = 0
    seen: Counter[Any] | None = field(default_factory=Counter)


def count_values(rows: Iterator[tuple[Any, ...]], counts: Sequence[Count]) -> Iterator[tuple[Any, ...]]:
    """Yields the rows unchanged, and counts their values."""
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        for count, values in zip(counts, zip(*some, strict=True), strict=True):
            missing = values.count(None)
            count.missing += missing
            count.values += len(values) - missing
            if count.seen is not None:
                count.seen.update(values)
                if len(count.seen) > MAX_DISTINCT:
                    count.seen = None
        yield from some


def codebook_rows(name: str, columns: Sequence[str], counts: Sequence[Count]) -> Iterator[tuple[Any, ...]]:
    """Yields the codebook's rows for one table."""
    described = [column for column in BY_NAME[CODEBOOK].columns if column in columns_in("dictionary")][2:]
    for column, count in zip(columns, counts, strict=True):
        info = columns_of(BY_NAME[name].model)[column]
        seen = {value: times for value, times in (count.seen or {}).items() if value is not None}
        often = sorted(seen.items(), key=lambda one: (-one[1], str(one[0])))[:_FREQUENT]
        texts = [(" ".join(str(value).split()), times) for value, times in often if often[0][1] > 1]
        shown = [f"{text if len(text) <= _MAX_SHOWN else f'{text[:_MAX_SHOWN]}…'} ({times:,})" for text, times in texts]
        figures = (count.values, count.missing, len(seen) if count.seen is not None else None, "; ".join(shown) or None)
        yield (name, column, *(getattr(info, text) for text in described), *figures)


def record_values(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """Returns a row of `records` as a dictionary, with JSON arrays decoded to lists."""
    pairs = zip(names, row, strict=True)
    return {name: json.loads(value) if name in LIST_COLUMNS and value is not None else value for name, value in pairs}
