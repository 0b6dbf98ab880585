"""Which records, tables and columns an export holds, and their rows in an order that never changes; `condition` does --where."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby
from operator import itemgetter
from typing import Any

from parsers.scalars import iso_time
from scraper.database import contacts
from scraper.database.contacts import Mode
from scraper.database.tables import BY_NAME, LOCAL_TABLES, TABLES, Table
from scraper.errors import WrongUsage
from scraper.export.condition import choose

BY_RECORD = "CASE WHEN record_id GLOB '[0-9]*' AND record_id NOT GLOB '*[^0-9]*' THEN CAST(record_id AS INTEGER) END"
"""Sorts records by node number, those without one after them by name."""
_RECORDS_FIRST = f"{BY_RECORD} IS NULL, {BY_RECORD}, record_id"
_ORDERS = {
    "captures": "captured_at IS NULL, rtrim(captured_at, 'Z'), capture_id",
    "changes": "rtrim(seen_by, 'Z'), field, rtrim(seen_after, 'Z'), old_value, new_value",
}
"""The order of rows where the table's keys don't tell it; of a record's rows in a table that has a record."""
_ABOUT = ("record_id", "gone_record_id")
"""A capture is about the record that it shows, or that it shows to be gone."""
_LAST = ("captures", "changes", "dictionary")
EXPORTED = (*(table.name for table in TABLES if table.name not in (*LOCAL_TABLES, *_LAST)), *_LAST)
"""The tables that are exported: all but those that tell what was done and not what the archive holds."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for. `where`: SQL over `records`; `since`: ISO 8601; empty `columns` and `tables` mean all."""

    where: str | None = None
    since: str | None = None
    columns: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    contacts: Mode = True

    @property
    def narrows(self) -> bool:
        """Whether it may leave records out."""
        return self.where is not None or self.since is not None


class Source:
    """The chosen rows of a database that is open for reading. Names which records are chosen in a temporary table of its own."""

    def __init__(self, db: sqlite3.Connection, selection: Selection) -> None:
        self._db = db
        self.selection = selection
        self._columns = {name: _columns(BY_NAME[name], selection) for name in known_tables(selection)}
        contacts.register(db)
        db.execute("DROP TABLE IF EXISTS temp.chosen")
        db.execute("CREATE TEMP TABLE chosen (place INTEGER PRIMARY KEY, record_id TEXT NOT NULL UNIQUE)")
        choose(db, _RECORDS_FIRST, selection.where, _since(selection), contacts=selection.contacts is True)
        self.records = int(db.execute("SELECT count(*) FROM temp.chosen").fetchone()[0])

    @property
    def database(self) -> sqlite3.Connection:
        return self._db

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of the export, in its order."""
        return tuple(self._columns)

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of a table that this export shows."""
        return self._columns[name]

    def count(self, name: str) -> int | None:
        """How many rows the table has; None where only counting them would tell."""
        if name == "records":
            return self.records
        if self.selection.narrows or self.selection.contacts is not True:
            return None
        return int(self._db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])

    def rows(self, name: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a table, in their order: of records by node number, of captures by time."""
        if "record_id" in BY_NAME[name].columns and name != "captures":
            return self._by_record(name, "")
        of_chosen = " OR ".join(f"{column} IN (SELECT record_id FROM temp.chosen)" for column in _ABOUT)
        if name == "organizations":
            of_chosen = (
                f"organization_id IN (SELECT organization_id FROM organization_mentions WHERE {of_chosen.partition(' OR ')[0]})"
            )
        condition = of_chosen if name in ("captures", "organizations") and self.selection.narrows else "1"
        wanted = self._expressions(name)
        order = _ORDERS.get(name) or ", ".join(f'"{key}"' for key in BY_NAME[name].keys or BY_NAME[name].columns)
        return self._db.execute(f'SELECT {wanted} FROM "{name}" WHERE {condition} ORDER BY {order}')

    def placed(self) -> Iterator[tuple[float | None, float | None, tuple[Any, ...]]]:
        """Longitude, latitude and the row of each record."""
        query = (
            f"SELECT records.longitude, records.latitude, {self._expressions('records')} FROM temp.chosen AS chosen "
            "CROSS JOIN records ON records.record_id = chosen.record_id ORDER BY chosen.place"
        )
        for longitude, latitude, *row in self._db.execute(query):
            yield longitude, latitude, tuple(row)

    def groups(self, name: str) -> Iterator[tuple[int, Iterator[tuple[Any, ...]]]]:
        """The rows of a table by record, with the record's place among the chosen, from 1; records without rows are left out."""
        for place, rows in groupby(self._by_record(name, "chosen.place, "), key=itemgetter(0)):
            yield place, (row[1:] for row in rows)

    def _by_record(self, name: str, before: str) -> Iterator[tuple[Any, ...]]:
        """Walks the records and looks up each one's rows, so that a big table needs no sorting. `before`: columns in front."""
        keys = [f'"{key}"' for key in BY_NAME[name].keys if key != "record_id"]
        order = ", ".join(["chosen.place", *([_ORDERS[name]] if name in _ORDERS else keys)])
        about = " OR ".join(f'"{name}".{column} = chosen.record_id' for column in _ABOUT if column in BY_NAME[name].columns)
        query = (
            f'SELECT {before}{self._expressions(name)} FROM temp.chosen AS chosen CROSS JOIN "{name}" '
            f"ON {about} WHERE {self._kept(name)} ORDER BY {order}"
        )
        return self._db.execute(query)

    def _kept(self, name: str) -> str:
        return "1" if self.selection.contacts is True else contacts.kept_rows(name)

    def _expressions(self, name: str) -> str:
        if self.selection.contacts is True:
            return ", ".join(f'"{name}"."{column}"' for column in self._columns[name])
        return ", ".join(contacts.expression(name, column, self.selection.contacts) for column in self._columns[name])


def known_tables(selection: Selection) -> tuple[str, ...]:
    """The tables of the export, in its order. Raises WrongUsage for a name that is none."""
    for name in selection.tables:
        if name not in EXPORTED:
            raise WrongUsage(f"there is no table {name!r} to export{_meant(name, EXPORTED)}")
    return tuple(name for name in EXPORTED if not selection.tables or name in selection.tables)


def _columns(table: Table, selection: Selection) -> tuple[str, ...]:
    """The columns that are the same wherever the archive lies; of the narrowed table those asked for, after its keys."""
    left_out = frozenset() if selection.contacts is True else contacts.columns(table)
    there = tuple(name for name in table.columns if name not in table.local and name not in left_out)
    if not selection.columns or table.name != narrowed(selection):
        return there
    for name in selection.columns:
        if name in left_out:
            raise WrongUsage(f"{name} is a contact detail, which --without-contacts leaves out")
        if name not in there:
            raise WrongUsage(f"the table {table.name} has no column {name!r}{_meant(name, there)}")
    return tuple(dict.fromkeys([*table.keys, *selection.columns]))


def narrowed(selection: Selection) -> str:
    """The table that `columns` is about: the only one asked for, or else `records`."""
    return selection.tables[0] if len(selection.tables) == 1 else "records"


def _meant(name: str, there: tuple[str, ...]) -> str:
    close = get_close_matches(name, there, n=1)
    return f": did you mean {close[0]}?" if close else f": there are {', '.join(there)}"


def _since(selection: Selection) -> str | None:
    if selection.since is None:
        return None
    time = iso_time(selection.since)
    if time is None:
        raise WrongUsage(f"--since {selection.since!r} is no time: write 2025-01-31 or 2025-01-31T12:00:00Z")
    return time.removesuffix("Z")
