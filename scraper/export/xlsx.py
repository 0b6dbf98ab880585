"""Excel workbooks: typed cells, display labels as headings, a frozen header row with filters. Memory does not grow with the rows.

A text is always written as text, never as a formula, link or number. What exceeds a cell or sheet is counted and marked.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, BinaryIO, NamedTuple

import xlsxwriter
from xlsxwriter.exceptions import FileSizeError

from scraper.errors import TtaError
from scraper.export import csvfile
from scraper.export.tables import Values

CUT = " [cut here: a cell can hold no more]"
_EXACT = 2**53  # larger integers lose digits in a sheet, whose numbers are floating-point; they are written as text
_FIRST_DAY = date(1900, 3, 1)  # first day from which Excel's calendar is right: it has a February 29, 1900
_WIDTHS = {Values.TEXT: 30, Values.CODE: 14, Values.LIST: 30, Values.TIME: 19, Values.DATE: 11, Values.PARTIAL_TIME: 19}
_BAD_NAME = re.compile(r"[\[\]:*?/\\\x00-\x1f]")  # characters that a sheet's name can't contain
_MAX_NAME = 31  # characters of a sheet's name


class SheetColumn(NamedTuple):
    """A column of a sheet: its display label and the type of its values. TEXT also allows values of other types, unchanged."""

    heading: str
    values: Values = Values.TEXT


class SheetCounts(NamedTuple):
    """What was written: rows, and how many texts were truncated to fit into a cell."""

    rows: int
    cut: int


class Workbook:
    """Writes an .xlsx file: `with closing(Workbook(file)) as book: book.add("Results", columns, rows)`. Same rows, same bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._book = xlsxwriter.Workbook(file, {"constant_memory": True})
        self._book.set_properties({"created": datetime(2000, 1, 1)})  # noqa: DTZ001 - the same bytes every time
        self._heading = self._book.add_format({"bold": True, "bg_color": "#E8EEF4", "text_wrap": True, "valign": "top"})
        self._quoted = self._book.add_format({"quote_prefix": True})
        self._times = {
            Values.TIME: self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            Values.DATE: self._book.add_format({"num_format": "yyyy-mm-dd"}),
            Values.PARTIAL_TIME: self._book.add_format({"num_format": 'yyyy-mm-dd hh:mm:ss"Z"'}),  # or one of the others
        }
        self._names: set[str] = set()
        self._cut = 0

    def close(self) -> None:
        """Completes the file, also after an error, because only this removes the temporary files. Raises TtaError."""
        try:
            self._book.close()
        except FileSizeError:
            raise TtaError("the workbook would be larger than 4 GB: narrow it with --where or --table") from None

    def add(self, name: str, columns: Sequence[SheetColumn], rows: Iterable[Sequence[Any]]) -> SheetCounts:
        """Adds a sheet with the rows; those that don't fit go to more sheets, such as `fields (2)`."""
        kinds = [column.values for column in columns]
        sheet, place, count, cut_before = self._sheet(name, columns), 0, 0, self._cut
        for row in rows:
            if place == csvfile.MAX_ROWS:
                sheet.autofilter(0, 0, place, len(columns) - 1)
                sheet, place = self._sheet(name, columns), 0
            place += 1
            count += 1
            for column, (kind, value) in enumerate(zip(kinds, row, strict=True)):
                if value is not None:
                    self._write(sheet, place, column, kind, value)
        sheet.autofilter(0, 0, max(place, 1), len(columns) - 1)
        return SheetCounts(count, self._cut - cut_before)

    def _sheet(self, name: str, columns: Sequence[SheetColumn]) -> Any:
        """Adds a sheet with a heading, under a valid name that is not in use."""
        plain = _BAD_NAME.sub(" ", name).strip("' ")[:_MAX_NAME].strip("' ") or "Sheet"
        free, number = plain, 1
        while free.lower() in self._names | {"history"}:
            number += 1
            free = f"{plain[: _MAX_NAME - len(str(number)) - 3]} ({number})"
        self._names.add(free.lower())
        sheet = self._book.add_worksheet(free)
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(columns):
            width = max(_WIDTHS.get(column.values, 10), min(len(column.heading) // 2 + 4, 24))
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, column.heading, self._heading)
        return sheet

    def _write(self, sheet: Any, row: int, column: int, values: Values, value: Any) -> None:
        """Writes a cell with its column's type; a value that Excel can't represent stays text."""
        if values is Values.YES_NO and value in (0, 1):
            sheet.write_boolean(row, column, bool(value))
            return
        with suppress(ValueError, TypeError):
            if values in self._times and (time := datetime.fromisoformat(value)).date() >= _FIRST_DAY:
                plain = time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
                shape = values if time.tzinfo else Values.DATE if len(value) == len("2025-01-31") else Values.TIME
                sheet.write_datetime(row, column, plain, self._times[shape])
                return
            if values is Values.LIST and isinstance(items := json.loads(value), list):
                value = "; ".join(map(str, items))
        if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= _EXACT:
            sheet.write_number(row, column, value)
            return
        text = csvfile.printable(f"{len(value)} bytes" if isinstance(value, bytes) else str(value))
        shown = csvfile.truncate(text, CUT)
        self._cut += shown != text
        if shown:
            sheet.write_string(row, column, shown, self._quoted if csvfile.is_formula(shown) else None)
