"""The tables: which model describes each, its keys, links and indexes. What the parsers read is described in `parsers.record`.

`schema` makes the database from this list, and the dictionary and Datasette's column texts come from the same descriptions.
"""

import csv
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, NamedTuple

from parsers.record import Field, Milestone, PerformanceMetric, Section, columns_of, optional, required
from scraper.database.derived import DerivedValues, described

_ISO = "ISO 8601, UTC"


class Availability(StrEnum):
    """What is known of a record after the last capture that shows it."""

    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class RecordRow(DerivedValues):
    """One TTA record: the newest known value of every column, over all its captures."""

    record_id: str = required("the record: its node number, or what stands for it where no node number is known")
    url: str | None = optional("address of the record in its latest capture that has one", heading="Original page")
    first_captured_at: str | None = optional("time of the earliest capture; NULL where no capture's time is known", _ISO)
    last_captured_at: str | None = optional("time of the latest capture; NULL where no capture's time is known", _ISO)
    captures: int = required("how many captures show the record", "captures")
    availability: Availability = required(
        "what is known of it after last_captured_at: `unknown`, no later capture tells, which does not mean that it "
        "was removed; `gone`, a later capture of its address shows 'not found' or a redirect elsewhere"
    )
    gone_since: str | None = optional(
        "time of the first capture that shows it gone, none after which shows it again; it went between "
        "last_captured_at and then; NULL where availability is unknown",
        _ISO,
    )


@dataclass(slots=True, kw_only=True)
class DictionaryRow:
    """Every column of every table, with what it means."""

    table: str = required("table of the database")
    column: str = required("column of the table")
    description: str = required("what it holds")
    label: str | None = optional("label on the record page that it is read from")
    unit: str | None = optional("unit or format of its values")
    heading: str = required("name of the column for people, which pages use as the heading")


@dataclass(slots=True, kw_only=True)
class RunRow:
    """Each refresh: when it ran, how it ended, and what it brought."""

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
    accepted: bool | None = optional("whether failed checks were accepted on purpose; 1 yes, 0 no")
    fetched: int | None = optional("captures that it added to the archive", "captures")
    loaded: int | None = optional("captures that it loaded", "captures")
    captures: int | None = optional("captures known after it", "captures")
    records: int | None = optional("records known after it", "records")
    records_before: int | None = optional("records known before it", "records")
    problems: str | None = optional("what went wrong or could not be done; a JSON array")
    message: str | None = optional("what came of it and what to look at, in a line")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the database. `keys` come first; `links` are foreign keys (column, table); `local` columns differ by machine.

    `searched`: the columns that full-text search of the table looks in. `shared`: columns whose values many rows have in common
    and that are stored once: the table is then a view, which is read and written like a table (docs/decisions/database.md).
    """

    name: str
    model: type
    keys: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    local: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    @property
    def stored_in(self) -> tuple[str, ...]:
        """The tables that contain its rows: itself, or the two below its view."""
        return (f"{self.name}_rows", f"{self.name}_shared") if self.shared else (self.name,)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names in the order of the table: keys, then the record, then as the model has them."""
        first = [*self.keys, *(name for name in ("record_id",) if name in columns_of(self.model) and name not in self.keys)]
        return tuple(dict.fromkeys([*first, *columns_of(self.model)]))


SEARCHED = tuple(
    "title tta_title short_name description provider_reference other_program_area point_of_contact agency_types target_audience "
    "program_areas program_area_subtopics special_populations county recipient_agency_name submitted_by".split()
)
"""Columns of `records` that full-text search looks in."""
COUNTED = tuple(
    "fiscal_year status evidence_based emerging_need program_areas agency_types category provider_reference county place_state "
    "place_state_code place_county place_county_code estimated_cost estimated_cost_lower estimated_cost_upper availability "
    "county_agrees latitude last_captured_at submitted_on days_to_event milestone_count tta_type delivery_mode region "
    "cost_range".split()
)
"""Columns of `records` that facets, charts and questions count by. One index over all of them answers these on 100,000 records in
0.03 s, where reading the rows, most of which is description, takes 0.13 s when they are in memory and seconds when not."""


def _described(name: str, about: str, columns: dict[str, Any], **options: Any) -> Table:
    """A table of `tables.toml`."""
    parts = {key: tuple(value.split()) for key, value in options.items() if isinstance(value, str)}
    links, indexes = tuple(options.get("links", {}).items()), tuple(tuple(one.split()) for one in options.get("indexes", ()))
    return Table(name, described(name, about, columns, *_BASES.get(name, ())), **parts, links=links, indexes=indexes)


_BASES: dict[str, tuple[type, ...]] = {
    "fields": (Field,),
    "sections": (Section,),
    "milestones": (Milestone,),
    "performance_metrics": (PerformanceMetric,),
}
_DESCRIBED = [
    _described(name, **table)
    for name, table in tomllib.loads((files("scraper.database") / "tables.toml").read_text(encoding="utf-8")).items()
]
TABLES: tuple[Table, ...] = (
    Table(
        "records",
        RecordRow,
        keys=("record_id",),
        indexes=(
            *(
                (name,)
                for name in "node_id reference title status category provider_reference county event_start submitted_at "
                "last_captured_at tta_source ttar_source estimated_cost bja_grant_manager place_county_code county_agrees "
                "place_county_code_2023 agency_id provider_id family_id first_captured_at".split()
            ),
            COUNTED,
        ),
        searched=SEARCHED,
    ),
    *_DESCRIBED[:-2],
    Table("runs", RunRow, keys=("run_id",)),
    *_DESCRIBED[-2:],
    Table("dictionary", DictionaryRow, keys=("table", "column"), searched=("table", "column", "description", "label")),
)


class View(NamedTuple):
    """A question that is asked so often that it has a name."""

    name: str
    title: str
    description: str
    sql: str


def _texts(name: str) -> str:
    return (files("scraper.database") / name).read_text(encoding="utf-8")


def _literal(value: str) -> str:
    return value if value.isdigit() else f"'{value}'" if value else "NULL"


_PUBLISHED = " UNION ALL ".join(
    "SELECT " + ", ".join(f"{_literal(value)} AS {name}" for name, value in row.items())
    for row in csv.DictReader(_texts("published.csv").splitlines())
)
"""What the portal itself published, with source and date: a file that people may add to."""
VIEWS: tuple[View, ...] = tuple(
    View(name, **texts) for name, texts in tomllib.loads(_texts("views.toml").replace("{published}", _PUBLISHED)).items()
)
BY_NAME = {table.name: table for table in TABLES}
RUN_TABLES = ("runs", "run_checks")
"""Tables that tell what was done, not what the archive holds: a rebuild leaves them."""
LOCAL_TABLES = (*RUN_TABLES, "program", "similar")
"""Tables that tell how this copy of the database came about: no export has them."""
