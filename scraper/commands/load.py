"""`tta load`: brings the database in line with the archive."""

from functools import partial
from typing import Any

import click

from scraper.commands import json_option, scheduler_option, show, workers_option
from scraper.database.load import LoadOptions, load
from scraper.errors import ExitStatus
from scraper.folders import Folders, locked
from scraper.progress import ProgressBar
from scraper.stopping import Stop


@click.command("load")
@click.option("--rebuild", is_flag=True, help="Parse the whole archive again and make the database anew.")
@click.option("--without-lost", "forget_missing_captures", is_flag=True, help="Make it anew, without captures that are lost.")
@click.option("--unchecked", "accept_refused", is_flag=True, help="Also load what the checks of the last refresh refused.")
@workers_option
@scheduler_option
@json_option
@click.pass_obj
def command(folders: Folders, /, as_json: bool, **given: Any) -> int:
    """Parse what the archive has and the database lacks.

    Unlike `tta refresh` it does not compare the result with the last good run; where the last refresh was refused it loads
    nothing and exits with status 3. A load after an update of this program parses the archive again and makes the database anew;
    one that was interrupted continues from there. Everything is written in one transaction: until it is done, readers see the
    previous state.
    """
    stop = Stop()
    with stop.on_signals(), locked(folders.data, "tta load"), ProgressBar() as bar:
        done = load(folders, LoadOptions(**given, progress=partial(bar.update, "parsing captures"), stop=stop))
    counts = {"captures": done.captures, "built": done.built, "records": done.records, "unreadable": len(done.unreadable)}
    lines = [f"{done.captures} captures loaded, {done.built} records written, {done.records} records in all"]
    show(counts, lines, done.unreadable, as_json=as_json)
    return ExitStatus.PARTLY_DONE if done.unreadable else ExitStatus.DONE
