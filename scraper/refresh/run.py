"""One refresh under the data folder's lock: fetch, load, check, commit; its log, and its calls to a healthcheck service.

Captures are fetched first and kept whatever happens later; the database changes in one transaction at the very end, after the
checks (docs/decisions/refresh.md). The log and the service get only counts, sources, hosts, and URLs of records by number, no
titles, names or texts of pages.
"""

import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial, partialmethod
from pathlib import Path
from urllib.parse import urlsplit

from parsers.urls import node_id
from scraper.capture import from_iso, iso, utc_now
from scraper.config import Config
from scraper.database import runs
from scraper.database.checks import RECENT, UNKNOWN_LABELS, VALUES, Check, CheckInput, Severity, check_all
from scraper.database.load import Loaded, LoadOptions, load
from scraper.database.runs import Outcome
from scraper.database.tables import RunRow
from scraper.errors import ConnectionFailed, ExitStatus, NotAllowed, NothingEnabled, RefreshRefused, Stopped, TtaError, WrongUsage
from scraper.fetch.run import Display, FetchOptions, choose_sources, fetch_locked
from scraper.folders import Folders, locked
from scraper.ledger.store import SHRUNK, Ledger, last_listings
from scraper.refresh.report import RefreshReport
from scraper.sources.base import SourceReport
from scraper.stopping import Stop
from scraper.terminal import escape
from scraper.web.addresses import AllowList
from scraper.web.client import request

COMMAND = "tta refresh"
SHRANK = "a listing that shrank"
SILENT = "days since a source answered"
_WITHOUT_ERROR = (Outcome.COMMITTED, Outcome.UNANSWERED)  # outcomes that are not reported as errors
START, SUCCESS, FAILURE = "/start", "", "/fail"
_PING_SECONDS = 10.0  # for a health check's answer
_APPEND, _MODE = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")  # a URL in a message


class Log:
    """Appends events to a file, if a path is given. It is opened again for each line, so logrotate may move it at any time."""

    def __init__(self, path: Path | None) -> None:
        """Raises TtaError if the file can't be written to."""
        self._path = path
        if path is not None:
            try:
                os.close(os.open(path, _APPEND, _MODE))
            except OSError as error:
                raise TtaError(f"{path} can't be written to ({error.strerror}): name another file with --log-file") from None

    def _write(self, level: str, event: str, **fields: object) -> None:
        if self._path is not None:
            clean = {name: _to_json(value) for name, value in fields.items() if value is not None}
            line = {"time": iso(utc_now()), "level": level, "event": event, "pid": os.getpid(), **clean}
            # A full disk must not end the run here; it is reported when data are written.
            with suppress(OSError), os.fdopen(os.open(self._path, _APPEND, _MODE), "wb", buffering=0) as file:
                file.write((json.dumps(line) + "\n").encode())

    info = partialmethod(_write, "info")
    warning = partialmethod(_write, "warning")
    error = partialmethod(_write, "error")


def _to_json(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list):
        return [_to_json(one) for one in value]
    return escape(_ADDRESS.sub(_loggable, str(value)), 1000)


def _loggable(found: re.Match[str]) -> str:
    """Returns a URL as it may be logged: with a record's number, otherwise only the host, because aliases contain words."""
    try:
        host = escape(urlsplit(found[0]).hostname or "")
    except ValueError:
        return "an address"
    number = node_id(found[0])
    return f"https://{host}/{'...' if number is None else f'node/{number}'}"


def healthcheck(settings: Config, log: Log) -> Callable[[str], None]:
    """Returns a function that notifies the configured service (healthchecks.io) that a run started, succeeded or failed.

    The service reports missing calls, which a run can't. The URLs are the check's own, with `/start` or `/fail` at the end. Each
    is called once, for at most ten seconds; a failure is a line in the log. Raises WrongUsage if the URL may not be requested.
    """
    url, loopback = settings.refresh.healthcheck_url, settings.http.allow_loopback
    if not url:
        return lambda _which: None
    try:
        AllowList.of([url], loopback=loopback).check(url)
    except NotAllowed as error:
        why = str(error).rpartition(": ")[2]
        raise WrongUsage(f"refresh.healthcheck_url can't be used: {why}") from None

    def ping(which: str) -> None:
        about = {"host": urlsplit(url).hostname, "call": which or "success"}  # the path would let anybody report success
        target, head = url.rstrip("/") + which, [("User-Agent", "tta")]
        try:
            with request(target, head, seconds=_PING_SECONDS, loopback=loopback, method="HEAD") as answer:
                level = log.info if 200 <= answer.status < 300 else log.warning
                level("healthcheck.called", **about, status=answer.status)
        except (ConnectionFailed, TtaError) as error:
            log.warning("healthcheck.failed", **about, reason=type(error).__name__)

    return ping


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshOptions:
    """The options of the command line. `deadline`: seconds for the whole run, None for the configured ones."""

    sources: tuple[str, ...] = ()
    accept: bool = False
    workers: int | None = None
    deadline: float | None = None
    now: bool = False
    log_file: Path | None = None


def refresh(folders: Folders, settings: Config, options: RefreshOptions, display: Display) -> RefreshReport:
    """Fetches, loads, checks and commits. Raises TtaError if the run could not start, also if another run holds the lock."""
    try:
        choose_sources(settings, options.sources)
    except TtaError:
        if not folders.archive.is_dir():
            raise
    with suppress(OSError):  # `locked` reports the cause
        folders.data.mkdir(parents=True, exist_ok=True)  # the log may be in this folder
    log = Log(options.log_file)
    ping = healthcheck(settings, log)
    stop = Stop()
    with stop.on_signals(), locked(folders.data, COMMAND) as dead:
        display.on_line = lambda text: log.warning("fetch.told", text=text)
        row = RunRow(run_id=0, started_at=iso(utc_now()) or "", phase="fetch", accepted=False)
        run = _Refresh(folders, settings, options, display, stop, log, row, RefreshReport(row))
        log.info("run.start", sources=list(options.sources), accept=options.accept)
        ping(START)
        try:
            if dead and dead.command == COMMAND:  # an earlier refresh was killed, and left its lock behind
                log.warning("run.died", died=dead.pid, since=dead.since)
                run.write_run(runs.record_death, dead.since)
            run.go()
        except BaseException:
            row.outcome = None  # `_before_commit` may have set another one, before a commit that failed
            raise
        finally:
            run.end()
            # One night without an answer is normal, `silent_days` of them are not.
            is_silent = any(check.name == SILENT for check in run.report.warned)
            ping(SUCCESS if row.outcome in _WITHOUT_ERROR and not is_silent else FAILURE)
    return run.report


@dataclass(slots=True)
class _Refresh:
    """One run; the caller holds the lock."""

    folders: Folders
    settings: Config
    options: RefreshOptions
    display: Display
    stop: Stop
    log: Log
    run: RunRow
    report: RefreshReport
    began: float = field(default_factory=time.monotonic)

    def write_run(self, record: Callable[..., None], *values: object) -> None:
        """Calls a function that writes to the table `runs`; an SQLite error is logged, not raised."""
        try:
            record(self.folders.database, *values)
        except sqlite3.Error as error:
            self.log.warning("run.not_recorded", reason=str(error))

    def go(self) -> None:
        """Runs all steps and stores in `run` how it ended. Exceptions not handled here are bugs."""
        try:
            self._fetch()
            self.run.phase = "load"
            shown = partial(self.display.update, "parsing captures")
            wanted = LoadOptions(workers=self.options.workers, progress=shown, before_commit=self._before_commit, stop=self.stop)
            with self.stop.until(self._seconds_left()):
                load(self.folders, wanted)
        except Stopped:
            reason = "its time was up" if self.stop.late and not self.stop.asked else "asked to end"
            self._close(Outcome.STOPPED, ExitStatus.PARTLY_DONE, f"{reason}; what was fetched is kept, the next run continues")
        except TtaError as error:
            outcome = Outcome.REFUSED if isinstance(error, RefreshRefused) else Outcome.FAILED
            self._close(outcome, error.status, escape(error, 1000))
        except (OSError, sqlite3.Error) as error:
            where = getattr(error, "filename", None) or self.folders.data
            self._close(Outcome.FAILED, ExitStatus.ERROR, f"{escape(where)}: {escape(getattr(error, 'strerror', error))}")

    def _seconds_left(self, reserve: float = 0.0) -> float:
        """Returns the seconds left of the run's time, minus a reserve of at most half of it."""
        seconds = self.options.deadline or self.settings.refresh.deadline
        return max(self.began + seconds - min(reserve, seconds / 2) - time.monotonic(), 0.0)

    def _close(self, outcome: Outcome, status: ExitStatus, message: str) -> None:
        self.run.outcome, self.run.status, self.run.message = outcome, int(status), message
        self.run.ended_at = iso(utc_now())
        self.run.problems = json.dumps(self.report.remarks) if self.report.remarks else None

    def _fetch(self) -> None:
        """Fetches, and adds results to the report, an error as a problem: what came is loaded all the same. Raises Stopped."""
        folders, report, wanted = self.folders, self.report, FetchOptions(sources=self.options.sources, now=self.options.now)
        try:
            names = choose_sources(self.settings, self.options.sources)
            with self.stop.until(self._seconds_left(self.settings.refresh.reserve)):
                report.fetched = fetched = fetch_locked(folders.data, self.settings, wanted, self.display, self.stop, names)
        except NothingEnabled:
            report.notes.append("nothing: no source is enabled")
            return
        except TtaError as error:
            report.unfetched = True
            self._add_problem(f"nothing was fetched: {escape(error, 1000)}")
            return
        report.notes += fetched.notes
        self.run.fetched = sum(one.new_captures for one in fetched.sources)
        for one in fetched.sources:
            counted = ("source", "outcome", "listed", "new", "skipped", "fetched", "unchanged", "failed", "waiting")
            self.log.info("fetch.source", **{name: getattr(one, name) for name in counted})
        if self.stop.asked:
            raise Stopped
        late = ["the time for fetching was up; the next run continues from here"]
        of_sources = (f"{one.source}: {line}" for one in fetched.sources for line in one.problems)
        for line in (*(late if self.stop.late else fetched.problems), *of_sources):
            self._add_problem(line)
        report.notes += [f"{one.source}: {line}" for one in fetched.sources for line in one.notes]

    def _add_problem(self, line: str) -> None:
        self.report.problems.append(escape(line, 1000))
        self.log.warning("problem", text=line)

    def end(self) -> None:
        """Writes the result to the log, and if the load's transaction did not contain it, to the table of runs."""
        run, report = self.run, self.report
        report.seconds = time.monotonic() - self.began
        if run.outcome is None:
            self._close(Outcome.FAILED, ExitStatus.ERROR, "a bug in this program; please report it")
        is_well = run.outcome in _WITHOUT_ERROR
        if not is_well:
            run.run_id = 0
            self.write_run(runs.record, run, report.checks)
        logged = ("message", "status", "phase", "accepted", "fetched", "loaded", "captures", "records")
        level = self.log.info if is_well else self.log.error
        level(f"run.{run.outcome}", **{name: getattr(run, name) for name in logged}, seconds=round(report.seconds, 1))

    def _before_commit(self, db: sqlite3.Connection, loaded: Loaded) -> None:
        """Runs the checks and adds the run's own row, last in the load's transaction. Raises RefreshRefused."""
        run, report = self.run, self.report
        run.phase = "checks"
        report.loaded = loaded
        for damage in loaded.unreadable:
            self._add_problem(damage)
        with runs.state_before(self.folders.database) as before:
            last = runs.last_good(db)
            if last and loaded.unchanged:
                report.checks = [one for one in runs.repeated_checks(db, last[0]) if one.name not in (SHRANK, SILENT)]
            else:
                figures, accepted = last[1] if last else {}, runs.accepted_figures(db)
                inputs = CheckInput(db, before, figures, self.settings.checks, self.folders.archive, accepted)
                report.checks = list(check_all(inputs))
            counts = "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM records), (SELECT count(*) FROM changes)"
            run.captures, _, changes = db.execute(counts).fetchone()
            run.loaded, run.records = loaded.captures, loaded.records
            _, run.records_before, changes_before = before.execute(counts).fetchone() if before else (None, None, 0)
            report.changes = changes - changes_before
        if report.fetched:
            report.checks += source_checks(report.fetched.sources, self.folders, self.settings.checks.silent_days)
        for check in (*report.failed, *report.warned):
            is_label = check.name == UNKNOWN_LABELS or (check.name == VALUES and (check.subject or "").startswith(RECENT))
            subject = None if is_label else check.subject  # labels are words from pages
            self.log.warning("check", name=check.name, subject=subject, figure=check.figure, threshold=check.threshold)
        if report.failed and not self.options.accept:
            names = sorted({check.name for check in report.failed})
            raise RefreshRefused(f"the new data look wrong ({', '.join(names)}); the database is as it was")
        self.stop.check()
        run.accepted = bool(report.failed)
        outcome, is_new = Outcome.COMMITTED, bool(loaded.captures or loaded.built)
        message = "the database has the new data" if is_new else "nothing new"
        if run.accepted:
            message += ", accepted although checks failed"
        if report.unanswered and is_new:
            message += "; no source answered"
        elif report.unanswered:
            outcome, message = Outcome.UNANSWERED, "no source answered, so it is unknown whether there are new captures"
        run.phase = "done"
        self._close(outcome, ExitStatus.PARTLY_DONE if report.problems else ExitStatus.DONE, message)
        runs.add(db, run, report.checks)


def source_checks(sources: list[SourceReport], folders: Folders, most: float) -> Iterator[Check]:
    """Yields two checks for every queried source, which only warn: its listing lost rows, or it was silent for `most` days."""
    with Ledger(folders.ledger, writable=False) as ledger:
        listings = last_listings(ledger)
        for one in sources:
            shrunk = ", ".join(x["scope"] for x in listings if x["source"] == one.source and x["outcome"] == SHRUNK)
            message = f"captures that {shrunk} listed before are missing from the listing; nothing was removed: see `tta status`"
            yield Check(SHRANK, Severity.WARN, one.source, one.vanished, 0, not shrunk, message if shrunk else None)
            # A source may be done without a request: a listing of last week is not repeated.
            since = from_iso(ledger.value("answered_at", source=one.source))
            days = round((datetime.now(UTC) - since).total_seconds() / 86_400, 2) if since else None
            passed = days is None or days <= most
            message = "nothing new is known from it since then: the table runs has the problems of the last runs"
            yield Check(SILENT, Severity.WARN, one.source, days, most, passed, None if passed else message)
