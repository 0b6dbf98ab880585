"""`tta doctor`: options, wording and status. What is looked at and mended is in `scraper.doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

import click

from scraper.doctor.examine import examine
from scraper.doctor.findings import Examined, counted
from scraper.doctor.repair import Repaired
from scraper.doctor.repair import repair as mend_all
from scraper.doctor.scratch import Scratch
from scraper.errors import ExitStatus, TtaError
from scraper.folders import Folders
from scraper.lock import locked
from scraper.progress import ProgressBar


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Mend what is found; nothing that was captured is deleted.")
@click.option("--unchecked", is_flag=True, help="With --repair: load also what the checks of the last refresh kept out.")
@click.option("--deep", is_flag=True, help="Make the database a second time, beside, and compare all of it.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.pass_obj
def command(folders: Folders, repair: bool, unchecked: bool, deep: bool, as_json: bool) -> int:
    """Verify archive, catalog, ledger and database.

    Every record of the archive is read and its digests are compared, so this takes a while. A `note` is nothing to worry about.
    The status is 0 where nothing is wrong, or all was mended, 3 where something is wrong and nothing was changed, and 4 where
    a part could not be mended.
    """
    if unchecked and not repair:
        raise click.UsageError("--unchecked goes with --repair: nothing else is loaded")
    if not folders.data.is_dir():
        raise TtaError(f"there is no folder {folders.data}: name the data folder with --data")
    with locked(folders.data, "tta doctor"), ProgressBar(counts_bytes=True) as bar:
        if repair:
            repaired = mend_all(folders, is_deep=deep, unchecked=unchecked, progress=partial(bar.update, "reading the archive"))
            examined = repaired.after
        else:
            repaired = None
            with Scratch() as scratch:
                examined = examine(folders, scratch, is_deep=deep, progress=partial(bar.update, "reading the archive"))
    if as_json:
        click.echo(json.dumps(_as_json(examined, repaired), indent=2))
    else:
        for line in _lines(examined, repaired):
            click.echo(line)
    if repaired:
        return ExitStatus.DONE if repaired.is_whole else ExitStatus.PARTLY_DONE
    return ExitStatus.DATA_LOOKS_WRONG if examined.wrong else ExitStatus.DONE


def _as_json(examined: Examined, repaired: Repaired | None) -> dict[str, object]:
    if repaired is None:
        return examined.as_json()
    mended = [asdict(finding) for finding in repaired.mended]
    return examined.as_json() | {"mended": mended, "problems": repaired.problems, "lost": repaired.lost}


def _lines(examined: Examined, repaired: Repaired | None) -> Iterator[str]:
    if repaired:
        for finding in repaired.mended:
            yield f"mended: {finding.text}; {finding.mend}"
            yield from (f"  {example}" for example in finding.examples)
        for problem in repaired.problems:
            yield f"not mended: {problem}"
    for finding in examined.findings:
        yield from finding.lines()
    read = f"{counted(examined.files, 'WARC file')} with {counted(examined.records, 'record')} read, {examined.bytes:,} bytes"
    wrong = len(examined.wrong)
    if not wrong:
        lost = f"; {counted(repaired.lost, 'capture')} had to be given up" if repaired and repaired.lost else ""
        yield f"{read}: nothing is wrong{lost}"
    elif repaired:
        yield f"{read}: {counted(wrong, 'thing')} could not be mended"
    else:
        mend = ": `tta doctor --repair` mends what can be" if any(finding.mend for finding in examined.wrong) else ""
        yield f"{read}: {counted(wrong, 'thing')} wrong{mend}"
