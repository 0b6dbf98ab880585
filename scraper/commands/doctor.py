"""`tta doctor`: options, wording and status. `scraper.doctor` does the work."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict
from functools import partial

import click

from scraper.commands import json_option, show
from scraper.doctor.repair import repair
from scraper.doctor.verify import DoctorTables, Report, verify
from scraper.errors import ExitStatus, TtaError
from scraper.folders import Folders, locked
from scraper.progress import ProgressBar
from scraper.terminal import counted


@click.command("doctor")
@click.option("--repair", "repairing", is_flag=True, help="Replace what is damaged; nothing that was captured is deleted.")
@click.option("--unchecked", is_flag=True, help="With --repair: also load what the last refresh refused.")
@click.option("--deep", is_flag=True, help="Also make the database a second time and compare every value.")
@json_option
@click.pass_obj
def command(folders: Folders, repairing: bool, unchecked: bool, deep: bool, as_json: bool) -> int:
    """Verify archive, catalog, ledger and database.

    Reads every record of the archive and compares its digests, so this takes a while. It changes nothing and may run beside
    other commands; --repair and --deep wait for no other run. A `note` needs no attention. The status is 0 if nothing is wrong
    or all was repaired, 3 if something is wrong and nothing was changed, and 4 if a part could not be repaired.
    """
    if unchecked and not repairing:
        raise click.UsageError("--unchecked goes with --repair: nothing else is loaded")
    if not folders.data.is_dir():
        raise TtaError(f"there is no folder {folders.data}: name the data folder with --data")
    lock = locked(folders.data, "tta doctor") if repairing or deep else nullcontext()
    with lock, ProgressBar(counts_bytes=True) as bar, closing(DoctorTables()) as tables:
        progress = partial(bar.update, "reading the archive")
        if repairing:
            report = repair(folders, is_deep=deep, accept_refused=unchecked, progress=progress)
        else:
            report = verify(folders, tables, is_deep=deep, progress=progress)
    show({"intact": not report.wrong} | asdict(report), _lines(report, repairing=repairing), as_json=as_json)
    if repairing:
        return ExitStatus.PARTLY_DONE if report.wrong or report.problems or report.lost else ExitStatus.DONE
    return ExitStatus.DATA_LOOKS_WRONG if report.wrong else ExitStatus.DONE


def _lines(report: Report, *, repairing: bool) -> Iterator[str]:
    for finding in report.repaired:
        yield f"repaired: {finding.text}; {finding.repair}"
        yield from (f"  {example}" for example in finding.examples)
    yield from (f"not repaired: {problem}" for problem in report.problems)
    for finding in report.findings:
        repair = f"; repair: {finding.repair}" if finding.repair else ""
        yield f"{'note: ' if finding.harmless else ''}{finding.text}{repair}"
        yield from (f"  {example}" for example in finding.examples)
    read = f"{counted(report.files, 'WARC file')} with {counted(report.records, 'record')} read, {report.bytes:,} bytes"
    wrong = len(report.wrong)
    if not wrong:
        yield f"{read}: nothing is wrong" + (f"; {counted(report.lost, 'capture')} could not be recovered" if report.lost else "")
    elif repairing:
        yield f"{read}: {counted(wrong, 'problem')} could not be repaired"
    else:
        advice = ": `tta doctor --repair` replaces what is damaged" if any(finding.repair for finding in report.wrong) else ""
        yield f"{read}: {counted(wrong, 'problem')}{advice}"
