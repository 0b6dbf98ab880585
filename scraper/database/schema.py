"""Makes the tables, indexes, full-text search and the dictionary from `tables`, inside one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from enum import Enum
from functools import cache
from typing import Any, get_origin

from parsers.record import columns_of
from scraper.database.tables import BY_NAME, RUN_TABLES, TABLES, VIEWS, Table
from scraper.sqlite import tables_version

APPLICATION = 0x74746131
"""`application_id`, "tta1": tells this program's database from any other file."""
SORT_KIB = 16_384
"""The memory in which SQLite sorts an index's rows. In 64 MiB, its whole cache, 4 million rows took 1.3 times as long (November
2026)."""
_AT_ONCE = 16
"""Rows in one statement of `insert_rows`; 50 are hardly quicker."""
_NULL = float("nan")
_SQL_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL", bool: "INTEGER"}


def create(connection: sqlite3.Connection) -> None:
    """The empty tables, with the dictionary, in the open transaction. `finish` follows after the rows: that is faster."""
    for statement in _TABLES_AND_VIEWS:
        connection.execute(statement)
    connection.executemany(insert_sql("dictionary"), dictionary_rows())
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def finish(connection: sqlite3.Connection, names: Collection[str] = tuple(BY_NAME)) -> None:
    """Indexes and full-text search of the named tables, where they lack them; SQLite keeps both up to date from then on."""
    (cache_size,) = connection.execute("PRAGMA main.cache_size").fetchone()
    connection.execute(f"PRAGMA main.cache_size = -{SORT_KIB}")
    for table in map(BY_NAME.__getitem__, names):
        for statement in _indexes(table):
            connection.execute(statement)
        search = connection.execute("SELECT 1 FROM main.sqlite_master WHERE name = ?", [f"{table.name}_fts"])
        if table.searched and not search.fetchone():
            for statement in _search(table):
                connection.execute(statement)
    connection.execute(f"PRAGMA main.cache_size = {cache_size}")


def renew(connection: sqlite3.Connection) -> None:
    """Puts empty tables of this version in the place of whatever tables there are; the rows of RUN_TABLES are carried over.

    They are carried column by column, by name, so a later version's table of the runs may only get columns that can be NULL.
    """
    aside = [name for name in RUN_TABLES if _columns(connection, "main", name)]
    for name in aside:
        connection.execute(f'CREATE TEMP TABLE "kept_{name}" AS SELECT * FROM main."{name}"')
    found = connection.execute("SELECT type, name, sql LIKE 'CREATE VIRTUAL%' FROM main.sqlite_master ORDER BY 3 DESC").fetchall()
    for kind, name, is_search in found:  # a table that somebody else added stays
        if is_search or name in {*BY_NAME, *(view.name for view in VIEWS)}:
            connection.execute(f'DROP {kind} main."{name}"')  # the attached catalog has a table `captures` too
    create(connection)
    for name in aside:
        held = _columns(connection, "temp", f"kept_{name}")
        names = ", ".join(f'"{column}"' for column in BY_NAME[name].columns if column in held)
        connection.execute(f'INSERT INTO main."{name}" ({names}) SELECT {names} FROM temp."kept_{name}"')
        connection.execute(f'DROP TABLE temp."kept_{name}"')


def _columns(connection: sqlite3.Connection, schema: str, table: str) -> list[str]:
    """Names of a table's columns; none where there is no such table."""
    return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?, ?)", [table, schema])]


@cache
def insert_sql(name: str, rows: int = 1) -> str:
    """An INSERT of so many whole rows, the values of each in the order of `Table.columns`."""
    columns = BY_NAME[name].columns
    row = f"({', '.join('?' * len(columns))})"
    return f'INSERT INTO "{name}" ({_quoted(columns)}) VALUES {", ".join([row] * rows)}'


def insert_rows(connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Appends whole rows in their order, the values of each in the order of `Table.columns`.

    Of the time that a row by itself takes, SQLite's tables take a fifth; the rest is values bound and statements begun and ended
    (docs/decisions/loading.md). Python's sqlite3 knows a float by its type, but for each None it looks for an adapter first: with
    the time to put NaN in its place, which SQLite keeps as NULL, a row is bound in three quarters of the time.
    """
    whole = len(rows) - len(rows) % _AT_ONCE
    chunks = [rows[at : at + _AT_ONCE] for at in range(0, whole, _AT_ONCE)]
    for sql, parts in ((insert_sql(table, _AT_ONCE), chunks), (insert_sql(table), [[row] for row in rows[whole:]])):
        connection.executemany(sql, ([_NULL if value is None else value for row in part for value in row] for part in parts))


def dictionary_rows() -> list[tuple[str | None, ...]]:
    """Table, column, description, label on the page, unit and heading of every column."""
    infos = [(table.name, columns_of(table.model)[name]) for table in TABLES for name in table.columns]
    return [(table, one.name, one.description, one.label, one.unit, one.heading) for table, one in infos]


def table_description(table: Table) -> str:
    """What the table contains, in a sentence."""
    return (table.model.__doc__ or "").strip().splitlines()[0]


def _table(table: Table) -> str:
    parts = []
    for name in table.columns:
        info = columns_of(table.model)[name]  # a list is JSON text, a yes or no is 1 or 0
        kind = "TEXT" if get_origin(info.type) is list or issubclass(info.type, Enum) else _SQL_TYPES[info.type]
        parts.append(f'"{name}" {kind}{" NOT NULL" * info.required}')
    if table.keys:
        parts.append(f"PRIMARY KEY ({_quoted(table.keys)})")
    parts += [f'FOREIGN KEY ("{column}") REFERENCES "{other}"("{column}")' for column, other in table.links]
    return f'CREATE TABLE "{table.name}" ({", ".join(parts)}) STRICT'


def _indexes(table: Table) -> list[str]:
    return [
        f'CREATE INDEX IF NOT EXISTS "idx_{table.name}_{"_".join(columns)}" ON "{table.name}" ({_quoted(columns)})'
        for columns in table.indexes
    ]


def _search(table: Table) -> list[str]:
    """A full-text index of the rows that are there, and triggers that keep it up to date (SQLite's FTS5, "External Content")."""
    name, search, columns = table.name, f"{table.name}_fts", _quoted(table.searched)
    old, new = (", ".join(f'{row}."{column}"' for column in table.searched) for row in ("old", "new"))
    add = f'INSERT INTO "{search}" (rowid, {columns}) VALUES (new.rowid, {new});'
    remove = f'INSERT INTO "{search}" ("{search}", rowid, {columns}) VALUES (\'delete\', old.rowid, {old});'
    return [
        f'CREATE VIRTUAL TABLE "{search}" USING FTS5 ({columns}, tokenize=\'porter\', content="{name}")',
        f'INSERT INTO "{search}" ("{search}") VALUES (\'rebuild\')',
        f'CREATE TRIGGER "{name}_ai" AFTER INSERT ON "{name}" BEGIN {add} END',
        f'CREATE TRIGGER "{name}_ad" AFTER DELETE ON "{name}" BEGIN {remove} END',
        f'CREATE TRIGGER "{name}_au" AFTER UPDATE OF {columns} ON "{name}" BEGIN {remove} {add} END',
    ]


def _quoted(names: Collection[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


_TABLES_AND_VIEWS = [*map(_table, TABLES), *(f'CREATE VIEW "{view.name}" AS {view.sql}' for view in VIEWS)]
_REST = [statement for table in TABLES for statement in (*_indexes(table), *(_search(table) if table.searched else ()))]
VERSION = tables_version("\n".join([*_TABLES_AND_VIEWS, *_REST]))
"""`user_version`: a database of another version has other tables, and is rebuilt from the archive."""
