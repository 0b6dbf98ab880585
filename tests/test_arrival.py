"""The database is a function of the archive: order, split, number of processes and rebuilds make no difference to its exports."""

import tempfile
from dataclasses import replace
from functools import cache
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.archive.store import SOURCES
from scraper.capture import Capture
from scraper.config import Config, Sources, Wayback
from scraper.database.load import LoadOptions, load
from scraper.doctor.verify import verify_search
from scraper.fetch.run import Display
from scraper.folders import Folders
from scraper.refresh.run import RefreshOptions, refresh
from tests.capturekit import CAPTURES
from tests.dbkit import add, broken_references, day, exports, html, loaded, lose_catalog, node, page, query


@settings(max_examples=10)
@given(
    st.lists(st.sampled_from(CAPTURES), unique_by=id, min_size=1),
    st.randoms(use_true_random=False),
    st.lists(st.integers(0, len(CAPTURES)), max_size=3),
    st.booleans(),
)
def test_any_order_and_any_split_give_the_same_bytes(some: list[Capture], chance: object, cuts: list[int], rebuild: bool) -> None:
    shuffled = list(some)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    edges = [0, *sorted(cuts), len(shuffled)]
    with tempfile.TemporaryDirectory() as folder:
        at_once = loaded(Path(folder) / "once", some)
        split = Folders(Path(folder) / "split")
        for start, end in pairwise(edges):
            add(split, shuffled[start:end])
            load(split)
        if rebuild:
            load(split, LoadOptions(rebuild=True))
        assert exports(split) == exports(at_once)
        assert broken_references(split) == []


def test_one_by_one_backwards(tmp_path: Path) -> None:
    at_once = loaded(tmp_path / "once", CAPTURES, workers=2)
    one_by_one = loaded(tmp_path / "single", *([capture] for capture in reversed(CAPTURES)))
    assert exports(one_by_one) == exports(at_once)
    records = query(at_once, "SELECT record_id, captures FROM records ORDER BY 1")
    assert dict(records)["1"] >= 9
    gone = "SELECT record_id, availability, substr(gone_since, 1, 10) FROM records ORDER BY 1"
    assert [row[1:] for row in query(at_once, gone)] == [
        ("unknown", None),
        ("unknown", None),
        ("unknown", None),
        ("gone", "2025-01-03"),
    ]
    assert len(records) == 4
    assert query(at_once, "SELECT count(*) FROM captures c JOIN records USING (record_id)") == [
        (sum(count for _, count in records),)
    ]
    assert query(at_once, "SELECT value FROM fields WHERE record_id = '2' AND label = 'Weather'") == [("Rain",)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_several_deliveries_the_same_one_counts_whoever_came_first(tmp_path: Path, order: tuple[int, ...]) -> None:
    """And so after the catalog was lost; a delivery that was refused or has been taken is not kept again."""
    a = CAPTURES[0]
    several = [a, replace(a, source="commoncrawl", content_type="text/html"), replace(a, source="files", truncated="length")]
    folders = loaded(tmp_path, *([several[index]] for index in order))
    assert query(folders, "SELECT source, truncated, captures FROM captures JOIN records USING (record_id)") == [
        ("wayback", None, 1)
    ]
    size = sum(path.stat().st_size for path in folders.archive.glob("*.warc.gz"))
    add(folders, several * 2)
    assert sum(path.stat().st_size for path in folders.archive.glob("*.warc.gz")) == size
    before = exports(folders)
    lose_catalog(folders.archive)
    load(folders, LoadOptions(rebuild=True))
    assert exports(folders) == before
    assert tuple(name for name in Sources.__dataclass_fields__ if name in SOURCES) == SOURCES


def test_another_delivery_can_turn_a_capture_into_another_kind(tmp_path: Path) -> None:
    """The record that it was taken to show goes with it."""
    shown = page(html({"County": "Essex"}, node=7), url=node(7), when=day(0), source="files")
    other = replace(shown, source="wayback", http_headers=(("Content-Type", "application/pdf"),), content_type="application/pdf")
    folders = loaded(tmp_path, [shown], [other])
    assert query(folders, "SELECT kind, record_id FROM captures") == [("not_html", None)]
    assert query(folders, "SELECT count(*) FROM records") == [(0,)]


def test_search_finds_what_is_there_now(tmp_path: Path) -> None:
    """Every index is brought up to date, without triggers, for records that are built again and their organizations."""
    folders = loaded(
        tmp_path,
        [
            page(
                html(
                    {
                        "County": "Suffolk",
                        "Provider Reference": "Alder Institute",
                        "Event Location Geo": "POINT (-71.0464 42.3458)",
                    }
                ),
                url=node(1),
                when=day(0),
            )
        ],
        [
            page(
                html({"County": "Essex", "Provider Reference": "Birch Institute", "Event Location Geo": "POINT (-97.7 30.3)"}),
                url=node(1),
                when=day(1),
            )
        ],
    )
    assert query(folders, "SELECT name FROM organizations") == [("Birch Institute",)]
    assert list(verify_search(folders.database)) == []
    found = "SELECT count(*) FROM records JOIN records_fts ON records.rowid = records_fts.rowid WHERE records_fts MATCH ?"
    assert [query(folders, found, word) for word in ("suffolk", "massachusetts", "essex", "texas")] == [
        [(0,)],
        [(0,)],
        [(1,)],
        [(1,)],
    ]


@cache
def _at_once() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return exports(loaded(Path(folder), CAPTURES))


@settings(max_examples=5)
@given(st.permutations(CAPTURES), st.lists(st.integers(0, len(CAPTURES)), max_size=4), st.sampled_from([None, None, None, 2]))
def test_any_number_of_nights_gives_the_same_bytes_and_no_night_is_refused(
    shuffled: list[Capture], cuts: list[int], workers: int | None
) -> None:
    """Late captures move records about, into others too; the checks take none of that for a loss."""
    edges = [0, *sorted(cuts), len(shuffled)]
    with tempfile.TemporaryDirectory() as folder:
        nightly = Folders(Path(folder) / "nightly")
        for start, end in pairwise(edges):
            add(nightly, shuffled[start:end])
            offline = Config(sources=Sources(wayback=Wayback(enabled=False)))
            report = refresh(nightly, offline, RefreshOptions(workers=workers), Display())
            assert report.run.outcome == "committed", report.run.message
        assert query(nightly, "SELECT count(*) FROM runs") == [(len(edges) - 1,)]
        assert exports(nightly) == _at_once()


def test_values_that_no_row_shares_anymore_are_deleted(tmp_path: Path) -> None:
    nights = ([page(html({"County": county}), url=node(1), when=day(at))] for at, county in enumerate(("", "Essex")))
    folders = loaded(tmp_path, *nights)
    assert query(folders, "SELECT state FROM fields_shared WHERE label = 'County'") == [("value",)]
