"""The differences between two databases, as `tta load --rebuild --plan` shows them."""

from contextlib import closing
from pathlib import Path

import pytest

from scraper.database.connection import comparing
from scraper.database.difference import MISSING, ORDER, Differences, differences
from scraper.database.load import LoadOptions, load
from scraper.folders import Folders
from scraper.sqlite import open_writable
from tests.dbkit import add, day, html, page


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    made = Folders(tmp_path_factory.mktemp("data"))
    add(
        made,
        [
            page(html({"County": "Essex"}, node=node), url=f"https://bjatta.bja.ojp.gov/node/{node}", when=day(node))
            for node in (1, 2)
        ],
    )
    load(made)
    return made


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
    folders: Folders, tmp_path: Path, change: str, changed: int, field: tuple[str, str, int] | None
) -> None:
    found = compared(folders, tmp_path / "second.db", change)
    assert (found.changed, [(one.table, one.field, one.count) for one in found.fields]) == (changed, [field] if field else [])


def test_examples_show_the_values_of_both(folders: Folders, tmp_path: Path) -> None:
    (column,) = compared(folders, tmp_path / "second.db", "UPDATE records SET county = 'Kent'").fields
    assert column.examples == (("1", "Essex", "Kent"), ("2", "Essex", "Kent"))
    found = compared(
        folders, tmp_path / "third.db", "DELETE FROM fields_rows WHERE rowid IN (SELECT rowid FROM fields WHERE label = 'County')"
    )
    assert [one.examples for one in found.fields] == [(("1", "Essex", None), ("2", "Essex", None))]
    gone = compared(folders, tmp_path / "fourth.db", "DELETE FROM records WHERE record_id = '1'")
    assert (gone.appear, gone.vanish, gone.changed) == (0, 1, 0)
