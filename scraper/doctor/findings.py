"""What an examination finds, one line each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum

from scraper.terminal import escape

MOST_EXAMPLES = 5


class Kind(StrEnum):
    """What is wrong; scripts may rely on the names."""

    RECORDS_DAMAGED = "records-damaged"
    RECORD_UNFINISHED = "record-unfinished"
    FILE_SHORT = "file-short"
    FILE_GONE = "file-gone"
    FILE_FOREIGN = "file-foreign"
    PACKED_TOGETHER = "packed-together"
    CAPTURES_LOST = "captures-lost"
    LOST_EARLIER = "captures-lost-earlier"
    CATALOG_DAMAGED = "catalog-damaged"
    CATALOG_DIFFERS = "catalog-differs"
    CATALOG_BEHIND = "catalog-behind"
    LEDGER_DAMAGED = "ledger-damaged"
    LEDGER_OLD = "ledger-old"
    LEDGER_LOST = "ledger-lost"
    LEDGER_MISSES = "ledger-misses"
    LEDGER_PAGES = "ledger-pages"
    RUNS_UNFINISHED = "runs-unfinished"
    DATABASE_DAMAGED = "database-damaged"
    DATABASE_OLD = "database-old"
    DATABASE_SCHEMA = "database-schema"
    DATABASE_FOREIGN = "database-foreign"
    DATABASE_LINKS = "database-links"
    DATABASE_SEARCH = "database-search"
    DATABASE_LOST = "database-lost"
    DATABASE_PLACES = "database-places"
    DATABASE_ROWS = "database-rows"
    DATABASE_CONTENT = "database-content"
    NOT_LOADED = "not-loaded"
    LEFT_BEHIND = "left-behind"
    COPY_KEPT = "copy-kept"


@dataclass(frozen=True, slots=True)
class Finding:
    """`text`: a printable line; `count`: of what it counts; `mend`: what a repair does about it, None: nothing can be done here.

    `harmless`: nothing is wrong, or the next run puts it right. `subject`: the file it is about, where there is one.
    `examples`: a few of the captures or places.
    """

    kind: Kind
    text: str
    count: int = 1
    mend: str | None = None
    harmless: bool = False
    subject: str | None = None
    examples: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The finding, what would be done about it, and examples."""
        mend = "" if self.mend is None else f"; repair: {self.mend}"
        return [f"{'note: ' if self.harmless else ''}{self.text}{mend}", *(f"  {example}" for example in self.examples)]


@dataclass(slots=True)
class Examined:
    """All that was found, and how much was looked at."""

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    records: int = 0
    bytes: int = 0

    @property
    def wrong(self) -> list[Finding]:
        """What is not harmless."""
        return [finding for finding in self.findings if not finding.harmless]

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "sound": not self.wrong,
            "files": self.files,
            "records": self.records,
            "bytes": self.bytes,
            "findings": [asdict(finding) for finding in self.findings],
        }


def counted(number: int, noun: str, several: str | None = None) -> str:
    """`1 capture`, `2,000 captures`."""
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


def agreed(number: int, one: str = "is", several: str = "are") -> str:
    """The verb for so many."""
    return one if number == 1 else several


def examples(texts: list[str]) -> tuple[str, ...]:
    """A few of them, printable."""
    return tuple(escape(text, 160) for text in texts[:MOST_EXAMPLES])
