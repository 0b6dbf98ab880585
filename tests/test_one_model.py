"""Names, types, units and texts of columns come from the models: everything that repeats them agrees."""

import pytest

from parsers.record import ColumnInfo, columns_of
from scraper.database.tables import LOCAL_TABLES, TABLES
from scraper.export.tables import BY_NAME, CODEBOOK, EXPORTED, FLAT, LONG_VIEWS, Values, values_of
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page, query

ALL = {table.name: table for table in TABLES}
COLUMNS = [(table.name, column) for table in TABLES for column in table.columns]
IN_SQLITE = {Values.INTEGER: "INTEGER", Values.YES_NO: "INTEGER", Values.NUMBER: "REAL"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return loaded(tmp_path_factory.mktemp("model") / "data", [page(html({"County": "A"}), url=node(1), when=day(0))])


def model(table: str, column: str) -> ColumnInfo:
    return columns_of((BY_NAME | ALL)[table].model)[column]


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


def test_every_table_is_exported_but_those_that_tell_what_was_done() -> None:
    assert {table.name for table in TABLES} - set(LOCAL_TABLES) == set(EXPORTED) - {*LONG_VIEWS, FLAT, CODEBOOK} | {"dictionary"}
