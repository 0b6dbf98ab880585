"""Derives columns of `records` that no page prints from its other columns, for analysts to count, filter and sort by.

Each is a function of the record's own columns, so that the database stays a function of the archive. `build` asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from parsers.record import RecordValues, columns_of, optional
from parsers.scalars import day_of_reference, day_of_time, fiscal_year_of
from scraper.database.places import atlas

_DAY, _YEAR = "YYYY-MM-DD", "year"


@dataclass(slots=True, kw_only=True)
class DerivedValues(RecordValues):
    """What the page says, and what follows from it."""

    submitted_on: str | None = optional(
        "day of the submission in Washington's time, by the reference or else the time of submission; derived",
        _DAY,
        heading="Submission date",
    )
    submitted_year: int | None = optional(
        "calendar year of the submission; derived; see fiscal_year", _YEAR, heading="Submission year"
    )
    event_on: str | None = optional("day on which the event began, in Washington's time; derived", _DAY, heading="Event date")
    event_fiscal_year: int | None = optional("fiscal year, from 1 October, in which the event began; derived", _YEAR)
    place_state: str | None = optional(
        "state or territory that the point lies in, by outlines of 2017; NULL at sea and abroad; derived", heading="State"
    )
    place_state_code: str | None = optional(
        "postal code of the state that the point lies in; derived", "two letters", heading="State code"
    )
    place_county: str | None = optional(
        "county, or what stands for one, that the point lies in, by outlines of 2017 that are right to about 500 m; "
        "derived, and not always the printed one: see county_agrees",
        heading="County of the location",
    )
    place_county_code: str | None = optional(
        "FIPS code of the county that the point lies in, a text: it may begin with a zero; derived",
        "five digits",
        heading="County code",
    )
    county_agrees: bool | None = optional(
        "whether the printed county is the one that the point lies in, or within 1 km of it; 1 yes, 0 no, "
        "NULL where the page prints no county that exists, or the point is in none; derived",
        heading="Counties agree",
    )


COLUMNS = tuple(name for name in columns_of(DerivedValues) if name not in columns_of(RecordValues))
_AT = {name: index for index, name in enumerate(columns_of(RecordValues))}


def derived(values: Sequence[Any]) -> list[Any]:
    """The values of COLUMNS, as SQLite keeps them, out of those of `RecordValues` in the order of its fields."""
    columns = ("reference", "submitted_at", "event_start", "longitude", "latitude", "county")
    reference, submitted_at, event_start, *place = (values[_AT[name]] for name in columns)
    submitted, event = day_of_reference(reference) or day_of_time(submitted_at), day_of_time(event_start)
    days = [day.isoformat() if day else None for day in (submitted, event)]
    return [days[0], submitted and submitted.year, days[1], event and fiscal_year_of(event), *_place(*place)]


@lru_cache(maxsize=4096)
def _place(longitude: float | None, latitude: float | None, printed: str | None) -> tuple[Any, ...]:
    """The last five columns. Points come again, as a page's is often that of a town."""
    if longitude is None or latitude is None or (place := atlas().place(longitude, latitude)) is None:
        return (None,) * 5
    agrees = atlas().agrees(place, printed, longitude, latitude) if printed else None
    return place.state, place.state_code, place.county, place.county_code, None if agrees is None else int(agrees)
