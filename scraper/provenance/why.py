"""Explains where a value comes from: its state, its history, the captures that show it, and its place on the page.

The database names the captures; `origins` reads them. For a column derived from others, these are what is traced.
"""

import re
import sqlite3
from dataclasses import dataclass, replace
from dataclasses import field as made_by
from pathlib import Path
from typing import Any

from parsers.locate import Spots
from parsers.record import RecordValues, columns_of
from parsers.registry import GROUPS, LABELS, known, known_name, normal
from scraper.database.assign_records import BUILD_ORDER, REPLACED
from scraper.database.availability import FIELD as AVAILABILITY
from scraper.database.derived import RULES, expression
from scraper.database.merge import HEAD
from scraper.database.tables import BY_NAME
from scraper.errors import TtaError
from scraper.provenance.origins import Origin, Origins, Place, Row, as_place, key_of, places_of_rows, places_of_sections

_KEY_OF_COLUMN = (
    {column.name: label.columns[0].name for label in LABELS for column in label.columns}
    | {"description": "description", "reference": "title"}
    | {name: name for name in (*HEAD, *GROUPS)}
)
"""The field that each column of a record is read from. A title that is a reference fills `reference` as well."""
_SUBMISSION = ("reference", "submitted_at")
_WORDS = {name: re.findall(r"\w+", rule.get("made_of", expression(name))) for name, rule in RULES.items()}
_MADE_OF: dict[str, tuple[str, ...]] = {"fiscal_year": _SUBMISSION} | {
    name: tuple(dict.fromkeys(word for word in words if word in _KEY_OF_COLUMN)) for name, words in _WORDS.items()
}
"""The columns that others are derived from. Of the two of the submission only the reference is used if there is one."""
_OF_CAPTURES = ("url", "first_captured_at", "last_captured_at", "captures", "availability", "gone_since", "record_id")
"""Columns that describe the captures of a record, not its page."""
_SHOWN_FIELDS = 12
_FIND = """
SELECT coalesce(
    (SELECT record_id FROM records WHERE record_id = ?1), (SELECT min(record_id) FROM records WHERE reference = ?1),
    (SELECT min(record_id) FROM captures WHERE reference = ?1), (SELECT min(record_id) FROM captures WHERE url = ?1))"""
_PART = "SELECT {} FROM {} WHERE record_id = ? ORDER BY position"


@dataclass(slots=True)
class Reason:
    """What is known about one field of a record: its columns, rows and history, and where they come from.

    `made_of`: the columns that the requested one is derived from; the rest is then theirs. `agreeing`: the captures that show the
    current value, or a part of it, besides those of `origins`.
    """

    record_id: str
    field: str
    columns: Row = made_by(default_factory=dict)
    made_of: list[str] = made_by(default_factory=list)
    rows: list[Row] = made_by(default_factory=list)
    changes: list[Row] = made_by(default_factory=list)
    origins: list[Origin] = made_by(default_factory=list)
    agreeing: list[Row] = made_by(default_factory=list)


def find_record(db: sqlite3.Connection, name: str) -> str:
    """The `record_id` for a record's id, node number, reference or URL. Raises TtaError if there is none."""
    name = name.strip().lstrip("0") or name if name.isdecimal() else name.strip()
    (found,) = db.execute(_FIND, [name]).fetchone()
    if found is not None:
        return str(found)
    raise TtaError(f"no record {name!r}: give a node number, a reference such as 20250129-145639-07, or a record_id")


class Why:
    """What the database has of one record, and where it comes from.

    `captures` are by time, `fields` and `sections` in page order; `keys` are the keys of `fields`.
    """

    def __init__(self, db: sqlite3.Connection, archive: Path, record_id: str) -> None:
        self._db = db
        self._origins = Origins(archive)
        self.record_id = record_id
        (self.columns,) = self._rows("SELECT * FROM records WHERE record_id = ?", record_id)
        query = f"SELECT *, {REPLACED} AS replaced FROM captures WHERE record_id = ? ORDER BY {BUILD_ORDER}"  # noqa: S608
        self.captures = self._rows(query, record_id)
        self.fields, self.sections = (
            self._rows(_PART.format(", ".join(BY_NAME[name].columns), name), record_id) for name in ("fields", "sections")
        )
        self.keys = [key_of(row) for row in self.fields]
        self._merged = self._origins.merged([one for one in self.captures if not one.pop("replaced")])

    def field(self, name: str) -> Reason:
        """The reason for a field. `name` is a column, a label, a machine name, an item or a section. Raises TtaError."""
        wanted = name.strip()
        if wanted in _OF_CAPTURES:
            return self._described_by_captures(wanted)
        if wanted in _MADE_OF:
            return self._derived(wanted)
        if rows := [row for row in self.sections if normal(row["label"]) == normal(wanted)]:
            return Reason(self.record_id, rows[0]["label"], rows=rows, origins=self._of_rows(rows))
        if rows := [row for row in self.fields if row["item"] and normal(row["item"]) == normal(wanted)]:
            return self._of_key(key_of(rows[0]), rows, name=rows[0]["item"])
        named = (key for key, row in zip(self.keys, self.fields, strict=True) if wanted == key or _is_called(row, wanted))
        key = _KEY_OF_COLUMN.get(wanted) or next(named, None)
        if key is None and (entry := known(wanted) or known_name(wanted)):
            key = entry.columns[0].name if entry.columns else normal(entry.text)
        if key is None or (key not in self.keys and key not in HEAD):
            raise self._no_field(name)
        return self.by_key(key)

    def by_key(self, key: str) -> Reason:
        """The reason for all values of a field, by its key in `keys`."""
        rows = [row for row_key, row in zip(self.keys, self.fields, strict=True) if row_key == key]
        names = [name for name, other in _KEY_OF_COLUMN.items() if other == key and name in columns_of(RecordValues)]
        return replace(self._of_key(key, rows, name=key), columns={name: self.columns[name] for name in names})

    def _of_key(self, key: str, rows: list[Row], *, name: str) -> Reason:
        origins = self._of_rows(rows) if rows else self._of_head(key)
        shown = {origin.capture["capture_id"] for origin in origins}
        agreeing = self._merged.agreeing.get(self._merged.aliases.get(key, key), []) if self._merged else []
        others = [self._capture(one) for one in dict.fromkeys(agreeing) if one not in shown]
        return Reason(self.record_id, name, rows=rows, changes=self._changes(key), origins=origins, agreeing=others)

    def _of_rows(self, rows: list[Row]) -> list[Origin]:
        """The captures of rows of `fields` or `sections`, and the places there."""
        find = places_of_sections if "text" in rows[0] else places_of_rows
        by_capture: dict[str, list[Row]] = {}
        for row in rows:
            by_capture.setdefault(row["capture_id"], []).append(row)
        return [
            self._origins.of_page(self._capture(capture_id), lambda spots, some=some: find(spots, some))  # type: ignore[misc]
            for capture_id, some in by_capture.items()
        ]

    def _of_head(self, name: str) -> list[Origin]:
        """The capture of a title, a submission or a node number."""
        if self._merged is None:
            return [self._origins.of_page(one) for one in self.captures[-1:]]
        if name not in self._merged.head_sources:
            return []
        value, capture = self._merged.head[name], self._capture(self._merged.head_sources[name])
        return [self._origins.of_page(capture, lambda spots: [as_place(value, spots.head.get(name))])]

    def _derived(self, column: str) -> Reason:
        """A column that no page prints, with the reasons for the columns that it is derived from."""
        if column not in self.columns:
            raise self._no_field(column)
        sources = [name for name in _MADE_OF[column] if name in self.keys or self.columns.get(name) is not None]
        sources = sources[:1] if _MADE_OF[column] == _SUBMISSION else sources
        if not sources:
            raise TtaError(f"record {self.record_id} has no {column}: it is derived from {' or '.join(_MADE_OF[column])}")
        reason = Reason(self.record_id, column, {column: self.columns[column]}, made_of=sources)
        for key in dict.fromkeys(_KEY_OF_COLUMN[name] for name in sources):
            source = self.by_key(key)
            reason.columns |= source.columns
            for name in ("rows", "changes", "origins", "agreeing"):
                getattr(reason, name).extend(getattr(source, name))
        return reason

    def _described_by_captures(self, column: str) -> Reason:
        reason = Reason(self.record_id, column, {column: self.columns[column]})
        captures, timed = self.captures, [one for one in self.captures if one["captured_at"]]
        headers = ["WARC-Date"]
        if column in ("url", "record_id"):
            return replace(reason, origins=self._of_address(column))
        if column in ("availability", "gone_since"):
            reason.columns = {name: self.columns[name] for name in ("availability", "gone_since")}
            reason.changes = self._changes(AVAILABILITY)
            query = "SELECT * FROM captures WHERE gone_record_id = ? AND captured_at >= ? ORDER BY captured_at, capture_id"
            captures = self._rows(query, self.record_id, self.columns["gone_since"]) or (timed or captures)[-1:]
            headers.append("HTTP")
        elif column != "captures":
            captures = timed[:1] if column == "first_captured_at" else timed[-1:]
        reason.origins = [self._origins.of_headers(one, *headers) for one in captures]
        return reason

    def _of_address(self, column: str) -> list[Origin]:
        """The last capture with the address, or with the record's identity: node number, reference, address."""
        if column == "record_id" and self.record_id == str(self.columns["node_id"]):
            return self._of_head("node_id")
        if column == "record_id" and self.columns["reference"]:
            return self._of_head("title")
        if addressed := [one for one in self.captures if one["url"]]:
            return [self._origins.of_headers(addressed[-1], "WARC-Target-URI")]

        pages = (self._origins.of_page(one, _page_url) for one in reversed(self.captures))
        page = next((one for one in pages if one.places), None)
        return [page] if page else [self._origins.of_headers(one, "WARC-Record-ID") for one in self.captures[-1:]]

    def _capture(self, capture_id: str) -> Row:
        return next(one for one in self.captures if one["capture_id"] == capture_id)

    def _changes(self, key: str) -> list[Row]:
        query = "SELECT field, old_value, new_value, seen_after, seen_by FROM changes WHERE record_id = ? AND field = ? "
        return self._rows(query + "ORDER BY rtrim(seen_by, 'Z')", self.record_id, key)

    def _rows(self, query: str, *parameters: Any) -> list[Row]:
        cursor = self._db.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _no_field(self, name: str) -> TtaError:
        if name in self.columns:
            return TtaError(f"record {self.record_id} has no field for column {name!r}: no capture of it prints one")
        labels = list(dict.fromkeys(str(row["label"] or row["name"]) for row in self.fields if row["label"] or row["name"]))
        more = ", ..." if len(labels) > _SHOWN_FIELDS else ""
        return TtaError(f"record {self.record_id} has no field {name!r}; it has: {', '.join(labels[:_SHOWN_FIELDS])}{more}")


def _page_url(spots: Spots) -> list[Place]:
    return [as_place(spots.record.url, spots.head.get("url"))] if spots.record.url else []


def _is_called(row: Row, wanted: str) -> bool:
    """Whether a row has that label or machine name, with or without `field_`."""
    names = [(name or "").lower().replace("-", "_").removeprefix("field_") for name in (row["name"], wanted)]
    return bool(row["label"] and normal(row["label"]) == normal(wanted)) or bool(row["name"] and names[0] == names[1])
