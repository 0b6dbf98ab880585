"""The captures behind values, read from the archive once more, so that what is shown is what lies there now.

`why` asks; each capture is read and parsed once, however many values are asked for.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from parsers.columns import field_key
from parsers.locate import Spot, Spots, locate
from parsers.record import Field, columns_of
from parsers.registry import normal
from parsers.urls import without_archive
from scraper.archive.catalog import CATALOG, Entry
from scraper.archive.store import Archive
from scraper.capture import Capture, Form
from scraper.errors import ArchiveDamaged, SqliteDamaged

REPLAY = "https://web.archive.org/web/"
"""Where the Wayback Machine shows a capture to people (DESIGN.md, "Configuration")."""
SOUND = "sound"
NOT_SHOWN = "the page is read otherwise now than when it was loaded: `tta load --rebuild --plan` says what a rebuild would change"
_KEPT = 32
"""Captures kept in memory, parsed; a record has fewer, and a page seldom takes more than a megabyte."""

Row = dict[str, Any]


@dataclasses.dataclass(slots=True)
class Place:
    """Where a value stands: an element's path, lines of a text, or a header of the WARC record; and the source there.

    Both are None where `problem` says why.
    """

    value: str | None
    place: str | None = None
    snippet: str | None = None
    problem: str | None = None


@dataclasses.dataclass(slots=True)
class Origin:
    """One capture that values come from. `fixity`: whether its body still has its digest; None where it can't be read."""

    capture: Row
    replay: str | None = None
    fixity: str | None = None
    problem: str | None = None
    places: list[Place] = dataclasses.field(default_factory=list)


class _Stored(NamedTuple):
    """A capture as the archive gives it back. `spots`: None where it shows no record."""

    capture: Capture | None
    spots: Spots | None
    problem: str | None


class Origins:
    """The captures of one archive."""

    def __init__(self, archive: Path) -> None:
        self._folder = archive
        self._stored: OrderedDict[str, _Stored] = OrderedDict()

    def of_rows(self, capture: Row, rows: Sequence[Row]) -> Origin:
        """Where rows of `fields` stand on the page of a capture."""
        origin, stored = self._origin(capture)
        if stored.spots is not None:
            taken: set[int] = set()
            for row in rows:
                index = _index_of(row, stored.spots, taken)
                taken |= {index} if index is not None else set()
                origin.places.append(_place(row["value"], None if index is None else stored.spots.of_field(index)))
        return origin

    def of_sections(self, capture: Row, rows: Sequence[Row]) -> Origin:
        """Where rows of `sections` stand."""
        origin, stored = self._origin(capture)
        for row in rows if stored.spots is not None else ():
            assert stored.spots is not None
            sections = enumerate(stored.spots.record.sections)
            found = [index for index, one in sections if normal(one.label) == normal(row["label"])]
            same = [index for index in found if stored.spots.record.sections[index].text == row["text"]]
            spot = stored.spots.of_section((same or found)[0]) if found else None
            origin.places.append(_place(row["text"], spot))
        return origin

    def of_head(self, capture: Row, name: str) -> Origin:
        """Where the title, the submission or the node number stands."""
        origin, stored = self._origin(capture)
        if stored.spots is not None:
            spot = stored.spots.of_node_id() if name == "node_id" else stored.spots.of_head(name)
            origin.places.append(_place(self.head(capture, name), spot))
        return origin

    def of_page_url(self, capture: Row) -> Origin:
        """Where the page names its own address."""
        origin, stored = self._origin(capture)
        if stored.spots is not None:
            origin.places.append(_place(stored.spots.record.url, stored.spots.of_page_url()))
        return origin

    def of_headers(self, capture: Row, *names: str) -> Origin:
        """What the WARC record itself says: its headers of these names, and `HTTP` for the status and where it leads."""
        origin, _ = self._origin(capture)
        stored = self._read(capture["capture_id"])
        if stored.capture is None:
            return origin
        for name in names:
            found = _http(stored.capture) if name == "HTTP" else _header(stored.capture, name)
            origin.places.append(Place(found, f"header of the WARC record: {name}", f"{name}: {found}"))
        return origin

    def head(self, capture: Row, name: str) -> str | None:
        """What a capture's page says outside its fields; None where it says nothing, or can't be read."""
        stored = self._read(capture["original_id"] or capture["capture_id"])
        value = getattr(stored.spots.record, name) if stored.spots is not None else None
        return None if value is None else str(value)

    def _origin(self, capture: Row) -> tuple[Origin, _Stored]:
        origin = Origin(capture, replay=replay_address(capture))
        stored = self._read(capture["original_id"] or capture["capture_id"])
        if stored.capture is None:
            origin.problem = stored.problem
            return origin, stored
        is_sound = stored.capture.sha256 == capture["sha256"]
        origin.fixity = SOUND if is_sound else "the body in the archive has another digest"
        return origin, stored

    def _read(self, capture_id: str) -> _Stored:
        if capture_id in self._stored:
            self._stored.move_to_end(capture_id)
            return self._stored[capture_id]
        try:
            capture = self._capture(capture_id)
        except (ArchiveDamaged, SqliteDamaged) as error:
            stored = _Stored(None, None, str(error))
        else:
            is_text = capture.form is Form.CONVERSION
            spots = locate(capture.content, url=capture.url, content_type=capture.content_type, is_text=is_text)
            stored = _Stored(capture, spots, None)
        self._stored[capture_id] = stored
        if len(self._stored) > _KEPT:
            self._stored.popitem(last=False)
        return stored

    def _capture(self, capture_id: str) -> Capture:
        if not (self._folder / CATALOG).is_file():
            raise ArchiveDamaged(f"there is no archive at {self._folder}; restore it from a copy")
        with Archive(self._folder) as archive:
            entry: Entry | None = archive.entry(capture_id)
            if entry is None:
                raise ArchiveDamaged(f"{self._folder} no longer lists capture {capture_id}; restore it from a copy")
            return archive.read(entry)


def _index_of(row: Row, spots: Spots, taken: set[int]) -> int | None:
    """The field on the page that a row was read from. An item may have another number there, where captures were merged."""
    key, best, best_score = key_of(row), None, -1
    for index, one in enumerate(spots.record.fields):
        if index in taken or one.value != row["value"] or one.label != row["label"] or field_key(one) != key:
            continue
        score = sum(getattr(one, name) == row[name] for name in ("item", "occurrence", "section", "name", "state", "position"))
        if score > best_score:
            best, best_score = index, score
    return best


def _place(value: str | None, spot: Spot | None) -> Place:
    return Place(value, spot.place, spot.snippet) if spot is not None else Place(value, problem=NOT_SHOWN)


def _header(capture: Capture, name: str) -> str | None:
    return next((value for key, value in capture.warc_headers if key.lower() == name.lower()), None)


def _http(capture: Capture) -> str:
    parts = [str(capture.http_status or "no status"), capture.http_reason, capture.header("location")]
    return " ".join(part for part in parts if part)


def key_of(row: Row) -> str:
    """`columns.field_key` of a row of `fields`."""
    return field_key(Field(**{name: row[name] for name in columns_of(Field)}))


def replay_address(capture: Row) -> str | None:
    """Where people can look at the capture, for captures of the Wayback Machine."""
    if capture["source"] != "wayback" or not capture["url"] or not capture["captured_at"]:
        return None
    digits = "".join(char for char in capture["captured_at"] if char.isdigit())[:14]
    return f"{REPLAY}{digits}/{without_archive(capture['url'])}"
