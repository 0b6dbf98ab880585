"""What the parsers say about stored captures, in a form that travels between processes and lies in the spill.

This is what worker processes run: it imports the parsers and the archive's reader and nothing of the database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from operator import itemgetter
from typing import Any, NamedTuple, cast

import orjson

from parsers.columns import field_key
from parsers.record import Field, Kind, Record, RecordValues
from parsers.urls import absolute, node_id
from scraper.archive.warc import Damage, read_captures
from scraper.capture import Capture, Form
from scraper.database.clock import Clock, page_clock
from scraper.errors import PageTookTooLong
from scraper.reading import read_capture

PAGE_SECONDS = 30.0
"""Bound on one page. A 5 MB page takes under a second on a slow machine, so what takes longer hangs (November 2026)."""
GIVEN_UP = "the parser crashed or took too long on it"
"""The reason on a page that ended the processes that read it, or was over its time."""
VALUE_COLUMNS = tuple(RecordValues.model_fields)
_VALUE_ROW = itemgetter(*VALUE_COLUMNS)
_FIELD_ROW = itemgetter("section", "label", "name", "item", "value", "state", "href", "datetime", "occurrence", "truncated")
_json_text = json.JSONEncoder(ensure_ascii=False).encode


class Verdict(NamedTuple):
    """One capture, parsed. `page` is the packed content where it shows a record; `damage` says why it could not be read."""

    capture_id: str
    kind: str
    reason: str
    node_id: int | None = None
    reference: str | None = None
    form: str | None = None
    shape: str | None = None
    flags: str | None = None
    redirect_to: str | None = None
    page: bytes | None = None
    damage: str | None = None


class FieldValue(NamedTuple):
    """One row of `fields` as one capture shows it, with its key, which is the same on every capture of the record."""

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


class Content(NamedTuple):
    """The content of a record page, unpacked. The last three are the rows derived from this page alone."""

    form: str
    incomplete: bool
    url: str | None
    head: list[Any]
    fields: list[FieldValue]
    sections: list[tuple[str, str | None]]
    values: list[Any]
    milestones: list[list[Any]]
    performance_metrics: list[list[Any]]


class Wanted(NamedTuple):
    """A capture to be parsed, and where in its stretch its record lies (bytes)."""

    capture_id: str
    offset: int
    length: int
    form: str
    url: str | None
    http_status: int | None


class Stretch(NamedTuple):
    """Part of a WARC file from byte `start` on, and the captures wanted of it; `problem` is why a record can't be read."""

    file: str
    start: int
    data: bytes
    wanted: tuple[Wanted, ...]
    problem: str

    def split(self) -> list[Stretch]:
        """A stretch for each capture."""
        return [
            Stretch(
                self.file,
                self.start + one.offset,
                self.data[one.offset : one.offset + one.length],
                (one._replace(offset=0),),
                self.problem,
            )
            for one in self.wanted
        ]

    def give_up(self) -> list[Verdict]:
        """The verdicts on captures that the parser can't cope with."""
        return [unreadable(one, GIVEN_UP) for one in self.wanted]


def parse_stretch(stretch: Stretch, *, alone: bool = True) -> list[Verdict]:
    """A verdict for each wanted capture. `alone`: a page over its time ends the process, which the caller notices."""
    try:
        with page_clock(PAGE_SECONDS, alone=alone) as clock:
            return [_verdict(one, capture, stretch, clock) for one, capture in _read(stretch)]
    except MemoryError:  # what a machine has no room for is no word about the page: another machine reads it
        parts = stretch.split()
    if len(parts) > 1:
        return [verdict for part in parts for verdict in parse_stretch(part, alone=alone)]
    return [_no_room(one, stretch) for one in stretch.wanted]


def _no_room(one: Wanted, stretch: Stretch) -> Verdict:
    place = f"{stretch.file} at {stretch.start + one.offset}"
    damage = f"{place}: there is not enough memory to read this page; make memory free, or use `--workers 1`"
    return Verdict(one.capture_id, Kind.UNREADABLE, "", damage=damage)


def _read(stretch: Stretch) -> Iterator[tuple[Wanted, Capture | None]]:
    """The wanted captures, read in one go; None where there is no readable record, or none is needed."""
    records = (item for item in read_captures(BytesIO(stretch.data), "") if not isinstance(item, Damage))
    here = next(records, None)
    for one in stretch.wanted:
        while here is not None and here[0] < one.offset:
            here = next(records, None)
        yield one, here[1] if here is not None and here[0] == one.offset else None


def unreadable(one: Wanted, reason: str) -> Verdict:
    """The verdict on a page that the parser can't cope with."""
    return Verdict(one.capture_id, Kind.UNREADABLE, reason, node_id(one.url))


def _verdict(one: Wanted, capture: Capture | None, stretch: Stretch, clock: Clock) -> Verdict:
    redirects = one.http_status is not None and 300 <= one.http_status < 400
    if one.form == Form.REVISIT and not redirects:
        return _of_revisit(one)
    if capture is None:
        damage = f"{stretch.file} at {stretch.start + one.offset}: {stretch.problem}; restore it from a copy"
        return Verdict(one.capture_id, Kind.UNREADABLE, "", damage=damage)
    if one.form == Form.REVISIT:
        return _of_revisit(one)._replace(redirect_to=_target(capture))
    try:
        with clock():
            return verdict_on(capture, one.capture_id)
    except MemoryError:
        raise
    except PageTookTooLong:
        return unreadable(one, GIVEN_UP)
    except Exception as error:  # a page must never cost the rest of the load
        return unreadable(one, f"the parser failed: {type(error).__name__}")


def _of_revisit(one: Wanted) -> Verdict:
    return Verdict(one.capture_id, Kind.REVISIT, "the archive holds no body of its own for it", node_id(one.url))


def _target(capture: Capture) -> str | None:
    """Where an archived redirect leads, as an absolute address without an archive's prefix."""
    cleaned: str | None = _clean(absolute(capture.header("location"), capture.url))
    return cleaned


def verdict_on(capture: Capture, capture_id: str) -> Verdict:
    """Parses one capture."""
    page = read_capture(capture)
    record = page.record
    if page.kind is not Kind.RECORD or record is None:
        target = _target(capture) if page.kind is Kind.REDIRECT else None
        return Verdict(capture_id, str(page.kind), _clean(page.reason), node_id(capture.url), redirect_to=target)
    return Verdict(
        capture_id,
        str(page.kind),
        _clean(page.reason),
        node_id=record.node_id if record.node_id is not None else node_id(capture.url),
        reference=_clean(record.reference),
        form=record.form,
        shape=record.shape or None,
        flags=_json_text(_clean(record.flags)) if record.flags else None,
        page=pack(record),
    )


def pack(record: Record) -> bytes:
    """A record page's content as JSON bytes; characters that SQLite can't keep as text are replaced."""
    packed = _packed(record)
    if packed is None or b"\\u0000" in packed:
        packed = _packed(Record.model_validate(_clean(record.model_dump())))
    return packed or b""


def _packed(record: Record) -> bytes | None:
    """None where a text holds a lone surrogate."""
    content = [
        record.form,
        record.incomplete,
        record.url,
        [record.title, record.node_id, record.submitted_by, record.submitted_at],
        [_FIELD_ROW(vars(one)) for one in record.fields],
        [(section.label, section.text) for section in record.sections],
        value_row(record),
        [(one.position, one.title, one.date, one.notes, one.details) for one in record.milestones],
        [(one.position, one.question, one.answer) for one in record.performance_metrics],
    ]
    try:
        return orjson.dumps(content)
    except orjson.JSONEncodeError:
        return None


def value_row(values: RecordValues) -> list[Any]:
    """A record's columns as SQLite keeps them: lists as JSON text, yes and no as 1 and 0."""
    return [value if value is None or type(value) is str else _sql_value(value) for value in _VALUE_ROW(vars(values))]


def _sql_value(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | tuple):
        return _json_array(tuple(value))
    return value


@lru_cache(maxsize=4096)
def _json_array(texts: tuple[str, ...]) -> str:
    """Most are lists of the site's own terms, which come again."""
    return _json_text(texts)


_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")
"""Lone surrogates have no UTF-8, and SQLite's text functions stop at NUL."""


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _UNKEEPABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {name: _clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


class Packed(NamedTuple):
    """A packed page as it lies in the spill. Rows of `fields` are those of `FieldValue` without the key."""

    form: str
    incomplete: bool
    url: str | None
    head: list[Any]
    fields: list[list[Any]]
    sections: list[tuple[str, str | None]]
    values: list[Any]
    milestones: list[list[Any]]
    performance_metrics: list[list[Any]]


def opened(page: bytes) -> Packed:
    """What `pack` made bytes of."""
    return Packed._make(orjson.loads(page))


def unpack(page: bytes) -> Content:
    """The same with each field's key, as merging needs it."""
    packed = opened(page)
    return Content(*packed[:4], [FieldValue(_key(*row[:4]), *row) for row in packed.fields], *packed[5:])


class _Keyed(NamedTuple):
    """What `parsers.columns.field_key` looks at."""

    section: str | None
    label: str | None
    name: str | None
    item: str | None


@lru_cache(maxsize=8192)
def _key(section: str | None, label: str | None, name: str | None, item: str | None) -> str:
    return field_key(cast("Field", _Keyed(section, label, name, item)))
