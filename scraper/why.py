"""Where a value comes from: its state, its history, the capture that shows it, and the place on the page.

The database tells the capture; the page itself is read from the archive once more, so what is shown is what lies there now.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

from parsers.columns import field_key
from parsers.labels import LABELS, known, known_name, normal
from parsers.page import locate
from parsers.record import Field, RecordValues
from parsers.urls import without_archive
from scraper.archive import Archive, Entry
from scraper.capture import Capture, Form
from scraper.catalog import CATALOG
from scraper.database.grouping import BUILD_ORDER
from scraper.database.merge import HEAD, Merge, Seen
from scraper.database.parsed import unpack, verdict_on
from scraper.errors import ArchiveDamaged, TtaError

REPLAY = "https://web.archive.org/web/"
"""Where the Wayback Machine shows a capture to people (DESIGN.md, "Configuration")."""
_KEY_OF_COLUMN = (
    {column: label.columns[0] for label in LABELS for column in label.columns}
    | {
        "estimated_cost_lower": "estimated_cost",
        "estimated_cost_upper": "estimated_cost",
        "description": "description",
        "reference": "title",
        "record_id": "node_id",
    }
    | {name: name for name in HEAD}
)
"""The field that each column of a record is read from; a title that is a reference is that column too."""
_OF_CAPTURES = ("url", "first_captured_at", "last_captured_at", "captures")
"""Columns that captures tell, not pages."""
_SHOWN_FIELDS = 12


@dataclasses.dataclass(slots=True)
class Origin:
    """One capture that a value comes from. `place` and `snippet` are None where `problem` says why."""

    capture: dict[str, Any]
    replay: str | None = None
    fixity: str | None = None
    place: str | None = None
    snippet: str | None = None
    problem: str | None = None


@dataclasses.dataclass(slots=True)
class Reason:
    """All that is known about one field of a record: its rows, its columns, its history, and where the rows come from."""

    record_id: str
    field: str
    columns: dict[str, Any] = dataclasses.field(default_factory=dict)
    rows: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    changes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    origins: list[Origin] = dataclasses.field(default_factory=list)


class Why:
    """Answers for one database and its archive."""

    def __init__(self, db: sqlite3.Connection, archive: Path) -> None:
        self._db = db
        self._archive = archive

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

    def captures(self, record_id: str) -> list[dict[str, Any]]:
        """The record's captures by time."""
        return self._rows(f"SELECT * FROM captures WHERE record_id = ? ORDER BY {BUILD_ORDER}", record_id)  # noqa: S608

    def fields(self, record_id: str) -> list[dict[str, Any]]:
        """The record's fields in page order."""
        return self._rows("SELECT * FROM fields WHERE record_id = ? ORDER BY position", record_id)

    def field(self, record_id: str, name: str) -> Reason:
        """Where a field comes from. `name` is a column, a label, a machine name or a section. Raises TtaError."""
        wanted = name.strip()
        if wanted in _OF_CAPTURES:
            return self._told_by_capture(record_id, wanted)
        fields = self.fields(record_id)
        if section := self._section(record_id, wanted):
            return section
        keys = [_key(row) for row in fields]
        key = _KEY_OF_COLUMN.get(wanted) or next(
            (key for key, row in zip(keys, fields, strict=True) if wanted == key or _is_called(row, wanted)), None
        )
        if key is None and (entry := known(wanted) or known_name(wanted)):
            key = entry.columns[0] if entry.columns else normal(entry.text)
        rows = [row for row_key, row in zip(keys, fields, strict=True) if row_key == key]
        if key is None or (not rows and key not in HEAD):
            raise TtaError(self._no_field(record_id, name, fields))
        reason = Reason(record_id, key, self._columns(record_id, key), rows)
        reason.changes = self._rows(
            "SELECT field, old_value, new_value, seen_after, seen_by FROM changes WHERE record_id = ? AND field = ? "
            "ORDER BY rtrim(seen_by, 'Z')",
            record_id,
            key,
        )
        sources = dict.fromkeys(row["capture_id"] for row in rows) if rows else self._head_sources(record_id, key)
        reason.origins = [self._origin(capture_id, key) for capture_id in sources]
        return reason

    def _section(self, record_id: str, wanted: str) -> Reason | None:
        rows = self._rows("SELECT * FROM sections WHERE record_id = ? ORDER BY position", record_id)
        rows = [row for row in rows if normal(row["label"]) == normal(wanted)]
        if not rows:
            return None
        origins = [self._origin(capture_id, wanted) for capture_id in dict.fromkeys(row["capture_id"] for row in rows)]
        return Reason(record_id, rows[0]["label"], rows=rows, origins=origins)

    def _told_by_capture(self, record_id: str, column: str) -> Reason:
        (record,) = self._rows("SELECT * FROM records WHERE record_id = ?", record_id)
        captures = self.captures(record_id)
        known_by = [one for one in captures if one["url" if column == "url" else "captured_at"]]
        chosen = captures if column == "captures" else known_by[:1] if column == "first_captured_at" else known_by[-1:]
        origins = [Origin(one, replay_address(one), "not read", problem="the capture tells it, not the page") for one in chosen]
        return Reason(record_id, column, {column: record[column]}, origins=origins)

    def _columns(self, record_id: str, key: str) -> dict[str, Any]:
        names = [name for name, other in _KEY_OF_COLUMN.items() if other == key and name in RecordValues.model_fields]
        (record,) = self._rows("SELECT * FROM records WHERE record_id = ?", record_id)
        return {name: record[name] for name in names}

    def _no_field(self, record_id: str, name: str, fields: list[dict[str, Any]]) -> str:
        if name in RecordValues.model_fields:
            return f"record {record_id} has no field for column {name!r}: no capture of it prints one"
        labels = list(dict.fromkeys(row["label"] or row["name"] for row in fields if row["label"] or row["name"]))
        more = ", ..." if len(labels) > _SHOWN_FIELDS else ""
        return f"record {record_id} has no field {name!r}; it has: {', '.join(map(str, labels[:_SHOWN_FIELDS]))}{more}"

    def _head_sources(self, record_id: str, key: str) -> list[str]:
        """The capture that a value of the page's head comes from, found by merging the record's captures once more."""
        merge = Merge()
        for row in self.captures(record_id):
            try:
                page = verdict_on(self._read(row["original_id"] or row["capture_id"]), row["capture_id"]).page
            except ArchiveDamaged:
                continue
            if page is not None:
                merge.add(Seen(row["capture_id"], row["captured_at"], unpack(page)))
        source = merge.head_source(key)
        return [source] if source else []

    def _origin(self, capture_id: str, key: str) -> Origin:
        (row,) = self._rows("SELECT * FROM captures WHERE capture_id = ?", capture_id)
        origin = Origin(row, replay=replay_address(row))
        try:
            capture = self._read(row["original_id"] or capture_id)
        except ArchiveDamaged as error:
            origin.problem = str(error)
            return origin
        origin.fixity = "sound" if capture.sha256 == row["sha256"] else "the body in the archive has another digest"
        found = locate(
            capture.content,
            key,
            url=capture.url,
            content_type=capture.content_type,
            is_text=capture.form is Form.CONVERSION,
        )
        if found is None:
            origin.problem = "the place on the page can't be told"
        else:
            origin.place, origin.snippet = found
        return origin

    def _read(self, capture_id: str) -> Capture:
        if not (self._archive / CATALOG).is_file():
            raise ArchiveDamaged(f"there is no archive at {self._archive}; restore it from a copy")
        with Archive(self._archive) as archive:
            entry: Entry | None = next(archive.entries("capture_id = ?", (capture_id,)), None)
            if entry is None:
                raise ArchiveDamaged(f"{self._archive} no longer lists capture {capture_id}; restore it from a copy")
            return archive.read(entry)

    def _rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        cursor = self._db.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _key(row: dict[str, Any]) -> str:
    return field_key(Field.model_construct(**{name: row[name] for name in Field.model_fields}))


def _is_called(row: dict[str, Any], wanted: str) -> bool:
    """Whether a row has that label or machine name; `field_` and the kind of line between words make no difference."""
    if row["label"] and normal(row["label"]) == normal(wanted):
        return True
    return bool(row["name"]) and _machine(row["name"]) == _machine(wanted)


def _machine(name: str) -> str:
    return name.lower().replace("-", "_").removeprefix("field_")


def replay_address(capture: dict[str, Any]) -> str | None:
    """Where people can look at the capture, for captures of the Wayback Machine."""
    if capture["source"] != "wayback" or not capture["url"] or not capture["captured_at"]:
        return None
    digits = "".join(char for char in capture["captured_at"] if char.isdigit())[:14]
    return f"{REPLAY}{digits}/{without_archive(capture['url'])}"
