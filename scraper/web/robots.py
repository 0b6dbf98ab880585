"""robots.txt of a live site, by RFC 9309: what may be asked for and how slowly.

Protego reads the rules; fetching them, and what each answer means, is decided here, since it parses an error page as "all is
allowed" and so does a byte order mark (ARCHIVES.md, section 6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from protego import Protego

from scraper.errors import RequestFailed
from scraper.web.client import Answer

MAX_SIZE = 512 * 1024
"""Bytes; RFC 9309 asks for 500 KiB at least."""
MAX_DELAY = 300.0
"""Seconds; more is reported and cut to this (ARCHIVES.md, section 6)."""
MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Rules:
    """What a site allows. `delay`: seconds between requests, None where it says nothing."""

    text: str
    agent: str

    @property
    def delay(self) -> float | None:
        """The crawl delay, or what a request rate comes to, whichever is longer; junk is none."""
        rules = Protego.parse(self.text)
        rate = rules.request_rate(self.agent)
        delays = [rules.crawl_delay(self.agent), rate.seconds / rate.requests if rate and rate.requests else None]
        sound = [float(delay) for delay in delays if delay is not None and math.isfinite(delay) and delay >= 0]
        return max(sound, default=None)

    def allows(self, url: str) -> bool:
        """Whether this address may be asked for."""
        return bool(Protego.parse(self.text).can_fetch(url, self.agent))


def rules_of(answer: Answer, agent: str) -> Rules:
    """The rules in an answer to a request for robots.txt. Raises RequestFailed where nothing may be asked for now.

    A file that is not there allows everything; one that can't be had, or is no such file, forbids everything. Stricter than the
    RFC: 401 and 403 say that we are not welcome.
    """
    if answer.status in (401, 403):
        raise RequestFailed(f"robots.txt answered {answer.status}: the site does not want to be asked")
    if 400 <= answer.status < 500:
        return Rules("", agent)
    if not 200 <= answer.status < 300:
        raise RequestFailed(f"robots.txt answered {answer.status}: nothing is asked for until it can be read")
    text = answer.body.decode("utf-8-sig", "replace")
    if "html" in answer.headers.get("content-type", "").lower() or text.lstrip().startswith("<"):
        raise RequestFailed("robots.txt is a page, not a robots.txt: nothing is asked for until it can be read")
    return Rules(text, agent)
