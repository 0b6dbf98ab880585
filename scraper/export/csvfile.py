"""CSV (RFC 4180, UTF-8): one table per file, with the values of the database, but no cell that a spreadsheet would run.

Also the flat CSV, for opening with a double click. It begins with a byte order mark, without which Excel reads UTF-8 as another
encoding. Several values are joined, yes and no are words, and what a spreadsheet would convert to another number or date gets a
leading apostrophe, as formulas do. Texts are quoted, because LibreOffice's import dialog also separates at semicolons.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, Literal

from parsers.record import columns_of
from scraper.export.tables import BY_NAME, Values, values_of

MAX_CELL = 32_767
"""Maximum length of a cell in UTF-16 units, as Excel counts ("Excel specifications and limits", Microsoft)."""
MAX_ROWS = 1_048_575
"""Maximum rows of a sheet (same source) without the heading."""
CUT = " [cut here; whole in records.csv]"
_FORMULA = re.compile(r"[\s\u200b\ufeff]*[=+\-@\t\r\n\0＝＋－﹣−＠﹫﹢﹦]")
"""Characters that make a cell a formula in spreadsheets (OWASP, "CSV Injection"), including full-width and small forms."""
is_formula = _FORMULA.match
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # characters that no sheet can contain
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_GUESSED = re.compile(
    r"0\d+|\d{16,}|\d+(?:\.\d+)?e\d+"  # loses its zeros, its last digits or its form
    r"|\d{1,4}\s?[-/.:]\s?\d{1,4}(?:\s?[-/.:]\s?\d{1,4})?"  # 12-17 and 3/4 become days
    rf"|(?:\d{{1,4}}[-/ ]?)?(?:{_MONTHS})[a-z]*[-/ .]{{0,2}}\d{{1,4}}|\d{{1,2}}[-/ ]?(?:{_MONTHS})[a-z]*",
    re.IGNORECASE,
)


def text_cell(text: str) -> str:
    """Returns the text, with a leading apostrophe if a spreadsheet would run it as a formula."""
    return "'" + text if is_formula(text) else text


def write(
    columns: Iterable[str], rows: Iterable[tuple[Any, ...]], file: BinaryIO, *, quoting: Literal[0, 2] = csv.QUOTE_MINIMAL
) -> int:
    """Writes a heading and the rows; returns the number of rows. `quoting` is QUOTE_MINIMAL or QUOTE_NONNUMERIC of `csv`."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n", quoting=quoting)
        writer.writerow(columns)
        count = 0
        for row in rows:
            writer.writerow(text_cell(value) if isinstance(value, str) else value for value in row)
            count += 1
        text.flush()
    finally:
        text.detach()
    return count


def write_flat(columns: Iterable[str], rows: Iterable[tuple[Any, ...]], file: BinaryIO) -> int:
    """Writes the records' rows as the flat CSV; returns their number."""
    names, fields = list(columns), columns_of(BY_NAME["records"].model)
    shows: list[Callable[[Any], Any]] = [
        # A code of digits is written the same way in every row, whether or not a spreadsheet would remove its zeros.
        "'{}".format if (fields[name].unit or "").endswith("digits") else SHOWN.get(values_of(fields[name]), lambda value: value)
        for name in names
    ]
    shown = (tuple("" if value is None else show(value) for show, value in zip(shows, row, strict=True)) for row in rows)
    file.write(b"\xef\xbb\xbf")
    return write(names, shown, file, quoting=csv.QUOTE_NONNUMERIC)


def flat_text(value: str) -> str:
    """Converts a value to text as the flat CSV shows it."""
    text = printable(value)
    return truncate("'" + text if _GUESSED.fullmatch(text.strip()) else text_cell(text))


SHOWN: dict[Values, Callable[[Any], Any]] = {
    Values.TEXT: flat_text,
    Values.CODE: flat_text,
    Values.LIST: lambda value: flat_text("; ".join(map(str, json.loads(value)))),
    Values.YES_NO: lambda value: "Yes" if value else "No",
}


def printable(text: str) -> str:
    """Replaces what no sheet can contain: control characters and lone surrogates."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))


def truncate(text: str, mark: str = CUT) -> str:
    """Returns the text; if it is longer than a cell allows, its beginning and `mark`."""
    if len(text) <= MAX_CELL // 2 or len(units := text.encode("utf-16-le")) <= 2 * MAX_CELL:
        return text
    return units[: 2 * (MAX_CELL - len(mark))].decode("utf-16-le", errors="ignore") + mark
