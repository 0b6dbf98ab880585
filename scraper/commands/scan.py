"""`tta scan`: searches whole crawls for TTA pages."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain
from pathlib import Path

import click

from scraper.config import load_config
from scraper.errors import ExitStatus, Stopped, TtaError
from scraper.folders import Folders
from scraper.lock import locked
from scraper.scan.addresses import checked, listed
from scraper.scan.run import scan
from scraper.stopping import Stop
from scraper.terminal import escape
from scraper.workers.cluster import cluster
from scraper.workers.processes import Processes, cores


@click.command("scan")
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option("--list", "lists", metavar="FILE", multiple=True, type=click.Path(), help="Read addresses from FILE, a line each.")
@click.option("--prefix", metavar="ADDRESS", help="Put before every line of --list, such as s3://eotarchive/.")
@click.option("--source", default="files", show_default=True, metavar="NAME", help="Name of the captures' source.")
@click.option("--workers", metavar="N", type=click.IntRange(1, 256), help="Files read at a time; by default one per core.")
@click.option("--scheduler", metavar="ADDRESS", help="Read on the dask cluster with this scheduler, such as tcp://10.0.0.5:8786.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@click.pass_context
def command(
    context: click.Context,
    /,
    addresses: tuple[str, ...],
    lists: tuple[str, ...],
    prefix: str | None,
    **options: str | int | bool | None,
) -> None:
    """Search whole crawls for the portal's pages.

    Adds pages of the configured hosts to the archive. ADDRESS is a path, https:// or s3://, of any file that `tta import` reads.
    Files that were read to their end are not read again. A file that can't be read, or is not recognized, is reported, and the
    next scan reads it. A list may be compressed, and `-` is standard input.
    """
    folders: Folders = context.obj
    if not addresses and not lists:
        raise click.UsageError("give the address of a file, or a --list of them")
    settings = load_config(folders.config_file)
    loopback = settings.http.allow_loopback
    given = chain(
        [checked(address, loopback=loopback) for address in addresses],
        *(listed(_lines(name), prefix, loopback=loopback) for name in lists),
    )
    hosts, source = settings.sources.wayback.hosts, str(options["source"])
    stop = Stop()
    workers = Processes(int(options["workers"] or cores()), stop.check)
    crew = cluster(str(options["scheduler"]), stop.check) if options["scheduler"] else nullcontext(workers)
    with stop.on_signals(), locked(folders.data, "tta scan"), crew as pool:
        try:
            done = scan(folders.data, given, hosts, source, pool)
        except Stopped:
            click.echo("tta: stopped; captures found so far are kept, and the next scan continues", err=True)
            context.exit(int(ExitStatus.PARTLY_DONE))
    for problem in done.problems:
        click.echo(escape(problem), err=True)
    if options["as_json"]:
        counts = {"files": done.files, "known_files": done.known_files, "failed": done.failed}
        click.echo(json.dumps(counts | {"added": done.added, "known": done.known, "problems": len(done.problems)}))
    else:
        click.echo(
            f"{done.files} file{'' if done.files == 1 else 's'} read ({done.known_files} read before), {done.failed} failed; "
            f"{done.added} new capture{'' if done.added == 1 else 's'} ({done.known} already archived)"
        )
    context.exit(int(ExitStatus.PARTLY_DONE if done.problems else ExitStatus.DONE))


def _lines(name: str) -> Iterator[str]:
    """Lines of a list, which archives publish with gzip."""
    if name == "-":
        yield from sys.stdin
        return
    path = Path(name)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8") as lines:
            yield from lines
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise TtaError(f"{escape(path)}: {getattr(error, 'strerror', None) or 'not a list of addresses'}") from None
