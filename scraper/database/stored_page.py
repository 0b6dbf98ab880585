"""The parsed content of a record page, encoded as bytes: workers send it, `parsed_pages` keeps it, `build` reads it."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import orjson
import zstandard

from parsers.columns import field_key
from parsers.record import Field, FieldState, Record, RecordValues, columns_of

VALUE_COLUMNS = tuple(columns_of(RecordValues))
_value_row = attrgetter(*VALUE_COLUMNS)
json_text = json.JSONEncoder(ensure_ascii=False).encode
_LEVEL = 1
"""Level of zstd: 30 µs and a quarter of the size for an average page; level 3 takes a third longer for 2% (November 2026)."""


class FieldValue(NamedTuple):
    """One row of `fields` as one capture shows it. `key` is the same on every capture of the record (`parsers.columns`)."""

    key: str
    section: str | None
    label: str | None
    name: str | None
    item: str | None
    value: str | None
    state: str
    href: str | None
    datetime: str | None
    occurrence: int = 1
    truncated: bool = False
    person: bool = False


_field_row = attrgetter(*FieldValue._fields[1:])


class StoredPage(NamedTuple):
    """The content of a record page. The last three are rows derived from this page alone, in the order of the tables' columns.

    `fields`: the columns of `FieldValue` without the key, or whole FieldValues if pages are to be merged (`with_keys`).
    """

    form: str
    incomplete: bool
    url: str | None
    head: list[Any]
    fields: list[Any]
    sections: list[Sequence[Any]]
    values: list[Any]
    milestones: list[list[Any]]
    performance_metrics: list[list[Any]]


def to_stored_page(record: Record) -> StoredPage:
    """Converts a record page to rows."""
    return StoredPage(
        record.form,
        record.incomplete,
        record.url,
        [record.title, record.node_id, record.submitted_by, record.submitted_at],
        [_field_row(one) for one in record.fields],
        [(section.label, section.text) for section in record.sections],
        value_row(record),
        [[one.position, one.title, one.date, one.notes, one.details] for one in record.milestones],
        [[one.position, one.question, one.answer] for one in record.performance_metrics],
    )


def encode(record: Record) -> bytes:
    """Encodes a record page as compressed JSON; characters that SQLite cannot store as text are replaced."""
    content = (*to_stored_page(record),)
    try:
        encoded = orjson.dumps(content)
    except orjson.JSONEncodeError:  # a lone surrogate
        encoded = b"\\u0000"
    return zstandard.compress(orjson.dumps(storable(content)) if b"\\u0000" in encoded else encoded, _LEVEL)


def decode(page: bytes) -> StoredPage:
    """Decodes what `encode` returned."""
    return StoredPage._make(orjson.loads(zstandard.decompress(page)))


def with_keys(page: StoredPage) -> StoredPage:
    """Returns the page with the key of each field, by which merging compares captures."""
    return StoredPage(*page[:4], [FieldValue(_key(*row[:4]), *row) for row in page.fields], *page[5:])


def value_row(values: RecordValues) -> list[Any]:
    """Converts a record's columns for SQLite: lists to JSON text, yes and no to 1 and 0."""
    return [
        _json_array(tuple(value)) if type(value) in (list, tuple) else int(value) if type(value) is bool else value
        for value in _value_row(values)
    ]


_json_array = lru_cache(maxsize=4096)(json_text)
"""Cached: most are lists of the site's own terms, which are repeated on many pages."""


_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
"""SQLite's text functions stop at NUL, and lone surrogates can't be encoded in UTF-8."""


def storable(value: Any) -> Any:
    """Returns the value with every character that SQLite cannot store as text replaced, also within lists."""
    if isinstance(value, str):
        return _NOT_STORABLE.sub("\ufffd", value)
    return [storable(one) for one in value] if isinstance(value, list | tuple) else value


@lru_cache(maxsize=8192)
def _key(section: str | None, label: str | None, name: str | None, item: str | None) -> str:
    return field_key(Field(position=0, section=section, label=label, name=name, item=item, state=FieldState.EMPTY))
