"""The condition of `--where`: SQL from the person at the terminal, held to one expression that only reads, within bounds.

It is a wall against slips, not enemies (who have the file itself): a statement that writes, runs for ever or fills the memory.
"""

import sqlite3
import time

from scraper.database.contacts import COLUMNS
from scraper.errors import WrongUsage

SECONDS = 60.0
"""Bound on finding the records. A scan of a million takes about a second."""
_LIMITS = {sqlite3.SQLITE_LIMIT_LENGTH: 100_000_000, sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000}
"""Bytes of a text that the condition may make, such as by `printf`, and of the condition."""
_STEPS = 10_000
"""Virtual machine steps between looks at the clock, some ten in a millisecond."""
_UNSTEADY = frozenset("random randomblob changes total_changes last_insert_rowid load_extension fts3_tokenizer".split())
"""Functions whose answer is not the database's."""
_TROUBLE = {
    "SQLITE_INTERRUPT": f"took over {SECONDS:.0f} s: ask for less",
    "SQLITE_TOOBIG": "is too long, or makes too long a text",
}
_EXAMPLE = "give one SQL condition on the columns of records, such as \"fiscal_year = 2024 AND county LIKE 'Suffolk%'\""


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
    reasons: list[str] = []

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and not contacts and first == "records" and second in COLUMNS:
            reasons.append(f"reads {second}, a contact detail, which --without-contacts leaves out")
        elif action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _UNSTEADY:
            reasons.append(f"may not use {second}()")
        return sqlite3.SQLITE_DENY if reasons else sqlite3.SQLITE_OK

    before = {limit: db.setlimit(limit, value) for limit, value in _LIMITS.items()}
    ends = time.monotonic() + SECONDS
    db.set_authorizer(authorize)
    db.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
    try:
        db.execute(f"SELECT coalesce(1, (\n{where}\n), 2) FROM records LIMIT 0")  # a second place that one expression fits
        db.execute(insert, values)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        trouble = _TROUBLE.get(getattr(error, "sqlite_errorname", ""))
        said = reasons[0] if reasons else trouble or f"{' '.join(str(error).split())}; {_EXAMPLE}"
        raise WrongUsage(f"--where: {said}") from None
    finally:
        db.set_progress_handler(None, 0)
        db.set_authorizer(None)
        for limit, value in before.items():
            db.setlimit(limit, value)
