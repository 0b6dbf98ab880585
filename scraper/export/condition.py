"""The condition of `--where`: SQL from the person at the terminal, held to one expression that only reads, within bounds.

It is a wall against slips, not enemies (who have the file itself): a statement that writes, runs for ever or fills the memory.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scraper.database.contacts import COLUMNS
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
            raise WrongUsage(f"--where: {reasons[0] if reasons else _said(error)}") from None


def _said(error: Exception) -> str:
    code = getattr(error, "sqlite_errorname", "")
    if code == "SQLITE_INTERRUPT":
        return f"took over {SECONDS:.0f} s: ask for less"
    if code == "SQLITE_TOOBIG":
        return "is too long, or makes too long a text"
    text = " ".join(str(error).split())
    return f"{text}; give one SQL condition on the columns of records, such as \"fiscal_year = 2024 AND county LIKE 'Suffolk%'\""


@contextmanager
def _guarded(db: sqlite3.Connection, *, contacts: bool) -> Iterator[list[str]]:
    """Bounds what SQL on the connection may do and how long; yields what it was refused for. The database itself is read-only."""
    reasons: list[str] = []

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and not contacts and first == "records" and second in COLUMNS:
            reasons.append(f"reads {second}, a contact detail, which --without-contacts leaves out")
        elif action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _UNSTEADY:
            reasons.append(f"may not use {second}()")
        return sqlite3.SQLITE_DENY if reasons else sqlite3.SQLITE_OK

    limits = {sqlite3.SQLITE_LIMIT_LENGTH: MAX_TEXT, sqlite3.SQLITE_LIMIT_SQL_LENGTH: MAX_SQL}
    before = {limit: db.setlimit(limit, value) for limit, value in limits.items()}
    ends = time.monotonic() + SECONDS
    db.set_authorizer(authorize)
    db.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
    try:
        yield reasons
    finally:
        db.set_progress_handler(None, 0)
        db.set_authorizer(None)
        for limit, value in before.items():
            db.setlimit(limit, value)
