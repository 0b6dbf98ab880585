"""Explains where a value comes from: its state, its history, the captures that show it, and its place on the page.

The database names the captures; `origins` reads them. For a column derived from others, these are what is traced.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parsers.locate import Spots
from parsers.record import RecordValues, columns_of
from parsers.registry import LABELS, known, known_name, normal
from scraper.database.assign_records import BUILD_ORDER, REPLACED
from scraper.database.availability import FIELD as AVAILABILITY
from scraper.database.merge import HEAD, Merged
from scraper.database.tables import BY_NAME
from scraper.errors import TtaError
from scraper.provenance.origins import Origin, Origins, Place, Row, as_place, key_of, places_of_rows, places_of_sections

_KEY_OF_COLUMN = (
    {column.name: label.columns[0].name for label in LABELS for column in label.columns}
    | {"description": "description", "reference": "title"}
    | {name: name for name in HEAD}
)
"""The field that each column of a record is read from. A title that is a reference fills `reference` as well."""
_SUBMISSION = ("reference", "submitted_at")
_MADE_OF: dict[str, tuple[str, ...]] = (
    dict.fromkeys(("fiscal_year", "submitted_on", "submitted_year"), _SUBMISSION)
    | dict.fromkeys(("event_on", "event_fiscal_year"), ("event_start",))
    | dict.fromkeys(("place_state", "place_state_code", "place_county", "place_county_code"), ("longitude", "latitude"))
    | {"county_agrees": ("longitude", "latitude", "county")}
)
"""The columns that others are derived from. Of the two of the submission only the reference is used if there is one."""
_OF_CAPTURES = ("url", "first_captured_at", "last_captured_at", "captures", "availability", "gone_since", "record_id")
"""Columns that describe the captures of a record, not its page."""
_PART = "SELECT {} FROM {} WHERE record_id = ? ORDER BY position"
_SHOWN_FIELDS = 12


@dataclasses.dataclass(slots=True)
class Reason:
    """What is known about one field of a record: its columns, rows and history, and where they come from.

    `made_of`: the columns that the requested one is derived from; the rest is then theirs. `agreeing`: the captures that show the
    current value, or a part of it, besides those of `origins`.
    """

    record_id: str
    field: str
    columns: Row = dataclasses.field(default_factory=dict)
    made_of: list[str] = dataclasses.field(default_factory=list)
    rows: list[Row] = dataclasses.field(default_factory=list)
    changes: list[Row] = dataclasses.field(default_factory=list)
    origins: list[Origin] = dataclasses.field(default_factory=list)
    agreeing: list[Row] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class _Record:
    """What the database has of one record, and what its captures show together."""

    record_id: str
    columns: Row
    captures: list[Row]
    fields: list[Row]
    keys: list[str]
    sections: list[Row]
    merged: Merged | None

    def capture(self, capture_id: str) -> Row:
        return next(one for one in self.captures if one["capture_id"] == capture_id)


class Why:
    """Answers for one database and its archive."""

    def __init__(self, db: sqlite3.Connection, archive: Path) -> None:
        self._db = db
        self._origins = Origins(archive)
        self._last: _Record | None = None

    def record(self, name: str) -> str:
        """The `record_id` for a record's id, node number, reference or URL. Raises TtaError if there is none."""
        name = name.strip().lstrip("0") or name if name.isdecimal() else name.strip()
        for query in (
            "SELECT record_id FROM records WHERE record_id = ?",
            "SELECT record_id FROM records WHERE reference = ? ORDER BY record_id",
            "SELECT record_id FROM captures WHERE reference = ? AND record_id IS NOT NULL ORDER BY record_id",
            "SELECT record_id FROM captures WHERE url = ? AND record_id IS NOT NULL ORDER BY record_id",
        ):
            if found := self._db.execute(query, [name]).fetchone():
                return str(found[0])
        raise TtaError(f"no record {name!r}: give a node number, a reference such as 20250129-145639-07, or a record_id")

    def overview(self, record_id: str) -> tuple[list[Row], list[Row]]:
        """The record's captures by time, and its fields in page order."""
        record = self._of(record_id)
        return record.captures, record.fields

    def everything(self, record_id: str) -> Iterator[Reason]:
        """The reason for every value that the database has of the record: columns, fields, items of groups, sections."""
        record = self._of(record_id)
        names = [column for column, value in record.columns.items() if value is not None]
        names += dict.fromkeys(row["item"] for row in record.fields if row["item"])
        names += dict.fromkeys(row["label"] for row in record.sections)
        yield from (self.field(record_id, name) for name in names)
        yield from (self._by_key(record, key) for key in dict.fromkeys(record.keys))

    def field(self, record_id: str, name: str) -> Reason:
        """The reason for a field. `name` is a column, a label, a machine name, an item or a section. Raises TtaError."""
        record, wanted = self._of(record_id), name.strip()
        if wanted in _OF_CAPTURES:
            return self._described_by_captures(record, wanted)
        if wanted in _MADE_OF:
            return self._derived(record, wanted)
        if rows := [row for row in record.sections if normal(row["label"]) == normal(wanted)]:
            return Reason(record_id, rows[0]["label"], rows=rows, origins=self._of_rows(record, rows))
        if rows := [row for row in record.fields if row["item"] and normal(row["item"]) == normal(wanted)]:
            return self._of_key(record, key_of(rows[0]), rows, name=rows[0]["item"])
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
        return dataclasses.replace(
            self._of_key(record, key, rows, name=key), columns={name: record.columns[name] for name in names}
        )

    def _of_key(self, record: _Record, key: str, rows: list[Row], *, name: str) -> Reason:
        origins = self._of_rows(record, rows) if rows else self._of_head(record, key)
        shown = {origin.capture["capture_id"] for origin in origins}
        agreeing = record.merged.agreeing.get(record.merged.aliases.get(key, key), []) if record.merged else []
        return Reason(
            record.record_id,
            name,
            rows=rows,
            changes=self._changes(record, key),
            origins=origins,
            agreeing=[record.capture(capture_id) for capture_id in dict.fromkeys(agreeing) if capture_id not in shown],
        )

    def _of_rows(self, record: _Record, rows: list[Row]) -> list[Origin]:
        """The captures of rows of `fields` or `sections`, and the places there."""
        find = places_of_sections if "text" in rows[0] else places_of_rows
        by_capture: dict[str, list[Row]] = {}
        for row in rows:
            by_capture.setdefault(row["capture_id"], []).append(row)
        return [
            self._origins.of_page(record.capture(capture_id), lambda spots, some=some: find(spots, some))  # type: ignore[misc]
            for capture_id, some in by_capture.items()
        ]

    def _of_head(self, record: _Record, name: str) -> list[Origin]:
        """The capture of a title, a submission or a node number."""
        if record.merged is None:
            return [self._origins.of_page(one, lambda _: ()) for one in record.captures[-1:]]
        if name not in record.merged.head_sources:
            return []
        capture, value = record.capture(record.merged.head_sources[name]), record.merged.head[name]

        def find(spots: Spots) -> Iterator[Place]:
            yield as_place(value, spots.of_node_id() if name == "node_id" else spots.of_head(name))

        return [self._origins.of_page(capture, find)]

    def _changes(self, record: _Record, key: str) -> list[Row]:
        query = "SELECT field, old_value, new_value, seen_after, seen_by FROM changes WHERE record_id = ? AND field = ? "
        return self._rows(query + "ORDER BY rtrim(seen_by, 'Z')", record.record_id, key)

    def _derived(self, record: _Record, column: str) -> Reason:
        """A column that no page prints, with the reasons for the columns that it is derived from."""
        if column not in record.columns:
            raise TtaError(_no_field(record, column))
        sources = [name for name in _MADE_OF[column] if record.columns[name] is not None]
        sources = sources[:1] if _MADE_OF[column] == _SUBMISSION else sources
        if not sources:
            raise TtaError(f"record {record.record_id} has no {column}: it is derived from {' or '.join(_MADE_OF[column])}")
        reason = Reason(record.record_id, column, {column: record.columns[column]}, made_of=sources)
        for key in dict.fromkeys(_KEY_OF_COLUMN[name] for name in sources):
            source = self._by_key(record, key)
            reason.columns |= source.columns
            for name in ("rows", "changes", "origins", "agreeing"):
                getattr(reason, name).extend(getattr(source, name))
        return reason

    def _described_by_captures(self, record: _Record, column: str) -> Reason:
        reason = Reason(record.record_id, column, {column: record.columns[column]})
        captures, timed = record.captures, [one for one in record.captures if one["captured_at"]]
        headers = ["WARC-Date"]
        if column in ("url", "record_id"):
            return dataclasses.replace(reason, origins=self._of_address(record, column))
        if column in ("availability", "gone_since"):
            reason.columns = {name: record.columns[name] for name in ("availability", "gone_since")}
            reason.changes = self._changes(record, AVAILABILITY)
            query = "SELECT * FROM captures WHERE gone_record_id = ? AND captured_at >= ? ORDER BY captured_at, capture_id"
            captures = self._rows(query, record.record_id, record.columns["gone_since"]) or (timed or captures)[-1:]
            headers.append("HTTP")
        elif column != "captures":
            captures = timed[:1] if column == "first_captured_at" else timed[-1:]
        reason.origins = [self._origins.of_headers(one, *headers) for one in captures]
        return reason

    def _of_address(self, record: _Record, column: str) -> list[Origin]:
        """The last capture with the address, or with the record's identity: node number, reference, address."""
        if column == "record_id" and record.record_id == str(record.columns["node_id"]):
            return self._of_head(record, "node_id")
        if column == "record_id" and record.columns["reference"]:
            return self._of_head(record, "title")
        if addressed := [one for one in record.captures if one["url"]]:
            return [self._origins.of_headers(addressed[-1], "WARC-Target-URI")]

        def find(spots: Spots) -> Iterator[Place]:
            if spots.record.url:
                yield as_place(spots.record.url, spots.of_page_url())

        pages = (self._origins.of_page(one, find) for one in reversed(record.captures))
        page = next((one for one in pages if one.places), None)
        return [page] if page else [self._origins.of_headers(one, "WARC-Record-ID") for one in record.captures[-1:]]

    def _of(self, record_id: str) -> _Record:
        if self._last is None or self._last.record_id != record_id:
            (columns,) = self._rows("SELECT * FROM records WHERE record_id = ?", record_id)
            query = f"SELECT *, {REPLACED} AS replaced FROM captures WHERE record_id = ? ORDER BY {BUILD_ORDER}"  # noqa: S608
            captures = self._rows(query, record_id)
            fields, sections = (
                self._rows(_PART.format(", ".join(BY_NAME[name].columns), name), record_id) for name in ("fields", "sections")
            )
            merged = self._origins.merged([one for one in captures if not one.pop("replaced")])
            self._last = _Record(record_id, columns, captures, fields, [key_of(row) for row in fields], sections, merged)
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
    """Whether a row has that label or machine name, with or without `field_`."""
    names = [(name or "").lower().replace("-", "_").removeprefix("field_") for name in (row["name"], wanted)]
    return bool(row["label"] and normal(row["label"]) == normal(wanted)) or bool(row["name"] and names[0] == names[1])
