"""`tta export`: the database as files."""

from __future__ import annotations

from pathlib import Path

import click

from scraper.database.connection import reading
from scraper.export import write_csv, write_jsonl
from scraper.folders import Folders
from scraper.plaintext import printable


@click.command("export")
@click.argument("form", metavar="FORMAT", type=click.Choice(["csv", "jsonl"]))
@click.argument("dest", metavar="DEST", type=click.Path(path_type=Path, allow_dash=True))
@click.pass_obj
def command(folders: Folders, form: str, dest: Path) -> None:
    """Write the database to DEST as csv (a folder, a file per table) or jsonl (a file, a record per line; - is standard output).

    What is there under those names is replaced once all of the export is written.
    """
    if form == "csv" and str(dest) == "-":
        raise click.UsageError("csv is a folder of tables: name one in place of -")
    with reading(folders.database) as db:
        if form == "csv":
            counts = write_csv(db, dest)
            click.echo(f"{printable(dest)}: " + ", ".join(f"{count} {name}" for name, count in counts.items()), err=True)
        else:
            count = write_jsonl(db, None if str(dest) == "-" else dest)
            click.echo(f"{printable(dest)}: {count} records", err=True)
