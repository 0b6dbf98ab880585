"""`tta load`: brings the database in line with the archive."""

from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from scraper.commands import json_option, scheduler_option, show, workers_option
from scraper.database.connection import comparing, second_database
from scraper.database.difference import differences
from scraper.database.load import LoadOptions, load
from scraper.errors import ExitStatus
from scraper.folders import Folders, locked
from scraper.stopping import Stop
from scraper.terminal import Progress, ProgressBar, escape


@click.command("load")
@click.option("--rebuild", is_flag=True, help="Parse the whole archive again and recreate the database.")
@click.option("--without-lost", "forget_missing_captures", is_flag=True, help="Recreate it without captures that are lost.")
@click.option("--unchecked", "accept_refused", is_flag=True, help="Also load what the checks of the last refresh refused.")
@workers_option
@scheduler_option
@click.option("--plan", "planned", is_flag=True, help="With --rebuild: only show what it would change.")
@json_option
@click.pass_obj
def command(folders: Folders, /, planned: bool, as_json: bool, **given: Any) -> int:
    """Load captures that the archive has and the database lacks.

    Unlike `tta refresh` it does not compare the result with the last good run; if the last refresh was refused, it loads nothing
    and exits with status 3. A load after an update of this program parses the archive again and recreates the database; an
    interrupted load continues where it stopped. Everything is written in one transaction: until it is done, readers see the
    previous state.
    """
    if planned and not given["rebuild"]:
        raise click.UsageError("--plan requires --rebuild: it shows what that would change")
    stop = Stop()
    with nullcontext() if planned else stop.on_signals(), locked(folders.data, "tta load"), ProgressBar() as bar:
        progress = partial(bar.update, "parsing captures")
        if planned:
            return _plan(folders, given["workers"], progress, as_json=as_json)
        done = load(folders, LoadOptions(**given, progress=progress, stop=stop))
    counts = {"captures": done.captures, "built": done.built, "records": done.records, "unreadable": len(done.unreadable)}
    lines = [f"{done.captures} captures loaded, {done.built} records written, {done.records} records in all"]
    show(counts, lines, done.unreadable, as_json=as_json)
    return ExitStatus.PARTLY_DONE if done.unreadable else ExitStatus.DONE


def _plan(folders: Folders, workers: int | None, progress: Progress, *, as_json: bool) -> int:
    """Shows how a second database, built from the whole archive and removed again, differs."""
    with second_database(folders.data) as second:
        options = LoadOptions(rebuild=True, accept_refused=True, workers=workers, progress=progress, database=second)
        done = load(folders, options)
        with comparing(folders.database, second) as db:
            found = differences(db)
    if found.fields:
        lines = [f"a rebuild would change {found.changed} records; {found.appear} would appear, {found.vanish} would vanish"]
    else:
        lines = [f"a rebuild would change nothing (all {done.captures} captures compared)"]
    for one in found.fields:
        lines.append(f"{escape(f'{one.table} {one.field}', 200)}: {one.count}")
        for example in one.examples:
            old, new = (escape("NULL" if value is None else value, 200) for value in example[1:])
            lines.append(f"  {escape(example.id)}: {old} -> {new}")
    fields = [asdict(one) | {"examples": [example._asdict() for example in one.examples]} for one in found.fields]
    counts = {"read": done.captures, "differences": asdict(found) | {"fields": fields}, "unreadable": len(done.unreadable)}
    show(counts, lines, done.unreadable, as_json=as_json)
    return ExitStatus.PARTLY_DONE if done.unreadable else ExitStatus.DONE
