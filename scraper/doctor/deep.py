"""Makes the database a second time, beside, and compares: whether it is what the archive says, value by value.

Of the captures that it has: those that are not loaded yet, or that a refresh was refused for, are no fault of its content.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from scraper.database.connection import comparing
from scraper.database.load import LoadOptions, load
from scraper.database.second_database import second_database
from scraper.database.tables import LOCAL_TABLES, TABLES, Table
from scraper.doctor.database import REBUILT
from scraper.doctor.findings import Finding, Kind, counted
from scraper.folders import Folders


def compare(folders: Folders) -> Iterator[Finding]:
    """A finding for each table that differs. Needs room for a second database; raises TtaError where there is none."""
    if not folders.database.exists():
        return
    with second_database(folders.data) as beside:
        load(folders, LoadOptions(rebuild=True, accept_refused=True, database=beside, only_captures_of=folders.database))
        with comparing(folders.database, beside) as db:
            for table in TABLES:
                if table.name not in LOCAL_TABLES:
                    yield from _differing(db, table)


def _differing(db: sqlite3.Connection, table: Table) -> Iterator[Finding]:
    """Rows that only one of the two has; how often each is there counts as well, for a table without keys."""
    names = ", ".join(f'"{name}"' for name in table.columns)
    rows = [f'SELECT {names}, count(*) FROM {schema}."{table.name}" GROUP BY {names}' for schema in ("old", "new")]
    too_many, missing = (
        db.execute(f"SELECT count(*) FROM ({one} EXCEPT {other})").fetchone()[0] for one, other in (rows, reversed(rows))
    )
    if too_many or missing:
        text = f"table {table.name}: {counted(too_many, 'row')} that the archive does not give, {missing:,} that it gives missing"
        yield Finding(Kind.DATABASE_CONTENT, text, too_many + missing, REBUILT, subject=table.name)
