"""`tta export`: options and wording. What it does is in `scraper.export.run`."""

from pathlib import Path
from typing import Any

import click

from scraper.commands import MODES, strict_contacts, without_contacts
from scraper.database.connection import reading
from scraper.database.contacts import count_left_out, describe_left_out
from scraper.errors import WrongUsage
from scraper.export.csvfile import MAX_ROWS
from scraper.export.manifest import run_on_manifest, verify
from scraper.export.run import FORMATS, export
from scraper.export.selection import Selection
from scraper.export.tables import FLAT
from scraper.folders import Folders
from scraper.stopping import terminated_as_interrupted
from scraper.terminal import escape

PATH = click.Path(path_type=Path, allow_dash=True)


@click.command("export")
@click.argument("form", metavar="FORMAT", type=click.Choice(FORMATS), required=False)
@click.argument("dest", metavar="DEST", type=PATH, required=False)
@click.option("--where", metavar="SQL", help="Only the records that meet an SQL condition on the columns of records.")
@click.option("--since", metavar="TIME", help="Only the records captured at that time or later: 2025-01-31, 2025-01-31T12:00Z.")
@click.option("--columns", metavar="A,B,C", default="", show_default=False, help="Only keys, and these columns of the table.")
@click.option("--table", "tables", metavar="NAME", multiple=True, help=f"Only this table; repeatable. Also {FLAT}, with csv.")
@without_contacts
@strict_contacts
@click.option("--with-contacts", "contacts", flag_value="with", help="Keep contacts in a site, which omits them by default.")
@click.option(
    "--sign", metavar="COMMAND", multiple=True, help="Then sign: run your command, with {} replaced by the manifest's path."
)
@click.option("--verify", metavar="DEST", type=PATH, help="Only check an earlier export against its manifest.")
@click.option(
    "--check", metavar="COMMAND", multiple=True, help="With --verify: run your command that checks a signature; {} as for --sign."
)
@click.pass_obj
def command(folders: Folders, /, form: str | None, dest: Path | None, sign: tuple[str, ...], **options: Any) -> None:
    """Write the data to files for spreadsheets, pandas, R and archives.

    FORMAT is csv, parquet or datapackage, folders with a file per table; xlsx, jsonl or geojson, one file; wacz, one file with
    the captures themselves; or site, a folder with the pages of `tta serve` that can be opened from any web server or disk. DEST
    - is standard output, for formats of one file, and csv with one --table. An earlier export is replaced once the new one is
    complete; other files never are. A manifest lists rows, bytes and SHA-256 of each file.

    The other tables contain the rows of the selected records. TIME is when a page was captured, not when it was loaded.
    """
    old, checks = options.pop("verify"), options.pop("check")
    if old is not None:
        count, unchecked = verify(old, checks)
        click.echo(f"{escape(old)}: {count} {'file is' if count == 1 else 'files are'} as exported")
        for name in unchecked:
            click.echo(f"{escape(name)}: not checked; give the command that checks it with --check", err=True)
    elif form is None or dest is None:
        raise click.UsageError("Missing argument 'FORMAT' or 'DEST'.")
    elif checks or (sign and str(dest) == "-"):
        raise WrongUsage(
            "--check goes with --verify" if checks else "standard output has no manifest to sign: name a destination"
        )
    else:
        _export(folders, form, dest, **options)
        for one in sign:
            run_on_manifest(one, dest)


def _export(folders: Folders, form: str, dest: Path, *, contacts: str | None, columns: str, **chosen: Any) -> None:
    kept = form != "site" if contacts is None else MODES.get(contacts, True)
    names = tuple(filter(None, map(str.strip, columns.split(","))))
    selection = Selection(**chosen, columns=names, contacts=kept)
    with terminated_as_interrupted(), reading(folders.database) as db:
        notes = [f"left out: {describe_left_out(count_left_out(db))}"] if kept is not True else []
        counts = export(form, db, None if str(dest) == "-" else dest, selection)
    if form == "wacz":
        notes.append("The captures are complete: they may contain people's names and contact details.")
    if counts.get(FLAT, 0) > MAX_ROWS:
        notes.append(f"{FLAT}.csv has more rows than the {MAX_ROWS:,} of a sheet: narrow it with --where")
    width = len(f"{max(counts.values()):,}")
    lines = [f"{count:{width},} {name}" for name, count in counts.items()]
    written = f"{escape(dest)}: {lines[0]}" if len(lines) == 1 else "\n  ".join([f"{escape(dest)}:", *lines])
    click.echo("\n".join([written, *notes]), err=True)
