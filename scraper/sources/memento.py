"""What an archive's answer to a request for one capture means: ARCHIVES.md, section 2, "Decision table", as pure functions."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import unquote, urljoin

import httpx

from scraper.archive.warc import sha1_digest, utc_now
from scraper.capture import Capture, Form
from scraper.encoding import GZIP_MAGIC, gunzip
from scraper.ledger.rows import Fixity, Row, sha1_of
from scraper.web.client import REDIRECTS, Answer

ORIGINAL = "x-archive-orig-"
DROPPED = frozenset(
    {"set-cookie", "set-cookie2", "authorization", "proxy-authorization", "content-encoding", "transfer-encoding"}
    | {"content-length", "connection", "keep-alive"}
)
"""Not kept: secrets (ARCHIVES.md, section 8), and what describes the body as it travelled, since it is stored decoded."""
_ARCHIVES_OWN = frozenset(
    {"memento-datetime", "link", "content-location", "date", "server", "vary", "x-page-cache", "server-timing"}
)
_GZIP_TYPES = re.compile(r"gzip|octet-stream|x-tar|compress", re.IGNORECASE)
_EXCLUDED = re.compile(
    r"excluded|robots\.txt|access.?control|blocked site|\bhrm\b|not archived|has not been archived|cannot be displayed",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """Another capture that the archive offers instead of the one asked for."""

    timestamp: str
    url: str


def is_memento(_status: int, headers: httpx.Headers) -> bool:
    """Whether the answer is the archived one, an archived error included (ARCHIVES.md, fact 3)."""
    return memento_time(headers) is not None


def memento_time(headers: httpx.Headers) -> datetime | None:
    """When the capture that was served was really made, UTC; None where the answer is the archive's own."""
    try:
        moment = parsedate_to_datetime(headers.get("memento-datetime", ""))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def offered(answer: Answer, replay_url: str) -> Offer | None:
    """The capture that a redirect of the archive's own leads to; None where it leads anywhere else."""
    location = answer.headers.get("location", "").strip()
    if answer.status not in REDIRECTS or not location:
        return None
    try:
        target = urljoin(answer.url, location)
    except ValueError:
        return None
    found = _in_replay(target, replay_url)
    return Offer(found[0], found[1]) if found and re.fullmatch(r"[0-9]{14}", found[0]) else None


def _in_replay(url: str, replay_url: str) -> tuple[str, str] | None:
    """Timestamp and original address in an address of the archive's."""
    prefix = re.sub(r"^https?:", "", replay_url)
    rest = re.sub(r"^https?:", "", url)
    if not rest.startswith(prefix):
        return None
    found = re.fullmatch(r"([0-9]{1,14})(?:[a-z]{2}_)?/(.+)", rest[len(prefix) :], re.DOTALL)
    if not found:
        return None
    original = found[2]
    # A target may be percent-encoded as a whole; one that is not must stay as it is (EDGI, `clean_memento_url_component`).
    if re.match(r"https?%3a", original, re.IGNORECASE):
        original = unquote(original)
    return found[1], re.sub(r"^(https?):/+", r"\1://", original, flags=re.IGNORECASE)


def says_excluded(answer: Answer) -> bool:
    """Whether an error page tells that the capture is excluded, or that the archive has none, rather than a breakdown."""
    if "x-archive-wayback-runtime-error" in answer.headers:
        return "accesscontrol" in answer.headers["x-archive-wayback-runtime-error"].replace(" ", "").lower()
    return bool(_EXCLUDED.search(answer.body[:65536].decode("utf-8", "replace")))


def original_url(headers: httpx.Headers, asked: str) -> str:
    """The address that was really captured, by the Link header's rel="original"; it may be another spelling (EDGI #99)."""
    for link in headers.get_list("link"):
        for found in re.finditer(r"<([^<>]+)>\s*;[^<]*?\brel=\"?(?:[\w-]+ )*original\b", link):
            url = found[1].strip()
            # Inside this header addresses have been HTML-escaped (a cassette of EDGI's).
            candidates = [url, html.unescape(url)]
            if asked in candidates:
                return asked
            best = candidates[-1]
            if re.match(r"https?://[^/]", best, re.IGNORECASE) and not re.search(r"[\x00-\x20\x7f]", best):
                return best
    return asked


def to_capture(answer: Answer, row: Row, *, source: str, url: str, replay_url: str, moment: datetime) -> Capture:
    """The capture as it is stored: archived headers, body without encodings, the time it was really made.

    Raises UndecodableContent where a gzip body that came without its header is cut.
    """
    headers = _archived_headers(answer, replay_url)
    content_type = next((value for name, value in headers if name.lower() == "content-type"), None)
    body = answer.body
    if body.startswith(GZIP_MAGIC) and not _GZIP_TYPES.search(content_type or ""):
        # The header is empty, or missing, where the archive stored a gzipped body (ARCHIVES.md, section 2, "Encodings").
        body = gunzip(body)
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = ""
    return Capture(
        form=Form.RESPONSE,
        source=source,
        payload=body,
        url=url,
        captured_at=moment,
        fetched_at=utc_now(),
        http_status=answer.status,
        http_reason=reason,
        http_headers=headers,
        content_type=content_type,
        payload_digest=sha1_of(row.digest),
        origin=answer.headers.get("x-archive-src"),
    )


def _archived_headers(answer: Answer, replay_url: str) -> tuple[tuple[str, str], ...]:
    """The headers that the page itself was sent with, as far as the archive hands them on."""
    pairs = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in answer.headers.raw]
    archived = [(name[len(ORIGINAL) :], value) for name, value in pairs if name.lower().startswith(ORIGINAL)]
    own = [
        (name, value)
        for name, value in pairs
        if not name.lower().startswith("x-archive-") and name.lower() not in _ARCHIVES_OWN | DROPPED
    ]
    known = {name.lower() for name, _ in archived}
    if archived:
        own = [(name, value) for name, value in own if name.lower() in ("content-type", "location")]
    headers = [pair for pair in own if pair[0].lower() not in known] + archived
    return tuple(
        (name, _rewritten_back(name, value, answer, replay_url)) for name, value in headers if name.lower() not in DROPPED
    )


def _rewritten_back(name: str, value: str, answer: Answer, replay_url: str) -> str:
    """A Location without the archive's prefix: it may be absolute, begin with `//`, `/web/`, or be a path only."""
    if name.lower() != "location":
        return value
    try:
        found = _in_replay(urljoin(answer.url, value.strip()), replay_url)
    except ValueError:
        return value
    return found[1] if found else value


def fixity_of(answer: Answer, capture: Capture, row: Row) -> Fixity:
    """Whether the body is the one that the index has the digest of.

    The digest is of the body as the crawler stored it: where the page was sent encoded or chunked, nobody can tell what that
    was (ARCHIVES.md, fact 11 and section 5), and a difference says nothing.
    """
    listed = sha1_of(row.digest)
    if listed is None:
        return Fixity.NOT_COMPARABLE
    if listed in (sha1_digest(capture.payload), sha1_digest(answer.raw), sha1_digest(answer.body)):
        return Fixity.MATCHES
    encoded = any(
        answer.headers.get(ORIGINAL + name, "").strip().lower() not in ("", "identity")
        for name in ("content-encoding", "transfer-encoding")
    )
    served_encoded = answer.headers.get("content-encoding", "").strip().lower() not in ("", "identity")
    return Fixity.NOT_COMPARABLE if encoded or served_encoded or row.is_revisit else Fixity.DIFFERS


def seems_cut(answer: Answer, capture: Capture, fixity: Fixity) -> bool:
    """Whether a body that differs from its digest also looks unfinished; its end may have been lost without an error."""
    return fixity is Fixity.DIFFERS and (not answer.framed or is_short(answer, capture))


def is_short(answer: Answer, capture: Capture) -> bool:
    """Whether a body has fewer bytes than the site sent, or is a page without its end."""
    told = answer.headers.get(ORIGINAL + "content-length", "")
    if re.fullmatch(r"[0-9]{1,12}", told) and len(capture.payload) < int(told):
        return True
    page = "html" in (capture.content_type or "").lower() and b"<html" in capture.payload[:4096].lower()
    return page and b"</html" not in capture.payload[-4096:].lower()
