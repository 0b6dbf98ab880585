"""Builds the rows of records out of the parsed pages of all their captures, a record at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple, cast

import zstandard

from parsers.columns import derive, milestones, performance_metrics
from parsers.record import Field, PageHead
from parsers.urls import without_archive
from scraper.database.assign_records import BUILD_ORDER
from scraper.database.bulk import insert_rows
from scraper.database.derived import derived
from scraper.database.merge import Merged, Seen, merge
from scraper.database.same_value import Sourced
from scraper.database.spill import Spill
from scraper.database.stored_page import VALUE_COLUMNS, StoredPage, decode, keyed, value_row
from scraper.database.tables import Availability

_OF_A_RECORD = ("records", "fields", "sections", "milestones", "performance_metrics", "changes")
_NODE = VALUE_COLUMNS.index("node_id")
_ROWS_AT_ONCE = 2_000


class _Shown(NamedTuple):
    """A capture of a record, as the database lists it, and where in the spill its page lies; None where nobody has one."""

    record_id: str
    capture_id: str
    captured_at: str | None
    url: str | None
    at: int | None
    length: int | None


class _Placed(NamedTuple):
    """A row of `fields` with its place: what `parsers.record.Field` has, without being a model."""

    position: int
    section: str | None
    label: str | None
    name: str | None
    item: str | None
    value: str | None
    state: str
    href: str | None
    datetime: str | None
    occurrence: int
    truncated: bool


Rows = dict[str, list[tuple[Any, ...]]]


def build(db: sqlite3.Connection, spill: Spill) -> int:
    """Writes every record of `temp.affected` anew, from the captures it has now; returns how many there are."""
    spill.flush()
    for table in reversed(_OF_A_RECORD):
        db.execute(f"DELETE FROM {table} WHERE record_id IN (SELECT record_id FROM temp.affected)")
    rows: Rows = {table: [] for table in _OF_A_RECORD}
    count = waiting = 0
    for record_id, captures in _captures(db):
        waiting += _add(rows, record_id, captures, spill)
        count += 1
        if waiting > _ROWS_AT_ONCE:
            _write(db, rows)
            waiting = 0
    _write(db, rows)
    return count


def _captures(db: sqlite3.Connection) -> Iterator[tuple[str, Iterator[_Shown]]]:
    query = f"""
        SELECT record_id, capture_id, captured_at, url, at, length
        FROM captures LEFT JOIN (SELECT capture_id AS body, at, length FROM temp.parsed)
        ON body = CASE WHEN form IS NOT NULL THEN coalesce(original_id, capture_id) END
        WHERE record_id IN (SELECT record_id FROM temp.affected) ORDER BY record_id, {BUILD_ORDER}
    """
    return groupby(map(_Shown._make, db.execute(query)), key=lambda shown: shown.record_id)


def _write(db: sqlite3.Connection, rows: Rows) -> None:
    for table, waiting in rows.items():
        insert_rows(db, table, waiting)
        waiting.clear()


def _add(rows: Rows, record_id: str, captures: Iterator[_Shown], spill: Spill) -> int:
    """Appends the rows of one record; returns how many."""
    story = _Story(spill)
    for shown in captures:
        story.add(shown)
    values, parts = story.result(record_id)
    if record_id.isdecimal():
        values[_NODE] = int(record_id)
    # `availability` sets the last two
    about = (story.url or story.page_url, story.first, story.last, story.captures, Availability.UNKNOWN, None)
    rows["records"].append((record_id, *values, *derived(values), *about))
    for table, members in parts.items():
        rows[table] += members
    return 1 + sum(map(len, parts.values()))


class _Story:
    """The captures of one record, in order. Where all show the same page, what was derived from it is the record's."""

    def __init__(self, spill: Spill) -> None:
        self._spill = spill
        self._showing: list[tuple[_Shown, bytes]] = []
        self.url: str | None = None
        self.page_url: str | None = None
        self.first: str | None = None
        self.last: str | None = None
        self.captures = 0

    def add(self, shown: _Shown) -> None:
        self.captures += 1
        if shown.url:
            self.url = without_archive(shown.url)
        if shown.captured_at:
            self.first = self.first or shown.captured_at
            self.last = shown.captured_at
        if shown.at is None or shown.length is None:
            return
        page = self._spill.page(shown.at, shown.length)
        self._showing.append((shown, self._showing[-1][1] if self._showing and page == self._showing[-1][1] else page))

    def result(self, record_id: str) -> tuple[list[Any], Rows]:
        """The record's columns, and the rows of its other tables."""
        if not self._showing:
            return [None] * len(VALUE_COLUMNS), {}
        last, page = self._showing[-1]
        if self._showing[0][1] is page:
            packed = decode(zstandard.decompress(page))
            self.page_url = packed.url
            return page_rows(packed, record_id, last.capture_id)
        captures = []
        for page, showing in groupby(self._showing, key=lambda pair: pair[1]):
            content = keyed(decode(zstandard.decompress(page)))
            captures += [Seen(shown.capture_id, shown.captured_at, content) for shown, _ in showing]
            self.page_url = content.url or self.page_url
        return merged_rows(merge(captures), record_id)


def page_rows(page: StoredPage[list[Any]], record_id: str, capture_id: str) -> tuple[list[Any], Rows]:
    """What one page says, as it was derived when it was parsed."""
    return page.values, {
        "fields": [(record_id, position, *row, capture_id) for position, row in enumerate(page.fields, start=1)],
        "sections": [(record_id, position, *section, capture_id) for position, section in enumerate(page.sections, start=1)],
        "milestones": [(record_id, *row) for row in page.milestones],
        "performance_metrics": [(record_id, *row) for row in page.performance_metrics],
        "changes": [],
    }


def merged_rows(merged: Merged, record_id: str) -> tuple[list[Any], Rows]:
    """What several pages show together. Where the latest shows all of it, what was derived from that page is the record's."""
    columns = derived_again(merged.head, merged.fields) if merged.latest is None else merged.latest
    return columns.values, {
        "fields": [(record_id, position, *one.row[1:], one.capture_id) for position, one in enumerate(merged.fields, start=1)],
        "sections": [(record_id, position, *section) for position, section in enumerate(merged.sections, start=1)],
        "milestones": [(record_id, *row) for row in columns.milestones],
        "performance_metrics": [(record_id, *row) for row in columns.performance_metrics],
        "changes": [(record_id, *change) for change in merged.changes],
    }


class Derived(NamedTuple):
    """What is derived of fields, as `StoredPage` has it of one page."""

    values: list[Any]
    milestones: list[list[Any]]
    performance_metrics: list[list[Any]]


def derived_again(head: dict[str, Any], sourced: Sequence[Sourced]) -> Derived:
    """The columns out of the merged fields: they are not merged themselves."""
    # `derive` and its neighbours only look at the rows, and making models of them again would take longer than they do
    fields = cast("list[Field]", [_Placed(position, *one.row[1:]) for position, one in enumerate(sourced, start=1)])
    return Derived(
        value_row(derive(PageHead(**head), fields)),
        [[one.position, one.title, one.date, one.notes, one.details] for one in milestones(fields)],
        [[one.position, one.question, one.answer] for one in performance_metrics(fields)],
    )
