"""Counts by source which record numbers are known, captured, blocked or missing: a part of `tta status`.

"Never archived" is, for one source, a record known from elsewhere that the source does not list. Over all sources it is a number
between known ones that no source lists; it is unknown whether there was such a record (DESIGN.md, "Unknown is not empty").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from scraper.config import SOURCES
from scraper.ledger.listings import LastListing, last_listings
from scraper.ledger.rows import STORED, State
from scraper.ledger.store import Ledger


@dataclass(slots=True)
class Numbers:
    """Record numbers. `known`: an archive lists them or a file contains them; `captured`: at least one capture is stored;
    `blocked`: not captured, because an archive refuses them; `waiting`: not captured for other reasons, and asked for again.
    """

    known: set[int] = field(default_factory=set)
    captured: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)

    @property
    def waiting(self) -> set[int]:
        return self.known - self.captured - self.blocked

    def counts(self) -> dict[str, int]:
        names = ("known", "captured", "blocked", "waiting")
        return {name: len(getattr(self, name)) for name in names}


@dataclass(slots=True)
class Completeness:
    """By source, and over all of them."""

    sources: dict[str, Numbers] = field(default_factory=dict)
    listings: list[LastListing] = field(default_factory=list)
    waits: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Numbers:
        """The numbers over all sources: a record captured from any of them is captured."""
        parts = self.sources.values()
        known = set[int]().union(*(part.known for part in parts))
        captured = set[int]().union(*(part.captured for part in parts))
        blocked = set[int]().union(*(part.blocked for part in parts)) - captured
        return Numbers(known, captured, blocked)

    def never_archived(self, source: str | None = None) -> int:
        """Returns how many known records the source does not list; without one, how many numbers between known ones."""
        known = self.total.known
        if source is not None:
            return len(known - self.sources[source].known)
        return max(known) - min(known) + 1 - len(known) if known else 0

    def as_json(self) -> dict[str, object]:
        """Returns the counts, for `--json`."""
        by_source = self.sources.items()
        return {
            "sources": {name: part.counts() | {"never_archived": self.never_archived(name)} for name, part in by_source},
            "total": self.total.counts() | {"never_archived": self.never_archived()},
            "listings": [asdict(listing) for listing in self.listings],
            "waits": self.waits,
        }


def completeness(ledger: Ledger, archived: Mapping[str, set[int]]) -> Completeness:
    """Returns what the ledger lists and the archive has. `archived`: by source the node numbers of stored captures."""
    found = Completeness(listings=last_listings(ledger))
    for source in {*ledger.sources(), *archived}:
        captured = archived.get(source, set()) | ledger.nodes(source, STORED)
        known = ledger.nodes(source) | captured
        if known:
            found.sources[source] = Numbers(known, captured, ledger.nodes(source, [State.BLOCKED]) - captured)
    hosts = ledger.db.execute("SELECT name, not_before FROM hosts WHERE not_before > strftime('%Y-%m-%dT%H:%M:%SZ', 'now')")
    found.waits = dict(hosts.fetchall())
    order = {name: place for place, name in enumerate(SOURCES)}
    names = sorted(found.sources, key=lambda name: (order.get(name.partition(":")[0], len(order)), name))
    found.sources = {name: found.sources[name] for name in names}
    return found
