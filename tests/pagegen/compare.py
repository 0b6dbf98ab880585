"""The terms in which `tests.quality` compares a page's truth with what was read from it; knows no parser's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.pagegen.render_text import words_of
from tests.pagegen.truth import FieldTruth

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
