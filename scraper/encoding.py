"""Takes transfer and content encodings off a body, with limits, and says so when a body was cut.

httpx and warcio both accept truncated and chained encodings in silence (ARCHIVES.md, sections 5 and 8), so the bodies that
captures are judged by are decoded here and nowhere else.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import brotli
import zstandard

from scraper.errors import UndecodableContent

MAX_DECODED = 64 * 1024 * 1024
"""Bytes; ARCHIVES.md section 8 proposes 64 MiB for a WARC record (November 2026)."""
MAX_ENCODINGS = 2
"""More than two layers have only been seen in attacks (CVE-2025-66418)."""
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_STEP = 1 << 16


def decode_content(payload: bytes, *, encodings: Sequence[str] = (), chunked: bool = False, limit: int = MAX_DECODED) -> bytes:
    """The body as its author wrote it. `encodings`: values of Content-Encoding, in order; `limit`: bytes of each layer.

    A body that says it is encoded but plainly is not, is taken as it is: archives store decoded bodies under the old headers.
    Raises UndecodableContent.
    """
    layers: list[tuple[str, Callable[[bytes, int], bytes]]] = []
    for name in reversed([name.strip().lower() for value in encodings for name in value.split(",")]):
        if name and name != "identity":
            layers.append((name, _decoder(name)))
    if chunked:
        layers.insert(0, ("chunked", _dechunk))
    if len(layers) - chunked > MAX_ENCODINGS:
        raise UndecodableContent(f"{len(layers)} content encodings on one body; at most {MAX_ENCODINGS} are taken off")
    problem = ""
    body = payload
    for name, decode in layers:
        try:
            body = decode(body, limit)
        except UndecodableContent as error:
            body, problem = error.partial, problem or f"{name}: {error}"
    if problem:
        raise UndecodableContent(problem, body)
    return body


def _decoder(name: str) -> Callable[[bytes, int], bytes]:
    known = {"gzip": _gunzip_if_so, "x-gzip": _gunzip_if_so, "deflate": _inflate, "br": _unbrotli, "zstd": _unzstd}
    if name not in known:
        raise UndecodableContent(f"content encoding {name[:40]!r} is not known")
    return known[name]


def _gunzip_if_so(body: bytes, limit: int) -> bytes:
    return gunzip(body, limit) if body.startswith(GZIP_MAGIC) else body


def gunzip(body: bytes, limit: int = MAX_DECODED) -> bytes:
    """All members of a gzip file, up to `limit` bytes. Raises UndecodableContent where the last one is cut or damaged."""
    pieces = _Pieces(limit)
    rest = body
    while rest.strip(b"\0"):
        if not rest.startswith(GZIP_MAGIC):
            raise pieces.problem("bytes that are not gzip follow a gzip body")
        decoder = zlib.decompressobj(31)
        _drain(decoder, rest, pieces)
        rest = decoder.unused_data
    return pieces.joined()


def _inflate(body: bytes, limit: int) -> bytes:
    """`deflate` is zlib by the RFC and raw deflate in the wild; whichever decodes further is right."""
    best = UndecodableContent("a deflate body is damaged")
    for wbits in (15, -15):
        pieces = _Pieces(limit)
        try:
            _drain(zlib.decompressobj(wbits), body, pieces)
        except UndecodableContent as error:
            best = max(best, error, key=lambda one: len(one.partial))
            continue
        return pieces.joined()
    if body.lstrip()[:1] in (b"<", b"{", b"["):
        return body
    raise best


class _Pieces:
    """Decoded bytes so far, never more than `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        room = self.limit - self.size
        self._pieces.append(piece[:room])
        self.size += len(self._pieces[-1])
        if len(piece) > room:
            raise self.problem(f"a body decodes to more than {self.limit} bytes")

    def joined(self) -> bytes:
        return b"".join(self._pieces)

    def problem(self, text: str) -> UndecodableContent:
        return UndecodableContent(text, self.joined())


def _drain(decoder: zlib._Decompress, data: bytes, pieces: _Pieces) -> None:
    """Adds what one zlib stream decodes to."""
    while data and not decoder.eof:
        try:
            piece = decoder.decompress(data, pieces.limit - pieces.size + 1)
        except zlib.error as error:
            raise pieces.problem(f"compressed bytes are damaged: {error}") from None
        pieces.add(piece)
        if decoder.unconsumed_tail == data and not piece:
            break
        data = decoder.unconsumed_tail
    if not decoder.eof:
        raise pieces.problem("the compressed body is cut")


def _unbrotli(body: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    pieces = _Pieces(limit)
    try:
        pieces.add(decoder.process(body, output_buffer_limit=_STEP))
        while not decoder.can_accept_more_data():
            pieces.add(decoder.process(b"", output_buffer_limit=_STEP))
    except brotli.error:
        # Brotli has no magic number: a body that fails at once and begins like a page was never compressed.
        if not pieces.size and body.lstrip()[:1] in (b"<", b"{", b"["):
            return body
        raise pieces.problem("a brotli body is damaged") from None
    if not decoder.is_finished():
        raise pieces.problem("a brotli body is cut")
    return pieces.joined()


def _unzstd(body: bytes, limit: int) -> bytes:
    if not body.startswith(ZSTD_MAGIC):
        return body
    decoder = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    pieces = _Pieces(limit)
    try:
        for start in range(0, len(body), _STEP):
            pieces.add(decoder.decompress(body[start : start + _STEP]))
    except zstandard.ZstdError:
        raise pieces.problem("a zstd body is damaged") from None
    if not decoder.eof:
        raise pieces.problem("a zstd body is cut")
    return pieces.joined()


def _dechunk(body: bytes, limit: int) -> bytes:
    """Takes chunked transfer encoding off. A body that does not begin with a chunk size was dechunked before (pywb does so)."""
    pieces = _Pieces(limit)
    position = 0
    while True:
        end = body.find(b"\r\n", position, position + 1024)
        size = _chunk_size(body[position:end]) if end > 0 else None
        if size is None:
            if position == 0:
                return body
            raise pieces.problem("a chunked body is cut or damaged")
        if size == 0:
            return pieces.joined()
        piece = body[end + 2 : end + 2 + size]
        pieces.add(piece)
        if len(piece) < size:
            raise pieces.problem("a chunked body is cut")
        position = end + 2 + size + 2


def _chunk_size(line: bytes) -> int | None:
    digits = line.split(b";", 1)[0].strip()
    if not digits or len(digits) > 8 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)
