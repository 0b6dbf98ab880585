"""Fetches single captures from an archive's raw (`id_`) replay: the Wayback Machine's, and pywb's.

The functions before the class interpret one answer (ARCHIVES.md, section 2, "Decision table").
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote, urljoin

from parsers.decode import MAX_PAGE
from parsers.urls import is_of_hosts
from scraper.archive.dating import parse_time
from scraper.archive.warc import sha1_digest
from scraper.capture import NOT_KEPT, Capture, WarcType, url_key, utc_now
from scraper.encoding import GZIP_MAGIC, decode_content
from scraper.errors import RequestFailed, UndecodableContent
from scraper.ledger.store import EMPTY_SHA1, FetchResult, FetchState, ListedCapture, sha1_of, to_time, to_timestamp
from scraper.sources.base import SourceContext
from scraper.terminal import escape, escape_url
from scraper.web.addresses import AllowList, host_of, same_page
from scraper.web.client import REDIRECTS, Headers, RequestPolicy, Response, sendable
from scraper.web.pacing import BREAKER_LIMIT, BREAKER_PAUSE

ORIGINAL = "x-archive-orig-"
MAX_REDIRECTS = 5
UNKNOWN_PAGE_AGAIN = timedelta(days=1)
"""An unknown page of the archive itself may be due to an outage, so the capture is requested again soon."""
MAX_SKEW = timedelta(hours=1)
"""A capture time further in the future is not trusted: an archive's clock was wrong by years (ARCHIVES.md, section 9)."""
_ARCHIVES_OWN = {"memento-datetime", "link", "content-location", "date", "server", "vary", "x-page-cache", "server-timing"}
_GZIP_TYPES = re.compile(r"gzip|octet-stream|x-tar|compress", re.IGNORECASE)  # of files that are themselves compressed
_EXCLUDED = re.compile(rb"(?i)excluded|robots\.txt|access.?control|blocked site|\bhrm\b|not (been )?archived|cannot be displayed")
Pairs = Sequence[tuple[str, str]]
"""Names and values of headers."""


class Redirect(NamedTuple):
    """A capture that an archive offers: its timestamp and original URL."""

    timestamp: str
    url: str


def is_memento(headers: Headers) -> bool:
    """Returns whether the answer is an archived one, archived errors included (ARCHIVES.md, fact 3)."""
    return bool(headers.get("memento-datetime").strip())


def capture_time(answer: Response, asked: str, replay_url: str) -> datetime | None:
    """Returns when the capture was made: by Memento-Datetime, else by the final URL or `asked`; None if that is in the future."""
    final = _in_replay(answer, "content-location", replay_url)
    stated = parse_time(answer.headers.get("memento-datetime"))
    times = (stated.moment if stated else None, to_time(final.timestamp) if final else None, to_time(asked))
    return next((moment for moment in times if moment and moment <= datetime.now(UTC) + MAX_SKEW), None)


def other_page(answer: Response, asked: str, replay_url: str) -> str | None:
    """Returns the URL of the page that the answer is of, as it states, if that is another page than `asked`; otherwise None."""
    originals = _originals(answer.headers)
    if originals and not any(same_page(url, asked) for url in originals):
        return originals[0]
    # pywb names the capture in Content-Location if it does not redirect (ARCHIVES.md, section 4)
    located = _in_replay(answer, "content-location", replay_url)
    return located.url if located and not same_page(located.url, asked) else None


def _in_replay(answer: Response, header: str, replay_url: str) -> Redirect | None:
    """Returns timestamp and original URL if a header has a URL of the archive's replay, absolute or relative."""
    located = answer.headers.get(header).strip()
    try:
        url = urljoin(answer.url, located) if located else ""
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


def original_url(headers: Headers, asked: str) -> str:
    """Returns the captured URL, by rel="original". It may differ from `asked` (edgi-govdata-archiving/wayback#99)."""
    originals = _originals(headers)
    return asked if asked in originals else next(iter(originals), asked)


def _originals(headers: Headers) -> list[str]:
    """Returns URLs with rel="original" in Link headers, also with HTML escapes decoded (EDGI recorded escaped ones)."""
    found = []
    for link in headers.get_list("link"):
        for match in re.finditer(r"<([^<>]+)>\s*;[^<]*?\brel=\"?(?:[\w-]+ )*original\b", link):
            found += [html.unescape(match[1].strip()), match[1].strip()]
    return [url for url in found if re.match(r"https?://[^/]", url, re.IGNORECASE) and not re.search(r"[\x00-\x20\x7f]", url)]


def capture_of(answer: Response, *, source: str, url: str, moment: datetime, headers: Pairs | None = None) -> Capture:
    """Returns an answer as a capture made at `moment`; with the page's headers, or those given, except NOT_KEPT."""
    kept = tuple(pair for pair in headers or answer.headers if pair[0].lower() not in NOT_KEPT)
    reason = next((one.phrase for one in HTTPStatus if one == answer.status), "")
    capture = Capture(warc_type=WarcType.RESPONSE, source=source, payload=answer.body, url=url, captured_at=moment)
    capture = replace(capture, fetched_at=utc_now(), http_status=answer.status, http_reason=reason, http_headers=kept)
    return replace(capture, content_type=capture.header("content-type"))


def _archived_headers(answer: Response, replay_url: str) -> Pairs:
    """Returns the headers that the page was sent with, as far as the archive passes them on."""
    pairs = answer.headers
    archived = [(name[len(ORIGINAL) :], value) for name, value in pairs if name.lower().startswith(ORIGINAL)]
    known = {name.lower() for name, _ in archived}
    target = _in_replay(answer, "location", replay_url)  # the target of the page's redirect, as a URL of the archive
    page = {"location": target.url} if target else {}
    own = [(name, page.get(name.lower(), value)) for name, value in pairs if not name.lower().startswith("x-archive-")]
    own = [pair for pair in own if pair[0].lower() in ("content-type", "location") or not known]
    return [pair for pair in own if pair[0].lower() not in _ARCHIVES_OWN | known] + archived


def differs_from_index(answer: Response, capture: Capture, row: ListedCapture) -> bool:
    """Whether the body's digest is not the listed one, which is wrong for encoded or chunked pages (ARCHIVES.md, fact 11)."""
    listed = sha1_of(row.digest)
    encodings = [ORIGINAL + "content-encoding", ORIGINAL + "transfer-encoding", "content-encoding"]
    encoded = any(answer.headers.get(name).strip().lower() not in ("", "identity") for name in encodings)
    if listed is None or encoded or row.is_revisit:
        return False
    return listed not in map(sha1_digest, (capture.payload, answer.raw, answer.body))


def is_short(answer: Response, capture: Capture) -> bool:
    """Returns whether a body has fewer bytes than the site sent, or is an HTML page without its end."""
    length = answer.headers.get(ORIGINAL + "content-length")
    if re.fullmatch(r"[0-9]{1,12}", length) and len(capture.payload) < int(length):
        return True
    page = "html" in (capture.content_type or "").lower() and b"<html" in capture.payload[:4096].lower()
    return page and b"</html" not in capture.payload[-4096:].lower()


@dataclass(slots=True)
class Replay:
    """The replay of one archive. `_unknown_pages`: consecutive unexplained pages; `_cut`: SHA-256 of truncated bodies by row."""

    _source: str
    _replay_url: str
    _interval: float
    _context: SourceContext
    _allow: AllowList
    _unknown_pages: int = 0
    _cut: dict[int, str | None] = field(default_factory=dict)

    def fetch(self, row: ListedCapture, *, again: bool) -> FetchResult:
        """Returns the capture, or why there is none. A first time-out waits for the second pass. Raises RequestFailed."""
        policy = RequestPolicy(allow=self._allow, interval=self._interval, limit=MAX_PAGE, retry_timeouts=again)
        policy = replace(policy, accept_encoding="identity", is_data=is_memento)
        asked, listed = Redirect(row.timestamp, row.url), sha1_of(row.digest)
        seen = {asked}
        while True:
            url = f"{self._replay_url}{asked.timestamp}id_/" + sendable(asked.url).replace("#", "%23")
            answer = self._context.client.get(url, policy)
            target = _in_replay(answer, "location", self._replay_url) if answer.status in REDIRECTS else None
            target = target if target and len(target.timestamp) == 14 else None
            # A body with the listed digest proves that an answer without a Memento header is the capture.
            is_listed = listed not in (None, EMPTY_SHA1) and listed in (sha1_digest(answer.body), sha1_digest(answer.raw))
            if is_memento(answer.headers) or (target is None and is_listed):
                self._unknown_pages = 0
                return self._as_capture(answer, row, asked)
            if target is None:
                return self._without_capture(answer)
            if refusal := self._decline(target, row, is_loop=target in seen or len(seen) > MAX_REDIRECTS):
                return refusal
            seen.add(target)
            asked = target

    def _decline(self, target: Redirect, row: ListedCapture, *, is_loop: bool = False) -> FetchResult | None:
        """Returns why an offered capture is not fetched: it is of another page or host, or is itself listed or stored."""
        context, moment, is_same = self._context, to_time(target.timestamp), same_page(target.url, row.url)
        asked = {"urlkey": url_key(target.url), "timestamp": target.timestamp}
        if is_loop:
            why = "the archive redirects in a loop"
        elif target.timestamp == row.timestamp and is_same:
            return None
        elif moment is None or not is_of_hosts(target.url, context.hosts) or not is_same:
            why = "of another page"
        elif context.archive.at(target.url, moment) or context.ledger.value("knows", **asked):
            why = "known already"
        else:
            return None
        reason = f"asked for {row.timestamp}, offered {escape(target.timestamp)}: {why}"
        return FetchResult(state=FetchState.SUBSTITUTED, reason=reason)

    def _as_capture(self, answer: Response, row: ListedCapture, asked: Redirect) -> FetchResult:
        """Returns the answer to a request as a capture. Raises RequestFailed if it is of another page, without a time, or cut."""
        if other := other_page(answer, asked.url, self._replay_url):
            raise RequestFailed(f"{escape_url(answer.url)}: the archive answered with another page, {escape_url(other)}")
        moment = capture_time(answer, asked.timestamp, self._replay_url)
        if moment is None:
            raise RequestFailed(f"{escape_url(answer.url)}: the archive states no possible capture time")
        url = original_url(answer.headers, asked.url)
        if not is_of_hosts(url, self._context.hosts) or url_key(url) != url_key(asked.url):
            url = asked.url
        wanted = to_time(row.timestamp)
        substitute = wanted is not None and wanted != moment
        if substitute and (refusal := self._decline(Redirect(to_timestamp(moment), url), row)):
            return refusal
        # The listed digest is not that of a substitute.
        listed = ListedCapture(url=row.url, timestamp=row.timestamp) if substitute else row
        headers, body = _archived_headers(answer, self._replay_url), answer.body
        capture = capture_of(answer, source=self._source, url=url, moment=moment, headers=headers)
        if body.startswith(GZIP_MAGIC) and not _GZIP_TYPES.search(capture.content_type or ""):
            # The header is empty, or missing, if the archive stored a gzipped body (ARCHIVES.md, section 2, "Encodings").
            try:
                body = decode_content(body, encodings=["gzip"])
            except UndecodableContent as error:
                raise RequestFailed(f"{escape_url(answer.url)}: the body can't be decoded: {escape(error)}") from None
        digest, origin = sha1_of(listed.digest), answer.headers.get("x-archive-src") or None
        capture = replace(capture, payload=body, payload_digest=digest, origin=origin)
        differs = differs_from_index(answer, capture, listed)
        if differs and (not answer.framed or is_short(answer, capture)):
            # The same body twice is what the archive has; otherwise the rest was lost in transit.
            if self._cut.get(row.id) != capture.sha256:
                self._cut[row.id] = capture.sha256
                raise RequestFailed(f"{escape_url(answer.url)}: the body seems to be cut")
            if is_short(answer, capture):
                capture = replace(capture, truncated="unspecified")
        state = FetchState.SUBSTITUTED if substitute else FetchState.FETCHED
        return FetchResult(state=state, reason="the body does not have the listed digest" if differs else "", capture=capture)

    def _without_capture(self, answer: Response) -> FetchResult:
        """Returns why the archive answers without a capture. Raises RequestFailed if it may have one."""
        status = answer.status
        if status in (401, 403, 404, 410, 451):
            state = FetchState.MISSING if status in (404, 410) else FetchState.BLOCKED
            return FetchResult(state=state, reason=f"the archive answers {status}")
        if not 200 <= status < 300:
            raise RequestFailed(f"{escape_url(answer.url)}: answered {status} without a capture")
        error = answer.headers.get("x-archive-wayback-runtime-error")
        if "accesscontrol" in error.replace(" ", "").lower() if error else _EXCLUDED.search(answer.body[:65536]):
            self._unknown_pages = 0
            return FetchResult(state=FetchState.BLOCKED, reason="the archive says that it is excluded or not archived")
        self._unknown_pages += 1
        if self._unknown_pages >= BREAKER_LIMIT:
            pause = BREAKER_PAUSE * self._context.settings.retry.backoff
            reason = f"it answered {self._unknown_pages} times in a row with a page that is not a capture"
            self._context.client.pacer.hold(host_of(self._replay_url), pause, reason, end=True)
        why = "the archive answers with a page of its own"
        return FetchResult(state=FetchState.BLOCKED, reason=why, ask_again=UNKNOWN_PAGE_AGAIN)
