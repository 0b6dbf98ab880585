"""One refresh under the data folder's lock: fetch, load, check, commit.

Captures are fetched first and kept whatever happens later; the database changes in one transaction at the very end, after the
checks (docs/decisions/refresh.md).
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from scraper.archive.warc import utc_now
from scraper.capture import iso
from scraper.config import Config
from scraper.database import runs
from scraper.database.checks import UNKNOWN_LABELS, Looked, check_all
from scraper.database.load import Loaded, LoadOptions, Progress, load
from scraper.database.recent_checks import RECENT, VALUES
from scraper.database.runs import Outcome, Run
from scraper.errors import ExitStatus, NothingEnabled, RefreshRefused, Stopped, TtaError, UnknownSource
from scraper.fetch.display import Display
from scraper.fetch.run import Options as FetchOptions
from scraper.fetch.run import chosen, fetch_locked
from scraper.folders import Folders
from scraper.lock import Holder, locked
from scraper.refresh.healthcheck import FAILURE, START, SUCCESS, Healthcheck
from scraper.refresh.log import Log
from scraper.refresh.report import Report
from scraper.refresh.sources import SOURCE_CHECKS, source_checks
from scraper.stopping import Stop
from scraper.terminal import escape

COMMAND = "tta refresh"
_WITHOUT_ERROR = (Outcome.COMMITTED, Outcome.UNANSWERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command line. `deadline`: seconds for the whole run, None for the configured ones."""

    sources: tuple[str, ...] = ()
    accept: bool = False
    workers: int | None = None
    deadline: float | None = None
    now: bool = False
    log_file: Path | None = None


def refresh(folders: Folders, settings: Config, options: Options, display: Display, progress: Progress | None = None) -> Report:
    """Fetches, loads, checks and commits. Raises TtaError if the run could not start, Locked if another run holds the lock."""
    try:
        chosen(settings, options.sources)
    except UnknownSource:
        raise
    except TtaError:
        if not folders.archive.is_dir():
            raise
    with suppress(OSError):  # `locked` reports the cause
        folders.data.mkdir(parents=True, exist_ok=True)  # the log may be in it
    log = Log(options.log_file)
    healthcheck = Healthcheck(settings, log)
    stop = Stop()
    with stop.on_signals(), locked(folders.data, COMMAND) as dead:
        display.on_line = lambda text: log.warning("fetch.told", text=text)
        run = _Refresh(folders, settings, options, display, progress, stop, log)
        log.info("run.start", sources=list(options.sources), accept=options.accept)
        healthcheck.ping(START)
        try:
            run.remember(dead)
            run.go()
        except BaseException:
            run.run.outcome = None  # `_before_commit` may have set another one, before a commit that failed
            raise
        finally:
            run.end()
            # One night without an answer is normal, `silent_days` of them are not.
            is_well = run.run.outcome in _WITHOUT_ERROR and not run.report.silent
            healthcheck.ping(SUCCESS if is_well else FAILURE)
    return run.report


@dataclass(slots=True)
class _Refresh:
    """One run, which holds the lock. `seconds`: how long it may take."""

    folders: Folders
    settings: Config
    options: Options
    display: Display
    progress: Progress | None
    stop: Stop
    log: Log
    run: Run = field(default_factory=lambda: Run(started_at=iso(utc_now()) or "", phase="fetch"))
    report: Report = field(init=False)
    seconds: float = field(init=False)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.report = Report(self.run)
        self.seconds = self.options.deadline or self.settings.refresh.deadline

    @property
    def _left(self) -> float:
        return max(self.began + self.seconds - time.monotonic(), 0.0)

    def remember(self, dead: Holder | None) -> None:
        """Records the earlier refresh that was killed, which left its lock behind."""
        if dead and dead.command == COMMAND:
            self.log.warning("run.died", died=dead.pid, since=dead.since)
            try:
                runs.record_death(self.folders.database, dead.since)
            except sqlite3.Error as error:
                self.log.warning("run.not_recorded", reason=str(error))

    def go(self) -> None:
        """Does everything and stores in `run` how it ended. Other exceptions than those handled here are bugs."""
        try:
            self._fetch()
            self.run.phase = "load"
            options = LoadOptions(
                workers=self.options.workers, progress=self.progress, before_commit=self._before_commit, stop=self.stop
            )
            with self.stop.until(self._left):
                load(self.folders, options)
        except Stopped:
            reason = "its time was up" if self.stop.late and not self.stop.asked else "asked to end"
            self._close(Outcome.STOPPED, ExitStatus.PARTLY_DONE, f"{reason}; what was fetched is kept, the next run continues")
        except RefreshRefused as error:
            self._close(Outcome.REFUSED, error.status, str(error))
        except TtaError as error:
            self._close(Outcome.FAILED, error.status, escape(error, 1000))
        except (OSError, sqlite3.Error) as error:
            where = getattr(error, "filename", None) or self.folders.data
            self._close(Outcome.FAILED, ExitStatus.ERROR, f"{escape(where)}: {escape(getattr(error, 'strerror', error))}")

    def _close(self, outcome: Outcome, status: ExitStatus, message: str) -> None:
        self.run.outcome, self.run.status, self.run.message = outcome, int(status), message

    def _fetch(self) -> None:
        reserve = min(self.settings.refresh.reserve, self.seconds / 2)
        wanted = FetchOptions(sources=self.options.sources, now=self.options.now)
        try:
            names = chosen(self.settings, self.options.sources)
            with self.stop.until(max(self._left - reserve, 0.0)):
                self.report.fetched = fetch_locked(
                    self.folders.data, self.settings, wanted, self.display, stop=self.stop, names=names
                )
        except NothingEnabled:
            self.report.notes.append("nothing: no source is enabled")
            return
        except TtaError as error:
            self.report.unfetched = True
            self._problem(f"nothing was fetched: {escape(error, 1000)}")
            return
        fetched = self.report.fetched
        self.report.notes += fetched.notes
        self.run.fetched = sum(one.new_captures for one in fetched.sources)
        for one in fetched.sources:
            names = ("listed", "new", "skipped", "fetched", "unchanged", "failed", "waiting")
            counts = {name: getattr(one, name) for name in names}
            self.log.info("fetch.source", source=one.source, outcome=one.outcome, **counts)
        if self.stop.asked:
            raise Stopped
        problems = fetched.problems
        if self.stop.late:
            problems = ["the time for fetching was up; the next run continues from here"]
        for line in (*problems, *(f"{one.source}: {line}" for one in fetched.sources for line in one.problems)):
            self._problem(line)
        self.report.notes += [f"{one.source}: {line}" for one in fetched.sources for line in one.notes]

    def _problem(self, line: str) -> None:
        self.report.problems.append(escape(line, 1000))
        self.log.warning("problem", text=line)

    def end(self) -> None:
        """Writes the result to the log, and if the load's transaction did not contain it, to the table of runs."""
        run, report = self.run, self.report
        report.seconds = time.monotonic() - self.began
        if run.outcome is None:
            self._close(Outcome.FAILED, ExitStatus.ERROR, "a bug in this program; please report it")
        if run.outcome not in _WITHOUT_ERROR:
            run.ended_at = iso(utc_now())
            run.problems = json.dumps(report.remarks) if report.remarks else None
            report.number = None
            try:
                report.number = runs.record(self.folders.database, run, report.checks)
            except sqlite3.Error as error:
                self.log.warning("run.not_recorded", reason=str(error))
        level = self.log.info if run.outcome in _WITHOUT_ERROR else self.log.error
        names = ("status", "phase", "accepted", "fetched", "loaded", "captures", "records")
        counts = {name: getattr(run, name) for name in names}
        level(f"run.{run.outcome}", message=run.message, seconds=round(report.seconds, 1), **counts)

    def _before_commit(self, db: sqlite3.Connection, loaded: Loaded) -> None:
        """Runs the checks and adds the run's own row, last in the load's transaction. Raises RefreshRefused."""
        self.run.phase = "checks"
        self.report.loaded = loaded
        for damage in loaded.unreadable:
            self._problem(damage)
        with runs.state_before(self.folders.database) as before:
            last = runs.last_good(db)
            if last and loaded.unchanged:
                checks = [one for one in runs.repeated_checks(db, last[0]) if one.name not in SOURCE_CHECKS]
            else:
                figures, accepted = last[1] if last else {}, runs.accepted_figures(db)
                checks = list(check_all(Looked(db, before, figures, self.settings.checks, self.folders.archive, accepted)))
            self.report.checks = checks + list(source_checks(self.report.fetched, self.folders, self.settings))
            counts = "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM records), (SELECT count(*) FROM changes)"
            captures, _, changes = db.execute(counts).fetchone()
            self.run.loaded, self.run.records, self.run.captures = loaded.captures, loaded.records, captures
            _, self.run.records_before, changes_before = before.execute(counts).fetchone() if before else (None, None, 0)
            self.report.changes = changes - changes_before
        for check in (*self.report.failed, *self.report.warned):
            is_label = check.name == UNKNOWN_LABELS or (check.name == VALUES and (check.subject or "").startswith(RECENT))
            subject = None if is_label else check.subject  # labels are words from pages
            self.log.warning("check", name=check.name, subject=subject, figure=check.figure, threshold=check.threshold)
        if self.report.failed and not self.options.accept:
            names = sorted({check.name for check in self.report.failed})
            raise RefreshRefused(f"the new data look wrong ({', '.join(names)}); the database is as it was")
        self.stop.check()
        self.run.accepted = bool(self.report.failed)
        message = "the database has the new data" if loaded.captures or loaded.built else "nothing new"
        if self.run.accepted:
            message += ", accepted although checks failed"
        outcome = Outcome.COMMITTED
        if self.report.unanswered:
            if not loaded.captures and not loaded.built:
                outcome, message = Outcome.UNANSWERED, "no source answered, so it is unknown whether there are new captures"
            else:
                message += "; no source answered"
        self._close(outcome, ExitStatus.PARTLY_DONE if self.report.problems else ExitStatus.DONE, message)
        self.run.phase = "done"
        self.run.ended_at = iso(utc_now())
        self.run.problems = json.dumps(self.report.remarks) if self.report.remarks else None
        self.report.number = runs.add(db, self.run, self.report.checks)
