"""`tta load`: brings the database in line with the archive."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from scraper.commands import json_option, scheduler_option, show, workers_option
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
@click.option("--without-lost", "forget_missing_captures", is_flag=True, help="Make it anew, without captures that are lost.")
@click.option("--unchecked", "accept_refused", is_flag=True, help="Also load what the checks of the last refresh refused.")
@workers_option
@scheduler_option
@click.option("--plan", "planned", is_flag=True, help="With --rebuild: show what it would change, and change nothing.")
@json_option
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
    stop = Stop()
    with nullcontext() if planned else stop.on_signals(), locked(folders.data, "tta load"), ProgressBar() as bar:
        progress = partial(bar.update, "parsing captures")
        if planned:
            found = plan(folders, workers=given["workers"], progress=progress)
            unreadable, counts, lines = found.unreadable, asdict(found), _lines(found)
        else:
            done = load(folders, LoadOptions(**given, progress=progress, stop=stop))
            unreadable = done.unreadable
            counts = {"captures": done.captures, "built": done.built, "records": done.records, "unreadable": len(unreadable)}
            lines = iter([f"{done.captures} captures loaded, {done.built} records written, {done.records} records in all"])
    show(counts, lines, unreadable, as_json=as_json)
    return ExitStatus.PARTLY_DONE if unreadable else ExitStatus.DONE


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
