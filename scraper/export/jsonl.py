"""JSON Lines: a line per record with all its rows of the other tables. Nothing of any record is lost in it.

Only captures that are about no record are not there; they are in the other formats.
"""

import json
from collections.abc import Iterator
from typing import Any

from scraper.export.selection import Source
from scraper.export.tables import BY_NAME, record_values

COUNT = "capture_count"
"""What the column `captures` is called here, where `captures` are the captures themselves."""


def lines(source: Source) -> Iterator[str]:
    """Each record as a JSON object: its columns, and a list of rows for each table that has rows of records."""
    names = source.columns("records")
    parts = [_Part(source, name) for name in source.tables if name != "records" and "record_id" in BY_NAME[name].columns]
    for place, row in enumerate(source.rows("records"), start=1):
        record = record_values(names, row)
        if "captures" in record:
            record[COUNT] = record.pop("captures")
        for part in parts:
            record[part.name] = part.of(place)
        yield json.dumps(record, ensure_ascii=False)


class _Part:
    """The rows of one table by record, read along with the records, so that memory holds one record at a time."""

    def __init__(self, source: Source, name: str) -> None:
        self.name = name
        self._columns = source.columns(name)
        self._groups = source.groups(name)
        self._next = next(self._groups, None)

    def of(self, place: int) -> list[dict[str, Any]]:
        """The rows of the record at that place; asked for in rising order."""
        if self._next is None or self._next[0] != place:
            return []
        found = [dict(zip(self._columns, row, strict=True)) for row in self._next[1]]
        for row in found:
            row.pop("record_id", None)
        self._next = next(self._groups, None)
        return found
