"""The registry of labels: which label feeds which columns, as what type of value. It is evidence for the readers, never a gate.

A label that is not here is read all the same. `record.py` says what each column is; this says how its text becomes a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from parsers.cache import cached_short


class Type(Enum):
    """How a field's printed values become column values."""

    TEXT = auto()
    REFERENCE = auto()
    REFERENCES = auto()
    YES_NO = auto()
    DATE = auto()
    RANGE = auto()
    MONEY = auto()
    POINT = auto()
    NUMBER = auto()
    GROUP = auto()
    INSTRUCTIONS = auto()


@dataclass(frozen=True, slots=True)
class Label:
    """A label, the columns it fills, and its type. `order` is its usual place on the page, from 0 (DOMAIN.md)."""

    text: str
    type: Type
    columns: tuple[str, ...]
    order: int


_PAGE_ORDER: tuple[tuple[str, Type, str], ...] = (
    ("TTA Short Name", Type.TEXT, "short_name"),
    ("Status of Deliverable", Type.REFERENCE, "status"),
    ("Status Changed", Type.DATE, "status_changed_at"),
    ("Type of Agency", Type.REFERENCES, "agency_types"),
    ("Provider Reference", Type.REFERENCE, "provider_reference"),
    ("Special Populations", Type.REFERENCES, "special_populations"),
    ("TTA Title", Type.TEXT, "tta_title"),
    ("TTA Point of Contact", Type.REFERENCES, "point_of_contact"),
    ("TTAR Source", Type.REFERENCE, "ttar_source"),
    ("Category", Type.REFERENCE, "category"),
    ("Deliverable Markup for Questions", Type.INSTRUCTIONS, ""),
    (
        "Is this TTA in support of implementing or maintaining an evidence-based or promising practice?",
        Type.YES_NO,
        "evidence_based",
    ),
    ("Is this TTA in response to emerging public safety needs?", Type.YES_NO, "emerging_need"),
    ("Demographic - Gender", Type.REFERENCES, "demographic_gender"),
    ("Target Audience", Type.REFERENCES, "target_audience"),
    ("County", Type.TEXT, "county"),
    ("TTA Program Area", Type.REFERENCES, "program_areas"),
    ("Program Area - Sub Topics", Type.REFERENCES, "program_area_subtopics"),
    ("TTA Source", Type.REFERENCE, "tta_source"),
    (
        "If your program area sub-topic is one of the 'Other Program Areas', please describe below",
        Type.TEXT,
        "other_program_area",
    ),
    ("Demographic - Age", Type.REFERENCES, "demographic_age"),
    ("Demographic - Race", Type.REFERENCES, "demographic_race"),
    ("TTA Estimated Costs", Type.MONEY, "estimated_cost"),
    ("Demographic - Ethnicity", Type.REFERENCES, "demographic_ethnicity"),
    ("Demographic - Other", Type.REFERENCES, "demographic_other"),
    ("BJA Grant Manager", Type.REFERENCE, "bja_grant_manager"),
    ("Recipient Agency Scope", Type.YES_NO, "recipient_agency_scope"),
    ("Primary Recipient Agency Name", Type.TEXT, "recipient_agency_name"),
    ("Contact Name", Type.TEXT, ""),
    ("Email Address", Type.TEXT, ""),
    ("Event Date Markup", Type.INSTRUCTIONS, ""),
    ("Display event on public TTA Catalog", Type.YES_NO, "in_public_catalog"),
    ("Demographics Markup", Type.INSTRUCTIONS, ""),
    ("Milestones Markup", Type.INSTRUCTIONS, ""),
    ("Milestone", Type.GROUP, ""),
    ("Performance Metrics Markup", Type.INSTRUCTIONS, ""),
    ("Performance Metrics", Type.GROUP, ""),
    ("TTA Event Date", Type.RANGE, "event_start event_end"),
    ("Cover Letter Instructions", Type.INSTRUCTIONS, ""),
    ("I Agree", Type.YES_NO, "agreed"),
    ("Archived", Type.YES_NO, "archived"),
    ("Event Location Geo", Type.POINT, "longitude latitude"),
    ("Remote TTAC ID", Type.NUMBER, "remote_ttac_id"),
)

LABELS: tuple[Label, ...] = tuple(
    Label(text, type_, tuple(columns.split()), order) for order, (text, type_, columns) in enumerate(_PAGE_ORDER)
)
_SPELLED = {"‘": "'", "’": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "}
_QUOTES: dict[int, str | None] = {ord(char): plain for char, plain in _SPELLED.items()}
_QUOTES |= dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF])  # print nothing
_MACHINE_NAME_LENGTH = 32
"""Characters of a field's machine name, `field_` included; Drupal's FieldStorageConfig::NAME_MAX_LENGTH."""


@cached_short
def normal(label: str) -> str:
    """A label's spelling without what themes change: case, spaces, quotes, dashes, a last colon."""
    text = " ".join(label.translate(_QUOTES).split()).casefold()
    return text.rstrip(":").rstrip(" *").strip()


def _machine(label: str) -> str:
    """The machine name that Drupal's form proposes for a label, without `field_` (core/misc/machine-name.js)."""
    return re.sub(r"[^a-z0-9]+", "_", normal(label)).strip("_")


_BY_LABEL = {normal(label.text): label for label in LABELS} | {
    normal(also): next(label for label in LABELS if label.text == text)
    for also, text in (("Milestones", "Milestone"), ("Performance Metric", "Performance Metrics"))
}
_BY_MACHINE_NAME = {
    _machine(label.text)[:length].strip("_"): label
    for label in reversed(LABELS)
    for length in (_MACHINE_NAME_LENGTH, _MACHINE_NAME_LENGTH - len("field_"))
}


@cached_short
def known(label: str | None) -> Label | None:
    """The registry's entry for a printed label; None where the label is not known."""
    return _BY_LABEL.get(normal(label)) if label else None


@cached_short
def known_name(name: str | None) -> Label | None:
    """The registry's entry for a machine name that spells a known label; for pages that print no label."""
    if not name:
        return None
    return _BY_MACHINE_NAME.get(name.removeprefix("field_").strip("_"))


@cached_short
def is_instructions(label: str) -> bool:
    """Whether a field with this label carries instructions and opens a section (DESIGN.md, `fields.section`)."""
    entry = known(label)
    return (entry is not None and entry.type is Type.INSTRUCTIONS) or re.search(r"\bmarkup\b", label, re.IGNORECASE) is not None


_CONTACT = re.compile(
    r"\b(e-?mails?|(tele)?phones?|fax|mobile|cell|contacts?(?! hours?\b)|grant manager|submitted by|author(ed by)?|submitter"
    r"|request[eo]r|(first|last|full|your|person|staff)( |'s )name)\b"
)
_MAX_CONTACT_LABEL = 60
"""Characters; what is longer is a question about people or a sentence, not the name of a field for one person."""


@cached_short
def is_contact(label: str) -> bool:
    """Whether a field with this label, or this machine name, names a person or tells how to reach one."""
    spelled = normal(label.replace("_", " "))
    return len(spelled) <= _MAX_CONTACT_LABEL and not spelled.endswith("?") and _CONTACT.search(spelled) is not None


GROUPS = {"milestones": "milestone", "performance_metrics": "performance metric"}
"""The groups that have a table of their own, and how their labels begin."""


@cached_short
def group_table(label: str | None) -> str | None:
    """`milestones` or `performance_metrics` where the label names such a group."""
    spelled = normal(label or "")
    return next((table for table, stem in GROUPS.items() if re.fullmatch(rf"{stem}s?( \d+)?", spelled)), None)


@cached_short
def group_of_member(label: str) -> str | None:
    """The group whose own field a label names where the group itself prints none: `Milestone Title` is of `Milestone`."""
    spelled = normal(label)
    if spelled.startswith("milestone ") and group_table(label) is None and not is_instructions(label):
        return "Milestone"
    return None


INSTRUCTIONS: tuple[tuple[str, str], ...] = (
    ("Deliverable Markup for Questions", "please check the box next to the following questions"),
    ("Event Date Markup", "please enter the applicable event date"),
    ("Event Date Markup", "when entering an event date"),
    ("Demographics Markup", "if the tta is targeted to a particular audience"),
    ("Milestones Markup", "milestones are an element, activity"),
    ("Milestones Markup", "please complete the fields below, if applicable, to create a milestone"),
    ("Performance Metrics Markup", "please respond to the performance metrics below"),
    ("Cover Letter Instructions", "please submit a signed letter of support"),
    ("Cover Letter Instructions", "general information regarding the request for tta"),
    ("Cover Letter Instructions", "the organizational and/or community needs specific to the request"),
    ("Cover Letter Instructions", "the benefits or anticipated outcomes from the receipt"),
    ("Cover Letter Instructions", "by submitting this application to bja nttac"),
    ("Cover Letter Instructions", "please call [site:phone]"),
)
"""How the paragraphs of the form's fixed instructions begin, and under which label they stand (the sample in shared/samples)."""


def section_of_instruction(line: str) -> str | None:
    """The label of the section whose fixed text this line begins like; None where it is other text."""
    spelled = re.sub(r"^\d+\.\s*", "", normal(line))
    return next((label for label, start in INSTRUCTIONS if spelled.startswith(start)), None)
