"""Appends many rows to a table: `load` and `build` do, `schema` names the columns.

Of the time that a row by itself takes, SQLite's tables take a fifth; the rest is values bound and statements begun and ended
(docs/decisions/loading.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from scraper.database.schema import insert_sql

_AT_ONCE = 16
"""Rows in one statement; 50 are hardly quicker."""
_NULL = float("nan")
"""SQLite keeps NaN as NULL. Python's sqlite3 knows a float by its type, but for each None it looks for an adapter first: with the
time to put NaN in its place, a row is bound in three quarters of the time."""


def insert_rows(db: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Appends whole rows in their order, the values of each in the order of `Table.columns`."""
    whole = len(rows) - len(rows) % _AT_ONCE
    chunks = (rows[at : at + _AT_ONCE] for at in range(0, whole, _AT_ONCE))
    db.executemany(insert_sql(table, _AT_ONCE), map(_bound, chunks))
    db.executemany(insert_sql(table), (_bound([row]) for row in rows[whole:]))


def _bound(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The values of some rows, one after the other."""
    return [_NULL if value is None else value for row in rows for value in row]
