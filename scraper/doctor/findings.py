"""What a verification finds, one line each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from scraper.terminal import escape

MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind`: a name that scripts may rely on; its first word is the part of the data folder. `text`: an escaped line.

    `count`: of what the line counts. `repair`: what a repair does, None if it can do nothing. `harmless`: nothing is wrong, or
    the next run corrects it. `subject`: the file it is about, if there is one. `examples`: a few of the captures or places.
    """

    kind: str
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
    """All findings, and how much was read.

    After a repair `findings` are those that are left. `repaired`: the findings that were acted on; `problems`: why others could
    not be; `lost`: captures that no file has any more.
    """

    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    records: int = 0
    bytes: int = 0
    repaired: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lost: int = 0

    @property
    def wrong(self) -> list[Finding]:
        """The findings that are not harmless."""
        return [finding for finding in self.findings if not finding.harmless]

    @property
    def is_whole(self) -> bool:
        """Whether all is well now, and nothing had to be given up."""
        return not (self.wrong or self.problems or self.lost)


def counted(number: int, noun: str) -> str:
    """`1 capture`, `2,000 captures`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def examples(texts: Iterable[object]) -> tuple[str, ...]:
    """The first few, escaped."""
    return tuple(escape(text, 160) for text in islice(texts, MOST_EXAMPLES))
