"""CSV (RFC 4180, UTF-8): one table a file, the values as in the database, but no cell that a spreadsheet would run."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any, BinaryIO, Literal

_FORMULA = re.compile(r"[\s\u200b\ufeff]*[=+\-@\t\r\n\0＝＋－﹣−＠﹫﹢﹦]")
"""What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), full-width and small forms included."""


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run the text as a formula."""
    return _FORMULA.match(text) is not None


def text_cell(text: str) -> str:
    """A text that a spreadsheet would run as a formula gets a leading apostrophe."""
    return "'" + text if is_formula(text) else text


def cell(value: Any) -> Any:
    """A value as it is written; numbers stay numbers."""
    return text_cell(value) if isinstance(value, str) else value


def write(
    columns: Iterable[str], rows: Iterable[tuple[Any, ...]], file: BinaryIO, *, quoting: Literal[0, 2] = csv.QUOTE_MINIMAL
) -> int:
    """A heading and the rows; returns the number of rows. `quoting` is QUOTE_MINIMAL or QUOTE_NONNUMERIC of `csv`."""
    is_formula = _FORMULA.match  # asked of every cell
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\r\n", quoting=quoting)
        writer.writerow(columns)
        count = 0
        for row in rows:
            writer.writerow(["'" + value if isinstance(value, str) and is_formula(value) else value for value in row])
            count += 1
        text.flush()
    finally:
        text.detach()
    return count
