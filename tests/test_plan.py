"""`tta load --rebuild --plan`: shows what a rebuild would change, counts each kind of difference, and changes nothing."""

import hashlib
from contextlib import closing
from pathlib import Path

import pytest

from scraper.database.connection import comparing
from scraper.database.difference import MISSING, ORDER, Differences, differences
from scraper.database.load import LoadOptions, load
from scraper.folders import Folders
from scraper.sqlite import open_writable
from tests.commandkit import tta
from tests.dbkit import HOST, day, exports, html, loaded, node, page, revisit, sql

LATER = page(html({"County": "Suffolk", "Weather": "Sun"}, node=1), url=node(1), when=day(1))
PAGES = [
    page(html({"County": "Essex", "Weather": "Rain"}, node=1), url=node(1), when=day(0)),
    *(LATER, revisit(LATER, day(2)), page(html({"County": "Essex"}, node=2), url=node(2), when=day(0))),
    page(b"<html><body><h1>News</h1></body></html>", url=f"{HOST}/media/news", when=day(0)),
]
MEDDLED = (
    "UPDATE records SET county = 'Esex' WHERE record_id = '2'",
    "DELETE FROM changes WHERE field = 'weather'",
    "UPDATE captures SET kind = 'blocked' WHERE kind = 'other'",
)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return loaded(tmp_path, PAGES)


def test_what_a_rebuild_would_change_is_shown_with_examples_and_not_done(folders: Folders) -> None:
    truth = exports(folders)
    sql(folders.database, *MEDDLED)
    before = hashlib.sha256(folders.database.read_bytes()).digest()
    ran = tta("--data", folders.data, "load", "--rebuild", "--plan", "--json")
    found = ran.report
    assert (ran.status, found["differences"]["changed"], found["read"]) == (0, 2, 5)
    shown = {(one["table"], one["field"]): (one["count"], one["examples"]) for one in found["differences"]["fields"]}
    assert shown["records", "county"] == (1, [{"id": "2", "old": "Esex", "new": "Essex"}])
    assert shown["changes", "weather"][0] == shown["captures", "kind"][0] == 1
    assert "  2: Esex -> Essex" in tta("--data", folders.data, "load", "--rebuild", "--plan").out
    assert hashlib.sha256(folders.database.read_bytes()).digest() == before
    assert not list(folders.data.glob(".tta-*"))
    load(folders, LoadOptions(rebuild=True))
    assert exports(folders) == truth


def test_a_database_that_is_as_the_archive_gives_it_would_not_change(folders: Folders) -> None:
    assert tta("--data", folders.data, "load", "--rebuild", "--plan").out.startswith("a rebuild would change nothing")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    captures = [page(html({"County": "Essex"}, node=number), url=node(number), when=day(number)) for number in (1, 2)]
    return loaded(tmp_path_factory.mktemp("data"), captures)


def compared(folders: Folders, second: Path, change: str) -> Differences:
    load(folders, LoadOptions(rebuild=True, database=second))
    with closing(open_writable(second)) as db:
        db.execute(change)
    with comparing(folders.database, second) as both:
        return differences(both)


@pytest.mark.parametrize(
    ("change", "changed", "field"),
    [
        ("UPDATE records SET county = 'Kent' WHERE record_id = '1'", 1, ("records", "county", 1)),
        ("DELETE FROM captures WHERE captured_at IN (SELECT max(captured_at) FROM captures)", 0, ("captures", MISSING, 1)),
        (
            "DELETE FROM fields_rows WHERE rowid IN (SELECT rowid FROM fields WHERE label = 'County' AND record_id = '1')",
            1,
            ("fields", "County", 1),
        ),
        ("UPDATE fields_rows SET position = -position WHERE record_id = '2'", 1, ("fields", ORDER, 1)),
        ("SELECT 1", 0, None),
    ],
)
def test_each_kind_of_difference_is_counted(
    two: Folders, tmp_path: Path, change: str, changed: int, field: tuple[str, str, int] | None
) -> None:
    found = compared(two, tmp_path / "second.db", change)
    assert (found.changed, [(one.table, one.field, one.count) for one in found.fields]) == (changed, [field] if field else [])


def test_examples_show_the_values_of_both(two: Folders, tmp_path: Path) -> None:
    (column,) = compared(two, tmp_path / "second.db", "UPDATE records SET county = 'Kent'").fields
    assert column.examples == (("1", "Essex", "Kent"), ("2", "Essex", "Kent"))
    found = compared(
        two, tmp_path / "third.db", "DELETE FROM fields_rows WHERE rowid IN (SELECT rowid FROM fields WHERE label = 'County')"
    )
    assert [one.examples for one in found.fields] == [(("1", "Essex", None), ("2", "Essex", None))]
    gone = compared(two, tmp_path / "fourth.db", "DELETE FROM records WHERE record_id = '1'")
    assert (gone.appear, gone.vanish, gone.changed) == (0, 1, 0)
