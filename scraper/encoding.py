"""Takes transfer and content encodings off a body, with limits, and says so when a body was cut.

httpx and warcio both accept truncated and chained encodings in silence (ARCHIVES.md, sections 5 and 8), so the bodies that
captures are judged by are decoded here and nowhere else.
"""

from __future__ import annotations

import zlib

import brotli

from scraper.errors import TtaError

MAX_DECODED = 64 * 1024 * 1024
"""Bytes; ARCHIVES.md section 8 proposes 64 MiB for a WARC record (November 2026)."""
MAX_ENCODINGS = 2
"""More than two layers have only been seen in attacks (CVE-2025-66418)."""
GZIP_MAGIC = b"\x1f\x8b"
_STEP = 1 << 16


class UndecodableContent(TtaError):
    """The body is not what its headers say, is cut, or is too large; keep the bytes as they came and mark the capture unreadable."""


def decode_content(payload: bytes, *, encodings: list[str], chunked: bool = False) -> bytes:
    """The body as its author wrote it. `encodings`: values of Content-Encoding, in order. Raises UndecodableContent.

    A body that says it is encoded but plainly is not, is taken as it is: archives store decoded bodies under the old headers.
    """
    body = _dechunk(payload) if chunked else payload
    names = [name.strip().lower() for value in encodings for name in value.split(",")]
    names = [name for name in names if name and name != "identity"]
    if len(names) > MAX_ENCODINGS:
        raise UndecodableContent(f"{len(names)} content encodings on one body; at most {MAX_ENCODINGS} are taken off")
    for name in reversed(names):
        body = _decode_one(body, name)
    return body


def _decode_one(body: bytes, name: str) -> bytes:
    if name in ("gzip", "x-gzip"):
        return gunzip(body) if body.startswith(GZIP_MAGIC) else body
    if name == "deflate":
        return _inflate(body)
    if name == "br":
        return _unbrotli(body)
    raise UndecodableContent(f"content encoding {name[:40]!r} is not known")


def gunzip(body: bytes, limit: int = MAX_DECODED) -> bytes:
    """All members of a gzip file, up to `limit` bytes. Raises UndecodableContent where the last one is cut or damaged."""
    pieces: list[bytes] = []
    size = 0
    rest = body
    while rest:
        if not rest.startswith(GZIP_MAGIC):
            if rest.strip(b"\0"):
                raise UndecodableContent("bytes that are not gzip follow a gzip body")
            break
        decoder = zlib.decompressobj(31)
        size = _drain(decoder, rest, pieces, size, limit)
        rest = decoder.unused_data
    return b"".join(pieces)


def _inflate(body: bytes) -> bytes:
    """`deflate` is zlib by the RFC and raw deflate in the wild."""
    for wbits in (15, -15):
        pieces: list[bytes] = []
        try:
            _drain(zlib.decompressobj(wbits), body, pieces, 0, MAX_DECODED)
        except UndecodableContent:
            continue
        return b"".join(pieces)
    raise UndecodableContent("a deflate body is cut or damaged")


def _drain(decoder: zlib._Decompress, data: bytes, pieces: list[bytes], size: int, limit: int) -> int:
    """Appends what one zlib stream decodes to; `size` bytes were there before. Returns the new size."""
    try:
        while data and not decoder.eof:
            piece = decoder.decompress(data, limit - size + 1)
            size += len(piece)
            if size > limit:
                raise UndecodableContent(f"a body decodes to more than {limit} bytes")
            pieces.append(piece)
            data = decoder.unconsumed_tail
            if not data and not decoder.eof:
                pieces.append(decoder.flush())
                size += len(pieces[-1])
                break
    except zlib.error as error:
        raise UndecodableContent(f"a compressed body is damaged: {error}") from None
    if not decoder.eof:
        raise UndecodableContent("a compressed body is cut")
    return size


def _unbrotli(body: bytes) -> bytes:
    decoder = brotli.Decompressor()
    pieces: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(body), _STEP):
            piece = decoder.process(body[start : start + _STEP])
            size += len(piece)
            if size > MAX_DECODED:
                raise UndecodableContent(f"a body decodes to more than {MAX_DECODED} bytes")
            pieces.append(piece)
    except brotli.error:
        return _plain_or_cut(body, pieces)
    if not decoder.is_finished():
        raise UndecodableContent("a brotli body is cut")
    return b"".join(pieces)


def _plain_or_cut(body: bytes, pieces: list[bytes]) -> bytes:
    """Brotli has no magic number: a body that fails at once and begins like a page was never compressed."""
    if not any(pieces) and body.lstrip()[:1] in (b"<", b"{", b"["):
        return body
    raise UndecodableContent("a brotli body is damaged")


def _dechunk(body: bytes) -> bytes:
    """Takes chunked transfer encoding off. A body that does not begin with a chunk size was dechunked before (pywb does so)."""
    pieces: list[bytes] = []
    position = 0
    while True:
        end = body.find(b"\r\n", position, position + 1024)
        size = _chunk_size(body[position:end]) if end > 0 else None
        if size is None:
            if position == 0:
                return body
            raise UndecodableContent("a chunked body is cut or damaged")
        if size == 0:
            return b"".join(pieces)
        piece = body[end + 2 : end + 2 + size]
        if len(piece) < size:
            raise UndecodableContent("a chunked body is cut")
        pieces.append(piece)
        position = end + 2 + size + 2


def _chunk_size(line: bytes) -> int | None:
    digits = line.split(b";", 1)[0].strip()
    if not digits or len(digits) > 8 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)
