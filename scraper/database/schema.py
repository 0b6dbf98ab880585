"""Creates the tables, indexes, full-text search and the dictionary from `tables`, in one transaction."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, get_origin

from parsers.record import columns_of
from scraper.database.tables import BY_NAME, RUN_TABLES, TABLES, VIEWS, Table
from scraper.sqlite import tables_version

APPLICATION = 0x74746131
"""`application_id`, "tta1": identifies this program's database."""
SORT_KIB = 16_384
"""Memory in which SQLite sorts an index's rows. With 64 MiB, its whole cache, 4 million rows took 1.3 times as long (November
2026)."""
_SQL_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL", bool: "INTEGER"}


def create(connection: sqlite3.Connection) -> None:
    """Creates empty tables and the dictionary, in the open transaction. Call `finish` after inserting rows, which is faster."""
    for statement in _TABLES_AND_VIEWS:
        connection.execute(statement)
    connection.executemany(insert_sql("dictionary"), dictionary_rows())
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def finish(connection: sqlite3.Connection, names: Collection[str] = tuple(BY_NAME)) -> None:
    """Creates missing indexes and full-text search of the named tables. `search_renewed` keeps the search up to date."""
    (cache_size,) = connection.execute("PRAGMA main.cache_size").fetchone()
    connection.execute(f"PRAGMA main.cache_size = -{SORT_KIB}")
    for table in map(BY_NAME.__getitem__, names):
        for statement in _index_sql(table):
            connection.execute(statement)
        drop_unused(connection, table)
        search = connection.execute("SELECT 1 FROM main.sqlite_master WHERE name = ?", [f"{table.name}_fts"])
        if table.searched and not search.fetchone():
            for statement in _search_sql(table):
                connection.execute(statement)
    connection.execute(f"PRAGMA main.cache_size = {cache_size}")


@contextmanager
def search_renewed(connection: sqlite3.Connection, names: Iterable[str], where: str) -> Iterator[None]:
    """Updates the full-text search of the named tables, if created, for the rows `where`, which the block replaces.

    All at once: triggers took six times as long, because FTS5 writes its part of the index after each statement of a trigger.
    """
    made = {name for (name,) in connection.execute("SELECT name FROM main.sqlite_master")}
    statements = []
    for table in map(BY_NAME.__getitem__, names):
        if table.searched and (search := f"{table.name}_fts") in made:
            columns = f"rowid, {_quote_names(table.searched)}"
            rows = f'SELECT ?, {columns} FROM "{table.name}" WHERE {where} ORDER BY rowid'
            statements.append(f'INSERT INTO "{search}" ("{search}", {columns}) {rows}')
    for statement in statements:
        connection.execute(statement, ["delete"])
    yield
    for statement in statements:
        connection.execute(statement, [None])


def drop_unused(connection: sqlite3.Connection, table: Table) -> None:
    """Deletes the shared values of a table that no row refers to anymore."""
    if table.shared:
        rows, shared = table.stored_in
        used = f'SELECT 1 FROM "{rows}" WHERE "{rows}".shared = "{shared}".shared'
        connection.execute(f'DELETE FROM "{shared}" WHERE NOT EXISTS ({used})')


def renew(connection: sqlite3.Connection) -> None:
    """Replaces all existing tables by empty ones of this version; the rows of RUN_TABLES are kept.

    They are copied by column name, so columns added to these tables in a later version must allow NULL.
    """
    kept: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
    for name in RUN_TABLES:
        held = {column for (column,) in connection.execute("SELECT name FROM pragma_table_info(?, 'main')", [name])}
        if columns := [column for column in BY_NAME[name].columns if column in held]:
            kept[name] = columns, connection.execute(f'SELECT {_quote_names(columns)} FROM main."{name}"').fetchall()
    found = connection.execute("SELECT type, name, sql LIKE 'CREATE VIRTUAL%' FROM main.sqlite_master ORDER BY 3 DESC").fetchall()
    for kind, name, is_search in found:  # a table that another program added stays
        if is_search or name in _OWN:
            connection.execute(f'DROP {kind} main."{name}"')  # the attached catalog has a table `captures` too
    create(connection)
    for name, (columns, rows) in kept.items():
        connection.executemany(insert_sql(name, columns), rows)


def insert_sql(name: str, columns: Sequence[str] = ()) -> str:
    """Returns an INSERT of a row with these columns, by default all, with the values in the order of `Table.columns`."""
    columns = columns or BY_NAME[name].columns
    return f'INSERT INTO "{name}" ({_quote_names(columns)}) VALUES ({", ".join("?" * len(columns))})'


def dictionary_rows() -> list[tuple[str | None, ...]]:
    """Returns table, column, description, label on the page, unit and heading of every column."""
    infos = [(table.name, columns_of(table.model)[name]) for table in TABLES for name in table.columns]
    return [(table, one.name, one.description, one.label, one.unit, one.heading) for table, one in infos]


def _table_sql(table: Table) -> list[str]:
    links = [f'FOREIGN KEY ("{column}") REFERENCES "{other}"("{column}")' for column, other in table.links]
    keys = [f"PRIMARY KEY ({_quote_names(table.keys)})"] if table.keys else []
    return [f'CREATE TABLE "{table.name}" ({", ".join([*_columns_sql(table, table.columns), *keys, *links])}) STRICT']


def _columns_sql(table: Table, names: Collection[str]) -> list[str]:
    parts = []
    for name in names:
        info = columns_of(table.model)[name]  # a list is JSON text, yes or no is 1 or 0
        kind = "TEXT" if get_origin(info.type) is list or issubclass(info.type, Enum) else _SQL_TYPES[info.type]
        parts.append(f'"{name}" {kind}{" NOT NULL" * info.required}')
    return parts


def _view_sql(table: Table) -> list[str]:
    """Returns SQL for a view of two tables, one with the rows, one with the values they share."""
    rows, shared = table.stored_in
    links = 'FOREIGN KEY (record_id) REFERENCES "records"(record_id), FOREIGN KEY (shared) REFERENCES "{}"(shared)'
    columns = [*_columns_sql(table, table.own), "shared INTEGER NOT NULL", links.format(shared)]
    shown = {name: f'"{name}"' for name in table.columns}
    for name, other in table.repeats:
        text = f'SELECT "{other}" FROM records WHERE records.record_id = "{rows}".record_id'
        shown[name] = f"""CASE "{name}" WHEN '' THEN ({text}) ELSE "{name}" END AS "{name}\""""
    return [
        f'CREATE TABLE "{shared}" (shared INTEGER PRIMARY KEY, {", ".join(_columns_sql(table, table.shared))}) STRICT',
        f'CREATE INDEX "idx_{shared}" ON "{shared}" ({_quote_names(table.shared)})',
        f'CREATE TABLE "{rows}" (rowid INTEGER PRIMARY KEY, {", ".join(columns)}) STRICT',
        f'CREATE VIEW "{table.name}" AS SELECT {", ".join(shown.values())}, rowid FROM "{rows}" JOIN "{shared}" USING (shared)',
    ]


def _index_sql(table: Table) -> list[str]:
    name, unlisted = table.stored_in[0], [one for one in table.columns if one not in table.in_no_index]
    filled = [one.replace("*", " ".join(x for x in unlisted if x not in one.split())) for one in table.indexes]
    return [
        f'CREATE INDEX IF NOT EXISTS "idx_{name}_{"_".join(some.split())}" ON "{name}" ({", ".join(some.split())}){where}{rows}'
        for some, where, rows in (one.partition(" WHERE ") for one in filled)
    ]


def _search_sql(table: Table) -> list[str]:
    """Returns SQL for a full-text index of what the table contains (SQLite's FTS5, "External Content")."""
    search, columns = f"{table.name}_fts", _quote_names(table.searched)
    return [
        f'CREATE VIRTUAL TABLE "{search}" USING FTS5 ({columns}, tokenize=\'porter\', content="{table.name}")',
        f'INSERT INTO "{search}" ("{search}") VALUES (\'rebuild\')',
    ]


def _quote_names(names: Collection[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


_OWN = {*BY_NAME, *(view.name for view in VIEWS), *(name for table in TABLES for name in table.stored_in)}
"""Every table and view that `create` creates."""
_TABLES_AND_VIEWS = [
    *(statement for table in TABLES for statement in (_view_sql if table.shared else _table_sql)(table)),
    *(f'CREATE VIEW "{view.name}" AS {view.sql}' for view in VIEWS),
]
_REST = [statement for table in TABLES for statement in (*_index_sql(table), *(_search_sql(table) if table.searched else ()))]
VERSION = tables_version("\n".join([*_TABLES_AND_VIEWS, *_REST]))
"""`user_version`: a database of another version has other tables, and is rebuilt from the archive."""
