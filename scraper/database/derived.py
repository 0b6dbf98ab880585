"""Columns of `records` that no page prints: made out of its other columns, for analysts to count, filter and sort by.

Each is a function of the record's own columns, so that the database stays a function of the archive. `build` asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from pydantic import Field as Column

from parsers.fiscal import day_of_reference, day_of_time, fiscal_year_of
from parsers.record import RecordValues
from scraper.database.places import atlas

_DAY = {"unit": "YYYY-MM-DD"}
_YEAR = {"unit": "year"}


class DerivedValues(RecordValues):
    """What the page says, and what follows from it."""

    submitted_on: str | None = Column(
        None,
        description="day of the submission in Washington's time, by the reference or else the time of submission; derived",
        json_schema_extra={**_DAY},
    )
    submitted_year: int | None = Column(
        None, description="calendar year of the submission; derived; see fiscal_year", json_schema_extra={**_YEAR}
    )
    event_on: str | None = Column(
        None, description="day on which the event began, in Washington's time; derived", json_schema_extra={**_DAY}
    )
    event_fiscal_year: int | None = Column(
        None, description="fiscal year, from 1 October, in which the event began; derived", json_schema_extra={**_YEAR}
    )
    place_state: str | None = Column(
        None, description="state or territory that the point lies in, by outlines of 2017; NULL at sea and abroad; derived"
    )
    place_state_code: str | None = Column(
        None, description="postal code of the state that the point lies in; derived", json_schema_extra={"unit": "two letters"}
    )
    place_county: str | None = Column(
        None,
        description="county, or what stands for one, that the point lies in, by outlines of 2017 that are right to about 500 m; "
        "derived, and not always the printed one: see county_agrees",
    )
    place_county_code: str | None = Column(
        None,
        description="FIPS code of the county that the point lies in, a text: it may begin with a zero; derived",
        json_schema_extra={"unit": "five digits"},
    )
    county_agrees: bool | None = Column(
        None,
        description="whether the printed county is the one that the point lies in, or within 1 km of it; 1 yes, 0 no, "
        "NULL where the page prints no county that exists, or the point is in none; derived",
    )


COLUMNS = tuple(name for name in DerivedValues.model_fields if name not in RecordValues.model_fields)
_AT = {name: index for index, name in enumerate(RecordValues.model_fields)}


def derived(values: Sequence[Any]) -> list[Any]:
    """The values of COLUMNS, as SQLite keeps them, out of those of `RecordValues` in the order of its fields."""
    one = {name: values[_AT[name]] for name in ("reference", "submitted_at", "event_start", "county", "longitude", "latitude")}
    return [
        *_times(one["reference"], one["submitted_at"], one["event_start"]),
        *_place(one["longitude"], one["latitude"], one["county"]),
    ]


def _times(reference: str | None, submitted_at: str | None, event_start: str | None) -> list[Any]:
    submitted = day_of_reference(reference) or day_of_time(submitted_at)
    event = day_of_time(event_start)
    return [_iso(submitted), submitted and submitted.year, _iso(event), event and fiscal_year_of(event)]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@lru_cache(maxsize=4096)
def _place(longitude: float | None, latitude: float | None, printed: str | None) -> tuple[Any, ...]:
    """The last five columns. Points come again, as a page's is often that of a town."""
    if longitude is None or latitude is None:
        return (None,) * 5
    place = atlas().place(longitude, latitude)
    if place is None:
        return (None,) * 5
    agrees = atlas().agrees(place, printed, longitude, latitude) if printed else None
    return place.state, place.state_code, place.county, place.county_code, None if agrees is None else int(agrees)
