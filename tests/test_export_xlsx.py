"""Excel workbooks, read back by openpyxl and LibreOffice, hold what they were given, and nothing in them runs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from scraper.export import csvfile
from scraper.export.tables import Values
from scraper.export.xlsx import CUT, SheetColumn, SheetCounts, Workbook


def book(
    sheets: dict[str, tuple[Sequence[SheetColumn], Iterable[Sequence[Any]]]],
) -> tuple[Any, list[SheetCounts], bytes]:
    file = io.BytesIO()
    with closing(Workbook(file)) as made:
        counts = [made.add(name, columns, rows) for name, (columns, rows) in sheets.items()]
    return load_workbook(io.BytesIO(file.getvalue())), counts, file.getvalue()


at = datetime.fromisoformat
LONG = "Ünï🙂" * 9000
CELLS = [
    (Values.TEXT, "=1+1", "=1+1"),
    (Values.TEXT, "https://x.example", "https://x.example"),
    (Values.TEXT, "0123", "0123"),
    (Values.TEXT, "12-17", "12-17"),
    (Values.TEXT, " two  spaces ", " two  spaces "),
    (Values.TEXT, "a\x00b\x1bc\r\nd\ufffee", "a\ufffdb\ufffdc\nd\ufffde"),
    (Values.TEXT, "_x0041_ <b>&amp;", "_x0041_ <b>&amp;"),
    (Values.TEXT, 5, 5),
    (Values.TEXT, 1.5, 1.5),
    (Values.TEXT, 2**60, str(2**60)),
    (Values.TEXT, float("inf"), "inf"),
    (Values.TEXT, b"abc", "3 bytes"),
    (Values.TEXT, None, None),
    (Values.YES_NO, 1, True),
    (Values.YES_NO, 0, False),
    (Values.YES_NO, "maybe", "maybe"),
    (Values.LIST, '["Courts", "=police"]', "Courts; =police"),
    (Values.LIST, "not JSON", "not JSON"),
    (Values.LIST, "[]", None),
    (Values.TIME, "2025-01-29T14:56:39Z", at("2025-01-29T14:56:39")),
    (Values.TIME, "2025-01-29T14:56:39+02:00", at("2025-01-29T12:56:39")),
    (Values.DATE, "2025-01-29", at("2025-01-29")),
    (Values.DATE, "1899-12-31", "1899-12-31"),
    (Values.DATE, "soon", "soon"),
    (Values.PARTIAL_TIME, "2025-01-29T14:56:39", "2025-01-29T14:56:39"),
]


def test_each_value_arrives_as_what_it_is() -> None:
    columns = [SheetColumn(f"Column {place}", values) for place, (values, _, _) in enumerate(CELLS)]
    read, counts, _ = book({"Results": (columns, [[value for _, value, _ in CELLS]])})
    sheet = read["Results"]
    found = [unescape(cell.value) if isinstance(cell.value, str) else cell.value for cell in sheet[2]]  # openpyxl leaves _x005F_
    assert found + [None] * (len(CELLS) - len(found)) == [shown for _, _, shown in CELLS]
    assert counts == [SheetCounts(1, 0)]
    assert not [cell for cell in sheet[2] if cell.data_type == "f" or cell.hyperlink]
    assert [cell.quotePrefix for cell in sheet[2]][:3] == [True, False, False]
    assert sheet.freeze_panes == "B2" and sheet.auto_filter.ref.startswith("A1:") and sheet["A1"].value == "Column 0"


def test_what_does_not_fit_is_cut_marked_and_counted() -> None:
    read, counts, _ = book({"a": ([SheetColumn("Text")], [[LONG], ["short"]])})
    shown = read["a"]["A2"].value
    assert shown.endswith(CUT) and LONG.startswith(shown.removesuffix(CUT))
    assert csvfile.MAX_CELL - 1 <= len(shown.encode("utf-16-le")) // 2 <= csvfile.MAX_CELL and counts == [SheetCounts(2, 1)]


def test_rows_beyond_a_sheet_go_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvfile, "MAX_ROWS", 3)
    read, counts, _ = book({"fields": ([SheetColumn("N")], ((number,) for number in range(7)))})
    assert counts == [SheetCounts(7, 0)] and read.sheetnames == ["fields", "fields (2)", "fields (3)"]
    assert [cell.value for name in read.sheetnames for cell in read[name]["A"][1:]] == list(range(7))


def test_any_name_becomes_one_that_a_sheet_can_have() -> None:
    names = ["What's [new]?", "x" * 40, "X" * 40 + "y", "history", "", "'"]
    read, _, _ = book({name: ([SheetColumn("A")], []) for name in names})
    assert read.sheetnames == ["What's  new", "x" * 31, "X" * 27 + " (2)", "history (2)", "Sheet", "Sheet (2)"]


def test_the_same_rows_give_the_same_bytes() -> None:
    made = [book({"a": ([SheetColumn("Text")], [["=x"], ["y"]])})[2] for _ in range(2)]
    assert made[0] == made[1]
