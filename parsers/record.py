"""The typed content of a page: classes that name and describe every column of the record, its fields and its groups.

The schema, Datasette's column texts and the data dictionary are made from these classes; `columns_of` lists their columns. The
columns that are read from labeled fields come from `parsers.registry`. Rows are not frozen, because a page has fifty of them and
a frozen one takes more than twice as long to create (docs/decisions/model.md); they are never modified.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_type_hints

from parsers.registry import LABELS, Column, Label, Type

Form = Literal["data", "html", "text", "prose", "translation"]
"""The format a record was read from, richest first: data, HTML, text with labels, text without, a machine's translation."""


Kind = StrEnum("Kind", "RECORD OTHER BLOCKED ERROR REDIRECT REVISIT NOT_HTML UNREADABLE")
"""What a capture shows (`captures.kind`)."""
FieldState = StrEnum("FieldState", "VALUE EMPTY NOT_CAPTURED")
"""Whether a field has a value, was printed empty, or had its value lost on the way into the capture."""


class Value(NamedTuple):
    """One value as printed; empty text if there is none."""

    text: str = ""
    href: str | None = None
    datetime: str | None = None
    person: bool = False


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column of a table. `type`: the Python type of its values; `required`: it is never NULL; `heading`: its display name.

    `label`: the label on the page that it is read from; `unit`: unit or format; `contact`: it names a person or how to reach one.
    """

    name: str
    type: Any
    required: bool
    description: str
    heading: str
    label: str | None
    unit: str | None
    contact: bool


_ACRONYMS = frozenset("id url http warc sha256 bja tta ttac".split())  # written in capitals in headings


def required(description: str, unit: str | None = None, **more: Any) -> Any:
    """Describes a column that is never NULL. `more`: `heading`, `label` and `contact` of `ColumnInfo`."""
    return optional(description, unit, default=MISSING, **more)


def optional(description: str, unit: str | None = None, *, default: Any = None, **more: Any) -> Any:
    """Describes a column that may be NULL."""
    return field(default=default, metadata={"description": description, "unit": unit, **more})


@cache
def columns_of(model: type) -> Mapping[str, ColumnInfo]:
    """Returns the columns that the fields of a dataclass describe, by name, in order."""
    types = get_type_hints(model)
    found = {}
    for one in fields(model):
        kind = types[one.name]
        kind = get_args(kind)[0] if isinstance(kind, UnionType) else kind  # `T | None`
        words = " ".join(word.upper() if word in _ACRONYMS else word for word in one.name.split("_"))
        texts = {"description": "", "unit": None, "label": None, "contact": False, "heading": None, **one.metadata}
        texts["heading"] = texts["heading"] or words[0].upper() + words[1:]
        found[one.name] = ColumnInfo(name=one.name, type=kind, required=one.default is MISSING, **texts)
    return MappingProxyType(found)


@dataclass(slots=True, kw_only=True)
class Field:
    """One value of one field, in page order; one row with a NULL value where the field has none."""

    position: int = required("place on the page, from 1")
    section: str | None = optional("label of the instruction field that precedes it")
    label: str | None = optional("label as printed, even if visually hidden; NULL if the page prints none")
    name: str | None = optional("Drupal's machine name, if the page contains it")
    item: str | None = optional("group and number, such as 'Milestone 2', for a field nested in a group")
    value: str | None = optional("value as printed; line breaks kept")
    state: FieldState = required("value, empty (printed without a value) or not_captured (lost on the way into the capture)")
    href: str | None = optional("address the value links to, absolute, without an archive's prefix", heading="Link")
    datetime: str | None = optional("time as in the page's attribute; a range as start/end", heading="Date and time")
    occurrence: int = optional("1 for the page's first field of this label, 2 for a second one, and so on", default=1)
    truncated: bool = optional("whether the capture ends within the value; 1 yes, 0 no", default=False)
    person: bool = optional("whether the page's markup marks the value as a person; 1 yes, 0 no", default=False)


@dataclass(slots=True, kw_only=True)
class Section:
    """An instruction field of the form: text for the person who filled it in, not data."""

    position: int = required("place among the page's sections, from 1")
    label: str = required("label of the instruction field")
    text: str | None = optional("the instructions as printed")


@dataclass(slots=True, kw_only=True)
class Milestone:
    """One milestone of a TTA."""

    position: int = required("place among the record's milestones, from 1")
    title: str | None = optional("the milestone's title, or its text if the page prints it as a plain line")
    date: str | None = optional("the first date printed in the milestone", "ISO 8601")
    notes: str | None = optional("the milestone's notes or description")
    details: str | None = optional("every filled field of the milestone, one per line: label, colon, value")


@dataclass(slots=True, kw_only=True)
class PerformanceMetric:
    """One performance metric: a question of the form and its answer."""

    position: int = required("place among the record's performance metrics, from 1")
    question: str | None = optional("the question or the metric's name, if the page prints one")
    answer: str | None = optional("the answer as printed")


@dataclass(slots=True, kw_only=True)
class PageHead:
    """The content of a page outside its fields. None means not captured: a later capture without a value removes nothing."""

    node_id: int | None = optional("number of its page on the portal, which identifies the record", heading="Node number")
    title: str | None = optional("title of the page, usually the record's reference", heading="Page title")
    submitted_by: str | None = optional("who submitted the record, as printed (may be cut to 15 characters)", contact=True)
    submitted_at: str | None = optional("when the record was submitted", "ISO 8601, UTC where the page gives the zone")


_TYPES: dict[Type, Any] = {Type.REFERENCES: list[str], Type.YES_NO: bool, Type.POINT: float, Type.NUMBER: int}
"""Python types of the values of each type of label; all others are texts."""
_UNIT_OF_TYPE = {Type.DATE: "ISO 8601", Type.RANGE: "ISO 8601", Type.MONEY: "US dollars"}
_FORM_NOTES = {Type.REFERENCES: "; a JSON array", Type.YES_NO: "; 1 yes, 0 no"}  # appended to descriptions


def _label_field(entry: Label, index: int, column: Column) -> tuple[str, Any, Any]:
    """Returns name, type and field of a label's column. For money, the first is the text as printed, the others are amounts."""
    kind = float if index and entry.type is Type.MONEY else _TYPES.get(entry.type, str)
    description, unit = column.description + _FORM_NOTES.get(entry.type, ""), column.unit or _UNIT_OF_TYPE.get(entry.type)
    return column.name, kind | None, optional(description, unit, heading=column.heading, label=entry.text, contact=entry.contact)


if TYPE_CHECKING:

    @dataclass(slots=True, kw_only=True)
    class RecordValues(PageHead):
        """Declares what `make_dataclass` creates below, for the type checker."""

        def __getattr__(self, name: str) -> Any: ...

else:
    _FISCAL_YEAR = "fiscal year of the submission, beginning October 1, by the reference or else the time of submission; derived"
    RecordValues = make_dataclass(
        "RecordValues",
        [
            ("reference", str | None, optional("the record's own reference, YYYYMMDD-time-serial")),
            ("fiscal_year", int | None, optional(_FISCAL_YEAR, "year")),
            ("description", str | None, optional("the body of the page, with bullets and line breaks")),
            *(_label_field(entry, *column) for entry in LABELS for column in enumerate(entry.columns)),
        ],
        bases=(PageHead,),
        namespace={"__doc__": "All columns of a record, derived by `parsers.columns`.", "__module__": __name__},
        slots=True,
        kw_only=True,
    )


@dataclass(slots=True, kw_only=True)
class Record(RecordValues):
    """One TTA as one capture shows it.

    `incomplete`: the capture is truncated; what is missing was not captured. `flags`: what looks wrong in the
    values, such as a point out of range. `shape`: fingerprint of the page's structure. `url`: the page's own address, if it
    prints one.
    """

    kind: Kind = Kind.RECORD
    form: Form
    incomplete: bool = False
    flags: tuple[str, ...] = ()
    shape: str = ""
    url: str | None = None
    fields: tuple[Field, ...] = ()
    sections: tuple[Section, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    performance_metrics: tuple[PerformanceMetric, ...] = ()


@dataclass(slots=True, kw_only=True)
class ParseResult:
    """The kind of a capture, the reason, and the record if it shows one, or else the title of a page of another kind."""

    kind: Kind
    reason: str
    record: Record | None = None
    title: str | None = None
