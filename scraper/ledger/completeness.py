"""What there is and what is missing, by record number and source: the part of `tta status` that the ledger and archive know.

"Never archived" is, for one source, a record that is known from elsewhere and that it does not list. Over all of them it is a
number between known ones that nobody lists: nobody knows whether there was such a record (DESIGN.md, "Unknown is not empty").
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from parsers.urls import node_id
from scraper.archive.store import Archive
from scraper.config import SOURCES
from scraper.folders import Folders
from scraper.ledger.rows import STORED, State
from scraper.ledger.store import Ledger

_BLOCKED = frozenset({State.BLOCKED.value})
_STORED = frozenset(state.value for state in STORED)


@dataclass(slots=True)
class Numbers:
    """Record numbers. `known`: an archive lists them, or a file holds them; `captured`: at least one capture is stored;
    `blocked`: not captured, and an archive refuses them; `waiting`: not captured for other reasons, and asked for again.
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
class Listing:
    """The last listing of one scope of one source; times ISO 8601, UTC."""

    source: str
    scope: str
    outcome: str
    listed: int
    started_at: str
    last_complete_at: str | None


@dataclass(slots=True)
class Completeness:
    """By source, and over all of them."""

    sources: dict[str, Numbers] = field(default_factory=dict)
    listings: list[Listing] = field(default_factory=list)
    waits: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> Numbers:
        """A record that any source has captured is captured, whoever else is blocked."""
        parts = self.sources.values()
        known = set[int]().union(*(part.known for part in parts))
        captured = set[int]().union(*(part.captured for part in parts))
        blocked = set[int]().union(*(part.blocked for part in parts)) - captured
        return Numbers(known, captured, blocked)

    def never_archived(self, source: str | None = None) -> int:
        """How many known records the source does not list; without one, how many numbers of the known range nobody lists."""
        known = self.total.known
        if source is not None:
            return len(known - self.sources[source].known)
        return max(known) - min(known) + 1 - len(known) if known else 0

    def as_json(self) -> dict[str, object]:
        """Counts only; for `--json`."""
        by_source = self.sources.items()
        return {
            "sources": {name: part.counts() | {"never_archived": self.never_archived(name)} for name, part in by_source},
            "total": self.total.counts() | {"never_archived": self.never_archived()},
            "listings": [asdict(listing) for listing in self.listings],
            "waits": self.waits,
        }


def completeness(data: Path) -> Completeness:
    """Reads the ledger and the catalog in the data folder `data`; changes neither. Raises SqliteDamaged, ArchiveDamaged."""
    folders = Folders(data)
    found = Completeness()
    with Ledger(folders.ledger, writable=False) as ledger:
        for source, url, state in ledger.urls():
            _count(found, source, url, captured=state in _STORED, blocked=state in _BLOCKED)
        found.listings = last_listings(ledger)
        hosts = ledger.db.execute("SELECT name, not_before FROM hosts WHERE not_before > strftime('%Y-%m-%dT%H:%M:%SZ', 'now')")
        found.waits = dict(hosts.fetchall())
    with Archive(folders.archive) as archive:
        for source, url in archive.sources():
            _count(found, source, url, captured=True, blocked=False)
    found.sources = {name: found.sources[name] for name in sorted(found.sources, key=_order)}
    for part in found.sources.values():
        part.blocked -= part.captured
    return found


def last_listings(ledger: Ledger) -> list[Listing]:
    """The last listing of every source and scope."""
    query = (
        "SELECT source, scope, outcome, listed, started_at, (SELECT max(started_at) FROM listings AS whole WHERE"
        " whole.source = one.source AND whole.scope = one.scope AND whole.outcome = 'complete' AND whole.kind != 'window')"
        " FROM listings AS one WHERE id IN (SELECT max(id) FROM listings GROUP BY source, scope) ORDER BY source, scope"
    )
    return [Listing(*row) for row in ledger.db.execute(query)]


def _order(name: str) -> tuple[int, str]:
    return (SOURCES.index(name) if name in SOURCES else len(SOURCES), name)


def _count(found: Completeness, source: str, url: str, *, captured: bool, blocked: bool) -> None:
    number = node_id(url)
    if number is None:
        return
    part = found.sources.setdefault(source, Numbers())
    part.known.add(number)
    if captured:
        part.captured.add(number)
    if blocked:
        part.blocked.add(number)
