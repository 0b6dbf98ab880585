"""Makes the tables, indexes, full-text search and the dictionary from `tables`, through sqlite-utils, inside one transaction."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, get_origin

from parsers.record import ColumnInfo, columns_of
from scraper.database.tables import BY_NAME, RUN_TABLES, TABLES, VIEWS, Table
from scraper.sqlite import tables_version

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION = 0x74746131
"""`application_id`, "tta1": tells this program's database from any other file."""

SORT_KIB = 16_384
"""Of 64 MiB, which is the cache's own size, indexes of 4 million rows are no sooner made (1.3 times the time; November 2026)."""


def create(connection: sqlite3.Connection) -> None:
    """The empty tables, in the open transaction. Indexes and search follow with `finish`, after the rows: that is faster."""
    database = _tool(connection)
    present = set(database.table_names())
    for table in TABLES:
        if table.name not in present:
            database.table(table.name).create(
                {name: _sql_type(columns_of(table.model)[name]) for name in table.columns},
                pk=table.keys if len(table.keys) > 1 else (table.keys[0] if table.keys else None),
                foreign_keys=[(column, other, column) for column, other in table.links],
                not_null={name for name in table.columns if columns_of(table.model)[name].required},
                strict=True,
            )
    for view in VIEWS:
        database.create_view(view.name, view.sql, replace=True)
    refresh_dictionary(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def finish(connection: sqlite3.Connection, names: Collection[str] = tuple(BY_NAME)) -> None:
    """Indexes of the named tables, and full-text search: over the rows that are there, and kept up to date from then on."""
    unfinished = [BY_NAME[name] for name in names if not _is_finished(connection, BY_NAME[name])]
    if not unfinished:  # as in every load but the first, which needs no sqlite-utils then
        return
    database = _tool(connection)
    with _sorting(connection):
        for table in unfinished:
            for columns in table.indexes:
                database.table(table.name).create_index(list(columns), if_not_exists=True)
            if table.searched and not database.table(f"{table.name}_fts").exists():
                database.table(table.name).enable_fts(table.searched, create_triggers=True, tokenize="porter")


def _is_finished(connection: sqlite3.Connection, table: Table) -> bool:
    """Whether a table has as many indexes as it is to have, and its search."""
    query = "SELECT count(*) FROM main.sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
    (indexes,) = connection.execute(query, [table.name]).fetchone()
    search = connection.execute("SELECT 1 FROM main.sqlite_master WHERE name = ?", [f"{table.name}_fts"]).fetchone()
    return indexes >= len(table.indexes) and (search is not None or not table.searched)


@contextmanager
def _sorting(connection: sqlite3.Connection) -> Iterator[None]:
    """In this block SQLite sorts an index's rows in SORT_KIB; it takes as much as its cache may hold, beside the cache."""
    (before,) = connection.execute("PRAGMA main.cache_size").fetchone()
    connection.execute(f"PRAGMA main.cache_size = -{SORT_KIB}")
    yield
    connection.execute(f"PRAGMA main.cache_size = {before}")


def renew(connection: sqlite3.Connection) -> None:
    """Puts empty tables of this version in the place of whatever tables there are; the rows of RUN_TABLES are carried over.

    They are carried column by column, by name, so a later version's table of the runs may only get columns that can be NULL.
    """
    aside = [name for name in RUN_TABLES if _columns(connection, "main", name)]
    for name in aside:
        connection.execute(f'CREATE TEMP TABLE "kept_{name}" AS SELECT * FROM main."{name}"')
    _drop(connection)
    create(connection)
    for name in aside:
        found = _columns(connection, "temp", f"kept_{name}")
        names = ", ".join(f'"{column}"' for column in BY_NAME[name].columns if column in found)
        connection.execute(f'INSERT INTO main."{name}" ({names}) SELECT {names} FROM temp."kept_{name}"')
        connection.execute(f'DROP TABLE temp."kept_{name}"')


def _columns(connection: sqlite3.Connection, schema: str, table: str) -> list[str]:
    """Names of a table's columns; none where there is no such table."""
    return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?, ?)", [table, schema])]


def _drop(connection: sqlite3.Connection) -> None:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")]
    names += [table.name for table in reversed(TABLES)]
    for view in VIEWS:
        connection.execute(f'DROP VIEW IF EXISTS main."{view.name}"')
    for name in names:
        connection.execute(f'DROP TABLE IF EXISTS main."{name}"')  # the attached catalog has a table `captures` too


def refresh_dictionary(connection: sqlite3.Connection) -> None:
    """Brings the dictionary in line with the models; writes nothing where it is."""
    rows = dictionary_rows()
    if sorted(connection.execute('SELECT * FROM "dictionary"'), key=str) != sorted(rows, key=str):
        connection.execute('DELETE FROM "dictionary"')
        connection.executemany(insert_sql("dictionary"), rows)


@cache
def insert_sql(name: str, rows: int = 1) -> str:
    """An INSERT of so many whole rows, the values of each in the order of `Table.columns`."""
    columns = BY_NAME[name].columns
    quoted = ", ".join(f'"{column}"' for column in columns)
    row = f"({', '.join('?' * len(columns))})"
    return f'INSERT INTO "{name}" ({quoted}) VALUES {", ".join([row] * rows)}'


def dictionary_rows() -> list[tuple[str | None, ...]]:
    """Table, column, description, label on the page, unit and heading of every column."""
    infos = [(table.name, columns_of(table.model)[name]) for table in TABLES for name in table.columns]
    return [(table, one.name, one.description, one.label, one.unit, one.heading) for table, one in infos]


def table_description(table: Table) -> str:
    """What the table holds, in a sentence."""
    return (table.model.__doc__ or "").strip().splitlines()[0]


def _tool(connection: sqlite3.Connection) -> Database:
    """Loaded when tables are made, and without the pandas that it looks for: that takes most of a second, and nobody uses it."""
    with _hidden("pandas"):
        from sqlite_utils import Database
    return Database(connection, recursive_triggers=False)


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """In this block the module is not installed, unless it is loaded already (None in `sys.modules`: Python's import system)."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


def _sql_type(info: ColumnInfo) -> type:
    """The SQLite type of a column: a list is JSON text, a yes or no is 1 or 0."""
    if get_origin(info.type) is list or issubclass(info.type, Enum):
        return str
    if info.type is bool:
        return int
    if info.type not in (str, int, float):
        raise TypeError(f"no SQLite type for {info.type!r}")
    return info.type  # type: ignore[no-any-return]


def _description() -> Iterator[object]:
    """Everything that decides what the tables are, for `VERSION`."""
    for table in TABLES:
        yield table.name, table.keys, table.links, table.indexes, table.searched
        for name in table.columns:
            info = columns_of(table.model)[name]
            yield name, _sql_type(info), info.required
    for view in VIEWS:
        yield view.name, view.sql


VERSION = tables_version(repr([*_description()]))
"""`user_version`: a database of another version has other tables, and is rebuilt from the archive."""
