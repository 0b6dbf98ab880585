"""JSON Lines, one line per record with all its rows in other tables, and GeoJSON (RFC 7946), a point for each located record."""

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from scraper.export.selection import Source
from scraper.export.tables import BY_NAME, record_values

COUNT = "capture_count"
"""Name of the column `captures` (a count) here, because `captures` is the list of the captures themselves."""


def json_lines(source: Source) -> Iterator[str]:
    """Yields each record as a JSON object: its columns, and a list of rows for each table that has rows of records."""
    names = source.columns["records"]
    parts = {name: _rows_by_record(source, name) for name in source.tables if "record_id" in BY_NAME[name].columns}
    parts.pop("records", None)
    for place, row in enumerate(source.rows("records"), start=1):
        record = record_values(names, row)
        if "captures" in record:
            record[COUNT] = record.pop("captures")
        yield json.dumps(record | {name: rows_of(place) for name, rows_of in parts.items()}, ensure_ascii=False)


def _rows_by_record(source: Source, name: str) -> Callable[[int], list[dict[str, Any]]]:
    """Returns a function that returns the rows of a record by position, in ascending order only; memory has one record's."""
    columns, groups = source.columns[name], groupby(source.by_record(name, "chosen.place, "), key=itemgetter(0))
    waiting = next(groups, None)

    def rows_of(place: int) -> list[dict[str, Any]]:
        nonlocal waiting
        if waiting is None or waiting[0] != place:
            return []
        found = [dict(zip(columns, row[1:], strict=True)) for row in waiting[1]]
        waiting = next(groups, None)
        return [{column: value for column, value in row.items() if column != "record_id"} for row in found]

    return rows_of


def geojson(source: Source) -> Iterator[str]:
    """Yields the lines of the file: a feature each, between the first and the last line. Records without a point are left out.

    Coordinates are WGS 84, longitude first. They are read even if their columns are not among the selected ones. 0 0 is not a
    place: forms send it if no point was chosen.
    """
    names = source.columns["records"]
    before = ""
    yield '{"type": "FeatureCollection", "features": ['
    for longitude, latitude, *row in source.by_record("records", "records.longitude, records.latitude, "):
        if None in (longitude, latitude) or abs(longitude) > 180 or abs(latitude) > 90 or (longitude, latitude) == (0, 0):
            continue
        record = record_values(names, row)
        feature: dict[str, Any] = {
            "type": "Feature",
            "id": record["record_id"],
            "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
            "properties": {name: value for name, value in record.items() if name not in ("longitude", "latitude")},
        }
        yield before + json.dumps(feature, ensure_ascii=False, allow_nan=False)
        before = ","
    yield "]}"
