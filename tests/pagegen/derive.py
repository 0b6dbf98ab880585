"""From the content of the site to the content of a page printed from it: classless themes lose names, hidden labels are lost,
and so on.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.pagegen.catalog import ARRAY_COLUMNS, Spec
from tests.pagegen.content import SITE_ZONE, Content, Field, Group, Section, Value, blocks_text
from tests.pagegen.options import CLASSLESS, Options, Theme, display_of
from tests.pagegen.render_fields import attribute_time
from tests.pagegen.truth import FieldTruth, PageTruth, SectionTruth

REFERENCE = re.compile(r"\d{8}-\d{5,6}-\d{1,2}")
POINT = re.compile(r"POINT \((-?[\d.]+) (-?[\d.]+)\)")
FLAGS = {"Yes": 1, "No": 0, "On": 1, "Off": 0}
FAKE_TEXT = ("County", "Quoted County", "TTA Title", "A title quoted in the body", "Archived", "On")


def href_of(value: Value, host: str) -> str | None:
    if value.path is None or not value.path.startswith("/"):
        return value.path
    return f"https://{host}{value.path}"


def datetime_of(value: Value, options: Options) -> str | None:
    """As in the page's attributes; a range that prints one time has one."""
    if value.start is None or options.plain_dates:
        return None
    if value.end is None or value.end == value.start:
        return attribute_time(value.start)
    return f"{attribute_time(value.start)}/{attribute_time(value.end)}"


def column_time(moment: datetime, options: Options) -> str:
    """UTC where the page prints the zone, else local without zone; a page that prints minutes has no seconds."""
    if options.plain_dates:
        return moment.astimezone(SITE_ZONE).strftime("%Y-%m-%dT%H:%M:00")
    return attribute_time(moment)


def field_truth(
    entry: Field,
    *,
    label: str | None,
    name: str | None,
    section: str | None,
    item: str | None,
    host: str,
    options: Options,
) -> FieldTruth:
    return FieldTruth(
        label=label,
        name=name,
        section=section,
        item=item,
        values=tuple(value.shown for value in entry.values),
        hrefs=tuple(href_of(value, host) for value in entry.values),
        datetimes=tuple(datetime_of(value, options) for value in entry.values),
        state="value" if entry.values else "empty",
    )


def group_truth(group: Group, *, name: bool, section: str | None, host: str, options: Options) -> list[FieldTruth]:
    """The fields of a group's items, one after the other; plain lines are one uncertain field."""
    if options.milestones == "lines":
        text = tuple("\n".join(f"{f.spec.label}: {cell_text(f)}" for f in item) for item in group.items)
        own = group.spec.name if name else None
        return [FieldTruth(label=group.spec.label, name=own, section=section, values=text, certain=False)]
    table = options.milestones == "table"
    found = []
    for number, item in enumerate(group.items, start=1):
        for entry in item:
            truth = field_truth(
                _flat(entry) if table else entry,
                label=entry.spec.label,
                name=entry.spec.name if name and not table else None,
                section=section,
                item=f"{group.spec.label} {number}",
                host=host,
                options=options,
            )
            found.append(truth)
    return found


def _flat(entry: Field) -> Field:
    """A table's cell: text without links and times."""
    return Field(entry.spec, (Value(cell_text(entry)),) if entry.values else ())


def cell_text(entry: Field) -> str:
    return "; ".join(value.shown for value in entry.values)


def column_values(entry: Field, options: Options) -> dict[str, Any]:
    """The record columns that one field fills; empty where it is empty or has no column."""
    spec, values = entry.spec, entry.values
    if not values:
        return {}
    first = values[0]
    if spec.label == "TTA Event Date" and first.start is not None:
        end = first.end or first.start
        return {"event_start": column_time(first.start, options), "event_end": column_time(end, options)}
    if spec.kind == "geo":
        return point_of(first.text)
    if spec.column is None:
        return {}
    return {spec.column: _column_value(spec, values, options)}


def _column_value(spec: Spec, values: tuple[Value, ...], options: Options) -> Any:
    first = values[0]
    if spec.column in ARRAY_COLUMNS:
        return [value.text for value in values]
    if spec.kind in ("yes_no", "on_off"):
        return FLAGS[first.text]
    if spec.kind == "date" and first.start is not None:
        return column_time(first.start, options)
    if spec.kind == "number":
        return int(first.text)
    return "; ".join(value.text for value in values)


def point_of(wkt: str) -> dict[str, float | None]:
    """Longitude and latitude of a sound point, NULL for anything else."""
    match = POINT.fullmatch(wkt)
    longitude, latitude = (float(part) for part in match.groups()) if match else (None, None)
    if longitude is None or latitude is None or abs(longitude) > 180 or abs(latitude) > 90:
        return {"longitude": None, "latitude": None}
    return {"longitude": longitude, "latitude": latitude}


def reference_of(title: str) -> str | None:
    return title if REFERENCE.fullmatch(title) else None


def body_text(content: Content, options: Options) -> str:
    text = blocks_text(content.body)
    return "\n\n".join((text, *FAKE_TEXT)) if options.fake_fields else text


def page_truth(content: Content, theme: Theme, options: Options, *, entries_kept: int | None = None) -> PageTruth:
    """The truth of a page with this content, theme and options; `entries_kept`: only so many entries are on it (a cut
    page).
    """
    names = theme not in CLASSLESS
    section: str | None = None
    fields: list[FieldTruth] = []
    sections: list[SectionTruth] = []
    columns: dict[str, Any] = {}
    kept = content.entries if entries_kept is None else content.entries[:entries_kept]
    for position, entry in enumerate(kept, start=1):
        name = entry.spec.name if names else None
        match entry:
            case Section(spec=spec, blocks=blocks):
                section = spec.label
                sections.append(SectionTruth(spec.label, blocks_text(blocks)))
            case Group():
                fields += group_truth(entry, name=names, section=section, host=content.host, options=options)
            case Field(spec=spec):
                label = None if display_of(options, position) == "hidden" else spec.label
                fields.append(
                    field_truth(entry, label=label, name=name, section=section, item=None, host=content.host, options=options)
                )
                if label:
                    columns = {**column_values(entry, options), **columns}
    own: dict[str, Any] = {
        "title": content.title,
        "reference": reference_of(content.title),
        "submitted_by": content.author,
        "submitted_at": column_time(content.submitted, options) if content.submitted else None,
    }
    own |= {} if options.numberless else {"node_id": content.node_id}
    return PageTruth(
        title=content.title,
        submitted_by=content.author,
        description=body_text(content, options),
        fields=tuple(fields),
        sections=tuple(sections),
        columns=own | columns,
        cut=entries_kept is not None,
    )
