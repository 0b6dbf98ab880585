"""Whether what a gzip member holds is a whole WARC record whose digests are those of its bytes (WARC 1.1, 5.8 and 5.9)."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from scraper.archive.records import Damage
from scraper.archive.warc import http_body, read_captures
from scraper.capture import Capture

_WITH_PAYLOAD = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.conversion


class Read(NamedTuple):
    """The captures that a member holds, or what is wrong with it."""

    captures: list[Capture]
    wrong: str | None


def read_member(record: bytes, *, is_own: bool) -> Read:
    """Reads what was unpacked from a member. `is_own`: this program wrote it.

    Only then the digest of the payload is held against the payload as it lies there: other tools take it of a body before or
    after its transfer encoding, as they like. The digest of the block leaves no choice, and is held against every record.
    """
    try:
        found = list(_wrong(record, is_own))
    except (OSError, ValueError, EOFError) as error:
        return Read([], f"not a readable WARC record: {str(error)[:120]}")
    if not found:
        return Read([], "holds no WARC record")
    if wrong := next((text for text in found if text), None):
        return Read([], wrong)
    captures: list[Capture] = []
    for item in read_captures(BytesIO(record), "files"):
        if isinstance(item, Damage):
            return Read([], item.reason)
        captures.append(item[1])
    return Read(captures, None)


def _wrong(record: bytes, is_own: bool) -> Iterator[str | None]:
    """For each record what is wrong with it."""
    for one in ArchiveIterator(BytesIO(record), record_types=WarcRecordType.any_type, parse_http=False):
        block = one.reader.read()
        if len(block) < one.content_length:
            yield f"a record is cut: {len(block)} of {one.content_length} bytes"
        elif _differs(one.headers.get("WARC-Block-Digest"), block):
            yield "its bytes are not those that WARC-Block-Digest names"
        elif is_own and _differs(one.headers.get("WARC-Payload-Digest"), _payload(one, block)):
            yield "its body is not the one that WARC-Payload-Digest names"
        else:
            yield None


def _payload(record: WarcRecord, block: bytes) -> bytes | None:
    """None where the record has none of its own: a revisit names the digest of a body that lies elsewhere."""
    if not record.record_type & _WITH_PAYLOAD:
        return None
    return http_body(block) if record.record_type == WarcRecordType.response else block


def _differs(said: str | None, content: bytes | None) -> bool:
    """Whether the digest, `ALGORITHM:VALUE` in base 32 or 16, is another than the content's; False where nobody can tell."""
    name, colon, value = (said or "").strip().partition(":")
    algorithm = name.lower().replace("-", "")
    if content is None or not colon or algorithm not in ("md5", "sha1", "sha256", "sha512"):
        return False
    digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    return value.lower() not in (digest.hex(), b32encode(digest).decode().lower().rstrip("="), b32encode(digest).decode().lower())
