"""Reads the captures of a record from the archive again, so that what is shown is what the archive contains now.

`why` calls it. Each capture is read and parsed once, however many values are asked for.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from parsers.columns import field_key
from parsers.locate import SourcePosition, SourcePositions, locate
from parsers.record import Field, columns_of
from parsers.registry import normal
from parsers.urls import node_id, without_archive
from scraper.archive.store import CATALOG, Archive
from scraper.capture import Capture, Form
from scraper.database.merge import Merged, Seen, merge
from scraper.database.stored_page import decode, encode, keyed
from scraper.errors import ArchiveDamaged
from scraper.reading import read_capture

REPLAY = "https://web.archive.org/web/"
"""Where the Wayback Machine shows a capture to people (DESIGN.md, "Configuration")."""
INTACT = "intact"
NOT_SHOWN = "the page is read differently now than when it was loaded; `tta load --rebuild` reads all pages again"
_KEPT = 32
"""Captures kept in memory, parsed; a record has fewer, and a page seldom takes more than a megabyte."""
_MOST_READ = 20
"""Captures that are not loaded to parse, the latest first."""
Row = dict[str, Any]


@dataclass(slots=True)
class Place:
    """The place of a value: the path of an element, lines of a text, or a header of the WARC record; and the source there.

    Both are None if there is a `problem`.
    """

    value: str | None
    place: str | None = None
    snippet: str | None = None
    problem: str | None = None


@dataclass(slots=True)
class Origin:
    """A capture that values come from. `fixity`: whether its body has the digest it had when loaded; None if it can't be read."""

    capture: Row
    replay: str | None = None
    fixity: str | None = None
    problem: str | None = None
    places: list[Place] = field(default_factory=list)


class _Stored(NamedTuple):
    """A capture as read from the archive. `positions` is None if it shows no record."""

    capture: Capture | None = None
    positions: SourcePositions | None = None
    problem: str | None = None


class Origins:
    """The captures of one archive."""

    def __init__(self, archive: Path) -> None:
        self._folder = archive
        self._read = lru_cache(_KEPT)(self._stored)

    def of_page(self, capture: Row, find: Callable[[SourcePositions], Iterable[Place]] = lambda _: ()) -> Origin:
        """The capture as an origin of the values that `find` looks up on its page."""
        stored = self._read(capture["original_id"] or capture["capture_id"])
        origin = Origin(capture, problem=stored.problem)
        if capture["source"] == "wayback" and capture["url"] and capture["captured_at"]:
            digits = re.sub(r"\D", "", capture["captured_at"])[:14]
            origin.replay = f"{REPLAY}{digits}/{without_archive(capture['url'])}"
        if stored.capture is not None:
            origin.fixity = INTACT if stored.capture.sha256 == capture["sha256"] else "the body in the archive has another digest"
        if stored.positions is not None:
            origin.places += find(stored.positions)
        return origin

    def of_headers(self, capture: Row, *names: str) -> Origin:
        """What the WARC record itself states: its headers of these names; `HTTP` is the status and the redirect's target."""
        origin = self.of_page(capture)
        if stored := self._read(capture["capture_id"]).capture:
            http = (str(stored.http_status or "no status"), stored.http_reason, stored.header("location"))
            headers = dict(stored.warc_headers) | {"HTTP": " ".join(filter(None, http))}
            for name in names:
                found = headers.get(name)
                origin.places.append(Place(found, f"header of the WARC record: {name}", f"{name}: {found}"))
        return origin

    def merged(self, captures: Sequence[Row]) -> Merged | None:
        """What the captures show together (`database.merge`); None if none of them can be read."""
        read = ((one, self._read(one["original_id"] or one["capture_id"]).positions) for one in captures)
        seen = [
            Seen(one["capture_id"], one["captured_at"], keyed(decode(encode(positions.record))))
            for one, positions in read
            if positions is not None
        ]
        return merge(seen) if seen else None

    def _stored(self, capture_id: str) -> _Stored:
        if not (self._folder / CATALOG).is_file():
            return _Stored(problem=f"there is no archive at {self._folder}; restore it from a copy")
        try:
            with Archive(self._folder) as archive:
                if (entry := archive.entry(capture_id)) is None:
                    return _Stored(problem=f"{self._folder} no longer lists capture {capture_id}; restore it from a copy")
                capture = archive.read(entry)
        except ArchiveDamaged as error:
            return _Stored(problem=str(error))
        is_text = capture.form is Form.CONVERSION
        return _Stored(capture, locate(capture.content, url=capture.url, content_type=capture.content_type, is_text=is_text))


def not_loaded(folder: Path, db: sqlite3.Connection, name: str) -> list[Row]:
    """The captures of a node number, a URL or a capture id that are not in the database, as after a refused refresh.

    The latest first, with how the parser reads them: `fields` are (label, value or state); `reason` is why a capture has its
    kind, or why it can't be read.
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
            if len(found) == _MOST_READ:
                break
    return found


def places_of_rows(positions: SourcePositions, rows: Sequence[Row]) -> Iterable[Place]:
    """The places of rows of `fields`. An item may have another number on the page, as captures are merged."""
    details = ("item", "occurrence", "section", "name", "state", "position")
    left = dict(enumerate(positions.record.fields))
    for row in rows:
        key = key_of(row)
        alike = [
            (sum(getattr(one, name) == row[name] for name in details), -index)
            for index, one in left.items()
            if one.value == row["value"]  # where the page prints no label, the row has that of another capture
            and (
                (one.label is None and one.name and one.name == row["name"])
                or (one.label == row["label"] and field_key(one) == key)
            )
        ]
        best = -max(alike)[1] if alike else None
        left.pop(best, None)  # type: ignore[arg-type]
        yield as_place(row["value"], None if best is None else positions.fields[best])


def places_of_sections(positions: SourcePositions, rows: Sequence[Row]) -> Iterable[Place]:
    """The places of rows of `sections`."""
    for row in rows:
        sections = enumerate(positions.record.sections)
        found = sorted((one.text != row["text"], index) for index, one in sections if normal(one.label) == normal(row["label"]))
        yield as_place(row["text"], positions.sections[found[0][1]] if found else None)


def as_place(value: Any, position: SourcePosition | None) -> Place:
    """The place of a value at a position of the page; None is a page on which it is no longer found."""
    text = None if value is None else str(value)
    return Place(text, position.place, position.snippet) if position is not None else Place(text, problem=NOT_SHOWN)


def key_of(row: Row) -> str:
    """`columns.field_key` of a row of `fields`."""
    return field_key(Field(**{name: row[name] for name in columns_of(Field)}))
