"""`tta import`: adds local captures to the archive."""

from collections import Counter
from pathlib import Path

import click

from scraper.commands import json_option, show
from scraper.errors import ExitStatus
from scraper.folders import Folders
from scraper.lock import locked
from scraper.sources.files import import_paths


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_obj
def command(folders: Folders, paths: tuple[Path, ...], as_json: bool) -> int:
    """Add captures from files to the archive.

    PATH is a WARC, ARC, WACZ, MHTML or HAR file, an HTML page, a text capture, a page in one of Drupal's data formats, a ZIP or
    tar file of these, or a folder. A file is judged by its content, whatever its name. What the archive already has is not added
    again. Whatever can't be used is named, the rest is imported, and the status is 4.
    """
    with locked(folders.data, "tta import"):
        done = import_paths(folders.archive, paths)
    problems = [*done.recovered, *(f"{problem.where}: {problem.reason}" for problem in done.problems)]
    if done.companions:
        kinds = Counter(one.reason.removeprefix("not a page: ") for one in done.companions)
        listed = ", ".join(f"{kind}: {count}" for kind, count in kinds.most_common())
        problems.append(f"files that belong to pages or captures and are none ({listed}) were not imported")
    counts = {"added": done.added, "known": done.known, "companions": len(done.companions), "problems": len(done.problems)}
    line = f"{done.added} new capture{'' if done.added == 1 else 's'} ({done.known} already archived)"
    show(counts, [line], problems, as_json=as_json)
    return ExitStatus.PARTLY_DONE if done.problems else ExitStatus.DONE
