"""Parses a stored capture: the only place that turns the properties of a capture into the parsers' arguments."""

from parsers.page import parse_page
from parsers.record import ParseResult
from scraper.capture import Capture, WarcType


def read_capture(capture: Capture, *, url: str | None = None, is_text: bool = False) -> ParseResult:
    """Parses a capture. A user may give `url` and `is_text` if the capture has neither."""
    return parse_page(
        capture.content,
        url=url or capture.url,
        content_type=capture.content_type,
        http_status=capture.http_status,
        is_text=is_text or capture.warc_type is WarcType.CONVERSION,
        incomplete=bool(capture.truncated or capture.content_problem),
    )
