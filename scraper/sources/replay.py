"""Fetches single captures from an archive's raw (`id_`) replay: the Wayback Machine's, and pywb's.

`memento` interprets one answer; this module decides what to ask for next.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from scraper.errors import RequestFailed, UndecodableContent
from scraper.ledger.rows import FetchResult, Row, State, to_time, to_timestamp
from scraper.sources import memento
from scraper.sources.base import Fetched, SourceContext
from scraper.terminal import escape, escape_url
from scraper.web.addresses import AllowList, host_of, is_of_hosts, same_page, url_key
from scraper.web.client import MAX_PAGE, Answer, RequestPolicy, sendable
from scraper.web.pacing import BREAKER_LIMIT, BREAKER_PAUSE

MAX_HOPS = 5
UNKNOWN_PAGE_AGAIN = timedelta(days=1)
"""A page of the archive's own without a known meaning may be an outage, so the capture is asked for again soon."""


class Replay:
    """The replay of one archive."""

    def __init__(self, source: str, replay_url: str, interval: float, context: SourceContext, allow: AllowList) -> None:
        self._source = source
        self._replay_url = replay_url
        self._context = context
        self._policy = RequestPolicy(
            allow=allow, interval=interval, limit=MAX_PAGE, accept_encoding="identity", is_data=memento.is_memento
        )
        self._unknown_pages = 0
        self._cut: dict[int, str | None] = {}

    def fetch(self, row: Row, *, again: bool) -> Fetched | FetchResult:
        """Returns the capture, or why there is none. A first time-out is left to the second pass: the archive often answers from
        its cache then. Raises RequestFailed, also where the answer is of another page.
        """
        policy = replace(self._policy, retry_timeouts=again)
        asked = memento.Redirect(row.timestamp, row.url)
        seen = {asked}
        while True:
            url = f"{self._replay_url}{asked.timestamp}id_/" + sendable(asked.url).replace("#", "%23")
            answer = self._context.client.get(url, policy)
            target = memento.redirect_of(answer, self._replay_url)
            if memento.is_memento(answer.headers) or (target is None and memento.has_digest_of(answer, row)):
                self._unknown_pages = 0
                return self._as_capture(answer, row, asked)
            if target is None:
                return self._without_capture(answer)
            if target in seen or len(seen) > MAX_HOPS:
                return _substituted(row, target, "the archive redirects in a loop")
            if (refusal := self._declined(target, row)) is not None:
                return refusal
            seen.add(target)
            asked = target

    def _declined(self, target: memento.Redirect, row: Row) -> FetchResult | None:
        """Returns why an offered capture is not fetched: it is of another page or host, or is listed or stored itself."""
        if target.timestamp == row.timestamp and same_page(target.url, row.url):
            return None
        moment = to_time(target.timestamp)
        if moment is None or not is_of_hosts(target.url, self._context.hosts) or not same_page(target.url, row.url):
            return _substituted(row, target, "of another page")
        if self._context.ledger.knows(url_key(target.url), target.timestamp) or self._context.archive.at(target.url, moment):
            return _substituted(row, target, "known already")
        return None

    def _as_capture(self, answer: Answer, row: Row, asked: memento.Redirect) -> Fetched | FetchResult:
        if other := memento.other_page(answer, asked.url, self._replay_url):
            raise RequestFailed(f"{escape_url(answer.url)}: the archive answered with another page, {escape_url(other)}")
        moment = memento.capture_time(answer, asked.timestamp, self._replay_url)
        if moment is None:
            raise RequestFailed(f"{escape_url(answer.url)}: the archive states no possible capture time")
        url = memento.original_url(answer.headers, asked.url)
        if not is_of_hosts(url, self._context.hosts) or url_key(url) != url_key(asked.url):
            url = asked.url
        wanted = to_time(row.timestamp)
        substitute = wanted is not None and wanted != moment
        if substitute and (refusal := self._declined(memento.Redirect(to_timestamp(moment), url), row)) is not None:
            return refusal
        listed = Row(url=row.url, timestamp=row.timestamp) if substitute else row  # its digest says nothing about a substitute
        try:
            capture = memento.to_capture(answer, listed, source=self._source, url=url, replay_url=self._replay_url, moment=moment)
        except UndecodableContent as error:
            raise RequestFailed(f"{escape_url(answer.url)}: the body can't be decoded: {escape(error)}") from None
        differs = memento.differs_from_index(answer, capture, listed)
        if differs and (not answer.framed or memento.is_short(answer, capture)):
            # The same body twice is what the archive has; otherwise the rest was lost on the way.
            if self._cut.get(row.id) != capture.sha256:
                self._cut[row.id] = capture.sha256
                raise RequestFailed(f"{escape_url(answer.url)}: the body seems to be cut")
            if memento.is_short(answer, capture):
                capture = replace(capture, truncated="unspecified")
        return Fetched(capture, "the body does not have the listed digest" if differs else "", substitute=substitute)

    def _without_capture(self, answer: Answer) -> FetchResult:
        """Returns what an answer of the archive's own means."""
        status = answer.status
        if status in (401, 403, 404, 410, 451):
            state = State.MISSING if status in (404, 410) else State.BLOCKED
            return FetchResult(state=state, reason=f"the archive answers {status}")
        if not 200 <= status < 300:
            raise RequestFailed(f"{escape_url(answer.url)}: answered {status} without a capture")
        if memento.says_excluded(answer):
            self._unknown_pages = 0
            return FetchResult(state=State.BLOCKED, reason="the archive says that it is excluded or not archived")
        self._unknown_pages += 1
        if self._unknown_pages >= BREAKER_LIMIT:
            self._context.client.pacer.hold(
                host_of(self._replay_url),
                BREAKER_PAUSE * self._context.settings.retry.backoff,
                f"it answered {self._unknown_pages} times in a row with a page that is not a capture",
                end=True,
            )
        return FetchResult(state=State.BLOCKED, reason="the archive answers with a page of its own", ask_again=UNKNOWN_PAGE_AGAIN)


def _substituted(row: Row, target: memento.Redirect, why: str) -> FetchResult:
    reason = f"asked for {row.timestamp}, offered {escape(target.timestamp)}: {why}"
    return FetchResult(state=State.SUBSTITUTED, reason=reason)
