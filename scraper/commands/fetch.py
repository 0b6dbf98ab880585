"""`tta fetch`: options and wording. What it does is in `scraper.fetch.run`."""

import re
from typing import Any

import click

from scraper.commands import json_option, show
from scraper.config import load_config
from scraper.fetch.report import Display
from scraper.fetch.run import Options
from scraper.fetch.run import fetch as run_fetch
from scraper.folders import Folders


def _timestamp(_context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Returns a date or time as the first of 14 digits: 2024, 2024-05, 20240531, 2024-05-31T12:00; empty where none is given."""
    digits = re.sub(r"[-T:Z ]", "", value or "")
    if value is not None and not re.fullmatch(r"\d{4}(\d\d){0,5}", digits):
        raise click.BadParameter("give a date such as 2024, 2024-05-31 or 20240531120000", param=parameter)
    return digits


@click.command("fetch")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--dry-run", is_flag=True, help="List only, and report what would be fetched.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Ask for at most N captures.")
@click.option("--from", "start", callback=_timestamp, metavar="DATE", help="Only captures made at that time or later.")
@click.option("--to", "end", callback=_timestamp, metavar="DATE", help="Only captures made at that time or before.")
@click.option("--now", is_flag=True, help="Ignore waits that earlier runs have stored.")
@json_option
@click.pass_obj
def command(folders: Folders, /, start: str, end: str, as_json: bool, **options: Any) -> int:
    """List and fetch new captures from web archives and the live site.

    Asks the enabled sources, or those named: wayback, commoncrawl, endofterm, pywb, live.
    """
    chosen = Options(window=(start, end) if start or end else None, **options)
    with Display() as display:
        report = run_fetch(folders.data, load_config(folders.config_file), chosen, display)
    show(report.as_json(), report.table(), report.lines(), as_json=as_json)
    return report.status
