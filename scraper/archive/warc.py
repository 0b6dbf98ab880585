"""WARC records to captures and back. `archive` and `sources.files` are the callers; which file holds what is not known here.

Read with FastWARC, written with warcio (LIBRARIES.md, "WARC"). Neither raises on a record cut short, so lengths are compared
here; after damage the next record is looked for, because the rest of a file must not be lost to one bad byte.
"""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from base64 import b32encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from scraper.capture import Capture, Form, Original, from_iso, iso

MAX_BLOCK = 64 * 1024 * 1024
"""Bytes of one record that are read; ARCHIVES.md section 8 proposes 64 MiB (November 2026)."""
UNKNOWN_URL = "urn:tta:unknown-url:"
"""WARC demands a target: where no URL is known it is this prefix and the body's digest, which reads back as None."""
UNKNOWN_TIME = "unknown"
SOURCE, CAPTURED_AT, FETCHED_AT, ORIGIN, LISTED_DIGEST = (
    "TTA-Source",
    "TTA-Captured-At",
    "TTA-Fetched-At",
    "TTA-Origin",
    "TTA-Listed-Digest",
)
DAMAGE = "TTA-Damage"
IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_CAPTURES = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.conversion | WarcRecordType.revisit
_STATUS = re.compile(rb"HTTP/[\x21-\x7e]+[ \t]+\d{3}(?![\w\x80-\xff])")
_START = re.compile(rb"\x1f\x8b\x08|WARC/[01]\.\d")
_SCAN = 1 << 20


@dataclass(frozen=True, slots=True)
class Damage:
    """A place in a WARC file that can't be read; `position` is a byte offset in the file as it lies on disk."""

    position: int
    reason: str


def read_captures(
    stream: BinaryIO, source: str, start: int = 0, *, wanted: Callable[[str | None], bool] | None = None
) -> Iterator[tuple[int, Capture] | Damage]:
    """Every capture from byte `start` on with its offset, and every damage, in file order; never raises on what a file holds.

    `source` names captures whose record does not say where it came from. Records that are no captures (request, metadata,
    warcinfo) are passed over. `wanted` is asked about a record's address before its block is read; the others are passed over
    as well, damaged or not as far as the next record can be found.
    """
    position: int | None = start
    while position is not None:
        damage: Damage | None = None
        for item in _read_run(stream, source, position, wanted):
            if isinstance(item, Damage):
                damage = item
                break
            yield item
        if damage is None:
            return
        yield damage
        position = _next_start(stream, damage.position + 1)


def _read_run(
    stream: BinaryIO, source: str, start: int, wanted: Callable[[str | None], bool] | None
) -> Iterator[tuple[int, Capture] | Damage]:
    """Captures up to the first damage."""
    stream.seek(start)
    at = start
    try:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.any_type, parse_http=False):
            at = record.stream_pos if record.stream_pos >= start else start + record.stream_pos
            is_capture = bool(record.record_type & _CAPTURES)
            if wanted is not None and not (is_capture and wanted(_target_of(record))):
                continue
            declared = record.content_length
            if declared > MAX_BLOCK:
                yield Damage(at, f"a record says it has {declared} bytes; at most {MAX_BLOCK} are read")
                return
            block = record.reader.read(declared) if declared else b""
            if len(block) < declared:
                yield Damage(at, f"a record is cut: {len(block)} of {declared} bytes")
                return
            if is_capture:
                yield at, _to_capture(record, block, source)
    except (OSError, ValueError, EOFError) as error:
        yield Damage(at, f"not a readable WARC record: {_short(error)}")


def _target_of(record: WarcRecord) -> str | None:
    return (record.headers.get("WARC-Target-URI") or "").strip().strip("<>") or None


def _next_start(stream: BinaryIO, position: int) -> int | None:
    """Where the next record may begin: a gzip member or a WARC version line."""
    stream.seek(position)
    base, tail = position, b""
    while chunk := stream.read(_SCAN):
        data = tail + chunk
        if found := _START.search(data):
            return base + found.start()
        tail = data[-8:]
        base += len(data) - len(tail)
    return None


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


def _to_capture(record: WarcRecord, block: bytes, source: str) -> Capture:
    headers = {key.lower(): value for key, value in record.headers.to_tuples()}
    form = Form(str(record.record_type))
    status_line: str | None = None
    http_headers: tuple[tuple[str, str], ...] = ()
    payload = block
    if form in (Form.RESPONSE, Form.REVISIT):
        status_line, http_headers, payload = _split_http(block)
    url = _target_of(record)
    time_known = headers.get(CAPTURED_AT.lower()) != UNKNOWN_TIME
    return Capture(
        form=form,
        source=headers.get(SOURCE.lower(), source),
        payload=b"" if form is Form.REVISIT else payload,
        url=None if url is None or url.startswith(UNKNOWN_URL) else url,
        captured_at=from_iso(headers.get("warc-date")) if time_known else None,
        fetched_at=from_iso(headers.get(FETCHED_AT.lower())),
        http_status=_status(status_line),
        http_reason=(status_line or "").partition(" ")[2].partition(" ")[2],
        http_headers=http_headers,
        content_type=_content_type(form, http_headers, headers),
        truncated=headers.get("warc-truncated"),
        payload_digest=headers.get(LISTED_DIGEST.lower()) or headers.get("warc-payload-digest"),
        warc_record_id=headers.get("warc-record-id"),
        warc_headers=record.headers.to_tuples(),
        original=_original(headers) if form is Form.REVISIT else None,
        origin=headers.get(ORIGIN.lower()),
        damage=headers.get(DAMAGE.lower()),
        revisit_profile=headers.get("warc-profile") if form is Form.REVISIT else None,
    )


def _content_type(form: Form, http_headers: tuple[tuple[str, str], ...], headers: dict[str, str]) -> str | None:
    if form in (Form.RESPONSE, Form.REVISIT):
        return next((value for key, value in http_headers if key.lower() == "content-type"), None)
    return headers.get("content-type")


def _original(headers: dict[str, str]) -> Original:
    return Original(
        warc_record_id=headers.get("warc-refers-to"),
        url=headers.get("warc-refers-to-target-uri"),
        captured_at=from_iso(headers.get("warc-refers-to-date")),
    )


def _split_http(block: bytes) -> tuple[str | None, tuple[tuple[str, str], ...], bytes]:
    """Status line, headers and body of an HTTP message; line ends may be bare LF, bytes anything (ARCHIVES.md, 5).

    A block that does not begin with a status is no such message: all of it is body, so that no byte of it is lost.
    """
    if not _STATUS.match(block):
        return None, (), block
    end = re.search(rb"\r?\n\r?\n", block)
    head, body = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    lines = re.split(r"\r?\n", head.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode())
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and headers:
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name.strip(), value.strip()))
    return lines[0], tuple(headers), body


def http_body(block: bytes) -> bytes:
    """What follows the headers of an HTTP message; all of what is none."""
    return _split_http(block)[2]


def _status(status_line: str | None) -> int | None:
    found = re.match(r"HTTP/\S+\s+(\d{3})\b", status_line or "")
    return int(found[1]) if found else None


def sha1_digest(body: bytes) -> str:
    """`sha1:BASE32`, as CDX indexes and WARC headers write it."""
    return "sha1:" + b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


def record_bytes(capture: Capture, now: datetime) -> bytes:
    """The capture as one gzip member holding one WARC 1.1 record. `now` dates records whose time of capture is unknown."""
    from scraper.archive.writer import ArcWarcRecord, Utf8Headers, WARCWriter

    headers = _warc_headers(capture, now)
    http = None
    if capture.form in (Form.RESPONSE, Form.REVISIT) and capture.http_status is not None:
        status = f"{capture.http_status:03d} {_plain(capture.http_reason)}".strip()
        http = Utf8Headers(status, [(_plain(k), _plain(v)) for k, v in capture.http_headers], protocol="HTTP/1.1")
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="WARC/1.1")
    record: ArcWarcRecord = writer.create_warc_record(
        headers["WARC-Target-URI"],
        capture.form.value,
        warc_content_type=headers.pop("Content-Type", ""),
        http_headers=http,
        warc_headers_dict=headers,
    )
    record.raw_stream = io.BytesIO(capture.payload)  # given at once, it would be searched for HTTP headers that are not there
    record.length = record.payload_length = len(capture.payload)
    writer.write_record(record)
    return out.getvalue()


def _warc_headers(capture: Capture, now: datetime) -> dict[str, str]:
    body_digest = sha1_digest(capture.payload)
    headers = {
        "WARC-Target-URI": _plain(capture.url or UNKNOWN_URL + hashlib.sha256(capture.payload).hexdigest()),
        "WARC-Date": iso((capture.captured_at or now).replace(microsecond=0)) or "",
        "WARC-Record-ID": capture.warc_record_id or record_id_of(capture),
        SOURCE: _plain(capture.source),
    }
    if capture.captured_at is None:
        headers[CAPTURED_AT] = UNKNOWN_TIME
    elif capture.captured_at.microsecond:
        headers["WARC-Date"] = iso(capture.captured_at) or ""
    optional = {
        FETCHED_AT: iso(capture.fetched_at),
        ORIGIN: capture.origin,
        DAMAGE: capture.damage,
        "WARC-Truncated": capture.truncated,
    }
    headers |= {key: _plain(value) for key, value in optional.items() if value}
    headers |= _form_headers(capture, body_digest)
    return headers


def _form_headers(capture: Capture, body_digest: str) -> dict[str, str]:
    if capture.form is Form.REVISIT:
        original = capture.original or Original()
        refers = {
            "WARC-Profile": capture.revisit_profile or IDENTICAL_PAYLOAD,
            "WARC-Payload-Digest": capture.payload_digest,
            "WARC-Refers-To": original.warc_record_id,
            "WARC-Refers-To-Target-URI": original.url,
            "WARC-Refers-To-Date": iso(original.captured_at),
        }
        return {key: _plain(value) for key, value in refers.items() if value}
    headers = {"WARC-Payload-Digest": body_digest}
    if capture.payload_digest and capture.payload_digest != body_digest:
        headers[LISTED_DIGEST] = _plain(capture.payload_digest)
    if capture.form is not Form.RESPONSE:
        headers["Content-Type"] = _plain(capture.content_type or "application/octet-stream")
    return headers


def record_id_of(capture: Capture) -> str:
    """The same capture always gets the same record id, so that archives made twice are alike."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, capture.capture_id)}>"


def _plain(text: str) -> str:
    """A header value that can't end its line: hostile captures must not be able to write headers of their own."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).encode("utf-8", "replace").decode().strip()


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
