"""`tta load`: brings the database in line with the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

import click

from scraper.database.load import load
from scraper.database.plan import Plan, plan
from scraper.errors import ExitStatus
from scraper.folders import Folders
from scraper.lock import locked
from scraper.progress import ProgressBar
from scraper.stopping import Stop
from scraper.terminal import escape


@click.command("load")
@click.option("--rebuild", is_flag=True, help="Parse all of the archive again and make the database anew.")
@click.option(
    "--without-lost", is_flag=True, help="Make it anew although the archive lost captures; what only they said is dropped."
)
@click.option("--unchecked", is_flag=True, help="Load also what the checks of the last refresh kept out.")
@click.option(
    "--workers", metavar="N", type=click.IntRange(1, 256), help="Processes to parse with; by default as many as pay off."
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Parse on the dask cluster with this scheduler, such as tcp://10.0.0.5:8786."
)
@click.option("--plan", "planned", is_flag=True, help="With --rebuild: say what it would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.pass_obj
def command(
    folders: Folders,
    rebuild: bool,
    without_lost: bool,
    unchecked: bool,
    workers: int | None,
    scheduler: str | None,
    planned: bool,
    as_json: bool,
) -> int:
    """Parse what the archive has and the database lacks.

    Unlike `tta refresh` it holds nothing against the last good run; where the last refresh was refused it loads nothing, with
    status 3. Everything is written in one transaction: whoever reads the database sees what was there before, until all of it
    is done.
    """
    if planned and not rebuild:
        raise click.UsageError("--plan goes with --rebuild: it says what that would change")
    if planned:
        return _plan(folders, workers, as_json=as_json)
    stop = Stop()
    with stop.on_signals(), locked(folders.data, "tta load"), ProgressBar() as bar:
        done = load(
            folders,
            rebuild=rebuild,
            without_lost=without_lost,
            unchecked=unchecked,
            workers=workers,
            scheduler=scheduler,
            progress=partial(bar.update, "parsing captures"),
            stop=stop,
        )
    for problem in done.unreadable:
        click.echo(escape(problem), err=True)
    if as_json:
        counts = {"captures": done.captures, "built": done.built, "records": done.records, "unreadable": len(done.unreadable)}
        click.echo(json.dumps(counts))
    else:
        click.echo(f"{done.captures} captures loaded, {done.built} records written, {done.records} records in all")
    return ExitStatus.PARTLY_DONE if done.unreadable else ExitStatus.DONE


def _plan(folders: Folders, workers: int | None, *, as_json: bool) -> int:
    with locked(folders.data, "tta load"), ProgressBar() as bar:
        found = plan(folders, workers=workers, progress=partial(bar.update, "parsing captures"))
    for problem in found.unreadable:
        click.echo(escape(problem), err=True)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        for line in _told(found):
            click.echo(line)
    return ExitStatus.PARTLY_DONE if found.unreadable else ExitStatus.DONE


def _told(found: Plan) -> Iterator[str]:
    unlike = found.differences
    if not unlike:
        why = f"all {found.read} captures read again" if found.read else "the database was read with this very program"
        yield f"a rebuild would change nothing ({why})"
        return
    captures = f"{unlike.captures_appear.count} captures would be new, {unlike.captures_vanish.count} would be missing"
    yield f"a rebuild would change {unlike.changed} records; {captures}"
    for only, name in ((unlike.appear, "appear"), (unlike.vanish, "vanish")):
        more = ", ..." if only.count > len(only.ids) else ""
        yield f"{only.count} records would {name}" + (f": {escape(', '.join(only.ids), 500)}{more}" if only.count else "")
    for one in unlike.fields:
        yield f"{escape(' '.join(filter(None, (one.table, one.field))), 200)}: {one.count}"
        for example in one.examples:
            old, new = (escape("NULL" if text is None else text, 200) for text in (example.old, example.new))
            yield f"  {escape(example.id)}: {old} -> {new}"
