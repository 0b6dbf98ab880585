"""Lists the differences between two databases of one archive, by table and field, with examples. `plan` calls it.

SQLite finds the records that differ at all; only their rows are looked at closely, a record at a time, so memory stays flat.
"""

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
_LATER = "family_id"
"""A column that is computed after a load's commit, so a second database lacks its values."""

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
        found.fields += _in_table(db, table, columns)
    found.changed = int(db.execute("SELECT count(*) FROM temp.differing").fetchone()[0])
    db.execute("DROP TABLE temp.differing")
    return found


def _columns(db: sqlite3.Connection, table: Table) -> list[str]:
    """The columns that both databases have and that do not depend on the location of the archive."""
    old, new = ({str(row[1]) for row in db.execute(f'PRAGMA {schema}.table_info("{table.name}")')} for schema in ("old", "new"))
    return [name for name in table.columns if name in old & new and name not in (*table.local, _LATER)]


def _only(db: sqlite3.Connection, one: str, other: str, what: str) -> Only:
    missing = f"FROM {one}.{what}s WHERE {what}_id NOT IN (SELECT {what}_id FROM {other}.{what}s)"
    rows = db.execute(f"SELECT {what}_id {missing} ORDER BY 1 LIMIT ?", [NAMED]).fetchall()
    return Only(int(db.execute(f"SELECT count(*) {missing}").fetchone()[0]), [str(row[0]) for row in rows])


def _quoted(columns: Sequence[str], alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name in columns)


def _in_table(db: sqlite3.Connection, table: Table, columns: list[str]) -> list[Difference]:
    """What differs in a table, by column where it has one row for each record or capture, else by label if rows have one."""
    found: dict[str, Difference] = {}
    key = table.keys[0] if len(table.keys) == 1 else "record_id"
    owner = key.replace("_id", "s")
    both = f"SELECT {key} FROM old.{owner} INTERSECT SELECT {key} FROM new.{owner}"
    db.execute(f"CREATE TEMP TABLE found ({key} TEXT PRIMARY KEY) WITHOUT ROWID")
    for one, other in (("old", "new"), ("new", "old")):
        unlike = _unlike(table, columns, key, one, other)
        db.execute(f"INSERT OR IGNORE INTO temp.found SELECT {key} FROM ({unlike}) WHERE {key} IN ({both})")
    if key == "record_id":
        db.execute("INSERT OR IGNORE INTO temp.differing SELECT record_id FROM temp.found")
    for (identity,) in db.execute(f"SELECT {key} FROM temp.found ORDER BY 1").fetchall():
        old, new = (_parts(db, schema, table, columns, key, identity) for schema in ("old", "new"))
        for name in dict.fromkeys([*old, *new]):
            before, after = old.get(name, []), new.get(name, [])
            if before != after:
                found.setdefault(name, Difference(table.name, name)).add(_example(identity, before, after))
        if old == new:
            found.setdefault(ORDER, Difference(table.name, ORDER)).add(Example(identity, None, None))
    db.execute("DROP TABLE temp.found")
    return sorted(found.values(), key=lambda one: -one.count)


def _unlike(table: Table, columns: list[str], key: str, one: str, other: str) -> str:
    """Selects the keys of rows that the other database lacks. Rows without key are numbered, as some are there twice."""
    if table.keys:
        same = " AND ".join(f'this."{name}" = that."{name}"' for name in table.keys)
        return (
            f'SELECT this.{key} FROM {one}."{table.name}" AS this LEFT JOIN {other}."{table.name}" AS that ON {same}'
            f" WHERE ({_quoted(columns, 'this')}) IS NOT ({_quoted(columns, 'that')})"
        )
    listed = ", ".join(f'"{name}"' for name in columns)
    numbered = f'SELECT {listed}, row_number() OVER (PARTITION BY {listed}) FROM {{}}."{table.name}"'
    return f"SELECT record_id FROM ({numbered.format(one)} EXCEPT {numbered.format(other)})"


def _parts(
    db: sqlite3.Connection, schema: str, table: Table, columns: list[str], key: str, identity: str
) -> dict[str, list[Row]]:
    """A record's rows by label, without their place; all together where they have none. Of a single row its columns."""
    order = "position" if "position" in columns else ", ".join(f'"{name}"' for name in columns)
    names = [name for name in columns if name not in (key, "position")]
    groups: dict[str, list[Row]] = {}
    query = f'SELECT {_quoted(names, "one")} FROM {schema}."{table.name}" AS one WHERE {key} = ? ORDER BY {order}'
    for values in db.execute(query, [identity]):
        row = dict(zip(names, values, strict=True))
        if len(table.keys) == 1:
            return {name: [{name: value}] for name, value in row.items() if value is not None}
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
