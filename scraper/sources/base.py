"""What every source is to the driver (`scraper.fetch`), and what passes between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from scraper.capture import Capture
from scraper.ledger.rows import Fixity, Row, Verdict
from scraper.ledger.store import Ledger
from scraper.web.client import Client


@dataclass(frozen=True, slots=True)
class Fetched:
    """A capture as the archive served it, not stored yet, with what the ledger should know of it.

    `substitute`: it is not the one that was asked for, which stays to be asked for again.
    """

    capture: Capture
    fixity: Fixity = Fixity.NOT_COMPARABLE
    note: str = ""
    substitute: bool = False


@dataclass(slots=True)
class Listed:
    """What a source's listings of one run came to. `problems` are one printable line each; any of them means "done in part"."""

    listed: int = 0
    new: int = 0
    vanished: int = 0
    skipped: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class StoredCapture(Protocol):
    """A row of the archive's catalog."""

    @property
    def capture_id(self) -> str: ...


class Stored(Protocol):
    """What a source may ask of the archive: what is there already. Storing is the driver's business."""

    def at(self, url: str, moment: datetime) -> StoredCapture | None: ...

    def same_body(self, url: str, sha256: str) -> StoredCapture | None: ...

    def capture(self, capture_id: str) -> Capture | None: ...

    def urls(self) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class Room:
    """What a source works with. `progress` is told of every page of a listing: what is being listed, rows so far."""

    client: Client
    ledger: Ledger
    archive: Stored
    progress: Callable[[str, int], None]


class Source(Protocol):
    """One archive. Methods raise what `scraper.errors` names; SourcePaused ends the source for the run."""

    name: str

    def list_captures(self, window: tuple[str, str] | None) -> Listed:
        """Lists into the ledger; `window`: only timestamps within, inclusive, which leaves the watermark alone."""
        ...

    def fetch(self, row: Row, *, again: bool) -> Fetched | Verdict:
        """One listed capture, or why there is none. `again`: it failed before in this run."""
        ...


@runtime_checkable
class Visitor(Source, Protocol):
    """A source without a listing, which visits what is known from elsewhere; its rows are not in the ledger."""

    def rows(self) -> Iterator[Row]:
        """What to ask for in this run."""
        ...

    def stored(self, row: Row, fetched: Fetched, capture_id: str | None) -> None:
        """Told once what came is durable."""
        ...
