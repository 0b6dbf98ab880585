"""Derived columns: each file in scraper/database/rules with its examples."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from parsers.scalars import day_of_time, fiscal_year
from scraper.database.derived import RULES, insert_sql, register
from scraper.database.request_title import split_request_title
from scraper.database.schema import create
from scraper.database.tables import BY_NAME, columns_in
from scraper.sqlite import open_memory
from tests.tables import read_table

CASES = read_table("tables/derived.toml")
FLOOR = json.loads((Path(__file__).parent / "quality_floor.json").read_text(encoding="utf-8"))
REQUIRED = {"record_id": "1", "captures": 1, "availability": "unknown"}


def evaluate(*columns: str, milestones: tuple[str, ...] = (), **given: Any) -> dict[str, Any]:
    """Derived columns of a record with the given values, by the tables' own INSERT."""
    db = open_memory()
    create(db)
    register(db)
    for position, date in enumerate(milestones):
        db.execute("INSERT INTO milestones (record_id, position, date) VALUES ('1', ?, ?)", [position, date])
    names = BY_NAME["records"].columns
    db.execute(insert_sql(names), [(REQUIRED | given).get(name) for name in names if name not in RULES])
    return dict(zip(columns, db.execute(f"SELECT {', '.join(columns)} FROM records").fetchone(), strict=True))


EXAMPLES = [(column, example) for column, rule in RULES.items() for example in rule.get("examples", ())]


@pytest.mark.parametrize(("column", "example"), EXAMPLES, ids=str)
def test_rules_give_what_their_examples_expect(column: str, example: dict[str, Any]) -> None:
    given = {name: value for name, value in example.items() if name != "expect"}
    assert evaluate(column, **given) == {column: example.get("expect")}


def test_every_rule_has_an_example_of_a_value_and_a_measured_precision() -> None:
    for column, rule in RULES.items():
        if "rule" in rule:
            assert any("expect" in example for example in rule["examples"]), column
        assert set(rule) <= {"heading", "description", "type", "unit", "rule", "made_of", "precision", "examples"}, column
        assert rule["precision"] == FLOOR[f"derived, {column}, precision"], f"{column}: as `make quality` measured"
        assert "derived" in columns_in("records")[column].description


@pytest.mark.parametrize(("title", "agency", "kind"), CASES["titles"])
def test_titles_of_requests_are_split(title: str, agency: str, kind: str | None) -> None:
    assert split_request_title(title) == ("2024-02-14", agency, kind)


@pytest.mark.parametrize("title", CASES["other_titles"])
def test_other_titles_are_not(title: str) -> None:
    assert split_request_title(title) is None


@pytest.mark.parametrize(
    "title",
    [
        "REQ: 2024-02-14 - " + "(" * 50_000,
        "REQ: " + "2024-02-14 - " * 9_000,
        "req" + " -" * 50_000,
        "REQ: 240214 - x" + "-" * 60_000,
    ],
)
def test_a_hostile_title_costs_no_time(title: str) -> None:
    began = time.process_time()
    split_request_title(title)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(("given", "expected"), CASES["days"])
def test_a_day_and_a_year_are_those_in_washington(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert evaluate(*expected, **given) == expected


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "tomorrow", "", None])
def test_a_time_at_the_end_of_the_calendar_breaks_nothing(text: str | None) -> None:
    assert day_of_time(text) is None or text == "9999-12-31T23:59:59Z"
    fiscal_year(None, text)
