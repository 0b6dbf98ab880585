"""`tta overlay`: adds a user's own tables to the database."""

from dataclasses import asdict
from pathlib import Path

import click

from scraper.archive.store import CATALOG
from scraper.commands import json_option, show
from scraper.database import overlays
from scraper.database.connection import writing
from scraper.folders import Folders, locked
from scraper.terminal import counted, escape

_SHOWN = 10  # keys without a record that are named


@click.group("overlay")
def command() -> None:
    """Attach tables of your own to the database and its pages.

    Population, urban-rural codes, award data: any CSV file with a column of keys that records have too. The copy in the data
    folder stays attached when the database is recreated. Everyone who can open the pages sees all of it.
    """


@command.command("add")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", required=True, metavar="COLUMN", help="Its column of keys; FIPS=place_county_code names both columns.")
@click.option("--name", help="Name of the table after overlay_; by default that of the file.")
@json_option
@click.pass_obj
def add(folders: Folders, file: Path, key: str, name: str | None, as_json: bool) -> None:
    """Attach a CSV file as the table overlay_NAME, and report how well its keys match."""
    with locked(folders.data, "tta overlay"), writing(folders.database, folders.archive / CATALOG) as (db, _):
        found = overlays.add(db, folders.data, file, key, name)
    lines = [
        f"attached as overlay_{found.name}: {counted(found.rows, 'row')}, joined with records.{found.column}",
        f"{found.matched} of the {found.records} records with a {found.column} have a row",
    ]
    for count, text in ((found.padded, "leading zeros restored"), (found.repeated, "in more than one row")):
        lines += [f"{text}: {counted(count, 'key')}"] if count else []
    if keys := found.unmatched:
        more = ", ..." if len(keys) > _SHOWN else ""
        lines.append(f"without a record: {counted(len(keys), 'key')}: {escape(', '.join(keys[:_SHOWN]))}{more}")
    show(asdict(found), lines, as_json=as_json)


@command.command("list")
@click.pass_obj
def list_(folders: Folders) -> None:
    """List the attached tables."""
    for path in sorted((folders.data / overlays.FOLDER).glob("*.csv")):
        click.echo(path.stem)


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(folders: Folders, name: str) -> None:
    """Detach the table overlay_NAME and delete its copy."""
    with locked(folders.data, "tta overlay"), writing(folders.database, folders.archive / CATALOG) as (db, _):
        overlays.remove(db, folders.data, name)
