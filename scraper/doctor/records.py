"""Whether what a gzip member holds is a whole WARC record whose digests are those of its bytes (WARC 1.1, 5.8 and 5.9)."""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

from scraper.archive.records import Damage, digest_agrees, read_records, split_http
from scraper.archive.warc import read_captures
from scraper.capture import Capture


class Read(NamedTuple):
    """The captures that a member holds, or what is wrong with it."""

    captures: list[Capture]
    wrong: str | None


def read_member(record: bytes, *, is_own: bool) -> Read:
    """Reads what was unpacked from a member. `is_own`: this program wrote it.

    Only then the digest of the payload is compared with the stored payload: other tools compute it before or after a transfer
    encoding. The digest of the block is compared in every record.
    """
    found = 0
    for item in read_records(BytesIO(record), verify=False):
        if isinstance(item, Damage):
            return Read([], item.reason)
        found += 1
        if digest_agrees(item.named.get("warc-block-digest"), item.block) is False:
            return Read([], "its bytes are not those that WARC-Block-Digest names")
        body = split_http(item.block)[2] if item.type == "response" else item.block
        if is_own and item.type != "revisit" and digest_agrees(item.named.get("warc-payload-digest"), body) is False:
            return Read([], "its body is not the one that WARC-Payload-Digest names")
    if not found:
        return Read([], "holds no WARC record")
    return Read([item[1] for item in read_captures(BytesIO(record), "files") if not isinstance(item, Damage)], None)
