"""Replaces what is damaged: first WARC files and the catalog, then the ledger and the database, which are compared with them.

Nothing is patched, and no captured data is deleted. At every moment a file or its replacement is in place; the catalog, which can
be rebuilt, comes last. A killed repair leaves at worst duplicates of intact records. The caller holds the data lock.
"""

import json
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path

from scraper.archive.store import CATALOG, Archive, new_file
from scraper.database import parsed_pages, runs
from scraper.database.connection import second_database
from scraper.database.load import Loaded, LoadOptions, load
from scraper.database.schema import insert_sql
from scraper.database.tables import BY_NAME, RUN_TABLES
from scraper.doctor.verify import COLUMNS_OF_LOST, LOST, DoctorReport, DoctorTables, Finding, verify
from scraper.errors import TtaError
from scraper.folders import Folders, sync
from scraper.ledger import store as ledger
from scraper.sqlite import open_readonly, open_writable, remove, replace_file
from scraper.terminal import Progress, escape

_PASSES = 3  # repair rounds: one for the archive, one for what is compared with it, one for what only then becomes visible


def repair(folders: Folders, *, accept_refused: bool = False, progress: Progress = lambda _done, _total: None) -> DoctorReport:
    """Replaces what can be replaced, and verifies again. `accept_refused` as in LoadOptions. Raises TtaError, OSError."""
    report = DoctorReport()
    for path in (*folders.data.glob(".ledger-*.db*"), *folders.data.glob("archive/.tta-*")):
        path.unlink()  # an incomplete copy of a killed repair
    for number in range(_PASSES + 1):
        with closing(DoctorTables()) as tables:
            now = verify(folders, tables, progress)
            report = replace(now, repaired=report.repaired, problems=report.problems, lost=report.lost)
            fixable = [finding for finding in report.findings if finding.repair]
            if not fixable or report.problems or number == _PASSES:
                break
            tables.release()
            report.lost += sum(finding.count for finding in fixable if finding.kind == "captures-lost")
            _repair(folders, tables, fixable, report, accept_refused=accept_refused)
    return report


def _repair(
    folders: Folders, tables: DoctorTables, fixable: list[Finding], report: DoctorReport, *, accept_refused: bool
) -> None:
    """Repairs the archive or, if nothing is wrong with it, all other parts. The report gets what was repaired and what failed."""
    parts: dict[str, list[Finding]] = {"archive": [], "parsed": [], "ledger": [], "database": []}
    for finding in fixable:
        parts.get(finding.kind.partition("-")[0], parts["archive"]).append(finding)
    for part in ["archive"] if parts["archive"] else [part for part, findings in parts.items() if findings]:
        try:
            if part == "archive":
                _repair_archive(tables, folders.archive, parts[part])
            elif part == "parsed":
                remove(folders.data / parsed_pages.NAME)
            elif part == "ledger":
                ledger.replace(folders.ledger, "damaged")
            else:
                _replace_database(folders, parts[part], accept_refused=accept_refused)
            report.repaired += parts[part]
        except (TtaError, OSError, sqlite3.Error) as error:
            report.problems.append(escape(error, 1000))


def _replace_database(folders: Folders, findings: list[Finding], *, accept_refused: bool) -> None:
    """Rebuilds an intact database; replaces a damaged one, and keeps its run history if all of it is readable."""
    if not any(finding.kind == "database-damaged" for finding in findings):
        load(folders, LoadOptions(rebuild=True, accept_refused=accept_refused))
        return

    def carry_over(db: sqlite3.Connection, _: Loaded) -> None:
        with suppress(sqlite3.Error), closing(open_readonly(folders.database)) as old:
            columns = {name: ", ".join(BY_NAME[name].columns) for name in RUN_TABLES}
            history = {name: old.execute(f"SELECT {columns[name]} FROM {name}").fetchall() for name in RUN_TABLES}
            for name, rows in history.items():
                db.executemany(insert_sql(name), rows)
        if not accept_refused:
            runs.check_none_is_refused(db)

    with second_database(folders.data) as fresh:
        load(folders, LoadOptions(rebuild=True, before_commit=carry_over, database=fresh))
        with closing(open_writable(fresh)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the replacement is complete without these files
        replace_file(folders.database, fresh, "damaged")


def _repair_archive(tables: DoctorTables, folder: Path, findings: list[Finding]) -> None:
    """Lists lost captures, copies intact records out of damaged files, and rebuilds the catalog."""
    rows = tables.db.execute(f"SELECT {COLUMNS_OF_LOST} FROM lost ORDER BY warc_file, warc_offset").fetchall()
    if rows:  # after this there may be no other trace of them
        path, fresh = folder / LOST, folder / f".tta-{LOST}"
        known = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        lost = (json.dumps(dict(zip(COLUMNS_OF_LOST.split(", "), row, strict=True))) for row in rows)
        fresh.write_text("".join(f"{line}\n" for line in dict.fromkeys([*known, *lost])), encoding="utf-8")
        _replace_file(path, fresh)
    for finding in findings:
        if finding.kind == "records-damaged" and finding.subject:
            _copy_intact(tables, folder, finding.subject)
    for path in folder.glob(f"{CATALOG}*"):
        path.unlink()
    with Archive(folder, writable=True):
        pass  # opening it fills the catalog


def _copy_intact(tables: DoctorTables, folder: Path, name: str) -> None:
    """Copies the file's intact records to a new file, byte for byte, and renames the file itself."""
    damaged = folder / name
    fresh = new_file(folder)
    unfinished = folder / f".tta-{fresh.name}.unfinished"  # `archive` reads every file with the suffix of a WARC file
    query = "SELECT DISTINCT warc_offset, warc_length FROM seen WHERE warc_file = ? ORDER BY warc_offset"
    with damaged.open("rb") as source, unfinished.open("wb") as target:
        for offset, length in tables.db.execute(query, [name]):
            source.seek(offset)
            target.write(source.read(length))
    if unfinished.stat().st_size:
        _replace_file(fresh, unfinished)
    else:
        unfinished.unlink()
    names = (damaged.with_name(f"{name}.damaged-{number}") for number in count(1))
    damaged.replace(next(path for path in names if not path.exists()))
    sync(folder)


def _replace_file(path: Path, fresh: Path) -> None:
    sync(fresh)
    fresh.replace(path)
    sync(path.parent)
