"""No statement of a night grows with the square of the archive: SQLite's plan has no loop over all rows inside another loop.

And facets of filtered records are counted in an index.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from scraper.config import Checks
from scraper.database import load as loading
from scraper.database import schema
from scraper.database.checks import CheckInput, check_all
from scraper.database.connection import writing
from scraper.database.load import LoadOptions, load
from scraper.database.parsed_pages import ParsedPages
from scraper.database.tables import BY_NAME
from scraper.explore.facets import facets_sql
from scraper.explore.metadata import LOOKS
from scraper.folders import Folders
from tests.capturekit import CAPTURES
from tests.dbkit import add, loaded

Plan = list[tuple[int, int, int, str]]


def loop_in_a_loop(plan: Plan) -> str | None:
    """The first step that goes through all rows of a table for every row of another."""
    details = {number: detail for number, _, _, detail in plan}
    started: set[int] = set()
    for _, parent, _, detail in plan:
        repeated = parent in started or details.get(parent, "").startswith("CORRELATED")
        if detail.startswith("SCAN ") and repeated and detail != "SCAN CONSTANT ROW":
            return detail
        if "AUTOMATIC" in detail:
            return detail
        if detail.startswith(("SCAN ", "SEARCH ")):
            started.add(parent)
    return None


def plans(db: sqlite3.Connection, statements: set[str]) -> Iterator[tuple[str, Plan]]:
    """The statements that can be explained now: not those on a temporary table that is gone."""
    for statement in sorted(statements):
        with suppress(sqlite3.OperationalError):
            yield statement, db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()


def test_a_loop_in_a_loop_is_found() -> None:
    with sqlite3.connect(":memory:") as db:
        db.executescript("CREATE TABLE a (x); CREATE TABLE b (x); CREATE INDEX b_x ON b (x)")
        for sql, found in (
            ("SELECT * FROM a CROSS JOIN b", True),
            ("SELECT * FROM a JOIN b USING (x)", False),
            ("SELECT (SELECT count(*) FROM a y WHERE y.x < a.x) FROM a", True),
            ("SELECT * FROM a WHERE x IN (SELECT x FROM b)", False),
            ("SELECT * FROM b UNION SELECT * FROM a", False),
        ):
            (_, plan), *_ = plans(db, {sql})
            assert (loop_in_a_loop(plan) is not None) == found, plan


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Plan]]:
    """Every statement of a second load, and of its checks, with its plan."""
    folders = loaded(tmp_path, CAPTURES[:-8:2])
    seen: set[str] = set()
    found: list[tuple[str, Plan]] = []

    @contextmanager
    def tracing(path: Path, catalog: Path) -> Iterator[tuple[sqlite3.Connection, int | None]]:
        with writing(path, catalog) as (db, version):
            db.set_trace_callback(seen.add)
            yield db, version

    def explain(db: sqlite3.Connection, _: loading.Loaded) -> None:
        list(check_all(CheckInput(db, None, {}, Checks())))
        db.set_trace_callback(None)
        for sql in sorted((one for one in seen if one.startswith(("CREATE TEMP TABLE", "CREATE INDEX temp."))), reverse=True):
            with suppress(sqlite3.OperationalError):  # tables that the load has dropped are made again
                db.execute(sql)
        found.extend(plans(db, {sql for sql in seen if not sql.startswith(("--", "PRAGMA", "BEGIN"))}))

    add(folders, CAPTURES)
    monkeypatch.setattr(loading, "writing", tracing)
    load(folders, LoadOptions(before_commit=explain))
    return found


def test_no_statement_of_a_night_is_quadratic(traced: list[tuple[str, Plan]]) -> None:
    assert len(traced) > 50
    quadratic = {sql: step for sql, plan in traced if (step := loop_in_a_loop(plan))}
    assert quadratic == {}


def test_what_is_not_parsed_yet_is_found_by_index(tmp_path: Path) -> None:
    folders: Folders = loaded(tmp_path, CAPTURES[:3])
    with closing(ParsedPages(tmp_path, folders.archive / "catalog.db")) as pages:
        pages._db.set_trace_callback((seen := set[str]()).add)
        pages.find_missing()
        pages._db.set_trace_callback(None)
        found = [plan for _, plan in plans(pages._db, seen)]
    assert found and not any(map(loop_in_a_loop, found))


@pytest.mark.parametrize("facet", LOOKS["records"]["facets"])
def test_facets_of_records_filtered_by_any_column_but_texts_and_exact_times_read_an_index_alone(facet: str) -> None:
    db, by_row = sqlite3.connect(":memory:"), set()
    schema.create(db)
    schema.finish(db)
    for column in BY_NAME["records"].columns:
        sql = facets_sql("records", [facet, "status"], f'SELECT * FROM records WHERE "{column}" = ?', 30)
        steps = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", ["x"]) if " records" in row[3]]
        assert len(steps) == 1, "rows are read once for all facets"
        by_row |= {column} if steps[0].startswith("SCAN ") and "COVERING" not in steps[0] else set()
    texts = {"title", "short_name", "tta_title", "description", "url"}
    assert by_row == texts | {"event_end", "longitude", "status_changed_at"}
