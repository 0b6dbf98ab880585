"""The big database is sound enough to stand in for a real one of its size."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.multiply import multiply
from scraper.database.tables import TABLES

COUNT = 500


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(multiply(COUNT, tmp_path_factory.mktemp("big"), seeds=40))) as db:
        yield db


def test_every_table_is_filled_and_refers_to_rows_that_are_there(big: sqlite3.Connection) -> None:
    counts = {table.name: big.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0] for table in TABLES}
    assert counts["records"] == COUNT
    assert not [name for name, count in counts.items() if not count]
    assert big.execute("PRAGMA foreign_key_check").fetchall() == []


def test_records_differ_where_real_ones_do(big: sqlite3.Connection) -> None:
    for column in ("record_id", "node_id", "reference", "title"):
        assert big.execute(f"SELECT count(DISTINCT {column}) FROM records").fetchone()[0] == COUNT
    years = {year for (year,) in big.execute("SELECT fiscal_year FROM records")}
    assert years >= set(range(2011, 2027))
    assert 0.85 < big.execute("SELECT avg(longitude IS NOT NULL) FROM records").fetchone()[0] < 0.98
    assert big.execute("SELECT count(DISTINCT county) FROM records").fetchone()[0] > 40


def test_an_existing_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tta.db").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        multiply(1, tmp_path)
    assert (tmp_path / "tta.db").read_bytes() == b"mine"
