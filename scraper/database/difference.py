"""Counts the differences between two databases of one archive, by table and field, for `tta load --rebuild --plan`."""

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

from scraper.database.tables import LOCAL_TABLES, TABLES

EXAMPLES = 3
"""Examples kept of each difference."""
MISSING, ORDER = "(missing)", "(order of rows)"
"""Used instead of a field for rows that only one database has, and for records whose rows differ only in their order."""
_LATER = "family_id"  # a column that is computed after a load's commit, so a second database lacks its values


class Example(NamedTuple):
    """A record (in `captures`: a capture) with its values in the two databases; None is NULL."""

    id: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a table, and in how many records it differs (in `captures` etc.: in how many rows)."""

    table: str
    field: str
    count: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """`changed`: records in both that differ in any field; `appear`, `vanish`: records only in the new, only in the old one."""

    changed: int
    appear: int
    vanish: int
    fields: list[Difference]


def differences(db: sqlite3.Connection) -> Differences:
    """Compares schema `old` with schema `new`, both attached to `db`, in the columns that both have."""
    found: list[Difference] = []
    db.execute("CREATE TEMP TABLE differing (record_id TEXT PRIMARY KEY) WITHOUT ROWID")
    for table in TABLES:
        old, new = ({row[1] for row in db.execute(f"PRAGMA {schema}.table_info({table.name})")} for schema in ("old", "new"))
        columns = [name for name in table.columns if name in old & new and name not in (*table.local, _LATER)]
        if table.name in (*LOCAL_TABLES, "dictionary") or not {*(table.keys or ["record_id"])} <= {*columns}:
            continue
        if len(table.keys) == 1:
            found += _compare_single_rows(db, table.name, columns, table.keys[0])
        else:
            found += _compare_several_rows(db, table.name, columns)
    only = "(SELECT count(*) FROM (SELECT record_id FROM {}.records EXCEPT SELECT record_id FROM {}.records))"
    counts = f"SELECT (SELECT count(*) FROM temp.differing), {only.format('new', 'old')}, {only.format('old', 'new')}"
    changed, appear, vanish = db.execute(counts).fetchone()
    db.execute("DROP TABLE temp.differing")
    return Differences(changed, appear, vanish, found)


def _compare_single_rows(db: sqlite3.Connection, table: str, columns: list[str], key: str) -> list[Difference]:
    """Counts, in a table with one row for each key, the rows that differ in each column, and those that only one database has."""
    found = []
    both = f'FROM old."{table}" one JOIN new."{table}" other USING ({key})'
    differs = {name: f'one."{name}" IS NOT other."{name}"' for name in columns if name != key}
    counts = db.execute(f"SELECT {', '.join(f'sum({one})' for one in differs.values())} {both}").fetchone()
    for (name, unlike), count in zip(differs.items(), counts, strict=True):
        if count:
            values = f'CAST(one."{name}" AS TEXT), CAST(other."{name}" AS TEXT)'
            rows = db.execute(f"SELECT {key}, {values} {both} WHERE {unlike} ORDER BY 1 LIMIT {EXAMPLES}")
            found.append(Difference(table, name, count, (*map(Example._make, rows),)))
    one_sided = " + ".join(
        f'(SELECT count(*) FROM {one}."{table}" WHERE {key} NOT IN (SELECT {key} FROM {other}."{table}"))'
        for one, other in (("old", "new"), ("new", "old"))
    )
    if key == "record_id":
        db.execute(f"INSERT OR IGNORE INTO temp.differing SELECT record_id {both} WHERE {' OR '.join(differs.values())}")
    elif missing := db.execute(f"SELECT {one_sided}").fetchone()[0]:
        found.append(Difference(table, MISSING, missing))
    return found


def _compare_several_rows(db: sqlite3.Connection, table: str, columns: list[str]) -> list[Difference]:
    """Counts, in a table with several rows for each record, the records that differ, by the rows' label if they have one."""
    label = next((name for name in ("label", "field", "name") if name in columns), "''")
    shown = next((name for name in ("value", "text", "new_value") if name in columns), None)
    db.execute("CREATE TEMP TABLE found (record_id TEXT, label TEXT)")
    for names in ([name for name in columns if name != "position"], columns):  # then those that differ only in their order
        listed = ", ".join(f'"{name}"' for name in names)
        rows = f'SELECT {listed}, row_number() OVER (PARTITION BY {listed}) FROM {{}}."{table}"'
        for one, other in (("old", "new"), ("new", "old")):
            db.execute(
                f"INSERT INTO temp.found SELECT record_id, {label if names is not columns else f'{ORDER!r}'} "
                f"FROM ({rows.format(one)} EXCEPT {rows.format(other)}) WHERE record_id IN (SELECT record_id FROM old.records "
                "INTERSECT SELECT record_id FROM new.records) AND record_id NOT IN (SELECT record_id FROM temp.found WHERE ?)",
                [names is columns],
            )
    db.execute("INSERT OR IGNORE INTO temp.differing SELECT record_id FROM temp.found")
    values = ", ".join(
        f"(SELECT group_concat({shown}, '; ') FROM {schema}.\"{table}\" WHERE record_id = f.record_id AND {label} IS f.label)"
        for schema in ("old", "new")
    )
    example = (
        f"SELECT DISTINCT record_id, {values if shown else 'NULL, NULL'} FROM temp.found f WHERE label IS ? ORDER BY 1 LIMIT ?"
    )
    result = [
        Difference(table, name or "", count, (*map(Example._make, db.execute(example, [name, EXAMPLES]).fetchall()),))
        for name, count in db.execute("SELECT label, count(DISTINCT record_id) FROM temp.found GROUP BY 1").fetchall()
    ]
    db.execute("DROP TABLE temp.found")
    return result
