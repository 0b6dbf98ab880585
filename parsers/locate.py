"""Where on a record's page each value was read, and the source there: what `tta why` shows. Pure; the page is read once for all.

A spot on an HTML page is a path of elements, on a text page the numbers of its lines. The spot is checked, not only cached_short:
it is the smallest part of the page around the field that holds the value.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from html import unescape
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from parsers.decode import MAX_PAGE, decode
from parsers.html import Reading, read_html
from parsers.record import Record
from parsers.text import TextReading, read_text
from parsers.textlines import source_lines
from parsers.tree import UNSEEN
from parsers.urls import node_id

MAX_SNIPPET = 100_000
"""Characters of source kept for a value; the longest bodies seen have 30,000."""
_WHOLE_FIELD = 4000
"""Characters up to which the whole field is shown, label and all; of a longer one only the part with the value."""
_MARK = re.compile(r"\s*(?:•|o(?= )|\d{1,3}\.)?\s*")
"""What `tree.readable` puts before the items of a list."""


class Spot(NamedTuple):
    """A place on the page and its source."""

    place: str
    snippet: str


class Spots(ABC):
    """What the page of a record shows, and the spot of each part; None where it can't be told. Found when asked for."""

    def __init__(self, record: Record, text: str, url: str | None) -> None:
        self.record = record
        self._text = text
        self._url = url

    @abstractmethod
    def of_field(self, index: int) -> Spot | None:
        """The spot of `record.fields[index]`."""

    @abstractmethod
    def of_section(self, index: int) -> Spot | None:
        """The spot of `record.sections[index]`."""

    @abstractmethod
    def of_head(self, name: str) -> Spot | None:
        """The spot of `title`, `submitted_by` or `submitted_at`."""

    def of_node_id(self) -> Spot | None:
        """The spot of the node number: in the address, else in a tag of the page."""
        number = self.record.node_id
        if number is not None and node_id(self._url) == number:
            return Spot("the capture's address", self._url or "")
        return self._in_tag(rf"(?<![0-9]){number}(?![0-9])") if number is not None else None

    def of_page_url(self) -> Spot | None:
        """The spot where the page names its own address."""
        return self._in_tag(re.escape(self.record.url)) if self.record.url else None

    def _in_tag(self, pattern: str) -> Spot | None:
        found = re.search(rf"<[^<>]{{0,1000}}{pattern}[^<>]{{0,1000}}>", self._text)
        if found is None:
            return None
        return Spot(f"line {self._text.count(chr(10), 0, found.start()) + 1}", found[0])


def locate(content: bytes, *, url: str | None = None, content_type: str | None = None, is_text: bool = False) -> Spots | None:
    """What the page of a record shows, to be found on it; None where the page shows no record."""
    page = decode(content[:MAX_PAGE], content_type, is_text=is_text)
    if is_text:
        text_reading = read_text(page.text, url=url, incomplete=False)
        record = text_reading.page.record
        return _OnLines(record, page.text, url, text_reading) if record is not None else None
    reading = read_html(page, url=url, incomplete=False)
    record = reading.page.record
    return _OnPage(record, page.text, url, reading) if record is not None else None


# --- HTML -------------------------------------------------------------------------------------------------------------


class _OnPage(Spots):
    def __init__(self, record: Record, text: str, url: str | None, reading: Reading) -> None:
        super().__init__(record, text, url)
        self._nodes = [place.node if place is not None else None for place in reading.places]
        self._head = {name: place.node for name, place in reading.head_places.items()}
        self._anywhere = next((node for node in (*self._nodes, *self._head.values()) if node is not None), None)

    def of_field(self, index: int) -> Spot | None:
        row = self.record.fields[index]
        return _spot(self._nodes[index], row.value, row.datetime)

    def of_section(self, index: int) -> Spot | None:
        section = self.record.sections[index]
        return _spot(self._anywhere, section.text or section.label)

    def of_head(self, name: str) -> Spot | None:
        value = getattr(self.record, name)
        if value is None:
            return None
        return _spot(self._head.get(name, self._anywhere), None if name == "submitted_at" else value)


def _spot(node: LexborNode | None, value: str | None, attribute: str | None = None) -> Spot | None:
    """The smallest part of the page with the value, looked for inside the node and then around it."""
    if node is None:
        return None
    if value is None or _in_attributes(node, value, attribute):
        return _source(node, node)
    whole: LexborNode | None = node
    while whole is not None and not holds(whole.text(), value):
        whole = whole.parent
    if whole is None:
        return None
    smallest = whole
    while inner := next((child for child in smallest.iter() if holds(child.text(), value)), None):
        smallest = inner
    return _source(smallest, node if whole is node else smallest)


def _in_attributes(node: LexborNode, value: str, attribute: str | None) -> bool:
    """Whether a value is not printed but stands in an attribute, such as a picture's text or a time's moment."""
    if holds(node.text(), value):
        return False
    source = unescape(node.html or "")
    return holds(source, value) or (attribute is not None and attribute.split("/")[0] in source)


def _source(smallest: LexborNode, whole: LexborNode) -> Spot:
    source = whole.html or ""
    if len(source) > _WHOLE_FIELD:
        source = smallest.html or ""
    return Spot(_path(smallest), source[:MAX_SNIPPET])


def _path(node: LexborNode) -> str:
    steps: list[str] = []
    current: LexborNode | None = node
    while current is not None and current.tag and not current.tag.startswith("-"):
        before = current.prev
        number = 1
        while before is not None:
            number += before.tag == current.tag
            before = before.prev
        steps.append(f"{current.tag}[{number}]")
        current = current.parent
    return "/" + "/".join(reversed(steps))


def holds(text: str, value: str) -> bool:
    """Whether a text has every line of a value, as far as white space and the marks of lists go."""
    packed = pack(text)
    return all(pack(cell) in packed for line in value.splitlines() for cell in _MARK.sub("", line, count=1).split("\t"))


def pack(text: str) -> str:
    """A text without white space and what no reader sees, by which the page's source and a value can be compared."""
    return "".join(text.translate(UNSEEN).split())


# --- text -------------------------------------------------------------------------------------------------------------


class _OnLines(Spots):
    """The reader of text notes the lines of each value."""

    def __init__(self, record: Record, text: str, url: str | None, reading: TextReading) -> None:
        super().__init__(record, text, url)
        self._lines = source_lines(text)
        self._reading = reading

    def of_field(self, index: int) -> Spot | None:
        return self._spot(self._reading.fields[index])

    def of_section(self, index: int) -> Spot | None:
        return self._spot(self._reading.sections[index])

    def of_head(self, name: str) -> Spot | None:
        span = self._reading.head.get(name)
        return self._spot(span) if span is not None and getattr(self.record, name) is not None else None

    def _spot(self, span: tuple[int, int]) -> Spot:
        first, last = span
        place = f"line {first + 1}" if last == first else f"lines {first + 1} to {last + 1}"
        return Spot(place, "\n".join(self._lines[first : last + 1])[:MAX_SNIPPET])
