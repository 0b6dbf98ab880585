"""The condition of `--where`: SQL from the person at the terminal, held to one expression that only reads, within bounds.

It is a wall against slips, not enemies (who have the file itself): a statement that writes, runs for ever or fills the memory.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scraper.database import contacts
from scraper.errors import WrongUsage

SECONDS = 60.0
"""Bound on finding the records. A scan of a million takes about a second."""
MAX_TEXT = 100_000_000
"""Bytes of a text that the condition may make, such as by `printf`."""
MAX_SQL = 100_000
_STEPS = 10_000
"""Virtual machine steps between looks at the clock, some ten in a millisecond."""
_UNSTEADY = frozenset("random randomblob changes total_changes last_insert_rowid load_extension fts3_tokenizer".split())
"""Functions whose answer is not the database's."""


def choose(db: sqlite3.Connection, order: str, where: str | None, since: str | None, *, contacts: bool) -> None:
    """Fills `temp.chosen` with the records that fit, numbered from 1 in that order.

    `since`: ISO 8601 without Z; records captured then or later, or seen to have changed then. Raises WrongUsage.
    """
    conditions, values = ["1"], []
    if since is not None:
        conditions.append(
            "record_id IN (SELECT record_id FROM captures WHERE rtrim(captured_at, 'Z') >= ? "
            "UNION SELECT record_id FROM changes WHERE rtrim(seen_by, 'Z') >= ?)"
        )
        values += [since, since]
    if where is not None:
        conditions.append(f"(\n{where}\n)")
    insert = (
        f"INSERT INTO temp.chosen (record_id) SELECT record_id FROM records WHERE {' AND '.join(conditions)} ORDER BY {order}"
    )
    if where is None:
        db.execute(insert, values)
        return
    with _guarded(db, contacts=contacts) as reasons:
        try:
            db.execute(f"SELECT coalesce(1, (\n{where}\n), 2) FROM records LIMIT 0")  # a second place that one expression fits
            db.execute(insert, values)
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise WrongUsage(f"--where: {_said(error, reasons)}") from None


def _said(error: Exception, reasons: list[str]) -> str:
    if reasons:
        return reasons[0]
    code = getattr(error, "sqlite_errorname", "")
    if code == "SQLITE_INTERRUPT":
        return f"took over {SECONDS:.0f} s: ask for less"
    if code == "SQLITE_TOOBIG":
        return "is too long, or makes too long a text"
    text = " ".join(str(error).split())
    return f"{text}; give one SQL condition on the columns of records, such as \"fiscal_year = 2024 AND county LIKE 'Suffolk%'\""


@contextmanager
def _guarded(db: sqlite3.Connection, *, contacts: bool) -> Iterator[list[str]]:
    """Bounds what SQL on the connection may do and how long; yields what it was refused for."""
    reasons: list[str] = []
    limits = {sqlite3.SQLITE_LIMIT_LENGTH: MAX_TEXT, sqlite3.SQLITE_LIMIT_SQL_LENGTH: MAX_SQL}
    before = {limit: db.setlimit(limit, value) for limit, value in limits.items()}
    ends = time.monotonic() + SECONDS
    db.set_authorizer(_Rule(reasons, contacts=contacts))
    db.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
    try:
        yield reasons
    finally:
        db.set_progress_handler(None, 0)
        db.set_authorizer(None)
        for limit, value in before.items():
            db.setlimit(limit, value)


class _Rule:
    """SQLite's authorizer: what a condition may do."""

    def __init__(self, reasons: list[str], *, contacts: bool) -> None:
        self._reasons = reasons
        self._contacts = contacts

    def __call__(self, action: int, first: str | None, second: str | None, schema: str | None, _inner: str | None) -> int:
        reason = self._refusal(action, first, second, schema)
        if reason is None:
            return sqlite3.SQLITE_OK
        self._reasons.append(reason)
        return sqlite3.SQLITE_DENY

    def _refusal(self, action: int, first: str | None, second: str | None, schema: str | None) -> str | None:
        match action:
            case sqlite3.SQLITE_SELECT:
                return None
            case sqlite3.SQLITE_READ if not self._contacts and first == "records" and second in contacts.COLUMNS:
                return f"reads {second}, a contact detail, which --without-contacts leaves out"
            case sqlite3.SQLITE_READ:
                return None
            case sqlite3.SQLITE_FUNCTION:
                return f"may not use {second}()" if (second or "").lower() in _UNSTEADY else None
            case sqlite3.SQLITE_INSERT if (first, schema) == ("chosen", "temp"):
                return None
            case sqlite3.SQLITE_UPDATE if first == "sqlite_master":  # asked for when json_each or search are first opened
                return None
            case sqlite3.SQLITE_PRAGMA if first == "data_version":  # full-text search looks whether its index is still the same
                return None
            case _:
                return "may only read: give a condition, not a statement"
