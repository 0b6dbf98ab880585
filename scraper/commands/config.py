"""`tta config`: checks the configuration file and prints the settings in effect."""

from dataclasses import asdict

import click

from scraper.commands import json_option, show
from scraper.config import DEFAULT_FILE, SOURCES, as_toml, load_config
from scraper.fetch.run import chosen
from scraper.folders import Folders


@click.command("config")
@json_option
@click.pass_obj
def command(folders: Folders, as_json: bool) -> None:
    """Check the configuration and print the settings in effect.

    The output is a complete configuration file. Status 2 if the file has a mistake; status 1 if the enabled sources can't be
    asked with these settings.
    """
    settings = load_config(folders.config_file)
    path = folders.config_file or DEFAULT_FILE
    head = f"# {path}" if path.exists() else "# built-in defaults: there is no tta.toml"
    show(asdict(settings), [head, "\n".join(as_toml(settings)).rstrip()], as_json=as_json)
    if any(getattr(settings.sources, name).enabled for name in SOURCES):
        chosen(settings, ())
