"""The tables: which model describes each, its keys, links and indexes. What the parsers read is described in `parsers.record`.

`schema` makes the database from this list, and the dictionary and Datasette's column texts come from the same descriptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Column

from parsers.record import Field, Kind, Milestone, PerformanceMetric, Section
from scraper.database.derived import DerivedValues

_ISO: dict[str, Any] = {"unit": "ISO 8601, UTC"}


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _record_id() -> Any:
    return Column(description="the record: its node number, or what stands for it where no node number is known")


def _capture_id() -> Any:
    return Column(description="the capture this was read from")


class Availability(StrEnum):
    """What is known of a record after the last capture that shows it."""

    GONE = "gone"
    UNKNOWN = "unknown"


class RecordRow(DerivedValues):
    """One TTA record: the newest known value of every column, over all its captures."""

    record_id: str = _record_id()
    url: str | None = Column(None, description="address of the record in its latest capture that has one")
    first_captured_at: str | None = Column(
        None, description="time of the earliest capture; NULL where no capture's time is known", json_schema_extra=_ISO
    )
    last_captured_at: str | None = Column(
        None, description="time of the latest capture; NULL where no capture's time is known", json_schema_extra=_ISO
    )
    captures: int = Column(description="how many captures show the record", json_schema_extra={"unit": "captures"})
    availability: Availability = Column(
        description="what is known of it after last_captured_at: `unknown`, no later capture tells, which does not mean that it "
        "was removed; `gone`, a later capture of its address shows 'not found' or a redirect elsewhere"
    )
    gone_since: str | None = Column(
        None,
        description="time of the first capture that shows it gone, none after which shows it again; it went between "
        "last_captured_at and then; NULL where availability is unknown",
        json_schema_extra=_ISO,
    )


class FieldRow(Field):
    """Every field of each record's current state, in page order: one row per value."""

    record_id: str = _record_id()
    capture_id: str = _capture_id()


class SectionRow(Section):
    """The instruction fields of each record's page, with their text."""

    record_id: str = _record_id()
    capture_id: str = _capture_id()


class MilestoneRow(Milestone):
    """The milestones of each record."""

    record_id: str = _record_id()


class PerformanceMetricRow(PerformanceMetric):
    """The performance metrics of each record."""

    record_id: str = _record_id()


class CaptureRow(_Row):
    """Every capture in the archive: one page as one web archive, or one file, saw it at one time."""

    capture_id: str = Column(description="identity of the capture: a digest of its address, time, status and body")
    url: str | None = Column(None, description="address as captured")
    node_id: int | None = Column(None, description="node number, where the address or the page tells it")
    captured_at: str | None = Column(None, description="when it was captured; NULL is not known", json_schema_extra=_ISO)
    source: str = Column(description="where the capture came from: wayback, commoncrawl, endofterm, live, files, ...")
    http_status: int | None = Column(None, description="HTTP status, where the capture has one")
    kind: Kind = Column(description="what the capture shows: " + ", ".join(Kind))
    reason: str | None = Column(None, description="why it was taken for that kind of page")
    form: str | None = Column(None, description="html or text: form of the record page; NULL where it shows no record")
    record_id: str | None = Column(None, description="the record it shows; NULL where it shows none")
    sha256: str | None = Column(
        None, description="digest of the body, decoded; of the original's body for a revisit", json_schema_extra={"unit": "hex"}
    )
    reference: str | None = Column(None, description="the reference it shows")
    address: str | None = Column(
        None, description="address without scheme, www, last slash and fragment: two captures with one address show one page"
    )
    original_id: str | None = Column(None, description="the capture whose body a revisit record of the archive repeats")
    warc_type: str = Column(description="response, resource, conversion or revisit: how the archive keeps it")
    truncated: str | None = Column(None, description="why its body is known to be cut, as the archive says")
    redirect_to: str | None = Column(None, description="where a redirect leads, without an archive's prefix")
    gone_record_id: str | None = Column(
        None, description="the record that it shows to be gone from this address: not found, or a redirect elsewhere"
    )
    shape: str | None = Column(None, description="fingerprint of the page's structure")
    flags: str | None = Column(None, description="what looks wrong in its values; a JSON array")
    warc_file: str = Column(description="file in the archive folder that holds it")
    warc_offset: int = Column(description="where in that file it begins", json_schema_extra={"unit": "bytes"})


class ChangeRow(_Row):
    """What changed between successive captures of a record, by time of capture."""

    record_id: str = _record_id()
    field: str = Column(
        description="the column that changed, or the label where it feeds no column; availability: from shown to gone, or back"
    )
    old_value: str | None = Column(None, description="value before; several joined with '; '; NULL is empty")
    new_value: str | None = Column(None, description="value after; several joined with '; '; NULL is empty")
    seen_after: str = Column(description="the last capture that shows the old value", json_schema_extra=_ISO)
    seen_by: str = Column(description="the first capture that shows the new value", json_schema_extra=_ISO)


class RunRow(_Row):
    """Each refresh: when it ran, how it ended, and what it brought."""

    run_id: int = Column(description="number of the run, from 1")
    started_at: str = Column(description="when it began", json_schema_extra=_ISO)
    ended_at: str | None = Column(None, description="when it ended", json_schema_extra=_ISO)
    status: int | None = Column(None, description="its exit status")
    outcome: str | None = Column(
        None,
        description="committed: the database has its data; refused: a check failed; stopped: it was ended or its time was up; "
        "failed: an error; died: killed, or the machine went down. All but committed left the database as it was",
    )
    phase: str | None = Column(None, description="how far it came: fetch, load, checks or done")
    accepted: bool | None = Column(None, description="whether failed checks were accepted on purpose; 1 yes, 0 no")
    fetched: int | None = Column(
        None, description="captures that it added to the archive", json_schema_extra={"unit": "captures"}
    )
    loaded: int | None = Column(None, description="captures that it loaded", json_schema_extra={"unit": "captures"})
    captures: int | None = Column(None, description="captures known after it", json_schema_extra={"unit": "captures"})
    records: int | None = Column(None, description="records known after it", json_schema_extra={"unit": "records"})
    records_before: int | None = Column(None, description="records known before it", json_schema_extra={"unit": "records"})
    problems: str | None = Column(None, description="what went wrong or could not be done; a JSON array")
    message: str | None = Column(None, description="what came of it and what to look at, in a line")


class RunCheckRow(_Row):
    """The checks that each refresh passed or failed."""

    run_id: int = Column(description="the run that made the check")
    position: int = Column(description="place among the run's checks, from 1")
    name: str = Column(description="name of the check")
    severity: str | None = Column(
        None, description="fail: a failed check keeps the new data out; warn: it is only told; NULL in runs of database version 2"
    )
    subject: str | None = Column(None, description="what was checked, such as a column or a source")
    figure: float | None = Column(None, description="what was measured: a count, or a share from 0 to 1")
    threshold: float | None = Column(None, description="what it was held against: the most, or for a share the least allowed")
    passed: bool = Column(description="whether it passed; 1 yes, 0 no")
    message: str | None = Column(None, description="what to look at, in a line")


class ProgramRow(_Row):
    """Which code made the database, and of which state of the archive, in one row."""

    code: str = Column(description="digest of the code that made the database; a load with other code makes it anew")
    archive: str | None = Column(
        None, description="digest of the state of the archive's catalog whose captures are all loaded; NULL where some are not"
    )


class DictionaryRow(_Row):
    """Every column of every table, with what it means."""

    table: str = Column(description="table of the database")
    column: str = Column(description="column of the table")
    description: str = Column(description="what it holds")
    label: str | None = Column(None, description="label on the record page that it is read from")
    unit: str | None = Column(None, description="unit or format of its values")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the database. `keys` come first; `links` are foreign keys (column, table); `local` columns differ by machine.

    `searched`: the columns that full-text search of the table looks in.
    """

    name: str
    model: type[BaseModel]
    keys: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    local: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names in the order of the table: keys, then the record, then as the model has them."""
        first = [*self.keys, *(name for name in ("record_id",) if name in self.model.model_fields and name not in self.keys)]
        return tuple(dict.fromkeys([*first, *self.model.model_fields]))


_OF_RECORD = ("record_id", "records")
_OF_CAPTURE = ("capture_id", "captures")
_PLACE = ("record_id", "position")

SEARCHED = (
    "title",
    "tta_title",
    "short_name",
    "description",
    "provider_reference",
    "other_program_area",
    "point_of_contact",
    "agency_types",
    "target_audience",
    "program_areas",
    "program_area_subtopics",
    "special_populations",
    "county",
    "recipient_agency_name",
    "submitted_by",
)
"""Columns of `records` that full-text search looks in."""
COUNTED = tuple(
    "fiscal_year status evidence_based emerging_need program_areas agency_types category provider_reference county place_state "
    "place_state_code place_county place_county_code estimated_cost estimated_cost_lower estimated_cost_upper availability "
    "county_agrees latitude last_captured_at".split()
)
"""Columns of `records` that facets, charts and questions count by. One index over all of them answers these on 100,000 records in
0.03 s, where reading the rows, most of which is description, takes 0.13 s when they are in memory and seconds when not."""

TABLES: tuple[Table, ...] = (
    Table(
        "records",
        RecordRow,
        keys=("record_id",),
        indexes=(
            *(
                (name,)
                for name in "node_id reference title status category provider_reference county event_start submitted_at "
                "last_captured_at tta_source ttar_source estimated_cost bja_grant_manager place_county_code county_agrees".split()
            ),
            COUNTED,
        ),
        searched=SEARCHED,
    ),
    Table(
        "captures",
        CaptureRow,
        keys=("capture_id",),
        links=(_OF_RECORD,),
        indexes=(
            *(
                (name,)
                for name in "record_id node_id captured_at kind reference address original_id gone_record_id shape".split()
            ),
            ("warc_file", "warc_offset"),
        ),
        local=("warc_file", "warc_offset"),
    ),
    Table(
        "fields",
        FieldRow,
        keys=_PLACE,
        links=(_OF_RECORD, _OF_CAPTURE),
        indexes=(("label",), ("capture_id",)),
        searched=("value",),
    ),
    Table("sections", SectionRow, keys=_PLACE, links=(_OF_RECORD, _OF_CAPTURE), indexes=(("label",),)),
    Table("milestones", MilestoneRow, keys=_PLACE, links=(_OF_RECORD,), indexes=(("date",),), searched=("title", "details")),
    Table("performance_metrics", PerformanceMetricRow, keys=_PLACE, links=(_OF_RECORD,), searched=("question", "answer")),
    Table("changes", ChangeRow, links=(_OF_RECORD,), indexes=(("record_id",), ("field",), ("seen_by",))),
    Table("runs", RunRow, keys=("run_id",)),
    Table("run_checks", RunCheckRow, keys=("run_id", "position"), links=(("run_id", "runs"),)),
    Table("program", ProgramRow),
    Table("dictionary", DictionaryRow, keys=("table", "column"), searched=("table", "column", "description", "label")),
)


@dataclass(frozen=True, slots=True)
class View:
    """A question that is asked so often that it has a name."""

    name: str
    title: str
    description: str
    sql: str


VIEWS: tuple[View, ...] = (
    View(
        "county_disagreements",
        "Counties that disagree",
        "Records whose printed county is another than the one that their point lies in, by more than 1 km (county_agrees = 0). "
        "Either may be wrong: outlines are of 2017 and coarse, and a point may be where somebody sat, not where help went.",
        "SELECT record_id, title, county, place_county, place_state, place_county_code, longitude, latitude, url FROM records "
        "WHERE county_agrees = 0",
    ),
)
BY_NAME = {table.name: table for table in TABLES}
RUN_TABLES = ("runs", "run_checks")
"""Tables that tell what was done, not what the archive holds: a rebuild leaves them."""
LOCAL_TABLES = (*RUN_TABLES, "program")
"""Tables that tell how this copy of the database came about: no export has them."""
