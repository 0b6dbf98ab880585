"""Personal contact details, and how to leave them out: the one definition for `tta export` and `tta serve`.

What counts: the columns that the models mark (`contact`), fields whose label says so (`parsers.registry.is_contact`), and values
that link to or are an e-mail address or a telephone number. Free text (a description, a milestone's notes) is not searched.
"""

from __future__ import annotations

import re
import sqlite3

from parsers.record import columns_of
from parsers.registry import is_contact
from scraper.database.tables import TABLES, Table

FUNCTION = "tta_is_contact"
"""The SQL function that `register` adds: (label or column, machine name, item, value, href) to 1 or 0."""
_ADDRESS = r"[^\s@;,]{1,64}@[^\s@;,]{1,255}\.[A-Za-z]{2,}"
_PHONE = r"(?:\+?1[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?: ?(?:x|ext\.?) ?\d{1,6})?"
_ONE = rf"(?:{_ADDRESS}|{_PHONE})"
_ALONE = re.compile(rf"\s*{_ONE}(?:[;,\s]++{_ONE}){{0,50}}\s*", re.IGNORECASE)
"""What stands between two of them can be read in one way only: a page that has it in many would be tried for ever."""
_LINKED = re.compile(r"\s*(mailto|tel|sms):", re.IGNORECASE)
_MAX_ALONE = 2000
"""Characters; a longer value is prose."""


def columns(table: Table) -> frozenset[str]:
    """The columns of a table that hold nothing but contact details."""
    return frozenset(name for name, info in columns_of(table.model).items() if info.contact)


COLUMNS = frozenset(name for table in TABLES for name in columns(table))
"""The names of all such columns; they are all columns of `records`."""


def is_detail(label: str | None, value: str | None = None, href: str | None = None) -> bool:
    """Whether a field of that label and value is a contact detail. `label` may be a column, a label or a machine name."""
    if label and (label in COLUMNS or is_contact(label)):
        return True
    if href and _LINKED.match(href):
        return True
    return value is not None and len(value) <= _MAX_ALONE and _ALONE.fullmatch(value) is not None


def register(db: sqlite3.Connection) -> None:
    """Adds the SQL function that `kept_rows` and `expression` use to a connection."""
    db.create_function(FUNCTION, 5, _in_row, deterministic=True)


def _in_row(label: str | None, name: str | None, item: str | None, value: str | None, href: str | None) -> bool:
    """Whether a row of `fields` is a contact detail: by its label, its machine name, or the group that it is nested in."""
    named = (name and is_contact(name)) or (item and is_contact(item.rstrip(" 0123456789")))
    return bool(named) or is_detail(label, value, href)


_IN_FIELDS = f"{FUNCTION}(fields.label, fields.name, fields.item, fields.value, fields.href)"
_NESTED = f"fields.item IS NOT NULL AND fields.value IS NOT NULL AND {_IN_FIELDS}"


def kept_rows(table: str) -> str:
    """An SQL condition on the rows of a table: those that stay where contact details are left out."""
    if table == "fields":
        return f"NOT {_IN_FIELDS}"
    if table == "changes":
        groups = "(changes.field IN ('milestones', 'performance_metrics') OR changes.field LIKE 'group %')"
        nested = f"SELECT 1 FROM fields WHERE fields.record_id = changes.record_id AND {_NESTED}"
        own = " OR ".join(f"{FUNCTION}(changes.field, NULL, NULL, changes.{name}, NULL)" for name in ("old_value", "new_value"))
        return f"NOT ({own} OR ({groups} AND EXISTS ({nested})))"
    return "1"


def expression(table: str, column: str) -> str:
    """SQL for a column's value without contact details: NULL in a column of them, or in a text that repeats a nested one.

    What runs tell of their troubles is left out as well: it names addresses, which may hold a person's name, and folders.
    """
    own = f'"{table}"."{column}"'
    if (table == "records" and column in COLUMNS) or (table, column) == ("runs", "problems"):
        return "NULL"
    if (table, column) == ("runs", "message"):
        return f"CASE WHEN runs.outcome = 'committed' THEN {own} END"
    if (table, column) in _REPEATED:
        nested = f"fields.record_id = {table}.record_id AND {_NESTED} AND instr({own}, fields.value)"
        return f"CASE WHEN EXISTS (SELECT 1 FROM fields WHERE {nested}) THEN NULL ELSE {own} END"
    return own


_REPEATED = {
    (table, column)
    for table, names in (
        ("milestones", ("title", "notes", "details")),
        ("performance_metrics", ("question", "answer")),
    )
    for column in names
}
"""Columns that are made of the fields nested in a group, and so may repeat a contact's value."""


def remove(db: sqlite3.Connection) -> None:
    """Takes the contact details out of a database that may be written: a copy. No byte of them stays in its file.

    Call it outside a transaction on a connection without row factory; afterwards close it, so that its journal is folded in.
    """
    register(db)
    db.execute("PRAGMA secure_delete = ON")
    db.execute(f"CREATE TEMP TABLE repeated AS SELECT DISTINCT record_id FROM fields WHERE {_NESTED}")  # few: ask for these alone
    for table, column in sorted(_REPEATED):
        db.execute(
            f'UPDATE "{table}" SET "{column}" = {expression(table, column)} '
            f'WHERE "{column}" IS NOT NULL AND record_id IN (SELECT record_id FROM temp.repeated)'
        )
    db.execute(f"DELETE FROM changes WHERE NOT ({kept_rows('changes')})")  # before the fields, which it asks
    db.execute(f"DELETE FROM fields WHERE NOT ({kept_rows('fields')})")
    db.execute(f"UPDATE runs SET problems = NULL, message = {expression('runs', 'message')}")
    for name in sorted(COLUMNS):
        db.execute(f'UPDATE records SET "{name}" = NULL WHERE "{name}" IS NOT NULL')
    for (search,) in db.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'").fetchall():
        db.execute(f'INSERT INTO "{search}" ("{search}") VALUES (\'rebuild\')')  # a deleted word stays in an index until then
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat4'").fetchone():
        db.execute("DELETE FROM sqlite_stat4")  # values of indexed columns, where SQLite was built to sample them
