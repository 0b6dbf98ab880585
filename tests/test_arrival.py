"""The database is a function of the archive: order, split, number of processes and rebuilds make no difference to its exports."""

from __future__ import annotations

import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scraper.capture import Capture
from scraper.config import Config, Sources, Wayback
from scraper.database.load import load
from scraper.fetch.display import Display
from scraper.folders import Folders
from scraper.refresh.run import Options, refresh
from tests.dbkit import HOST, add, broken_references, day, exports, html, loaded, node, page, query, revisit, text

REFERENCE = "20240101-90000-1"
ALIAS = f"{HOST}/tta/help-for-suffolk"
SAMPLE = (Path(__file__).parents[1] / "data" / "samples" / "20250129-145639-07.txt").read_text()


def _captures() -> list[Capture]:
    """Captures that bear on each other in every way the contract knows."""
    a = page(html({"County": "A", "Status of Deliverable": "Open"}, node=1), url=node(1), when=day(0))
    b = page(html({"County": "B", "Category": "TTA"}, node=1), url="http://rp.bjatta.bja.ojp.gov/node/1/", when=day(1))
    alias = page(html({"County": "B"}, node=1, title=REFERENCE), url=ALIAS, when=day(3))
    whole = html({"County": "C", "Weather": "Rain"}, node=2, body="A long description of the help.", title="Help")
    cut = page(whole[: whole.index(b"</div>", whole.index(b"Rain"))], url=node(2), when=day(4), truncated="length")
    return [
        a,
        b,
        page(a.payload, url=node(1), when=day(2)),
        revisit(b, day(5), by="digest"),
        revisit(a, day(6), by="record", url=ALIAS),
        revisit(revisit(a, day(6), by="record", url=ALIAS), day(7), by="place"),
        alias,
        text(SAMPLE, when=day(2)),
        text(SAMPLE, url=ALIAS, when=day(8)),
        text(SAMPLE.replace("20250129-145639-07", REFERENCE), url=f"{ALIAS}/"),
        page(html({"County": "D"}, title=REFERENCE), url=None, when=None),
        page(whole, url=node(2), when=day(3)),
        cut,
        page(html({"County": "E"}, title="No reference"), url=f"{HOST}/other", when=day(1)),
        page(html({"County": "F"}, title="Nothing at all"), url=None, when=day(1)),
        page(b"<html><body>Access denied</body></html>", url=node(1), when=day(9), http_status=403),
        revisit(page(b"unknown", url=node(2), when=day(0)), day(9)),
    ]


CAPTURES = _captures()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(CAPTURES), unique_by=lambda one: one.capture_id, min_size=1),
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
            load(split, rebuild=True)
        assert exports(split) == exports(at_once)
        assert broken_references(split) == []


def test_one_by_one_backwards(tmp_path: Path) -> None:
    at_once = loaded(tmp_path / "once", CAPTURES, workers=2)
    one_by_one = loaded(tmp_path / "single", *([capture] for capture in reversed(CAPTURES)))
    assert exports(one_by_one) == exports(at_once)
    records = query(at_once, "SELECT record_id, captures FROM records ORDER BY 1")
    assert dict(records)["1"] >= 9
    assert len(records) == 4
    assert query(at_once, "SELECT count(*) FROM captures c JOIN records USING (record_id)") == [
        (sum(count for _, count in records),)
    ]
    assert query(at_once, "SELECT value FROM fields WHERE record_id = '2' AND label = 'Weather'") == [("Rain",)]


def test_search_finds_what_is_there_now(tmp_path: Path) -> None:
    """The triggers keep the index in step with records that are built again."""
    folders = loaded(
        tmp_path,
        [page(html({"County": "Suffolk"}), url=node(1), when=day(0))],
        [page(html({"County": "Essex"}), url=node(1), when=day(1))],
    )
    found = "SELECT count(*) FROM records JOIN records_fts ON records.rowid = records_fts.rowid WHERE records_fts MATCH ?"
    assert [query(folders, found, word) for word in ("suffolk", "essex")] == [[(0,)], [(1,)]]


@cache
def _at_once() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return exports(loaded(Path(folder), CAPTURES))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
            report = refresh(nightly, offline, Options(workers=workers), Display())
            assert report.run.outcome == "committed", report.run.message
        assert query(nightly, "SELECT count(*) FROM runs") == [(len(edges) - 1,)]
        assert exports(nightly) == _at_once()
