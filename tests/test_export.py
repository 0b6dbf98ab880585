"""Exports: every byte promised, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.cli import main
from scraper.database.connection import reading
from scraper.export.csvfile import text_cell
from scraper.export.run import export
from scraper.export.tables import EXPORTED
from scraper.folders import Folders
from tests.dbkit import day, exports, html, loaded, node, page, query

TTA = Path(sys.executable).with_name("tta")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    fields: dict[str, str | list[str]] = {
        "County": '=HYPERLINK("http://x.example")',
        "Event Location Geo": "POINT (-71.0464339 42.3458497)",
        "Type of Agency": ["Courts", "@police"],
        "Weather": ' "quoted", with\nlines ',
    }
    return loaded(tmp_path_factory.mktemp("export") / "data", [page(html(fields), url=node(1), when=day(0))])


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_formulas_are_text_and_numbers_stay_numbers(folders: Folders) -> None:
    (record,) = table(exports(folders)["records.csv"])
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


def test_lines_end_as_rfc_4180_says_and_text_is_kept(folders: Folders) -> None:
    data = exports(folders)["fields.csv"]
    assert data.startswith(b"record_id,position,") and data.endswith(b"\r\n") and not data.startswith(b"\xef\xbb\xbf")
    stored = dict(query(folders, "SELECT position, value FROM fields"))
    for row in table(data):
        assert row["value"].removeprefix("'") == (stored[int(row["position"])] or "")


def test_a_file_per_table_without_what_differs_by_machine(folders: Folders) -> None:
    files = exports(folders)
    assert {name for name in files if name.endswith(".csv")} == {f"{name}.csv" for name in EXPORTED}
    assert all(b"warc_offset" not in data.splitlines()[0] for name, data in files.items() if name != "codebook.csv")


def test_jsonl_holds_all_that_the_database_holds(folders: Folders) -> None:
    (line,) = exports(folders)["records.jsonl"].splitlines()
    record = json.loads(line)
    for name in ("fields", "sections", "milestones", "performance_metrics", "captures", "changes"):
        assert len(record[name]) == query(folders, f"SELECT count(*) FROM {name} WHERE record_id = '1'")[0][0]
    values = [row["value"] for row in record["fields"]]
    assert values == [value for (value,) in query(folders, "SELECT value FROM fields ORDER BY position")]


def run(folders: Folders, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(TTA), "--data", str(folders.data), "export", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_other_files_of_a_folder_stay_and_standard_output_is_the_same(folders: Folders, tmp_path: Path) -> None:
    out = tmp_path / "a" / "out"
    out.mkdir(parents=True)
    (out / "mine.txt").write_text("kept")
    with reading(folders.database) as db:
        export("csv", db, out)
    ours = [f"{name}.csv" for name in EXPORTED]
    assert sorted(path.name for path in out.iterdir()) == sorted([*ours, "CITATION.cff", "MANIFEST.json", "mine.txt"])
    assert sorted(path.name for path in out.parent.iterdir()) == ["out"]
    with reading(folders.database) as db:
        export("jsonl", db, tmp_path / "b.jsonl")
    piped = run(folders, "jsonl", "-")
    assert piped.stdout.encode() == (tmp_path / "b.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("form", "dest", "status"), [("csv", "-", 2), ("csv", "file", 1), ("jsonl", "", 1), ("jsonl", "file/x", 1), ("xml", "o", 2)]
)
def test_a_destination_that_cannot_be_is_a_line(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, dest: str, status: int
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as left:
        main(["--data", str(folders.data), "export", form, dest if dest == "-" else str(tmp_path / dest)])
    errors = capsys.readouterr().err
    assert left.value.code == status, errors
    if status == 1:
        assert errors.count("\n") == 1
