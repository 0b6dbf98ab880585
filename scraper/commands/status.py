"""`tta status`: what there is, how fresh, and what the parser did not know."""

import re
from collections.abc import Iterator
from dataclasses import asdict

import click

from scraper.commands import json_option, show
from scraper.database.checks import Check
from scraper.database.runs import Outcome
from scraper.folders import Folders
from scraper.refresh.report import ADVICE, failure_lines
from scraper.status import Completeness, Status, status
from scraper.status import missing as missing_addresses
from scraper.terminal import escape

_MOST_SHOWN = 20


@click.command("status")
@click.option("--missing", is_flag=True, help="List addresses of records worth fetching, or nominating to an archive.")
@json_option
@click.pass_obj
def command(folders: Folders, missing: bool, as_json: bool) -> None:
    """Show what there is, how fresh, and how complete.

    Also the last refresh, the page fields that are not mapped to a column yet, and missing record numbers.
    """
    if missing:
        addresses = missing_addresses(folders)
        show(addresses, addresses, as_json=as_json)
        return
    found = status(folders)
    show(asdict(found), _lines(folders, found), as_json=as_json)


def _lines(folders: Folders, found: Status) -> Iterator[str]:
    if found.archived or found.loaded:
        # `tta load` does not load what a refresh refused, so then it is not what to run
        advice = "run `tta load`"
        if found.refused_refresh and found.last_refresh and found.last_refresh["outcome"] == Outcome.REFUSED:
            advice = "the last refresh was refused, see below"
        elif found.refused_refresh:
            advice = f"the refresh of {escape(found.refused_refresh)} was refused; `tta refresh` tries again"
        waiting = f", {found.not_loaded} not loaded: {advice}" if found.not_loaded else ""
        yield f"archive        {found.archived} captures{waiting}"
    else:
        yield f"nothing in {escape(folders.data)} yet: run `tta import` or `tta fetch`"
    if found.low_space:
        yield f"disk           {escape(found.low_space)}"
    if found.loaded:
        yield f"records        {found.records}, with {found.changes} changes"
        yield f"captures       {found.captures}: {_counts(found.kinds)}"
        yield f"sources        {_counts(found.sources)}"
        first, last = found.first_captured_at or "-", found.last_captured_at or "-"
        yield f"captured       {first} to {last}" + (f", {found.time_unknown} at unknown times" if found.time_unknown else "")
        yield from _refreshed(found)
        yield f"unmapped       {len(found.unknown_labels)} page fields that feed no column"
        yield from _listed(found.unknown_labels, "records")
        yield f"flags          {len(found.flags)} kinds of values that look wrong"
        yield from _listed(found.flags, "captures")
    for year in found.years:
        published, unseen = year["published_wording"], year["seen_but_never_captured"]
        line = f"  fiscal year {year['fiscal_year'] or 'not known'}: {year['records']} records"
        line += f", at least {unseen} seen and never captured" if unseen else ""
        yield line + (f", published: {published}" if published else "")
    yield from _complete(found.completeness)


def _complete(found: Completeness) -> Iterator[str]:
    """What is missing, by source; only the ledger or a URL contains a record's number."""
    if found.sources:
        yield "record numbers"
        for name, numbers in [*found.sources.items(), ("all", found.total)]:
            *counts, (_, never) = numbers.items()
            what = "never archived there" if name in found.sources else "numbers between known ones that no source lists"
            yield f"  {escape(name)}: {_counts(dict(counts))}, {never} {what}"
    for one in found.listings:
        note = f"; {escape(one['note'])}" if one["note"] else ""
        complete = f"last complete {one['last_complete_at'] or 'never'}"
        yield f"  listing {escape(one['source'])} {escape(one['scope'])}: {one['outcome']}, {complete}{note}"
    for host, until in found.waits.items():
        second = re.sub("[.][0-9]+", "", until)
        yield f"  {escape(host)} is not asked before {escape(second)}"


def _refreshed(found: Status) -> Iterator[str]:
    """The last run of `tta refresh`, and the last good one if that was another."""
    last = found.last_refresh
    if last is None:
        yield "refreshed      never: `tta refresh` is the nightly run"
        return
    ended = f"{last['outcome']}, {last['started_at']}: {last['message']}"
    yield f"refreshed      {escape(ended, 1000)}"
    yield from (f"  {escape(line, 1000)}" for line in failure_lines([Check(**check) for check in found.failed_checks]))
    if last["outcome"] == Outcome.REFUSED:
        yield f"  {ADVICE}"
    if last["outcome"] != Outcome.COMMITTED:
        yield f"  the last good one began {found.last_good_refresh or 'never'}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {escape(name)}" for name, count in counts.items()) or "none"


def _listed(counts: dict[str, int], unit: str) -> Iterator[str]:
    for name, count in list(counts.items())[:_MOST_SHOWN]:
        yield f"  {escape(name, 120)}: {count} {unit}"
    if len(counts) > _MOST_SHOWN:
        yield f"  and {len(counts) - _MOST_SHOWN} more: see --json"
