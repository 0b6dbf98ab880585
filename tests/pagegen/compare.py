"""A page's truth against what somebody read from it, both in the contract's terms; knows no parser's types.

Each function returns sentences about what is wrong, none if all is right, so that a test can assert on an empty list
and a report can count them by their first word: `missing`, `invented`, `column`, `description`, `section`, `group`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.pagegen.render_text import words_of
from tests.pagegen.truth import FieldTruth, PageTruth

Row = Mapping[str, Any]
KEYS = ("section", "label", "name", "item", "value", "state", "href", "datetime")


def plain(value: object) -> object:
    """Texts without differences of white space and bullets, empty ones as None; anything else as it is."""
    return " ".join(words_of(value)) or None if isinstance(value, str) else value


def expected_rows(field: FieldTruth) -> list[dict[str, Any]]:
    """The rows of `fields` that one field makes: a row per value, one with a NULL value where there is none."""
    same = {
        "section": field.section,
        "label": field.label,
        "name": field.name,
        "item": field.item,
        "state": field.state,
    }
    filled = [
        {**same, "value": value, "href": href, "datetime": time}
        for value, href, time in zip(field.values, field.hrefs, field.datetimes, strict=True)
    ]
    return filled or [{**same, "value": None, "href": None, "datetime": None}]


def _key(row: Row) -> tuple[object, ...]:
    return tuple(plain(row.get(key)) for key in KEYS)


def wrong_fields(truth: PageTruth, rows: Iterable[Row], elsewhere: str = "") -> list[str]:
    """Rows that are missing, changed or out of order, and rows with a label that the page has not.

    Uncertain fields ask only that their words are somewhere: in the rows or `elsewhere` (description, sections). Rows
    without a label are never too many: they contain text that belongs to no field, such as a field group's legend. A cut
    page may have more than its truth promises.
    """
    actual = [dict(row) for row in rows]
    keys = [_key(row) for row in actual]
    used: set[int] = set()
    wrong, at = [], 0
    for row in (row for field in truth.fields if field.certain for row in expected_rows(field)):
        key = _key(row)
        found = next((index for index in range(at, len(keys)) if keys[index] == key), None)
        if found is None:
            wrong.append(f"missing {_shown(row)}")
        else:
            used.add(found)
            at = found + 1
    uncertain = [field for field in truth.fields if not field.certain]
    everything = " ".join([elsewhere, *(f"{row.get('item')} {row.get('label')} {plain(row.get('value'))}" for row in actual)])
    for word in (word for field in uncertain for text in (field.label, *field.values) for word in words_of(text or "")):
        if word.rstrip(":") not in everything:
            wrong.append(f"missing the word {word!r} of a field whose bounds are open")
    if not uncertain and not truth.cut:
        spare = [row for index, row in enumerate(actual) if index not in used and row.get("label") is not None]
        wrong += [f"invented {_shown(row)}" for row in spare]
    return wrong


def _shown(row: Row) -> str:
    return ", ".join(f"{key}={row[key]!r}" for key in KEYS if row.get(key) is not None)


def wrong_columns(truth: PageTruth, record: Row) -> list[str]:
    """Columns that differ from what the page decides; the others are not looked at."""
    return [
        f"column {column}: {record.get(column)!r} in place of {value!r}"
        for column, value in truth.columns.items()
        if not _same(record.get(column), value)
    ]


def _same(actual: object, expected: object) -> bool:
    if isinstance(expected, list) and isinstance(actual, list | tuple):
        return [plain(value) for value in actual] == [plain(value) for value in expected]
    if isinstance(expected, bool | int | float) and actual is not None:
        return str(actual) == str(expected) or actual == expected
    return plain(actual) == plain(expected)


def wrong_description(truth: PageTruth, description: str | None) -> list[str]:
    """The body, word for word; where its end is uncertain only that its words are there."""
    wanted, found = words_of(truth.description or ""), words_of(description or "")
    if truth.description_certain:
        return [] if wanted == found else [f"description: {_difference(wanted, found)}"]
    return [] if " ".join(wanted) in " ".join(found) else ["description: words of the body are missing"]


def _difference(wanted: list[str], found: list[str]) -> str:
    same = next((i for i, (a, b) in enumerate(zip(wanted, found, strict=False)) if a != b), min(len(wanted), len(found)))
    return f"after {same} words {' '.join(found[same : same + 6])!r} in place of {' '.join(wanted[same : same + 6])!r}"


def wrong_sections(truth: PageTruth, rows: Iterable[Row]) -> list[str]:
    """The instruction fields with their texts, in order."""
    found = [(str(plain(row.get("label"))), str(plain(row.get("text")))) for row in rows]
    wrong = []
    for number, section in enumerate(truth.sections):
        label, text = found[number] if number < len(found) else ("", "")
        wanted = str(plain(section.text))
        if label != plain(section.label) or not (text == wanted or (not section.certain and text.startswith(wanted))):
            wrong.append(f"section {section.label!r} is missing or changed")
    if len(found) > len(truth.sections) and not truth.cut:
        wrong.append(f"section {found[len(truth.sections)][0]!r} is none")
    return wrong


def wrong_groups(truth: PageTruth, milestones: Iterable[Row], metrics: Iterable[Row]) -> list[str]:
    """Milestones and metrics by their values only, as the contract leaves the names of the columns open."""
    wrong = []
    pairs = (("Milestone", truth.milestones, milestones), ("Performance Metrics", truth.metrics, metrics))
    for name, wanted, found in pairs:
        rows = [" ".join(str(plain(value)) for value in row.values() if value is not None) for row in found]
        if len(rows) != len(wanted) and truth.whole:
            wrong.append(f"group {name}: {len(rows)} rows in place of {len(wanted)}")
        for number, (row, text) in enumerate(zip(wanted, rows, strict=False), start=1):
            lost = [value for value in row.values() if value and " ".join(words_of(value)) not in text]
            wrong += [f"group {name} {number}: {value!r} is missing" for value in lost]
    return wrong
