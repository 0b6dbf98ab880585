"""robots.txt of a live site (RFC 9309): what may be requested and how slowly.

Protego parses the rules. What each answer means is decided here, because Protego reads an error page, and a file with a byte
order mark, as "everything is allowed" (ARCHIVES.md, section 6).
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
"""Seconds; a longer delay is reported and reduced to this (ARCHIVES.md, section 6)."""
MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Rules:
    """What a site allows. `delay`: seconds between requests, None where it sets none."""

    text: str
    agent: str

    @property
    def delay(self) -> float | None:
        """Returns the longer of the crawl delay and the request rate's interval; invalid values are ignored."""
        rules = Protego.parse(self.text)
        rate = rules.request_rate(self.agent)
        delays = [rules.crawl_delay(self.agent), rate.seconds / rate.requests if rate and rate.requests else None]
        valid = [float(delay) for delay in delays if delay is not None and math.isfinite(delay) and delay >= 0]
        return max(valid, default=None)

    def allows(self, url: str) -> bool:
        """Returns whether this URL may be requested."""
        return bool(Protego.parse(self.text).can_fetch(url, self.agent))


def rules_of(answer: Answer, agent: str) -> Rules:
    """Returns the rules in an answer to a request for robots.txt. Raises RequestFailed where nothing may be requested now.

    A missing file allows everything; one that can't be fetched, or is not a robots.txt, forbids everything. Stricter than the
    RFC: 401 and 403 forbid everything too.
    """
    if answer.status in (401, 403):
        raise RequestFailed(f"robots.txt answered {answer.status}: the site refuses automated requests")
    if 400 <= answer.status < 500:
        return Rules("", agent)
    if not 200 <= answer.status < 300:
        raise RequestFailed(f"robots.txt answered {answer.status}: nothing is requested until it can be read")
    text = answer.body.decode("utf-8-sig", "replace")
    if "html" in answer.headers.get("content-type", "").lower() or text.lstrip().startswith("<"):
        raise RequestFailed("robots.txt is an HTML page: nothing is requested until it can be read")
    return Rules(text, agent)
