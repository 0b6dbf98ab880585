"""The labels of a TTA page (DOMAIN.md), with the machine names, Drupal field types and record columns that go with
them.

The labels are those seen on real pages. The machine names are made up, as nobody outside has seen the real ones:
tests may rely on a name being carried over from the page's classes, never on a name meaning something.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

Kind = Literal[
    "string", "long", "reference", "date", "range", "yes_no", "on_off", "geo", "number", "email", "telephone", "markup", "group"
]

TYPE_CLASS: dict[Kind, str] = {
    "string": "string",
    "long": "string-long",
    "reference": "entity-reference",
    "date": "datetime",
    "range": "daterange",
    "yes_no": "boolean",
    "on_off": "boolean",
    "geo": "geofield",
    "number": "integer",
    "email": "email",
    "telephone": "telephone",
    "markup": "markup",
    "group": "entity-reference-revisions",
}

ARRAY_COLUMNS = frozenset(
    "agency_types point_of_contact special_populations target_audience program_areas program_area_subtopics demographic_gender "
    "demographic_age demographic_race demographic_ethnicity demographic_other".split()
)


@dataclass(frozen=True)
class Spec:
    """One kind of field: `multiple` is Drupal's cardinality (more than one allowed), whatever number of values a
    record has.
    """

    label: str
    name: str
    kind: Kind
    column: str | None = None
    multiple: bool = False


OTHER_AREA = "If your program area sub-topic is one of the 'Other Program Areas', please describe below"
EVIDENCE = "Is this TTA in support of implementing or maintaining an evidence-based or promising practice?"
EMERGING = "Is this TTA in response to emerging public safety needs?"

_GROUPS: dict[str, dict[str, Spec]] = {}
with (Path(__file__).parent / "fields.csv").open(encoding="utf-8", newline="") as _file:
    for _group, _label, _name, _kind, _column, _multiple in csv.reader(_file):
        _GROUPS.setdefault(_group, {})[_label] = Spec(_label, _name, cast("Kind", _kind), _column or None, _multiple == "yes")
FIELDS, MILESTONE_FIELDS, METRIC_FIELDS = (_GROUPS[name] for name in ("record", "milestone", "metric"))
"""In the order in which a page prints them."""
UNKNOWN_FIELDS = _GROUPS["unlisted"]
"""Labels that nobody has listed; "Markups Received" contains a word that looks like an instruction field's and is data."""
ALL_LABELS = tuple(FIELDS)
