"""Finds where on a record's page each value was read, and its source, for `tta why`. Pure; parses the page once.

A position is the path of the value's element on an HTML page, or line numbers on a text page.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from parsers.decode import MAX_PAGE, decode
from parsers.html import read_html
from parsers.record import Record
from parsers.text import read_text
from parsers.textlines import source_lines
from parsers.urls import node_id

MAX_SNIPPET = 100_000  # characters of source kept for a value; the longest bodies seen have 30,000
_WHOLE_FIELD = 4000  # characters up to which a value is shown with its whole field


class SourcePosition(NamedTuple):
    """A place on the page and its source."""

    place: str
    snippet: str


class SourcePositions(NamedTuple):
    """What the page of a record shows, and the positions of its fields, its sections, and the values of its head, by name.

    The head's values are those of `PageHead` and `url`; what was not found has no position.
    """

    record: Record
    fields: Sequence[SourcePosition]
    sections: Sequence[SourcePosition]
    head: Mapping[str, SourcePosition]


def locate(
    content: bytes, *, url: str | None = None, content_type: str | None = None, is_text: bool = False
) -> SourcePositions | None:
    """Returns what the page of a record shows, and where; None if the page shows no record."""
    page = decode(content[:MAX_PAGE], content_type, is_text=is_text)
    html = None if is_text else read_html(page, url=url, incomplete=False)
    if html is None or html.visible is not None:
        printed = html.visible or "" if html is not None else page.text
        text = read_text(printed, url=url, incomplete=False)
        lines, record = source_lines(printed), text.page.record
        fields, sections = ([_locate_lines(lines, span) for span in spans] for spans in (text.fields, text.sections))
        head = {name: _locate_lines(lines, span) for name, span in text.head.items()}
    else:
        shared, record = Counter(id(place) for place in html.places), html.page.record
        fields = []
        for row, place in zip(record.fields if record else (), html.places, strict=True):
            printed, item = "".join((row.value or "").split()), place.node
            if shared[id(place)] > 1:  # of several values, the element inside that prints only this one
                item = next((one for one in item.css("*") if "".join(one.text().split()) == printed), item)
            fields.append(_locate_node(item, place.node))
        sections = [_locate_node(place.node) for place in html.section_places]
        head = {name: _locate_node(place.node) for name, place in html.head_places.items()}
    if record is None:
        return None
    head = {name: position for name, position in head.items() if getattr(record, name) is not None}
    number = record.node_id
    if number is not None and node_id(url) == number:
        head["node_id"] = SourcePosition("the capture's address", url or "")
    for name, value in (("node_id", number), ("url", record.url)):  # or else in a tag of the page
        pattern = rf"(?<![0-9]){number}(?![0-9])" if name == "node_id" else re.escape(str(value))
        found = re.search(rf"<[^<>]{{0,1000}}{pattern}[^<>]{{0,1000}}>", page.text) if value and name not in head else None
        if found:
            head[name] = SourcePosition(f"line {page.text.count(chr(10), 0, found.start()) + 1}", found[0])
    return SourcePositions(record, fields, sections, head)


def _locate_lines(lines: Sequence[str], span: tuple[int, int]) -> SourcePosition:
    first, last = span
    place = f"line {first + 1}" if last == first else f"lines {first + 1} to {last + 1}"
    return SourcePosition(place, "\n".join(lines[first : last + 1])[:MAX_SNIPPET])


def _locate_node(node: LexborNode, field: LexborNode | None = None) -> SourcePosition:
    """Returns the path of an element, each step numbered among siblings with its tag, and the source of its field, or its own."""
    steps: list[str] = []
    current: LexborNode | None = node
    while current is not None and current.tag and not current.tag.startswith("-"):
        before, number = current.prev, 1
        while before is not None:
            number += before.tag == current.tag
            before = before.prev
        steps.append(f"{current.tag}[{number}]")
        current = current.parent
    source = (field or node).html or ""
    return SourcePosition(
        "/" + "/".join(reversed(steps)), (source if len(source) <= _WHOLE_FIELD else node.html or "")[:MAX_SNIPPET]
    )
