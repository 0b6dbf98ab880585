"""What a refresh came to, for a person who has ten seconds, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from scraper.database.checks import Check, Severity
from scraper.database.runs import Outcome, Run
from scraper.errors import ExitStatus
from scraper.fetch.report import Report as Fetched
from scraper.terminal import escape

if TYPE_CHECKING:
    from scraper.database.load import Loaded

ADVICE = (
    "the next run finds the same captures in the archive and is refused again, until the parser is mended"
    " or `tta refresh --accept` takes the new state on purpose"
)
SILENT = "days since a source answered"
_MOST_CHECKS = 20


@dataclass(slots=True)
class Report:
    """A whole run. `problems`: what could not be done, a line each; `changes`: how many more the database has now."""

    run: Run
    number: int | None = None
    fetched: Fetched | None = None
    loaded: Loaded | None = None
    checks: list[Check] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: int | None = None
    seconds: float = 0.0

    @property
    def status(self) -> ExitStatus:
        return ExitStatus(self.run.status or 0)

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if not check.passed and check.severity == Severity.FAIL]

    @property
    def warned(self) -> list[Check]:
        return [check for check in self.checks if not check.passed and check.severity == Severity.WARN]

    @property
    def silent(self) -> list[str]:
        """Sources that have not answered for too long."""
        return [str(check.subject) for check in self.warned if check.name == SILENT]

    def as_json(self) -> dict[str, object]:
        """For `--json`: all that the lines say, and the checks that failed or warned in full."""
        return {
            "run_id": self.number,
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
        """What somebody has to look at, a line each."""
        yield from self.problems
        if self.run.outcome != Outcome.COMMITTED:
            yield f"{self.run.outcome}: {self.run.message}"
        for check in [*self.failed, *self.warned][:_MOST_CHECKS]:
            yield said(check)
        if (more := len(self.failed) + len(self.warned) - _MOST_CHECKS) > 0:
            yield f"{more} more checks failed or warned: see --json, or the table run_checks"
        if self.run.outcome == Outcome.REFUSED:
            yield ADVICE

    def lines(self) -> Iterator[str]:
        """The summary, to be read in a log as well: which run it was comes first, and how it ended last."""
        yield f"run      {self.run.started_at}" + (f", number {self.number}" if self.number is not None else "")
        yield from self._fetched()
        if self.loaded:
            yield f"loaded   {self.loaded.captures} captures, {self.loaded.built} records written"
        if self.run.records is not None:
            before = "none" if self.run.records_before is None else self.run.records_before
            yield f"records  {before} before, {self.run.records} now; {self.changes or 0} new changes"
        if self.checks:
            good = sum(check.passed for check in self.checks)
            yield f"checks   {good} passed, {len(self.failed)} failed, {len(self.warned)} warned"
        yield f"took     {duration(self.seconds)}"
        yield self._ended()

    def _ended(self) -> str:
        """What is wrong is on standard error, and in a log of standard output alone the last line leads to it."""
        if self.run.outcome != Outcome.COMMITTED:
            why = "" if self.number is None else "; `tta status` says why"
            return f"{self.run.outcome}, status {int(self.status)}: the database is as it was{why}"
        partly = "; a part could not be done, the next run tries again" if self.status == ExitStatus.PARTLY_DONE else ""
        return f"{self.run.outcome}: {self.run.message}{partly}"

    def _fetched(self) -> Iterator[str]:
        for source in self.fetched.sources if self.fetched else []:
            yield (
                f"fetched  {source.source}: {source.fetched + source.unchanged + source.substituted} new captures,"
                f" {source.listed} listed, {source.waiting} waiting; {source.outcome}"
            )
        yield from (f"fetched  {note}" for note in self.notes)


def said(check: Check) -> str:
    """A check in a line."""
    subject = f" ({check.subject})" if check.subject else ""
    against = "" if check.threshold is None else f", {_bound(check)} {_number(check.threshold)}"
    verb = "failed" if check.severity == Severity.FAIL else "look at"
    return f"{verb}: {check.name}{escape(subject)}: {_number(check.figure)}{against}" + (
        f": {check.message}" if check.message else ""
    )


def _bound(check: Check) -> str:
    """Which way a check that did not pass is bounded."""
    return (
        "at least" if check.figure is not None and check.threshold is not None and check.figure < check.threshold else "at most"
    )


def _number(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.0f}" if (value == int(value) and value != 1) or value > 1 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Such as `3 min 12 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "under a second"
