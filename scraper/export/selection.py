"""Determines which records, tables and columns an export contains, and yields their rows in a fixed order.

The condition of `--where` is the user's SQL, restricted to one expression that only reads, within limits. It is a guard against
mistakes, not attacks (an attacker has the file): statements that write, run forever or give something else each time.
"""

import sqlite3
import time
import tomllib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from parsers.scalars import iso_time
from scraper.database import contacts
from scraper.database.contacts import Mode
from scraper.errors import WrongUsage
from scraper.export.tables import BY_NAME, CODEBOOK, EXPORTED, FLAT, LONG_VIEWS, Count, codebook_rows, count_values
from scraper.folders import Folders

_SQL: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
RECORDS_FIRST: str = _SQL["records_first"].format(**_SQL)
"""SQL that sorts records: by node number, then those without one."""
_ORDERS: dict[str, str] = _SQL["orders"]
_OF_CHOSEN = {table: condition.format(**_SQL) for table, condition in _SQL["of_chosen"].items()}

SECONDS = 60.0
"""Seconds for finding the records. A scan of a million takes about a second."""
_LONGEST = 100_000_000  # bytes of a text that the condition may create; SQLite's own limit, 1 GB, exhausts a small machine
_STEPS = 10_000  # virtual machine instructions between two checks of the time limit; about ten checks per millisecond
_EXAMPLE = "give one SQL condition on the columns of records, such as \"fiscal_year = 2024 AND county LIKE 'Suffolk%'\""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export. `where`: SQL over `records`; `since`: ISO 8601; empty `columns` and `tables` mean all."""

    where: str | None = None
    since: str | None = None
    columns: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    contacts: Mode = True


class Source:
    """The selected rows of a database that is open for reading. A temporary table lists the selected records.

    `tables`: those that the export's format can contain; the attribute: the selected ones; `columns`: the columns of each.
    """

    def __init__(self, db: sqlite3.Connection, selection: Selection, tables: tuple[str, ...] = EXPORTED) -> None:
        self.database = db
        self.folders = Folders(Path(db.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0]).parent)
        self.selection = selection
        self.tables = _chosen_tables(selection, tables)
        self.columns = {name: _columns(name, selection) for name in EXPORTED}
        self._counts: dict[str, list[Count]] = {}
        since = iso_time(selection.since) if selection.since is not None else None
        if selection.since is not None and since is None:
            raise WrongUsage(f"--since {selection.since!r} is not a time: write 2025-01-31 or 2025-01-31T12:00:00Z")
        contacts.register(db)
        db.execute("DROP TABLE IF EXISTS temp.chosen")
        db.execute("CREATE TEMP TABLE chosen (place INTEGER PRIMARY KEY, record_id TEXT NOT NULL UNIQUE)")
        for name, sql in LONG_VIEWS.items():
            db.execute(f'CREATE TEMP VIEW IF NOT EXISTS "{name}" AS {sql}')
        _choose(db, selection.where, since and since.removesuffix("Z"), with_contacts=selection.contacts is True)
        self.records = int(db.execute("SELECT count(*) FROM temp.chosen").fetchone()[0])

    def rows(self, name: str) -> Iterator[tuple[Any, ...]]:
        """Yields the rows of a table in order: records by node number, captures by time, the codebook by table.

        Includes captures that show no record, and all organizations; if records are selected, only those related to them.
        """
        if name == CODEBOOK:
            return self._codebook()
        if name in _OF_CHOSEN:
            order = _ORDERS.get(name, "organization_id")
            sql = f'SELECT {self._select_list(name)} FROM "{name}" WHERE {self._condition(name)} ORDER BY {order}'
            found: Iterator[tuple[Any, ...]] = self.database.execute(sql)
        else:
            found = self.by_record(name)
        if CODEBOOK not in self.tables or name == FLAT:
            return found
        self._counts[name] = [Count() for _ in self.columns[name]]
        return count_values(found, self._counts[name])

    def by_record(self, name: str, before: str = "") -> Iterator[tuple[Any, ...]]:
        """Yields a table's rows by record, looked up for each: a big table needs no sorting. `before`: SQL of more columns."""
        table = _stored_table(name)
        keys = [f'"{key}"' for key in BY_NAME[name].keys if key != "record_id"]
        order = ", ".join(["chosen.place", *([_ORDERS[name]] if name in _ORDERS else keys)])
        about = f'"{table}".record_id = chosen.record_id'
        if name == "captures":  # that show the record, or show it gone; with OR, SQLite would scan the table once for each record
            either = (f"SELECT capture_id FROM captures WHERE {one}record_id = chosen.record_id" for one in ("", "gone_"))
            about = f"captures.capture_id IN ({' UNION '.join(either)})"
        kept = "1" if self.selection.contacts is True else contacts.kept_rows(table)
        return self.database.execute(
            f'SELECT {before}{self._select_list(name)} FROM temp.chosen AS chosen CROSS JOIN "{table}" '
            f"ON {about} WHERE {kept} ORDER BY {order}"
        )

    def captures(self) -> Iterator[tuple[str, str | None]]:
        """Yields the captures by time, with those whose body they repeat, and with the title of the record that they show."""
        title = "CASE WHEN kind IN ('record', 'revisit') THEN coalesce(records.title, record_id) END"
        either = (f"SELECT {one} FROM captures WHERE {self._condition('captures')}" for one in ("capture_id", "original_id"))
        return self.database.execute(
            f"SELECT capture_id, {title} FROM captures LEFT JOIN records USING (record_id) "
            f"WHERE capture_id IN ({' UNION '.join(either)}) ORDER BY {_ORDERS['captures']}"
        )

    def _codebook(self) -> Iterator[tuple[Any, ...]]:
        """Yields the codebook of this export's tables, or of all if it contains only the codebook."""
        for name in [one for one in self.tables if one != CODEBOOK] or _exportable_tables(self.selection):
            if name in (FLAT, CODEBOOK):
                continue
            if name not in self._counts:
                deque(self.rows(name), maxlen=0)
            yield from codebook_rows(name, self.columns[name], self._counts[name])

    def _condition(self, name: str) -> str:
        narrows = self.selection.where is not None or self.selection.since is not None
        return f"({_OF_CHOSEN[name]})" if narrows else "1"

    def _select_list(self, name: str) -> str:
        table, mode = _stored_table(name), self.selection.contacts
        return ", ".join(
            f'"{table}"."{column}"' if mode is True else contacts.column_sql(table, column, mode) for column in self.columns[name]
        )


def _stored_table(name: str) -> str:
    """Returns the table that an exported table's rows are read from."""
    return "records" if name == FLAT else name


def _omitted_columns(name: str, selection: Selection) -> frozenset[str]:
    return frozenset() if selection.contacts is True else contacts.columns(BY_NAME[name])


def _exportable_tables(selection: Selection) -> tuple[str, ...]:
    """Returns the exportable tables: all except list tables whose only value column the selection leaves out."""
    return tuple(name for name in EXPORTED if name not in LONG_VIEWS or not _omitted_columns(name, selection))


def _chosen_tables(selection: Selection, known: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the tables of the export, in order. Raises WrongUsage for a name that is unknown or not a table."""
    allowed = _exportable_tables(selection)
    for name in selection.tables:
        if name not in EXPORTED:
            raise WrongUsage(f"there is no table {name!r} to export{_suggest_name(name, known)}")
        if name not in known:
            raise WrongUsage(f"this format can't contain the table {name}: export it with csv")
        if name not in allowed:
            raise WrongUsage(f"{name} contains contact details, which --without-contacts leaves out")
    return tuple(name for name in known if name in (selection.tables or allowed))


def _columns(name: str, selection: Selection) -> tuple[str, ...]:
    """Returns a table's columns that are the same on any machine; of the narrowed table, the requested ones after its keys."""
    table, left_out = BY_NAME[name], _omitted_columns(name, selection)
    there = tuple(column for column in table.columns if column not in table.local and column not in left_out)
    narrowed = selection.tables[0] if len(selection.tables) == 1 else "records"
    if not selection.columns or _stored_table(name) != _stored_table(narrowed):
        return there
    for column in selection.columns:
        if column in left_out:
            raise WrongUsage(f"{column} is a contact detail, which --without-contacts leaves out")
        if column not in there:
            raise WrongUsage(f"the table {name} has no column {column!r}{_suggest_name(column, there)}")
    return tuple(dict.fromkeys([*table.keys, *selection.columns]))


def _suggest_name(name: str, there: tuple[str, ...]) -> str:
    close = get_close_matches(name, there, n=1)
    return f": did you mean {close[0]}?" if close else f": there are {', '.join(there)}"


def _choose(db: sqlite3.Connection, where: str | None, since: str | None, *, with_contacts: bool) -> None:
    """Fills `temp.chosen` with the matching records, numbered from 1 in the order of exports.

    `since`: ISO 8601 without Z; only records captured then or later, or seen to have changed since. Raises WrongUsage.
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
    matching = f"{' AND '.join(conditions)} ORDER BY {RECORDS_FIRST}"
    insert = f"INSERT INTO temp.chosen (record_id) SELECT record_id FROM records WHERE {matching}"
    if where is None:
        db.execute(insert, values)
        return
    reasons: list[str] = []

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and not with_contacts and first == "records" and second in contacts.COLUMNS:
            reasons.append(f"reads {second}, a contact detail, which --without-contacts leaves out")
        elif action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _SQL["unsteady"]:
            reasons.append(f"may not use {second}()")
        return sqlite3.SQLITE_DENY if reasons else sqlite3.SQLITE_OK

    ends, longest = time.monotonic() + SECONDS, db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    db.set_authorizer(authorize)
    db.set_progress_handler(lambda: time.monotonic() > ends, _STEPS)
    try:
        db.execute(f"SELECT coalesce(1, (\n{where}\n), 2) FROM records LIMIT 0")  # only one expression is valid here too
        db.execute(insert, values)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        if time.monotonic() > ends:
            reasons.append(f"took over {SECONDS:.0f} s: select fewer records")
        reasons.append(f"{' '.join(str(error).split())}; {_EXAMPLE}")
        raise WrongUsage(f"--where: {reasons[0]}") from None
    finally:
        db.set_progress_handler(None, 0)
        db.set_authorizer(None)
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
