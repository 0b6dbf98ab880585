"""`tta load --rebuild --plan`: shows what a rebuild would change, and changes nothing."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from scraper.database.load import LoadOptions, load
from scraper.folders import Folders
from tests.commandkit import tta
from tests.dbkit import HOST, day, exports, html, loaded, node, page, revisit

LATER = page(html({"County": "Suffolk", "Weather": "Sun"}, node=1), url=node(1), when=day(1))
PAGES = [
    page(html({"County": "Essex", "Weather": "Rain"}, node=1), url=node(1), when=day(0)),
    *(LATER, revisit(LATER, day(2)), page(html({"County": "Essex"}, node=2), url=node(2), when=day(0))),
    page(b"<html><body><h1>News</h1></body></html>", url=f"{HOST}/media/news", when=day(0)),
]
MEDDLED = """
UPDATE records SET county = 'Esex' WHERE record_id = '2';
DELETE FROM changes WHERE field = 'weather';
UPDATE captures SET kind = 'blocked' WHERE kind = 'other';
"""


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return loaded(tmp_path, PAGES)


def test_what_a_rebuild_would_change_is_shown_with_examples_and_not_done(folders: Folders) -> None:
    truth = exports(folders)
    with closing(sqlite3.connect(folders.database)) as db:
        db.executescript(MEDDLED)
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
