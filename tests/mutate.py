"""Pages changed at random, as accidents and attackers would: pieces cut, doubled, moved, swapped, tags and bytes thrown in."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from tests.hostile import OPEN_TAGS, UNITS

TAG = re.compile(rb"<[^<>]{0,300}>")
JUNK = (
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"&#xD800;",
    b"&#1114112;",
    b"&amp",
    b'"',
    b"'",
    b">",
    b"<",
    b"</",
    b"\r",
    b"POINT (999999999999999999999 nan)",
    b"99/99/9999 - 99:99",
    b'<time datetime="+999999-13-32T25:61:61Z">',
    b'<a href="http://[::1">x</a>',
    b'<base href="//">',
    b'<meta charset="utf-16">',
    "\u0663\u0661\u200f\u202e\u2028".encode(),
    b"Milestone",
    b"Performance Metrics Markup",
    b"Submitted by ",
)
Mutation = Callable[[bytes, random.Random, Sequence[bytes]], bytes]


def _span(data: bytes, rng: random.Random, most: int = 400) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randrange(1, most))


def _cut(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _double(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 30)) + data[end:]


def _move(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _span(data, rng)
    rest = data[:start] + data[end:]
    to = rng.randrange(len(rest) + 1)
    return rest[:to] + data[start:end] + rest[to:]


def _junk(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    at = rng.randrange(len(data) + 1)
    text = UNITS[rng.choice(sorted(UNITS))].replace("{n}", str(rng.randrange(9)))
    piece = rng.choice((rng.choice(JUNK), text.encode(), b"<%s>" % rng.choice(OPEN_TAGS).encode(), rng.randbytes(8)))
    return data[:at] + piece * rng.choice((1, 1, 1, 2, 200)) + data[at:]


def _flip(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 20)):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _drop_tag(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """One tag less, or another one in its place."""
    tags = list(TAG.finditer(data))
    if not tags:
        return data
    tag = rng.choice(tags)
    return data[: tag.start()] + rng.choice((b"", rng.choice(tags)[0])) + data[tag.end() :]


def _truncate(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _splice(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A piece of another page in the middle of this one."""
    other = rng.choice(others)
    start, end = _span(other, rng, most=5_000)
    at = rng.randrange(len(data) + 1)
    return data[:at] + other[start:end] + data[at:]


def _recode(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-be", "cp1252", "shift-jis", "utf-7", "utf-8-sig")), "replace")


MUTATIONS: tuple[Mutation, ...] = (_cut, _double, _move, _junk, _flip, *3 * (_drop_tag,), _truncate, _splice, _recode)
RARE = (_truncate, _recode)


def mutated(data: bytes, rng: random.Random, times: int, others: Sequence[bytes]) -> bytes:
    """The page after so many mutations; truncating and recoding leave little to find, so they are rare."""
    for _ in range(times):
        mutation = rng.choice(MUTATIONS)
        if mutation not in RARE or rng.random() < 0.2:
            data = mutation(data, rng, others)
    return data
