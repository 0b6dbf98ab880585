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
@click.option(
    "--without-contacts", is_flag=True, help="Leave out people's names, email addresses and phone numbers; prose stays as it is."
)
@click.option("--strict-contacts", is_flag=True, help="The same, and mask email addresses and phone numbers in prose.")
@click.pass_obj
def command(folders: Folders, port: int, *, without_contacts: bool, strict_contacts: bool) -> None:
    """Show the database in Datasette, on this machine only.

    Ctrl-C ends it. Reads the database and never writes it; what `tta load` commits meanwhile is shown at once. Without
    contacts it serves a copy from which they were removed, in the folder for temporary files, renewed within a minute of a
    change. Names in prose, such as a description, stay.
    """
    settings = load_config(folders.config_file).serve
    if without_contacts or strict_contacts:
        settings = replace(settings, contacts="strict" if strict_contacts else False)
    serve(folders.database, port, settings)
