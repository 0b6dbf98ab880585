"""What a page says, typed: the one place that names and describes every column of the record, its fields and its groups.

The schema, Datasette's column texts and the data dictionary are made from these models; `parsers.html` and `parsers.text` fill
them. A column's description is the model's `description`; `label` is the label on the page it is read from, `unit` its unit.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Column


class Kind(StrEnum):
    """What a capture shows (`captures.kind`)."""

    RECORD = "record"
    OTHER = "other"
    BLOCKED = "blocked"
    ERROR = "error"
    REDIRECT = "redirect"
    REVISIT = "revisit"
    NOT_HTML = "not_html"
    UNREADABLE = "unreadable"


class State(StrEnum):
    """Whether a field has a value, was printed empty, or had its value lost on the way into the capture."""

    VALUE = "value"
    EMPTY = "empty"
    NOT_CAPTURED = "not_captured"


@cache
def _names_of(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def trusted(cls, values: dict[str, Any]) -> Self:
        """A row of values that the parsers made themselves, one for each column: nothing in them is checked or copied.

        Pydantic's own `model_construct` costs four times as much as this, and more than its check.
        """
        row = cls.__new__(cls)
        object.__setattr__(row, "__dict__", values)
        object.__setattr__(row, "__pydantic_fields_set__", _names_of(cls))
        object.__setattr__(row, "__pydantic_extra__", None)
        object.__setattr__(row, "__pydantic_private__", None)
        return row


def _labelled(label: str, description: str, unit: str | None = None, *, contact: bool = False) -> Any:
    """A column that is read from the field with that label. `contact`: it names or reaches a person."""
    return Column(None, description=description, json_schema_extra={"label": label, "unit": unit, "contact": contact})


def _list(label: str, description: str, *, contact: bool = False) -> Any:
    extra: Any = {"label": label, "unit": None, "contact": contact}
    return Column(None, description=description + "; a JSON array", json_schema_extra=extra)


class Field(_Row):
    """One value of one field, in page order; one row with a NULL value where the field has none."""

    position: int = Column(description="place on the page, from 1", json_schema_extra={"unit": "rows"})
    section: str | None = Column(None, description="label of the instruction field that precedes it")
    label: str | None = Column(None, description="label as printed, also where visually hidden; NULL where the page prints none")
    name: str | None = Column(None, description="Drupal's machine name, where the page's classes tell it")
    item: str | None = Column(None, description="group and number, such as 'Milestone 2', for a field nested in a group")
    value: str | None = Column(None, description="value as printed; line breaks kept")
    state: State = Column(description="value, empty (printed without a value) or not_captured (lost on the way into the capture)")
    href: str | None = Column(None, description="address the value links to, absolute, without an archive's prefix")
    datetime: str | None = Column(None, description="time as in the page's attribute; a range as start/end")
    occurrence: int = Column(1, description="1 for the page's first field of this label, 2 for a second one, and so on")
    truncated: bool = Column(False, description="whether the page ends within the value, so that its end is missing; 1 yes, 0 no")


class Section(_Row):
    """An instruction field of the form: text for whoever filled it in, not data."""

    position: int = Column(description="place among the page's sections, from 1")
    label: str = Column(description="label of the instruction field")
    text: str | None = Column(None, description="the instructions as printed")


class Milestone(_Row):
    """One milestone of a TTA."""

    position: int = Column(description="place among the record's milestones, from 1")
    title: str | None = Column(None, description="the milestone's title, or its text where the page prints it as a plain line")
    date: str | None = Column(None, description="the first date printed in the milestone", json_schema_extra={"unit": "ISO 8601"})
    notes: str | None = Column(None, description="the milestone's notes or description")
    details: str | None = Column(None, description="every filled field of the milestone, a line each: label, colon, value")


class PerformanceMetric(_Row):
    """One performance metric: a question of the form and its answer."""

    position: int = Column(description="place among the record's performance metrics, from 1")
    question: str | None = Column(None, description="the question or the metric's name, where the page prints one")
    answer: str | None = Column(None, description="the answer as printed")


class Head(_Row):
    """What the page says outside its fields. None is 'not captured': a later capture without it takes nothing away."""

    node_id: int | None = Column(None, description="Drupal's node number, the record's identity")
    title: str | None = Column(None, description="title of the page, mostly the record's reference")
    submitted_by: str | None = Column(
        None,
        description="who submitted the record, as printed (may be cut to 15 characters)",
        json_schema_extra={"contact": True},
    )
    submitted_at: str | None = Column(
        None,
        description="when the record was submitted",
        json_schema_extra={"unit": "ISO 8601, UTC where the page tells the zone"},
    )


class RecordValues(Head):
    """The record's columns, all of them derived from the head and the fields by `parsers.columns`."""

    reference: str | None = Column(None, description="the record's own reference, YYYYMMDD-time-serial")
    fiscal_year: int | None = Column(
        None,
        description="fiscal year of the submission, from 1 October, by the reference or else the time of submission; derived",
        json_schema_extra={"unit": "year"},
    )
    short_name: str | None = _labelled("TTA Short Name", "short name of the TTA")
    tta_title: str | None = _labelled("TTA Title", "title of the TTA")
    description: str | None = Column(None, description="the body of the page; bullets and line breaks kept")
    status: str | None = _labelled("Status of Deliverable", "status of the deliverable")
    status_changed_at: str | None = _labelled("Status Changed", "when the status last changed", "ISO 8601")
    agency_types: list[str] | None = _list("Type of Agency", "types of the agencies that were helped")
    point_of_contact: list[str] | None = _list("TTA Point of Contact", "who is responsible for the TTA", contact=True)
    ttar_source: str | None = _labelled("TTAR Source", "where the request for the TTA came from")
    category: str | None = _labelled("Category", "kind of page on the portal")
    provider_reference: str | None = _labelled("Provider Reference", "the organisation that gave the help")
    special_populations: list[str] | None = _list("Special Populations", "special populations the TTA is about")
    evidence_based: bool | None = _labelled(
        "Is this TTA in support of implementing or maintaining an evidence-based or promising practice?",
        "whether the TTA supports an evidence-based or promising practice; 1 yes, 0 no",
    )
    emerging_need: bool | None = _labelled(
        "Is this TTA in response to emerging public safety needs?",
        "whether the TTA answers an emerging public safety need; 1 yes, 0 no",
    )
    target_audience: list[str] | None = _list("Target Audience", "audiences the TTA is for")
    county: str | None = _labelled("County", "county as printed on the page")
    program_areas: list[str] | None = _list("TTA Program Area", "program areas of the TTA")
    program_area_subtopics: list[str] | None = _list("Program Area - Sub Topics", "sub-topics of the program areas")
    other_program_area: str | None = _labelled(
        "If your program area sub-topic is one of the 'Other Program Areas', please describe below",
        "other program areas, a comma list as printed",
    )
    tta_source: str | None = _labelled("TTA Source", "source of the TTA")
    demographic_gender: list[str] | None = _list("Demographic - Gender", "genders the TTA is about")
    demographic_age: list[str] | None = _list("Demographic - Age", "ages the TTA is about")
    demographic_race: list[str] | None = _list("Demographic - Race", "races the TTA is about")
    demographic_ethnicity: list[str] | None = _list("Demographic - Ethnicity", "ethnicities the TTA is about")
    demographic_other: list[str] | None = _list("Demographic - Other", "other groups the TTA is about")
    estimated_cost: str | None = _labelled("TTA Estimated Costs", "estimated cost as printed, mostly a range", "US dollars")
    estimated_cost_lower: float | None = Column(
        None, description="lower bound of the estimated cost, derived", json_schema_extra={"unit": "US dollars"}
    )
    estimated_cost_upper: float | None = Column(
        None,
        description="upper bound of the estimated cost, derived; NULL where open",
        json_schema_extra={"unit": "US dollars"},
    )
    bja_grant_manager: str | None = _labelled("BJA Grant Manager", "the Bureau's grant manager", contact=True)
    recipient_agency_scope: bool | None = _labelled("Recipient Agency Scope", "the recipient agency's scope; 1 yes, 0 no")
    recipient_agency_name: str | None = _labelled("Primary Recipient Agency Name", "the agency that was helped, as printed")
    event_start: str | None = _labelled("TTA Event Date", "start of the event", "ISO 8601")
    event_end: str | None = _labelled(
        "TTA Event Date", "end of the event; equal to its start where one time is printed", "ISO 8601"
    )
    in_public_catalog: bool | None = _labelled(
        "Display event on public TTA Catalog", "whether the event was shown in the public catalog; 1 yes, 0 no"
    )
    agreed: bool | None = _labelled("I Agree", "whether the agreement was ticked; 1 on, 0 off")
    archived: bool | None = _labelled("Archived", "whether the record was archived on the portal; 1 on, 0 off")
    longitude: float | None = _labelled("Event Location Geo", "longitude of the first sound point", "degrees east, WGS 84")
    latitude: float | None = _labelled("Event Location Geo", "latitude of the first sound point", "degrees north, WGS 84")
    remote_ttac_id: int | None = _labelled("Remote TTAC ID", "number of the record in a remote TTAC's system")


class Record(RecordValues):
    """One TTA as one capture shows it."""

    kind: Literal[Kind.RECORD] = Kind.RECORD
    form: Literal["html", "text"] = Column(description="form of the page that was read")
    incomplete: bool = Column(False, description="the page ends before its end; what is missing was not captured")
    flags: tuple[str, ...] = Column((), description="what looks wrong in the values, such as a point out of range")
    shape: str = Column("", description="fingerprint of the page's structure")
    url: str | None = Column(None, description="the page's own address where the page prints it (canonical link)")
    fields: tuple[Field, ...] = ()
    sections: tuple[Section, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    performance_metrics: tuple[PerformanceMetric, ...] = ()


class Page(_Row):
    """The verdict on one capture: what it is, why, and the record where it is one."""

    kind: Kind
    reason: str
    record: Record | None = None
