"""The tables: which model describes each, its keys, links and indexes. What the parsers read is described in `parsers.record`.

`schema` makes the database from this list, and the dictionary and Datasette's column texts come from the same descriptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from parsers.record import Field, Kind, Milestone, PerformanceMetric, Section, columns_of, optional, required
from scraper.database.derived import DerivedValues

_ISO = "ISO 8601, UTC"


def _record_id() -> Any:
    return required("the record: its node number, or what stands for it where no node number is known")


def _capture_id() -> Any:
    return required("the capture this was read from")


class Availability(StrEnum):
    """What is known of a record after the last capture that shows it."""

    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class RecordRow(DerivedValues):
    """One TTA record: the newest known value of every column, over all its captures."""

    record_id: str = _record_id()
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
class FieldRow(Field):
    """Every field of each record's current state, in page order: one row per value."""

    record_id: str = _record_id()
    capture_id: str = _capture_id()
    contact: bool = required("whether it names a person or how to reach one; derived; 1 yes, 0 no")


@dataclass(slots=True, kw_only=True)
class SectionRow(Section):
    """The instruction fields of each record's page, with their text."""

    record_id: str = _record_id()
    capture_id: str = _capture_id()


@dataclass(slots=True, kw_only=True)
class MilestoneRow(Milestone):
    """The milestones of each record."""

    record_id: str = _record_id()


@dataclass(slots=True, kw_only=True)
class PerformanceMetricRow(PerformanceMetric):
    """The performance metrics of each record."""

    record_id: str = _record_id()


@dataclass(slots=True, kw_only=True)
class CaptureRow:
    """Every capture in the archive: one page as one web archive, or one file, saw it at one time."""

    capture_id: str = required("identity of the capture: a digest of its address, time, status and body")
    url: str | None = optional("address as captured")
    node_id: int | None = optional("node number, where the address or the page tells it")
    captured_at: str | None = optional("when it was captured; NULL is not known", _ISO)
    source: str = required("where the capture came from: wayback, commoncrawl, endofterm, live, files, ...")
    http_status: int | None = optional("HTTP status, where the capture has one")
    kind: Kind = required("what the capture shows: " + ", ".join(Kind))
    reason: str | None = optional("why it was taken for that kind of page")
    form: str | None = optional("form of the record page: data, html, text (with labels) or prose; NULL where it shows no record")
    record_id: str | None = optional("the record it shows; NULL where it shows none")
    sha256: str | None = optional("digest of the body, decoded; of the original's body for a revisit", "hex")
    reference: str | None = optional("the reference it shows")
    address: str | None = optional(
        "address without scheme, www, last slash and fragment: two captures with one address show one page"
    )
    original_id: str | None = optional("the capture whose body a revisit record of the archive repeats")
    warc_type: str = required("response, resource, conversion or revisit: how the archive keeps it")
    truncated: str | None = optional("why its body is known to be cut, as the archive says")
    intact: bool = required("whether its bytes are those that were stored; 0: they were damaged before the import")
    redirect_to: str | None = optional("where a redirect leads, without an archive's prefix")
    gone_record_id: str | None = optional(
        "the record that it shows to be gone from this address: not found, or a redirect elsewhere"
    )
    shape: str | None = optional("fingerprint of the page's structure")
    flags: str | None = optional("what looks wrong in its values; a JSON array")
    title: str | None = optional("title of a page that shows no record", heading="Page title")
    warc_file: str = required("file in the archive folder that holds it")
    warc_offset: int = required("where in that file it begins", "bytes")


@dataclass(slots=True, kw_only=True)
class ChangeRow:
    """What changed between successive captures of a record, by time of capture."""

    record_id: str = _record_id()
    field: str = required(
        "the column that changed, or the label where it feeds no column; availability: from shown to gone, or back"
    )
    old_value: str | None = optional("value before; several joined with '; '; NULL is empty")
    new_value: str | None = optional("value after; several joined with '; '; NULL is empty")
    seen_after: str = required("the last capture that shows the old value", _ISO)
    seen_by: str = required("the first capture that shows the new value", _ISO)
    contact: bool = required("whether the field names a person, in any capture; derived; 1 yes, 0 no")


@dataclass(slots=True, kw_only=True)
class OrganizationRow:
    """Every agency and provider that a record names: by the portal's number for it, or else by name, agencies also by state."""

    organization_id: str = required("the portal's number, or what stands for it where only a name is known")
    kind: str = required("provider, where any record names it as such; else agency")
    portal_id: str | None = optional("the portal's node number of it, a text", heading="Portal number")
    name: str | None = optional("its latest name; NULL where only its number is known", heading="Name")
    state_code: str | None = optional(
        "postal code of an agency's state: by its name, or else by the points of its records where all are in one state; derived",
        "two letters",
    )
    how: str = required(
        "how the name was learned: page (of the organization), link (to it), field, title (of a request), or number: no name"
    )
    records: int = required("records that name it", "records")


@dataclass(slots=True, kw_only=True)
class MentionRow:
    """Every place where a record names an organization: the number, the spelling, and how it was learned."""

    record_id: str = _record_id()
    position: int = required("place among the record's mentions, from 1: fields in page order, then the title")
    kind: str = required("agency or provider")
    portal_id: str | None = optional("the portal's node number of it, a text", heading="Portal number")
    name: str | None = optional("name as printed; NULL where the page prints a number", heading="Name")
    how: str = required("link, field, title or number: see organizations")
    seen_at: str | None = optional("time of the capture that it was read from", _ISO)
    name_key: str | None = optional("what two spellings of one name share; derived")
    name_state: str | None = optional("postal code of the state that the name ends with; derived", "two letters")
    place_state: str | None = optional("postal code of the state of the record's point, for an agency; derived", "two letters")
    own_id: str = required("the organization by this mention alone; derived")
    organization_id: str | None = optional("its row in organizations; derived", heading="Organization")


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


@dataclass(slots=True, kw_only=True)
class RunCheckRow:
    """The checks that each refresh passed or failed."""

    run_id: int = required("the run that made the check")
    position: int = required("place among the run's checks, from 1")
    name: str = required("name of the check")
    severity: str | None = optional(
        "fail: a failed check keeps the new data out; warn: it is only told; NULL in runs of database version 2"
    )
    subject: str | None = optional("what was checked, such as a column or a source")
    figure: float | None = optional("what was measured: a count, or a share from 0 to 1")
    threshold: float | None = optional("what it was held against: the most, or for a share the least allowed")
    passed: bool = required("whether it passed; 1 yes, 0 no")
    message: str | None = optional("what to look at, in a line")


@dataclass(slots=True, kw_only=True)
class ProgramRow:
    """Which code made the database, and of which state of the archive, in one row."""

    code: str = required("digest of the code that made the database; a load with other code makes it anew")
    archive: str | None = optional(
        "digest of the state of the archive's catalog whose captures are all loaded; NULL where some are not"
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


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the database. `keys` come first; `links` are foreign keys (column, table); `local` columns differ by machine.

    `searched`: the columns that full-text search of the table looks in.
    """

    name: str
    model: type
    keys: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    local: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names in the order of the table: keys, then the record, then as the model has them."""
        first = [*self.keys, *(name for name in ("record_id",) if name in columns_of(self.model) and name not in self.keys)]
        return tuple(dict.fromkeys([*first, *columns_of(self.model)]))


_OF_RECORD = ("record_id", "records")
_OF_CAPTURE = ("capture_id", "captures")
_PLACE = ("record_id", "position")

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
                "place_county_code_2023 agency_id provider_id family_id".split()
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
            ("source", "node_id"),
            ("flags",),
            ("warc_file", "warc_offset"),
        ),
        local=("warc_file", "warc_offset"),
    ),
    Table("fields", FieldRow, _PLACE, (_OF_RECORD, _OF_CAPTURE), (("label",), ("capture_id",)), searched=("value",)),
    Table("sections", SectionRow, keys=_PLACE, links=(_OF_RECORD, _OF_CAPTURE), indexes=(("label",),)),
    Table("milestones", MilestoneRow, keys=_PLACE, links=(_OF_RECORD,), indexes=(("date",),), searched=("title", "details")),
    Table("performance_metrics", PerformanceMetricRow, keys=_PLACE, links=(_OF_RECORD,), searched=("question", "answer")),
    Table("changes", ChangeRow, links=(_OF_RECORD,), indexes=(("record_id",), ("field",), ("seen_by",))),
    Table("organizations", OrganizationRow, keys=("organization_id",), searched=("name",)),
    Table(
        "organization_mentions",
        MentionRow,
        keys=_PLACE,
        links=(_OF_RECORD, ("organization_id", "organizations")),
        indexes=(("organization_id", "record_id"),),
    ),
    Table("runs", RunRow, keys=("run_id",)),
    Table("run_checks", RunCheckRow, keys=("run_id", "position"), links=(("run_id", "runs"),)),
    Table("program", ProgramRow),
    Table("dictionary", DictionaryRow, keys=("table", "column"), searched=("table", "column", "description", "label")),
)


class View(NamedTuple):
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
