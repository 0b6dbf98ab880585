"""Records to captures, and captures to WARC records. `store` and `sources` are the callers; `records` finds the records."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
from base64 import b32encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from parsers.urls import archive_time, without_archive
from scraper.archive.dating import dated, parse_time
from scraper.archive.records import CAPTURES, Damage, Record, read_records, split_http
from scraper.capture import Capture, Form, Original, Recorded, from_iso, iso

UNKNOWN_URL = "urn:tta:unknown-url:"
"""WARC demands a target: where no URL is known it is this prefix and the body's digest, which reads back as None."""
UNKNOWN = "unknown"
SOURCE, CAPTURED_AT, FETCHED_AT, ORIGIN, LISTED_DIGEST = (
    "TTA-Source",
    "TTA-Captured-At",
    "TTA-Fetched-At",
    "TTA-Origin",
    "TTA-Listed-Digest",
)
DAMAGE, RECORDED_URL, RECORDED_DATE = "TTA-Damage", "TTA-Recorded-URI", "TTA-Recorded-Date"
IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"


def read_captures(
    file: BinaryIO,
    source: str,
    start: int = 0,
    *,
    wanted: Callable[[str | None], bool] | None = None,
    verify: bool = False,
    origin: str | None = None,
) -> Iterator[tuple[int, Capture] | Damage]:
    """Every capture from byte `start` on with its offset, and every damage, in file order; never raises on what a file holds.

    `source` names captures whose record does not name one. Other records (request, metadata, warcinfo) are skipped, and
    those whose address is not `wanted`. The segments of a record are joined. With `verify`, digests are compared.
    `origin`: the file's name, for captures whose record does not name one.
    """

    def is_wanted(record: Record) -> bool:
        return record.type in CAPTURES | {"continuation"} and (wanted is None or wanted(record.url))

    segments: list[Record] = []
    for item in read_records(file, start, wanted=is_wanted, verify=verify):
        if isinstance(item, Damage):
            yield item
        elif item.type == "continuation":
            first = next((one for one in segments if _continues(item, one)), None)
            if first is None:
                yield Damage(item.position, "a continuation of a record that is not in this file")
                continue
            first.block += item.block
            first.named["warc-segment-number"] = item.named["warc-segment-number"]
            if "warc-segment-total-length" in item.named:
                segments.remove(first)
                if item.named["warc-segment-total-length"] != str(len(first.block)):
                    yield Damage(first.position, f"its segments have {len(first.block)} bytes, which is not their total length")
                    first.is_cut, first.problem = True, "its segments are not all of it"
                yield first.position, _to_capture(first, source, origin)
        elif item.named.get("warc-segment-number") == "1":
            segments.append(item)
        else:
            capture = _to_capture(item, source, origin)
            if verify and capture.captured_at is None and capture.recorded and capture.recorded.date:
                yield Damage(item.position, f"its time is unknown: {capture.recorded.date[:40]!r} is none that a page can have")
            if verify and capture.url is None and item.type in ("response", "revisit"):
                yield Damage(item.position, "a record without an address")
            yield item.position, capture
    for item in segments:
        yield Damage(item.position, "the last segments of a record are not in this file")
        item.is_cut, item.problem = True, "its last segments are missing"
        yield item.position, _to_capture(item, source, origin)


def _continues(record: Record, first: Record) -> bool:
    """Whether a record is the next segment of another one."""
    numbers = [one.named.get("warc-segment-number", "") for one in (first, record)]
    origin = record.named.get("warc-segment-origin-id") == first.named.get("warc-record-id")
    return all(map(str.isdecimal, numbers)) and int(numbers[1]) == int(numbers[0]) + 1 and (origin or record.url == first.url)


def _to_capture(record: Record, source: str, origin: str | None) -> Capture:
    headers = record.named
    form = Form(record.type)
    status_line: str | None = None
    http_headers: tuple[tuple[str, str], ...] = ()
    payload = record.block
    if form in (Form.RESPONSE, Form.REVISIT):
        status_line, http_headers, payload = split_http(record.block)
    url = record.url
    url = None if url is None or url.startswith(UNKNOWN_URL) else url
    date = headers.get("warc-date")
    added = parse_time(date) if headers.get(CAPTURED_AT.lower()) == UNKNOWN else None
    recorded = [headers.get(RECORDED_URL.lower(), url), headers.get(RECORDED_DATE.lower(), None if added else date)]
    capture = Capture(
        form=form,
        source=headers.get(SOURCE.lower(), source),
        payload=b"" if form is Form.REVISIT else payload,
        url=url,
        fetched_at=from_iso(headers.get(FETCHED_AT.lower())),
        http_status=_status(status_line),
        http_reason=(status_line or "").partition(" ")[2].partition(" ")[2],
        http_headers=http_headers,
        content_type=_content_type(form, http_headers, headers),
        truncated=headers.get("warc-truncated") or ("unspecified" if record.is_cut else None),
        payload_digest=headers.get(LISTED_DIGEST.lower()) or headers.get("warc-payload-digest"),
        warc_record_id=headers.get("warc-record-id"),
        warc_headers=record.headers,
        original=_original(headers) if form is Form.REVISIT else None,
        origin=headers.get(ORIGIN.lower()) or (f"{origin} at {record.position}" if origin else None),
        damage=headers.get(DAMAGE.lower()) or record.problem,
        revisit_profile=headers.get("warc-profile") if form is Form.REVISIT else None,
        recorded=Recorded(*(None if one == UNKNOWN else one for one in recorded)),
    )
    return dated(capture, added_at=added.moment if added else None)


def _content_type(form: Form, http_headers: tuple[tuple[str, str], ...], headers: dict[str, str]) -> str | None:
    if form in (Form.RESPONSE, Form.REVISIT):
        return next((value for key, value in http_headers if key.lower() == "content-type"), None)
    return headers.get("content-type")


def _original(headers: dict[str, str]) -> Original:
    url = headers.get("warc-refers-to-target-uri", "").strip("<> ") or None
    time = parse_time(archive_time(url) or headers.get("warc-refers-to-date"))
    return Original(headers.get("warc-refers-to"), without_archive(url) if url else None, time.moment if time else None)


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
        "WARC-Date": capture.captured_text or iso(now) or "",
        "WARC-Record-ID": capture.warc_record_id or record_id_of(capture),
        SOURCE: _plain(capture.source),
    }
    if capture.captured_at is None:
        headers[CAPTURED_AT] = UNKNOWN
    if capture.recorded:
        headers |= {RECORDED_URL: capture.recorded.url or UNKNOWN, RECORDED_DATE: capture.recorded.date or UNKNOWN}
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
