"""Writes the file of a download, CSV or Excel. `scraper.sandbox` does it in a process of its own."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from parsers.record import columns_of
from scraper.database.tables import BY_NAME, RecordRow
from scraper.export import csvfile
from scraper.export.columns import values_of

_BOM = b"\xef\xbb\xbf"
"""By which Excel knows that a CSV file is UTF-8."""


class File(NamedTuple):
    """`path`: `.csv` or `.xlsx`; `table`: whose columns have labels and types; `about`: what the rows are, as label and text."""

    path: str
    title: str
    about: tuple[tuple[str, str], ...]
    table: str = "records"

    def write(self, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Raises sqlite3.Error where the rows come from a query, TtaError and OSError."""
        with Path(self.path).open("wb") as file:
            if self.path.endswith(".csv"):
                file.write(_BOM)
                csvfile.write(map(csvfile.text_cell, columns), rows, file)
                return
            from scraper.export.xlsx import SheetColumn, Workbook  # takes half a second

            known = columns_of(BY_NAME[self.table].model if self.table in BY_NAME else RecordRow)
            labels = [
                SheetColumn(known[name].heading, values_of(known[name]))
                if name in known
                else SheetColumn(name[:1].upper() + name[1:].replace("_", " "))
                for name in columns
            ]
            with Workbook(file) as book:
                counts = book.add(self.title, labels, rows)
                also = [("Rows", counts.rows), *([("Texts cut to fit a cell", counts.cut)] if counts.cut else [])]
                book.add("About", [SheetColumn("About these rows"), SheetColumn("")], [*self.about, *also])
