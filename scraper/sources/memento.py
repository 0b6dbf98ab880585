"""Interprets an archive's answer to a request for one capture (ARCHIVES.md, section 2, "Decision table"). Pure functions."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import unquote, urljoin

import httpx

from scraper.archive.dating import parse_time
from scraper.archive.warc import sha1_digest, utc_now
from scraper.capture import NOT_KEPT, Capture, Form
from scraper.encoding import GZIP_MAGIC, gunzip
from scraper.ledger.rows import EMPTY_SHA1, Row, sha1_of, to_time
from scraper.web.addresses import same_page
from scraper.web.client import REDIRECTS, Answer

ORIGINAL = "x-archive-orig-"
MAX_SKEW = timedelta(hours=1)
"""A capture time further in the future is not believed: an archive's clock was wrong by years (ARCHIVES.md, section 9)."""
_ARCHIVES_OWN = {"memento-datetime", "link", "content-location", "date", "server", "vary", "x-page-cache", "server-timing"}
_GZIP_TYPES = re.compile(r"gzip|octet-stream|x-tar|compress", re.IGNORECASE)
_EXCLUDED = re.compile(
    r"excluded|robots\.txt|access.?control|blocked site|\bhrm\b|not archived|has not been archived|cannot be displayed",
    re.IGNORECASE,
)


class Redirect(NamedTuple):
    """A capture that an archive offers: its timestamp and original URL."""

    timestamp: str
    url: str


def is_memento(headers: httpx.Headers) -> bool:
    """Returns whether the answer is an archived one, archived errors included (ARCHIVES.md, fact 3)."""
    return bool(headers.get("memento-datetime", "").strip())


def capture_time(answer: Answer, asked: str, replay_url: str) -> datetime | None:
    """Returns when the served capture was made: Memento-Datetime, otherwise the digits of the final replay URL or of `asked`.

    A time in the future is not believed. Returns None where no time is left.
    """
    final = _in_replay(answer, "content-location", replay_url)
    stated = parse_time(answer.headers.get("memento-datetime"))
    times = (stated.moment if stated else None, to_time(final.timestamp) if final else None, to_time(asked))
    return next((moment for moment in times if moment and moment <= datetime.now(UTC) + MAX_SKEW), None)


def has_digest_of(answer: Answer, row: Row) -> bool:
    """Returns whether the body is the one that the index lists, which proves it to be the capture without any Memento header."""
    listed = sha1_of(row.digest)
    return listed is not None and listed != EMPTY_SHA1 and listed in (sha1_digest(answer.body), sha1_digest(answer.raw))


def redirect_of(answer: Answer, replay_url: str) -> Redirect | None:
    """Returns the capture that the archive's own redirect leads to, None where it leads anywhere else."""
    if answer.status not in REDIRECTS or is_memento(answer.headers):
        return None
    found = _in_replay(answer, "location", replay_url)
    return found if found and len(found.timestamp) == 14 else None


def other_page(answer: Answer, asked: str, replay_url: str) -> str | None:
    """Returns the URL of the page that the answer states it is of, where that is another page than `asked`; otherwise None."""
    originals = _originals(answer.headers)
    if originals and not any(same_page(url, asked) for url in originals):
        return originals[0]
    # pywb names the capture in Content-Location where it does not redirect (ARCHIVES.md, section 4)
    located = _in_replay(answer, "content-location", replay_url)
    return located.url if located and not same_page(located.url, asked) else None


def _in_replay(answer: Answer, header: str, replay_url: str) -> Redirect | None:
    """Returns timestamp and original URL where a header has a URL of the archive's replay, which may be absolute or relative."""
    try:
        url = urljoin(answer.url, answer.headers.get(header, "").strip()) if header in answer.headers else ""
    except ValueError:
        return None
    prefix, rest = re.sub(r"^https?:", "", replay_url), re.sub(r"^https?:", "", url)
    found = re.fullmatch(r"([0-9]{1,14})(?:[a-z]{2}_)?/(.+)", rest[len(prefix) :], re.DOTALL) if rest.startswith(prefix) else None
    if not found:
        return None
    original = found[2]
    # A target may be percent-encoded as a whole; one that is not must stay as it is (EDGI, `clean_memento_url_component`).
    if re.match(r"https?%3a", original, re.IGNORECASE):
        original = unquote(original)
    return Redirect(found[1], re.sub(r"^(https?):/+", r"\1://", original, flags=re.IGNORECASE))


def says_excluded(answer: Answer) -> bool:
    """Returns whether a page of the archive's says that the capture is excluded or not archived, rather than an outage."""
    if "x-archive-wayback-runtime-error" in answer.headers:
        return "accesscontrol" in answer.headers["x-archive-wayback-runtime-error"].replace(" ", "").lower()
    return bool(_EXCLUDED.search(answer.body[:65536].decode("utf-8", "replace")))


def original_url(headers: httpx.Headers, asked: str) -> str:
    """Returns the URL that was captured, by the Link header's rel="original". Its spelling may differ from `asked` (EDGI #99)."""
    originals = _originals(headers)
    return asked if not originals or asked in originals else originals[0]


def _originals(headers: httpx.Headers) -> list[str]:
    """The URLs with rel="original" in Link headers, also with HTML escapes removed (a cassette of EDGI's has them escaped)."""
    found = []
    for link in headers.get_list("link"):
        for match in re.finditer(r"<([^<>]+)>\s*;[^<]*?\brel=\"?(?:[\w-]+ )*original\b", link):
            found += [html.unescape(match[1].strip()), match[1].strip()]
    return [url for url in found if re.match(r"https?://[^/]", url, re.IGNORECASE) and not re.search(r"[\x00-\x20\x7f]", url)]


def to_capture(answer: Answer, row: Row, *, source: str, url: str, replay_url: str, moment: datetime) -> Capture:
    """Returns the capture to store: archived headers, decoded body, the time it was made.

    Raises UndecodableContent where a gzip body without its header is cut.
    """
    capture = capture_of(answer, _archived_headers(answer, replay_url), source=source, url=url, moment=moment)
    body = answer.body
    if body.startswith(GZIP_MAGIC) and not _GZIP_TYPES.search(capture.content_type or ""):
        # The header is empty, or missing, where the archive stored a gzipped body (ARCHIVES.md, section 2, "Encodings").
        body = gunzip(body)
    return replace(capture, payload=body, payload_digest=sha1_of(row.digest), origin=answer.headers.get("x-archive-src"))


def capture_of(answer: Answer, headers: list[tuple[str, str]], *, source: str, url: str, moment: datetime) -> Capture:
    """Returns an answer as a capture made at `moment`; of the page's `headers` all but NOT_KEPT."""
    kept = tuple(pair for pair in headers if pair[0].lower() not in NOT_KEPT)
    return Capture(
        form=Form.RESPONSE,
        source=source,
        payload=answer.body,
        url=url,
        captured_at=moment,
        fetched_at=utc_now(),
        http_status=answer.status,
        http_reason=httpx.codes.get_reason_phrase(answer.status),
        http_headers=kept,
        content_type=next((value for name, value in kept if name.lower() == "content-type"), None),
    )


def pairs_of(answer: Answer) -> list[tuple[str, str]]:
    """Returns the headers of an answer in the spelling and order in which they came."""
    return [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in answer.headers.raw]


def _archived_headers(answer: Answer, replay_url: str) -> list[tuple[str, str]]:
    """Returns the headers that the page was sent with, as far as the archive passes them on."""
    pairs = pairs_of(answer)
    archived = [(name[len(ORIGINAL) :], value) for name, value in pairs if name.lower().startswith(ORIGINAL)]
    known = {name.lower() for name, _ in archived}
    own = [
        (name, value)
        for name, value in pairs
        if not name.lower().startswith("x-archive-")
        and name.lower() not in _ARCHIVES_OWN | known
        and (not known or name.lower() in ("content-type", "location"))
    ]
    target = _in_replay(answer, "location", replay_url)  # the archive's spelling of where the page redirected to
    return [(name, target.url if target and name.lower() == "location" else value) for name, value in own] + archived


def differs_from_index(answer: Answer, capture: Capture, row: Row) -> bool:
    """Returns whether the body is not the one whose digest the index lists.

    The digest is of the body as the crawler stored it. If the page was sent encoded or chunked, that body is unknown
    (ARCHIVES.md, fact 11 and section 5), and a difference means nothing.
    """
    listed = sha1_of(row.digest)
    encodings = [ORIGINAL + "content-encoding", ORIGINAL + "transfer-encoding", "content-encoding"]
    encoded = any(answer.headers.get(name, "").strip().lower() not in ("", "identity") for name in encodings)
    if listed is None or encoded or row.is_revisit:
        return False
    return listed not in map(sha1_digest, (capture.payload, answer.raw, answer.body))


def is_short(answer: Answer, capture: Capture) -> bool:
    """Returns whether a body has fewer bytes than the site sent, or is an HTML page without its end."""
    told = answer.headers.get(ORIGINAL + "content-length", "")
    if re.fullmatch(r"[0-9]{1,12}", told) and len(capture.payload) < int(told):
        return True
    page = "html" in (capture.content_type or "").lower() and b"<html" in capture.payload[:4096].lower()
    return page and b"</html" not in capture.payload[-4096:].lower()
