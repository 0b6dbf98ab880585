"""Determines the kind of a capture that shows no record, by its HTTP status, its bytes, and the text of its page."""

import json
import re
from contextlib import suppress
from urllib.parse import urlsplit

from parsers.record import Kind, ParseResult
from parsers.registry import WORDS
from parsers.urls import page_address

_MAGIC = {name: tuple(one.encode("latin-1") for one in starts) for name, starts in WORDS["formats"].items()}
_BLANK_BYTES = b"\0 \t\r\n\xef\xbb\xbf"  # a body of nothing else is empty
_CONTROLS = bytes([*range(9), *range(14, 32)])  # bytes that are rare in text
_NO_PAGE_TYPES = ("image/", "audio/", "video/", "font/", "application/pdf", "application/json")
_PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "")
_BLOCKED_TITLES, _BLOCKED_TEXT, _ERROR_TITLES = (
    re.compile("|".join(rf"^\W*(?:{one})" if flags else one for one in WORDS["kinds"][name]), flags)
    for name, flags in (("blocked_titles", re.IGNORECASE), ("blocked_texts", 0), ("error_titles", re.IGNORECASE))
)  # a text is searched in lower case, which is seven times as fast as ignoring case
_BLOCKED_MARKUP = WORDS["kinds"]["blocked_markup"].split()
"""Markup of a challenge page, in lower case; searching each in turn is ten times as fast as one pattern."""
_PASSWORD_INPUT = re.compile(r"<input[^>]{0,300}\btype\s*=\s*[\"']?password", re.IGNORECASE)  # evidence of a login form
_OTHER_PATHS = re.compile(WORDS["kinds"]["other_paths"], re.IGNORECASE)
_REDIRECT_NOTE = re.compile(r"got an http 30\d response at crawl time", re.IGNORECASE)  # from an archive's replay
_REDIRECT_SCRIPT = re.compile(r"<script[^>]*>[^<]{0,200}\blocation(\.href)?\s*=", re.IGNORECASE)
_SHORT_PAGE = 6000  # characters of visible text; a page that refuses access has little other text


def kind_by_status(status: int | None, content: bytes) -> ParseResult | None:
    """Returns the kind by the HTTP status; None for a success or if there is no status. Firewalls use any status."""
    if status is None or status < 100 or 200 <= status < 300:  # some indexes write 0 for "not known"
        return None
    if status == 304:
        return ParseResult(kind=Kind.REVISIT, reason="status 304")
    if 300 <= status < 400:
        return ParseResult(kind=Kind.REDIRECT, reason=f"status {status}")
    sample = content[:65536].decode("utf-8", "replace").lower()
    blocked = status in (401, 403, 407, 429, 451) or any(mark in sample for mark in _BLOCKED_MARKUP)
    return ParseResult(kind=Kind.BLOCKED if blocked else Kind.ERROR, reason=f"status {status}")


def kind_by_bytes(content: bytes, content_type: str | None) -> ParseResult | None:
    """Returns the kind by the first bytes and the declared type; None if this may be HTML or text, which has to be parsed."""
    head = content[:4096].lstrip()
    if not head.strip(_BLANK_BYTES) and not content.strip(_BLANK_BYTES):
        return ParseResult(kind=Kind.UNREADABLE, reason="the page is empty")
    declared = (content_type or "").split(";")[0].strip().lower()
    looks_html = re.search(rb"<(!doctype\s+html|html|head|body|article|div|p|h1)\b", content[:65536], re.IGNORECASE) is not None
    reason = f"a {magic}" if (magic := known_format(head)) else None
    if not reason and head[:1] in (b"{", b"["):
        with suppress(ValueError, RecursionError):
            if not declared.endswith("json"):
                json.loads(content[: 1 << 20])
            reason = "JSON"
    if not reason and (declared.startswith(_NO_PAGE_TYPES) or (declared not in _PAGE_TYPES and not looks_html)):
        reason = f"type {declared[:60]!r}"
    if not reason and not looks_html and head.startswith(b"<?xml"):
        reason = "XML"
    reason = reason or ("binary data" if is_binary(content) else None)
    return ParseResult(kind=Kind.NOT_HTML, reason=reason) if reason else None


def known_format(head: bytes) -> str | None:
    """Returns the name of a file format other than a page, by its first bytes; None if unknown."""
    return next((name for name, starts in _MAGIC.items() if head.startswith(starts)), None)


def is_binary(content: bytes) -> bool:
    """Whether over 5% of the first 4,096 bytes are control characters. UTF-16, with a NUL at every second byte, is not binary."""
    sample = content[:4096]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if min(even, odd) * 20 < max(even, odd) and max(even, odd) * 5 > len(sample):
        return False
    return (len(sample) - len(sample.translate(None, _CONTROLS))) * 20 > len(sample)


def is_other_address(url: str | None) -> bool:
    """Whether a URL of the site belongs to a page other than a record (DOMAIN.md, "The site")."""
    try:
        return _OTHER_PATHS.match(urlsplit(page_address(url)).path) is not None if url else False
    except ValueError:
        return False


def kind_of_page(titles: list[str], text: str, source: str, *, refreshes: bool = False) -> ParseResult:
    """Returns the kind of a page without a record. `titles`: title and headings; `text`: visible text; `source`: markup."""
    is_short = len(text) < _SHORT_PAGE
    markup = source.lower() if is_short else ""
    is_login = "password" in markup and "<article" not in markup and _PASSWORD_INPUT.search(markup)
    signs = (  # the first one counts
        (Kind.BLOCKED, any(map(_BLOCKED_TITLES.search, titles)), "its title is that of a refused request"),
        (Kind.BLOCKED, is_short and _BLOCKED_TEXT.search(text.lower()), "its text is that of a refused request"),
        (Kind.BLOCKED, any(mark in markup for mark in _BLOCKED_MARKUP), "a firewall's challenge"),
        (Kind.ERROR, any(map(_ERROR_TITLES.search, titles)), "its title is that of an error page"),
        (Kind.REDIRECT, is_short and (refreshes or _REDIRECT_NOTE.search(text)), "the page forwards to another"),
        (Kind.REDIRECT, not text and _REDIRECT_SCRIPT.search(source), "the page forwards to another"),
        (Kind.UNREADABLE, not text, "nothing on it can be read"),
        (Kind.BLOCKED, is_login, "a login form"),
        (Kind.OTHER, True, "not a TTA record's page"),
    )
    return next(ParseResult(kind=kind, reason=reason) for kind, is_found, reason in signs if is_found)
