"""Printed values become typed ones, and what can't be read becomes None."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.scalars import fiscal_year, in_site_zone, iso_time, money_range, number, parse_point, reference, time_range, yes_no
from tests.tables import read_table

CASES = read_table("tables/scalars.toml")


@pytest.mark.parametrize("title", "20250129-145639-07|20170119-85658-46|20200722-170836-4|20200722-17083-4".split("|"))
def test_a_title_that_is_a_reference(title: str) -> None:
    assert reference(title) == title


@pytest.mark.parametrize(
    "title", "20200722-1708-4|REQ: 2020-07-22 - City (Webinar)|20200722-170836-400|x20200722-170836-4|".split("|")
)
def test_a_title_that_is_no_reference(title: str) -> None:
    assert reference(title) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Yes", True), (" on ", True), ("Off", False), ("NO", False), ("✔", True), ("maybe", None), ("", None)],
)
def test_yes_no(text: str, expected: bool | None) -> None:
    assert yes_no(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("0", 0), ("1,200", 1200), ("-5", -5), ("12a", None), ("9" * 30, None), ("1,2", None)]
)
def test_number(text: str, expected: int | None) -> None:
    assert number(text) == expected


@pytest.mark.parametrize(("text", "longitude", "latitude"), CASES["points"])
def test_a_sound_point_has_a_place(text: str, longitude: float, latitude: float) -> None:
    assert parse_point(text) == (longitude, latitude, None)


FLAGGED = {
    "point is out of range": "POINT (200 42)|POINT (180.5 42)|POINT (-71 -90.5)|POINT (-71 91)|POINT (1e999 2)",
    "point is at 0 0": "POINT (0 0)",
    "point looks swapped": "POINT (42.3458497 -71.0464339)|-71.0464339, 42.3458497",
    "point is malformed": "42° E, 71° W|POINT (-71, 42)|POINT (-71)|POINT (nan 42)|Boston",
    "point is too long to read": "POINT (" * 5000,
    None: "POLYGON ((-71 42, -71 43, -70 43, -71 42))|LINESTRING (-71 42, -72 43)|POINT EMPTY|",
}


@pytest.mark.parametrize("flag", FLAGGED)
def test_what_is_no_place_is_flagged_and_never_on_the_map(flag: str | None) -> None:
    for text in FLAGGED[flag].split("|"):
        assert parse_point(text) == (None, None, flag), text


ONE_DAY = "Oct 25th 2026|25th of October, 2026|25-Oct-2026|Oct.25,2026|10/25/2026.*|2026/10/25|25.10.2026|25/10/2026"
NO_TIMES = """\
10/25/2026 (10/26/2026 for members)|13:30 PM 1/2/2025|See the memo of 01/02/2025 for details|Adjudicated 2025-01-02
01/02/2025 and 01/03/2025|12 January|02/29/2023|13/45/2023|25:99|0001-01-01T00:00:00+14:00|soon"""


@pytest.mark.parametrize("text", ONE_DAY.split("|"))
def test_spellings_of_one_day(text: str) -> None:
    assert iso_time(text) == "2026-10-25"


@pytest.mark.parametrize("text", "|".join(NO_TIMES.split("\n")).split("|"))
def test_texts_that_are_no_time_or_more_than_one(text: str) -> None:
    assert iso_time(text) is None


@pytest.mark.parametrize(("text", "expected"), CASES["times"])
def test_times(text: str | None, expected: str | None) -> None:
    assert iso_time(text) == expected


@pytest.mark.parametrize("text", ["10/25/2026 " + "on. " * 40 + "x", "10/25/2026" + "()" * 90 + "x", "$" + "9" * 40])
def test_what_is_too_long_is_no_value(text: str) -> None:
    assert (iso_time(text), money_range(text)) == (None, (None, None))


@pytest.mark.parametrize(("text", "expected"), CASES["ranges"])
def test_ranges(text: str, expected: tuple[str | None, str | None]) -> None:
    assert time_range(text, None) == expected


@pytest.mark.parametrize(("text", "attribute", "expected"), CASES["ranges_with_attributes"])
def test_attributes_of_a_range_count_where_they_are_times(text: str, attribute: str, expected: tuple[str | None, ...]) -> None:
    assert time_range(text, attribute) == expected


def test_a_local_time_that_is_marked_as_utc_becomes_the_right_instant() -> None:
    stamp = "2019-11-04T10:49:47Z"
    local = "2019-11-04T10:49:47-05:00"
    for printed, expected in (("Mon, 11/04/2019 - 10:49", local), ("Mon, 11/04/2019 - 05:49", stamp), ("11/04/2019", stamp)):
        assert in_site_zone(printed, stamp) == expected
    printed, stamps = "07/04/2019 - 10:49 - 07/05/2019 - 11:00", "2019-07-04T10:49:47Z/2019-07-05T11:00:00Z"
    assert in_site_zone(printed, stamps) == "2019-07-04T10:49:47-04:00/2019-07-05T11:00:00-04:00"


@pytest.mark.parametrize(("text", "expected"), CASES["money"])
def test_money(text: str, expected: tuple[float | None, float | None]) -> None:
    assert money_range(text) == expected


@given(st.text(max_size=300))
def test_no_text_makes_a_reader_raise(text: str) -> None:
    for read in (reference, yes_no, number, parse_point, iso_time, money_range):
        read(text)
    time_range(text, None)
    time_range(text, text)


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_every_point_is_a_place_or_flagged(longitude: float, latitude: float) -> None:
    *point, flag = parse_point(f"POINT ({longitude!r} {latitude!r})")
    assert point == ([longitude, latitude] if flag is None else [None, None])


@pytest.mark.parametrize(("title", "submitted_at", "year"), CASES["fiscal_years"])
def test_the_fiscal_year_is_that_of_the_reference_or_of_the_day_in_washington(
    title: str | None, submitted_at: str | None, year: int | None
) -> None:
    assert fiscal_year(title, submitted_at) == year
