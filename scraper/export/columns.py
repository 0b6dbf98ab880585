"""What kind of values a column holds, by its model: Parquet's and the data package's types and the flat file's texts follow."""

from __future__ import annotations

from enum import Enum, StrEnum, auto
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from scraper.database.tables import Table


class Values(Enum):
    """What a column holds. TIME is a moment in UTC; PARTIAL_TIME may be a day, or a local time without zone."""

    TEXT = auto()
    CODE = auto()
    INTEGER = auto()
    NUMBER = auto()
    YES_NO = auto()
    LIST = auto()
    TIME = auto()
    DATE = auto()
    PARTIAL_TIME = auto()


_BY_UNIT = {
    "ISO 8601, UTC": Values.TIME,
    "YYYY-MM-DD": Values.DATE,
    "ISO 8601": Values.PARTIAL_TIME,
    "ISO 8601, UTC where the page tells the zone": Values.PARTIAL_TIME,
}
_BY_TYPE = {str: Values.TEXT, int: Values.INTEGER, float: Values.NUMBER, bool: Values.YES_NO}


def values_of(info: FieldInfo) -> Values:
    """What the column holds, by the type and unit of its model. Raises TypeError for a type or a time that has no rule here."""
    annotation = _inner(info.annotation)
    if get_origin(annotation) is list:
        return Values.LIST
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Values.CODE
    unit = unit_of(info)
    if annotation is str and unit and ("ISO 8601" in unit or "YYYY" in unit):
        if unit not in _BY_UNIT:
            raise TypeError(f"no rule for times in {unit!r}")
        return _BY_UNIT[unit]
    if annotation not in _BY_TYPE:
        raise TypeError(f"no rule for {annotation!r}")
    return _BY_TYPE[annotation]


def codes_of(info: FieldInfo) -> list[str]:
    """The values that a column of codes can have."""
    return [str(one) for one in _inner(info.annotation)]


def unit_of(info: FieldInfo) -> str | None:
    """The unit or format of a column's values."""
    extra = info.json_schema_extra
    unit = extra.get("unit") if isinstance(extra, dict) else None
    return str(unit) if unit else None


def label_of(info: FieldInfo) -> str | None:
    """The label on the page that a column is read from."""
    extra = info.json_schema_extra
    label = extra.get("label") if isinstance(extra, dict) else None
    return str(label) if label else None


def lists(table: Table) -> frozenset[str]:
    """The columns of a table that hold a JSON array."""
    return frozenset(name for name in table.columns if values_of(table.model.model_fields[name]) is Values.LIST)


def _inner(annotation: Any) -> Any:
    """The type that a value has where there is one."""
    if get_origin(annotation) in (Union, UnionType):
        return next(choice for choice in get_args(annotation) if choice is not NoneType)
    return annotation
