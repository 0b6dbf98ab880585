"""The flat CSV: opened by LibreOffice it shows what the database holds, runs nothing and guesses nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.database.connection import reading
from scraper.export import csvfile
from scraper.export.run import export
from scraper.export.selection import Selection
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page
from tests.officekit import opened

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
    with reading(folders.database) as db:
        export("csv", db, out, Selection(tables=("records_flat",)))
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
    shown = csvfile.cut(whole)
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
