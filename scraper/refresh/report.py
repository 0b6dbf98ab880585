"""The report of a refresh: a few lines to read, and JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from scraper.database.checks import Check, Severity, describe_failures, format_check
from scraper.database.load import Loaded
from scraper.database.runs import ADVICE, Outcome
from scraper.database.tables import RunRow
from scraper.errors import ExitStatus
from scraper.fetch.run import FetchReport

_MAX_CHECKS = 20  # warnings to print; the table run_checks has all of them


@dataclass(slots=True)
class RefreshReport:
    """A whole run. `problems`: what could not be done, one line each; `changes`: by how much the counts in the database grew.

    `unfetched`: because of an error no source was queried.
    """

    run: RunRow
    fetched: FetchReport | None = None
    loaded: Loaded | None = None
    checks: list[Check] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: int | None = None
    unfetched: bool = False
    seconds: float = 0.0

    @property
    def status(self) -> ExitStatus:
        return ExitStatus(self.run.status or 0)

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if check.severity == Severity.FAIL and not check.passed]

    @property
    def warned(self) -> list[Check]:
        return [check for check in self.checks if check.severity == Severity.WARN and not check.passed]

    @property
    def unanswered(self) -> bool:
        """Whether sources were to be queried and none of them answered."""
        return self.unfetched or (self.fetched is not None and self.fetched.unanswered)

    @property
    def remarks(self) -> list[str]:
        """The lines stored in the table `runs`: the problems, and the unusable rows of listings."""
        skipped = [one for one in (self.fetched.sources if self.fetched else ()) if one.skipped]
        return [*self.problems, *(f"{one.source}: rows of the listing that can't be used: {one.skipped}" for one in skipped)]

    def as_json(self) -> dict[str, object]:
        """Returns the report for `--json`, with the checks that failed or warned in full."""
        return {
            **asdict(self.run),
            "problems": self.problems,
            "notes": self.notes,
            "seconds": round(self.seconds, 1),
            "changes": self.changes,
            "built": self.loaded.built if self.loaded else None,
            "checks": len(self.checks),
            "failed": [check._asdict() for check in self.failed],
            "warned": [check._asdict() for check in self.warned],
            "fetch": self.fetched.as_json() if self.fetched else None,
        }

    def trouble(self) -> Iterator[str]:
        """Yields what needs attention, one line each, and two for the failed checks."""
        yield from self.problems
        if self.run.outcome != Outcome.COMMITTED:
            yield f"{self.run.outcome}: {self.run.message}"
        yield from describe_failures(self.failed)
        if self.run.outcome in (Outcome.FAILED, Outcome.STOPPED):
            return
        yield from map(format_check, self.warned[:_MAX_CHECKS])
        if (more := len(self.warned) - _MAX_CHECKS) > 0:
            yield f"{more} more checks warned: see --json, or the table run_checks"
        if self.run.outcome == Outcome.REFUSED:
            yield ADVICE

    def lines(self) -> Iterator[str]:
        """Yields the summary, also for a log: first the run, last how it ended."""
        yield f"run      {self.run.started_at}" + (f", number {self.run.run_id}" if self.run.run_id else "")
        for one in self.fetched.sources if self.fetched else []:
            unusable = f"{one.skipped} unusable, " if one.skipped else ""
            counts = f"{one.new_captures} new captures, {one.listed} listed, {unusable}{one.waiting} waiting"
            yield f"fetched  {one.source}: {counts}; {one.outcome}"
        yield from (f"fetched  {note}" for note in self.notes)
        if self.loaded:
            yield f"loaded   {self.loaded.captures} captures, {self.loaded.built} records written"
        if self.run.records is not None:
            before = "none" if self.run.records_before is None else self.run.records_before
            yield f"records  {before} before, {self.run.records} now; {self.changes or 0} new changes"
        if self.checks:
            good = sum(check.passed for check in self.checks)
            yield f"checks   {good} passed, {len(self.failed)} failed, {len(self.warned)} warned"
        yield f"took     {timedelta(seconds=round(self.seconds))}"
        # Problems are on standard error, so the last line states where else to find them.
        if self.run.outcome == Outcome.COMMITTED:
            partly = "; something could not be done, the next run tries again" if self.status == ExitStatus.PARTLY_DONE else ""
            yield f"{self.run.outcome}: {self.run.message}{partly}"
            return
        message = f"{self.run.message}; " if self.run.outcome == Outcome.UNANSWERED else ""
        why = "" if message or not self.run.run_id else "; `tta status` shows why"
        yield f"{self.run.outcome}, status {int(self.status)}: {message}the database is as it was{why}"
