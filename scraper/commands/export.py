"""`tta export`: options and wording. What it does is in `scraper.export.run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scraper.commands import MODES, strict_contacts, without_contacts
from scraper.database.connection import reading
from scraper.database.contacts import in_words, left_out
from scraper.export.flat import MAX_ROWS, NAME
from scraper.export.manifest import verify
from scraper.export.run import FORMATS, export
from scraper.export.selection import Selection
from scraper.folders import Folders
from scraper.stopping import terminated_as_interrupted
from scraper.terminal import escape


def _verify(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    """Checks an earlier export and leaves; nothing is exported."""
    if value is not None:
        count = verify(value)
        click.echo(f"{escape(value)}: {count} {'file is' if count == 1 else 'files are'} as exported")
        context.exit()


def _names(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if value else ()


@click.command("export")
@click.argument("form", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("dest", metavar="DEST", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--where", metavar="SQL", help="Only the records that an SQL condition on the columns of records holds for.")
@click.option("--since", metavar="TIME", help="Only the records captured at that time or later: 2025-01-31, 2025-01-31T12:00Z.")
@click.option("--columns", metavar="A,B,C", callback=_names, help="Only these columns of records, or of the --table; keys stay.")
@click.option("--table", "tables", metavar="NAME", multiple=True, help=f"Only this table; repeatable. Also {NAME}, with csv.")
@without_contacts
@strict_contacts
@click.option(
    "--verify",
    metavar="DEST",
    type=click.Path(path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_verify,
    help="Check an earlier export against its manifest, and do nothing else.",
)
@click.pass_obj
def command(folders: Folders, /, form: str, dest: Path, *, contacts: str | None, **chosen: Any) -> None:
    """Write the data to files for spreadsheets, pandas, R and archives.

    FORMAT is csv, parquet or datapackage, folders with a file per table, or jsonl or geojson, one file each. DEST - is
    standard output, for jsonl, geojson, and csv with one --table. What is there under those names is replaced once all of the
    export is written. A manifest says what was written: rows, bytes and SHA-256 of each file.

    The other tables hold the rows of the chosen records. TIME is when a page was captured, not when it was loaded.
    """
    selection = Selection(**chosen, contacts=MODES[contacts])
    with terminated_as_interrupted(), reading(folders.database) as db:
        out = None if selection.contacts is True else in_words(left_out(db))
        counts = export(form, db, None if str(dest) == "-" else dest, selection)
    if out is not None:
        click.echo(f"left out: {out}", err=True)
    click.echo(f"{escape(dest)}: " + ", ".join(f"{count} {name}" for name, count in counts.items()), err=True)
    if counts.get(NAME, 0) > MAX_ROWS:
        click.echo(f"{NAME}.csv has more rows than the {MAX_ROWS} a sheet can hold: narrow it with --where", err=True)
