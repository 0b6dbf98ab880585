"""Printed values become typed ones, and what can't be read becomes None."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.scalars import (
    in_site_zone,
    iso_time,
    money_range,
    number,
    parse_point,
    reference,
    time_range,
    yes_no,
)


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


@pytest.mark.parametrize(
    ("text", "longitude", "latitude"),
    [
        ("POINT (-71.0464339 42.3458497)", -71.0464339, 42.3458497),
        ("point(-71 42)", -71, 42),
        ("  Point  (  -7.1E1   +4.2e+1  ) ", -71, 42),
        ("POINT(-.5e2 42.)", -50, 42),
        ("SRID=4326;POINT Z (-71 42 3)", -71, 42),
        ("MULTIPOINT ((-71 42), (-72 43))", -71, 42),
        ("MULTIPOINT (200 42, -72 43)", -72, 43),
        ("GEOMETRYCOLLECTION (POINT (-71 42))", -71, 42),
        ("POINT (144.79 13.44)", 144.79, 13.44),
        ("POINT (2.35 48.85)", 2.35, 48.85),
        ("42.3458497, -71.0464339", -71.0464339, 42.3458497),
        ("42° 20' 45\" N, 71° 2' 47\" W", -71.0464, 42.3458),
        ("33.5° S 18° E", 18.0, -33.5),
    ],
)
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-01-29T14:56:39-05:00", "2025-01-29T19:56:39Z"),
        ("2025-01-29T14:56:39Z", "2025-01-29T14:56:39Z"),
        ("2025-01-29T14:56:39", "2025-01-29T14:56:39"),
        ("2025-01-29", "2025-01-29"),
        ("Wed, 01/29/2025 - 14:56", "2025-01-29T14:56:00"),
        ("Wednesday, January 29, 2025 - 2:56 PM", "2025-01-29T14:56:00"),
        ("29 January 2025", "2025-01-29"),
        ("Jan. 29, 2025 12:05 am", "2025-01-29T00:05:00"),
        ("January 29th, 2025 at 3pm", "2025-01-29T15:00:00"),
        ("1/2/25", "2025-01-02"),
        ("Sept. 5, 2026", "2026-09-05"),
        ("2026-10-25 17:00", "2026-10-25T17:00:00"),
        ("10/25/2026 5:00PM", "2026-10-25T17:00:00"),
        ("October 25, 2026 5 p.m.", "2026-10-25T17:00:00"),
        ("Sunday, October 25, 2026 (noon)", "2026-10-25T12:00:00"),
        ("10/25/2026 5:00 PM EDT", "2026-10-25T21:00:00Z"),
        ("10/25/2026 5:00 PM ET", "2026-10-25T21:00:00Z"),
        ("12/25/2026 5:00 PM Eastern Time", "2026-12-25T22:00:00Z"),
        ("12/25/2026 at 9:30 am (PST)", "2026-12-25T17:30:00Z"),
        ("Sun, 25 Oct 2026 10:00:00 +0000", "2026-10-25T10:00:00Z"),
        ("10/25/2026 - 17:00 (2 years ago)", "2026-10-25T17:00:00"),
        ("10/25/2026 " + "on. " * 40 + "x", None),
        ("10/25/2026" + "()" * 90 + "x", None),
        (None, None),
    ],
)
def test_times(text: str | None, expected: str | None) -> None:
    assert iso_time(text) == expected


@pytest.mark.parametrize(
    ("text", "attribute", "expected"),
    [
        ("x", "2025-01-02T12:00:00Z/2025-01-03T12:00:00Z", ("2025-01-02T12:00:00Z", "2025-01-03T12:00:00Z")),
        ("x", "2025-01-02T12:00:00Z", ("2025-01-02T12:00:00Z", "2025-01-02T12:00:00Z")),
        ("x", "2025-01-02T12:00:00Z/", ("2025-01-02T12:00:00Z", None)),
        ("x", "/2025-01-02T12:00:00Z", (None, "2025-01-02T12:00:00Z")),
        ("Wed, 01/29/2025 - 14:56 - Thu, 01/30/2025 - 15:00", None, ("2025-01-29T14:56:00", "2025-01-30T15:00:00")),
        ("Mon, 03/03/2025 - 09:00 - 17:00", None, ("2025-03-03T09:00:00", "2025-03-03T17:00:00")),
        ("01/29/2025 - 01/30/2025", None, ("2025-01-29", "2025-01-30")),
        ("January 2, 2025 to January 3, 2025", None, ("2025-01-02", "2025-01-03")),
        ("01/29/2025 - 14:56", None, ("2025-01-29T14:56:00", "2025-01-29T14:56:00")),
        ("01/29/2025 -", None, ("2025-01-29", None)),
        ("- 01/29/2025", None, (None, "2025-01-29")),
        ("-", None, (None, None)),
        ("to", None, (None, None)),
        ("until 01/29/2025", None, (None, "2025-01-29")),
        ("01/29/2025-01/30/2025", None, ("2025-01-29", "2025-01-30")),
        ("2025-01-29 – 2025-01-30", None, ("2025-01-29", "2025-01-30")),
        ("from January 2, 2025 through January 3, 2025", None, ("2025-01-02", "2025-01-03")),
        ("Jan 2 2025 until Jan 3 2025", None, ("2025-01-02", "2025-01-03")),
        ("Oct 25, 2026 → Oct 27, 2026", None, ("2026-10-25", "2026-10-27")),
        ("between 10/25/2026 and 10/27/2026", None, ("2026-10-25", "2026-10-27")),
        ("October 25 & 26, 2026", None, ("2026-10-25", "2026-10-26")),
        ("10/25/2026 to present", None, ("2026-10-25", None)),
        ("Dec 30 - Jan 2, 2027", None, ("2026-12-30", "2027-01-02")),
        ("Mon, 10/26/2026 - 9:00am to Tue, 10/27/2026 - 5:00pm", None, ("2026-10-26T09:00:00", "2026-10-27T17:00:00")),
        ("October 26, 2026 (All day) to October 28, 2026 (All day)", None, ("2026-10-26", "2026-10-28")),
        ("March 1 - 3, 2024", None, ("2024-03-01", "2024-03-03")),
        ("Fri, March 30th to Mon, April 2nd, 2024", None, ("2024-03-30", "2024-04-02")),
        ("30 March - 2 April 2024", None, ("2024-03-30", "2024-04-02")),
        ("03/01 - 03/03/2024", None, ("2024-03-01", "2024-03-03")),
        ("Mar 1 2024, 9 - 11am", None, ("2024-03-01T09:00:00", "2024-03-01T11:00:00")),
        ("Mar 1 2024, 11 - 1pm", None, ("2024-03-01T11:00:00", "2024-03-01T13:00:00")),
        ("03/01/2024 9:00-17:00", None, ("2024-03-01T09:00:00", "2024-03-01T17:00:00")),
        ("5:00 PM to 7:00 PM ET on October 25, 2026", None, ("2026-10-25T21:00:00Z", "2026-10-25T23:00:00Z")),
        ("2025-01-02 - 2025-01-03", "2025-01-02T12:00:00Z/2025-01-03T12:00:00Z", ("2025-01-02", "2025-01-03")),
        ("01/02/2025", "2025-01-02T12:00:00Z", ("2025-01-02", "2025-01-02")),
        ("01/02/2025 - 07:00", "2025-01-02T12:00:00Z", ("2025-01-02T12:00:00Z", "2025-01-02T12:00:00Z")),
        ("01/02/2025", "2025-01-02T17:00:00Z", ("2025-01-02T17:00:00Z", "2025-01-02T17:00:00Z")),
        ("01/02/2025", "unknown", ("2025-01-02", "2025-01-02")),
        ("A range of topics to discuss", None, (None, None)),
    ],
)
def test_ranges(text: str, attribute: str | None, expected: tuple[str | None, str | None]) -> None:
    assert time_range(text, attribute) == expected


def test_a_local_time_that_is_marked_as_utc_becomes_the_right_instant() -> None:
    stamp = "2019-11-04T10:49:47Z"
    local = "2019-11-04T10:49:47-05:00"
    for printed, expected in (("Mon, 11/04/2019 - 10:49", local), ("Mon, 11/04/2019 - 05:49", stamp), ("11/04/2019", stamp)):
        assert in_site_zone(printed, stamp) == expected
    printed, stamps = "07/04/2019 - 10:49 - 07/05/2019 - 11:00", "2019-07-04T10:49:47Z/2019-07-05T11:00:00Z"
    assert in_site_zone(printed, stamps) == "2019-07-04T10:49:47-04:00/2019-07-05T11:00:00-04:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$10,000 - $24,999", (10000, 24999)),
        ("$25,001 to $50,000", (25001, 50000)),
        ("Under $5,000", (None, 5000)),
        ("Less than $10K", (None, 10000)),
        ("$100,000+", (100000, None)),
        ("Over $1.5 million", (1500000, None)),
        ("$0", (0, 0)),
        ("N/A", (None, None)),
        ("1, 2 or 3", (None, None)),
        ("$10,000-$24,999.", (10000, 24999)),
        ("10,000-24,999", (10000, 24999)),
        ("USD$500", (500, 500)),
        ("$" + "9" * 40, (None, None)),
        ("$1,234,56", (None, None)),
        ("$1,0000", (None, None)),
        ("see FY2024", (None, None)),
    ],
)
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
