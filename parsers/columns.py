"""Derives a record's columns and groups from the labeled fields of a page, or of many merged captures.

The readers only write rows (`record.Field`); `make_record` derives the rest of the record from them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from parsers.record import Field, Form, Milestone, PageHead, PerformanceMetric, Record, RecordValues, Section, columns_of
from parsers.registry import GROUPS, Label, Type, group_table, label_key, label_named, label_of
from parsers.scalars import cached_short, fiscal_year, money_range, number, parse_point, reference, time_of, time_range, yes_no

BODY = "body"  # Drupal's machine name of a node's body, which has no label on these pages
_COLUMNS = frozenset(columns_of(RecordValues)) | GROUPS.keys()
_of_one_field = attrgetter("section", "label", "name", "occurrence")
_MAX_CACHED_VALUE = 400  # characters; longer values hardly ever repeat
_MAX_TIME = 60  # characters; the longest times that pages print have about 50
_READ: dict[Type, Callable[[str, str | None], tuple[Any, ...]]] = {
    Type.YES_NO: lambda text, _: (yes_no(text),),
    Type.NUMBER: lambda text, _: (number(text),),
    Type.DATE: lambda text, attribute: (time_of(text, attribute),),
    Type.RANGE: time_range,
    Type.POINT: lambda text, _: parse_point(text)[:2],
    Type.MONEY: lambda text, _: money_range(text),
}
"""What a printed value and its `datetime` attribute are converted to: one value, or two for ranges, points and amounts."""


def entry_of(field: Field) -> Label | None:
    """Returns the registry's entry for a field: by its label, or by its machine name if the page prints no label."""
    return label_of(field.label) if field.label else label_named(field.name)


def field_key(field: Field) -> str:
    """Returns a key that identifies the field on other captures of the record, in any theme.

    A group (all milestones together) has one key, because its items have no identity of their own on these pages.
    """
    if field.item is not None:
        group, _, _ = field.item.rpartition(" ")  # such as `Milestones 2`
        return group_table(group) or f"group {label_key(group)}"
    if table := group_table(field.label):
        return table
    if field.name == BODY and field.label is None:
        return "description"
    if entry := entry_of(field):
        return entry.columns[0].name if entry.columns else label_key(entry.text)
    key = label_key(field.label) if field.label else field.name or f"text in {field.section or 'no section'}"
    return f"field {key}" if key in _COLUMNS else key  # "Description", "Title" or "Status" may be a field of its own


def make_record(head: PageHead, fields: Sequence[Field], sections: Sequence[Section], form: Form, **more: Any) -> Record:
    """Derives a Record from a page's rows. `form`: their format. `more`: `incomplete`, `shape` and `url` of the Record."""
    columns, problems = _columns_from(head, fields)
    columns |= {"milestones": milestones(fields), "performance_metrics": performance_metrics(fields)}
    flags = tuple(dict.fromkeys(problems))
    return Record(**columns, **more, form=form, flags=flags, fields=tuple(fields), sections=tuple(sections))


def _columns_from(head: PageHead, fields: Sequence[Field]) -> tuple[dict[str, Any], list[str]]:
    """Returns the values of the columns that the page has, by name, and what looks wrong. A label's first valid value counts."""
    values = {name: getattr(head, name) for name in columns_of(PageHead)}
    values["reference"] = reference(head.title)
    values["fiscal_year"] = fiscal_year(values["reference"], head.submitted_at)
    found, problems = [], []
    for (_, label, name, _), rows in groupby((field for field in fields if field.item is None), key=_of_one_field):
        if entry := label_of(label) if label else label_named(name):
            filled = tuple([(row.value, row.datetime) for row in rows if row.value and not row.truncated])
            short = sum([len(text) for text, _ in filled]) <= _MAX_CACHED_VALUE
            columns, wrong = (_cached_values if short else _column_values)(entry, filled)
            found.append((label is None, columns))
            problems += wrong
    for _, columns in sorted(found, key=itemgetter(0)):  # a printed label is better evidence than a name
        if all(values.get(name) is None for name in columns):
            values |= {name: list(value) if isinstance(value, list) else value for name, value in columns.items()}
    bodies = (field.value for field in fields if field.name == BODY and field.item is None and field.value)
    return values | {"description": next(bodies, None)}, problems


def _column_values(entry: Label, filled: tuple[tuple[str, str | None], ...]) -> tuple[dict[str, Any], list[str]]:
    """Derives columns from a field's values, and what looks wrong; cached. Except for texts, the first valid value counts."""
    texts = [text for text, _ in filled]
    typed = [_READ[entry.type](*value) for value in filled] if entry.type in _READ else []
    values = next((one for one in typed if set(one) != {None}), typed[0] if typed else ())
    if entry.type is Type.REFERENCES:
        values = (texts,)
    elif entry.type in (Type.TEXT, Type.REFERENCE, Type.MONEY):
        values = ("; ".join(texts), *values)
    columns = {column.name: value for column, value in zip(entry.columns, values, strict=False)} if filled else {}
    if entry.type is Type.POINT:
        problems = [parse_point(text)[2] for text in texts]
    else:
        problems = [f"{entry.text}: value can't be read" for value in filled if fits(entry.type, *value) is False]
    return columns, list(filter(None, problems))


_cached_values = lru_cache(maxsize=8192)(_column_values)


def fits(kind: Type, text: str, attribute: str | None = None) -> bool | None:
    """Whether a printed value can be of its label's type; None if the type allows any text."""
    if kind not in _READ or kind is Type.MONEY:
        return None
    return set(_READ[kind](text, attribute)) != {None} or (kind is Type.POINT and ("(" in text or "°" in text))


class _Member(NamedTuple):
    """A field of an item: its label, its values as one text, the column that its label or name maps to, and its first row."""

    label: str | None
    value: str
    column: str | None
    first: Field

    @property
    def line(self) -> str:
        return f"{self.label}: {self.value}" if self.label else self.value

    @property
    def time(self) -> str | None:
        """The value as a time. Without other evidence of a time, only a short value is parsed as one."""
        may_be_time = self.first.datetime or self.column == "date" or len(self.value) <= _MAX_TIME
        return time_range(self.first.value, self.first.datetime)[0] if may_be_time and not self.first.truncated else None


def _group_by_item(fields: Sequence[Field], table: str) -> Iterator[tuple[int, list[_Member]]]:
    """Returns the number and the fields of each item of a group, in page order. A text without a label is a separate field."""
    nested = (field for field in fields if field.item is not None and group_table(field.item.rpartition(" ")[0]) == table)
    for position, (_, item) in enumerate(groupby(nested, key=attrgetter("item")), start=1):
        members = []
        for _, group in groupby(
            item, key=lambda row: (row.label, row.name, row.occurrence, row.label or row.name or row.position)
        ):
            first, *more = rows = list(group)
            value = first.value or "" if not more else "; ".join(row.value for row in rows if row.value)
            column = _column_of_member(f"{table} {first.label or first.name or ''}")
            members.append(_Member(first.label, value, column, first))
        yield position, members


@cached_short
def _column_of_member(table_and_label: str) -> str | None:
    """Returns the column that a group member fills, or None. `table_and_label`: such as `milestones Milestone Date`."""
    table, _, label = table_and_label.partition(" ")
    words = re.findall(r"\w+", label_key(label.replace("_", " ")))
    return next((name for name, pattern in GROUPS[table].columns if any(re.fullmatch(pattern, word) for word in words)), None)


def milestones(fields: Sequence[Field]) -> tuple[Milestone, ...]:
    """Returns one milestone per item of the group, in page order."""
    found = []
    for position, item in _group_by_item(fields, "milestones"):
        filled = [one for one in item if one.value]
        title, date, notes = ([one for one in filled if one.column == name] for name in ("title", "date", "notes"))
        title += [one for one in filled if one.column is None and (not one.label or group_table(one.label))]
        time = next((one.time for one in (*date, *filled) if one.time), None)
        texts = (next((one.value for one in some), None) for some in (title, notes))
        details = "\n".join(one.line for one in filled) or None
        found.append(Milestone(position=position, title=next(texts), date=time, notes=next(texts), details=details))
    return tuple(found)


def performance_metrics(fields: Sequence[Field]) -> tuple[PerformanceMetric, ...]:
    """Returns one metric per item of the group; the question is the member labeled as such, or the label of the only member."""
    found = []
    for position, item in _group_by_item(fields, "performance_metrics"):
        asked = next((one for one in item if one.column == "question"), None) if len(item) > 1 else None
        question = asked.value if asked else item[0].label if len(item) == 1 and not group_table(item[0].label) else None
        rest = [one for one in item if one is not asked]
        answer = rest[0].value if len(rest) == 1 else "\n".join(one.line for one in rest if one.value)
        found.append(PerformanceMetric(position=position, question=question or None, answer=answer or None))
    return tuple(found)
