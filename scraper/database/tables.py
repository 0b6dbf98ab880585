"""The tables: the model that describes each, its keys, links and indexes. `tables.toml` lists them.

`schema` creates the database from this list; the dictionary and Datasette's column texts are generated from it, too.
"""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, NamedTuple

from parsers import record
from parsers.record import ColumnInfo, Kind, columns_of, optional, required
from scraper.database.derived import RULES

_ISO = "ISO 8601, UTC"  # unit of times


class Availability(StrEnum):
    """What is known about a record after the last capture that shows it."""

    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class RunRow:
    """A row of `runs`, which `scraper.refresh` completes step by step."""

    run_id: int = required("number of the run, from 1")
    started_at: str = required("when it began", _ISO)
    ended_at: str | None = optional("when it ended", _ISO)
    status: int | None = optional("its exit status")
    outcome: str | None = optional(
        "committed: the database has its data; unanswered: no source answered, and nothing was new; refused: a check failed; "
        "stopped: it was ended or its time was up; failed: an error; died: killed, or the machine went down. All but committed "
        "left the database as it was",
    )
    phase: str | None = optional("how far it came: fetch, load, checks or done")
    accepted: bool | None = optional("whether failed checks were explicitly accepted; 1 yes, 0 no")
    fetched: int | None = optional("captures that it added to the archive", "captures")
    loaded: int | None = optional("captures that it loaded", "captures")
    captures: int | None = optional("captures known after it", "captures")
    records: int | None = optional("records known after it", "records")
    records_before: int | None = optional("records known before it", "records")
    problems: str | None = optional("what went wrong or could not be done; a JSON array")
    message: str | None = optional("the result and what to check, in one line")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the database. `about`: a sentence; `keys` come first; `links` are foreign keys (column, table).

    `local`: columns that differ by machine. `searched`: columns in the table's full-text index. `shared`: columns whose values
    many rows have in common and that are stored once: then the table is a view of two tables (docs/decisions/database.md).
    `repeats`: columns of such a view (column, column of `records`) whose rows are stored with an empty text where they repeat
    the record's; no parsed value is empty.
    """

    name: str
    model: type
    about: str
    keys: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    indexes: tuple[str, ...] = ()
    in_no_index: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    repeats: tuple[tuple[str, str], ...] = ()

    @property
    def stored_in(self) -> tuple[str, ...]:
        """The tables that contain its rows: itself, or the two underlying its view."""
        return (f"{self.name}_rows", f"{self.name}_shared") if self.shared else (self.name,)

    @property
    def own(self) -> tuple[str, ...]:
        """The columns whose values are stored in each row: those that are not `shared`."""
        return tuple(name for name in self.columns if name not in self.shared)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names in the order of the table: keys, then the record, then in the model's order."""
        first = [*self.keys, *(name for name in ("record_id",) if name in columns_of(self.model) and name not in self.keys)]
        return tuple(dict.fromkeys([*first, *columns_of(self.model)]))


_TYPES: dict[str, Any] = {"text": str, "integer": int, "number": float, "yes or no": bool, "kind": Kind}
_TYPES["availability"] = Availability


def _make_model(name: str, columns: dict[str, dict[str, Any]], base: str | None) -> type:
    """Creates a model for `columns_of` from the descriptions of its columns, and those of a class in parsers/record.py."""
    made = []
    for column, texts in columns.items():
        precision = f"; precision {texts['precision']}% on made-up records" if "precision" in texts else ""
        derived = "; derived" if column in RULES and name == "records" else ""
        heading = {"heading": texts["heading"]} if "heading" in texts else {}
        is_required, kind = texts.get("required"), _TYPES[texts["type"]]
        text = (required if is_required else optional)(texts["description"] + derived + precision, texts.get("unit"), **heading)
        made.append((column, kind if is_required else kind | None, text))
    bases, module = (getattr(record, base),) if base else (), {"__module__": __name__}
    # Without methods, which nothing calls: to generate them took 7 ms at every start.
    return make_dataclass("Row", made, bases=bases, namespace=module, init=False, repr=False, eq=False, kw_only=True)


def _make_table(name: str, about: str, columns: dict[str, Any] | None = None, base: str | None = None, **options: Any) -> Table:
    """Creates a table from `tables.toml`. `base`: the class in parsers/record.py with further columns; others are in rules/."""
    model = RunRow if name == "runs" else _make_model(name, (RULES if name == "records" else {}) | (columns or {}), base)
    parts = {key: tuple(value.split()) for key, value in options.items() if isinstance(value, str)}
    links, repeats = (tuple(options.get(key, {}).items()) for key in ("links", "repeats"))
    return Table(name, model, about, **parts, links=links, repeats=repeats, indexes=tuple(options.get("indexes", ())))


def _read_texts(name: str) -> str:
    return (files("scraper.database") / name).read_text(encoding="utf-8")


TABLES = tuple(_make_table(name, **texts) for name, texts in tomllib.loads(_read_texts("tables.toml")).items())
BY_NAME = {table.name: table for table in TABLES}
RUN_TABLES = ("runs", "run_checks")
"""Tables about runs rather than about the archive: a rebuild keeps them."""
LOCAL_TABLES = (*RUN_TABLES, "program")
"""Tables about how this copy of the database was made; only the `tta.db.gz` of a site contains them."""


def columns_in(table: str | None) -> Mapping[str, ColumnInfo]:
    """Returns the columns of a table by name; for views and questions those of `records`, from which theirs are derived."""
    return columns_of(BY_NAME[table if table in BY_NAME else "records"].model)


class View(NamedTuple):
    """A frequently needed query, available as a view."""

    name: str
    title: str
    description: str
    sql: str


def _literal(value: str) -> str:
    return value if value.isdigit() else f"'{value}'" if value else "NULL"


_PUBLISHED = " UNION ALL ".join(
    "SELECT " + ", ".join(f"{_literal(value)} AS {name}" for name, value in row.items())
    for row in csv.DictReader(_read_texts("published.csv").splitlines())
)
"""SQL of the figures that the portal itself published, with source and date; published.csv may be extended."""
VIEWS: tuple[View, ...] = tuple(
    View(name, **texts) for name, texts in tomllib.loads(_read_texts("views.toml").replace("{published}", _PUBLISHED)).items()
)
