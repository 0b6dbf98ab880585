"""`tta refresh`: options and wording. What it does is in `scraper.refresh`."""

from pathlib import Path
from typing import Any

import click

from scraper.commands import json_option, show, workers_option
from scraper.config import load_config
from scraper.fetch.report import Display
from scraper.folders import Folders
from scraper.refresh.run import Options, refresh
from scraper.terminal import escape

SECONDS = click.FloatRange(min=1, max=604_800)
LOG_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("refresh")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--accept", is_flag=True, help="Commit the new data although checks fail; recorded permanently in the run history.")
@workers_option
@click.option("--deadline", metavar="SECONDS", type=SECONDS, help="Time for the whole run, instead of the configured one.")
@click.option("--now", is_flag=True, help="Ignore waits that earlier runs have stored.")
@click.option("--log-file", metavar="FILE", type=LOG_FILE, help="Append what happens, as JSON lines.")
@json_option
@click.pass_obj
def command(folders: Folders, /, as_json: bool, **options: Any) -> int:
    """Fetch, load, check and commit: what cron calls every night.

    New captures are kept whatever happens. The database changes in one transaction, after the checks: if one fails, it stays as
    it was and the status is 3. Asks the enabled sources, or those named.
    """
    with Display() as display:
        report = refresh(folders, load_config(folders.config_file), Options(**options), display, display.parsing)
    show(report.as_json(), (escape(line, 1000) for line in report.lines()), report.trouble(), as_json=as_json)
    return report.status
