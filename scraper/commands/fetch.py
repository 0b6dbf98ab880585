"""`tta fetch`, `tta refresh` and `tta config`: options and wording. The work is done in `scraper.fetch` and `scraper.refresh`."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import tomli_w

from scraper.commands import json_option, show, workers_option
from scraper.config import DEFAULT_FILE, SOURCES, Config, load_config
from scraper.fetch import run as fetching
from scraper.fetch.run import Display
from scraper.folders import Folders
from scraper.terminal import escape

SECONDS = click.FloatRange(min=1, max=604_800)
LOG_FILE = click.Path(path_type=Path, dir_okay=False)


def _parse_timestamp(_context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    """Converts a date or time (2024, 2024-05, 20240531, 2024-05-31T12:00) to the first digits of a timestamp; empty if none."""
    digits = re.sub(r"[-T:Z ]", "", value or "")
    if value is not None and not re.fullmatch(r"\d{4}(\d\d){0,5}", digits):
        raise click.BadParameter("give a date such as 2024, 2024-05-31 or 20240531120000", param=parameter)
    return digits


@click.command("fetch")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...", type=click.Choice(SOURCES))
@click.option("--dry-run", is_flag=True, help="List only, and report what would be fetched.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Request at most N captures.")
@click.option("--from", "start", callback=_parse_timestamp, metavar="DATE", help="Only captures made at that time or later.")
@click.option("--to", "end", callback=_parse_timestamp, metavar="DATE", help="Only captures made at that time or before.")
@click.option("--now", is_flag=True, help="Ignore waiting times stored by earlier runs.")
@json_option
@click.pass_obj
def fetch(folders: Folders, /, start: str, end: str, as_json: bool, **options: Any) -> int:
    """List and fetch new captures from web archives and the live site.

    Queries the enabled sources, or those named: wayback, commoncrawl, endofterm, pywb, live.
    """
    chosen = fetching.FetchOptions(window=(start, end) if start or end else None, **options)
    with Display() as display:
        report = fetching.fetch(folders.data, load_config(folders.config_file), chosen, display)
    show(report.as_json(), report.table(), report.lines(), as_json=as_json)
    return report.status


@click.command("refresh")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...", type=click.Choice(SOURCES))
@click.option("--accept", is_flag=True, help="Commit the new data even if checks fail; recorded permanently in the run history.")
@workers_option
@click.option("--deadline", metavar="SECONDS", type=SECONDS, help="Time limit of the whole run, instead of the configured one.")
@click.option("--now", is_flag=True, help="Ignore waiting times stored by earlier runs.")
@click.option("--log-file", metavar="FILE", type=LOG_FILE, help="Append events as JSON lines.")
@json_option
@click.pass_obj
def refresh(folders: Folders, /, as_json: bool, **options: Any) -> int:
    """Fetch, load, check and commit: what cron calls every night.

    New captures are kept in any case. The database changes in one transaction, after the checks: if one fails, it stays as
    it was and the status is 3. Queries the enabled sources, or those named.
    """
    from scraper.refresh import run as refreshing  # `tta fetch` needs neither parsers nor database

    with Display() as display:
        report = refreshing.refresh(folders, load_config(folders.config_file), refreshing.RefreshOptions(**options), display)
    show(report.as_json(), (escape(line, 1000) for line in report.lines()), report.trouble(), as_json=as_json)
    return report.status


@click.command("config")
@json_option
@click.pass_obj
def config(folders: Folders, as_json: bool) -> None:
    """Check the configuration and print the settings in effect.

    The output is a configuration file; only --json has settings without a value. Status 2 if the file has a mistake; status 1 if
    the enabled sources can't be queried with these settings.
    """
    settings = load_config(folders.config_file)
    path = folders.config_file or DEFAULT_FILE
    head = f"# {path}" if path.exists() else "# built-in defaults: there is no tta.toml"
    show(asdict(settings), [head, as_toml(settings).rstrip()], as_json=as_json)
    if any(getattr(settings.sources, name).enabled for name in SOURCES):
        fetching.choose_sources(settings, ())


def as_toml(settings: Config) -> str:
    """Returns a configuration file with these settings, except those without a value."""
    return tomli_w.dumps(asdict(settings, dict_factory=lambda pairs: {name: one for name, one in pairs if one is not None}))
