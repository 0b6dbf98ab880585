"""The Internet Archive's Wayback Machine, and archives that speak like it: raw (`id_`) replay of single captures.

What there is to play is listed by `cdx_listing`; what an answer means is decided in `memento`; here is what to ask for next.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from scraper import config
from scraper.errors import RequestFailed, UndecodableContent
from scraper.ledger.rows import Row, State, Verdict, to_time, to_timestamp
from scraper.sources import memento
from scraper.sources.base import Fetched, Listed, Room
from scraper.sources.cdx_listing import CdxListing
from scraper.terminal import escape, escape_url
from scraper.web.addresses import AllowList, host_of, url_key
from scraper.web.client import MIB, Answer, Manner, sendable
from scraper.web.pacing import BREAKER_LIMIT, BREAKER_PAUSE

MAX_HOPS = 5
STRANGE_AGAIN = timedelta(days=1)
"""A page of the archive's that says nothing known may be a breakdown, so it is asked for again soon."""
PAGE_WIRE, PAGE_DECODED = 16 * MIB, 16 * MIB


class Wayback:
    """One archive with a CDX server and `id_` replay."""

    name = "wayback"

    def __init__(self, settings: config.Wayback, retry: config.Retry, room: Room, *, loopback: bool) -> None:
        self._settings = settings
        self._retry = retry
        self._room = room
        allow = AllowList.of([settings.cdx_url, settings.replay_url], loopback=loopback)
        self._listing = CdxListing(self.name, settings, retry, room, allow)
        self._replay = Manner(
            allow=allow,
            interval=settings.replay_interval,
            max_wire=PAGE_WIRE,
            max_decoded=PAGE_DECODED,
            accept_encoding="identity",
            is_data=memento.is_memento,
        )
        self._strange = 0
        self._cut: dict[int, str | None] = {}

    def list_captures(self, window: tuple[str, str] | None) -> Listed:
        """Lists every configured host into the ledger."""
        return self._listing.list_captures(window)

    def fetch(self, row: Row, *, again: bool) -> Fetched | Verdict:
        """The capture, raw. A first time-out is left to the second pass: the archive often answers from its cache then."""
        manner = replace(self._replay, retry_timeouts=again)
        asked = memento.Offer(row.timestamp, row.url)
        seen = {asked}
        while True:
            answer = self._room.client.get(self._address(asked), manner)
            moment = memento.memento_time(answer.headers)
            if moment is not None:
                self._strange = 0
                return self._as_capture(answer, row, asked, moment)
            offer = memento.offered(answer, self._settings.replay_url)
            if offer is None:
                return self._no_memento(answer)
            if offer in seen or len(seen) > MAX_HOPS:
                return _substituted(row, offer, "the archive redirects in a loop")
            if (refusal := self._declined(offer, row)) is not None:
                return refusal
            seen.add(offer)
            asked = offer

    def _address(self, asked: memento.Offer) -> str:
        return f"{self._settings.replay_url}{asked.timestamp}id_/" + sendable(asked.url).replace("#", "%23")

    def _declined(self, offer: memento.Offer, row: Row) -> Verdict | None:
        """Why an offered capture is not fetched: another page's, another host's, or one that is listed or stored as itself."""
        if offer.timestamp == row.timestamp and url_key(offer.url) == url_key(row.url):
            return None
        moment = to_time(offer.timestamp)
        if moment is None or not self._listing.is_ours(offer.url) or url_key(offer.url) != url_key(row.url):
            return _substituted(row, offer, "of another page")
        if self._room.ledger.knows(url_key(offer.url), offer.timestamp) or self._room.archive.at(offer.url, moment):
            return _substituted(row, offer, "known already")
        return None

    def _as_capture(self, answer: Answer, row: Row, asked: memento.Offer, moment: datetime) -> Fetched | Verdict:
        url = memento.original_url(answer.headers, asked.url)
        if not self._listing.is_ours(url) or url_key(url) != url_key(asked.url):
            url = asked.url
        served = memento.Offer(to_timestamp(moment), url)
        wanted = to_time(row.timestamp)
        substitute = wanted is not None and wanted != moment
        if substitute and (refusal := self._declined(served, row)) is not None:
            return refusal
        unlisted = Row(url=row.url, timestamp=row.timestamp)
        try:
            capture = memento.to_capture(
                answer,
                unlisted if substitute else row,
                source=self.name,
                url=url,
                replay_url=self._settings.replay_url,
                moment=moment,
            )
        except UndecodableContent as error:
            raise RequestFailed(f"{escape_url(answer.url)}: the body can't be decoded: {escape(error)}") from None
        fixity = memento.fixity_of(answer, capture, unlisted if substitute else row)
        if memento.seems_cut(answer, capture, fixity):
            # Twice the same is what the archive has; anything else was lost on the way.
            if self._cut.get(row.id) != capture.sha256:
                self._cut[row.id] = capture.sha256
                raise RequestFailed(f"{escape_url(answer.url)}: the body seems to be cut")
            if memento.is_short(answer, capture):
                capture = replace(capture, truncated="unspecified")
        return Fetched(capture, fixity, substitute=substitute)

    def _no_memento(self, answer: Answer) -> Verdict:
        """The archive's own answer, not the site's."""
        status = answer.status
        if status in (404, 410):
            return Verdict(state=State.MISSING, reason=f"the archive answers {status}")
        if status in (401, 403, 451):
            return Verdict(state=State.BLOCKED, reason=f"the archive answers {status}")
        if 200 <= status < 300:
            return self._strange_page(answer)
        raise RequestFailed(f"{escape_url(answer.url)}: answered {status} and is no capture")

    def _strange_page(self, answer: Answer) -> Verdict:
        """A page with status 200 that is no capture: an exclusion, or a breakdown, which many in a row show."""
        if memento.says_excluded(answer):
            self._strange = 0
            return Verdict(state=State.BLOCKED, reason="the archive says that it is excluded or not there")
        self._strange += 1
        if self._strange >= BREAKER_LIMIT:
            self._room.client.pacer.hold(
                host_of(self._settings.replay_url),
                BREAKER_PAUSE * self._retry.backoff,
                f"it answered {self._strange} times in a row with a page that is no capture",
                end=True,
            )
        return Verdict(state=State.BLOCKED, reason="the archive answers with a page of its own", ask_again=STRANGE_AGAIN)


def _substituted(row: Row, offer: memento.Offer, why: str) -> Verdict:
    reason = f"asked for {row.timestamp}, offered {escape(offer.timestamp)}: {why}"
    return Verdict(state=State.SUBSTITUTED, reason=reason, served_timestamp=offer.timestamp, served_url=escape(offer.url, 2000))
