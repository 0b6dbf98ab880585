"""`tta serve`: the database in Datasette."""

from __future__ import annotations

from dataclasses import replace

import click

from scraper.config import load_config
from scraper.folders import Folders
from scraper.serve import PORT, serve


@click.command("serve")
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Port on 127.0.0.1; 0 is any free one.",
)
@click.option("--without-contacts", is_flag=True, help="Leave out names, e-mail addresses and telephone numbers in own fields.")
@click.pass_obj
def command(folders: Folders, port: int, without_contacts: bool) -> None:
    """Show the database in Datasette, on this machine only.

    Ctrl-C ends it. Reads the database and never writes it; what `tta load` commits meanwhile is seen at once. Without
    contacts it serves a copy that is cleared of them, in the folder for temporary files, renewed within a minute of a change.
    Names inside prose, such as a description, stay.
    """
    settings = load_config(folders.config_file).serve
    if without_contacts:
        settings = replace(settings, contacts=False)
    serve(folders.database, port, settings)
