"""Which capture's body a revisit repeats. Asked of the whole catalog each time, so the order of arrival makes no difference."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from parsers.urls import node_id

MAX_CHAIN = 10
"""Revisits of revisits that are followed; archives write none, so a longer chain is damage or malice."""


class _Revisit(NamedTuple):
    capture_id: str
    form: str
    url: str | None
    payload_digest: str | None
    original_record_id: str | None
    original_url: str | None
    original_captured_at: str | None


_SELECT = f"SELECT {', '.join(_Revisit._fields)} FROM archive.captures"
_BY_RECORD_ID = f"{_SELECT} WHERE warc_record_id = ? AND capture_id != ? ORDER BY form = 'revisit', capture_id"
_BY_PLACE = (
    f"{_SELECT} WHERE url = ? AND captured_at = ? AND capture_id != ? "
    "ORDER BY form = 'revisit', payload_digest IS NOT ?, capture_id"
)
_BY_DIGEST = (
    f"{_SELECT} WHERE payload_digest = ? AND form != 'revisit' "
    "ORDER BY url IS NOT ?, captured_at IS NULL, rtrim(captured_at, 'Z'), capture_id LIMIT 1"
)
_TAKEN = "sha256, form, reference, node_id, shape, flags"


def resolve(db: sqlite3.Connection) -> None:
    """Fills `captures.original_id` of every revisit record and what follows from it; those it changes go to `temp.touched`.

    A revisit takes its original's body digest, form and reference, and its node number where its own address tells none.
    """
    for row in db.execute(f"{_SELECT} WHERE form = 'revisit'"):  # of the catalog, which nothing changes meanwhile
        revisit = _Revisit._make(row)
        original = _original(db, revisit, {revisit.capture_id})
        taken = _taken(db, original)
        own_node = node_id(revisit.url)
        values = (original, *taken[:3], taken[3] if own_node is None else own_node, *taken[4:])
        held = db.execute(f"SELECT original_id, {_TAKEN} FROM captures WHERE capture_id = ?", [revisit.capture_id]).fetchone()
        if held is not None and held != values:
            db.execute(
                f"UPDATE captures SET (original_id, {_TAKEN}) = (?, ?, ?, ?, ?, ?, ?) WHERE capture_id = ?",
                (*values, revisit.capture_id),
            )
            db.execute("INSERT OR IGNORE INTO temp.touched VALUES (?)", [revisit.capture_id])


def _taken(db: sqlite3.Connection, original: str | None) -> tuple[object, ...]:
    row = db.execute(f"SELECT {_TAKEN} FROM captures WHERE capture_id = ?", [original]).fetchone()
    return tuple(row) if row else (None,) * len(_TAKEN.split(","))


def _original(db: sqlite3.Connection, revisit: _Revisit, chain: set[str]) -> str | None:
    """The capture with a body that a revisit leads to, over other revisits where need be; None where it is not in the archive."""
    if len(chain) > MAX_CHAIN:
        return None
    for found in _candidates(db, revisit):
        if found.form != "revisit":
            if db.execute("SELECT 1 FROM captures WHERE capture_id = ?", [found.capture_id]).fetchone():
                return found.capture_id
        elif found.capture_id not in chain:
            further = _original(db, found, chain | {found.capture_id})
            if further is not None:
                return further
    return None


def _candidates(db: sqlite3.Connection, revisit: _Revisit) -> Iterator[_Revisit]:
    """What the revisit may mean, the surest first: the record it names, the address and time it names, the same digest."""
    if revisit.original_record_id:
        yield from map(_Revisit._make, db.execute(_BY_RECORD_ID, [revisit.original_record_id, revisit.capture_id]).fetchall())
    if revisit.original_captured_at:
        place = [revisit.original_url or revisit.url, revisit.original_captured_at, revisit.capture_id, revisit.payload_digest]
        yield from map(_Revisit._make, db.execute(_BY_PLACE, place).fetchall())
    if revisit.payload_digest:
        yield from map(_Revisit._make, db.execute(_BY_DIGEST, [revisit.payload_digest, revisit.url]).fetchall())
