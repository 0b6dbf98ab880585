"""Converts records to captures, and captures to WARC records. Used by `store` and `sources`; `records` finds the records."""

import gzip
import hashlib
import re
import uuid
from base64 import b32encode
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BytesIO
from itertools import chain, groupby, pairwise
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, NamedTuple

from parsers.urls import archive_time, without_archive
from scraper.archive.dating import date_capture, parse_time
from scraper.archive.packing import NO_RECORD
from scraper.archive.records import CAPTURES, Damage, LengthAt, WarcRecord, read_records, split_http
from scraper.capture import Capture, Original, Recorded, WarcType, from_iso, iso

UNKNOWN_URL = "urn:tta:unknown-url:"
"""WARC requires a target: if no URL is known, it is this prefix and the body's digest, which is read back as None."""
UNKNOWN = "unknown"
SOURCE, ORIGIN, DAMAGE, LISTED_DIGEST = "TTA-Source", "TTA-Origin", "TTA-Damage", "TTA-Listed-Digest"
CAPTURED_AT, FETCHED_AT = "TTA-Captured-At", "TTA-Fetched-At"
RECORDED_URL, RECORDED_DATE = "TTA-Recorded-URI", "TTA-Recorded-Date"
Wanted = Callable[[str | None], bool]
"""Whether the captures of an address are wanted."""
IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


def read_captures(
    file: BinaryIO, source: str, start: int = 0, *, wanted: Wanted | None = None, origin: str | None = None
) -> Iterator[tuple[int, Capture] | Damage]:
    """Yields every capture from byte `start` on with its offset, and all damage, in file order; never raises.

    `source`: for captures whose record does not name one. Other records (request, metadata, warcinfo), and those whose address is
    not `wanted`, are skipped. Of a segmented record (WARC 1.1, section 8) only the first segment is a capture, a truncated one.
    `origin`: the file's name, for captures whose record does not name one.
    """

    def is_wanted(record: WarcRecord) -> bool:
        return record.type in CAPTURES | {"continuation"} and (wanted is None or wanted(record.url))

    for item in read_records(file, start, wanted=is_wanted):
        if isinstance(item, Damage):
            yield item
            continue
        if "warc-segment-number" in item.named or item.type == "continuation":
            item.is_cut, item.problem = True, "a segment of a record, whose segments are not joined"
            yield Damage(item.position, item.problem)
            if item.type == "continuation":
                continue
        capture = _to_capture(item, source, origin)
        if capture.captured_at is None and capture.recorded and capture.recorded.date:
            yield Damage(item.position, f"its time is unknown: {capture.recorded.date[:40]!r} is none that a page can have")
        if capture.url is None and item.type in ("response", "revisit"):
            yield Damage(item.position, "a record without an address")
        yield item.position, capture


class Part(NamedTuple):
    """Part of one of the archive's own files: a member's captures, or damage. `is_cut`: the file ends within a record there."""

    offset: int
    length: int
    captures: list[Capture]
    damage: str | None = None
    is_cut: bool = False


def read_parts(path: Path, start: int = 0, length_at: LengthAt | None = None) -> Iterator[Part]:
    """Yields all parts of a file from byte `start` on, in order. `length_at`: as for `read_records`. Raises OSError."""
    with path.open("rb") as file:
        end, size = start, file.seek(0, 2)
        items = groupby(read_records(file, start, length_at=length_at), key=attrgetter("position"))
        parts: Iterator[tuple[int, list[WarcRecord | Damage]]] = ((position, list(found)) for position, found in items)
        for (position, found), (after, _) in pairwise(chain(parts, [(size, [])])):
            records = [item for item in found if isinstance(item, WarcRecord)]
            damage = next((item for item in found if isinstance(item, Damage)), None)
            end = after if damage else records[-1].end
            captures = [_to_capture(one, "files", None) for one in records if one.type in CAPTURES and not damage]
            is_cut = damage is not None and damage.is_cut and end == size
            yield Part(position, end - position, captures, damage.reason if damage else None, is_cut)
        if end < size:
            yield Part(end, size - end, [], NO_RECORD, is_cut=True)


def only_capture(member: bytes, source: str) -> Capture | None:
    """Returns the capture of the archive's own member; None if it can't be read."""
    return next((item[1] for item in read_captures(BytesIO(member), source) if not isinstance(item, Damage)), None)


def _to_capture(record: WarcRecord, source: str, origin: str | None) -> Capture:
    """Returns the capture in a record, dated by what it shows. `source`, `origin`: used if the record does not name its own."""
    headers = record.named
    warc_type = WarcType(record.type)
    is_http, is_revisit = warc_type in (WarcType.RESPONSE, WarcType.REVISIT), warc_type is WarcType.REVISIT
    status, reason, http_headers, payload = split_http(record.block) if is_http else (None, "", (), record.block)
    content_type = next((value for key, value in http_headers if key.lower() == "content-type"), None)
    url = None if (record.url or "").startswith(UNKNOWN_URL) else record.url
    date = headers.get("warc-date")
    added = parse_time(date) if headers.get(CAPTURED_AT.lower()) == UNKNOWN else None
    recorded = [headers.get(RECORDED_URL.lower(), url), headers.get(RECORDED_DATE.lower(), None if added else date)]
    original = None
    if is_revisit:
        referred = headers.get("warc-refers-to-target-uri", "").strip("<> ")
        time = parse_time(archive_time(referred) or headers.get("warc-refers-to-date"))
        original = Original(headers.get("warc-refers-to"), without_archive(referred) or None, time.moment if time else None)
    capture = Capture(
        warc_type=warc_type,
        source=headers.get(SOURCE.lower(), source),
        payload=b"" if is_revisit else payload,
        fetched_at=from_iso(headers.get(FETCHED_AT.lower())),
        http_status=status,
        http_reason=reason,
        http_headers=http_headers,
        content_type=content_type if is_http else headers.get("content-type"),
        truncated=headers.get("warc-truncated") or ("unspecified" if record.is_cut else None),
        payload_digest=headers.get(LISTED_DIGEST.lower()) or headers.get("warc-payload-digest"),
        warc_record_id=headers.get("warc-record-id"),
        warc_headers=record.headers,
        revisit_profile=headers.get("warc-profile") if is_revisit else None,
        original=original,
        origin=headers.get(ORIGIN.lower()) or (f"{origin} at {record.position}" if origin else None),
        damage=headers.get(DAMAGE.lower()) or record.problem,
        recorded=Recorded(*(None if one == UNKNOWN else one for one in recorded)),
    )
    return date_capture(capture, added_at=added.moment if added else None)


def sha1_digest(body: bytes) -> str:
    """Returns `sha1:BASE32`, as in CDX indexes and WARC headers."""
    return "sha1:" + b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


def record_bytes(capture: Capture, now: datetime) -> bytes:
    """Returns the capture as one gzip member with one WARC 1.1 record. `now` dates records whose capture time is unknown."""
    block = capture.payload
    if capture.warc_type in (WarcType.RESPONSE, WarcType.REVISIT) and capture.http_status is not None:
        lines = [f"HTTP/1.1 {capture.http_status:03d} {_strip_line_ends(capture.http_reason)}".strip()]
        lines += [f"{_strip_line_ends(name)}: {_strip_line_ends(value)}" for name, value in capture.http_headers]
        block = "\r\n".join([*lines, "", ""]).encode() + capture.payload
    is_revisit, original = capture.warc_type is WarcType.REVISIT, capture.original or Original()
    digest = capture.payload_digest if is_revisit else sha1_digest(capture.payload)
    media_type = "application/http; msgtype=response"
    if capture.warc_type in (WarcType.RESOURCE, WarcType.CONVERSION):
        media_type = capture.content_type or "application/octet-stream"
    recorded = capture.recorded
    headers = {
        "WARC-Type": capture.warc_type.value,
        "WARC-Target-URI": capture.url or UNKNOWN_URL + hashlib.sha256(capture.payload).hexdigest(),
        "WARC-Date": capture.captured_text or iso(now),
        "WARC-Record-ID": capture.warc_record_id or record_id_of(capture),
        "WARC-Payload-Digest": digest,
        "WARC-Block-Digest": sha1_digest(block),
        "WARC-Truncated": capture.truncated,
        "WARC-Profile": capture.revisit_profile or IDENTICAL_PAYLOAD if is_revisit else None,
        "WARC-Refers-To": original.warc_record_id,
        "WARC-Refers-To-Target-URI": original.url,
        "WARC-Refers-To-Date": iso(original.captured_at),
        SOURCE: capture.source,
        CAPTURED_AT: UNKNOWN if capture.captured_at is None else None,
        FETCHED_AT: iso(capture.fetched_at),
        ORIGIN: capture.origin,
        LISTED_DIGEST: capture.payload_digest if not is_revisit and capture.payload_digest != digest else None,
        RECORDED_URL: (recorded.url or UNKNOWN) if recorded else None,
        RECORDED_DATE: (recorded.date or UNKNOWN) if recorded else None,
        DAMAGE: capture.damage,
        "Content-Type": media_type,
        "Content-Length": str(len(block)),
    }
    named = [f"{name}: {_strip_line_ends(value)}" for name, value in headers.items() if value]
    return gzip.compress("\r\n".join(["WARC/1.1", *named, "", ""]).encode() + block + b"\r\n\r\n", mtime=0)


def record_id_of(capture: Capture) -> str:
    """Returns a record id that depends only on the capture, so that archives made twice are identical."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, capture.capture_id)}>"


def _strip_line_ends(text: str) -> str:
    """Returns a header value without line ends: malicious captures must not be able to inject headers."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).encode("utf-8", "replace").decode().strip()
