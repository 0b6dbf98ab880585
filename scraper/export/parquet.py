"""Parquet: a typed file per table. Row groups are written as they fill, so memory does not grow with the table."""

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from parsers.record import ColumnInfo, columns_of
from scraper.errors import DataLooksWrong
from scraper.export.columns import Values, values_of
from scraper.export.tables import BY_NAME

ROWS_AT_ONCE = 5_000
GROUP_ROWS = 100_000
GROUP_BYTES = 32_000_000
"""A row group ends at whichever is reached first; readers skip whole groups by their statistics."""
_TYPES = {
    Values.TEXT: pa.string(),
    Values.CODE: pa.string(),
    Values.INTEGER: pa.int64(),
    Values.NUMBER: pa.float64(),
    Values.YES_NO: pa.bool_(),
    Values.LIST: pa.list_(pa.string()),
    Values.TIME: pa.timestamp("us", tz="UTC"),
    Values.DATE: pa.date32(),
    Values.PARTIAL_TIME: pa.string(),
}
_READ: dict[Values, Callable[[Any], Any]] = {
    Values.LIST: json.loads,
    Values.YES_NO: bool,
    Values.TIME: datetime.fromisoformat,
    Values.DATE: date.fromisoformat,
}


def schema(name: str, columns: Iterable[str]) -> pa.Schema:
    """The types of a table's columns, each with its description, unit and label on the page."""
    fields = columns_of(BY_NAME[name].model)
    return pa.schema([_field(column, fields[column]) for column in columns])


def _field(column: str, info: ColumnInfo) -> pa.Field:
    texts = {"description": info.description, "unit": info.unit, "label": info.label}
    metadata = {key: text for key, text in texts.items() if text}
    return pa.field(column, _TYPES[values_of(info)], nullable=not info.required, metadata=metadata)


def write(name: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]], file: BinaryIO) -> int:
    """The rows of a table; returns their number. Raises DataLooksWrong where a value is not of its column's type."""
    shape = schema(name, columns)
    fields = columns_of(BY_NAME[name].model)
    kinds = [values_of(fields[column]) for column in shape.names]
    waiting = iter(rows)
    count = 0
    group: list[pa.RecordBatch] = []
    with pq.ParquetWriter(file, shape, compression="zstd") as writer:
        while some := list(islice(waiting, ROWS_AT_ONCE)):
            arrays = [
                _array(f"{name}.{field.name}", values, kind, field.type)
                for field, kind, values in zip(shape, kinds, zip(*some, strict=True), strict=True)
            ]
            group.append(pa.RecordBatch.from_arrays(arrays, schema=shape))
            count += len(some)
            if sum(map(len, group)) >= GROUP_ROWS or sum(batch.nbytes for batch in group) >= GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP_ROWS)
                group.clear()
        if group:
            writer.write_table(pa.Table.from_batches(group), row_group_size=GROUP_ROWS)
    return count


def _array(where: str, values: Iterable[Any], kind: Values, type_: pa.DataType) -> pa.Array:
    read = _READ.get(kind)
    try:
        if read is not None:
            values = [None if value is None else read(value) for value in values]
        return pa.array(values, type_)
    except (ValueError, TypeError, pa.ArrowException):
        raise DataLooksWrong(f"{where} holds a value that is no {kind.name.lower()}: run `tta load --rebuild`") from None
