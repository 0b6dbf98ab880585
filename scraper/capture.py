"""Capture: a page as one archive (or file) recorded it at one time.

Sources yield captures, the archive keeps them, and the parsers read their content. Nothing here touches disk or network.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple
from urllib.parse import urlsplit

from scraper.encoding import decode_content
from scraper.errors import UndecodableContent

SECRETS = frozenset({"set-cookie", "set-cookie2", "authorization", "proxy-authorization"})
"""Headers that are never kept (ARCHIVES.md, section 8)."""
NOT_KEPT = SECRETS | {"content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive"}
"""Headers that are not kept with a decoded body: they describe its transfer."""


class WarcType(StrEnum):
    """How the bytes were delivered: the type of the WARC record that contains them (WARC 1.1, section 5)."""

    RESPONSE = "response"  # HTTP headers and body
    RESOURCE = "resource"  # a body without HTTP headers, such as a saved file
    CONVERSION = "conversion"  # text that a tool extracted from a page
    REVISIT = "revisit"  # "the same as an earlier capture", without the body


class Original(NamedTuple):
    """The earlier capture that a revisit repeats, as named by its record: any of the three may be unknown."""

    warc_record_id: str | None = None
    url: str | None = None
    captured_at: datetime | None = None


class Recorded(NamedTuple):
    """Address and date of the record, if they differ from the capture's (`scraper.archive.dating`)."""

    url: str | None
    date: str | None


@dataclass(frozen=True, kw_only=True)
class Capture:
    """One page at one time. Times are timezone-aware, in UTC; None means unknown, never a guess.

    `payload` is the body as received: with its content encoding, and transfer encoding as in the record. `content` is the decoded
    body, which `sha256` is computed from and parsers read. `payload_digest` is claimed by the source (`sha1:BASE32`), not
    computed. `damage` is why the bytes are not those that the source stored (a digest differs, the file is truncated), None if
    they are. `date_length`: how many characters of the ISO time are known, 4 for a year, 7 for a month, 10 for a day, 16 for a
    minute; None means all of them.
    """

    warc_type: WarcType
    source: str
    payload: bytes
    url: str | None = None
    captured_at: datetime | None = None
    fetched_at: datetime | None = None
    http_status: int | None = None
    http_reason: str = ""
    http_headers: tuple[tuple[str, str], ...] = ()
    content_type: str | None = None
    truncated: str | None = None
    payload_digest: str | None = None
    warc_record_id: str | None = None
    warc_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    revisit_profile: str | None = None
    original: Original | None = None
    origin: str | None = None
    damage: str | None = None
    date_length: int | None = None
    recorded: Recorded | None = None

    def header(self, name: str) -> str | None:
        """Returns the first HTTP header of that name, ignoring case."""
        return next((value for key, value in self.http_headers if key.lower() == name.lower()), None)

    @cached_property
    def _decoded(self) -> tuple[bytes, str | None]:
        if self.warc_type is not WarcType.RESPONSE:
            return self.payload, None
        encodings = [value for key, value in self.http_headers if key.lower() == "content-encoding"]
        chunked = (self.header("transfer-encoding") or "").strip().lower() == "chunked"
        try:
            return decode_content(self.payload, encodings=encodings, chunked=chunked), None
        except UndecodableContent as error:
            return error.partial, str(error)

    @property
    def content(self) -> bytes:
        """The body without transfer and content encoding, as far as it can be decoded; limits: see `scraper.encoding`."""
        return self._decoded[0]

    @property
    def content_problem(self) -> str | None:
        """Why `content` is not the whole body: an encoding is unknown, damaged or truncated. None if it is whole."""
        return self._decoded[1]

    @cached_property
    def sha256(self) -> str | None:
        """Hex SHA-256 of `content`, or of the undecoded bytes where they can't be decoded at all; None for a revisit."""
        if self.warc_type is WarcType.REVISIT:
            return None
        undecoded = self.content_problem is not None and not self.content
        return hashlib.sha256(self.payload if undecoded else self.content).hexdigest()

    @property
    def captured_text(self) -> str | None:
        """The time of capture in ISO 8601, only as precise as its source gave it: `2019`, `2019-03`, `2019-03-01T12:00:00Z`."""
        return iso(self.captured_at, self.date_length)

    @cached_property
    def capture_id(self) -> str:
        """Twenty hex digits. Equal for captures with the same page, time and body (and status 200 or none) from any source."""
        status, body = None if self.http_status == 200 else self.http_status, self.sha256 or f"revisit {self.payload_digest}"
        same = [self.url, self.captured_text, status, body, *["text"] * (self.warc_type is WarcType.CONVERSION)]
        return hashlib.sha256(json.dumps(same).encode()).hexdigest()[:20]


def utc_now() -> datetime:
    """Returns the time to the second, as precise as WARC dates."""
    return datetime.now(UTC).replace(microsecond=0)


def iso(moment: datetime | None, length: int | None = None) -> str | None:
    """Formats a time in UTC as `2025-01-31T00:00:00Z`, with a fraction only if it has one; or the first `length` characters."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return text[:length] + ("Z" if length > 10 else "") if length else text


def from_iso(text: str | None) -> datetime | None:
    """Parses an ISO 8601 time as in WARC headers or from `iso`; None if there is none or it is invalid. No zone means UTC."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def url_key(url: str) -> str:
    """Returns what all spellings of a page's URL share: no scheme, `www`, default port, user name, fragment, final slash.

    It is for finding captures of the same page, never for requesting it: an archive replays the spelling that it lists. Unlike
    SURT it keeps the case of the path, because Drupal's aliases may differ in it.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return url
    host = re.sub(r"^www\d*\.", "", host)
    place = host if port in (None, 80, 443) else f"{host}:{port}"
    return place + parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")


def replay_url(source: str | None, captured_at: str | None, url: str | None) -> str | None:
    """Returns the Wayback Machine's address of a capture; None if it came from elsewhere or its time is unknown."""
    if source != "wayback" or not captured_at or not re.match("https?://", url or "", re.IGNORECASE):
        return None
    return f"https://web.archive.org/web/{re.sub(r'[^0-9]', '', captured_at)[:14]}/{url}"
