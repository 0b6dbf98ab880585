"""Examines a data folder from the archive up. Changes nothing; the caller holds the folder's lock."""

from __future__ import annotations

from scraper.doctor import deep
from scraper.doctor.archive import Progress, compare_catalog, examine_catalog, examine_files, survey
from scraper.doctor.database import examine_database
from scraper.doctor.findings import Examined
from scraper.doctor.ledger import examine_ledger
from scraper.doctor.leftovers import examine_leftovers, lost_earlier
from scraper.doctor.scratch import Scratch
from scraper.folders import Folders


def examine(folders: Folders, scratch: Scratch, *, is_deep: bool = False, progress: Progress | None = None) -> Examined:
    """Everything that is found, the archive's findings first. `scratch` keeps what was seen, for a repair. Raises OSError.

    `is_deep`: the database is also made a second time, beside, and compared; that takes as long as a rebuild.
    """
    examined = Examined()
    found = examined.findings
    found += examine_catalog(scratch, folders.archive)
    survey(scratch, folders.archive, examined, progress)
    found += examine_files(scratch, folders.archive)
    found += compare_catalog(scratch)
    found += examine_ledger(scratch, folders.ledger)
    found += examine_database(scratch, folders.database)
    found += examine_leftovers(folders)
    found += lost_earlier(scratch, folders)
    if is_deep and not examined.wrong:
        found += deep.compare(folders)
    return examined
