"""Decodes transfer and content encodings of a body, within limits. A truncated or damaged body raises UndecodableContent.

httpx and warcio accept truncated and chained encodings without an error (ARCHIVES.md, sections 5 and 8), so all bodies are
decoded here. Each decoder yields the decoded body in chunks, which `_join_pieces` collects.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence

import brotli
import zstandard

from scraper.errors import UndecodableContent

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one body, or of a WARC record's block, as sent and decoded; ARCHIVES.md section 8 proposes 64 MiB (November 2026)."""
MAX_RATIO = 200
"""Decoded bytes for each byte received; more is a decompression bomb. Real pages stay below 50 (ARCHIVES.md, section 8)."""
MAX_ENCODINGS = 2
"""Layers of encoding; more than two have only been seen in attacks (CVE-2025-66418)."""
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_STEP = 1 << 16
_ZSTD_STEP = 1 << 10  # zstandard returns the whole output for its input at once: up to 128 KiB for every 4 bytes


def decode_content(payload: bytes, *, encodings: Sequence[str] = (), chunked: bool = False, limit: int = MAX_BODY) -> bytes:
    """Returns the decoded body. `encodings`: values of Content-Encoding, in order; `limit`: bytes of each layer.

    A body that lacks an encoding named in its headers is returned unchanged: archives store decoded bodies with the original
    headers. Raises UndecodableContent, with what could be decoded.
    """
    names = [name.strip().lower() for value in encodings for name in value.split(",")]
    layers = [name for name in reversed(names) if name and name != "identity"]
    if unknown := next((name for name in layers if name not in _DECODERS), None):
        raise UndecodableContent(f"content encoding {unknown[:40]!r} is not known")
    if len(layers) > MAX_ENCODINGS:
        raise UndecodableContent(f"{len(layers)} content encodings on one body; at most {MAX_ENCODINGS} are taken off")
    problem = ""
    body = payload
    for name in ["chunked", *layers] if chunked else layers:
        magic, decoder = _DECODERS[name]
        try:
            body = _join_pieces(decoder(body) if body.startswith(magic) else iter([body]), limit)
        except UndecodableContent as error:
            body, problem = error.partial, problem or f"{name}: {error}"
    if problem:
        raise UndecodableContent(problem, body)
    return body


def _join_pieces(pieces: Iterator[bytes], limit: int) -> bytes:
    body = bytearray()
    try:
        for piece in pieces:
            body += piece[: limit - len(body) + 1]
            if len(body) > limit:
                raise UndecodableContent(f"a body decodes to more than {limit} bytes")
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise UndecodableContent(f"the body is damaged: {error}", bytes(body)) from None
    except UndecodableContent as error:
        raise UndecodableContent(str(error), bytes(body[:limit])) from None
    return bytes(body)


def _decompress(decoder: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while data and not decoder.eof:
        yield decoder.decompress(data, _STEP)
        data = decoder.unconsumed_tail
    yield decoder.flush() if not decoder.eof else b""
    if not decoder.eof:
        raise UndecodableContent("the compressed body is cut")


def _decode_gzip(body: bytes) -> Iterator[bytes]:
    while body.strip(b"\0"):
        if not body.startswith(GZIP_MAGIC):
            raise UndecodableContent("bytes that are not gzip follow a gzip body")
        decoder = zlib.decompressobj(31)
        yield from _decompress(decoder, body)
        body = decoder.unused_data


def _decode_deflate(body: bytes) -> Iterator[bytes]:
    """Decodes `deflate`: zlib by the RFC, raw deflate in practice; whichever decodes further is used."""
    best = UndecodableContent("a deflate body is damaged")
    for wbits in (15, -15):
        try:
            yield _join_pieces(_decompress(zlib.decompressobj(wbits), body), MAX_BODY)
            return
        except UndecodableContent as error:
            best = max(best, error, key=lambda one: len(one.partial))
    yield body if _is_page(body) else best.partial
    if not _is_page(body):
        raise best


def _is_page(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"<", b"{", b"[")


def _decode_brotli(body: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    try:
        yield decoder.process(body, output_buffer_limit=_STEP)
    except brotli.error:
        if not _is_page(body):  # Brotli has no magic number: what fails at once and begins like a page was never compressed
            raise
        yield body
        return
    while not decoder.can_accept_more_data():
        yield decoder.process(b"", output_buffer_limit=_STEP)
    if not decoder.is_finished():
        raise UndecodableContent("a brotli body is cut")


def _decode_zstd(body: bytes) -> Iterator[bytes]:
    decoder = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()
    for start in range(0, len(body), _ZSTD_STEP):
        yield decoder.decompress(body[start : start + _ZSTD_STEP])
        if decoder.eof:
            return
    raise UndecodableContent("a zstd body is cut")


def _decode_chunked(body: bytes) -> Iterator[bytes]:
    """Decodes chunked transfer encoding. A body that does not begin with a chunk size is already decoded (as by pywb)."""
    position = 0
    while True:
        end = body.find(b"\r\n", position, position + 1024)
        digits = body[position:end].split(b";", 1)[0].strip() if end > 0 else b""
        if not 0 < len(digits) <= 8 or digits.strip(b"0123456789abcdefABCDEF"):
            if position:
                raise UndecodableContent("a chunked body is cut or damaged")
            yield body
            return
        size = int(digits, 16)
        if size == 0:
            return
        yield body[end + 2 : end + 2 + size]
        position = end + 2 + size + 2
        if position - 2 > len(body):
            raise UndecodableContent("a chunked body is cut")


_DECODERS: dict[str, tuple[bytes, Callable[[bytes], Iterator[bytes]]]] = {
    "chunked": (b"", _decode_chunked),
    "gzip": (GZIP_MAGIC, _decode_gzip),
    "x-gzip": (GZIP_MAGIC, _decode_gzip),
    "deflate": (b"", _decode_deflate),
    "br": (b"", _decode_brotli),
    "zstd": (ZSTD_MAGIC, _decode_zstd),
}
"""The magic number of each encoding, and its decoder."""
