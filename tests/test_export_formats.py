"""Every format, read back by programs that are not ours, holds what the database holds."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import pandas as pd
import pyarrow.parquet as pq
import pytest
from frictionless import Package

from parsers.record import columns_of
from scraper.database.connection import reading
from scraper.errors import DataLooksWrong
from scraper.export import parquet, run
from scraper.export.run import export
from scraper.export.selection import Selection
from scraper.export.tables import BY_NAME, CODEBOOK, EXPORTED, FLAT, LONG_VIEWS, Values, values_of
from scraper.folders import Folders
from tests.dbkit import exported, query, sql
from tests.officekit import sheets

Rows = list[tuple[Any, ...]]
FORMATS = sorted({*run.FORMATS} - {"site"})
"""A site has tests of its own."""
STORED = [name for name in EXPORTED if name not in (*LONG_VIEWS, CODEBOOK, FLAT)]
"""The exported tables that are in the database."""


@pytest.fixture(scope="module")
def folders(demo_folders: Folders) -> Folders:
    return demo_folders


@pytest.fixture(scope="module")
def out(folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every format, in a folder or file of its name."""
    made = tmp_path_factory.mktemp("out")
    with reading(folders.database) as db:
        for form in FORMATS:
            export(form, db, made / form)
    return made


def there(folders: Folders, table: str, columns: list[str]) -> Rows:
    """The table as it is in the database, its rows in an order of their own."""
    names = ", ".join('"' + name + '"' for name in columns)
    return rows_of(query(folders, f"SELECT {names} FROM {table}"))


def rows_of(rows: Any) -> Rows:
    return sorted((tuple(row) for row in rows), key=repr)


def as_stored(table: str, column: str, value: Any) -> Any:
    """A typed value as SQLite has it."""
    kind = values_of(columns_of(BY_NAME[table].model)[column])
    if value is None:
        return None
    if kind is Values.TIME:
        assert isinstance(value, datetime) and value.tzinfo is not None
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind is Values.DATE:
        assert isinstance(value, date)
        return value.isoformat()
    if kind is Values.LIST:
        return json.dumps(list(value), ensure_ascii=False)
    if kind is Values.YES_NO:
        assert value in (True, False)
        return int(value)
    return value


@pytest.mark.parametrize("table", STORED)
def test_parquet_read_with_pyarrow(folders: Folders, out: Path, table: str) -> None:
    read = pq.read_table(out / "parquet" / f"{table}.parquet")
    found = [tuple(as_stored(table, name, row[name]) for name in read.column_names) for row in read.to_pylist()]
    assert rows_of(found) == there(folders, table, read.column_names)


def test_parquet_types_say_what_columns_hold(out: Path) -> None:
    schema = pq.read_schema(out / "parquet" / "records.parquet")
    types = {field.name: str(field.type) for field in schema}
    assert types["last_captured_at"] == "timestamp[us, tz=UTC]" and types["evidence_based"] == "bool"
    assert types["program_areas"].startswith("list<") and types["longitude"] == "double" and types["captures"] == "int64"
    assert types["event_start"] == "string"  # may be a day, or a local time without zone
    field = schema.field("estimated_cost_lower")
    assert field.nullable and field.metadata[b"unit"] == b"US dollars" and b"lower bound" in field.metadata[b"description"]
    assert not schema.field("record_id").nullable


@pytest.mark.parametrize("table", STORED)
def test_csv_read_with_pandas_as_text(folders: Folders, out: Path, table: str) -> None:
    frame = pd.read_csv(out / "csv" / f"{table}.csv", dtype=str, keep_default_na=False, na_values=[""])
    for name in frame.columns:
        stored = [None if value is None else str(value) for (value,) in query(folders, f'SELECT "{name}" FROM {table}')]
        found = [None if value is None or pd.isna(value) else plain(value) for value in frame[name]]
        assert sorted(found, key=repr) == sorted(stored, key=repr), name


def plain(cell: str) -> str:
    """A cell without the apostrophe that the export may have put before it; the demo has no text that begins with one."""
    return cell.removeprefix("'")


def test_jsonl_read_with_duckdb_and_pandas(folders: Folders, out: Path) -> None:
    path = out / "jsonl"
    frame = pd.read_json(path, lines=True, dtype=False)
    assert sorted(frame["record_id"].astype(str)) == sorted(one for (one,) in query(folders, "SELECT record_id FROM records"))
    with duckdb.connect() as connection:
        sql = "SELECT sum(len(fields)), sum(len(captures)) FROM read_json(?, format = 'newline_delimited')"
        assert connection.execute(sql, [str(path)]).fetchall() == query(
            folders, "SELECT (SELECT count(*) FROM fields), (SELECT count(coalesce(record_id, gone_record_id)) FROM captures)"
        )


def test_geojson_is_what_rfc_7946_says(folders: Folders, out: Path) -> None:
    found = json.loads((out / "geojson").read_bytes())
    assert set(found) == {"type", "features"} and found["type"] == "FeatureCollection"
    places = {
        record_id: (longitude, latitude)
        for record_id, longitude, latitude in query(
            folders, "SELECT record_id, longitude, latitude FROM records WHERE longitude IS NOT NULL"
        )
    }
    assert {feature["id"]: tuple(feature["geometry"]["coordinates"]) for feature in found["features"]} == places
    for feature in found["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"} and feature["geometry"]["type"] == "Point"
        assert isinstance(feature["properties"]["program_areas"], list | None)
        assert not {"longitude", "latitude"} & set(feature["properties"])


def test_geojson_has_no_null_island_and_no_record_without_a_place(folders: Folders, tmp_path: Path) -> None:
    copy = Folders(tmp_path)
    shutil.copy(folders.database, copy.database)
    changed = ("longitude = 0, latitude = 0 WHERE rowid = 1", "longitude = NULL WHERE rowid = 2", "latitude = 91 WHERE rowid = 3")
    sql(copy.database, *(f"UPDATE records SET {one}" for one in changed))
    counts = exported("geojson", copy, tmp_path / "g.json")
    total = query(copy, "SELECT count(*) FROM records")[0][0]
    assert counts == {"features": total - 3, "records without a place": 3}
    assert len(json.loads((tmp_path / "g.json").read_text())["features"]) == total - 3
    exported("geojson", copy, tmp_path / "g.json", Selection(where="0"))
    assert json.loads((tmp_path / "g.json").read_text()) == {"type": "FeatureCollection", "features": []}


def test_a_workbook_read_with_pandas_and_libreoffice(folders: Folders, tmp_path: Path) -> None:
    tables = ("records", "milestones", "codebook")
    counts = exported("xlsx", folders, tmp_path / "book.xlsx", Selection(tables=tables))
    frames = pd.read_excel(tmp_path / "book.xlsx", sheet_name=None, engine="openpyxl")
    assert {name: len(frame) for name, frame in frames.items()} == counts and set(counts) == set(tables)
    headings = {info.heading: name for name, info in columns_of(BY_NAME["records"].model).items()}
    records = frames["records"].rename(columns=headings)
    ours = query(folders, "SELECT sum(evidence_based), min(event_on), max(longitude), count(status) FROM records")
    found = (records["evidence_based"].sum(), str(records["event_on"].min().date()), records["longitude"].max())
    assert [(*found, records["status"].count())] == ours
    shown = sheets(tmp_path / "book.xlsx", tmp_path)
    assert {name: len(rows) - 1 for name, rows in shown.items()} == counts
    formulas = {cell.formula for rows in shown.values() for row in rows for cell in row}
    assert formulas == {None, "=TRUE()", "=FALSE()"}  # what LibreOffice makes of Excel's booleans


@pytest.mark.parametrize("table", LONG_VIEWS)
def test_a_long_table_has_a_row_for_each_item_of_a_list(folders: Folders, out: Path, table: str) -> None:
    column = table.removeprefix("records_")
    sql = f"SELECT record_id, key + 1, value FROM records, json_each({column})"
    with (out / "csv" / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    assert heading == ["record_id", "position", column.removesuffix("s")]
    assert sorted((one, int(place), plain(item)) for one, place, item in rows) == sorted(query(folders, sql))
    assert pq.read_table(out / "parquet" / f"{table}.parquet").num_rows == len(rows)


def test_the_codebook_counts_what_is_in_the_files(folders: Folders, out: Path) -> None:
    book = pd.read_csv(out / "csv" / "codebook.csv", keep_default_na=False).set_index(["table", "column"])
    for table in set(EXPORTED) - {FLAT, CODEBOOK}:
        frame = pd.read_csv(out / "csv" / f"{table}.csv", dtype=str, keep_default_na=False, na_values=[""])
        for column in frame.columns:
            row = book.loc[(table, column)]
            missing = int(frame[column].isna().sum())
            assert (row["values"], row["missing"], int(row["distinct"])) == (
                len(frame) - missing,
                missing,
                frame[column].nunique(),
            ), (table, column)
    status = book.loc[("records", "status")]
    assert status["heading"] == "Status" and status["frequent"].startswith("Completed (26); In Progress (16); ")
    assert book.loc[("records", "title")]["frequent"] == ""  # no title occurs twice


def test_the_codebook_of_some_records_is_about_them(folders: Folders, tmp_path: Path) -> None:
    exported("csv", folders, tmp_path / "a", Selection(where="fiscal_year = 2024", tables=("codebook", "records")))
    exported("csv", folders, tmp_path / "b", Selection(where="fiscal_year = 2024", tables=("codebook",)))
    some, alone = (pd.read_csv(tmp_path / name / "codebook.csv") for name in "ab")
    assert set(some["table"]) == {"records"} and set(some["values"] + some["missing"]) == {11}
    assert set(alone["table"]) == set(EXPORTED) - {FLAT, CODEBOOK}


def report(folder: Path) -> frictionless.Report:
    return Package(str(folder / "datapackage.json")).validate()


def test_the_data_package_is_valid(folders: Folders, out: Path) -> None:
    found = report(out / "datapackage")
    assert found.valid, found.flatten(["name", "rowNumber", "type", "message"])
    package = Package(str(out / "datapackage" / "datapackage.json"))
    assert set(package.resource_names) == set(EXPORTED)
    for resource in package.resources:
        described = {field.name: field.description for field in resource.schema.fields}
        texts = {name: info.description for name, info in columns_of(BY_NAME[resource.name].model).items()}
        assert described == {name: texts[name] for name in described}
        if resource.name in STORED:
            assert resource.rows == query(folders, f"SELECT count(*) FROM {resource.name}")[0][0]
    assert package.get_resource("fields").schema.foreign_keys[0]["reference"]["resource"] == "records"
    text = (out / "datapackage" / "datapackage.json").read_text()
    assert json.loads(text)["citation"] in (out / "datapackage" / "README.md").read_text()


def test_the_data_package_of_some_records_is_valid(folders: Folders, tmp_path: Path) -> None:
    exported("datapackage", folders, tmp_path, Selection(where="fiscal_year = 2024", columns=("title",), contacts=False))
    assert report(tmp_path).valid
    assert "11 of 61 records" in (tmp_path / "README.md").read_text()


def test_the_schema_of_the_data_package_finds_what_is_wrong(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out / "datapackage", tmp_path / "p")
    for name, old, new in (
        ("records", b"900000002,", b"900000001,"),
        ("fields", b",value,", b",maybe,"),
        ("fields", b"900000002,1,", b"999999999,1,"),
    ):
        path = tmp_path / "p" / f"{name}.csv"
        heading, end, rows = path.read_bytes().partition(b"\r\n")
        path.write_bytes(heading + end + rows.replace(old, new, 1))
    found = {error[0] for error in report(tmp_path / "p").flatten(["type"])}
    assert found >= {"primary-key", "constraint-error", "foreign-key", "hash-count"}


def test_csv_of_all_tables_has_every_column_but_where_the_archive_lies(out: Path) -> None:
    for table in EXPORTED:
        with (out / "csv" / f"{table}.csv").open(newline="", encoding="utf-8-sig") as file:
            heading = next(csv.reader(file))
        assert heading == [name for name in BY_NAME[table].columns if name not in BY_NAME[table].local]


def test_a_value_of_another_type_is_named_and_nothing_is_written(folders: Folders, tmp_path: Path) -> None:
    row = tuple("yesterday" if name == "captured_at" else None for name in ("capture_id", "captured_at"))
    with pytest.raises(DataLooksWrong, match=r"captures\.captured_at has values other than timestamp"):
        parquet.write("captures", ("capture_id", "captured_at"), [row], io.BytesIO())


def test_parquet_of_many_rows_has_groups_and_all_rows() -> None:
    rows = (("r", number, "Markup", "x" * 700) for number in range(60_000))
    file = io.BytesIO()
    assert parquet.write("sections", ("record_id", "position", "label", "text"), rows, file) == 60_000
    read = pq.ParquetFile(file)
    assert read.metadata.num_row_groups == 2
    assert read.read(["position"]).column(0).to_pylist() == list(range(60_000))


def test_a_reader_that_has_seen_enough_ends_an_export_without_a_word(folders: Folders) -> None:
    program = f'"{sys.executable}" -c "from scraper.cli import main; main()" --data "{folders.data}" export jsonl -'
    done = subprocess.run(f"{program} | head -n 1", shell=True, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert json.loads(done.stdout)["record_id"]
