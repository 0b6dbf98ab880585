"""Parses one capture's bytes: whether they show a TTA record, and its content.

`kinds` classifies what is not a page, `drupal_data`, `html` and `text` parse each format, `columns` converts values to types.
"""

from parsers.decode import MAX_PAGE, decode
from parsers.drupal_data import read_data
from parsers.html import read_html
from parsers.kinds import kind_by_bytes, kind_by_status
from parsers.record import ParseResult


def parse_page(
    content: bytes,
    *,
    url: str | None = None,
    content_type: str | None = None,
    http_status: int | None = None,
    is_text: bool = False,
    incomplete: bool = False,
) -> ParseResult:
    """Parses a capture; never raises. `is_text`: a text extract (WARC `conversion`); `incomplete`: known to be cut."""
    found = kind_by_status(http_status, content)
    if found is None and not is_text:
        found = read_data(content[:MAX_PAGE], url=url)
    found = found or kind_by_bytes(content, content_type)
    if found is not None:
        return found
    cut = incomplete or len(content) > MAX_PAGE
    decoded = decode(content[:MAX_PAGE], content_type, is_text=is_text)
    if is_text:
        from parsers.text import read_text  # here, because its patterns take a while to compile

        return read_text(decoded.text, url=url, incomplete=cut).page
    return read_html(decoded, url=url, incomplete=cut).page
