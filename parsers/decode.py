"""Decodes a page's bytes: by its byte order mark, the HTTP header, `meta`, and detection, in this order."""

import codecs
import re
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import webencodings
from charset_normalizer import from_bytes

MAX_PAGE = 16 * 1024 * 1024
"""Bytes of a page that are read (ARCHIVES.md, section 8; a record has 0.1 MB). The rest is cut off: incomplete."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"<meta[^>]{0,400}?charset\s*=\s*[\"']?\s*([\w:.-]{2,40})", re.IGNORECASE)
_META_PRESCAN = 4096  # bytes; HTML says 1024, but an archive's toolbar pushes the page's own `meta` down
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([\w:.-]{2,40})", re.IGNORECASE)
_SAMPLE = 65536
_WESTERN = ("ascii", "cp125", "iso8859", "latin", "mac", "cp437", "cp85")
_FOR_EACH_BROKEN = 3
_WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}
"""windows-1252 with its five holes as the Encoding Standard fills them, so that no byte is lost."""
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")


class Decoded(NamedTuple):
    """A page's characters, and the bytes that they are in UTF-8 where those are at hand."""

    text: str
    utf8: bytes | None = None


def decode(content: bytes, content_type: str | None = None, *, is_text: bool = False) -> Decoded:
    """The page's characters. Never raises: bytes that are invalid in its encoding become U+FFFD."""
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return Decoded(content[len(bom) :].decode(encoding, "replace"))
    declared = _declared(content, content_type, is_text=is_text)
    if declared in (None, "utf-8"):
        with suppress(UnicodeDecodeError):
            return Decoded(content.decode(), content)
    if declared is None:
        declared = "utf-8" if _is_utf8(content) or _is_mostly_utf8(content) else _detected(content)
        return Decoded(content.decode(declared, "replace"))
    return Decoded(_as_declared(content, declared))


def _declared(content: bytes, content_type: str | None, *, is_text: bool) -> str | None:
    found = _HEADER.search(content_type or "")
    header = _known(found[1]) if found else None
    start = content[:400]
    if header is not None and header.startswith("utf-16") != (start.count(0) * 5 > len(start)):
        header = None
    match = None if is_text else _META.search(content[:_META_PRESCAN])
    meta = _known(match[1].decode("ascii", "replace")) if match else None
    if meta is not None and meta.startswith("utf-16"):
        meta = "utf-8"  # the `meta` was found as ASCII, so it can't be UTF-16 (HTML standard, "prescan")
    is_default = header == "cp1252" and meta == "utf-8" and _is_utf8(content)  # of the server, for all of its files
    return meta if is_default else header or meta


@lru_cache(maxsize=256)
def _known(name: str) -> str | None:
    """The codec for a label of the Encoding Standard, where latin-1 and ASCII mean windows-1252; None for any other label."""
    encoding = webencodings.lookup(name)
    if encoding is None or encoding.name in ("replacement", "x-user-defined"):
        return None
    codec: str = encoding.codec_info.name
    return "cp1252" if codec in ("iso8859-1", "cp1252") else codec


def _as_declared(content: bytes, encoding: str) -> str:
    if encoding == "cp1252" or (encoding == "utf-8" and not _is_utf8(content) and not _MULTIBYTE.search(content)):
        return content.decode("latin-1").translate(_WINDOWS)
    with suppress(LookupError, ValueError):
        return content.decode(encoding, "replace")
    return content.decode("utf-8", "replace")


def _is_utf8(content: bytes) -> bool:
    """Whether the bytes are UTF-8; a character that is cut at the very end does not count against it."""
    with suppress(UnicodeDecodeError):
        codecs.utf_8_decode(content, "strict", False)
        return True
    return False


def _is_mostly_utf8(content: bytes) -> bool:
    """Whether the bytes have few errors among many characters of UTF-8: other encodings do not form such sequences by chance."""
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return sum(char > "\x7f" for char in text) - broken >= _FOR_EACH_BROKEN * broken


def _detected(content: bytes) -> str:
    """Windows-1252 unless the detector is sure of something else: these are American pages, and most detectors err here."""
    if content[:200].count(0) > 40:
        return "utf-16-le" if content[1:200:2].count(0) > content[0:200:2].count(0) else "utf-16-be"
    best = from_bytes(content[:_SAMPLE], preemptive_behaviour=False).best()
    high = sum(byte >= 0x80 for byte in content[:_SAMPLE])
    if best is None or high <= 200 or best.percent_chaos >= 1 or best.encoding.startswith(_WESTERN):
        return "cp1252"
    return best.encoding
