"""Lists the differences between two databases of one archive, by table and field, with examples. `plan` calls it.

SQLite finds the records that differ at all; only their rows are looked at closely, a record at a time, so memory stays flat.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from typing import Any

from scraper.database.tables import LOCAL_TABLES, TABLES, Table

EXAMPLES = 3
"""Examples kept of each difference."""
NAMED = 10
"""Records named of those that appear or vanish."""
ORDER = "(order of rows)"
"""Used instead of a field if a record's rows are the same in another order."""
_LABELS = ("label", "field", "name")
_NOT_COMPARED = (*LOCAL_TABLES, "dictionary")

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """One record, or capture, whose value differs. None is NULL, or no row."""

    id: str
    old: str | None
    new: str | None


@dataclasses.dataclass(slots=True)
class Difference:
    """A field of a table that differs in `count` records (of `captures`: captures)."""

    table: str
    field: str
    count: int = 0
    examples: list[Example] = dataclasses.field(default_factory=list)

    def add(self, example: Example) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)


@dataclasses.dataclass(slots=True)
class Only:
    """Rows that one of the two lacks: how many, and the first of them."""

    count: int = 0
    ids: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Differences:
    """`changed`: records in both that differ in any field. Fields are in the order of the tables, then by how many differ."""

    changed: int = 0
    appear: Only = dataclasses.field(default_factory=Only)
    vanish: Only = dataclasses.field(default_factory=Only)
    captures_appear: Only = dataclasses.field(default_factory=Only)
    captures_vanish: Only = dataclasses.field(default_factory=Only)
    fields: list[Difference] = dataclasses.field(default_factory=list)

    def __bool__(self) -> bool:
        only = (self.appear, self.vanish, self.captures_appear, self.captures_vanish)
        return bool(self.changed or self.fields or any(one.count for one in only))


def differences(db: sqlite3.Connection) -> Differences:
    """Compares schema `old` with schema `new`, both attached to `db`. Columns that only one has are left out."""
    compared = [(table, _columns(db, table)) for table in TABLES if table.name not in _NOT_COMPARED]
    compared = [(table, columns) for table, columns in compared if {*(table.keys or ["record_id"])} <= {*columns}]
    found = Differences(
        appear=_only(db, "new", "old", "record"),
        vanish=_only(db, "old", "new", "record"),
        captures_appear=_only(db, "new", "old", "capture"),
        captures_vanish=_only(db, "old", "new", "capture"),
    )
    db.execute("CREATE TEMP TABLE differing (record_id TEXT PRIMARY KEY) WITHOUT ROWID")
    for table, columns in compared:
        found.fields += (_in_rows if len(table.keys) == 1 else _in_groups)(db, table, columns)
    found.changed = int(db.execute("SELECT count(*) FROM temp.differing").fetchone()[0])
    db.execute("DROP TABLE temp.differing")
    return found


def _columns(db: sqlite3.Connection, table: Table) -> list[str]:
    """The columns that both databases have and that do not depend on the location of the archive."""
    old, new = ({str(row[1]) for row in db.execute(f'PRAGMA {schema}.table_info("{table.name}")')} for schema in ("old", "new"))
    return [name for name in table.columns if name in old & new and name not in table.local]


def _only(db: sqlite3.Connection, one: str, other: str, what: str) -> Only:
    missing = f"FROM {one}.{what}s WHERE {what}_id NOT IN (SELECT {what}_id FROM {other}.{what}s)"
    rows = db.execute(f"SELECT {what}_id {missing} ORDER BY 1 LIMIT ?", [NAMED]).fetchall()
    return Only(int(db.execute(f"SELECT count(*) {missing}").fetchone()[0]), [str(row[0]) for row in rows])


def _quoted(columns: Sequence[str], alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name in columns)


def _in_rows(db: sqlite3.Connection, table: Table, columns: list[str]) -> list[Difference]:
    """A table with one row for each key, compared column by column."""
    (key,) = table.keys
    names = [name for name in columns if name != key]
    unlike = (
        f'FROM new."{table.name}" AS new JOIN old."{table.name}" AS old ON old."{key}" = new."{key}"'
        f" WHERE ({_quoted(names, 'old')}) IS NOT ({_quoted(names, 'new')})"
    )
    found = {name: Difference(table.name, name) for name in names}
    for row in db.execute(f'SELECT new."{key}", {_quoted(names, "old")}, {_quoted(names, "new")} {unlike} ORDER BY 1'):
        old, new = row[1 : len(names) + 1], row[len(names) + 1 :]
        for name, before, after in zip(names, old, new, strict=True):
            if before != after:
                found[name].add(Example(str(row[0]), *(None if value is None else str(value) for value in (before, after))))
    if key == "record_id":
        db.execute(f"INSERT OR IGNORE INTO temp.differing SELECT new.record_id {unlike}")
    return _sorted(found)


def _in_groups(db: sqlite3.Connection, table: Table, columns: list[str]) -> list[Difference]:
    """A table with many rows for each record: differences are grouped by label if rows have one, else for the whole table."""
    found: dict[str, Difference] = {}
    both = "SELECT record_id FROM old.records INTERSECT SELECT record_id FROM new.records"
    db.execute("CREATE TEMP TABLE found (record_id TEXT PRIMARY KEY) WITHOUT ROWID")
    for one, other in (("old", "new"), ("new", "old")):
        unlike = _unlike(table, columns, one, other)
        db.execute(f"INSERT OR IGNORE INTO temp.found SELECT record_id FROM ({unlike}) WHERE record_id IN ({both})")
    db.execute("INSERT OR IGNORE INTO temp.differing SELECT record_id FROM temp.found")
    for (record_id,) in db.execute("SELECT record_id FROM temp.found ORDER BY record_id"):
        old, new = (_by_label(db, schema, table, columns, record_id) for schema in ("old", "new"))
        for label in dict.fromkeys([*old, *new]):
            before, after = old.get(label, []), new.get(label, [])
            if before != after:
                found.setdefault(label, Difference(table.name, label)).add(_example(record_id, before, after))
        if old == new:
            found.setdefault(ORDER, Difference(table.name, ORDER)).add(Example(record_id, None, None))
    db.execute("DROP TABLE temp.found")
    return _sorted(found)


def _unlike(table: Table, columns: list[str], one: str, other: str) -> str:
    """Selects the records with a row that the other database lacks. Rows without key are numbered, as some are there twice."""
    if table.keys:
        same = " AND ".join(f'this."{key}" = that."{key}"' for key in table.keys)
        return (
            f'SELECT this.record_id FROM {one}."{table.name}" AS this LEFT JOIN {other}."{table.name}" AS that ON {same}'
            f" WHERE ({_quoted(columns, 'this')}) IS NOT ({_quoted(columns, 'that')})"
        )
    listed = ", ".join(f'"{name}"' for name in columns)
    numbered = f'SELECT {listed}, row_number() OVER (PARTITION BY {listed}) FROM {{}}."{table.name}"'
    return f"SELECT record_id FROM ({numbered.format(one)} EXCEPT {numbered.format(other)})"


def _by_label(db: sqlite3.Connection, schema: str, table: Table, columns: list[str], record_id: str) -> dict[str, list[Row]]:
    """A record's rows without their place; those of a table without labels are all under one."""
    order = "position" if "position" in columns else ", ".join(f'"{name}"' for name in columns)
    names = [name for name in columns if name not in ("record_id", "position")]
    query = f'SELECT {_quoted(names, "one")} FROM {schema}."{table.name}" AS one WHERE record_id = ? ORDER BY {order}'
    groups: dict[str, list[Row]] = {}
    for values in db.execute(query, [record_id]):
        row = dict(zip(names, values, strict=True))
        groups.setdefault(str(next((row[name] for name in _LABELS if row.get(name)), "")), []).append(row)
    return groups


def _example(record_id: str, old: list[Row], new: list[Row]) -> Example:
    """The values before and after, or else the first detail that differs."""
    before, after = ("; ".join(map(_shown, rows)) if rows else None for rows in (old, new))
    if before != after:
        return Example(record_id, before, after)
    details = ((name, one[name], other[name]) for one, other in zip(old, new, strict=True) for name in one)
    name, was, will = next(detail for detail in details if detail[1] != detail[2])
    return Example(record_id, f"{name} {was}", f"{name} {will}")


def _shown(row: Row) -> str:
    if "state" in row:
        return str(row["value"]) if row["value"] is not None else f"({row['state']})"
    if "old_value" in row:
        return f"{row['seen_by']}: {row['old_value']} -> {row['new_value']}"
    return " | ".join(str(value) for name, value in row.items() if value is not None and name not in ("label", "capture_id"))


def _sorted(found: dict[str, Difference]) -> list[Difference]:
    return sorted((one for one in found.values() if one.count), key=lambda one: -one.count)
