"""`tta load`: brings the database in line with the archive."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from scraper.database.load import Progress as Report
from scraper.database.load import load
from scraper.errors import ExitStatus
from scraper.folders import Folders
from scraper.lock import locked
from scraper.plaintext import printable
from scraper.stopping import Stop


@click.command("load")
@click.option("--rebuild", is_flag=True, help="Parse all of the archive again and make the database anew.")
@click.option(
    "--workers", metavar="N", type=click.IntRange(1, 256), help="Processes to parse with; by default as many as pay off."
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.pass_obj
def command(folders: Folders, rebuild: bool, workers: int | None, as_json: bool) -> int:
    """Parse what the archive has and the database lacks.

    Everything is written in one transaction: whoever reads the database sees what was there before, until all of it is done.
    """
    stop = Stop()
    with stop.on_signals(), locked(folders.data, "tta load"), _bar() as report:
        done = load(folders, rebuild=rebuild, workers=workers, progress=report, stop=stop)
    for problem in done.unreadable:
        click.echo(printable(problem), err=True)
    if as_json:
        counts = {"captures": done.captures, "built": done.built, "records": done.records, "unreadable": len(done.unreadable)}
        click.echo(json.dumps(counts))
    else:
        click.echo(f"{done.captures} captures loaded, {done.built} records written, {done.records} records in all")
    return ExitStatus.PARTLY_DONE if done.unreadable else ExitStatus.DONE


@contextmanager
def _bar() -> Iterator[Report | None]:
    """A progress bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("parsing captures", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
