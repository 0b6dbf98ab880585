"""Mends the database: it is made again from the archive, in one transaction, and the story of the runs is carried over."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing

from scraper.database.load import Loaded, LoadOptions, load
from scraper.database.runs import check_none_is_refused
from scraper.database.second_database import second_database
from scraper.database.tables import RUN_TABLES
from scraper.doctor.database import MISPLACED
from scraper.doctor.findings import Finding, Kind
from scraper.doctor.salvage import copy_readable, put_in_place
from scraper.doctor.scratch import DATABASE, Scratch
from scraper.folders import Folders
from scraper.sqlite import open_writable


def mend_database(scratch: Scratch, folders: Folders, findings: Collection[Finding], *, unchecked: bool = False) -> None:
    """Does what the findings of the database say. Raises OSError, TtaError, sqlite3.Error.

    HeldBack where a new database would have what the last refresh kept out, unless `unchecked`.
    """
    kinds = {finding.kind for finding in findings}
    scratch.detach(DATABASE)
    if Kind.DATABASE_DAMAGED in kinds:
        _anew(folders, unchecked=unchecked)
    elif kinds == {Kind.DATABASE_PLACES}:
        _tell_places(scratch, folders)
    else:
        load(folders, LoadOptions(rebuild=True, accept_refused=unchecked))


def _anew(folders: Folders, *, unchecked: bool) -> None:
    """A new database, with what can still be read of the runs in the damaged one; that is set aside when the new one is whole."""

    def carry_over(db: sqlite3.Connection, _: Loaded) -> None:
        for table in RUN_TABLES:
            copy_readable(folders.database, table, db)
        if not unchecked:
            check_none_is_refused(db)

    with second_database(folders.data) as beside:
        load(folders, LoadOptions(rebuild=True, before_commit=carry_over, database=beside))
        with closing(open_writable(beside)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all of it is in the one file that takes the place
        put_in_place(beside, folders.database)


def _tell_places(scratch: Scratch, folders: Folders) -> None:
    """Where the captures lie is all that is wrong: it is put right without making anything anew."""
    with scratch.changing(DATABASE, folders.database) as db:
        db.execute(
            "UPDATE tta.captures AS one SET (warc_file, warc_offset) = (SELECT warc_file, warc_offset FROM main.seen s"
            f" WHERE s.capture_id = one.capture_id ORDER BY 1, 2 LIMIT 1) WHERE capture_id IN (SELECT capture_id {MISPLACED})"
        )
