"""GeoJSON (RFC 7946): a point for each record that has a place, with the record's columns as its properties."""

import json
from collections.abc import Iterator
from typing import Any

from scraper.export.selection import Source
from scraper.export.tables import record_values

PLACE = ("longitude", "latitude")


def lines(source: Source) -> Iterator[str]:
    """The lines of the file, a feature each between the first and the last. A record without a place is left out.

    Coordinates are WGS 84, longitude first. The place is read whether or not its columns are among the chosen ones.
    """
    names = source.columns("records")
    before = ""
    yield '{"type": "FeatureCollection", "features": ['
    for longitude, latitude, *row in source.placed():
        if not _is_place(longitude, latitude):
            continue
        record = record_values(names, row)
        feature: dict[str, Any] = {
            "type": "Feature",
            "id": record["record_id"],
            "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
            "properties": {name: value for name, value in record.items() if name not in PLACE},
        }
        yield before + json.dumps(feature, ensure_ascii=False, allow_nan=False)
        before = ","
    yield "]}"


def _is_place(longitude: float | None, latitude: float | None) -> bool:
    """Whether the two can be where something was; 0 0 is what a form sends where nobody chose a point."""
    if longitude is None or latitude is None:
        return False
    return -180 <= longitude <= 180 and -90 <= latitude <= 90 and (longitude, latitude) != (0, 0)
