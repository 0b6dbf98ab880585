"""The gzip members of a WARC file, one record each, and the places between them that are damaged or cut.

`archive` reads in what its catalog lacks with it, `doctor` everything. What a member says is for `warc` to tell.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scraper.archive.warc import MAX_BLOCK
from scraper.encoding import GZIP_MAGIC

MAX_MEMBER = MAX_BLOCK + (1 << 20)
"""Bytes that one member may have, packed or unpacked: a record's block and as much of headers as anybody writes."""
_START = GZIP_MAGIC + b"\x08"
_CHUNK = 1 << 16
_SCAN = 1 << 20


class Member(NamedTuple):
    """A whole member: its checksum and length are right. `packed`: as it lies in the file; `record`: what it holds."""

    offset: int
    packed: bytes
    record: bytes


class Gap(NamedTuple):
    """Bytes of the file that are no whole member. `is_cut`: they are the beginning of one, and the file ends within it."""

    offset: int
    length: int
    reason: str
    is_cut: bool = False


LengthAt = Callable[[int], int | None]


def walk(path: Path, start: int = 0, length_at: LengthAt | None = None) -> Iterator[Member | Gap]:
    """Every member from byte `start` on and every gap between them, in order; memory does not grow with the file.

    After damage the next place is looked for at which a whole member begins. A damaged page may hold one in its own bytes, so
    where `length_at` knows how long the member at an offset is, that is stepped over unread. Raises OSError.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        offset = start
        while offset < size:
            found = _member_at(file, offset)
            if isinstance(found, Member):
                yield found
                offset += len(found.packed)
                continue
            length = length_at(offset) if length_at else None
            after = min(offset + length, size) if length else _next_member(file, offset + 1, size)
            is_cut = after == size and (found == _CUT or _is_blank(file, offset))
            yield Gap(offset, after - offset, found, is_cut)
            offset = after


_CUT = "the file ends within a record"


def _member_at(file: BinaryIO, offset: int) -> Member | str:
    """The member that begins there, or why there is none."""
    file.seek(offset)
    data = file.read(_CHUNK)
    if not data.startswith(_START[: len(data)]):
        return "no record begins here"
    decoder = zlib.decompressobj(31)
    packed: list[bytes] = []
    record: list[bytes] = []
    taken = given = 0
    while data:
        try:
            piece = decoder.decompress(data, MAX_MEMBER - given + 1)
        except zlib.error as error:
            return f"a record is damaged ({error})"
        record.append(piece)
        packed.append(data)
        given += len(piece)
        taken += len(data)
        if given > MAX_MEMBER or taken > MAX_MEMBER:
            return f"a record has more than {MAX_MEMBER} bytes"
        if decoder.eof:
            packed[-1] = data[: len(data) - len(decoder.unused_data)]
            return Member(offset, b"".join(packed), b"".join(record))
        data = file.read(_CHUNK)
    return _CUT


def _next_member(file: BinaryIO, position: int, size: int) -> int:
    """Where the next whole member begins, or the end of the file."""
    while position < size:
        file.seek(position)
        found = file.read(_SCAN).find(_START)
        if found < 0:
            position += _SCAN - len(_START) + 1
            continue
        if isinstance(_member_at(file, position + found), Member):
            return position + found
        position += found + 1
    return size


def _is_blank(file: BinaryIO, offset: int) -> bool:
    """Whether only zero bytes follow: what a loss of power leaves where a file had grown and nothing was written yet."""
    file.seek(offset)
    return all(not chunk.strip(b"\0") for chunk in iter(lambda: file.read(_SCAN), b""))
