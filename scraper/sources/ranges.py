"""Reads single WARC records from the large files of Common Crawl and the End of Term archive (ARCHIVES.md, sections 3 and 4)."""

import re
from dataclasses import dataclass, replace
from io import BytesIO

from scraper.archive.packing import whole_member
from scraper.archive.records import Damage
from scraper.archive.warc import read_captures, utc_now
from scraper.capture import SECRETS, Capture, Form
from scraper.errors import RequestFailed
from scraper.ledger.rows import FetchResult, Row, State, sha1_of, to_timestamp
from scraper.sources.base import Fetched, SourceContext
from scraper.terminal import escape, escape_url
from scraper.web.addresses import AllowList
from scraper.web.client import MIB, Answer, RequestPolicy

CUT_LENGTHS = (500 * 1024, MIB, 5 * MIB)
"""Bytes at which crawls cut bodies: 2008-12, since 2013, since 2025; not every such record is marked (ARCHIVES.md, section 3)."""


def range_policy(allow: AllowList, interval: float) -> RequestPolicy:
    """Returns the policy for reading ranges of files."""
    return RequestPolicy(allow=allow, interval=interval, accept_encoding="identity", ranged=True)


def read_range(
    context: SourceContext, url: str, policy: RequestPolicy, start: int, length: int, *, short: bool = False
) -> Answer:
    """Returns these bytes of a file; `short` permits fewer at its end. Other statuses than 206 are returned as they are.

    Raises RequestFailed where a server answers with another range, and what Client.get raises.
    """
    end = start + length - 1
    answer = context.client.get(url, policy, {"Range": f"bytes={start}-{end}"})
    if answer.status != 206:
        return answer
    stated = re.fullmatch(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", answer.headers.get("content-range", "").strip())
    last = int(stated[2]) if stated and int(stated[1]) == start else -1
    if last != end and not (short and 0 <= last < end and stated and stated[3] == str(last + 1)):
        raise _unlike(answer, "another range than was asked for")
    if len(answer.raw) != last - start + 1:
        raise _unlike(answer, f"{len(answer.raw)} of {last - start + 1} bytes")
    return answer


def _unlike(answer: Answer, what: str) -> RequestFailed:
    return RequestFailed(f"{escape_url(answer.url)}: {what} came")


def total_size(answer: Answer) -> int | None:
    """Returns the size of the whole file in bytes, None where a 206 does not state it."""
    size = answer.headers.get("content-range", "").rpartition("/")[2].strip()
    return int(size) if re.fullmatch(r"\d{1,19}", size) else None


@dataclass(frozen=True, slots=True)
class Records:
    """Single records of the WARC files below `data_url`, of one source."""

    source: str
    data_url: str
    context: SourceContext
    policy: RequestPolicy

    def fetch(self, row: Row, *, again: bool) -> Fetched | FetchResult:
        """Returns the capture that a row points to, fully checked. Raises RequestFailed, and what Client.get raises."""
        if row.filename is None or row.offset is None or row.length is None:
            return FetchResult(state=State.MISSING, reason="the index does not state where it is stored")
        answer = read_range(self.context, self.data_url + row.filename, self.policy, row.offset, row.length)
        if answer.status in (403, 404, 410):
            # S3 answers 403 for a missing file where listing is denied (ARCHIVES.md, section 4).
            return FetchResult(state=State.MISSING, reason=f"the archive answers {answer.status} for the file")
        if answer.status != 206:
            raise _unlike(answer, f"status {answer.status}")
        capture = _only_record(answer, row, self.source)
        truncated = capture.truncated or row.truncated
        if truncated is None and capture.form is Form.RESPONSE and len(capture.payload) in CUT_LENGTHS:
            truncated = "length"
        stored = replace(
            capture,
            source=self.source,
            fetched_at=utc_now(),
            http_headers=tuple(pair for pair in capture.http_headers if pair[0].lower() not in SECRETS),
            payload_digest=sha1_of(row.digest) or capture.payload_digest,
            truncated=truncated,
            origin=f"{row.filename}:{row.offset}",
        )
        return Fetched(stored)


def _only_record(answer: Answer, row: Row, source: str) -> Capture:
    member = whole_member(BytesIO(answer.raw), 0)
    if isinstance(member, str) or member.length != len(answer.raw):
        raise _unlike(answer, escape(member) if isinstance(member, str) else "more than one gzip member")
    found = [item for item in read_captures(BytesIO(answer.raw), source, verify=True) if not isinstance(item, Damage)]
    if len(found) != 1:
        raise _unlike(answer, "no single whole WARC record")
    capture = found[0][1]
    if capture.url != row.url:
        raise _unlike(answer, f"the record of {escape_url(capture.url or 'no address')}")
    if capture.captured_at is None or to_timestamp(capture.captured_at) != row.timestamp:
        raise _unlike(answer, f"a record of another time than {row.timestamp}")
    return capture
