"""Every value of the demo can be traced: the capture is intact, the place is found, and the source there contains it."""

import json
import re
from collections import Counter
from html import unescape
from typing import Any

import pytest

from parsers.locate import SourcePosition, locate
from parsers.record import RecordValues, columns_of
from parsers.scalars import iso_time
from parsers.tree import CONTROLS
from scraper.database.connection import reading
from scraper.folders import Folders
from scraper.provenance import INTACT, Reason, Why
from tests.dbkit import html, node, query

WORDS = {0: ("no", "off"), 1: ("yes", "on")}
LISTS = {name for name, info in columns_of(RecordValues).items() if info.type == list[str]}
FLAGS = {name for name, info in columns_of(RecordValues).items() if info.type is bool}
TIMES = ("submitted_at", "status_changed_at", "event_start", "event_end")


MARK = re.compile(r"\s*(?:•|o(?= )|\d{1,3}\.)?\s*")
"""What `tree.readable` puts before the items of a list."""


def holds(text: str, value: str) -> bool:
    """Whether a text has every line of a value, as far as white space and the marks of lists go."""
    packed = pack(text)
    return all(pack(cell) in packed for line in value.splitlines() for cell in MARK.sub("", line, count=1).split("\t"))


def pack(text: str) -> str:
    """A text without white space and what no reader sees, by which the page's source and a value can be compared."""
    return "".join(text.translate(CONTROLS).split())


def source(reason: Reason) -> str:
    """The page's source behind a value, as a reader sees it and as it is written."""
    snippets = [place.snippet or "" for origin in reason.origins for place in origin.places]
    return "\n".join(unescape(re.sub(r"<[^>]*>", "", one)) + "\n" + unescape(one) for one in snippets)


def moments(reason: Reason) -> set[str | None]:
    found = re.findall(r'(?:datetime|content)="([^"]+)"', source(reason))
    return {iso_time(one) for one in found}


def is_shown(column: str, value: Any, reason: Reason) -> bool:
    """Whether the source contains the value of the column, each type in its own way."""
    words = pack(source(reason)).lower()
    if column in TIMES:
        return value in moments(reason)
    if column == "fiscal_year":
        year, month = re.findall(r"(\d{4})(\d\d)\d\d-\d{5,6}-", source(reason))[0]
        return bool(value == int(year) + (int(month) >= 10))
    if reason.made_of and column == reason.field:
        return set(reason.made_of) - {"milestones"} <= {name for name, source in reason.columns.items() if source is not None}
    if column in ("captures", "availability"):
        return len(reason.origins) == value or value == "unknown" or "404" in words
    if column in LISTS:
        return all(pack(one).lower() in words for one in json.loads(value))
    if column in FLAGS:
        return any(word in words for word in WORDS[int(value)])
    if isinstance(value, int | float):
        return f"{value:.12g}" in words.replace(",", "") or str(value) in words
    return all(holds(source(reason), part) for part in value.split("; "))


def check(reason: Reason) -> None:
    """A reason's captures are intact, each of its values has a place, and the source there contains it."""
    at = (reason.record_id, reason.field)
    assert reason.origins, at
    assert {(origin.fixity, origin.problem) for origin in reason.origins} == {(INTACT, None)}, at
    for place in (place for origin in reason.origins for place in origin.places):
        assert place.place and place.snippet and not place.problem, (at, place)
        assert place.value is None or holds(source(reason), place.value) or place.value in moments(reason), (at, place)
    labels = {row["label"] for row in reason.rows if row.get("label") and "text" not in row}
    if reason.rows and not reason.made_of and reason.columns:
        near = [place.snippet or "" for origin in reason.origins for place in origin.places]
        assert all(any(holds(unescape(one), label) for label in labels) for one in near if labels and len(one) < 4000), at
    if reason.rows and not reason.made_of:
        shown = Counter(place.value for origin in reason.origins for place in origin.places)
        assert shown == Counter(row.get("value", row.get("text")) for row in reason.rows), at
    for column, value in reason.columns.items():
        assert value is None or is_shown(column, value, reason), (at, column, value, source(reason))


def test_every_value_of_the_demo_can_be_traced(demo_folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()
    real = Why._read_stored
    monkeypatch.setattr(Why, "_read_stored", lambda self, capture_id: (read.update([capture_id]), real(self, capture_id))[1])
    columns, fields, items, sections = set(), set(), set(), set()
    with reading(demo_folders.database) as db:
        for (record_id,) in query(demo_folders, "SELECT record_id FROM records"):
            why = Why(db, demo_folders.archive, record_id)
            names = [column for column, value in why.columns.items() if value is not None]
            names += dict.fromkeys(row["item"] for row in why.fields if row["item"])
            names += dict.fromkeys(row["label"] for row in why.sections)
            for reason in (*map(why.field, names), *map(why.by_key, dict.fromkeys(why.keys))):
                check(reason)
                columns |= {(record_id, name) for name, value in reason.columns.items() if value is not None}
                rows = {(record_id, row["position"]) for row in reason.rows}
                if any("text" in row for row in reason.rows):
                    sections |= rows
                else:
                    fields |= rows
                    items |= {(record_id, reason.field)} if reason.rows and reason.rows[0]["item"] == reason.field else set()
    assert set(read.values()) == {1}
    names = [name for (name,) in query(demo_folders, "SELECT name FROM pragma_table_info('records')")]
    filled = query(demo_folders, f"SELECT record_id, {', '.join(names)} FROM records")
    assert columns == {(row[0], name) for row in filled for name, value in zip(names, row[1:], strict=True) if value is not None}
    assert fields == set(query(demo_folders, "SELECT record_id, position FROM fields"))
    assert sections == set(query(demo_folders, "SELECT record_id, position FROM sections"))
    assert items == set(query(demo_folders, "SELECT DISTINCT record_id, item FROM fields WHERE item IS NOT NULL"))


def test_a_page_that_names_its_own_address_is_where_the_address_and_the_number_come_from() -> None:
    page = html({"County": "Larch County"}, node=7).replace(
        b"<head>", b'<head>\n<link rel="canonical" href="%s">' % node(7).encode()
    )
    positions = locate(page, url="https://bjatta.bja.ojp.gov/an-alias", content_type="text/html")
    assert positions is not None
    for position in (positions.head["url"], positions.head["node_id"]):
        assert position is not None
        assert position.snippet == f'<link rel="canonical" href="{node(7)}">'
    places = {row.label: place for row, place in zip(positions.record.fields, positions.fields, strict=True)}
    assert places["County"].place == "/html[1]/body[1]/article[1]/div[1]/div[5]"
    with_number = locate(page, url=node(7), content_type="text/html")
    assert with_number is not None
    assert with_number.head["node_id"] == SourcePosition("the capture's address", node(7))
