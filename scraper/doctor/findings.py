"""What a verification finds, one line each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import islice

from scraper.terminal import escape

MOST_EXAMPLES = 5


class Kind(StrEnum):
    """What is wrong; scripts may rely on the names. The first word is the part of the data folder."""

    RECORDS_DAMAGED = "records-damaged"
    FILE_SHORT = "file-short"
    FILE_GONE = "file-gone"
    FILE_FOREIGN = "file-foreign"
    PACKED_TOGETHER = "packed-together"
    CAPTURES_LOST = "captures-lost"
    CATALOG_DAMAGED = "catalog-damaged"
    CATALOG_VERSION = "catalog-version"
    CATALOG_DIFFERS = "catalog-differs"
    LEDGER_DAMAGED = "ledger-damaged"
    LEDGER_VERSION = "ledger-version"
    LEDGER_LOST = "ledger-lost"
    DATABASE_DAMAGED = "database-damaged"
    DATABASE_VERSION = "database-version"
    DATABASE_LINKS = "database-links"
    DATABASE_SEARCH = "database-search"
    DATABASE_LOST = "database-lost"
    DATABASE_ROWS = "database-rows"
    DATABASE_CONTENT = "database-content"
    PARSED_DAMAGED = "parsed-damaged"
    NOT_LOADED = "not-loaded"


@dataclass(frozen=True, slots=True)
class Finding:
    """`text`: an escaped line. `count`: of what the line counts. `repair`: what a repair does, None if it can do nothing.

    `harmless`: nothing is wrong, or the next run puts it right. `subject`: the file it is about, if there is one. `examples`: a
    few of the captures or places.
    """

    kind: Kind
    text: str
    count: int = 1
    repair: str | None = None
    harmless: bool = False
    subject: str | None = None
    examples: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The finding, what would be done about it, and examples."""
        repair = "" if self.repair is None else f"; repair: {self.repair}"
        return [f"{'note: ' if self.harmless else ''}{self.text}{repair}", *(f"  {example}" for example in self.examples)]


@dataclass(slots=True)
class Report:
    """All findings, and how much was read."""

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    records: int = 0
    bytes: int = 0

    @property
    def wrong(self) -> list[Finding]:
        """The findings that are not harmless."""
        return [finding for finding in self.findings if not finding.harmless]

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {"intact": not self.wrong} | asdict(self)


def counted(number: int, noun: str, several: str | None = None) -> str:
    """`1 capture`, `2,000 captures`."""
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


def examples(texts: Iterable[object]) -> tuple[str, ...]:
    """The first few, escaped."""
    return tuple(escape(text, 160) for text in islice(texts, MOST_EXAMPLES))
