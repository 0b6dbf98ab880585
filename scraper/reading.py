"""A stored capture to what the parsers say of it: the one place that turns a capture's marks into the parsers' arguments."""

from __future__ import annotations

from parsers.page import parse_page
from parsers.record import ParseResult
from scraper.capture import Capture, Form


def read_capture(capture: Capture, *, url: str | None = None, is_text: bool = False) -> ParseResult:
    """The verdict on a capture. `url` and `is_text` are a user's word, where the capture itself does not tell."""
    return parse_page(
        capture.content,
        url=url or capture.url,
        content_type=capture.content_type,
        http_status=capture.http_status,
        is_text=is_text or capture.form is Form.CONVERSION,
        incomplete=bool(capture.truncated or capture.content_problem),
    )
