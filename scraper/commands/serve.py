"""`tta serve`: the database in Datasette."""

from dataclasses import replace
from pathlib import Path

import click

from scraper.commands import MODES, strict_contacts, without_contacts
from scraper.config import load_config
from scraper.folders import Folders
from scraper.serve import ADDRESS, serve

HOST, PORT = ADDRESS
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("serve")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=PORT, help="Port to listen on; 0: any free port.")
@click.option("--host", metavar="ADDRESS", default=HOST, help="Address to listen on; another only inside a container.")
@click.option("--plugins-dir", metavar="DIR", type=FOLDER, help="Folder with Datasette plugins.")
@without_contacts
@strict_contacts
@click.pass_obj
def command(folders: Folders, host: str, port: int, plugins_dir: Path | None, contacts: str | None) -> None:
    """Show the database in Datasette, on this machine only.

    Ctrl-C ends it. Reads the database and never writes it; what `tta load` commits meanwhile is shown at once. Without contacts,
    it serves a copy without contact details, in the folder for temporary files, renewed within a minute of a change. Names in
    prose, such as a description, stay.
    """
    settings = load_config(folders.config_file).serve
    settings = replace(settings, contacts=MODES[contacts]) if contacts else settings
    serve(folders.database, (host, port), settings, plugins_dir)
