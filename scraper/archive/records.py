"""Reads the records of a WARC or ARC file, and reports damage in it. `warc` interprets the records.

Every record is checked: its length must lead to the next record or to the end of the file, and its digests must match its bytes.
docs/decisions/warc.md has the reasons for writing our own reader.
"""

import hashlib
import re
from base64 import b32encode
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from scraper.archive.packing import NO_RECORD, PLAIN, Unpacked, next_member, packing_of, unpack_member
from scraper.encoding import MAX_BODY, decode_content
from scraper.errors import Broken, UndecodableContent

MAX_HEAD = 1 << 16
"""Bytes of a record's headers; real ones have less than 4 KiB, or 16 KiB with very long addresses."""
MAX_READ_AGAIN = 1 << 32
"""Bytes that are read a second time because records had a wrong length; bounds the time for a malicious file."""
ARC_LINE = rb"(?:https?|ftps?|gopher|dns|whois|filedesc|mailto|news|nntp):[^\r\n]{1,4000}? [\w.:-]+ \d{8,14} [^\r\n]{1,4000}\r?\n"
START = re.compile(rb"WARC/\d{1,2}\.\d{1,2}[ \t]*\r{0,2}\n|" + ARC_LINE, re.IGNORECASE)
"""The first line of a record: for WARC the version; for ARC address, IP address, time, media type, ..., length."""
_NEXT = re.compile(rb"(?<=\n)(?:" + START.pattern + rb")", re.IGNORECASE)  # where a record begins after a line end
_BYTE_ORDER_MARK = re.compile(rb"\xef\xbb\xbf")
_WARC = re.compile(rb"WARC/", re.IGNORECASE)  # first bytes of a WARC record
_HEAD_END = re.compile(rb"\r{0,2}\n[ \t]*\r{0,2}\n")  # the blank line after headers
_LINE_END = re.compile(rb"\r?\n")
_STATUS = re.compile(rb"HTTP/[\x21-\x7e]+[ \t]+(\d{3})(?![\w\x80-\xff])")  # an HTTP status line
_ARC = re.compile(r"(.+?) ([\w.:-]+) (\d{8,14}) ([^ ]+)(?: .*)? (\d{1,12})")
CAPTURES = frozenset({"response", "resource", "conversion", "revisit"})  # record types that contain a capture
_TYPES = CAPTURES | {"request", "metadata", "warcinfo", "continuation"}  # all record types


class Damage(NamedTuple):
    """What can't be read or trusted at a byte offset of the file. `is_cut`: the file ends within the record that begins there."""

    position: int
    reason: str
    is_cut: bool = False


@dataclass(slots=True)
class WarcRecord:
    """One record. `named` has the headers by lower-case name; `length` is the declared one; `end`: the file offset after it.

    `block` is empty for records that are not wanted; `is_cut`: the file ends within it. `problem`: why the bytes are not those
    that the writer stored.
    """

    position: int
    headers: tuple[tuple[str, str], ...]
    length: int = -1
    end: int = -1
    block: bytes = b""
    is_cut: bool = False
    problem: str | None = None
    named: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.named = {name.lower(): value for name, value in reversed(self.headers)}

    @property
    def type(self) -> str:
        return self.named.get("warc-type", "").lower()

    @property
    def url(self) -> str | None:
        """The address, without the angle brackets that some tools put around it."""
        return self.named.get("warc-target-uri", "").strip().strip("<>") or None


LengthAt = Callable[[int], int | None]
"""Returns the length of the gzip member at an offset; None if it is not known."""


def read_records(
    file: BinaryIO, start: int = 0, *, wanted: Callable[[WarcRecord], bool] = lambda _: True, length_at: LengthAt | None = None
) -> Iterator[WarcRecord | Damage]:
    """Yields every record from byte `start` on, and all damage, in file order; never raises.

    The blocks of records that are not `wanted` are skipped. `length_at`: a damaged page may contain gzip members of its own, so
    it is skipped unread if its length is known.
    """
    return _Reader(file, start, wanted, length_at).read()


class _Reader:
    def __init__(self, file: BinaryIO, start: int, wanted: Callable[[WarcRecord], bool], length_at: LengthAt | None) -> None:
        self._wanted, self._length_at = wanted, length_at
        self._reported = -1
        self._member = (-1, True)  # the last one that was checked, and whether it is undamaged
        self._read_again = 0
        self._stream = Unpacked(file, start, packing_of(file))
        if start == 0 and self._stream.is_at(_BYTE_ORDER_MARK):
            self._stream.take(3)

    def read(self) -> Iterator[WarcRecord | Damage]:
        """Yields records and damage. After damage it continues at the next member, or the next first line of a record."""
        while self._read_again < MAX_READ_AGAIN:
            stream = self._stream
            stream.skip_blank()
            if not stream.has(1):
                if (broken := stream.broken) is None:
                    return
                if broken.position != self._reported:
                    yield self._damage(broken.position, str(broken))
                length = self._length_at(broken.position) if self._length_at else None
                found = broken.position + length if length else None
                found = found or next_member(stream.file, broken.position + 1, stream.packing, START)
                if found is None:
                    return
                self._stream = Unpacked(stream.file, found, stream.packing)
                continue
            position, before = stream.place()
            head = _head(stream, position)
            if isinstance(head, WarcRecord):
                yield from self._block(head, before)
            else:
                yield self._damage(position, str(stream.broken or head))
                stream.take(1)
                stream.until(_NEXT, START, 0)
        yield Damage(self._stream.place()[0], "too many damaged records: the rest of the file is not read")

    def _damage(self, position: int, reason: str) -> Damage:
        self._reported = position
        broken = self._stream.broken
        return Damage(position, reason, bool(broken and broken.is_cut and broken.position == position))

    def _is_whole(self, position: int) -> bool:
        """Whether the member that begins there, and continues after a record in it, is undamaged to its end."""
        file, is_whole = self._stream.file, True
        if self._member[0] != position:
            before = file.tell()
            try:
                deque(unpack_member(file, position, self._stream.packing), maxlen=0)
            except Broken as broken:
                is_whole = broken.is_cut
            file.seek(before)  # where the stream continues to read
            self._member = position, is_whole
        return self._member[1]

    def _block(self, record: WarcRecord, before: int) -> Iterator[WarcRecord | Damage]:
        """Reads a record after its headers and checks it. `before`: bytes of its member that precede it."""
        stream, position = self._stream, record.position
        is_wanted = record.type in _TYPES and self._wanted(record)
        keep = is_wanted and record.length <= MAX_BODY
        record.block, size = stream.take(record.length, START, keep=keep)
        is_short = size < record.length
        if is_short and stream.broken and not stream.broken.is_cut:
            yield self._damage(position, str(stream.broken))
            return
        agrees = _agrees_with_digest(record) if keep else None
        ends_well = not is_short and (
            stream.skip_blank()
            or not stream.has(1)
            or stream.is_at(START)
            or (stream.packing is not PLAIN and not stream.place()[1])
        )
        if not ends_well and (is_short or not agrees):
            if is_short or not keep or _NEXT.search(record.block):
                self._read_again += size + MAX_HEAD
                yield from self._to_next(record, before, keep=is_wanted)
                return
            record.problem = f"a record has more bytes than its Content-Length, {record.length}"
            stream.until(_NEXT, START, 0)
        elif not stream.has(1):
            if stream.broken and not stream.broken.is_cut and stream.broken.position == position:
                record.problem = str(stream.broken)
        elif agrees is None and keep and stream.place()[0] == position and not self._is_whole(position):
            record.problem = "it has no digest, and is in a damaged gzip member"
        if agrees is False:
            record.problem = "its bytes do not match its digest"
        record.end = stream.place()[0] if stream.has(1) else stream.end
        if record.problem:
            yield self._damage(position, record.problem)
            record.problem = None if agrees else record.problem
        if is_wanted and not keep:
            yield Damage(position, f"a record has {record.length} bytes; at most {MAX_BODY} are read")
        elif record.type not in _TYPES and record.problem is None:
            yield Damage(position, f"a record of the unknown type {record.type[:40]!r}")
        elif is_wanted:
            yield record

    def _to_next(self, record: WarcRecord, before: int, *, keep: bool) -> Iterator[WarcRecord | Damage]:
        """Reads a record with a wrong length again, up to the next one. Kept if its digest matches, or if the file ends in it."""
        stream = self._stream = Unpacked(self._stream.file, record.position, self._stream.packing)
        stream.take(before, keep=False)
        _head(stream, record.position)
        block = stream.until(_NEXT, START, MAX_BODY)
        is_last = not stream.has(1)
        is_cut = is_last and len(block) < record.length
        if is_last and stream.broken and not stream.broken.is_cut:
            yield self._damage(record.position, str(stream.broken))
            return
        problem = f"a record's Content-Length is {record.length}; the next record begins after {len(block)} bytes"
        yield self._damage(record.position, f"a record is cut: {len(block)} of {record.length} bytes" if is_cut else problem)
        record.block = re.sub(rb"(?:\r?\n){1,2}\Z", b"", block)
        if keep and _agrees_with_digest(record):
            yield record
        elif keep and is_cut:
            record.block, record.is_cut, record.problem = block, True, "the file ends within it"
            is_in_head = block[:5] == b"HTTP/"[: len(block)] and not re.search(rb"\n\r?\n.", block, re.DOTALL)
            if block.strip() and not (record.type == "response" and is_in_head):
                yield record


def _head(stream: Unpacked, position: int) -> WarcRecord | str:
    """Reads the headers of the next record; returns them, or why there is none."""
    if not stream.is_at(START):
        return NO_RECORD
    is_warc = stream.is_at(_WARC)
    head = stream.head(_HEAD_END if is_warc else _LINE_END, MAX_HEAD)
    if head is None:
        return "a record whose headers have no end" if stream.has(MAX_HEAD) else "the file ends within a record's headers"
    text = head.decode("utf-8", "replace")
    if not is_warc:
        found = _ARC.fullmatch(text)
        if not found:
            return "a record without a length"
        kind = "warcinfo" if text.lower().startswith("filedesc:") else "response"
        names = ("WARC-Target-URI", "WARC-IP-Address", "WARC-Date", "Content-Type")
        return WarcRecord(position, (("WARC-Type", kind), *zip(names, found.groups(), strict=False)), int(found[5]))
    record = WarcRecord(position, parse_headers(text))
    length = record.named.get("content-length", "")
    if not re.fullmatch(r"[0-9]{1,15}", length):
        return f"a record without a length (Content-Length: {length[:40]!r})"
    record.length = int(length)
    return record


def parse_headers(text: str) -> tuple[tuple[str, str], ...]:
    """Returns names and values of the lines after the first one; a line that begins with white space continues the one before."""
    headers: list[tuple[str, str]] = []
    for line in re.split("\r{0,2}\n", text)[1:]:
        if line[:1] in (" ", "\t") and headers:
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}".strip())
            continue
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name.strip(), value.strip()))
    return tuple(headers)


def split_http(block: bytes) -> tuple[int | None, str, tuple[tuple[str, str], ...], bytes]:
    """Returns status, reason, headers and body of an HTTP message (ARCHIVES.md, 5); without a status line all of it is body."""
    if not (status := _STATUS.match(block)):
        return None, "", (), block
    end = re.search(rb"\r{0,2}\n\r{0,2}\n", block)  # two if the file was written in text mode
    head, body = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    text = head.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
    return int(status[1]), text.partition("\n")[0].rstrip("\r")[status.end() :].lstrip(), parse_headers(text), body


def _agrees_with_digest(record: WarcRecord) -> bool | None:
    """Whether a digest of the record matches its block, or its body with or without encodings; None if none can be compared."""
    found = digest_agrees(record.named.get("warc-block-digest"), record.block)
    if found or record.type == "revisit" or "warc-segment-number" in record.named:
        return found
    claimed = record.named.get("warc-payload-digest")
    _, _, headers, body = split_http(record.block) if record.type == "response" else (None, "", (), record.block)
    agrees = digest_agrees(claimed, body)
    if agrees is False:
        encodings = [value for name, value in headers if name.lower() == "content-encoding"]
        for taken_off in ([], encodings):
            try:
                agrees = agrees or digest_agrees(claimed, decode_content(body, encodings=taken_off, chunked=True))
            except UndecodableContent:
                continue
    return found if agrees is None else agrees


def digest_agrees(claimed: str | None, content: bytes) -> bool | None:
    """Whether a digest, `ALGORITHM:VALUE` in base 32 or 16, is the content's; None if it can't be compared."""
    name, colon, value = (claimed or "").strip().partition(":")
    algorithm = name.lower().replace("-", "")
    if not colon or algorithm not in ("md5", "sha1", "sha256", "sha512"):
        return None
    digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    return value.lower().rstrip("=") in (digest.hex(), b32encode(digest).decode().lower().rstrip("="))
