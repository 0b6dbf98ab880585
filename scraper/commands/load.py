"""`tta load`: brings the database in line with the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from scraper.database.load import LoadOptions, load
from scraper.database.plan import Plan, plan
from scraper.errors import ExitStatus
from scraper.folders import Folders
from scraper.lock import locked
from scraper.progress import ProgressBar
from scraper.stopping import Stop
from scraper.terminal import escape


@click.command("load")
@click.option("--rebuild", is_flag=True, help="Parse the whole archive again and make the database anew.")
@click.option(
    "--without-lost", is_flag=True, help="Make it anew although the archive lost captures; what only they contain is dropped."
)
@click.option("--unchecked", is_flag=True, help="Also load what the checks of the last refresh refused.")
@click.option(
    "--workers", metavar="N", type=click.IntRange(1, 256), help="Number of processes that parse; by default as many as pay off."
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Parse on the dask cluster with this scheduler, such as tcp://10.0.0.5:8786."
)
@click.option("--plan", "planned", is_flag=True, help="With --rebuild: show what it would change, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.pass_obj
def command(folders: Folders, /, planned: bool, as_json: bool, **given: Any) -> int:
    """Parse what the archive has and the database lacks.

    Unlike `tta refresh` it does not compare the result with the last good run; where the last refresh was refused it loads
    nothing and exits with status 3. A load after an update of this program parses the archive again and makes the database anew;
    one that was interrupted continues from there. Everything is written in one transaction: until it is done, readers see the
    previous state.
    """
    if planned and not given["rebuild"]:
        raise click.UsageError("--plan requires --rebuild: it shows what that would change")
    if planned:
        return _plan(folders, given["workers"], as_json=as_json)
    stop = Stop()
    with stop.on_signals(), locked(folders.data, "tta load"), ProgressBar() as bar:
        options = LoadOptions(
            rebuild=given["rebuild"],
            forget_missing_captures=given["without_lost"],
            accept_refused=given["unchecked"],
            workers=given["workers"],
            scheduler=given["scheduler"],
            progress=partial(bar.update, "parsing captures"),
            stop=stop,
        )
        done = load(folders, options)
    _print_problems(done.unreadable)
    if as_json:
        counts = {"captures": done.captures, "built": done.built, "records": done.records, "unreadable": len(done.unreadable)}
        click.echo(json.dumps(counts))
    else:
        click.echo(f"{done.captures} captures loaded, {done.built} records written, {done.records} records in all")
    return ExitStatus.PARTLY_DONE if done.unreadable else ExitStatus.DONE


def _print_problems(lines: list[str]) -> None:
    for line in lines:
        click.echo(escape(line), err=True)


def _plan(folders: Folders, workers: int | None, *, as_json: bool) -> int:
    with locked(folders.data, "tta load"), ProgressBar() as bar:
        found = plan(folders, workers=workers, progress=partial(bar.update, "parsing captures"))
    _print_problems(found.unreadable)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        for line in _lines(found):
            click.echo(line)
    return ExitStatus.PARTLY_DONE if found.unreadable else ExitStatus.DONE


def _lines(found: Plan) -> Iterator[str]:
    differences = found.differences
    if not differences:
        why = f"all {found.read} captures compared" if found.read else "this version of the program made the database"
        yield f"a rebuild would change nothing ({why})"
        return
    captures = f"{differences.captures_appear.count} captures would be new, {differences.captures_vanish.count} would be missing"
    yield f"a rebuild would change {differences.changed} records; {captures}"
    for only, name in ((differences.appear, "appear"), (differences.vanish, "vanish")):
        more = ", ..." if only.count > len(only.ids) else ""
        yield f"{only.count} records would {name}" + (f": {escape(', '.join(only.ids), 500)}{more}" if only.count else "")
    for one in differences.fields:
        yield f"{escape(' '.join(filter(None, (one.table, one.field))), 200)}: {one.count}"
        for example in one.examples:
            old, new = (escape("NULL" if text is None else text, 200) for text in (example.old, example.new))
            yield f"  {escape(example.id)}: {old} -> {new}"
