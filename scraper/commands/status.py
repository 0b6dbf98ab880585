"""`tta status` and `tta doctor`: what the data folder contains, how current it is, and whether it is intact."""

import re
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict
from functools import partial

import click

from scraper import status as state
from scraper.commands import json_option, show
from scraper.database.checks import Check, describe_failures
from scraper.database.runs import ADVICE, Outcome
from scraper.errors import ExitStatus, TtaError
from scraper.folders import Folders, locked
from scraper.terminal import ProgressBar, escape

_MAX_SHOWN = 20  # lines of a list


@click.command("status")
@click.option("--missing", is_flag=True, help="List addresses of records worth fetching, or nominating to an archive.")
@json_option
@click.pass_obj
def status(folders: Folders, missing: bool, as_json: bool) -> None:
    """Show what data there is, how current, and how complete.

    Also the last refresh, the page fields that are not mapped to a column yet, and missing record numbers.
    """
    if missing:
        addresses = state.missing(folders)
        show(addresses, addresses, as_json=as_json)
        return
    found = state.status(folders)
    show(asdict(found), _status_lines(folders, found), as_json=as_json)


def _status_lines(folders: Folders, status: state.Status) -> Iterator[str]:
    """Yields the lines of `tta status`: archive, database, last refresh, unmapped fields, then years and sources."""
    if status.archived or status.loaded:
        # `tta load` does not load what a refresh refused, so it is not recommended then
        advice = "run `tta load`"
        if status.refused_refresh and status.last_refresh and status.last_refresh["outcome"] == Outcome.REFUSED:
            advice = "the last refresh was refused, see below"
        elif status.refused_refresh:
            advice = f"the refresh of {escape(status.refused_refresh)} was refused; `tta refresh` tries again"
        waiting = f", {status.not_loaded} not loaded: {advice}" if status.not_loaded else ""
        yield f"archive        {status.archived} captures{waiting}"
    else:
        yield f"nothing in {escape(folders.data)} yet: run `tta import` or `tta fetch`"
    if status.low_space:
        yield f"disk           {escape(status.low_space)}"
    if status.loaded:
        yield f"records        {status.records}, with {status.changes} changes"
        yield f"captures       {status.captures}: {_format_counts(status.kinds)}"
        yield f"sources        {_format_counts(status.sources)}"
        first, last = status.first_captured_at or "-", status.last_captured_at or "-"
        yield f"captured       {first} to {last}" + (f", {status.time_unknown} undated" if status.time_unknown else "")
        yield from _refresh_lines(status)
        yield f"unmapped       {len(status.unknown_labels)} page fields without a column"
        yield from _list_counts(status.unknown_labels, "fields")
        yield f"flags          {len(status.flags)} kinds of values that look wrong"
        yield from _list_counts(status.flags, "captures")
    for year in status.years:
        published, unseen = year["published_wording"], year["seen_but_never_captured"]
        line = f"  fiscal year {year['fiscal_year'] or 'not known'}: {year['records']} records"
        line += f", at least {unseen} seen and never captured" if unseen else ""
        yield line + (f", the Bureau published: {published}" if published else "")
    yield from _completeness_lines(status.completeness)


def _completeness_lines(completeness: state.Completeness) -> Iterator[str]:
    """Returns lines about what is missing, by source; a missing record's number is known only from the ledger or a URL."""
    if completeness.sources:
        yield "record numbers"
        for name, numbers in [*completeness.sources.items(), ("all", completeness.total)]:
            *counts, (_, never) = numbers.items()
            what = "never archived there" if name in completeness.sources else "numbers between known ones that no source lists"
            yield f"  {escape(name)}: {_format_counts(dict(counts))}, {never} {what}"
    for one in completeness.listings:
        note = f"; {escape(one['note'])}" if one["note"] else ""
        complete = f"last complete {one['last_complete_at'] or 'never'}"
        yield f"  listing {escape(one['source'])} {escape(one['scope'])}: {one['outcome']}, {complete}{note}"
    for host, until in completeness.waits.items():
        second = re.sub("[.][0-9]+", "", until)
        yield f"  {escape(host)} is not contacted before {escape(second)}"


def _refresh_lines(status: state.Status) -> Iterator[str]:
    """Returns lines about the last run of `tta refresh`, and the last good one if that was another."""
    last = status.last_refresh
    if last is None:
        yield "refreshed      never: `tta refresh` is the nightly run"
        return
    yield "refreshed      " + escape(f"{last['outcome']}, {last['started_at']}: {last['message']}", 1000)
    yield from (f"  {escape(line, 1000)}" for line in describe_failures([Check(**check) for check in status.failed_checks]))
    if last["outcome"] == Outcome.REFUSED:
        yield f"  {ADVICE}"
    if last["outcome"] != Outcome.COMMITTED:
        yield f"  the last good one began {status.last_good_refresh or 'never'}"


def _format_counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {escape(name)}" for name, count in counts.items()) or "none"


def _list_counts(counts: dict[str, int], unit: str) -> Iterator[str]:
    for name, count in list(counts.items())[:_MAX_SHOWN]:
        yield f"  {escape(name, 120)}: {count} {unit}"
    if len(counts) > _MAX_SHOWN:
        yield f"  and {len(counts) - _MAX_SHOWN} more: see --json"


@click.command("doctor")
@click.option("--repair", "repairing", is_flag=True, help="Replace what is damaged; no captured data is deleted.")
@click.option("--unchecked", is_flag=True, help="With --repair: also load what the last refresh refused.")
@json_option
@click.pass_obj
def doctor(folders: Folders, repairing: bool, unchecked: bool, as_json: bool) -> int:
    """Verify archive, catalog, ledger and database.

    Reads every record of the archive and compares its digests, so this takes a while. It changes nothing and may run during other
    commands; --repair fails if another run is active. A `note` needs no attention. The status is 0 if nothing is wrong
    or all was repaired, 3 if something is wrong and nothing was changed, and 4 if a part could not be repaired.
    """
    from scraper.doctor.repair import repair  # `tta status` needs no parsers
    from scraper.doctor.verify import DoctorTables, verify

    if unchecked and not repairing:
        raise click.UsageError("--unchecked goes with --repair: nothing else is loaded")
    if not folders.data.is_dir():
        raise TtaError(f"there is no folder {folders.data}: name the data folder with --data")
    lock = locked(folders.data, "tta doctor") if repairing else nullcontext()
    with lock, ProgressBar(counts_bytes=True) as bar, closing(DoctorTables()) as tables:
        progress = partial(bar.update, "reading the archive")
        repaired = repair(folders, accept_refused=unchecked, progress=progress) if repairing else None
        report = repaired or verify(folders, tables, progress)
    show({"intact": not report.wrong} | asdict(report), report.lines(repairing=repairing), as_json=as_json)
    if repairing:
        return ExitStatus.PARTLY_DONE if report.wrong or report.problems or report.lost else ExitStatus.DONE
    return ExitStatus.DATA_LOOKS_WRONG if report.wrong else ExitStatus.DONE
