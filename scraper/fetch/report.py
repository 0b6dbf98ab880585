"""The result of a run of `tta fetch`, per source: the summary table, and the JSON that scripts read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from scraper.errors import ExitStatus
from scraper.ledger.rows import State
from scraper.sources.base import ListingResult

DONE, PARTLY, PAUSED, FAILED = "done", "partly", "paused", "failed"
COLUMNS = ("listed", "new", "skipped", "fetched", "unchanged", "substituted", "blocked", "missing", "failed", "waiting")


@dataclass(slots=True)
class SourceReport(ListingResult):
    """Counts of one source; those of its listings are of this run. `waiting`: everything that is listed and not stored."""

    source: str = ""
    outcome: str = DONE
    fetched: int = 0
    unchanged: int = 0
    duplicate: int = 0
    substituted: int = 0
    blocked: int = 0
    missing: int = 0
    failed: int = 0
    waiting: int = 0
    to_fetch: int = 0

    @property
    def new_captures(self) -> int:
        return self.fetched + self.unchanged + self.substituted

    def add_problem(self, problem: str, outcome: str) -> None:
        """Adds a problem. The first outcome other than "done" stays, except that a pause or a failure replaces "partly"."""
        self.problems.append(problem)
        if self.outcome in (DONE, PARTLY):
            self.outcome = outcome

    def count(self, state: State, step: int = 1) -> None:
        """Counts the result for a capture; `step` is -1 where it was counted earlier in this run and is another now."""
        name = State.FAILED if state is State.PARKED else state
        setattr(self, name, getattr(self, name) + step)


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
