"""`tta load --rebuild --plan`: says what a rebuild would change, is right about it, and changes nothing."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scraper.database import connection, parse_captures
from scraper.database.load import LoadOptions, load
from scraper.database.plan import plan
from scraper.database.tables import TABLES
from scraper.folders import Folders
from tests.dbkit import HOST, add, day, exports, html, loaded, node, page, revisit
from tests.test_why import ask

FIRST = page(html({"County": "Essex", "Weather": "Rain"}, node=1), url=node(1), when=day(0))
LATER = page(html({"County": "Suffolk", "Weather": "Sun"}, node=1), url=node(1), when=day(1))
SECOND = page(html({"County": "Essex"}, node=2), url=node(2), when=day(0))
NEWS = page(b"<html><body><h1>News</h1></body></html>", url=f"{HOST}/media/news", when=day(0))


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return loaded(tmp_path, [FIRST, LATER, revisit(LATER, day(2)), SECOND, NEWS])


def meddle(folders: Folders, *statements: str) -> None:
    """Makes the database look as if another program had read the archive."""
    with closing(sqlite3.connect(folders.database)) as db, db:
        for statement in (*statements, "UPDATE program SET code = 'other'"):
            db.execute(statement)


def changed_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an update of the program."""
    for name in ("load.loading_code", "plan.loading_code", "parsed_pages.parsing_code"):
        monkeypatch.setattr(f"scraper.database.{name}", lambda: "changed")


def digest(folders: Folders) -> str:
    return hashlib.sha256(folders.database.read_bytes()).hexdigest()


def planned(folders: Folders) -> dict[str, Any]:
    status, told = ask(folders, "load", "--rebuild", "--plan", "--json")
    assert status == 0
    found: dict[str, Any] = json.loads(told)
    return found


def fields(found: dict[str, Any]) -> dict[tuple[str, str], tuple[int, list[tuple[Any, ...]]]]:
    return {
        (one["table"], one["field"]): (one["count"], [tuple(example.values()) for example in one["examples"]])
        for one in found["differences"]["fields"]
    }


def test_nothing_to_change_is_told_without_reading(folders: Folders) -> None:
    before = digest(folders)
    assert plan(folders, progress=lambda _done, _total: pytest.fail("a capture was read")).read == 0
    status, told = ask(folders, "load", "--rebuild", "--plan")
    assert (status, told) == (0, "a rebuild would change nothing (this version of the program made the database)\n")
    assert digest(folders) == before


def test_nothing_to_change_is_told_after_reading_with_another_program(folders: Folders) -> None:
    meddle(folders)
    assert ask(folders, "load", "--rebuild", "--plan") == (0, "a rebuild would change nothing (all 5 captures compared)\n")


def test_each_kind_of_difference_is_told_with_examples(folders: Folders) -> None:
    truth = exports(folders)
    meddle(
        folders,
        "UPDATE records SET county = 'Esex' WHERE record_id = '2'",
        "UPDATE fields SET value = 'Esex' WHERE record_id = '2' AND label = 'County'",
        "UPDATE fields SET section = 'Elsewhere' WHERE record_id = '1' AND label = 'Weather'",
        "UPDATE fields SET position = position + 100 WHERE record_id = '1' AND label = 'Archived'",
        "DELETE FROM changes WHERE field = 'weather'",
        "UPDATE captures SET kind = 'blocked' WHERE kind = 'other'",
    )
    before = digest(folders)
    found = planned(folders)
    assert digest(folders) == before
    assert not list(folders.data.glob(".tta-*"))
    kinds = {name: value for name, value in fields(found).items() if name[0] == "captures"}
    assert [(name, count, rows[0][1:]) for name, (count, rows) in kinds.items()] == [
        (("captures", "kind"), 1, ("blocked", "other")),
    ]
    assert fields(found)["records", "county"] == (1, [("2", "Esex", "Essex")])
    assert fields(found)["fields", "County"] == (1, [("2", "Esex", "Essex")])
    assert fields(found)["fields", "Weather"] == (1, [("1", "section Elsewhere", "section None")])
    assert fields(found)["changes", "weather"][0] == 1
    assert found["differences"]["changed"] == 2
    told = ask(folders, "load", "--rebuild", "--plan")[1]
    assert "a rebuild would change 2 records" in told and "  2: Esex -> Essex" in told
    load(folders, LoadOptions(rebuild=True))
    assert exports(folders) == truth
    assert planned(folders)["differences"]["changed"] == 0


def test_records_that_appear_and_vanish(folders: Folders) -> None:
    tables = ("records", "fields", "sections", "milestones", "performance_metrics", "changes", "captures")
    meddle(
        folders,
        *(f"UPDATE {table} SET record_id = '99' WHERE record_id = '2'" for table in tables),
        "DELETE FROM captures WHERE kind = 'other'",
    )
    found = planned(folders)["differences"]
    assert (found["appear"], found["vanish"]) == ({"count": 1, "ids": ["2"]}, {"count": 1, "ids": ["99"]})
    assert (found["captures_appear"]["count"], found["captures_vanish"]["count"], found["changed"]) == (1, 0, 0)


def test_only_the_order_of_rows(folders: Folders) -> None:
    meddle(
        folders,
        "UPDATE fields SET position = position + 100 WHERE record_id = '2'",
        "UPDATE fields SET position = 201 - position WHERE record_id = '2' AND position IN (101, 102)",
        "UPDATE fields SET position = position - 99 WHERE record_id = '2' AND position > 99",
    )
    assert set(fields(planned(folders))) == {("fields", "(order of rows)")}


def test_a_plan_comes_true(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that reads otherwise: what the plan foretells is what the rebuild does, to the byte."""
    before, real = exports(folders), parse_captures.parse_capture

    def otherwise(capture: Any, capture_id: str) -> parse_captures.ParsedCapture:
        swapped = page(capture.content.replace(b"Essex", b"Norfolk"), url=capture.url, when=capture.captured_at)
        return real(swapped, capture_id)

    monkeypatch.setattr(parse_captures, "parse_capture", otherwise)
    changed_code(monkeypatch)
    found = planned(folders)
    assert fields(found)["records", "county"] == (1, [("2", "Essex", "Norfolk")])
    assert set(fields(found)) == {("records", "county"), ("fields", "County"), ("changes", "county")}
    load(folders, LoadOptions(rebuild=True))
    after = exports(folders)
    changed = {name for name in before if before[name] != after[name]}
    assert changed & {f"{table.name}.csv" for table in TABLES} == {"records.csv", "fields.csv", "changes.csv"}
    assert ask(folders, "load", "--rebuild", "--plan")[1].startswith("a rebuild would change nothing")


def test_a_load_with_changed_code_makes_all_anew(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    changed_code(monkeypatch)
    assert plan(folders).read == 5
    done = load(folders)
    assert (done.captures, done.built, done.parsed) == (5, 2, 0)  # the plan has parsed them
    assert plan(folders).read == 0


def test_captures_that_are_not_loaded_yet_count_as_new(folders: Folders) -> None:
    add(folders, [page(html({"County": "Kent"}, node=3), url=node(3), when=day(0))])
    found = planned(folders)["differences"]
    assert (found["appear"]["ids"], found["captures_appear"]["count"], found["fields"]) == (["3"], 1, [])


def test_what_a_plan_needs(tmp_path: Path) -> None:
    assert ask(Folders(tmp_path), "load", "--rebuild", "--plan")[0] == 1
    add(Folders(tmp_path), [FIRST])
    status, line = ask(Folders(tmp_path), "load", "--rebuild", "--plan")
    assert status == 1 and "there is no database" in line


def test_a_database_of_an_earlier_version_is_compared_by_what_both_have(folders: Folders) -> None:
    with closing(sqlite3.connect(folders.database)) as db, db:
        db.execute("DROP VIEW disappearances")  # it names the column
        db.execute("ALTER TABLE records DROP COLUMN gone_since")
        db.execute("UPDATE records SET county = 'Esex' WHERE record_id = '2'")
        db.execute("DROP TABLE program")
        db.execute("PRAGMA user_version = 1")
    assert set(fields(planned(folders))) == {("records", "county")}


def test_it_cleans_up_when_it_is_ended(folders: Folders) -> None:
    """SIGTERM while the second database is being made; and what SIGKILL leaves, the next load removes."""
    meddle(folders)
    before = digest(folders)
    code = (
        "import sys, time; from scraper.database import plan; real = plan.differences;"
        "plan.differences = lambda db: (print('made', flush=True), time.sleep(60), real(db))[2];"
        "from scraper.cli import main; main(sys.argv[1:])"
    )
    for number, status in ((signal.SIGTERM, 4), (signal.SIGKILL, -signal.SIGKILL)):
        command = [sys.executable, "-c", code, "--data", str(folders.data), "load", "--rebuild", "--plan"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None and process.stdout.readline() == b"made\n"
            assert (folders.data / connection.SECOND).exists()
            os.kill(process.pid, number)
            assert process.wait(20) == status
        assert (folders.data / connection.SECOND).exists() == (number == signal.SIGKILL)
    assert digest(folders) == before
    load(folders)
    assert not list(folders.data.glob(".tta-*"))
