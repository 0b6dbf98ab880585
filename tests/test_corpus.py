"""The archive that benchmarks measure on: what it holds, and that a smaller one is the beginning of a larger one."""

from __future__ import annotations

from pathlib import Path

from benchmarks.corpus import BLOCK, block, make, node, title
from scraper.archive.store import Archive
from scraper.database.load import load
from scraper.folders import Folders
from tests.dbkit import one, query


def test_it_holds_records_with_a_history_and_other_pages(tmp_path: Path) -> None:
    folders = Folders(make(2 * BLOCK, tmp_path, workers=1))
    load(folders)
    assert query(folders, "SELECT node_id, reference FROM records ORDER BY node_id") == [
        (node(record), title(record)) for record in range(144)
    ]
    assert one(folders, "SELECT count(*) FROM changes WHERE field = 'status'") > 0
    kinds = dict(query(folders, "SELECT kind, count(*) FROM captures GROUP BY kind"))
    assert kinds.keys() == {"record", "revisit", "blocked", "error", "other"}
    assert kinds["revisit"] == 2 * (8 + 4), "bodies that are repeated, and revisits of the archive"
    assert one(folders, "SELECT count(*) FROM captures WHERE form = 'text'") == 2


def test_it_grows_without_changing(tmp_path: Path) -> None:
    make(BLOCK // 2, tmp_path, workers=1)
    make(BLOCK + 50, tmp_path, workers=1)
    with Archive(tmp_path / "archive") as archive:
        ids = [entry.capture_id for entry in archive.entries()]
    assert sorted(ids) == sorted(capture.capture_id for capture in [*block(0), *list(block(1))[:50]])


def test_its_pages_are_as_heavy_as_real_ones() -> None:
    sizes = [len(capture.payload) for capture in block(0) if capture.payload]
    assert 30_000 < sum(sizes) / len(sizes) < 45_000
