"""Where a value comes from: its state, its history, the captures that show it, and the place on the page.

The database tells the captures; `origins` reads them. A column made out of others leads to what those were read from.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from parsers.record import RecordValues, columns_of
from parsers.registry import LABELS, known, known_name, normal
from scraper.database.assign_records import BUILD_ORDER
from scraper.database.availability import FIELD as AVAILABILITY
from scraper.database.merge import HEAD
from scraper.errors import TtaError
from scraper.provenance.origins import Origin, Origins, Row, key_of

_KEY_OF_COLUMN = (
    {column.name: label.columns[0].name for label in LABELS for column in label.columns}
    | {"description": "description", "reference": "title"}
    | {name: name for name in HEAD}
)
"""The field that each column of a record is read from; a title that is a reference is that column too."""
_SUBMISSION = ("reference", "submitted_at")
_MADE_OF: dict[str, tuple[str, ...]] = (
    dict.fromkeys(("fiscal_year", "submitted_on", "submitted_year"), _SUBMISSION)
    | dict.fromkeys(("event_on", "event_fiscal_year"), ("event_start",))
    | dict.fromkeys(("place_state", "place_state_code", "place_county", "place_county_code"), ("longitude", "latitude"))
    | {"county_agrees": ("longitude", "latitude", "county")}
)
"""The columns that others are made out of. Of the submission's two the reference counts where there is one."""
_OF_CAPTURES = ("url", "first_captured_at", "last_captured_at", "captures", "availability", "gone_since", "record_id")
"""Columns that captures tell, not fields of pages."""
_SHOWN_FIELDS = 12


@dataclasses.dataclass(slots=True)
class Reason:
    """All that is known about one field of a record: its rows, its columns, its history, and where the rows come from.

    `made_of`: the columns that the asked one was made out of; the rest is then theirs.
    """

    record_id: str
    field: str
    columns: Row = dataclasses.field(default_factory=dict)
    made_of: list[str] = dataclasses.field(default_factory=list)
    rows: list[Row] = dataclasses.field(default_factory=list)
    changes: list[Row] = dataclasses.field(default_factory=list)
    origins: list[Origin] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class _Record:
    """What the database has of one record."""

    record_id: str
    columns: Row
    captures: list[Row]
    fields: list[Row]
    keys: list[str]
    sections: list[Row]

    def capture(self, capture_id: str) -> Row:
        return next(one for one in self.captures if one["capture_id"] == capture_id)


class Why:
    """Answers for one database and its archive."""

    def __init__(self, db: sqlite3.Connection, archive: Path) -> None:
        self._db = db
        self._origins = Origins(archive)
        self._last: _Record | None = None

    def record(self, name: str) -> str:
        """The `record_id` for a record's id, node number or reference. Raises TtaError where there is none."""
        for query in (
            "SELECT record_id FROM records WHERE record_id = ?",
            "SELECT record_id FROM records WHERE reference = ? ORDER BY record_id",
            "SELECT record_id FROM captures WHERE reference = ? AND record_id IS NOT NULL ORDER BY record_id",
            "SELECT record_id FROM captures WHERE url = ? AND record_id IS NOT NULL ORDER BY record_id",
        ):
            found = self._db.execute(query, [name.strip().lstrip("0") or name if name.isdecimal() else name.strip()]).fetchone()
            if found:
                return str(found[0])
        raise TtaError(f"no record {name!r}: give a node number, a reference such as 20250129-145639-07, or a record_id")

    def captures(self, record_id: str) -> list[Row]:
        """The record's captures by time."""
        return self._of(record_id).captures

    def fields(self, record_id: str) -> list[Row]:
        """The record's fields in page order."""
        return self._of(record_id).fields

    def everything(self, record_id: str) -> Iterator[Reason]:
        """The reason of every value that the database has of the record: columns, fields, items of groups, sections."""
        record = self._of(record_id)
        for column, value in record.columns.items():
            if value is not None:
                yield self.field(record_id, column)
        for key in dict.fromkeys(record.keys):
            yield self._by_key(record, key)
        for item in dict.fromkeys(row["item"] for row in record.fields if row["item"]):
            yield self.field(record_id, item)
        for label in dict.fromkeys(row["label"] for row in record.sections):
            yield self.field(record_id, label)

    def field(self, record_id: str, name: str) -> Reason:
        """Where a field comes from. `name` is a column, a label, a machine name, an item or a section. Raises TtaError."""
        record, wanted = self._of(record_id), name.strip()
        if wanted in _OF_CAPTURES:
            return self._told_by_captures(record, wanted)
        if wanted in _MADE_OF:
            return self._made_of(record, wanted)
        for find in (self._section, self._item):
            if reason := find(record, wanted):
                return reason
        key = _KEY_OF_COLUMN.get(wanted) or next(
            (key for key, row in zip(record.keys, record.fields, strict=True) if wanted == key or _is_called(row, wanted)), None
        )
        if key is None and (entry := known(wanted) or known_name(wanted)):
            key = entry.columns[0].name if entry.columns else normal(entry.text)
        if key is None or (key not in record.keys and key not in HEAD):
            raise TtaError(_no_field(record, name))
        return self._by_key(record, key)

    def _by_key(self, record: _Record, key: str) -> Reason:
        rows = [row for row_key, row in zip(record.keys, record.fields, strict=True) if row_key == key]
        names = [name for name, other in _KEY_OF_COLUMN.items() if other == key and name in columns_of(RecordValues)]
        reason = Reason(record.record_id, key, {name: record.columns[name] for name in names}, rows=rows)
        reason.changes = self._changes(record, key)
        reason.origins = self._of_rows(record, rows) if rows else self._of_head(record, key)
        return reason

    def _of_rows(self, record: _Record, rows: list[Row]) -> list[Origin]:
        by_capture = groupby(sorted(rows, key=lambda row: str(row["capture_id"])), key=lambda row: str(row["capture_id"]))
        origins = {capture_id: self._origins.of_rows(record.capture(capture_id), list(run)) for capture_id, run in by_capture}
        return [origins[capture_id] for capture_id in dict.fromkeys(str(row["capture_id"]) for row in rows)]

    def _of_head(self, record: _Record, name: str) -> list[Origin]:
        """The last capture that shows a value of the page's head, as `merge` takes it."""
        showing = (one for one in reversed(record.captures) if self._origins.head(one, name) is not None)
        last = next(showing, None)
        return [self._origins.of_head(last, name)] if last is not None else []

    def _changes(self, record: _Record, key: str) -> list[Row]:
        query = "SELECT field, old_value, new_value, seen_after, seen_by FROM changes WHERE record_id = ? AND field = ? "
        return self._rows(query + "ORDER BY rtrim(seen_by, 'Z')", record.record_id, key)

    def _section(self, record: _Record, wanted: str) -> Reason | None:
        rows = [row for row in record.sections if normal(row["label"]) == normal(wanted)]
        if not rows:
            return None
        origins = [
            self._origins.of_sections(record.capture(capture_id), [row for row in rows if row["capture_id"] == capture_id])
            for capture_id in dict.fromkeys(row["capture_id"] for row in rows)
        ]
        return Reason(record.record_id, rows[0]["label"], rows=rows, origins=origins)

    def _item(self, record: _Record, wanted: str) -> Reason | None:
        rows = [row for row in record.fields if row["item"] and normal(row["item"]) == normal(wanted)]
        if not rows:
            return None
        key = key_of(rows[0])
        return Reason(
            record.record_id,
            rows[0]["item"],
            rows=rows,
            changes=self._changes(record, key),
            origins=self._of_rows(record, rows),
        )

    def _made_of(self, record: _Record, column: str) -> Reason:
        """A column that no page prints, and what its sources were read from."""
        if column not in record.columns:
            raise TtaError(_no_field(record, column))
        sources = [name for name in _MADE_OF[column] if record.columns[name] is not None]
        sources = sources[:1] if _MADE_OF[column] == _SUBMISSION else sources
        if not sources:
            raise TtaError(f"record {record.record_id} has no {column}: it is made out of {' or '.join(_MADE_OF[column])}")
        reason = Reason(record.record_id, column, {column: record.columns[column]}, made_of=sources)
        for key in dict.fromkeys(_KEY_OF_COLUMN[name] for name in sources):
            source = self._by_key(record, key)
            reason.columns |= source.columns
            reason.rows += source.rows
            reason.changes += source.changes
            reason.origins += source.origins
        return reason

    def _told_by_captures(self, record: _Record, column: str) -> Reason:
        reason = Reason(record.record_id, column, {column: record.columns[column]})
        timed = [one for one in record.captures if one["captured_at"]]
        match column:
            case "url" | "record_id":
                reason.origins = self._of_address(record, column)
            case "availability" | "gone_since":
                reason.columns = {name: record.columns[name] for name in ("availability", "gone_since")}
                reason.changes = self._changes(record, AVAILABILITY)
                gone = self._since(record)
                reason.origins = [
                    self._origins.of_headers(one, "WARC-Date", "HTTP") for one in gone or (timed or record.captures)[-1:]
                ]
            case "captures":
                reason.origins = [self._origins.of_headers(one, "WARC-Date") for one in record.captures]
            case _:
                chosen = timed[:1] if column == "first_captured_at" else timed[-1:]
                reason.origins = [self._origins.of_headers(one, "WARC-Date") for one in chosen]
        return reason

    def _of_address(self, record: _Record, column: str) -> list[Origin]:
        """The last capture that tells the address, or the record's identity: node number, reference, address."""
        if column == "record_id" and record.record_id == str(record.columns["node_id"]):
            return self._of_head(record, "node_id")
        if column == "record_id" and record.columns["reference"]:
            return self._of_head(record, "title")
        addressed = [one for one in record.captures if one["url"]]
        if addressed:
            return [self._origins.of_headers(addressed[-1], "WARC-Target-URI")]
        named = [one for one in record.captures if self._origins.head(one, "url") is not None]
        if named:
            return [self._origins.of_page_url(named[-1])]
        return [self._origins.of_headers(one, "WARC-Record-ID") for one in record.captures[-1:]]

    def _since(self, record: _Record) -> list[Row]:
        """The captures that show the record gone, from the first on."""
        query = "SELECT * FROM captures WHERE gone_record_id = ? AND captured_at >= ? ORDER BY captured_at, capture_id"
        since = record.columns["gone_since"]
        return self._rows(query, record.record_id, since) if since else []

    def _of(self, record_id: str) -> _Record:
        if self._last is None or self._last.record_id != record_id:
            (columns,) = self._rows("SELECT * FROM records WHERE record_id = ?", record_id)
            captures = self._rows(f"SELECT * FROM captures WHERE record_id = ? ORDER BY {BUILD_ORDER}", record_id)  # noqa: S608
            fields = self._rows("SELECT * FROM fields WHERE record_id = ? ORDER BY position", record_id)
            sections = self._rows("SELECT * FROM sections WHERE record_id = ? ORDER BY position", record_id)
            self._last = _Record(record_id, columns, captures, fields, [key_of(row) for row in fields], sections)
        return self._last

    def _rows(self, query: str, *parameters: Any) -> list[Row]:
        cursor = self._db.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _no_field(record: _Record, name: str) -> str:
    if name in record.columns:
        return f"record {record.record_id} has no field for column {name!r}: no capture of it prints one"
    labels = list(dict.fromkeys(row["label"] or row["name"] for row in record.fields if row["label"] or row["name"]))
    more = ", ..." if len(labels) > _SHOWN_FIELDS else ""
    return f"record {record.record_id} has no field {name!r}; it has: {', '.join(map(str, labels[:_SHOWN_FIELDS]))}{more}"


def _is_called(row: Row, wanted: str) -> bool:
    """Whether a row has that label or machine name; `field_` and the kind of line between words make no difference."""
    if row["label"] and normal(row["label"]) == normal(wanted):
        return True
    return bool(row["name"]) and _machine(row["name"]) == _machine(wanted)


def _machine(name: str) -> str:
    return name.lower().replace("-", "_").removeprefix("field_")
