"""What a run of `tta fetch` came to, per source: the summary table and the JSON that scripts read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from scraper.errors import ExitStatus
from scraper.ledger.rows import STORED, State
from scraper.sources.base import Listed

DONE, PARTLY, PAUSED, FAILED = "done", "partly", "paused", "failed"
COLUMNS = ("listed", "new", "fetched", "unchanged", "substituted", "blocked", "missing", "failed", "waiting")
_COUNTED = {
    State.FETCHED: "fetched",
    State.UNCHANGED: "unchanged",
    State.DUPLICATE: "duplicate",
    State.SUBSTITUTED: "substituted",
    State.BLOCKED: "blocked",
    State.MISSING: "missing",
    State.FAILED: "failed",
    State.PARKED: "failed",
}


@dataclass(slots=True)
class SourceReport:
    """Counts of one source. `listed` and `new` are of this run's listings, `waiting` is all that is listed and not stored."""

    source: str
    outcome: str = DONE
    listed: int = 0
    new: int = 0
    vanished: int = 0
    skipped: int = 0
    fetched: int = 0
    unchanged: int = 0
    duplicate: int = 0
    substituted: int = 0
    blocked: int = 0
    missing: int = 0
    failed: int = 0
    waiting: int = 0
    to_fetch: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add_listing(self, listed: Listed) -> None:
        """Takes over what the listings came to; a problem with one makes the source's work partial."""
        self.listed, self.new = listed.listed, listed.new
        self.vanished, self.skipped = listed.vanished, listed.skipped
        self.notes += listed.notes
        for problem in listed.problems:
            self.fault(problem, PARTLY)

    def fault(self, problem: str, outcome: str) -> None:
        """Notes a problem. The first outcome that is not "done" stays, except that a pause or a failure replaces "partly"."""
        self.problems.append(problem)
        if self.outcome in (DONE, PARTLY):
            self.outcome = outcome

    def count(self, state: State, before: State | None = None) -> None:
        """Counts what became of a capture; `before`: what it was counted as earlier in this run."""
        for one, step in ((before, -1), (state, 1)):
            if one is not None:
                name = _COUNTED[one]
                setattr(self, name, getattr(self, name) + step)

    def close(self, states: dict[State, int]) -> None:
        """Takes the ledger's counts at the end of the run."""
        self.waiting = sum(count for state, count in states.items() if state not in STORED)
        if self.failed:
            self.fault(f"{self.failed} captures could not be fetched and will be asked for again", PARTLY)


@dataclass(slots=True)
class Report:
    """A whole run."""

    dry_run: bool = False
    stopped: bool = False
    problems: list[str] = field(default_factory=list)
    sources: list[SourceReport] = field(default_factory=list)

    @property
    def status(self) -> ExitStatus:
        """0 where all was done, 4 otherwise; what is listed and can't be played is normal (DESIGN.md, "Fetching")."""
        well = not self.stopped and not self.problems and all(source.outcome == DONE for source in self.sources)
        return ExitStatus.DONE if well else ExitStatus.PARTLY_DONE

    def as_json(self) -> dict[str, object]:
        """For `--json` and the ledger."""
        return {
            "status": int(self.status),
            "dry_run": self.dry_run,
            "stopped": self.stopped,
            "problems": self.problems,
            "sources": {source.source: asdict(source) for source in self.sources},
        }

    def lines(self) -> Iterable[str]:
        """What was wrong and what is worth knowing, one line each, with the source's name before it."""
        yield from self.problems
        for source in self.sources:
            yield from (f"{source.source}: {text}" for text in (*source.problems, *source.notes))

    def table(self) -> Iterator[str]:
        """The summary: a header, then a line per source."""
        columns = (*COLUMNS, "to fetch") if self.dry_run else COLUMNS
        rows = [("source", *columns, "outcome")]
        for one in self.sources:
            rows.append((one.source, *(str(getattr(one, name.replace(" ", "_"))) for name in columns), one.outcome))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for first, *counts, last in rows:
            cells = [first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(counts, widths[1:-1], strict=True)), last]
            yield "  ".join(cells)
