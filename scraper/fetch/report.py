"""The result of a run of `tta fetch`, per source: the summary table, and the JSON that scripts read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from scraper.errors import ExitStatus
from scraper.ledger.rows import STORED, State
from scraper.sources.base import ListingResult

DONE, PARTLY, PAUSED, FAILED = "done", "partly", "paused", "failed"
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
COLUMNS = ("listed", "new", "skipped", *(name for name in dict.fromkeys(_COUNTED.values()) if name != "duplicate"), "waiting")


@dataclass(slots=True)
class SourceReport:
    """Counts of one source. `listed`, `new` and `skipped` are of this run's listings; `waiting` is everything that is listed and
    not stored. `asked`: whether the source was asked anything; `answered`: whether it gave a usable answer.
    """

    source: str
    outcome: str = DONE
    asked: bool = False
    answered: bool = False
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

    @property
    def new_captures(self) -> int:
        return self.fetched + self.unchanged + self.substituted

    def add_listing(self, result: ListingResult) -> None:
        """Adds what the listings returned; a problem with one makes the source's work partial."""
        self.listed, self.new = result.listed, result.new
        self.vanished, self.skipped = result.vanished, result.skipped
        self.asked |= result.asked > 0
        self.answered |= result.answered > 0 or result.listed > 0
        self.notes += result.notes
        if result.skipped:
            self.notes.append(
                f"rows of the listing that can't be used (without a time or a URL, or of another host): {result.skipped}"
            )
        for problem in result.problems:
            self.add_problem(problem, PARTLY)

    def add_problem(self, problem: str, outcome: str) -> None:
        """Adds a problem. The first outcome other than "done" stays, except that a pause or a failure replaces "partly"."""
        self.problems.append(problem)
        if self.outcome in (DONE, PARTLY):
            self.outcome = outcome

    def count(self, state: State, before: State | None = None) -> None:
        """Counts the result for a capture; `before`: what it was counted as earlier in this run."""
        for one, step in ((before, -1), (state, 1)):
            if one is not None:
                name = _COUNTED[one]
                setattr(self, name, getattr(self, name) + step)

    def close(self, states: dict[State, int]) -> None:
        """Sets the counts that are known at the end of the run. `states`: the ledger's."""
        self.waiting = sum(count for state, count in states.items() if state not in STORED)
        if self.failed:
            self.add_problem(f"{self.failed} captures could not be fetched and will be asked for again", PARTLY)


@dataclass(slots=True)
class Report:
    """The result of a whole run."""

    dry_run: bool = False
    stopped: bool = False
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sources: list[SourceReport] = field(default_factory=list)

    @property
    def status(self) -> ExitStatus:
        """Status 0 if everything was done, otherwise 4. Captures that an archive lists and can't play are normal (DESIGN.md)."""
        done = not self.stopped and not self.problems and all(source.outcome == DONE for source in self.sources)
        return ExitStatus.DONE if done else ExitStatus.PARTLY_DONE

    @property
    def unanswered(self) -> bool:
        """Whether sources were asked and none of them answered."""
        return any(source.asked for source in self.sources) and not any(source.answered for source in self.sources)

    def as_json(self) -> dict[str, object]:
        """Returns everything, for `--json` and the ledger."""
        return {
            "status": int(self.status),
            "dry_run": self.dry_run,
            "stopped": self.stopped,
            "problems": self.problems,
            "notes": self.notes,
            "sources": {source.source: asdict(source) for source in self.sources},
        }

    def lines(self) -> Iterable[str]:
        """Yields problems and notes, one line each, after the source's name."""
        yield from (*self.problems, *self.notes)
        for source in self.sources:
            yield from (f"{source.source}: {text}" for text in (*source.problems, *source.notes))

    def table(self) -> Iterator[str]:
        """Yields the summary: a header, then a line per source."""
        columns = (*COLUMNS, "to fetch") if self.dry_run else COLUMNS
        rows = [("source", *columns, "outcome")]
        for one in self.sources:
            rows.append((one.source, *(str(getattr(one, name.replace(" ", "_"))) for name in columns), one.outcome))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for first, *counts, last in rows:
            cells = [first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(counts, widths[1:-1], strict=True)), last]
            yield "  ".join(cells)
