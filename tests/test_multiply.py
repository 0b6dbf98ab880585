"""The big database is sound enough to stand in for a real one of its size."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.multiply import _retell, multiply
from scraper.database.tables import TABLES
from tests.pagegen.content import printed

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


def test_times_of_a_copy_keep_their_order_and_their_form(big: sqlite3.Connection) -> None:
    wrong = "SELECT count(*) FROM records WHERE submitted_at > first_captured_at OR first_captured_at > last_captured_at"
    assert big.execute(wrong).fetchone()[0] == 0
    late = (
        "SELECT captured_at FROM captures, (SELECT ended_at FROM runs ORDER BY run_id DESC LIMIT 1) WHERE captured_at > ended_at"
    )
    assert big.execute(late).fetchall() == [], "no capture is later than the last refresh"
    nights = big.execute("SELECT captures, ended_at FROM runs WHERE outcome = 'committed' ORDER BY run_id").fetchall()
    times = [row[0] for row in big.execute("SELECT captured_at FROM captures ORDER BY warc_file, warc_offset")]
    assert all(max(times[:known]) < ended and all(one > ended[:10] for one in times[known:]) for known, ended in nights)
    assert nights[-1][0] == len(times) > nights[0][0] > 0
    ranges = [row[0].split("/") for row in big.execute("SELECT datetime FROM fields WHERE datetime LIKE '%/%'")]
    assert ranges
    assert all(start < end and len(start) == len(end) == 20 for start, end in ranges)


def test_what_a_copy_prints_agrees_with_its_columns(big: sqlite3.Connection) -> None:
    for value, times in big.execute("SELECT value, datetime FROM fields WHERE datetime IS NOT NULL"):
        assert value == " - ".join(printed(datetime.fromisoformat(one)) for one in times.split("/"))
    requests = big.execute("SELECT request_date, submitted_on, event_on, tta_title FROM records WHERE request_date IS NOT NULL")
    for requested, submitted, event, title in requests:
        assert requested in title
        assert abs(date.fromisoformat(submitted) - date.fromisoformat(requested)) < timedelta(days=2)
        assert not event or event > requested
    places = ("Marion County", "Polk County", "Indianapolis", "Des Moines", "Indiana", "Iowa")
    assert _retell("Indianapolis, Marion County, Indiana: 2024-02-28", 2, *places) == "Des Moines, Polk County, Iowa: 2024-03-01"
    points = "SELECT value, longitude, latitude FROM fields JOIN records USING (record_id) WHERE value LIKE 'POINT (%'"
    assert all(value == f"POINT ({x:.7f} {y:.7f})" for value, x, y in big.execute(points))


def test_the_search_finds_a_copy_by_its_new_place(big: sqlite3.Connection) -> None:
    (county,) = big.execute("SELECT county FROM records WHERE county IS NOT NULL ORDER BY node_id DESC LIMIT 1").fetchone()
    found = "SELECT count(*) FROM records_fts WHERE records_fts MATCH ?"
    assert big.execute(found, [f'county : "{county}"']).fetchone()[0] > 0


def test_an_existing_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "tta.db").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        multiply(1, tmp_path)
    assert (tmp_path / "tta.db").read_bytes() == b"mine"
