"""One run of `tta fetch`: lock, list, fetch, store, report.

The sources implement the archives' protocols. This module decides the order of the sources, what an error means for the rest of
the run, in which order captures become durable, and how the run ends.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from scraper.archive.store import Archive
from scraper.capture import Capture, WarcType, url_key
from scraper.config import SOURCES, Config
from scraper.errors import ExitStatus, NotAllowed, NothingEnabled, RequestFailed, SourcePaused, Stopped, TooLarge, TtaError
from scraper.folders import Folders, locked
from scraper.ledger.store import EMPTY_SHA1, STORED, FetchResult, FetchState, Ledger, ListedCapture, sha1_of, to_time
from scraper.sources.base import DONE, FAILED, PARTLY, PAUSED, Source, SourceContext, SourceReport, as_revisit, revisit_of
from scraper.sources.crawls import CommonCrawl, EndOfTerm
from scraper.sources.live import Live
from scraper.sources.wayback import Pywb, Wayback
from scraper.stopping import Stop
from scraper.terminal import ProgressBar, escape, escape_url
from scraper.web.addresses import LOOPBACK
from scraper.web.client import Client
from scraper.web.pacing import Pacer

TOO_LARGE_AGAIN = timedelta(days=30)
MAX_CONSECUTIVE_FAILURES = 20
"""Consecutive failed captures after which a source is given up for the run."""
MAX_FAILURE_LINES = 20
"""Lines printed about single captures; the ledger has them all."""
COLUMNS = ("listed", "new", "skipped", "fetched", "unchanged", "substituted", "blocked", "missing", "failed", "waiting")


@dataclass(slots=True)
class FetchReport:
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
        """Yields the summary: a header, then one line per source."""
        columns = (*COLUMNS, "to fetch") if self.dry_run else COLUMNS
        rows = [("source", *columns, "outcome")]
        for one in self.sources:
            rows.append((one.source, *(str(getattr(one, name.replace(" ", "_"))) for name in columns), one.outcome))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for first, *counts, last in rows:
            cells = [first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(counts, widths[1:-1], strict=True)), last]
            yield "  ".join(cells)


class Display(ProgressBar):
    """Also shows failures of single captures, and waits."""

    _failures = 0

    def failure(self, text: str) -> None:
        """Logs a line about one capture; only the first MAX_FAILURE_LINES are printed."""
        self._failures += 1
        if self._failures == MAX_FAILURE_LINES + 1:
            self.line("further failures of single captures are not shown")
        self.line(text, is_shown=self._failures <= MAX_FAILURE_LINES)

    def waiting(self, host: str, seconds: float) -> None:
        if seconds >= 1:
            self.line(f"{host} asked to wait {seconds:.0f} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """The options of the command line. `window`: timestamps, inclusive; `limit`: captures to request; `now`: ignore waits."""

    sources: tuple[str, ...] = ()
    dry_run: bool = False
    limit: int | None = None
    window: tuple[str, str] | None = None
    now: bool = False


def choose_sources(settings: Config, named: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the sources to query: those named, otherwise those enabled. Raises TtaError if there is none."""
    names = tuple(name for name in SOURCES if (name in named if named else getattr(settings.sources, name).enabled))
    if not names:
        raise NothingEnabled("no source is enabled: name one, or set enabled = true under [sources.NAME] in the configuration")
    if "pywb" in names and not settings.sources.pywb.archives:
        raise NothingEnabled("pywb has no archives: list them as archives in [sources.pywb] of the configuration file")
    for name in names:
        section = asdict(getattr(settings.sources, name))
        values = [value for table in (section, *section.get("archives", ())) for key, value in table.items() if "_url" in key]
        urls = [url for value in values for url in (value if isinstance(value, tuple) else (value,))]
        if not settings.http.contact and any(urlsplit(url).hostname != LOOPBACK for url in urls):
            raise TtaError(
                f"{name} can't be asked without a contact, because archives block clients without one: set contact = "
                '"mailto:you@example.org" under [http] in the configuration file'
            )
    return names


def fetch(data: Path, settings: Config, options: FetchOptions, display: Display) -> FetchReport:
    """Fetches under the data folder's lock. Raises TtaError if nothing could be done, also if another run holds the lock."""
    names = choose_sources(settings, options.sources)
    stop = Stop()
    with stop.on_signals(), locked(data, "tta fetch"):
        return fetch_locked(data, settings, options, display, stop, names)


def fetch_locked(
    data: Path, settings: Config, options: FetchOptions, display: Display, stop: Stop, names: tuple[str, ...]
) -> FetchReport:
    """As `fetch`, for a caller that holds the lock and handles signals itself."""
    folders = Folders(data)
    warning = folders.low_space()
    report = FetchReport(dry_run=options.dry_run, notes=[warning] if warning else [])
    with Ledger(folders.ledger) as ledger, Archive(folders.archive, writable=True) as archive:
        for line in (*ledger.notes, *archive.recovered):
            display.line(line)
        pacer = Pacer(ledger.host, ledger.save_host, stop, override=options.now, on_wait=display.waiting)
        context = SourceContext(settings, Client(settings, pacer), ledger, archive, display.update)
        kinds = {kind.name: kind for kind in (Wayback, CommonCrawl, EndOfTerm, Live)}
        archives = [Pywb(one, context) for one in settings.sources.pywb.archives]  # archives that run pywb, each its own source
        sources: list[Source] = []
        for name in names:
            sources += archives if name == "pywb" else [kinds[name](context)]
        report.sources = [SourceReport(source=source.name) for source in sources]
        run = _Run(context, options, display, report, number=ledger.begin_run())
        run.ask_all(sources)
        for one in report.sources:
            for timestamp, url, reason in ledger.ask("failed_in", source=one.source, run=run.number):
                display.failure(f"{one.source}: {timestamp} {escape_url(url)}: {reason}")
            one.waiting = sum(count for state, count in ledger.ask("states", source=one.source) if state not in STORED)
            if one.failed:
                one.add_problem(f"{one.failed} captures could not be fetched and will be requested again", PARTLY)
        ledger.end_run(run.number, report.status, report.as_json())
    return report


@dataclass(slots=True)
class _Run:
    """One run, with its number in the ledger. A capture is stored once, and durable before the ledger records it."""

    context: SourceContext
    options: FetchOptions
    display: Display
    report: FetchReport
    number: int
    asked: int = 0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def ask_all(self, sources: list[Source]) -> None:
        """Queries all sources, then what failed: it may be cached now (edgi-govdata-archiving/web-monitoring-processing#174)."""
        parts = list(zip(sources, self.report.sources, strict=True))
        soon = self.began + TOO_LARGE_AGAIN / 2
        try:
            for source, part in parts:
                with _contain_errors(part):
                    self._list_and_fetch(source, part)
            for source, part in parts:
                if part.outcome not in (PAUSED, FAILED) and not self.options.dry_run:
                    with _contain_errors(part):
                        failed = self.context.ledger.due_ids(source.name, now=soon, failed_in=self.number)
                        self._fetch(source, part, failed, again=True)
        except Stopped:
            self.report.stopped = True
            self.report.problems.append("stopped before the end; the next run continues from here")
        except (OSError, sqlite3.OperationalError) as error:
            self.report.problems.append(f"the data folder can't be written to: {escape(error)}")

    def _list_and_fetch(self, source: Source, report: SourceReport) -> None:
        source.list_captures(self.options.window, report)
        report.outcome = PARTLY if report.problems else DONE
        report.answered += report.listed
        if report.skipped:
            text = "rows of the listing that can't be used (without a time or a URL, or of another host)"
            report.notes.append(f"{text}: {report.skipped}")
        due: Sequence[int | ListedCapture]
        if isinstance(source, Live):
            due = list(source.rows())
        else:  # the end of a window is inclusive: 2024 means all of 2024
            low, high = self.options.window or ("", "")
            now, window = None if self.options.now else self.began, (low, high.ljust(14, "9"))
            due = self.context.ledger.due_ids(source.name, now=now, window=window)
        if self.options.dry_run:
            report.to_fetch = len(due)
        else:
            self._fetch(source, report, due)

    def _fetch(self, source: Source, report: SourceReport, due: Sequence[int | ListedCapture], *, again: bool = False) -> None:
        """Requests these rows (ledger rows by number). `again`: they failed before in this run."""
        limit, failed = self.options.limit, 0
        for done, one in enumerate(due, start=1):
            self.context.client.pacer.stop.check()
            row = self.context.ledger.row(one) if isinstance(one, int) else one
            result = self._from_archive(source.name, row) if row.id else None
            if result is None:
                if limit is not None and self.asked >= limit and not again:
                    report.notes.append(f"stopped after {limit} captures, as --limit asks")
                    return
                self.asked += 1
                result = self._ask(source, report, row, again=again)
            if again:
                report.count(FetchState.FAILED, -1)
            if row.id:
                report.count(self.context.ledger.settle(row, result, self.number, again=again))
            else:
                report.count(result.state)
                if result.state is FetchState.FAILED:  # a visited URL is not a row of the ledger, so its failure is shown at once
                    self.display.failure(f"{report.source}: {escape_url(row.url)}: {result.reason}")
            self.display.update(f"fetching {source.name}", done, len(due))
            failed = failed + 1 if result.state is FetchState.FAILED else 0
            if failed >= MAX_CONSECUTIVE_FAILURES and not again:
                report.add_problem(f"given up after {failed} captures in a row failed, the last because {result.reason}", FAILED)
                return

    def _ask(self, source: Source, report: SourceReport, row: ListedCapture, *, again: bool) -> FetchResult:
        """Requests one capture and stores the result. Raises SourcePaused and Stopped."""
        report.asked += 1
        try:
            outcome = source.fetch(row, again=again)
        except (RequestFailed, TooLarge, NotAllowed) as error:
            later = None if isinstance(error, RequestFailed) else TOO_LARGE_AGAIN
            return FetchResult(state=FetchState.FAILED, reason=escape(error), ask_again=later)
        report.answered += 1
        if outcome.capture is None:
            return outcome
        result = self._store(outcome.capture, outcome.reason)
        if isinstance(source, Live):
            source.stored(row, outcome.capture, result.capture_id)
        if outcome.state is FetchState.SUBSTITUTED:
            result = replace(result, state=outcome.state, reason=f"requested {row.timestamp}, stored under its own time")
        return result

    def _from_archive(self, source: str, row: ListedCapture) -> FetchResult | None:
        """Returns the result if our archive has the capture, or a body with the listed digest; otherwise None."""
        archive, moment = self.context.archive, to_time(row.timestamp)
        stored = archive.at(row.url, moment) if moment else None
        if stored and not stored.truncated:
            return FetchResult(state=FetchState.DUPLICATE, reason="stored already", capture_id=stored.capture_id)
        same = {"source": source, "urlkey": url_key(row.url), "timestamp": row.timestamp, "digest": row.digest or ""}
        if elsewhere := self.context.ledger.value("stored_elsewhere", **same):
            return FetchResult(state=FetchState.DUPLICATE, reason="stored from another source", capture_id=elsewhere)
        original = self._original_of(row)
        if original is None or moment is None:
            return None
        return self._add(revisit_of(original, source=source, url=row.url, captured_at=moment))

    def _original_of(self, row: ListedCapture) -> Capture | None:
        """Returns a stored capture of the page with the row's digest; none that is a redirect or truncated."""
        digest = sha1_of(row.digest)
        if digest is None or digest == EMPTY_SHA1:
            return None
        archive = self.context.archive
        entry = archive.with_digest(row.url, digest)
        if entry is None and row.is_revisit:
            entry = archive.entry(self.context.ledger.value("original_of", urlkey=url_key(row.url), digest=digest) or "")
            entry = entry if entry and entry.payload_digest == digest else None
        if entry is None or entry.warc_type != WarcType.RESPONSE or entry.http_status is None or 300 <= entry.http_status < 400:
            return None
        return archive.read(entry) if row.is_revisit or entry.http_status == row.status else None

    def _store(self, capture: Capture, note: str) -> FetchResult:
        """Stores a capture, as a revisit if its body is already stored for this URL."""
        archive = self.context.archive
        known = archive.at(capture.url, capture.captured_at) if capture.url and capture.captured_at else None
        if known and not (known.truncated and not capture.truncated):
            return FetchResult(state=FetchState.DUPLICATE, reason="stored already", capture_id=known.capture_id)
        if capture.warc_type is WarcType.RESPONSE and capture.content and capture.url and capture.sha256:
            found = archive.same_body(capture.url, capture.sha256)
            if found and found.warc_type == WarcType.RESPONSE and not found.truncated:
                capture = as_revisit(capture, archive.read(found))
        return self._add(capture, note)

    def _add(self, capture: Capture, note: str = "") -> FetchResult:
        entry = self.context.archive.add(capture)
        self.context.archive.flush()
        stored = FetchState.UNCHANGED if capture.warc_type is WarcType.REVISIT else FetchState.FETCHED
        state = stored if entry else FetchState.DUPLICATE
        reason = note if entry else "stored already"
        return FetchResult(state=state, reason=reason, capture_id=capture.capture_id, truncated=capture.truncated)


@contextmanager
def _contain_errors(report: SourceReport) -> Iterator[None]:
    """In this block, an error ends only the work of this source."""
    try:
        yield
    except TtaError as error:
        report.asked += 1
        report.add_problem(escape(error), PAUSED if isinstance(error, SourcePaused) else FAILED)
