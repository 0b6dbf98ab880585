"""Prepares a page's bytes for the parser: decodes them, and removes from HTML whatever would take more than linear time.

Measured with selectolax 1.0.2: 100,000 nested elements take 20 s, 100,000 attributes of one element 34 s, and unclosed
formatting elements are opened again in every paragraph. Real pages are far from the limits and are never changed.
"""

import codecs
import re
from collections import defaultdict
from contextlib import suppress
from functools import lru_cache
from html import escape
from typing import NamedTuple

import webencodings

from parsers.registry import WORDS

MAX_PAGE = 16 * 1024 * 1024
"""Bytes of a page that are read (ARCHIVES.md, section 8; a record has 0.1 MB). A longer page is truncated and incomplete."""
_BOMS = [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")]
_BOMS += [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]  # after UTF-32, which begins like it
_META = re.compile(rb"<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([\w:.-]{2,40})", re.IGNORECASE)
_META_PRESCAN = 4096  # bytes; HTML says 1024, but an archive's toolbar pushes the page's own `meta` down
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w:.-]{2,40})", re.IGNORECASE)
_SAMPLE_BYTES = 65536  # bytes that the detector examines
_MIN_HIGH_BYTES = 200  # bytes beyond ASCII; with fewer the detector is hardly ever sure
_WESTERN = ("ascii", "cp125", "iso8859", "latin", "mac", "cp437", "cp85")
_MIN_VALID_PER_BROKEN = 3  # valid characters beyond ASCII for each invalid one in a page that is mostly UTF-8
_WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}
"""windows-1252 with its five undefined bytes mapped as in the Encoding Standard, so that no byte is lost."""
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")  # a UTF-8 character of several bytes

_PROTECTED = re.compile("|".join(WORDS["source"]["protected"]), re.IGNORECASE | re.DOTALL)
_XHTML = "http://www.w3.org/1999/xhtml"  # the namespace of a page written as XML, where any empty element may close itself
_SELF_CLOSED = re.compile(WORDS["source"]["self_closed"], re.IGNORECASE)
FEW_TAGS = 4000  # with fewer tags no page takes the parser long (measured: 4,000 nested elements 0.03 s)
MAX_DEPTH = 256  # open elements
MAX_FORMATTING = 12  # formatting elements open at a time, which the parser opens again in each block
MAX_TAG = 8192  # characters of one tag; 8 KB contain some 1,500 attributes, which the parser compares with each other in 10 ms
_MAX_QUOTED = 8  # `>` in values, such as a link to the "> front page"; the longest tag that is not noticed has as many parts more
_NO_MARKUP_BYTES = bytes(sorted(set(range(256)) - set(b"<>\"'")))
_TOKEN = re.compile("".join(WORDS["source"]["token"]), re.IGNORECASE | re.DOTALL)
"""A comment, an element whose content is text with its start tag, or any other tag."""
_WITHOUT_END_TAG = frozenset(WORDS["source"]["without_end_tag"].split())
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())  # limited by MAX_FORMATTING


class Decoded(NamedTuple):
    """A page's characters, and their UTF-8 bytes if those are available."""

    text: str
    utf8: bytes | None = None


def decode(content: bytes, content_type: str | None = None, *, is_text: bool = False) -> Decoded:
    """Decodes a page by byte order mark, HTTP header, `meta`, or detection, and restores what Cloudflare or XML replaced."""
    page = _decode_bytes(content, content_type, is_text=is_text)
    if _XHTML in page.text[:_META_PRESCAN]:
        text, closed = _SELF_CLOSED.subn(r"<\1></\2>", page.text)
        page = Decoded(text) if closed else page
    is_protected = "data-cfemail" in page.text or "/email-protection#" in page.text
    return Decoded(_PROTECTED.sub(_restore_address, page.text)) if is_protected else page


def _restore_address(found: re.Match[str]) -> str:
    key, *code = bytes.fromhex(found[2] or found[3])
    address = bytes(byte ^ key for byte in code).decode("utf-8", "replace")
    return escape(f"{'mailto:' if found[3] else ''}{address}") if "@" in address else found[0]


def _decode_bytes(content: bytes, content_type: str | None, *, is_text: bool) -> Decoded:
    """Decodes a page; invalid bytes become U+FFFD."""
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return Decoded(content[len(bom) :].decode(encoding, "replace"))
    declared = _declared_encoding(content, content_type, is_text=is_text)
    if declared in (None, "utf-8"):
        with suppress(UnicodeDecodeError):
            return Decoded(content.decode(), content)
    if declared is None:
        text = content.decode("utf-8", "replace")
        broken = text.count("\ufffd")  # few errors among many UTF-8 characters: no other encoding forms such sequences by chance
        is_mostly_utf8 = sum(char > "\x7f" for char in text) - broken >= _MIN_VALID_PER_BROKEN * broken
        declared = "utf-8" if is_mostly_utf8 or _is_utf8(content) else _detect_encoding(content)
    elif declared == "cp1252" or (declared == "utf-8" and not _is_utf8(content) and not _MULTIBYTE.search(content)):
        return Decoded(content.decode("latin-1").translate(_WINDOWS))
    try:
        return Decoded(content.decode(declared, "replace"))
    except (LookupError, ValueError):
        return Decoded(content.decode("utf-8", "replace"))


def _declared_encoding(content: bytes, content_type: str | None, *, is_text: bool) -> str | None:
    found = _HEADER.search(content_type or "")
    header = _codec_of_label(found[1]) if found else None
    start = content[:400]
    if header is not None and header.startswith("utf-16") != (start.count(0) * 5 > len(start)):
        header = None
    match = None if is_text else _META.search(content[:_META_PRESCAN])
    meta = _codec_of_label(match[1].decode("ascii", "replace")) if match else None
    if meta is not None and meta.startswith("utf-16"):
        meta = "utf-8"  # the `meta` was found as ASCII, so it can't be UTF-16 (HTML standard, "prescan")
    return meta if header == "cp1252" and meta == "utf-8" and _is_utf8(content) else header or meta  # cp1252: a server's default


@lru_cache(maxsize=256)
def _codec_of_label(name: str) -> str | None:
    """Returns the codec for a label of the Encoding Standard (latin-1 and ASCII mean windows-1252); None for other labels."""
    encoding = webencodings.lookup(name)
    if encoding is None or encoding.name in ("replacement", "x-user-defined"):
        return None
    codec: str = encoding.codec_info.name
    return "cp1252" if codec in ("iso8859-1", "cp1252") else codec


def _is_utf8(content: bytes) -> bool:
    """Whether the bytes are UTF-8; a truncated character at the very end is allowed."""
    with suppress(UnicodeDecodeError):
        codecs.utf_8_decode(content, "strict", False)
        return True
    return False


def _detect_encoding(content: bytes) -> str:
    """Detects the encoding: windows-1252 unless the detector is sure, as these are American pages and most detectors err."""
    if content[:200].count(0) > 40:
        return "utf-16-le" if content[1:200:2].count(0) > content[0:200:2].count(0) else "utf-16-be"
    if sum(byte >= 0x80 for byte in content[:_SAMPLE_BYTES]) <= _MIN_HIGH_BYTES:
        return "cp1252"
    from charset_normalizer import from_bytes  # takes 26 ms, and almost no page needs it

    best = from_bytes(content[:_SAMPLE_BYTES], preemptive_behaviour=False).best()
    if best is None or best.percent_chaos >= 1 or best.encoding.startswith(_WESTERN):
        return "cp1252"
    return best.encoding


def limit_markup(text: str, utf8: bytes | None = None) -> bytes:
    """Returns the page in UTF-8 without what exceeds the limits above. `utf8`: the text in UTF-8, if the caller has it."""
    source = utf8 if utf8 is not None else text.encode("utf-8", "replace")
    return source if _is_plain(source) else _remove_excess_markup(text).encode("utf-8", "replace")


def _is_plain(source: bytes) -> bool:
    """Whether a page has few tags, each short and closed by its first `>`, as nearly every page has.

    Of all brackets and quotes, none may be left once pairs of quotes and then tags are removed.
    """
    marks = source.translate(None, _NO_MARKUP_BYTES)
    if marks.count(b"<") > FEW_TAGS:
        return False
    if len(source) <= MAX_TAG:
        return True
    rest = marks.replace(b'""', b"").replace(b'">"', b"", _MAX_QUOTED).replace(b"<>", b"")
    step = MAX_TAG // 2  # a tag longer than MAX_TAG covers one of these parts, and has no bracket in it
    parts = (source.find(b">", start, start + step) >= 0 for start in range(0, len(source) - step, step))
    return b"<" not in rest and b">" not in rest and all(parts)


def _remove_excess_markup(text: str) -> str:
    is_few = text.count("<") <= FEW_TAGS
    opened: dict[str, int] = defaultdict(int)  # by name, and all under ""

    def reduce(found: re.Match[str]) -> str:
        tag, ends, content = found["tag"] or found["any"], bool(found["ends"]), found["text"] or ""
        if tag is None:
            return found[0]
        name = (found["raw"] or found["name"]).lower()
        if not is_few and name not in _WITHOUT_END_TAG:
            is_open = name in _FORMATTING and sum(map(opened.__getitem__, _FORMATTING)) >= MAX_FORMATTING
            if (not opened[name]) if ends else is_open:
                return content
            for counted in (name, ""):
                opened[counted] += -1 if ends else 1
            if opened[""] + ends > MAX_DEPTH:
                return content
        return (tag if len(tag) <= MAX_TAG else f"<{found['ends'] or ''}{name}>") + content

    return _TOKEN.sub(reduce, text)
