"""The live site: off by default, slow, and limited to record URLs that are known from elsewhere.

Protego parses robots.txt (RFC 9309). The answers to requests for it are interpreted here, because Protego reads an error page, or
a file with a byte order mark, as "everything is allowed" (ARCHIVES.md, section 6). Requests are conditional, so an unchanged page
is not sent again. A page counts as removed only if it was missing in two runs a day apart (ARCHIVES.md, section 7, "Live").
"""

import hashlib
import math
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from protego import Protego

from parsers.decode import MAX_PAGE
from parsers.urls import node_id
from scraper.capture import Capture, WarcType, from_iso, iso, utc_now
from scraper.errors import NotAllowed, RequestFailed, TooLarge
from scraper.ledger.store import FetchResult, FetchState, ListedCapture, to_timestamp
from scraper.sources.base import SourceContext, SourceReport, Window, revisit_of
from scraper.sources.replay import capture_of
from scraper.terminal import escape
from scraper.web.addresses import host_of
from scraper.web.client import REDIRECTS, RequestPolicy, Response, user_agent
from scraper.web.pacing import BREAKER_LIMIT, BREAKER_PAUSE

CONFIRM_AFTER = timedelta(hours=24)
ROBOTS_FOR = timedelta(hours=24)
_SITE = tomllib.loads(Path(__file__).with_name("live.toml").read_text(encoding="utf-8"))
_VOLATILE = re.compile(_SITE["volatile"].encode())
MAX_SIZE = 512 * 1024
"""Bytes; RFC 9309 requires at least 500 KiB."""
MAX_DELAY = 300.0
"""Seconds; a longer delay is reported and reduced to this (ARCHIVES.md, section 6)."""
MAX_REDIRECTS = 5
MAX_HEAD = 65_536
"""Characters of a page that are searched for its own URL."""


class RobotsRules:
    """What a site's robots.txt allows. `delay`: the longest valid one in it, in seconds."""

    def __init__(self, text: str, agent: str) -> None:
        self.text, rules = text, Protego.parse(text)
        self.allows: Callable[[str], bool] = lambda url: bool(rules.can_fetch(url, agent))
        rate = rules.request_rate(agent)
        delays = [rules.crawl_delay(agent), rate.seconds / rate.requests if rate and rate.requests else None]
        self.delay = max((float(delay) for delay in delays if delay and math.isfinite(delay) and delay > 0), default=0.0)


def rules_of(answer: Response, agent: str) -> RobotsRules:
    """Returns the rules in robots.txt; a missing one allows all. Raises RequestFailed if nothing is allowed (also 401, 403)."""
    if answer.status in (401, 403):
        raise RequestFailed(f"robots.txt answered {answer.status}: the site refuses automated requests")
    if 400 <= answer.status < 500:
        return RobotsRules("", agent)
    if not 200 <= answer.status < 300:
        raise RequestFailed(f"robots.txt answered {answer.status}: nothing is requested until it can be read")
    text = answer.body.decode("utf-8-sig", "replace")
    if "html" in answer.headers.get("content-type").lower() or text.lstrip().startswith("<"):
        raise RequestFailed("robots.txt is an HTML page: nothing is requested until it can be read")
    return RobotsRules(text, agent)


class _Known(NamedTuple):
    """What the ledger stores about one live page. The return of a removed page is stored even if it is unchanged."""

    etag: str | None = None
    last_modified: str | None = None
    text_hash: str | None = None
    capture_id: str | None = None
    gone_since: str | None = None
    removed_at: str | None = None


class Live:
    """The configured sites. Each run requests every known record from every site; its rows are not in the ledger."""

    name = "live"

    def __init__(self, context: SourceContext) -> None:
        self._settings = settings = context.settings.sources.live
        self._context = context
        self._agent = user_agent(context.settings.http.contact)
        self._rules: dict[str, RobotsRules] = {}
        self._blocked = 0
        plain = any(urlsplit(url).scheme == "http" for url in settings.base_urls)
        allow = replace(context.allow(*settings.base_urls), plain_http=plain)
        self._page = RequestPolicy(allow=allow, interval=settings.interval, limit=MAX_PAGE)
        self._robots = replace(self._page, limit=MAX_SIZE, follow=MAX_REDIRECTS)

    def list_captures(self, window: Window | None, report: SourceReport) -> None:
        """Reads robots.txt of every site; what to request comes from the ledger and the archive, see `rows`."""
        if window is not None:
            report.notes.append("--from and --to do not apply to the live site")
        for base in self._settings.base_urls:
            report.asked += 1
            note, ledger = f"robots {base}", self._context.ledger
            try:
                if (kept := ledger.read_note(note, ROBOTS_FOR)) is not None:
                    self._rules[base] = RobotsRules(kept, self._agent)
                else:
                    answer = self._context.client.get(urljoin(base, "/robots.txt"), self._robots)
                    self._rules[base] = rules_of(answer, self._agent)
                    ledger.keep_note(note, self._rules[base].text)
            except (RequestFailed, TooLarge, NotAllowed) as error:
                report.problems.append(f"{escape(base)} is not queried: {error}")
                continue
            report.answered += 1
            if (delay := self._rules[base].delay) > MAX_DELAY:
                report.notes.append(f"{escape(base)} requires {delay:.0f} s between requests; {MAX_DELAY:.0f} s are used")
        report.listed = sum(1 for _ in self.rows())

    def rows(self) -> Iterator[ListedCapture]:
        """Yields a row for each known record on each site that allows it, the least recently checked first."""
        ledger = self._context.ledger
        numbers: set[int | None] = set().union(*map(ledger.nodes, ledger.sources()))
        numbers |= {node_id(url) for url in self._context.archive.urls()}
        pages = [(rules, urljoin(base, f"node/{number}")) for base, rules in self._rules.items() for number in numbers - {None}]
        checked = dict(ledger.ask("live_pages"))
        now = to_timestamp(utc_now())
        for rules, url in sorted(pages, key=lambda page: (checked.get(page[1], ""), len(page[1]), page[1])):
            if rules.allows(url):
                yield ListedCapture(url=url, timestamp=now)

    def fetch(self, row: ListedCapture, *, again: bool) -> FetchResult:
        """Returns one page as it is now."""
        known = _Known(*(self._context.ledger.ask("live_page", url=row.url).fetchone() or ()))
        entry = self._context.archive.entry(known.capture_id) if known.capture_id else None
        stored = self._context.archive.read(entry) if entry else None
        headers: dict[str, str] = {}
        if stored:
            # Both at once: older Drupal answers 304 only if both match (`drupal_page_cache_header`).
            headers |= {"If-None-Match": known.etag} if known.etag else {}
            headers |= {"If-Modified-Since": known.last_modified} if known.last_modified else {}
        delays = [min(rules.delay, MAX_DELAY) for base, rules in self._rules.items() if row.url.startswith(base)]
        policy = replace(self._page, interval=max([self._settings.interval, *delays]))
        answer = self._context.client.get(row.url, policy, headers)
        if answer.status == 304 and stored:
            self._remember(row.url, "unchanged", known._replace(gone_since=None, removed_at=None))
            revisit = revisit_of(stored, source=self.name, url=row.url, captured_at=utc_now())
            return FetchResult(state=FetchState.FETCHED, capture=revisit)
        return self._classify(row.url, answer, known)

    def _classify(self, url: str, answer: Response, known: _Known) -> FetchResult:
        """Returns the result for an answer of the site. Raises RequestFailed if it does not show the state of the page."""
        challenged = bool(answer.headers.get("cf-mitigated"))
        challenged |= answer.status != 200 and any(map(answer.headers.get, _SITE["challenges"]))
        if answer.status in (401, 403, 451) or challenged:  # a login, a denial or a firewall's page: not about the record
            self._remember(url, "blocked", known)
            self._blocked += 1
            if self._blocked >= BREAKER_LIMIT:
                reason = f"it refused {self._blocked} pages in a row"
                self._context.client.pacer.hold(host_of(url), BREAKER_PAUSE, reason, end=True)
            return FetchResult(state=FetchState.BLOCKED, reason=f"the site answers {answer.status}")
        if answer.status in (404, 410):
            return self._missing_result(url, answer, known)
        if answer.status != 200 and answer.status not in REDIRECTS:
            raise RequestFailed(f"{escape(url)}: answered {answer.status}")
        if answer.status == 200 and (other := _other_node(url, answer)):
            raise RequestFailed(f"{escape(url)}: the site answered with another page, node {other}")
        self._blocked = 0
        text_hash = _hash_of(answer.status, answer.headers.get("location") or None, answer.body)
        if text_hash == known.text_hash and known.capture_id and not known.removed_at:
            self._remember(url, "unchanged", known._replace(gone_since=None, removed_at=None))
            reason = "unchanged except for what changes in each answer"
            return FetchResult(state=FetchState.UNCHANGED, reason=reason, capture_id=known.capture_id)
        return FetchResult(state=FetchState.FETCHED, capture=capture_of(answer, source=self.name, url=url, moment=utc_now()))

    def stored(self, row: ListedCapture, capture: Capture, capture_id: str | None) -> None:
        """Called once the fetched capture is durable: stores its validators."""
        if capture.warc_type is not WarcType.RESPONSE or capture.http_status in (404, 410):
            return
        # A revisit has no body to compare with, so the capture that it repeats is stored instead.
        entry = self._context.archive.same_body(row.url, capture.sha256) if capture.sha256 else None
        text_hash = _hash_of(capture.http_status, capture.header("location"), capture.payload)
        validators = capture.header("etag"), capture.header("last-modified")
        self._remember(row.url, "stored", _Known(*validators, text_hash, entry.capture_id if entry else capture_id))

    def _missing_result(self, url: str, answer: Response, known: _Known) -> FetchResult:
        """Returns the result for a missing page: removed, with the answer as evidence, if it was missing a day ago too."""
        now, since = utc_now(), from_iso(known.gone_since)
        if since is None or now - since < CONFIRM_AFTER:
            self._remember(url, "gone", known._replace(gone_since=known.gone_since or iso(now)))
            return FetchResult(state=FetchState.MISSING, reason=f"the site answers {answer.status}; not confirmed yet")
        self._remember(url, "removed", known._replace(removed_at=known.removed_at or iso(now)))
        if known.removed_at:
            return FetchResult(state=FetchState.MISSING, reason="removed")
        capture = capture_of(answer, source=self.name, url=url, moment=now)
        return FetchResult(state=FetchState.FETCHED, reason="removed: missing in two runs a day apart", capture=capture)

    def _remember(self, url: str, outcome: str, known: _Known) -> None:
        self._context.ledger.ask("keep_live_page", url=url, now=iso(utc_now()), outcome=outcome, **known._asdict())


def _other_node(url: str, answer: Response) -> int | None:
    """Returns the node number that the page names as its own, if it is not the URL's; otherwise None."""
    head = ", ".join(answer.headers.get_list("link")) + "\n" + answer.body[:MAX_HEAD].decode("utf-8", "replace")
    named = set()
    for inside, after in re.findall(_SITE["link"], head):
        href = re.search(_SITE["href"], inside) if re.search(_SITE["names_page"], inside) else None
        named.add(node_id(href[1] if href else inside if re.search(_SITE["names_page"], after) else None))
    return min(filter(None, named), default=None) if node_id(url) not in named else None


def _hash_of(status: int | None, location: str | None, body: bytes) -> str:
    """Returns the hash of a page without what the site changes in every answer."""
    return hashlib.sha256(f"{status} {location}\n".encode() + _VOLATILE.sub(b"", body)).hexdigest()
