"""Explains where a value comes from: its state, its history, the captures that show it, and its place on their pages.

The database names the captures. Each is read from the archive again and parsed once for all values, so the result shows what the
archive contains now. For a derived column, the columns it is derived from are traced.
"""

import re
import sqlite3
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as with_default  # a class here has a `field`
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from parsers.columns import field_key
from parsers.locate import SourcePosition, SourcePositions, locate
from parsers.record import Field, RecordValues, columns_of
from parsers.registry import GROUPS, LABELS, label_key, label_named, label_of
from parsers.urls import node_id
from scraper.archive.store import CATALOG, Archive
from scraper.capture import Capture, WarcType, replay_url
from scraper.database.assign_records import BUILD_ORDER, REPLACED
from scraper.database.availability import FIELD as AVAILABILITY
from scraper.database.derived import RULES, rule_sql
from scraper.database.merge import HEAD, Seen, merge
from scraper.database.stored_page import decode, encode, with_keys
from scraper.database.tables import BY_NAME
from scraper.errors import ArchiveDamaged, TtaError
from scraper.reading import read_capture
from scraper.sqlite import dicts

INTACT = "intact"
NOT_SHOWN = "the page is read differently now than when it was loaded; `tta load --rebuild` reads all pages again"
_KEPT = 32  # parsed captures kept in memory; a record has fewer, and a page rarely takes more than a megabyte
_MAX_READ = 20  # unloaded captures that are parsed, the latest first
_KEY_OF_COLUMN = (
    {column.name: label.columns[0].name for label in LABELS for column in label.columns}
    | {"description": "description", "reference": "title"}
    | {name: name for name in (*HEAD, *GROUPS)}
)
"""The field that each column of a record is read from. A title that is a reference fills `reference` as well."""
_SUBMISSION = ("reference", "submitted_at")
_WORDS = {name: re.findall(r"\w+", rule.get("made_of", rule_sql(name))) for name, rule in RULES.items()}
_MADE_OF: dict[str, tuple[str, ...]] = {"fiscal_year": _SUBMISSION} | {
    name: tuple(dict.fromkeys(word for word in words if word in _KEY_OF_COLUMN)) for name, words in _WORDS.items()
}
"""The columns that others are derived from. For a submission, only the reference is used if there is one."""
_OF_CAPTURES = ("url", "first_captured_at", "last_captured_at", "captures", "availability", "gone_since", "record_id")
"""Columns that describe the captures of a record, not its page."""
_SHOWN_FIELDS = 12  # fields that are named at most
_SQL: dict[str, str] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
Row = dict[str, Any]


@dataclass(slots=True)
class Place:
    """The place of a value (element path, lines of a text, WARC header), and its source; both None if there is a `problem`."""

    value: str | None
    place: str | None = None
    snippet: str | None = None
    problem: str | None = None


@dataclass(slots=True)
class Origin:
    """A capture that values come from. `fixity`: whether its body still has the digest from loading; None if it can't be read."""

    capture: Row
    replay: str | None = None
    fixity: str | None = None
    problem: str | None = None
    places: list[Place] = with_default(default_factory=list)


@dataclass(slots=True)
class Reason:
    """What is known about one field of a record: its columns, rows and history, and where they come from.

    `made_of`: the columns that the requested one is derived from; then the rest refers to them. `agreeing`: the captures that
    show the current value, or part of it, besides those in `origins`.
    """

    record_id: str
    field: str
    columns: Row = with_default(default_factory=dict)
    made_of: list[str] = with_default(default_factory=list)
    rows: list[Row] = with_default(default_factory=list)
    changes: list[Row] = with_default(default_factory=list)
    origins: list[Origin] = with_default(default_factory=list)
    agreeing: list[Row] = with_default(default_factory=list)


class _Stored(NamedTuple):
    """A capture as read from the archive. `positions` is None if it shows no record."""

    capture: Capture | None = None
    positions: SourcePositions | None = None
    problem: str | None = None


def find_record(db: sqlite3.Connection, name: str) -> str:
    """Returns the `record_id` for a record's id, node number, reference or URL. Raises TtaError if there is none."""
    name = name.strip().lstrip("0") or name if name.isdecimal() else name.strip()
    (found,) = db.execute(_SQL["find"], [name]).fetchone()
    if found is not None:
        return str(found)
    raise TtaError(f"no record {name!r}: give a node number, a reference such as 20250129-145639-07, or a record_id")


class Why:
    """The database's rows of one record: captures by time, fields and sections in page order, `keys` of the fields."""

    def __init__(self, db: sqlite3.Connection, archive: Path, record_id: str) -> None:
        self._db, self._folder, self.record_id = db, archive, record_id
        self._read = lru_cache(_KEPT)(self._read_stored)
        (self.columns,) = dicts(db, "SELECT * FROM records WHERE record_id = ?", record_id)
        query = f"SELECT *, {REPLACED} AS replaced FROM captures WHERE record_id = ? ORDER BY {BUILD_ORDER}"  # noqa: S608
        self.captures = dicts(db, query, record_id)
        self.fields, self.sections = (
            dicts(db, _SQL["part"].format(", ".join(BY_NAME[name].columns), name), record_id) for name in ("fields", "sections")
        )
        self.keys = [_key_of(row) for row in self.fields]
        merged = [one for one in self.captures if not one.pop("replaced")]
        pages = ((one, self._read(one["original_id"] or one["capture_id"]).positions) for one in merged)
        seen = [
            Seen(one["capture_id"], one["captured_at"], with_keys(decode(encode(page.record))))
            for one, page in pages
            if page is not None
        ]
        self._merged = merge(seen) if seen else None

    def field(self, name: str) -> Reason:
        """Returns the reason for a field. `name`: a column, a label, a machine name, an item or a section. Raises TtaError."""
        wanted = name.strip()
        if wanted in _OF_CAPTURES:
            return self._reason_by_captures(wanted)
        if wanted in _MADE_OF:
            return self._reason_if_derived(wanted)
        label = label_key(wanted)
        if rows := [row for row in self.sections if label_key(row["label"]) == label]:
            return Reason(self.record_id, rows[0]["label"], rows=rows, origins=self._origins_of_rows(rows))
        if rows := [row for row in self.fields if row["item"] and label_key(row["item"]) == label]:
            return self._reason_for_key(_key_of(rows[0]), rows, name=rows[0]["item"])
        machine_names = (_machine_name(row["name"]) for row in self.fields)
        named = (
            key
            for key, row, machine_name in zip(self.keys, self.fields, machine_names, strict=True)
            if key == wanted or (row["label"] and label_key(row["label"]) == label) or machine_name == _machine_name(wanted)
        )
        key = _KEY_OF_COLUMN.get(wanted) or next(named, None)
        if key is None and (entry := label_of(wanted) or label_named(wanted)):
            key = entry.columns[0].name if entry.columns else label_key(entry.text)
        if key is None or (key not in self.keys and key not in HEAD):
            raise self._unknown_field(name)
        return self.by_key(key)

    def by_key(self, key: str) -> Reason:
        """Returns the reason for all values of a field, by its key in `keys`."""
        rows = [row for row_key, row in zip(self.keys, self.fields, strict=True) if row_key == key]
        names = [name for name, other in _KEY_OF_COLUMN.items() if other == key and name in columns_of(RecordValues)]
        return replace(self._reason_for_key(key, rows, name=key), columns={name: self.columns[name] for name in names})

    def _reason_for_key(self, key: str, rows: list[Row], *, name: str) -> Reason:
        origins = self._origins_of_rows(rows) if rows else self._origins_of_head(key)
        shown = {origin.capture["capture_id"] for origin in origins}
        agreeing = self._merged.agreeing.get(self._merged.aliases.get(key, key), []) if self._merged else []
        others = [self._capture_row(one) for one in dict.fromkeys(agreeing) if one not in shown]
        changes = dicts(self._db, _SQL["changes"], self.record_id, key)
        return Reason(self.record_id, name, rows=rows, changes=changes, origins=origins, agreeing=others)

    def _origins_of_rows(self, rows: list[Row]) -> list[Origin]:
        """Returns the captures of rows of `fields` or `sections`, and the places in them."""
        find = _places_of_sections if "text" in rows[0] else _places_of_rows
        by_capture: dict[str, list[Row]] = {}
        for row in rows:
            by_capture.setdefault(row["capture_id"], []).append(row)
        return [self._build_origin(self._capture_row(one), partial(find, some)) for one, some in by_capture.items()]

    def _origins_of_head(self, name: str) -> list[Origin]:
        """Returns the capture of a title, a submission or a node number."""
        if self._merged is None:
            return [self._build_origin(one) for one in self.captures[-1:]]
        if name not in self._merged.head_sources:
            return []
        value, capture = self._merged.head[name], self._capture_row(self._merged.head_sources[name])
        return [self._build_origin(capture, lambda page: [_as_place(value, page.head.get(name))])]

    def _reason_if_derived(self, column: str) -> Reason:
        """Returns the reason for a column that no page prints, with those for the columns that it is derived from."""
        if column not in self.columns:
            raise self._unknown_field(column)
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

    def _reason_by_captures(self, column: str) -> Reason:
        """Returns the reason for a column of `_OF_CAPTURES`."""
        reason = Reason(self.record_id, column, {column: self.columns[column]})
        timed, headers = [one for one in self.captures if one["captured_at"]], ["WARC-Date"]
        if column in ("url", "record_id"):
            reason.origins = self._origins_of_address(column)
            return reason
        if column in ("availability", "gone_since"):
            reason.columns = {name: self.columns[name] for name in ("availability", "gone_since")}
            reason.changes = dicts(self._db, _SQL["changes"], self.record_id, AVAILABILITY)
            captures = dicts(self._db, _SQL["gone"], self.record_id, self.columns["gone_since"]) or (timed or self.captures)[-1:]
            headers.append("HTTP")
        else:
            captures = {"first_captured_at": timed[:1], "last_captured_at": timed[-1:]}.get(column, self.captures)
        reason.origins = [self._build_origin(one, headers=headers) for one in captures]
        return reason

    def _origins_of_address(self, column: str) -> list[Origin]:
        """Returns the last capture with the address, or with the record's identity: node number, reference, address."""
        if column == "record_id" and self.record_id == str(self.columns["node_id"]):
            return self._origins_of_head("node_id")
        if column == "record_id" and self.columns["reference"]:
            return self._origins_of_head("title")
        if addressed := [one for one in self.captures if one["url"]]:
            return [self._build_origin(addressed[-1], headers=["WARC-Target-URI"])]

        def find(page: SourcePositions) -> Iterable[Place]:
            return [_as_place(page.record.url, page.head.get("url"))] if page.record.url else []

        pages = (self._build_origin(one, find) for one in reversed(self.captures))
        page = next((one for one in pages if one.places), None)
        return [page] if page else [self._build_origin(one, headers=["WARC-Record-ID"]) for one in self.captures[-1:]]

    def _build_origin(
        self, capture: Row, find: Callable[[SourcePositions], Iterable[Place]] = lambda _: (), headers: Sequence[str] = ()
    ) -> Origin:
        """Returns the capture as an origin of values: those that `find` finds on its page, and WARC `headers`.

        The header `HTTP` is the status and the redirect's target.
        """
        stored = self._read(capture["original_id"] or capture["capture_id"])
        origin = Origin(capture, replay_url(capture["source"], capture["captured_at"], capture["url"]), problem=stored.problem)
        if stored.capture is not None:
            origin.fixity = INTACT if stored.capture.sha256 == capture["sha256"] else "the body in the archive has another digest"
        if stored.positions is not None:
            origin.places += find(stored.positions)
        if headers and (own := self._read(capture["capture_id"]).capture):
            http = (str(own.http_status or "no status"), own.http_reason, own.header("location"))
            values = dict(own.warc_headers) | {"HTTP": " ".join(filter(None, http))}
            found = ((name, values.get(name)) for name in headers)
            origin.places += [Place(value, f"header of the WARC record: {name}", f"{name}: {value}") for name, value in found]
        return origin

    def _read_stored(self, capture_id: str) -> _Stored:
        if not (self._folder / CATALOG).is_file():
            return _Stored(problem=f"there is no archive at {self._folder}; restore it from a copy")
        try:
            with Archive(self._folder) as archive:
                if (entry := archive.entry(capture_id)) is None:
                    return _Stored(problem=f"{self._folder} no longer lists capture {capture_id}; restore it from a copy")
                capture = archive.read(entry)
        except ArchiveDamaged as error:
            return _Stored(problem=str(error))
        is_text = capture.warc_type is WarcType.CONVERSION
        return _Stored(capture, locate(capture.content, url=capture.url, content_type=capture.content_type, is_text=is_text))

    def _capture_row(self, capture_id: str) -> Row:
        return next(one for one in self.captures if one["capture_id"] == capture_id)

    def _unknown_field(self, name: str) -> TtaError:
        if name in self.columns:
            return TtaError(f"record {self.record_id} has no field for column {name!r}: no capture of it prints one")
        labels = list(dict.fromkeys(str(row["label"] or row["name"]) for row in self.fields if row["label"] or row["name"]))
        more = ", ..." if len(labels) > _SHOWN_FIELDS else ""
        return TtaError(f"record {self.record_id} has no field {name!r}; it has: {', '.join(labels[:_SHOWN_FIELDS])}{more}")


def not_loaded(folder: Path, db: sqlite3.Connection, name: str) -> list[Row]:
    """Returns captures of a node number, URL or capture id that are not in the database (after a refused refresh), latest first.

    `fields`: the parsed fields, as (label, value or state); `reason`: why a capture has its kind, or can't be read.
    """
    if not folder.is_dir():
        return []
    node = int(name) if name.isdecimal() and len(name) < 20 else node_id(name)
    found: list[Row] = []
    with Archive(folder) as archive:
        like = "" if node is None else f"%node%{node}%"
        entries = archive.entries("capture_id = ? OR url = ? OR url LIKE ?", (name, name, like))
        for entry in sorted(entries, key=lambda entry: entry.captured_at or "", reverse=True):
            is_other = name not in (entry.capture_id, entry.url) and node_id(entry.url) != node
            if is_other or db.execute("SELECT 1 FROM captures WHERE capture_id = ?", [entry.capture_id]).fetchone():
                continue
            names = ("capture_id", "captured_at", "source", "url", "http_status")
            row: Row = {key: getattr(entry, key) for key in names} | {"kind": "unreadable", "fields": []}
            found.append(row)
            try:
                page = read_capture(archive.read(entry))
            except ArchiveDamaged as error:
                row["reason"] = str(error)
            else:
                fields = page.record.fields if page.record else []
                values = [(one.label or one.name, f"({one.state})" if one.value is None else one.value) for one in fields]
                row |= {"kind": page.kind, "reason": page.reason, "fields": values}
            if len(found) == _MAX_READ:
                break
    return found


def _places_of_rows(rows: Sequence[Row], page: SourcePositions) -> Iterable[Place]:
    """Returns the places of rows of `fields`. An item may have another number on the page, as captures are merged."""
    details = ("item", "occurrence", "section", "name", "state", "position")
    left = dict(enumerate(page.record.fields))
    for row in rows:
        alike = [
            (sum(getattr(one, name) == row[name] for name in details), -index)
            for index, one in left.items()
            if one.value == row["value"]  # if the page prints no label, the row has that of another capture
            and (
                (one.label is None and one.name and one.name == row["name"])
                or (one.label == row["label"] and field_key(one) == _key_of(row))
            )
        ]
        best = -max(alike)[1] if alike else None
        left.pop(best, None)  # type: ignore[arg-type]
        yield _as_place(row["value"], None if best is None else page.fields[best])


def _places_of_sections(rows: Sequence[Row], page: SourcePositions) -> Iterable[Place]:
    for row in rows:
        label, sections = label_key(row["label"]), enumerate(page.record.sections)
        found = sorted((one.text != row["text"], index) for index, one in sections if label_key(one.label) == label)
        yield _as_place(row["text"], page.sections[found[0][1]] if found else None)


def _as_place(value: Any, position: SourcePosition | None) -> Place:
    """Returns the place of a value at a position on the page; a position of None means that it is no longer found."""
    text = None if value is None else str(value)
    return Place(text, position.place, position.snippet) if position is not None else Place(text, problem=NOT_SHOWN)


def _key_of(row: Row) -> str:
    """Returns the key of a row of `fields`, which identifies the field on other captures (`columns.field_key`)."""
    return field_key(Field(**{name: row[name] for name in columns_of(Field)}))


def _machine_name(name: str | None) -> str | None:
    """Returns the machine name for comparing fields: without `field_`; None if there is none."""
    return name.lower().replace("-", "_").removeprefix("field_") if name else None
