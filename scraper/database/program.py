"""Which code read the captures: tells a plan that a rebuild could change nothing, without reading anything again."""

from __future__ import annotations

import sqlite3

from scraper.database.schema import insert_sql
from scraper.reading_code import reading_code


def note(db: sqlite3.Connection, *, whole: bool) -> None:
    """Keeps the code of a load. `whole`: it read everything; else what is there may have been read with other code."""
    if not whole and read_with(db) == reading_code():
        return
    db.execute("DELETE FROM program")
    db.execute(insert_sql("program"), [reading_code() if whole else None])


def read_with(db: sqlite3.Connection, schema: str = "main") -> str | None:
    """The code that read everything in the database; None where parts of it were read with different code."""
    row = db.execute(f"SELECT code FROM {schema}.program").fetchone()
    return None if row is None or row[0] is None else str(row[0])
