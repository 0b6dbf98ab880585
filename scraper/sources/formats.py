"""What a file that is no container appears to be: a page, by positive evidence only, or something else, which gets a name.

The names are for the report. Nothing is taken for a page because no name fits it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from parsers.kinds import is_binary, known_format

_HEAD = 1 << 16
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf|\s|<\?xml[^>]{0,200}\?>|<!--.{0,20000}?-->)*", re.DOTALL)
"""What may precede a page's first tag."""
_ELEMENTS = (
    rb"html|head|body|title|meta|link|base|main|article|section|nav|header|footer|aside|div|p|h[1-6]|span|table|tbody|tr|td|"
    rb"ul|ol|li|dl|form|center|font|b|i|a|br|hr|pre|noscript|style|script"
)
_HTML = re.compile(rb"<(?:!doctype\s+html|(?:" + _ELEMENTS + rb")[\s>/])", re.IGNORECASE)
_HTML_LATER = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_JSON = re.compile(rb'\{\s*["}]|\[\s*(?:["{\[\]\d-]|true|false|null)')
_JSON_DATA = re.compile(rb'"(?:nid|vid|jsonapi|field_\w+)"\s*:|"node--|/rest/type/node/')
_XML_DATA = re.compile(rb"<(?:nid|vid|field_\w+)[\s>]|/node/\d+")
"""What Drupal's data formats call the parts of a node, or a link to one."""
_XML = re.compile(rb"<(?![/!?])([\w:-]+)")
_PORTAL = re.compile(
    r"\b\d{8}-\d{6}-\d+\b|\bTTA\b|\bNTTAC\b|\bBJA\b|technical assistance|skip to main content|submitted by|milestone",
    re.IGNORECASE,
)
"""Words of the portal's pages, which make a text with any file name one of them."""
_TEXT_NAME = re.compile(r"(?:^|/)[^/.]+$|\.(?:txt|text|asc|wet|\d+)(?:\.gz|\.bz2|\.xz|\.zst)?$", re.IGNORECASE)
_BINARY = {
    b"SQLite format 3\0": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an Office file",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"wOF": "a font",
    b"\0\1\0\0\0": "a font",
    b"PAR1": "a Parquet file",
}
_PAGE_PARTS = ("image", "icon", "font", "media", "bitmap")
_LOG = re.compile(
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\d{4}/\d\d/\d\d \d\d:|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d"
    r"|\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/"
)
_CODE = re.compile(r"\s*(?:/\*|@charset|@import|['\"]use strict|!?\(?function\b|(?:var|let|const) \w)")
_CDX = re.compile(r" ?CDX [A-Za-z]( [A-Za-z])+|\S+\)/\S* \d{14} |\S+ \d{14} \{")


class Format(NamedTuple):
    """`media_type`: of a page, else None. `name`: with its article. `is_companion`: it belongs to pages or captures beside it."""

    media_type: str | None
    name: str
    is_companion: bool = False


def format_of(body: bytes, name: str) -> Format:
    """What the bytes of a file appear to be. `name` decides where plain text has no other evidence."""
    head = body[:_HEAD]
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") or (head[1:2] == b"\0" and not is_binary(head))
    narrow = head.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff") if wide else head
    if not narrow.strip():
        return Format(None, "an empty file")
    if found := next((name for magic, name in _BINARY.items() if head.startswith(magic)), None):
        return Format(None, found, "font" in found)
    if found := known_format(head):
        article = "" if found[:3] in ("PDF", "ZIP") else "an " if found[0] in "aeiouO" else "a "
        return Format(None, article + found, any(part in found for part in _PAGE_PARTS))
    if is_binary(head):
        return Format(None, "binary data")
    start = narrow[_BEFORE.match(narrow).end() :]  # type: ignore[union-attr]  # it matches anything
    later = _HTML_LATER.search(narrow)  # behind a message, such as a warning of its server; code that contains markup is no page
    follows = later and not re.search(rb"[{};=\"']", narrow[: later.start()]) and b"<" in narrow[later.end() :]
    if _HTML.match(start) or follows:
        return Format("text/html", "HTML")
    if root := _XML.match(start):
        name = root[1].decode().lower()
        other = Format(None, "an SVG image" if name == "svg" else f"XML ({name})", is_companion=True)
        media_type = "application/rss+xml" if name in ("rss", "feed", "rdf:rdf") else "application/xml"
        return Format(media_type, "XML data of Drupal") if name != "svg" and _XML_DATA.search(body) else other
    if _JSON.match(start):
        other = Format(None, "JSON lines" if b"}\n{" in head else "JSON data", is_companion=True)
        return Format("application/json", "JSON data of Drupal") if _JSON_DATA.search(body) else other
    return _text(narrow.decode("utf-8", "replace"), name)


def _text(text: str, name: str) -> Format:
    lines = [line for line in text.splitlines() if line.strip()][:400]
    if _CDX.match(lines[0]):
        return Format(None, "a CDX index", is_companion=True)
    if sum(bool(_LOG.match(line)) for line in lines) * 2 > len(lines):
        return Format(None, "a log", is_companion=True)
    code = sum(line.rstrip().endswith((";", "{", "}", "*/", "},", ");", "\\")) for line in lines)
    if code * 3 > len(lines) or _CODE.match(text):
        return Format(None, "a style sheet or code", is_companion=True)
    if _PORTAL.search(text):
        return Format("text/plain", "text")
    prose = sum(len(re.findall(r"(?<!\S)[\"'(]?[^\W\d_]{2,}", line)) > 1 for line in lines)
    if prose * 4 >= len(lines) and _TEXT_NAME.search(name):
        return Format("text/plain", "text")
    return Format(None, "text that does not read like a page")
