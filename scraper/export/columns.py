"""What kind of values a column holds, by its model: Parquet's and the data package's types and the flat file's texts follow."""

from enum import Enum, StrEnum, auto
from typing import get_origin

from parsers.record import ColumnInfo


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
    "ISO 8601, UTC where the page gives the zone": Values.PARTIAL_TIME,
}
_BY_TYPE = {str: Values.TEXT, int: Values.INTEGER, float: Values.NUMBER, bool: Values.YES_NO}


def values_of(info: ColumnInfo) -> Values:
    """What the column holds, by its type and unit. Raises TypeError for a type or a time that has no rule here."""
    if get_origin(info.type) is list:
        return Values.LIST
    if issubclass(info.type, StrEnum):
        return Values.CODE
    if info.type is str and info.unit and ("ISO 8601" in info.unit or "YYYY" in info.unit):
        if info.unit not in _BY_UNIT:
            raise TypeError(f"no rule for times in {info.unit!r}")
        return _BY_UNIT[info.unit]
    if info.type not in _BY_TYPE:
        raise TypeError(f"no rule for {info.type!r}")
    return _BY_TYPE[info.type]
