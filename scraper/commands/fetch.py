"""`tta fetch`: options and wording. What it does is in `scraper.fetch.run`."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from scraper.config import load_config
from scraper.fetch.display import Display
from scraper.fetch.run import Options
from scraper.fetch.run import fetch as run_fetch
from scraper.folders import Folders
from scraper.terminal import escape


def _timestamp(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Returns a date or time as the first of 14 digits: 2024, 2024-05, 20240531, 2024-05-31T12:00."""
    if value is None:
        return None
    digits = re.sub(r"[-T:Z ]", "", value)
    if not re.fullmatch(r"\d{4}(\d\d){0,5}", digits):
        raise click.BadParameter("give a date such as 2024, 2024-05-31 or 20240531120000", param=parameter)
    return digits


@click.command("fetch")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--dry-run", is_flag=True, help="List only, and report what would be fetched.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Ask for at most N captures.")
@click.option("--from", "start", callback=_timestamp, metavar="DATE", help="Only captures made at that time or later.")
@click.option("--to", "end", callback=_timestamp, metavar="DATE", help="Only captures made at that time or before.")
@click.option("--now", is_flag=True, help="Ignore waits that earlier runs have stored.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def command(context: click.Context, /, sources: tuple[str, ...], **options: Any) -> None:
    """List and fetch new captures from web archives and the live site.

    Asks the enabled sources, or those named: wayback, commoncrawl, endofterm, pywb, live.
    """
    folders: Folders = context.obj
    settings = load_config(folders.config_file)
    start, end = options["start"], options["end"]
    window = None if start is None and end is None else (start or "", end or "")
    chosen = Options(sources=sources, dry_run=options["dry_run"], limit=options["limit"], window=window, now=options["now"])
    with Display() as display:
        report = run_fetch(folders.data, settings, chosen, display)
    for line in report.lines():
        click.echo(escape(line, 1000), err=True)
    if options["as_json"]:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        for line in report.table():
            click.echo(line)
    context.exit(int(report.status))
