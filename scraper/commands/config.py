"""`tta config`: checks the configuration file and prints the settings in effect."""

from __future__ import annotations

import dataclasses
import json

import click

from scraper.config import DEFAULT_FILE, as_toml, load_config
from scraper.fetch.run import chosen
from scraper.folders import Folders


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON.")
@click.pass_obj
def command(folders: Folders, as_json: bool) -> None:
    """Check the configuration and print the settings in effect.

    The output is a complete configuration file. Status 2 if the file has a mistake; status 1 if the enabled sources can't be
    asked with these settings.
    """
    settings = load_config(folders.config_file)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(settings), indent=2))
    else:
        path = folders.config_file or DEFAULT_FILE
        click.echo(f"# {path}" if path.exists() else "# built-in defaults: there is no tta.toml")
        click.echo("\n".join(as_toml(settings)).rstrip())
    if any(getattr(settings.sources, one.name).enabled for one in dataclasses.fields(settings.sources)):
        chosen(settings, ())
