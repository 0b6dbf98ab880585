"""One record as its page shows it: fields by section in page order, each value with the capture it was read from."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from parsers.record import columns_of
from scraper.database.tables import RecordRow
from scraper.explore.charts import TEXTS
from scraper.explore.filters import RecordFilters
from scraper.explore.links import LISTS, replay_url, safe_href, values_of

BODY = "body"
MADE_UP = "made-up"
"""`captures.source` of the demo's records (tests.pagegen.samples)."""
FACTS = [(name, columns_of(RecordRow)[name].heading) for name in TEXTS["facts"]]
"""Columns at the top of the page, each linked to the records that have the same value."""
_LONG = 300
_ANSWERS = {0: "No", 1: "Yes"}
_STATES = {"empty": "empty on the page", "not_captured": "not captured"}

Row = Mapping[str, Any]


class Value(NamedTuple):
    """One value. `source` is the number of its capture in the page's list; `note` says why there is no text."""

    text: str | None
    href: str | None
    datetime: str | None
    note: str | None
    source: int | None


@dataclass(slots=True)
class Label:
    """A field: its label as printed, or the best there is in its place, and its values."""

    name: str
    values: list[Value]

    @property
    def note(self) -> str | None:
        """Why there is no value; None where there is one."""
        return self.values[0].note if all(value.note for value in self.values) else None


@dataclass(slots=True)
class Group:
    """The fields of a section, or of an item such as a milestone."""

    name: str | None
    instructions: str | None = None
    labels: list[Label] = field(default_factory=list)
    items: list[Group] = field(default_factory=list)


class Fact(NamedTuple):
    name: str
    values: list[tuple[str, dict[str, Any]]]
    """What is shown, and the filter that finds the records with the same value."""


class Change(NamedTuple):
    """One difference. `long`: too long to stand beside others."""

    field: str
    old: str | None
    new: str | None

    @property
    def long(self) -> bool:
        return len(self.old or "") + len(self.new or "") > _LONG


class RecordPage(NamedTuple):
    """All that the template `row-tta-records.html` shows."""

    record: Row
    heading: str
    url: str | None
    made_up: bool
    facts: list[Fact]
    description_source: int | None
    groups: list[Group]
    captures: list[dict[str, Any]]
    changes: list[tuple[str, str, list[Change]]]
    around: dict[str, list[dict[str, Any]]]
    """Rows of `_AROUND`: what is near the record in time, text and work."""


_NAMED = "record_id, coalesce(tta_title, short_name, title, record_id) AS heading"
_AROUND = {
    "organizations": "SELECT organizations.* FROM organizations, records WHERE record_id = :id "
    "AND organization_id IN (agency_id, provider_id) ORDER BY organizations.kind",
    "similar": f"SELECT {_NAMED}, near.words FROM (SELECT position, other_id, words FROM similar WHERE record_id = :id) AS near "
    "JOIN records ON records.record_id = near.other_id ORDER BY near.position",
    "family": f"SELECT {_NAMED} FROM records WHERE record_id <> :id "
    "AND family_id = (SELECT family_id FROM records WHERE record_id = :id) ORDER BY submitted_on DESC LIMIT 10",
    "steps": "SELECT * FROM (SELECT date, title, notes FROM milestones WHERE record_id = :id UNION ALL "
    "SELECT coalesce(request_date, submitted_on), 'Request', NULL FROM records WHERE record_id = :id UNION ALL "
    "SELECT event_on, 'Event', NULL FROM records WHERE record_id = :id AND event_on IS NOT NULL) ORDER BY date IS NULL, date",
    "newer": f"SELECT {_NAMED} FROM records {{where}} (submitted_at > :at OR submitted_at = :at AND record_id < :id) "
    "ORDER BY submitted_at, record_id DESC LIMIT 1",
    "older": f"SELECT {_NAMED} FROM records {{where}} (submitted_at < :at OR submitted_at = :at AND record_id > :id) "
    "ORDER BY submitted_at DESC, record_id LIMIT 1",
}


async def record_page(database: Any, record_id: str, chosen: RecordFilters) -> RecordPage | None:
    """Reads the record, and those before and after it among the chosen ones. None where there is none."""
    queries = {
        "records": "SELECT * FROM records WHERE record_id = ?",
        "fields": "SELECT * FROM fields WHERE record_id = ? ORDER BY position",
        "sections": "SELECT label, text FROM sections WHERE record_id = ? ORDER BY position",
        "captures": "SELECT * FROM captures WHERE record_id = ?1 OR gone_record_id = ?1 "
        "ORDER BY captured_at IS NULL, captured_at, capture_id",
        "changes": "SELECT * FROM changes WHERE record_id = ? ORDER BY seen_by DESC, seen_after, rowid",
    }
    found = await asyncio.gather(*(database.execute(sql, [record_id]) for sql in queries.values()))
    rows = {name: [dict(row) for row in result.rows] for name, result in zip(queries, found, strict=True)}
    if not rows["records"]:
        return None
    params = chosen.params | {"id": record_id, "at": rows["records"][0]["submitted_at"]}
    where = f"{chosen.where} AND" if chosen.where else "WHERE"
    near = await asyncio.gather(*(database.execute(sql.format(where=where), params) for sql in _AROUND.values()))
    around = {name: [dict(row) for row in result.rows] for name, result in zip(_AROUND, near, strict=True)}
    return arrange(rows, around)


def arrange(rows: Mapping[str, list[dict[str, Any]]], around: dict[str, list[dict[str, Any]]]) -> RecordPage:
    """The page out of the rows of each table."""
    (record,) = rows["records"]
    captures = [_capture(number, row) for number, row in enumerate(rows["captures"], start=1)]
    numbers = {one["capture_id"]: one["number"] for one in captures}
    body = [row for row in rows["fields"] if _is_body(row)]
    return RecordPage(
        record=record,
        heading=record["tta_title"] or record["short_name"] or record["title"] or record["record_id"],
        url=safe_href(record["url"]),
        made_up=any(one["source"] == MADE_UP for one in captures),
        facts=list(_facts(record)),
        description_source=numbers.get(body[0]["capture_id"]) if body else None,
        groups=_groups([row for row in rows["fields"] if not _is_body(row)], rows["sections"], numbers),
        captures=captures,
        changes=_changes(rows["changes"]),
        around=around,
    )


def _is_body(row: Row) -> bool:
    return row["name"] == BODY and row["label"] is None and row["item"] is None


def _capture(number: int, row: Row) -> dict[str, Any]:
    return {**row, "number": number, "replay": replay_url(row["source"], row["captured_at"], row["url"])}


def _facts(record: Row) -> Iterable[Fact]:
    for column, name in FACTS:
        value = record[column]
        if value is None:
            continue
        if column in LISTS:
            shown = [(one, {f"{column}__arraycontains": one}) for one in values_of(value) or []]
        elif column in ("evidence_based", "emerging_need"):
            shown = [(_ANSWERS.get(value, str(value)), {column: value})]
        else:
            shown = [(str(value), {f"{column}__exact": value})]
        yield Fact(name, shown)


def _groups(fields: list[dict[str, Any]], sections: list[dict[str, Any]], numbers: Mapping[str, int]) -> list[Group]:
    """Sections in page order, those without a field of their own included: their text is part of the page."""
    waiting = list(sections)
    groups: list[Group] = []
    for name, run in groupby(fields, key=lambda row: row["section"]):
        at = next((index for index, one in enumerate(waiting) if one["label"] == name), None)
        if at is not None:
            groups += [Group(one["label"], one["text"]) for one in waiting[:at]]
            group = Group(name, waiting[at]["text"])
            del waiting[: at + 1]
        else:
            group = Group(name)
        for item, members in groupby(run, key=lambda row: row["item"]):
            if item is None:
                group.labels += _labels(members, numbers)
            else:
                group.items.append(Group(item, labels=_labels(members, numbers)))
        groups.append(group)
    return groups + [Group(one["label"], one["text"]) for one in waiting]


def _labels(rows: Iterable[Row], numbers: Mapping[str, int]) -> list[Label]:
    labels = []
    for (label, name), run in groupby(rows, key=lambda row: (row["label"], row["name"])):
        values = [_value(row, numbers) for row in run]
        labels.append(Label(label or (name or "no label").removeprefix("field_").replace("_", " "), values))
    return labels


def _value(row: Row, numbers: Mapping[str, int]) -> Value:
    note = _STATES.get(row["state"])
    return Value(row["value"], safe_href(row["href"]), row["datetime"], note, numbers.get(row["capture_id"]))


def _changes(rows: list[dict[str, Any]]) -> list[tuple[str, str, list[Change]]]:
    """The latest first, those between the same two captures together."""
    return [
        (after, by, [Change(row["field"], row["old_value"], row["new_value"]) for row in run])
        for (after, by), run in groupby(rows, key=lambda row: (row["seen_after"], row["seen_by"]))
    ]
