"""Parquet: one typed file per table. Row groups are written as they fill, so memory does not grow with the table."""

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from parsers.record import columns_of
from scraper.errors import DataLooksWrong
from scraper.export.tables import BY_NAME, Values, values_of

ROWS_AT_ONCE = 5_000
GROUP_ROWS = 100_000
GROUP_BYTES = 32_000_000
"""A row group ends at whichever is reached first; readers skip whole groups by their statistics."""
_TYPES: dict[Values, tuple[pa.DataType, Callable[[Any], Any] | None]] = {
    Values.INTEGER: (pa.int64(), None),
    Values.NUMBER: (pa.float64(), None),
    Values.YES_NO: (pa.bool_(), bool),
    Values.LIST: (pa.list_(pa.string()), json.loads),
    Values.TIME: (pa.timestamp("us", tz="UTC"), datetime.fromisoformat),
    Values.DATE: (pa.date32(), date.fromisoformat),
}
"""The type of a column that is not text, and the function that converts SQLite's values to it."""


def write(name: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]], file: BinaryIO) -> int:
    """Writes the rows of a table, each column with its description, unit and label on the page; returns their number.

    Raises DataLooksWrong if a value is not of its column's type.
    """
    infos = [columns_of(BY_NAME[name].model)[column] for column in columns]
    types = [_TYPES.get(values_of(info), (pa.string(), None)) for info in infos]
    fields = []
    for info, (type_, _) in zip(infos, types, strict=True):
        texts = {"description": info.description, "unit": info.unit, "label": info.label}
        metadata = {key: text for key, text in texts.items() if text}
        fields.append(pa.field(info.name, type_, nullable=not info.required, metadata=metadata))
    shape, waiting, count = pa.schema(fields), iter(rows), 0
    group: list[pa.RecordBatch] = []
    with pq.ParquetWriter(file, shape, compression="zstd") as writer:
        while some := list(islice(waiting, ROWS_AT_ONCE)):
            arrays = []
            for field, (type_, read), values in zip(fields, types, zip(*some, strict=True), strict=True):
                try:
                    typed = [None if value is None else read(value) for value in values] if read else values
                    arrays.append(pa.array(typed, type_))
                except (ValueError, TypeError, pa.ArrowException):
                    raise DataLooksWrong(f"{name}.{field.name} has values other than {type_}: run `tta load --rebuild`") from None
            group.append(pa.RecordBatch.from_arrays(arrays, schema=shape))
            count += len(some)
            if sum(map(len, group)) >= GROUP_ROWS or sum(batch.nbytes for batch in group) >= GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP_ROWS)
                group.clear()
        if group:
            writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP_ROWS)
    return count
