"""Rows in bulk: what is read back is what was given, whatever the number of rows."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.database.schema import create, insert_rows
from scraper.database.tables import BY_NAME
from scraper.sqlite import open_memory

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_WIDTH = {name: len(BY_NAME[name].columns) for name in ("sections", "runs")}
_SECTION = st.tuples(_TEXT, st.integers(0, 2**40), *[_TEXT] * (_WIDTH["sections"] - 2))


@given(st.lists(_SECTION, max_size=40, unique_by=lambda row: row[:2]))
def test_rows_are_kept_whole_and_in_order(rows: list[tuple[object, ...]]) -> None:
    db = open_memory()
    create(db)
    insert_rows(db, "sections", rows)
    assert db.execute("SELECT * FROM sections ORDER BY rowid").fetchall() == rows


@pytest.mark.parametrize("count", [1, 15, 16, 17, 100])
def test_none_is_null_and_numbers_are_numbers(count: int) -> None:
    db = open_memory()
    create(db)
    insert_rows(
        db,
        "runs",
        [(number, "2025-01-01T00:00:00Z", None, number % 5, *(None,) * (_WIDTH["runs"] - 4)) for number in range(count)],
    )
    columns = "typeof(run_id), typeof(ended_at), typeof(status), typeof(problems)"
    assert db.execute(f"SELECT DISTINCT {columns} FROM runs").fetchall() == [("integer", "null", "integer", "null")]
    with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
        insert_rows(db, "runs", [(count + 1, *(None,) * (_WIDTH["runs"] - 1))])
