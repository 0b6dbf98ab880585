"""One capture's bytes to a verdict: is this a TTA record, and what does it say?"""

from __future__ import annotations

from parsers.record import Kind, Page


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
    return Page(kind=Kind.OTHER, reason="nothing on it is a TTA record's")
