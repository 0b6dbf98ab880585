"""Verifies the ledger: by itself, and what it calls stored against what the archive has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from scraper.doctor.findings import Finding, Kind, counted
from scraper.doctor.tables import LEDGER, DoctorTables
from scraper.ledger import store as schema
from scraper.ledger.rows import STORED, State

_IS_REPLACED = "it is set aside; the next fetch lists the sources again and requests what the archive lacks"
_STATES = ", ".join(f"'{state.value}'" for state in State)
_STORED = ", ".join(f"'{state.value}'" for state in STORED)
_NOT_SEEN = "capture_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM main.seen s WHERE s.capture_id = one.capture_id)"
_LOST = f"""FROM (
    SELECT timestamp || ' ' || url AS shown FROM ledger.captures one WHERE state IN ({_STORED}) AND {_NOT_SEEN}
    UNION ALL SELECT checked_at || ' ' || url FROM ledger.live_pages one WHERE {_NOT_SEEN})"""
"""Captures that the ledger calls stored, or compares live pages with, and that no intact record has."""


def open_ledger(tables: DoctorTables, path: Path) -> Iterator[Finding]:
    """Attaches the ledger, or says why it is unusable."""
    header = (schema.APPLICATION, schema.VERSION)
    yield from tables.open(LEDGER, path, _IS_REPLACED, header, schema.create, _damaged_rows)


def _damaged_rows(db: sqlite3.Connection) -> Iterator[str]:
    for table, condition in (("captures", f"state NOT IN ({_STATES})"), ("runs", "NOT json_valid(coalesce(summary, '{}'))")):
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
            count = db.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0]
            yield from [f"table {table}: {counted(count, 'row')} with impossible values"] if count else []


def compare_ledger(tables: DoctorTables) -> Iterator[Finding]:
    """The ledger against the archive."""
    if LEDGER not in tables.has:
        return
    if count := tables.count(f"SELECT count(*) {_LOST}"):
        text = f"{counted(count, 'row')} of the ledger name captures as stored that the archive does not have"
        yield Finding(Kind.LEDGER_LOST, text, count, _IS_REPLACED, examples=tables.shown(f"SELECT shown {_LOST}"))
