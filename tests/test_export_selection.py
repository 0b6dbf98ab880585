"""What --where, --since, --columns, --table and --without-contacts let through, and what they refuse."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from scraper.database.connection import reading
from scraper.errors import ExitStatus, TtaError
from scraper.export import selection as selecting
from scraper.export.run import export
from scraper.export.selection import Selection
from scraper.export.tables import LONG_VIEWS
from scraper.folders import Folders
from tests.dbkit import day, exported, html, loaded, node, page, query
from tests.tables import read_table

CASES = read_table("tables/export_selection.toml")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Three records; the second changes on day 20, the third is seen again then. All have contact details."""
    people: dict[str, str | list[str]] = {
        "TTA Point of Contact": ["Perla Quist", "Uma Okafor"],
        "BJA Grant Manager": "Otto Brandt",
        "Contact Name": "Nell Marsh",
        "Help Desk": "desk@example.org",
        "Event Location Geo": "POINT (-71.0464339 42.3458497)",
    }
    milestones = [{"Milestone Title": "Kick-off", "Milestone Contact": "Nell Marsh"}]
    one, two, three = (
        html({**people, "County": county}, milestones=milestones, title=f"Title {county}")
        for county in ("Kings", "Queens", "Suffolk")
    )
    changed = html({**people, "County": "Bronx", "Contact Name": "Uma Okafor"}, milestones=milestones, title="Title Queens")
    captures = [page(body, url=node(number), when=day(number)) for number, body in enumerate((one, two, three), start=1)]
    captures += [page(changed, url=node(2), when=day(20)), page(three, url=node(3), when=day(20))]
    captures += [page(b"<html><title>Log in</title></html>", url=node(9), when=day(1))]
    return loaded(tmp_path_factory.mktemp("some") / "data", captures)


def lines(folders: Folders, tmp_path: Path, selection: Selection) -> list[dict[str, Any]]:
    exported("jsonl", folders, tmp_path / "r.jsonl", selection)
    return [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]


def chosen(folders: Folders, tmp_path: Path, **options: str) -> list[object]:
    return [record["record_id"] for record in lines(folders, tmp_path, Selection(**options))]


@pytest.mark.parametrize(("where", "found"), CASES["chosen"])
def test_where_chooses_records(folders: Folders, tmp_path: Path, where: str, found: tuple[str, ...]) -> None:
    assert chosen(folders, tmp_path, where=where) == [*found]


@pytest.mark.parametrize(("where", "said"), CASES["refused"])
def test_what_is_no_condition_is_a_line_and_nothing_is_written(folders: Folders, tmp_path: Path, where: str, said: str) -> None:
    with pytest.raises(TtaError) as raised:
        exported("jsonl", folders, tmp_path / "out" / "r.jsonl", Selection(where=where))
    assert raised.value.status == ExitStatus.USAGE
    assert said in str(raised.value) and "\n" not in str(raised.value) and len(str(raised.value)) < 400
    assert list(tmp_path.iterdir()) == []


def test_a_condition_that_takes_too_long_is_given_up(folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selecting, "SECONDS", 0.3)
    many = "(SELECT count(*) FROM fields a, fields b, fields c, fields d, fields e, fields f) > 0"
    began = time.monotonic()
    with pytest.raises(TtaError, match="select fewer records"):
        exported("jsonl", folders, tmp_path / "r.jsonl", Selection(where=many))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("since", "found"), CASES["since"])
def test_since_chooses_what_was_captured_then_or_later(
    folders: Folders, tmp_path: Path, since: str, found: tuple[str, ...]
) -> None:
    assert chosen(folders, tmp_path, since=since) == [*found]


@pytest.mark.parametrize("form", ["csv", "parquet", "datapackage"])
def test_all_tables_hold_the_rows_of_the_chosen_records(folders: Folders, tmp_path: Path, form: str) -> None:
    counts = exported(form, folders, tmp_path / "out", Selection(where="node_id = 2"))
    for table in counts.keys() - {*LONG_VIEWS, "records_flat", "codebook", "organizations"}:
        assert counts[table] == query(folders, f"SELECT count(*) FROM {table} WHERE record_id = '2'")[0][0], table
    named = "SELECT count(DISTINCT organization_id) FROM organization_mentions WHERE record_id = '2'"
    assert counts["captures"] == 2 and counts["organizations"] == query(folders, named)[0][0]


def test_the_capture_that_shows_a_record_gone_goes_with_it(tmp_path: Path) -> None:
    shown = page(html({"County": "A"}), url=node(1), when=day(0))
    gone = page(b"<html><title>Not found</title></html>", url=node(1), when=day(5), http_status=404, http_reason="Not Found")
    folders = loaded(tmp_path / "data", [shown, gone, page(html({"County": "B"}), url=node(2), when=day(0))])
    assert exported("csv", folders, tmp_path / "out", Selection(where="availability = 'gone'"))["captures"] == 2
    assert exported("datapackage", folders, tmp_path / "p", Selection(since="2025-01-05"))["records"] == 1
    (record,) = lines(folders, tmp_path, Selection(where="node_id = 1"))
    assert record["capture_count"] == 1
    assert [(one["kind"], one["gone_record_id"]) for one in record["captures"]] == [("record", None), ("error", "1")]


def test_captures_of_no_record_are_there_unless_records_are_chosen(folders: Folders, tmp_path: Path) -> None:
    assert exported("csv", folders, tmp_path)["captures"] == 6
    assert exported("csv", folders, tmp_path, Selection(where="1"))["captures"] == 5


def test_columns_narrow_the_records_and_keep_their_key(folders: Folders, tmp_path: Path) -> None:
    found = lines(folders, tmp_path, Selection(columns=("county", "captures"), tables=("records",)))
    assert found[0] == {"record_id": "1", "county": "Kings", "capture_count": 1}
    exported("csv", folders, tmp_path / "out", Selection(columns=("title", "county")))
    headings = {path.stem: path.read_text("utf-8-sig").splitlines()[0] for path in (tmp_path / "out").glob("*.csv")}
    assert headings["records"] == "record_id,title,county" and headings["records_flat"] == '"record_id","title","county"'
    assert headings["milestones"] == "record_id,position,title,date,notes,details"


def test_columns_are_of_the_one_table_asked_for(folders: Folders, tmp_path: Path) -> None:
    exported("csv", folders, tmp_path / "out", Selection(columns=("label", "value"), tables=("fields",), where="node_id = 1"))
    ours = list(csv.reader(io.StringIO((tmp_path / "out" / "fields.csv").read_text(), newline="")))
    stored = query(folders, "SELECT record_id, position, label, value FROM fields WHERE record_id = '1' ORDER BY position")
    assert ours[0] == ["record_id", "position", "label", "value"]
    assert ours[1:] == [[str(one or "") for one in row] for row in stored]


@pytest.mark.parametrize(
    ("form", "selection", "said"),
    [
        ("csv", Selection(columns=("titel",)), "did you mean title?"),
        ("csv", Selection(tables=("recods",)), "did you mean records?"),
        ("csv", Selection(tables=("runs",)), "no table 'runs' to export"),
        ("csv", Selection(columns=("warc_file",), tables=("captures",)), "no column 'warc_file'"),
        ("csv", Selection(columns=("submitted_by",), contacts=False), "contact detail"),
        ("csv", Selection(where="point_of_contact IS NULL", contacts=False), "contact detail"),
        ("csv", Selection(since="yesterday"), "is not a time"),
        ("jsonl", Selection(tables=("fields",)), "--table records"),
        ("geojson", Selection(tables=("fields",)), "can't contain the table fields"),
        ("parquet", Selection(tables=("records_flat",)), "with csv"),
        ("csv", Selection(tables=("records_point_of_contact",), contacts=False), "contact details"),
    ],
)
def test_a_selection_that_cannot_be_is_a_line(
    folders: Folders, tmp_path: Path, form: str, selection: Selection, said: str
) -> None:
    with pytest.raises(TtaError, match=said.replace("?", r"\?")) as raised:
        exported(form, folders, tmp_path / "out", selection)
    assert raised.value.status == ExitStatus.USAGE and list(tmp_path.iterdir()) == []


def test_the_database_and_the_connection_stay_as_they_were(folders: Folders, tmp_path: Path) -> None:
    before = folders.database.read_bytes()
    with reading(folders.database) as db:
        export("csv", db, tmp_path, Selection(where="county = 'Bronx' OR node_id = 1", since="2025-01-10", contacts=False))
        assert db.execute("SELECT length(zeroblob(200000000))").fetchone() == (200_000_000,)
        db.execute("CREATE TEMP TABLE mine (x)")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            db.execute("DELETE FROM records")
    assert folders.database.read_bytes() == before
    assert (tmp_path / "records.csv").read_text().count("Bronx") == 1 and "Kings" not in (tmp_path / "records.csv").read_text()
