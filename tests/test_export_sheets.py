"""What a spreadsheet shows: CSV, the flat CSV and workbooks hold what the database holds, run nothing and guess nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape

from scraper.export import csvfile
from scraper.export.csvfile import text_cell
from scraper.export.selection import Selection
from scraper.export.tables import Values
from scraper.export.xlsx import CUT, SheetColumn, SheetCounts, Workbook
from scraper.folders import Folders
from tests.commandkit import tta
from tests.dbkit import day, exported, exports, html, loaded, node, page, query
from tests.officekit import opened


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    fields: dict[str, str | list[str]] = {
        "County": '=HYPERLINK("http://x.example")',
        "Event Location Geo": "POINT (-71.0464339 42.3458497)",
        "Type of Agency": ["Courts", "@police"],
        "Weather": ' "quoted", with\nlines ',
    }
    return loaded(tmp_path_factory.mktemp("export") / "data", [page(html(fields), url=node(1), when=day(0))])


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_formulas_are_text_and_numbers_stay_numbers(hostile: Folders) -> None:
    (record,) = table(exports(hostile)["records.csv"])
    assert record["county"] == '\'=HYPERLINK("http://x.example")'
    assert (record["longitude"], record["latitude"]) == ("-71.0464339", "42.3458497")
    assert record["agency_types"] == '["Courts", "@police"]'


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "\ta", "\ra", "\na", "\0a", "＝1", "＋1", "－1", "＠a", "  =1", "\N{NO-BREAK SPACE}=1", "-"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert text_cell(text) == "'" + text


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_other_cells_are_left_alone(value: str) -> None:
    assert text_cell(value) in (value, "'" + value)
    assert text_cell(value) == value or not value[:1].isalnum()


def test_lines_end_as_rfc_4180_says_and_text_is_kept(hostile: Folders) -> None:
    data = exports(hostile)["fields.csv"]
    assert data.startswith(b"record_id,position,") and data.endswith(b"\r\n") and not data.startswith(b"\xef\xbb\xbf")
    stored = dict(query(hostile, "SELECT position, value FROM fields"))
    for row in table(data):
        assert row["value"].removeprefix("'") == (stored[int(row["position"])] or "")


@pytest.mark.parametrize(
    ("form", "dest", "status"), [("csv", "-", 2), ("csv", "file", 1), ("jsonl", "", 1), ("jsonl", "file/x", 1), ("xml", "o", 2)]
)
def test_a_destination_that_cannot_be_is_a_line(hostile: Folders, tmp_path: Path, form: str, dest: str, status: int) -> None:
    (tmp_path / "file").touch()
    ran = tta("--data", hostile.data, "export", form, dest if dest == "-" else tmp_path / dest)
    assert ran.status == status, ran.err
    assert status != 1 or ran.err.count("\n") == 1


LONG = "Ünïcode – “quoted” 🙂 " * 3000
FIELDS: dict[str, str | list[str]] = {
    "TTA Short Name": '=HYPERLINK("http://x.example";"click")',
    "TTA Title": '@SUM(1+1)*cmd|" /C calc"!A0',
    "County": "Doña Ana; “Kings”, 日本 🙂",
    "Type of Agency": ["Courts", "Police, sheriffs"],
    "Demographic - Age": "12-17",
    "Target Audience": ["3/4"],
    "Special Populations": "0123",
    "Is this TTA in response to emerging public safety needs?": "Yes",
    "Is this TTA in support of implementing or maintaining an evidence-based or promising practice?": "No",
    "TTA Event Date": "2025-01-29",
    "Event Location Geo": "POINT (-71.0464339 42.3458497)",
    "Provider Reference": "+1 for all",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    lines = 'First line, with "quotes"\nsecond; line'
    captures = [page(html(FIELDS, body=LONG), url=node(1), when=day(0)), page(html({"County": lines}), url=node(2), when=day(1))]
    return loaded(tmp_path_factory.mktemp("flat") / "data", captures)


@pytest.fixture(scope="module")
def written(folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("flat")
    exported("csv", folders, out, Selection(tables=("records_flat",)))
    assert sorted(path.name for path in out.iterdir()) == ["CITATION.cff", "MANIFEST.json", "records_flat.csv"]
    return out / "records_flat.csv"


def test_libreoffice_shows_what_the_database_holds(written: Path, tmp_path: Path) -> None:
    heading, *rows = opened(written, tmp_path)
    names = [cell.shown for cell in heading if cell.shown]
    assert len(rows) == 2 and names[0] == "record_id"
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.formula]
    assert {cell.type for cell in cells} == {"string", "float", "date", ""}  # nothing became a percentage or a currency
    first, second = (dict(zip(names, row, strict=False)) for row in rows)
    assert {name for name, cell in first.items() if cell.type == "date"} == {
        "event_start",
        "event_end",
        "event_on",
        "submitted_on",
    }
    shown = {name: cell.shown for name, cell in first.items()}
    assert shown["county"] == FIELDS["County"]
    assert shown["short_name"] == "'" + str(FIELDS["TTA Short Name"]) and shown["tta_title"] == "'" + str(FIELDS["TTA Title"])
    assert shown["agency_types"] == "Courts; Police, sheriffs"
    assert (shown["demographic_age"], shown["target_audience"], shown["special_populations"]) == ("'12-17", "'3/4", "'0123")
    assert (shown["emerging_need"], shown["evidence_based"], shown["recipient_agency_scope"]) == ("Yes", "No", "")
    assert shown["provider_reference"] == "'+1 for all"
    assert shown["place_county_code"] == shown["place_county_code_2023"] == "'25025"  # like '01001: one spelling in all rows
    assert shown["description"].startswith("Ünïcode – “quoted” 🙂 Ünïcode") and shown["description"].endswith(csvfile.CUT)
    assert first["longitude"].type == "float" and shown["longitude"].startswith("-71.04")
    assert second["county"].shown == 'First line, with "quotes" second; line'


def test_the_file_begins_with_a_mark_and_no_cell_is_too_long(written: Path) -> None:
    data = written.read_bytes()
    assert data.startswith(b'\xef\xbb\xbf"record_id",') and data.count(b"\xef\xbb\xbf") == 1
    with written.open(newline="", encoding="utf-8-sig") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert max(len(cell.encode("utf-16-le")) // 2 for cell in cells) in (csvfile.MAX_CELL - 1, csvfile.MAX_CELL)  # no half 🙂
    assert {row.count("\r") for row in cells} == {0}


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(csvfile.MAX_CELL // 2 - 40, csvfile.MAX_CELL + 10))
def test_a_cut_text_is_its_beginning_and_says_so(text: str, length: int) -> None:
    whole = (text or "x") * (length // len(text or "x") + 1)
    shown = csvfile.truncate(whole)
    assert len(shown.encode("utf-16-le")) // 2 <= csvfile.MAX_CELL
    assert shown == whole or (shown.endswith(csvfile.CUT) and whole.startswith(shown.removesuffix(csvfile.CUT)))
    assert shown == whole or len(whole.encode("utf-16-le")) // 2 > csvfile.MAX_CELL


@pytest.mark.parametrize(
    "text", ["12-17", "3/4", "1-2-2024", "007", "12345678901234567", "1e5", "Mar 5", "5-Mar", "MAR2024", "10:30"]
)
def test_what_a_sheet_would_take_for_another_value_stays_text(text: str) -> None:
    assert csvfile.flat_text(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["20250129-145639-07", "Suffolk County", "18 and over", "$10,000 - $24,999", "March", "900000001", "5"]
)
def test_what_a_sheet_leaves_alone_is_left_alone(text: str) -> None:
    assert csvfile.flat_text(text) == text


def test_control_characters_do_not_reach_a_sheet() -> None:
    assert csvfile.flat_text("a\x00b\x1bc\td\r\ne") == "a\ufffdb\ufffdc\td\ne"


def book(
    sheets: dict[str, tuple[Sequence[SheetColumn], Iterable[Sequence[Any]]]],
) -> tuple[Any, list[SheetCounts], bytes]:
    file = io.BytesIO()
    with closing(Workbook(file)) as made:
        counts = [made.add(name, columns, rows) for name, (columns, rows) in sheets.items()]
    return load_workbook(io.BytesIO(file.getvalue())), counts, file.getvalue()


at = datetime.fromisoformat
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
    (Values.PARTIAL_TIME, "2025-01-29T14:56:39", at("2025-01-29T14:56:39")),
    (Values.PARTIAL_TIME, "2025-01-29T14:56:39Z", at("2025-01-29T14:56:39")),
    (Values.PARTIAL_TIME, "2025-01-29", at("2025-01-29")),
    (Values.PARTIAL_TIME, "2025-01", "2025-01"),
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
    local, utc, day = ([cell.number_format for cell in sheet[2]][-4:])[:3]
    assert ("Z" in local, "Z" in utc, "hh" in day) == (False, True, False), "the zone is shown where the page tells it"
    assert sheet.freeze_panes == "B2" and sheet.auto_filter.ref.startswith("A1:") and sheet["A1"].value == "Column 0"


def test_what_does_not_fit_is_cut_marked_and_counted() -> None:
    read, counts, _ = book({"a": ([SheetColumn("Text")], [["Ünï🙂" * 9000], ["short"]])})
    shown = read["a"]["A2"].value
    assert shown.endswith(CUT) and ("Ünï🙂" * 9000).startswith(shown.removesuffix(CUT))
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
