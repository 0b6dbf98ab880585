"""Verifies a data folder from the archive up. Changes nothing, and needs no lock."""

from __future__ import annotations

from scraper.database.parsed_pages import NAME as PARSED
from scraper.doctor.archive import Progress, compare_catalog, open_catalog, read_warc_files, verify_files
from scraper.doctor.database import compare_content, compare_database, open_database
from scraper.doctor.findings import Finding, Kind, Report, examples
from scraper.doctor.ledger import compare_ledger, open_ledger
from scraper.doctor.tables import DoctorTables, inspect
from scraper.folders import Folders


def verify(folders: Folders, tables: DoctorTables, *, is_deep: bool = False, progress: Progress | None = None) -> Report:
    """All findings, the archive's first. `tables` keeps what was read, for a repair. Raises TtaError, OSError.

    `is_deep`: the database is also made a second time and compared. That takes as long as a rebuild, and the folder's lock.
    """
    report = Report()
    found = report.findings
    found += open_catalog(tables, folders.archive)
    beside = [*open_ledger(tables, folders.ledger), *open_database(tables, folders.database)]
    tables.begin()
    found += read_warc_files(tables, folders.archive, report, progress)
    found += verify_files(tables, folders.archive)
    found += compare_catalog(tables)
    found += beside
    found += compare_ledger(tables)
    found += compare_database(tables)
    parsed = folders.data / PARSED
    if parsed.exists() and (damage := inspect(parsed).damage):
        text, repair = f"{PARSED}, the store of parsed pages, is damaged", "it is deleted, and the next load parses again"
        found.append(Finding(Kind.PARSED_DAMAGED, text, len(damage), repair, examples=examples(damage)))
    if is_deep and not report.wrong:
        found += compare_content(folders)
    return report
