"""Decompresses a file of WARC or ARC records: gzip and zstd, per record or for the whole file, or none.

A gzip member or zstd frame is called a member. `Unpacked` joins the members into one stream and keeps the file offset of each.
"""

import re
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from io import BytesIO
from itertools import chain
from typing import Any, BinaryIO, NamedTuple

import zstandard

from scraper.encoding import GZIP_MAGIC, MAX_BODY, ZSTD_MAGIC
from scraper.errors import Broken

MAX_PROBES = 10_000
"""Offsets in a damaged file that are tried as the beginning of a member; bounds the time for a malicious file."""
_STEP = 1 << 16
_GZIP_STEP, _ZSTD_STEP = 1 << 13, 1 << 10
"""Bytes decompressed at a time, with the result in memory: up to 8 MiB for gzip, 32 MiB for zstd (128 KiB per 4 bytes)."""
_SCAN = 1 << 20
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_DICTIONARY = b"\x5d\x2a\x4d\x18"
_LOOK_BACK = 1 << 13  # bytes at the end of a chunk that are searched again with the next one: a record's first line is shorter
_NOT_BLANK = re.compile(rb"[^\r\n\t ]")  # a byte other than white space
NO_RECORD = "no record begins here"


class Packing(NamedTuple):
    """How a file is compressed. `magic`: the bytes a member begins with; `step`: how many bytes are unpacked at a time."""

    magic: bytes
    decoder: Callable[[], Any]
    step: int


PLAIN = Packing(b"", lambda: None, _STEP)
GZIP = Packing(GZIP_MAGIC + b"\x08", lambda: zlib.decompressobj(31), _GZIP_STEP)


def packing_of(file: BinaryIO) -> Packing:
    """Detects a file's compression by its first bytes; reads its zstd dictionary if it begins with one (IIPC, WARC-Zstandard)."""
    file.seek(0)
    head = file.read(8)
    if head.startswith(GZIP.magic):
        return GZIP
    if not head.startswith(ZSTD_MAGIC) and not _SKIPPABLE.match(head):
        return PLAIN
    dictionary = None
    if head.startswith(_DICTIONARY):
        content = file.read(min(int.from_bytes(head[4:8], "little"), MAX_BODY))
        try:
            if content.startswith(ZSTD_MAGIC):
                content = zstandard.ZstdDecompressor().decompress(content, max_output_size=MAX_BODY)
            dictionary = zstandard.ZstdCompressionDict(content)
        except zstandard.ZstdError:
            pass  # then the frames that need it are damaged
    unpacker = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=1 << 27)
    return Packing(ZSTD_MAGIC, unpacker.decompressobj, _ZSTD_STEP)


def unpack_member(file: BinaryIO, offset: int, packing: Packing) -> Generator[bytes, None, int]:
    """Yields the content of one member in chunks; returns its length in the file. Raises Broken, after all good bytes."""
    file.seek(offset)
    data = file.read(packing.step)
    if _SKIPPABLE.match(data) and packing.magic == ZSTD_MAGIC:
        return 8 + int.from_bytes(data[4:8], "little")
    if not data.startswith(packing.magic[: len(data)]):
        raise Broken(offset, NO_RECORD)
    decoder, taken = packing.decoder(), 0
    while data:
        before = decoder.copy() if packing is GZIP else None
        try:
            piece = decoder.decompress(data)
        except (zlib.error, zstandard.ZstdError) as error:
            pieces: list[bytes] = []
            with suppress(zlib.error):  # up to the error: the whole member if only its checksum is wrong
                pieces.extend(before.decompress(data[at : at + 1]) for at in range(len(data)) if before)
            if any(pieces):
                yield b"".join(pieces)
            raise Broken(offset, f"a record is damaged ({error})") from None
        if piece:
            yield piece
        taken += len(data)
        if decoder.eof:
            return taken - len(decoder.unused_data)
        data = file.read(packing.step)
    raise Broken(offset, "the file ends within a record", is_cut=True)


class Unpacked:
    """A file's content as one stream, up to damage, which is `broken`. `end`: the offset after the last whole member so far."""

    def __init__(self, file: BinaryIO, start: int, packing: Packing) -> None:
        self.file = file
        self.packing = packing
        self.broken: Broken | None = None
        self.end = start
        self._pieces = self._unpack()
        self._data = b""
        self._at = 0
        self._before = 0  # bytes of the stream before _data
        self._marks: deque[tuple[int, int]] = deque()  # positions in the stream at which a member begins, and its file offset

    def _unpack(self) -> Iterator[tuple[int, bool, bytes]]:
        """Yields the file's content: each chunk with the file offset of its member, and whether it is the member's first."""
        file, packing = self.file, self.packing
        while file.seek(self.end) == self.end and (head := file.read(_STEP)):
            start, is_start = self.end, True
            if packing is PLAIN:
                self.end += len(head)
                yield start, is_start, head
                continue
            if not any(piece.strip(b"\0") for piece in chain([head], iter(partial(file.read, _SCAN), b""))):
                return  # zeros up to the end are padding, or the result of a power failure
            member = unpack_member(file, start, packing)
            try:
                while True:
                    yield start, is_start, next(member)
                    is_start = False
            except StopIteration as end:
                self.end += end.value

    def _fill(self) -> bytes:
        """Reads the next chunk into the buffer and returns it; empty at the end."""
        try:
            offset, is_start, piece = next(self._pieces, (0, False, b""))
        except Broken as broken:
            self.broken = broken
            return b""
        if self._at:
            self._before += self._at
            self._data, self._at = self._data[self._at :], 0
        if is_start:
            self._marks.append((self._before + len(self._data), offset))
        self._data += piece
        return piece

    def has(self, size: int) -> bool:
        """Whether at least `size` more bytes follow."""
        while len(self._data) - self._at < size:
            if not self._fill():
                return False
        return True

    def is_at(self, pattern: re.Pattern[bytes]) -> bool:
        """Whether the next bytes match the pattern."""
        self.has(_LOOK_BACK)
        return pattern.match(self._data, self._at) is not None

    def place(self) -> tuple[int, int]:
        """Returns the offset of the next byte's member (uncompressed: of the byte), and how many bytes precede the byte in it."""
        self.has(1)
        position = self._before + self._at
        while len(self._marks) > 1 and self._marks[1][0] <= position:
            self._marks.popleft()
        begins, offset = self._marks[0] if self._marks else (position, 0)
        inner = position - begins
        return (offset + inner, 0) if self.packing is PLAIN else (offset, inner)

    def skip_blank(self) -> bool:
        """Skips spaces and line ends; returns whether there were any."""
        return bool(self.until(_NOT_BLANK, _NOT_BLANK, 1))

    def head(self, end: re.Pattern[bytes], limit: int) -> bytes | None:
        """Returns the bytes before the next match of `end`, which is skipped; None if there is none within `limit` bytes."""
        while not (found := end.search(self._data, self._at, self._at + limit)):
            if len(self._data) - self._at >= limit or not self._fill():
                return None
        head, self._at = self._data[self._at : found.start()], found.end()
        return head

    def take(self, size: int, stop: re.Pattern[bytes] | None = None, *, keep: bool = True) -> tuple[bytes, int]:
        """Reads `size` bytes, fewer at the end or if a member begins with `stop`; returns them (if `keep`), and how many."""
        kept, taken = bytearray(), 0
        while taken < size:
            if self._at == len(self._data) and (not self._fill() or (taken and stop and self._begins_with(stop))):
                break
            part = self._data[self._at : self._at + size - taken]
            self._at += len(part)
            taken += len(part)
            if keep:
                kept += part
        return bytes(kept), taken

    def until(self, pattern: re.Pattern[bytes], start: re.Pattern[bytes], limit: int) -> bytes:
        """Reads up to the next match of `pattern` or the next member that begins with `start`; returns at most `limit` bytes."""
        kept, found = bytearray(), None
        while found is None:
            found = pattern.search(self._data, self._at)
            end = found.start() if found else max(self._at, len(self._data) - _LOOK_BACK)
            if found is None and self._marks and self._begins_with(start):
                end = self._marks[-1][0] - self._before
                found = start.match(self._data, end)
            kept += self._data[self._at : end][: limit - len(kept)]
            self._at = end
            if found is None and not self._fill():
                kept += self._data[self._at :][: limit - len(kept)]
                self._at = len(self._data)
                break
        return bytes(kept)

    def _begins_with(self, start: re.Pattern[bytes]) -> bool:
        """Whether the newest member begins in the buffer, with a match of `start`."""
        begins = self._marks[-1][0] - self._before
        return self.packing is not PLAIN and begins >= self._at and start.match(self._data, begins) is not None


def next_member(file: BinaryIO, position: int, packing: Packing, content: re.Pattern[bytes]) -> int | None:
    """Returns the offset, from `position` on, of the next member whose beginning contains `content`; None if there is none."""
    for _ in range(MAX_PROBES):
        found = find_bytes(file, position, packing.magic)
        if found is None:
            return None
        with suppress(Broken):
            if content.search(next(unpack_member(file, found, packing), b"")):
                return found
        position = found + 1
    return None


def find_bytes(file: BinaryIO, position: int, magic: bytes) -> int | None:
    """Returns the offset of the next occurrence of these bytes, from `position` on."""
    while file.seek(position) == position and len(data := file.read(_SCAN)) >= len(magic):
        if (found := data.find(magic)) >= 0:
            return position + found
        position += len(data) - len(magic) + 1
    return None


def only_member(data: bytes) -> bytes:
    """Decompresses data that is exactly one gzip member. Raises Broken."""
    content, member = bytearray(), unpack_member(BytesIO(data), 0, GZIP)
    try:
        while len(content) <= MAX_BODY + _SCAN:  # a body, and any headers seen so far
            content += next(member)
    except StopIteration as end:
        if end.value == len(data):
            return bytes(content)
        raise Broken(end.value, "more than one gzip member") from None
    raise Broken(0, f"a record has more than {MAX_BODY} bytes")
