"""The flat CSV for spreadsheets: one row a record, made to be opened by a double click and read by people.

It begins with a byte order mark, without which Excel reads UTF-8 as another encoding. Several values are joined, yes and no are
words, and what a spreadsheet would turn into a number or a day of its own gets a leading apostrophe, as formulas do. Texts are
quoted, because LibreOffice's import dialog takes semicolons for separators too unless it is told otherwise.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from parsers.record import columns_of
from scraper.export import csvfile
from scraper.export.columns import Values, values_of
from scraper.export.tables import BY_NAME

MAX_CELL = 32_767
"""Characters in a cell, in UTF-16 as Excel counts ("Excel specifications and limits", Microsoft)."""
MAX_ROWS = 1_048_575
"""Rows of a sheet (same source) without the heading."""
CUT = " [cut here; whole in records.csv]"
MARK = b"\xef\xbb\xbf"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_GUESSED = re.compile(
    r"0\d+|\d{16,}|\d+(?:\.\d+)?e\d+"  # loses its zeros, its last digits or its form
    r"|\d{1,4}\s?[-/.:]\s?\d{1,4}(?:\s?[-/.:]\s?\d{1,4})?"  # 12-17 and 3/4 become days
    rf"|(?:\d{{1,4}}[-/ ]?)?(?:{_MONTHS})[a-z]*[-/ .]{{0,2}}\d{{1,4}}|\d{{1,2}}[-/ ]?(?:{_MONTHS})[a-z]*",
    re.IGNORECASE,
)


def write(columns: Iterable[str], rows: Iterable[tuple[Any, ...]], file: BinaryIO) -> int:
    """The records' rows; returns their number."""
    names = list(columns)
    file.write(MARK)
    return csvfile.write(names, _shown(names, rows), file, quoting=csv.QUOTE_NONNUMERIC)


def _shown(names: list[str], rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    fields = columns_of(BY_NAME["records"].model)
    codes = {name: _digits for name in names if (fields[name].unit or "").endswith("digits")}
    shows = [codes.get(name) or _SHOWN.get(values_of(fields[name]), _same) for name in names]
    for row in rows:
        yield tuple("" if value is None else show(value) for show, value in zip(shows, row, strict=True))


def _same(value: Any) -> Any:
    return value


def _text(value: str) -> str:
    text = printable(value)
    return cut("'" + text if _GUESSED.fullmatch(text.strip()) else csvfile.text_cell(text))


def _digits(value: str) -> str:
    """A code of digits, spelled alike in every row, whether or not a spreadsheet would take its zeros away."""
    return "'" + value


def _list(value: str) -> str:
    return _text("; ".join(str(one) for one in json.loads(value)))


def _yes_no(value: int) -> str:
    return "Yes" if value else "No"


_SHOWN: dict[Values, Callable[[Any], Any]] = {
    Values.TEXT: _text,
    Values.CODE: _text,
    Values.LIST: _list,
    Values.YES_NO: _yes_no,
}


def printable(text: str) -> str:
    """The text with what no sheet can hold replaced: control characters and half pairs of UTF-16."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))


def cut(text: str, mark: str = CUT) -> str:
    """The text, or its beginning and a mark that says so where it is longer than a cell can be."""
    if len(text) <= MAX_CELL // 2 or len(units := text.encode("utf-16-le")) <= 2 * MAX_CELL:
        return text
    return units[: 2 * (MAX_CELL - len(mark))].decode("utf-16-le", errors="ignore") + mark
