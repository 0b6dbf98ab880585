"""`tta refresh`: options and wording. What it does is in `scraper.refresh`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from scraper.config import load_config
from scraper.fetch.display import Display
from scraper.folders import Folders
from scraper.refresh.run import Options, refresh
from scraper.terminal import escape


@click.command("refresh")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--accept", is_flag=True, help="Commit the new data although checks fail; recorded permanently in the run history.")
@click.option("--workers", metavar="N", type=click.IntRange(1, 256), help="Processes to parse with, as for `tta load`.")
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=click.FloatRange(min=1, max=604_800),
    help="Time for the whole run, instead of the configured one.",
)
@click.option("--now", is_flag=True, help="Ignore waits that earlier runs have stored.")
@click.option(
    "--log-file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Append what happens, as JSON lines."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def command(context: click.Context, /, as_json: bool, **options: Any) -> None:
    """Fetch, load, check and commit: what cron calls every night.

    New captures are kept whatever happens. The database changes in one transaction, after the checks: if one fails, it stays as
    it was and the status is 3. Asks the enabled sources, or those named.
    """
    folders: Folders = context.obj
    settings = load_config(folders.config_file)
    with Display() as display:
        report = refresh(folders, settings, Options(**options), display, display.parsing)
    for line in report.trouble():
        click.echo(escape(line, 1000), err=True)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        for line in report.lines():
            click.echo(escape(line, 1000))
    context.exit(int(report.status))
