"""One capture's bytes to a verdict: is this a TTA record, and what does it say?

`kinds` judges what is no page at all, `html` and `text` read the two forms, `columns` types what they read.
"""

from __future__ import annotations

from parsers.columns import field_key
from parsers.decode import MAX_PAGE, decode
from parsers.htmlpage import read_html
from parsers.kinds import kind_by_bytes, kind_by_status
from parsers.record import Kind, Page
from parsers.textpage import read_text
from parsers.tree import Element


def parse_page(
    content: bytes,
    *,
    url: str | None = None,
    content_type: str | None = None,
    http_status: int | None = None,
    is_text: bool = False,
    incomplete: bool = False,
) -> Page:
    """Never raises on any bytes. `is_text`: a text extract (WARC `conversion`); `incomplete`: known to be cut."""
    verdict = kind_by_status(http_status, content) or kind_by_bytes(content, content_type)
    if verdict is not None:
        return verdict
    cut = incomplete or len(content) > MAX_PAGE
    decoded = decode(content[:MAX_PAGE], content_type, is_text=is_text)
    if is_text:
        return read_text(decoded.text, url=url, incomplete=cut)
    return read_html(decoded, url=url, incomplete=cut).page


def locate(
    content: bytes, key: str, *, url: str | None = None, content_type: str | None = None, is_text: bool = False
) -> tuple[str, str] | None:
    """Where on a record's page a field was read (a path of elements, or a line) and the snippet there; None where it is not.

    `key` is `columns.field_key` of the field, or `title`, `submitted_by`, `submitted_at`.
    """
    decoded = decode(content[:MAX_PAGE], content_type, is_text=is_text)
    if is_text:
        page = read_text(decoded.text, url=url, incomplete=False)
        return _locate_line(decoded.text, key, page)
    reading = read_html(decoded, url=url, incomplete=False)
    if reading.page.record is None:
        return None
    if key in reading.head_places:
        return _place_of(reading.head_places[key])
    for row, place in zip(reading.page.record.fields, reading.places, strict=True):
        if field_key(row) == key:
            return _place_of(place)
    return None


_SNIPPET = 2000
"""Characters of the page's source that are shown for a value."""


def _place_of(element: Element) -> tuple[str, str]:
    steps: list[str] = []
    node = element.node
    while node is not None and node.tag and not node.tag.startswith("-"):
        before = node.prev
        number = 1
        while before is not None:
            number += before.tag == node.tag
            before = before.prev
        steps.append(f"{node.tag}[{number}]")
        if node.parent is None:
            break
        node = node.parent
    return "/" + "/".join(reversed(steps)), (element.node.html or "")[:_SNIPPET]


def _locate_line(text: str, key: str, page: Page) -> tuple[str, str] | None:
    if page.kind is not Kind.RECORD or page.record is None:
        return None
    row = next((row for row in page.record.fields if field_key(row) == key), None)
    wanted = {"title": page.record.title, "submitted_by": page.record.submitted_by}.get(key)
    if row is not None:
        wanted = row.label or (row.value or "").split("\n", 1)[0]
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if wanted and wanted in " ".join(line.split()):
            return f"line {number}", "\n".join(lines[number - 1 : number + 2])[:_SNIPPET]
    return None
