"""Columns of `records` that no page prints. Each is a file in `rules/`, the source of schema, dictionary and tests.

A rule is an SQL expression over the record's own row (`one`) and its rows in other tables, so that the database stays a function
of the archive. `build` evaluates all rules when it inserts a record. A file without a rule describes a column that another module
sets.
"""

import re
import sqlite3
import tomllib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from parsers.scalars import day_of_reference, day_of_time
from scraper.database.places import atlas, code_of_2023
from scraper.database.request_title import split_request_title

_FILES = sorted((files("scraper.database") / "rules").iterdir(), key=lambda file: file.name)
RULES: dict[str, dict[str, Any]] = {file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8")) for file in _FILES}
"""By column: `heading`, `description`, `type`, `unit`, `rule`, `precision` (percent, as `make quality` measures), `examples`."""
_CACHED = 4_096
"""Results of a function that are kept: a record's rules make the same calls, and many records share a place or a title."""


def rule_sql(column: str) -> str:
    """Returns the SQL of a column's rule, in which names of other derived columns are replaced by their rules."""
    rule = RULES[column].get("rule", "NULL")
    return re.sub(r"(?<!['\w])\w+(?!['\w])", lambda word: f"({rule_sql(word[0])})" if word[0] in RULES else word[0], rule)


def insert_sql(columns: tuple[str, ...]) -> str:
    """Returns an INSERT of a record, with the values in the order of those `columns` that are not derived."""
    given = ", ".join(f'? AS "{name}"' for name in columns if name not in RULES)
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(rule_sql(name) if name in RULES else f'one."{name}"' for name in columns)
    return f"INSERT INTO records ({names}) SELECT {values} FROM (SELECT {given}) AS one"


def register(db: sqlite3.Connection) -> None:
    """Adds the functions that rules call to a connection. Results are cached: several rules of a record make the same call."""
    functions: dict[str, tuple[int, Callable[..., Any]]] = {
        "local_day": (2, lambda reference, time: str(day_of_reference(reference) or day_of_time(time) or "") or None),
        "request_part": (
            -1,
            lambda part, *titles: getattr(next(filter(None, map(split_request_title, filter(None, titles))), None), part, None),
        ),
        "has": (2, lambda pattern, text: re.search(pattern, text or "", re.IGNORECASE) is not None),
        "place_part": (3, lambda x, y, part: None if x is None or y is None else getattr(atlas().place(x, y), part, None)),
        "county_agrees": (3, _county_agrees),
        "code_of_2023": (2, lambda *point: None if None in point else code_of_2023(*point)),
    }
    for name, (arguments, function) in functions.items():
        db.create_function(f"tta_{name}", arguments, lru_cache(_CACHED)(function), deterministic=True)


def _county_agrees(longitude: float | None, latitude: float | None, printed: str | None) -> bool | None:
    if longitude is None or latitude is None or not printed or (place := atlas().place(longitude, latitude)) is None:
        return None
    return atlas().agrees(place, printed, longitude, latitude)
