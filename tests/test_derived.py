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


TITLES = """
REQ: 2024-02-14 - Larch County District Attorney (Training - In Person) | Larch County District Attorney | Training - In Person
req: 2024-02-14 – Larch County (TX) Sheriff (TA - Remote (Virtual)) | Larch County (TX) Sheriff | TA - Remote (Virtual)
REQ:2024-02-14-Larch Police (TX) | Larch Police (TX) | None
REQ: 02/14/2024 - Larch A&M - North Campus Police (Conference) | Larch A&M - North Campus Police | Conference
REQ: 2024-02-14 - Office of Larch (Techn | Office of Larch | None
REQ: 20240214 - 105380(Peer Exchange) | 105380 | Peer Exchange
Request - 2024-2-14 - Larch, City of (LPD) (Workshop) | Larch, City of (LPD) | Workshop
REQ: 2024-02-14 — Larch Police — Training - In Person | Larch Police | Training - In Person
REQ: 2024-02-14 - Larch Police - Training Unit - Assistance | Larch Police - Training Unit | Assistance
req 2/14/24 - larch police (webinar) | larch police | webinar
REQ: 24-02-14 - Larch Police, Fire, and Rescue [Training - Distance] | Larch Police, Fire, and Rescue | Training - Distance
REQ: Feb 14, 2024: Larch Police, TX (Curriculum Development) | Larch Police, TX | Curriculum Development
RE: REQ_14 February 2024_1st Court of Alder–Rowan (Webinar). | 1st Court of Alder–Rowan | Webinar
REQ： 2024‑02‑14 ‑ Larch Police （Webinar） | Larch Police | Webinar
TTA REQ # 2024.02.14 12:30, "Larch Police" ( TA ) | "Larch Police" | TA
REQ: 2024-02-14 - Larch (DOJ), Office of (OL) (Peer (to-Peer)) | Larch (DOJ), Office of (OL) | Peer (to-Peer)
REQ: 2024-02-14 - Larch Police (Webinar) - UPDATED | Larch Police | Webinar
REQ: 2024-02-14 - Larch Police (Webinar) (cancelled) | Larch Police | Webinar
REQ: 2024-02-14 - Boys & Girls Club of Larch, Inc. (Publication or Tool) | Boys & Girls Club of Larch, Inc. | Publication or Tool
"""


@pytest.mark.parametrize("line", TITLES.strip().splitlines())
def test_titles_of_requests_are_split(line: str) -> None:
    title, agency, kind = line.split(" | ")
    assert split_request_title(title) == ("2024-02-14", agency, None if kind == "None" else kind)


@pytest.mark.parametrize(
    "title",
    ["Request for help", "REQ: 2024-13-14 - Larch", "Required 2024-02-14", "REQ: ", "REQ: 2024-02-14 - ...", "Req. 14 of 24"],
)
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


EVENT = ("event_on", "event_fiscal_year")
SUBMITTED = ("submitted_on", "submitted_year")


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        (SUBMITTED, {"submitted_at": "2025-01-29T19:56:39Z"}, ("2025-01-29", 2025)),
        (SUBMITTED, {"submitted_at": "2025-01-01T04:59:59Z"}, ("2024-12-31", 2024)),  # still the old year in Washington
        (SUBMITTED, {"submitted_at": "2025-07-01T03:59:59Z"}, ("2025-06-30", 2025)),  # daylight saving time
        (SUBMITTED, {"submitted_at": "2025-01-01T00:30:00"}, ("2025-01-01", 2025)),  # local, no zone
        (SUBMITTED, {"submitted_at": "2025-01-01"}, ("2025-01-01", 2025)),
        (SUBMITTED, {"reference": "20250129-145639-07", "submitted_at": "2025-02-03T12:00:00Z"}, ("2025-01-29", 2025)),
        (EVENT, {"event_start": "2024-10-01T03:59:59Z"}, ("2024-09-30", 2024)),
        (EVENT, {"event_start": "2024-10-01T04:00:00Z"}, ("2024-10-01", 2025)),
        (EVENT, {"event_start": "2024-09-30"}, ("2024-09-30", 2024)),
        (EVENT, {"event_start": "2024-10-01T09:00:00"}, ("2024-10-01", 2025)),
        ((*SUBMITTED, *EVENT), {}, (None, None, None, None)),
    ],
)
def test_a_day_and_a_year_are_those_in_washington(
    columns: tuple[str, ...], values: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    found = evaluate(*columns, **values)
    assert tuple(found[name] for name in columns) == expected


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "tomorrow", "", None])
def test_a_time_at_the_end_of_the_calendar_breaks_nothing(text: str | None) -> None:
    assert day_of_time(text) is None or text == "9999-12-31T23:59:59Z"
    fiscal_year(None, text)
