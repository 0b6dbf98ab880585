"""What the parsers say about stored captures, in a form that travels between processes and lies in the spill.

This is what worker processes run: it imports the parsers and the archive's reader and nothing of the database.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from parsers.columns import field_key
from parsers.record import Kind, Record, RecordValues
from parsers.urls import absolute, node_id
from scraper.archive import Entry, read_entry
from scraper.capture import Capture, Form
from scraper.errors import ArchiveDamaged
from scraper.reading import read_capture

PAGE_SECONDS = 30.0
"""Bound on one page. A 5 MB page takes under a second on a slow machine, so what takes longer hangs (November 2026)."""
VALUE_COLUMNS = tuple(RecordValues.model_fields)


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


def parse_stored(folder: Path, entries: Sequence[Entry], *, alone: bool = True) -> list[Verdict]:
    """Reads and parses captures. `alone`: a page over its time ends the process, which the caller notices and repeats."""
    with _page_clock(alone=alone) as clock:
        return [_verdict(folder, entry, clock) for entry in entries]


def unreadable(capture_id: str, url: str | None, reason: str) -> Verdict:
    """The verdict on a page that the parser can't cope with."""
    return Verdict(capture_id, Kind.UNREADABLE, reason, node_id(url))


def _verdict(folder: Path, entry: Entry, clock: _Clock) -> Verdict:
    redirects = entry.http_status is not None and 300 <= entry.http_status < 400
    if entry.form == Form.REVISIT and not redirects:
        return _of_revisit(entry)
    try:
        capture = read_entry(folder, entry)
    except ArchiveDamaged as error:
        return Verdict(entry.capture_id, Kind.UNREADABLE, "", damage=str(error))
    if entry.form == Form.REVISIT:
        return _of_revisit(entry)._replace(redirect_to=_target(capture))
    try:
        with clock.page():
            return verdict_on(capture, entry.capture_id)
    except Exception as error:  # a page must never cost the rest of the load
        return unreadable(entry.capture_id, entry.url, f"the parser failed: {type(error).__name__}")


def _of_revisit(entry: Entry) -> Verdict:
    return Verdict(entry.capture_id, Kind.REVISIT, "the archive holds no body of its own for it", node_id(entry.url))


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
        flags=json.dumps(_clean(record.flags), ensure_ascii=False) if record.flags else None,
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
        [
            (
                field_key(one),
                one.section,
                one.label,
                one.name,
                one.item,
                one.value,
                one.state,
                one.href,
                one.datetime,
                one.occurrence,
            )
            for one in record.fields
        ],
        [(section.label, section.text) for section in record.sections],
        value_row(record),
        [(one.position, one.title, one.date, one.notes, one.details) for one in record.milestones],
        [(one.position, one.question, one.answer) for one in record.performance_metrics],
    ]
    try:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return None


def value_row(values: RecordValues) -> list[Any]:
    """A record's columns as SQLite keeps them: lists as JSON text, yes and no as 1 and 0."""
    return [_sql_value(getattr(values, name)) for name in VALUE_COLUMNS]


def _sql_value(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return value


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


def unpack(page: bytes) -> Content:
    """The content that `pack` made bytes of."""
    form, incomplete, url, head, fields, sections, *derived = json.loads(page)
    return Content(form, incomplete, url, head, [FieldValue._make(row) for row in fields], sections, *derived)


class _Clock:
    """Bounds the time of each page, where the platform can."""

    def __init__(self, *, works: bool) -> None:
        self._works = works

    @contextmanager
    def page(self) -> Iterator[None]:
        if self._works:
            signal.setitimer(signal.ITIMER_REAL, PAGE_SECONDS)
        try:
            yield
        finally:
            if self._works:
                signal.setitimer(signal.ITIMER_REAL, 0)


class PageTookTooLong(Exception):
    """A page was given up; the load marks it and goes on."""


def _give_up(_signal: int, _frame: FrameType | None) -> None:
    raise PageTookTooLong


@contextmanager
def _page_clock(*, alone: bool) -> Iterator[_Clock]:
    """SIGALRM ends a worker process even where C code hangs; in the main process it can only interrupt Python code."""
    try:
        before = signal.signal(signal.SIGALRM, signal.SIG_DFL if alone else _give_up)
    except (AttributeError, ValueError):  # no such signal here, or not the main thread
        yield _Clock(works=False)
        return
    try:
        yield _Clock(works=True)
    finally:
        signal.signal(signal.SIGALRM, before)
