"""The record's columns, milestones and metrics out of its fields: for one page and for many merged captures alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from parsers.cache import cached_short
from parsers.fiscal import fiscal_year
from parsers.record import Field, Milestone, PageHead, PerformanceMetric, RecordValues, columns_of
from parsers.registry import Label, Type, group_of_name, group_table, known, known_name, normal
from parsers.values import iso_time, money_range, number, place, reference, time_range, yes_no

_ONE_RUN = attrgetter("section", "label", "name", "occurrence")
_HEAD, _COLUMNS = tuple(columns_of(PageHead)), tuple(columns_of(RecordValues))
BODY = "body"
"""Drupal's machine name of a node's body, which has no label on these pages."""
_NOTHING: Mapping[str, Any] = {}
_QUESTION = re.compile(r"\b(question|metric|measure|indicator|name|title)\b", re.IGNORECASE)
_ANSWER = re.compile(r"\b(answer|response|value|result|count|number|total)\b", re.IGNORECASE)
_TITLE = re.compile(r"\b(title|name)\b", re.IGNORECASE)
_DATE = re.compile(r"\bdate\b", re.IGNORECASE)
_NOTES = re.compile(r"\b(notes?|description|comments?|details?)\b", re.IGNORECASE)


class Run(NamedTuple):
    """One field of the page whose label is known: the columns that its filled values make, and what looks wrong in them.

    `labelled`: the page prints the label, where else only the machine name tells it. One run may be of many pages,
    so its lists are copied.
    """

    entry: Label
    labelled: bool
    columns: Mapping[str, Any]
    problems: tuple[str, ...]


def entry_of(field: Field) -> Label | None:
    """The registry's entry for a field: by its label, or by its machine name where the page prints no label."""
    return known(field.label) if field.label else known_name(field.name)


def field_key(field: Field) -> str:
    """What makes a field the same field on another capture of the record, whatever the theme.

    A group (all milestones together) is one key, because an item has no identity of its own on these pages.
    """
    if field.item is not None:
        stem = _stem(field.item)
        return _table_of(field.item) or f"group {normal(stem)}"
    if table := group_table(field.label):
        return table
    if field.name == BODY and field.label is None:
        return "description"
    entry = entry_of(field)
    if entry is not None:
        return entry.columns[0].name if entry.columns else normal(entry.text)
    if field.label:
        return normal(field.label)
    return field.name or f"text in {field.section or 'no section'}"


def derive(head: PageHead, fields: Sequence[Field]) -> RecordValues:
    """All columns of a record. Of a duplicated label the first filled field counts (DESIGN.md, `records`)."""
    return RecordValues(**column_values(head, fields, known_runs(fields)))


def column_values(head: PageHead, fields: Sequence[Field], runs: Sequence[Run]) -> dict[str, Any]:
    """`derive` where the runs are at hand: a value for each column."""
    values = dict.fromkeys(_COLUMNS)
    for column in _HEAD:
        values[column] = getattr(head, column)
    values["reference"] = reference(head.title)
    values["fiscal_year"] = fiscal_year(values["reference"], head.submitted_at)
    for run in sorted(runs, key=_has_no_label):  # a printed label says more than a name
        if run.columns and values[run.entry.columns[0].name] is None:
            values |= {name: list(value) if isinstance(value, list) else value for name, value in run.columns.items()}
    values["description"] = next(
        (field.value for field in fields if field.name == BODY and field.item is None and field.value), None
    )
    return values


def _has_no_label(run: Run) -> bool:
    return not run.labelled


def known_runs(fields: Sequence[Field]) -> list[Run]:
    """Each field on the page whose label is known: values of one field follow each other."""
    found = []
    for _, rows in groupby((field for field in fields if field.item is None), key=_ONE_RUN):
        first = next(rows)
        if entry := entry_of(first):
            values = [(field.value, field.datetime) for field in (first, *rows) if field.value]
            found.append(read_run(entry, values, labelled=first.label is not None))
    return found


def read_run(entry: Label, filled: Sequence[tuple[str, str | None]], *, labelled: bool) -> Run:
    """A field's run out of its values that have a text, each with its time as in the page's attribute."""
    columns = _columns(entry, [text for text, _ in filled], filled[0][1]) if entry.columns and filled else _NOTHING
    problems = () if entry.type in _ANY_TEXT else (_problem(entry, *value) for value in filled)
    return Run(entry, labelled, columns, tuple(problem for problem in problems if problem))


def _columns(entry: Label, texts: list[str], datetime: str | None) -> dict[str, Any]:
    column = entry.columns[0].name
    match entry.type:
        case Type.REFERENCES:
            return {column: texts}
        case Type.YES_NO:
            return {column: next((answer for answer in map(yes_no, texts) if answer is not None), None)}
        case Type.NUMBER:
            return {column: next((value for value in map(number, texts) if value is not None), None)}
        case Type.DATE:
            return {column: iso_time(datetime) or iso_time(texts[0])}
        case Type.RANGE:
            return dict(zip((one.name for one in entry.columns), time_range(texts[0], datetime), strict=True))
        case Type.POINT:
            first = next((spot for spot in map(place, texts) if spot.longitude is not None), None)
            return {"longitude": first.longitude, "latitude": first.latitude} if first else {}
        case Type.MONEY:
            lower, upper = money_range(texts[0])
            return {column: "; ".join(texts), f"{column}_lower": lower, f"{column}_upper": upper}
        case _:
            return {column: "; ".join(texts)}


def flags(runs: Sequence[Run]) -> tuple[str, ...]:
    """What looks wrong in the values of a page, once each, in page order."""
    return tuple(dict.fromkeys(problem for run in runs for problem in run.problems))


def _problem(entry: Label, text: str, datetime: str | None) -> str | None:
    if entry.type is Type.POINT:
        return place(text).flag
    return f"{entry.text}: value can't be read" if fits(entry.type, text, datetime) is False else None


_ANY_TEXT = frozenset((Type.TEXT, Type.REFERENCE, Type.REFERENCES, Type.MONEY, Type.GROUP, Type.INSTRUCTIONS))
"""Types that any text fits."""


def fits(kind: Type, text: str, attribute: str | None = None) -> bool | None:
    """Whether a printed value can be one of its label's type; None where the type takes any text."""
    if kind in _ANY_TEXT:
        return None
    match kind:
        case Type.YES_NO:
            return yes_no(text) is not None
        case Type.POINT:
            return place(text).longitude is not None or "(" in text
        case Type.NUMBER:
            return number(text) is not None
        case Type.DATE:
            return (iso_time(attribute) or iso_time(text)) is not None
        case Type.RANGE:
            return time_range(text, attribute) != (None, None)
        case _:
            return None


def _items(fields: Sequence[Field], table: str) -> list[list[Field]]:
    members = [field for field in fields if field.item is not None and _table_of(field.item) == table]
    return [list(rows) for _, rows in groupby(members, key=attrgetter("item"))]


@cached_short
def _table_of(item: str) -> str | None:
    return group_table(_stem(item)) or group_of_name(_stem(item))


@cached_short
def _stem(item: str) -> str:
    """An item's group: its name without the number."""
    return re.sub(r" \d+$", "", item)


def _one_field(row: Field) -> tuple[object, ...]:
    """Rows of an item that are values of one field; each text without a label stands for itself."""
    return row.label, row.name, row.occurrence, row.label or row.name or row.position


def _filled(rows: list[Field]) -> list[tuple[str, str]]:
    """Label (empty where there is none) and values of each field of an item."""
    runs = [list(run) for _, run in groupby(rows, key=_one_field)]
    return [(run[0].label or "", "; ".join(field.value or "" for field in run if field.value)) for run in runs]


def _is_plain(label: str) -> bool:
    return not label or group_table(label) is not None


def milestones(fields: Sequence[Field]) -> tuple[Milestone, ...]:
    """A milestone per item of the group, in page order."""
    return tuple(_milestone(position, rows) for position, rows in enumerate(_items(fields, "milestones"), start=1))


def _milestone(position: int, rows: list[Field]) -> Milestone:
    pairs = _filled(rows)
    title = next((value for label, value in pairs if _TITLE.search(label)), None)
    if title is None:
        title = next((value for label, value in pairs if _is_plain(label) and value), None)
    dated = next((field for field in rows if field.datetime or _DATE.search(field.label or "")), None)
    when = time_range(dated.value, dated.datetime)[0] if dated else None
    details = "\n".join(f"{label}: {value}" if label else value for label, value in pairs if value)
    notes = next((value for label, value in pairs if _NOTES.search(label) and value), None)
    return Milestone(position=position, title=title or None, date=when, notes=notes, details=details or None)


def performance_metrics(fields: Sequence[Field]) -> tuple[PerformanceMetric, ...]:
    """A metric per item of the group, in page order."""
    return tuple(_metric(position, rows) for position, rows in enumerate(_items(fields, "performance_metrics"), start=1))


def _metric(position: int, rows: list[Field]) -> PerformanceMetric:
    pairs = _filled(rows)
    if len(pairs) == 1:
        label, answer = pairs[0]
        return _one_metric(position, None if _is_plain(label) else label, answer)
    question = next((pair for pair in pairs if _QUESTION.search(pair[0]) and not _ANSWER.search(pair[0])), None)
    rest = [pair for pair in pairs if pair is not question]
    if len(rest) == 1:
        answer = rest[0][1]
    else:
        answer = "\n".join(f"{label}: {value}" if label else value for label, value in rest if value)
    return _one_metric(position, question[1] if question else None, answer)


def _one_metric(position: int, question: str | None, answer: str) -> PerformanceMetric:
    return PerformanceMetric(position=position, question=question or None, answer=answer or None)
