"""Imports every file of a folder, each into an archive of its own, and lists what came of it.

python -m tests.campaigns.real_files FOLDER

For test files of other projects, which are not part of this repository. A file is silent if it yields no capture and nothing is
reported of it; that is an error. `warcio` counts the records of those WARC and ARC files that it can read.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click
from warcio.archiveiterator import ArchiveIterator

from scraper.sources.files import import_paths

_CAPTURES = ("response", "resource", "conversion", "revisit")


def counted_by_warcio(path: Path) -> int | None:
    """Captures that warcio finds, None if it can't read the file to its end. It takes some HTML for ARC."""
    if "arc" not in path.name.lower():
        return None
    try:
        with path.open("rb") as file:
            return sum(one.rec_type in _CAPTURES for one in ArchiveIterator(file, arc2warc=True))
    except Exception:
        return None


def main(folder: Path) -> int:
    totals: Counter[str] = Counter()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        with tempfile.TemporaryDirectory() as scratch:
            began = time.monotonic()
            done = import_paths(Path(scratch) / "archive", [path])
            seconds = time.monotonic() - began
        captures, theirs = done.added + done.known, counted_by_warcio(path)
        kind = "yielded" if captures else "reported" if done.problems else "SILENT"
        if theirs is not None and captures < theirs and not done.problems:
            kind = "FEWER"
        totals.update({kind: 1, "captures": captures, "problems": len(done.problems), "warcio": theirs or 0})
        note = f"; {len(done.problems)} problems: {done.problems[0].reason[:90]}" if done.problems else ""
        slow = f" {seconds:.0f} s" if seconds > 5 else ""
        click.echo(f"{kind:8} {captures:6} of {'?' if theirs is None else theirs:>6}{slow} {path.relative_to(folder)}{note}")
    click.echo(", ".join(f"{name}: {count}" for name, count in sorted(totals.items())))
    return 1 if totals["SILENT"] or totals["FEWER"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
