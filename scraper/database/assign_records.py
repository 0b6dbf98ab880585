"""Assigns a record and a kind to every capture; recomputed over all captures at each load.

DESIGN.md, "Identity": the node number identifies the record; without one, the record with the same reference or the same address.

Records that change are collected in `temp.affected`, to be rebuilt.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any, NamedTuple

from parsers.urls import page_address
from scraper.capture import url_key

SHOWS = "form IS NOT NULL"
"""A capture that shows a record: by its own body, or as a revisit of one that does."""
TIME_ORDER = "rtrim(coalesce(captured_at, ''), 'Z')"
"""SQL that sorts captures by time: unknown first, a date before times on that day, a full second before its fractions."""
BUILD_ORDER = f"{TIME_ORDER}, instr('prose text html data', form), capture_id"
"""SQL for the order in which `merge` takes captures: by time; at the same time, the richest form last."""
REPLACED = """
    NOT intact AND EXISTS (SELECT 1 FROM captures other WHERE other.intact AND other.form IS NOT NULL
    AND other.address IS captures.address AND other.captured_at IS captures.captured_at)
"""
"""SQL: a damaged capture of which the archive has an intact copy. It shows the record, but none of its values counts."""


class Marks(NamedTuple):
    """What identifies a capture without a node number; at least one of the two is not None."""

    reference: str | None
    address: str | None


@lru_cache(maxsize=4096)
def address_key(url: str | None) -> str | None:
    """Returns the key of a page's own address, which is without any archive's prefix (`url_key`); None if there is none."""
    return url_key(page_address(url)) if url else None


def root_of(parents: dict[Any, Any], key: Any) -> Any:
    """Returns the key that represents all those joined with `key`: two are joined by making one's root the other's parent."""
    while (above := parents.get(key, key)) != key:
        parents[key] = parents.get(above, above)
        key = above
    return key


def identify(
    captures: Iterable[Marks],
    node_of_reference: Callable[[str], int | None],
    node_of_address: Callable[[str], int | None],
) -> dict[Marks, str]:
    """Returns the `record_id` for every pair of marks.

    The two functions return the lowest node number among the captures with that reference or that address. Pairs that share a
    reference or an address, directly or through others, are one record: a pair without its own node gets the group's lowest one.
    A group without any node is named after its lowest reference, or else its lowest address.
    """
    parent: dict[tuple[int, str], tuple[int, str]] = {}

    keys = {marks: [(kind, mark) for kind, mark in enumerate(marks) if mark is not None] for marks in captures}
    own: dict[Marks, int | None] = {}
    for marks, some in keys.items():
        parent[root_of(parent, some[0])] = root_of(parent, some[-1])
        node = node_of_reference(marks.reference) if marks.reference else None
        own[marks] = node_of_address(marks.address) if node is None and marks.address else node
    groups: dict[tuple[int, str], list[Marks]] = {}
    for marks, some in keys.items():
        groups.setdefault(root_of(parent, some[0]), []).append(marks)
    result: dict[Marks, str] = {}
    for members in groups.values():
        lowest = min((node for one in members if (node := own[one]) is not None), default=None)
        digests = (hashlib.sha256((one.address or "").encode("utf-8", "replace")).hexdigest() for one in members)
        names = (one.reference or f"url:{digest[:16]}" for one, digest in zip(members, digests, strict=True))
        name = min(names, key=lambda one: (one.startswith("url:"), one)) if lowest is None else str(lowest)
        result |= {one: name if own[one] is None else str(own[one]) for one in members}
    return result


def assign_records(db: sqlite3.Connection) -> None:
    """Sets `captures.record_id`, and adds to `temp.affected` every record that loses, gains or keeps a touched capture."""
    unknown = "warc_type = 'revisit' AND original_id IS NULL AND (coalesce(http_status, 200) < 300 OR http_status = 304)"
    touched = "capture_id IN (SELECT capture_id FROM temp.touched)"  # of others these depend on nothing that changed
    _set(db, "NULL", f"{touched} AND NOT ({SHOWS}) AND NOT ({unknown})")
    _set(db, "CAST(node_id AS TEXT)", f"{touched} AND {SHOWS} AND node_id IS NOT NULL")
    _assign_without_node(db)
    known = f"SELECT CAST(min(one.node_id) AS TEXT) FROM captures one WHERE one.node_id = captures.node_id AND one.{SHOWS}"
    _set(db, f"({known})", f"NOT ({SHOWS}) AND {unknown}")
    db.execute(f"INSERT OR IGNORE INTO temp.affected SELECT record_id FROM captures WHERE {touched} AND record_id IS NOT NULL")


def _assign_without_node(db: sqlite3.Connection) -> None:
    without = f"{SHOWS} AND node_id IS NULL"
    marked = "(reference IS NOT NULL OR address IS NOT NULL)"

    def lowest_node(value: str, column: str) -> int | None:
        found: int | None = db.execute(f"SELECT min(node_id) FROM captures WHERE {column} = ? AND {SHOWS}", [value]).fetchone()[0]
        return found

    pairs = db.execute(f"SELECT DISTINCT reference, address FROM captures WHERE {without} AND {marked}").fetchall()
    records = identify(map(Marks._make, pairs), partial(lowest_node, column="reference"), partial(lowest_node, column="address"))
    db.execute("CREATE TEMP TABLE marks (reference TEXT, address TEXT, record_id TEXT)")
    db.executemany("INSERT INTO temp.marks VALUES (?, ?, ?)", ((*marks, record_id) for marks, record_id in records.items()))
    db.execute("CREATE INDEX temp.marks_by_pair ON marks (reference, address)")
    found = "SELECT m.record_id FROM temp.marks m WHERE m.reference IS captures.reference AND m.address IS captures.address"
    _set(db, f"({found})", f"{without} AND {marked}")
    db.execute("DROP TABLE temp.marks")
    _set(db, "'capture:' || coalesce(original_id, capture_id)", f"{without} AND NOT {marked} AND warc_type != 'revisit'")
    original = "SELECT original.record_id FROM captures original WHERE original.capture_id = captures.original_id"
    _set(db, f"({original})", f"{without} AND NOT {marked} AND warc_type = 'revisit'")


def _set(db: sqlite3.Connection, record_id: str, where: str) -> None:
    """Sets `captures.record_id` to an SQL expression in the rows `where`; adds what changes to tables of `temp`."""
    db.execute("CREATE TEMP TABLE moved (capture_id TEXT PRIMARY KEY, old TEXT, new TEXT) WITHOUT ROWID")
    different = f"FROM captures WHERE ({where}) AND record_id IS NOT {record_id}"
    db.execute(f"INSERT INTO temp.moved SELECT capture_id, record_id, {record_id} {different}")
    db.execute("INSERT OR IGNORE INTO temp.affected SELECT old FROM temp.moved WHERE old IS NOT NULL")
    db.execute("INSERT OR IGNORE INTO temp.touched SELECT capture_id FROM temp.moved")
    new = "SELECT new FROM temp.moved WHERE moved.capture_id = captures.capture_id"
    db.execute(f"UPDATE captures SET record_id = ({new}) WHERE capture_id IN (SELECT capture_id FROM temp.moved)")
    db.execute("DROP TABLE temp.moved")


def set_kinds(db: sqlite3.Connection) -> None:
    """Of a record's captures with the same body, the first is a `record`, each later one a `revisit` (DESIGN.md, "Fetching")."""
    number = f"row_number() OVER (PARTITION BY record_id, sha256 ORDER BY {BUILD_ORDER})"
    of_affected = f"{SHOWS} AND warc_type != 'revisit' AND record_id IN (SELECT record_id FROM temp.affected)"
    ranked = f"SELECT capture_id, iif({number} = 1, 'record', 'revisit') AS kind FROM captures WHERE {of_affected}"
    is_other = "ranked.capture_id = captures.capture_id AND captures.kind != ranked.kind"
    db.execute(f"UPDATE captures SET kind = ranked.kind FROM ({ranked}) AS ranked WHERE {is_other}")
