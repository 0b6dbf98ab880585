"""`tta import`: adds local captures to the archive."""

from __future__ import annotations

import json
from pathlib import Path

import click

from scraper.errors import ExitStatus
from scraper.folders import Folders
from scraper.importing import import_paths
from scraper.lock import locked
from scraper.terminal import escape


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.pass_obj
def command(folders: Folders, paths: tuple[Path, ...], as_json: bool) -> int:
    """Add captures from files to the archive.

    PATH is HTML, text, WARC, WET or WACZ, or a folder of them. What the archive already has is not added again. A path that
    can't be used is named, and the rest is imported.
    """
    with locked(folders.data, "tta import"):
        done = import_paths(folders.archive, paths)
    for line in done.recovered:
        click.echo(escape(line), err=True)
    for problem in done.problems:
        click.echo(f"{escape(problem.path)}: {escape(problem.reason)}", err=True)
    if as_json:
        click.echo(json.dumps({"added": done.added, "known": done.known, "problems": len(done.problems)}))
    else:
        click.echo(f"{done.added} captures added, {done.known} were there already")
    return ExitStatus.PARTLY_DONE if done.problems else ExitStatus.DONE
