"""`tta import` and `tta scan`: add captures from files, on this machine or anywhere, to the archive."""

import gzip
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

import click

from scraper.commands import json_option, scheduler_option, show, workers_option
from scraper.config import load_config
from scraper.errors import ExitStatus, Stopped, TtaError
from scraper.folders import Folders, locked
from scraper.sources.files import import_paths
from scraper.stopping import Stop
from scraper.terminal import counted, escape


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def import_(folders: Folders, paths: tuple[Path, ...], as_json: bool) -> int:
    """Add captures from files to the archive.

    PATH is a WARC, ARC, WACZ, MHTML, HAR or Safari .webarchive file, an HTML page, a text capture, a page in one of Drupal's
    data formats, a ZIP or tar file of these, or a folder. A file is recognized by its content, not its name. What the archive
    already has is not added again. If anything can't be used, it is named, the rest is imported, and the status is 4.
    """
    with locked(folders.data, "tta import"):
        done = import_paths(folders.archive, paths)
    problems = [*done.recovered, *(f"{problem.where}: {problem.reason}" for problem in done.problems)]
    if done.companions:
        kinds = Counter(one.reason.removeprefix("not a page: ") for one in done.companions)
        listed = ", ".join(f"{kind}: {count}" for kind, count in kinds.most_common())
        problems.append(f"files that are only parts of pages or captures ({listed}) were not imported")
    counts = {"added": done.added, "known": done.known, "companions": len(done.companions), "problems": len(done.problems)}
    show(counts, [f"{counted(done.added, 'new capture')} ({done.known} already archived)"], problems, as_json=as_json)
    return ExitStatus.PARTLY_DONE if done.problems else ExitStatus.DONE


@click.command("scan")
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@click.option("--list", "lists", metavar="FILE", multiple=True, type=click.Path(), help="Read addresses from FILE, one per line.")
@click.option("--prefix", metavar="ADDRESS", help="Prefix of every line of --list, such as s3://eotarchive/.")
@click.option("--source", default="files", metavar="NAME", help="Name of the captures' source.")
@workers_option
@scheduler_option
@json_option
@click.pass_obj
def scan(folders: Folders, /, addresses: tuple[str, ...], lists: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Search whole crawls for the portal's pages.

    Adds pages of the configured hosts to the archive. ADDRESS is a path, or an https:// or s3:// URL, of any file that
    `tta import` reads. Files that were read to their end are not read again. A file that can't be read, or is not recognized, is
    reported, and the next scan reads it. A list may be compressed, and `-` is standard input.
    """
    # imported here, because they import multiprocessing, which `tta import` does not need
    from scraper.scan import run as crawls
    from scraper.workers.processes import Processes, cluster, cores

    if not addresses and not lists:
        raise click.UsageError("give the address of a file, or a --list of them")
    settings = load_config(folders.config_file)
    loopback = settings.http.allow_loopback
    given = chain(
        [crawls.check_address(address, loopback=loopback) for address in addresses],
        *(crawls.read_list(_read_list(name), options["prefix"], loopback=loopback) for name in lists),
    )
    stop = Stop()
    local = Processes(options["workers"] or cores(), stop.check)
    remote = cluster(options["scheduler"], stop.check) if options["scheduler"] else nullcontext(local)
    with stop.on_signals(), locked(folders.data, "tta scan"), remote as pool:
        try:
            done = crawls.scan(folders.data, given, settings.sources.wayback.hosts, options["source"], pool)
        except Stopped:
            click.echo("tta: stopped; captures found so far are kept, and the next scan continues", err=True)
            return ExitStatus.PARTLY_DONE
    counts = {name: getattr(done, name) for name in ("files", "known_files", "failed", "added", "known")}
    read = f"{counted(done.files, 'file')} read ({done.known_files} read before), {done.failed} failed"
    line = f"{read}; {counted(done.added, 'new capture')} ({done.known} already archived)"
    show(counts | {"problems": len(done.problems)}, [line], done.problems, as_json=as_json)
    return ExitStatus.PARTLY_DONE if done.problems else ExitStatus.DONE


def _read_list(name: str) -> Iterator[str]:
    """Yields the lines of a list, which archives publish compressed with gzip."""
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
