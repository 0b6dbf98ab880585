"""Names, types, units and texts of columns come from the models: everything that repeats them agrees."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from parsers.record import ColumnInfo, columns_of
from scraper.database.connection import reading
from scraper.database.tables import LOCAL_TABLES, TABLES
from scraper.export.run import export
from scraper.export.tables import BY_NAME, CODEBOOK, EXPORTED, FLAT, LONG_VIEWS, Values, values_of
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page, query
from tests.webkit import ROOT

ALL = {table.name: table for table in TABLES}
COLUMNS = [(table.name, column) for table in TABLES for column in table.columns]
IN_SQLITE = {Values.INTEGER: "INTEGER", Values.YES_NO: "INTEGER", Values.NUMBER: "REAL"}
IN_TABLE_SCHEMA = {
    Values.INTEGER: "integer",
    Values.YES_NO: "boolean",
    Values.NUMBER: "number",
    Values.LIST: "array",
    Values.TIME: "datetime",
    Values.DATE: "date",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return loaded(tmp_path_factory.mktemp("model") / "data", [page(html({"County": "A"}), url=node(1), when=day(0))])


@pytest.fixture(scope="module")
def out(folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("model")
    with reading(folders.database) as db:
        export("parquet", db, made / "parquet")
        export("datapackage", db, made / "datapackage")
    return made


def model(table: str, column: str) -> ColumnInfo:
    return columns_of((BY_NAME | ALL)[table].model)[column]


def test_every_column_has_a_kind_of_values_and_a_text() -> None:
    for table, column in COLUMNS:
        info = model(table, column)
        assert values_of(info) in Values and (info.description or "").strip(), (table, column)


def test_every_column_that_is_named_for_a_time_is_typed_as_one() -> None:
    timed = {Values.TIME, Values.DATE, Values.PARTIAL_TIME}
    for table, column in COLUMNS:
        if column.endswith(("_at", "_on", "_since")) or column in ("event_start", "event_end", "date"):
            assert values_of(model(table, column)) in timed, (table, column)


def test_the_database_has_the_columns_types_and_keys_of_the_models(folders: Folders) -> None:
    for table in TABLES:
        found = {
            name: (kind, required, key) for _, name, kind, required, _, key in query(folders, f"PRAGMA table_info({table.name})")
        }
        if table.shared:  # a view: what its tables hold
            found = {
                name: (kind, required, name in table.keys and table.keys.index(name) + 1)
                for part in table.stored_in
                for _, name, kind, required, *_ in query(folders, f"PRAGMA table_info({part})")
                if name in table.columns
            }
        assert {*found} == {*table.columns}
        for name, (kind, required, key) in found.items():
            info = model(table.name, name)
            assert kind == IN_SQLITE.get(values_of(info), "TEXT"), (table.name, name)
            assert required == int(info.required) or key
            assert key == (table.keys.index(name) + 1 if name in table.keys else 0)
        links = {(column, other) for _, _, other, column, *_ in query(folders, f"PRAGMA foreign_key_list({table.stored_in[0]})")}
        assert links == (set(table.links) if not table.shared else {("record_id", "records"), ("shared", table.stored_in[1])})


def test_the_dictionary_holds_every_column_and_can_be_searched(folders: Folders) -> None:
    rows = {(table, column): texts for table, column, *texts in query(folders, "SELECT * FROM dictionary")}
    assert set(rows) == set(COLUMNS)
    for (table, column), texts in rows.items():
        info = model(table, column)
        assert texts == [info.description, info.label, info.unit, info.heading]
    found = query(
        folders,
        'SELECT "column" FROM dictionary WHERE rowid IN (SELECT rowid FROM dictionary_fts WHERE dictionary_fts MATCH ?)',
        "evidence",
    )
    assert ("evidence_based",) in found


def test_datasette_says_the_same() -> None:
    told = yaml.safe_load((ROOT / "metadata.yml").read_text(encoding="utf-8"))["databases"]["tta"]["tables"]
    for table in TABLES:
        assert list(told[table.name]["columns"]) == list(table.columns)
        for column, text in told[table.name]["columns"].items():
            info = model(table.name, column)
            for part in (info.description, info.unit, info.label):
                assert not part or part in text


def test_the_printed_dictionary_says_the_same() -> None:
    readme, printed = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/dictionary.md"))
    assert "(docs/dictionary.md)" in readme
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", printed, re.DOTALL | re.MULTILINE))
    for table in TABLES:
        rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \| (.*) \|$", sections[table.name], re.MULTILINE)
        assert tuple(row[0] for row in rows) == table.columns
        for column, *texts in rows:
            info = model(table.name, column)
            assert [text.replace("\\|", "|") for text in texts] == [
                info.heading,
                info.description,
                info.unit or "",
                info.label or "",
            ]


def test_the_data_package_says_the_same(out: Path) -> None:
    told = json.loads((out / "datapackage" / "datapackage.json").read_text(encoding="utf-8"))
    assert [resource["name"] for resource in told["resources"]] == list(EXPORTED)
    for resource in told["resources"]:
        table = BY_NAME[resource["name"]]
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == [name for name in table.columns if name not in table.local]
        assert tuple(resource["schema"].get("primaryKey", ())) == table.keys
        links = {(link["fields"][0], link["reference"]["resource"]) for link in resource["schema"].get("foreignKeys", ())}
        assert links == set(table.links)
        for field in fields:
            info = model(table.name, field["name"])
            kinds = IN_TABLE_SCHEMA | ({Values.LIST: "string"} if table.name == FLAT else {})
            assert field["type"] == kinds.get(values_of(info), "string")
            texts = [field["description"], field.get("unit"), field["title"], field.get("label")]
            assert texts == [info.description, info.unit, info.heading, info.label]
            assert field.get("constraints", {}).get("required", False) == info.required


def test_parquet_says_the_same(out: Path) -> None:
    for name in set(EXPORTED) - {FLAT}:
        schema = pq.read_schema(out / "parquet" / f"{name}.parquet")
        for field in schema:
            info = model(name, field.name)
            texts = {"description": info.description, "unit": info.unit, "label": info.label}
            told = {key.decode(): text.decode() for key, text in field.metadata.items() if not key.startswith(b"PARQUET")}
            assert told == {key: text for key, text in texts.items() if text}
            assert field.nullable != info.required


def test_every_table_is_exported_but_those_that_tell_what_was_done() -> None:
    assert {table.name for table in TABLES} - set(LOCAL_TABLES) == set(EXPORTED) - {*LONG_VIEWS, FLAT, CODEBOOK} | {"dictionary"}
