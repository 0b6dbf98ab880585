"""`tta serve`: the database in Datasette."""

from dataclasses import replace

import click

from scraper.commands import MODES, strict_contacts, without_contacts
from scraper.config import load_config
from scraper.folders import Folders
from scraper.serve import PORT, serve

PORTS = click.IntRange(0, 65535)


@click.command("serve")
@click.option("--port", metavar="N", type=PORTS, default=PORT, help="Port on 127.0.0.1; 0 is any free one.")
@without_contacts
@strict_contacts
@click.pass_obj
def command(folders: Folders, port: int, contacts: str | None) -> None:
    """Show the database in Datasette, on this machine only.

    Ctrl-C ends it. Reads the database and never writes it; what `tta load` commits meanwhile is shown at once. Without
    contacts it serves a copy from which they were removed, in the folder for temporary files, renewed within a minute of a
    change. Names in prose, such as a description, stay.
    """
    settings = load_config(folders.config_file).serve
    serve(folders.database, port, replace(settings, contacts=MODES[contacts]) if contacts else settings)
