"""What is shown of a run of `tta fetch`, and its result per source: the summary table, and the JSON that scripts read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field

from scraper.errors import ExitStatus
from scraper.ledger.store import State
from scraper.progress import ProgressBar
from scraper.sources.base import ListingResult

MAX_FAILURES = 20
"""Lines about single captures; the ledger has them all."""
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
        named = {source.source: asdict(source) for source in self.sources}
        return {**asdict(self), "status": int(self.status), "sources": named}

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


class Display(ProgressBar):
    """A progress bar with lines above it, which a log can be given too. Use it in a `with`."""

    def __init__(self) -> None:
        super().__init__()
        self.on_line: Callable[[str], None] = lambda _text: None
        """Is called with every line, also those that are not shown; for a log."""
        self._failures = 0

    def line(self, text: str) -> None:
        """Prints and logs one line."""
        self.on_line(text)
        super().line(text)

    def failure(self, text: str) -> None:
        """Prints and logs a line about one capture; only the first MAX_FAILURES are printed."""
        self._failures += 1
        self.on_line(text)
        if self._failures <= MAX_FAILURES:
            super().line(text)
        elif self._failures == MAX_FAILURES + 1:
            super().line("further failures of single captures are not shown")

    def waiting(self, host: str, seconds: float) -> None:
        """A host asked to wait."""
        if seconds >= 1:
            self.line(f"{host} asked to wait {seconds:.0f} s")

    def listing(self, what: str, rows: int) -> None:
        """Rows of a listing so far."""
        self.update(f"listing {what}", rows, None)

    def parsing(self, done: int, total: int) -> None:
        """Captures parsed so far, of how many."""
        self.update("parsing captures", done, total)
