"""One run of `tta fetch`: lock, list, fetch, store, and say what came of it.

The sources know the archives, `storing` the order in which things become durable; here is who comes when, what an error
means for the rest of the run, and how it ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scraper.archive.store import Archive
from scraper.config import Config
from scraper.errors import NotAllowed, RequestFailed, SourcePaused, Stopped, TooLarge, TtaError
from scraper.fetch.display import Display
from scraper.fetch.registry import chosen, make_source
from scraper.fetch.report import FAILED, PAUSED, Report, SourceReport
from scraper.fetch.storing import Storing
from scraper.folders import Folders
from scraper.ledger.rows import Row, State, Verdict
from scraper.ledger.store import Ledger
from scraper.lock import locked
from scraper.sources.base import Room, Source, Visitor
from scraper.stopping import Stop
from scraper.terminal import escape, escape_url
from scraper.web.client import Client
from scraper.web.pacing import Pacer

TOO_LARGE_AGAIN = timedelta(days=30)
MOST_FAILURES = 20
"""Captures in a row that fail, for whatever reason, before the source is given up for the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says. `window`: timestamps, inclusive; `limit`: captures to ask for; `now`: ask whatever waits."""

    sources: tuple[str, ...] = ()
    dry_run: bool = False
    limit: int | None = None
    window: tuple[str, str] | None = None
    now: bool = False


def fetch(data: Path, settings: Config, options: Options, display: Display, command: str = "tta fetch") -> Report:
    """Fetches under the data folder's lock. Raises TtaError where nothing could be done, Locked where another run is on."""
    names = chosen(settings, options.sources)
    stop = Stop()
    with stop.on_signals(), locked(data, command):
        return fetch_locked(data, settings, options, display, stop=stop, names=names)


def fetch_locked(
    data: Path, settings: Config, options: Options, display: Display, *, stop: Stop, names: tuple[str, ...] | None = None
) -> Report:
    """As `fetch`, for a caller that holds the lock and listens to signals itself."""
    names = chosen(settings, options.sources) if names is None else names
    report = Report(dry_run=options.dry_run)
    folders = Folders(data)
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger(folders.ledger))
        archive = stack.enter_context(Archive(folders.archive, writable=True))
        for line in (*ledger.notes, *archive.recovered):
            display.line(line)
        pacer = Pacer(ledger, stop, override=options.now, on_wait=display.waiting)
        http = settings.http
        client = stack.enter_context(Client(settings.retry, pacer, stop, contact=http.contact, loopback=http.allow_loopback))
        room = Room(client, ledger, archive, display.listing)
        run = _Run(room, archive, options, display, stop, report)
        report.sources = [SourceReport(name) for name in names]
        _run_all(run, [make_source(name, settings, room) for name in names], report)
        run.tell_failures()
        for one in report.sources:
            one.close(ledger.states(one.source))
        ledger.end_run(run.number, report.status, report.as_json())
    return report


def _run_all(run: _Run, sources: list[Source], report: Report) -> None:
    """Every source, then a second pass over what failed: an archive that timed out often answers from its cache later
    (EDGI-proc PR #174).
    """
    parts = list(zip(sources, report.sources, strict=True))
    try:
        for source, part in parts:
            run.guarded(part, lambda source=source, part=part: run.list_and_fetch(source, part))  # type: ignore[misc]
        for source, part in parts:
            if part.outcome not in (PAUSED, FAILED) and not run.options.dry_run:
                run.guarded(part, lambda source=source, part=part: run.second_pass(source, part))  # type: ignore[misc]
    except Stopped:
        report.stopped = True
        report.problems.append("stopped before the end; the next run goes on from here")
    except (OSError, sqlite3.OperationalError) as error:
        report.problems.append(f"the data folder can't be written to: {escape(error)}")


@dataclass(slots=True)
class _Run:
    """What one run carries along. `number` is the run's in the ledger."""

    room: Room
    archive: Archive
    options: Options
    display: Display
    stop: Stop
    report: Report
    number: int = 0
    asked: int = 0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.number = self.room.ledger.begin_run()

    def guarded(self, part: SourceReport, work: Callable[[], None]) -> None:
        """Does a source's work; whatever ends it ends this source only."""
        try:
            work()
        except SourcePaused as error:
            part.fault(str(error), PAUSED)
        except TtaError as error:
            part.fault(escape(error), FAILED)

    def list_and_fetch(self, source: Source, part: SourceReport) -> None:
        part.add_listing(source.list_captures(self.options.window))
        total = self._due_count(source)
        if self.options.dry_run:
            part.to_fetch = total
            return
        storing = Storing(self.archive, self.room.ledger, source.name)
        failures = 0
        for done, row in enumerate(self._due(source), start=1):
            self.stop.check()
            verdict = storing.without_asking(row) if row.id else None
            if verdict is None:
                if self.options.limit is not None and self.asked >= self.options.limit:
                    part.notes.append(f"stopped after {self.options.limit} captures, as --limit asks")
                    return
                self.asked += 1
                verdict = self._ask(source, storing, row, again=False)
            self._settle(row, verdict, part)
            self.display.fetching(source.name, done, total)
            failures = failures + 1 if verdict.state is State.FAILED else 0
            if failures >= MOST_FAILURES:
                part.fault(f"given up after {failures} captures in a row failed, the last because {verdict.reason}", FAILED)
                return

    def _settle(self, row: Row, verdict: Verdict, part: SourceReport) -> None:
        """What was visited without a listing is no row of the ledger's; a failure of it is told at once."""
        if row.id:
            part.count(self.room.ledger.settle(row, verdict, self.number))
            return
        part.count(verdict.state)
        if verdict.state is State.FAILED:
            self.display.failure(f"{part.source}: {escape_url(row.url)}: {verdict.reason}")

    def second_pass(self, source: Source, part: SourceReport) -> None:
        storing = Storing(self.archive, self.room.ledger, source.name)
        soon = self.began + TOO_LARGE_AGAIN / 2
        for row in self.room.ledger.due(source.name, now=soon, failed_in=self.number):
            self.stop.check()
            verdict = storing.without_asking(row) or self._ask(source, storing, row, again=True)
            part.count(self.room.ledger.settle(row, verdict, self.number, again=True), before=State.FAILED)

    def tell_failures(self) -> None:
        """A line for each capture that could not be fetched."""
        for part in self.report.sources:
            for row, reason in self.room.ledger.failed_in(part.source, self.number):
                self.display.failure(f"{part.source}: {row.timestamp} {escape_url(row.url)}: {reason}")

    def _due(self, source: Source) -> Iterator[Row]:
        if isinstance(source, Visitor):
            return source.rows()
        return self.room.ledger.due(source.name, now=self._time, window=self._window)

    def _due_count(self, source: Source) -> int:
        if isinstance(source, Visitor):
            return sum(1 for _ in source.rows())
        return self.room.ledger.due_count(source.name, now=self._time, window=self._window)

    @property
    def _time(self) -> datetime | None:
        return None if self.options.now else self.began

    @property
    def _window(self) -> tuple[str, str]:
        """Timestamps, inclusive: 2024 as an end means all of 2024."""
        low, high = self.options.window or ("", "")
        return low, high.ljust(14, "9")

    def _ask(self, source: Source, storing: Storing, row: Row, *, again: bool) -> Verdict:
        """Asks for one capture and stores what comes. SourcePaused and Stopped are left to the callers."""
        try:
            outcome = source.fetch(row, again=again)
        except RequestFailed as error:
            return Verdict(state=State.FAILED, reason=escape(error))
        except (TooLarge, NotAllowed) as error:
            return Verdict(state=State.FAILED, reason=escape(error), ask_again=TOO_LARGE_AGAIN)
        if isinstance(outcome, Verdict):
            return outcome
        verdict = storing.add(outcome, row)
        if isinstance(source, Visitor):
            source.stored(row, outcome, verdict.capture_id)
        return verdict
