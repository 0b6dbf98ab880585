"""Days and years of records: the portal's own, whatever zone a time was given in."""

from typing import Any

import pytest

from parsers.scalars import day_of_time, fiscal_year
from tests.test_derived import evaluate

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
