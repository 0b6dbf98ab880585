"""Days and years of records: the portal's own, whatever zone a time was given in."""

from __future__ import annotations

from typing import Any

import pytest

from parsers.scalars import day_of_time, fiscal_year
from tests.test_derived import evaluate

COLUMNS = ("submitted_on", "submitted_year", "event_on", "event_fiscal_year")


def times(**values: Any) -> dict[str, Any]:
    return evaluate(*COLUMNS, **values)


@pytest.mark.parametrize(
    ("submitted_at", "day", "year"),
    [
        ("2025-01-29T19:56:39Z", "2025-01-29", 2025),
        ("2025-01-01T04:59:59Z", "2024-12-31", 2024),  # still the old year in Washington
        ("2025-07-01T03:59:59Z", "2025-06-30", 2025),  # daylight saving time
        ("2025-01-01T00:30:00", "2025-01-01", 2025),  # local, no zone
        ("2025-01-01", "2025-01-01", 2025),
    ],
)
def test_a_submission_has_the_day_it_had_in_washington(submitted_at: str, day: str, year: int) -> None:
    found = times(submitted_at=submitted_at)
    assert (found["submitted_on"], found["submitted_year"]) == (day, year)


def test_the_reference_tells_the_day_before_the_time_does() -> None:
    found = times(reference="20250129-145639-07", submitted_at="2025-02-03T12:00:00Z")
    assert (found["submitted_on"], found["submitted_year"]) == ("2025-01-29", 2025)


@pytest.mark.parametrize(
    ("event_start", "day", "year"),
    [
        ("2024-10-01T03:59:59Z", "2024-09-30", 2024),
        ("2024-10-01T04:00:00Z", "2024-10-01", 2025),
        ("2024-09-30", "2024-09-30", 2024),
        ("2024-10-01T09:00:00", "2024-10-01", 2025),
    ],
)
def test_an_event_lies_in_the_fiscal_year_of_its_first_day(event_start: str, day: str, year: int) -> None:
    found = times(event_start=event_start)
    assert (found["event_on"], found["event_fiscal_year"]) == (day, year)


def test_what_is_not_known_has_no_day() -> None:
    assert set(times().values()) == {None}


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "tomorrow", "", None])
def test_a_time_at_the_end_of_the_calendar_breaks_nothing(text: str | None) -> None:
    assert day_of_time(text) is None or text == "9999-12-31T23:59:59Z"
    fiscal_year(None, text)


def test_days_sort_where_times_of_different_zones_do_not() -> None:
    """In UTC the first is later by the clock on the page; by text it would come first."""
    first, second = "2025-01-30T01:30:00Z", "2025-01-29T23:00:00"
    assert times(submitted_at=first)["submitted_on"] == times(submitted_at=second)["submitted_on"]
