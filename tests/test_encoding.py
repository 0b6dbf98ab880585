"""Content encodings come off within limits, and what was cut or lies is told apart from what is whole."""

import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from scraper.encoding import decode_content
from scraper.errors import UndecodableContent

BODY = b"<html>" + b"The same body again and again. " * 400 + b"</html>"


def squeeze(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def chunked(body: bytes, size: int = 1000) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("encodings", "payload"),
    [
        ((), BODY),
        (("identity",), BODY),
        (("gzip",), squeeze(BODY)),
        (("x-gzip",), squeeze(BODY)),
        (("GZIP",), squeeze(BODY[:50]) + squeeze(BODY[50:])),
        (("gzip",), squeeze(BODY) + b"\0" * 512),
        (("deflate",), zlib.compress(BODY)),
        (("deflate",), zlib.compress(BODY)[2:-4]),
        (("br",), brotli.compress(BODY)),
        (("zstd",), zstandard.compress(BODY)),
        (("gzip, br",), brotli.compress(squeeze(BODY))),
        (("gzip", "gzip"), squeeze(squeeze(BODY))),
        (("gzip",), BODY),
        (("br",), BODY),
        (("deflate",), BODY),
        (("zstd",), BODY),
    ],
)
def test_whole_bodies(encodings: tuple[str, ...], payload: bytes) -> None:
    assert decode_content(payload, encodings=encodings) == BODY
    assert decode_content(chunked(payload), encodings=encodings, chunked=True) == BODY


def test_a_body_that_was_dechunked_before_is_taken_as_it_is() -> None:
    assert decode_content(BODY, chunked=True) == BODY


@pytest.mark.parametrize(
    ("encodings", "payload"),
    [
        (("gzip",), squeeze(BODY)[:-20]),
        (("gzip",), squeeze(BODY) + b"trailing"),
        (("deflate",), zlib.compress(BODY)[:-10]),
        (("br",), brotli.compress(BODY)[:-3]),
        (("zstd",), zstandard.compress(BODY)[:-5]),
    ],
)
def test_what_a_cut_body_still_holds_is_kept(encodings: tuple[str, ...], payload: bytes) -> None:
    with pytest.raises(UndecodableContent) as caught:
        decode_content(payload, encodings=encodings)
    assert BODY.startswith(caught.value.partial)


@pytest.mark.parametrize("encodings", [("aws-chunked",), ("gzip, gzip, gzip",)])
def test_unknown_and_too_many_encodings_are_refused(encodings: tuple[str, ...]) -> None:
    with pytest.raises(UndecodableContent):
        decode_content(squeeze(BODY), encodings=encodings)


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", squeeze(b"\0" * 5_000_000)),
        ("br", brotli.compress(b"\0" * 5_000_000, quality=1)),
        ("zstd", zstandard.compress(b"\0" * 5_000_000)),
    ],
)
def test_a_bomb_stops_at_the_limit(encoding: str, bomb: bytes) -> None:
    with pytest.raises(UndecodableContent) as caught:
        decode_content(bomb, encodings=(encoding,), limit=1_000_000)
    assert len(caught.value.partial) == 1_000_000


@given(st.binary(max_size=400), st.sampled_from(["gzip", "deflate", "br", "zstd"]), st.booleans())
def test_no_bytes_raise_anything_else(payload: bytes, encoding: str, is_chunked: bool) -> None:
    try:
        decode_content(payload, encodings=(encoding,), chunked=is_chunked)
    except UndecodableContent:
        return
