"""What measures has to work itself: every piece of work that is compared, on a hundred captures, and the document it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import browsing, growth, loading
from benchmarks.corpus import BLOCK, make
from benchmarks.measure import measured
from tests.webkit import demo


def test_what_is_compared_does_the_same_captures(tmp_path: Path) -> None:
    data = str(make(BLOCK, tmp_path, workers=1))
    assert loading.floor(data) == BLOCK
    assert loading.full_load(data, 1) == 72
    assert loading.load_again(data) == 0
    assert loading.usual_way(data, 4) == loading.usual_way_with_parsel(data, 4) == 4
    spent = loading.parser_alone(data, 12)
    pages = {way: some["pages"] for way, some in spent.items()}
    assert pages == {"all": 12, "classed": 11, "bare": 1}, "the tenth has no classes"
    assert all(0 < some["bare"] < some["parse_page"] for some in spent.values() if some["pages"])
    (warc_file,) = (make(12, tmp_path / "few", workers=1) / "archive").glob("*.warc.gz")
    assert loading.parser_on(str(warc_file))["pages"] > 8
    packed = loading.packed_by(data, 20)
    assert packed["none"][0] > 3 * packed["gzip 1"][0] > 3 * packed["gzip 9"][0]
    assert packed["zstd 3 with a dictionary"][0] < packed["zstd 3"][0], "records resemble each other"
    loading.export_with_sqlite3(data, str(tmp_path / "plain"))
    assert (tmp_path / "plain" / "records.csv").read_text().count("\n") > 72


def test_work_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    one = measured("benchmarks.loading:floor", str(tmp_path))
    assert one.result == 0
    assert one.own_mib > 1
    assert measured("os:getenv", "MALLOC_TRIM_THRESHOLD_").result, "nor does the heap's layout decide"


def test_a_size_of_database_measured_again_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "DOCUMENT", tmp_path / "performance.md")
    sizes = bench.Sizes(10, (10,), (10_000, 1_000_000, 100_000), 1)
    jobs = list(bench._jobs(["datasette", "parsing"], sizes))
    assert [measured_on.records for _, _, measured_on in jobs[:-1]] == [(10_000,), (1_000_000,), (100_000,)]
    for _, title, _ in jobs:
        bench._write(title, "today.", [bench.Row("home", "1 s")])
    bench._write(jobs[1][1], "tomorrow.", [bench.Row("home", "2 s")])
    text = (tmp_path / "performance.md").read_text()
    assert (text.count("today."), text.count("tomorrow."), text.count("| home | 2 s |")) == (3, 1, 1)
    places = [text.index(f"on {size} records") for size in ("10,000", "100,000", "1,000,000")]
    assert places == sorted(places)


TABLE = "<title>tta: records: {} where status = 1</title>"


@pytest.mark.parametrize(
    ("path", "status", "text", "missing"),
    [
        ("/tta/records", 200, TABLE.format("1,234 rows"), ""),
        ("/tta/records?status=1", 200, TABLE.format("1 row"), ""),
        ("/tta/records?status=1", 200, TABLE.format(""), "the number of rows"),
        ("/tta/records", 200, TABLE.format("12 rows") + "<p>Counting by Status reached the time limit</p>", "facets"),
        ("/tta/records/12", 200, "<title>12</title>", ""),
        ("/tta/places", 400, "SQL Interrupted", "the answer"),
        ("/-/charts", 200, "A count reached the time limit, so a chart is missing", "a part"),
        ("/-/search?q=t*", 200, "The search took too long: add a word", "the answer"),
        ("/", 500, "", "the answer"),
    ],
)
def test_a_page_that_a_time_limit_cut_off_is_not_told_as_quick(path: str, status: int, text: str, missing: str) -> None:
    assert browsing.missing(path, status, text) == missing


def test_every_page_of_a_sound_database_is_whole(tmp_path: Path) -> None:
    folders = demo(tmp_path)
    pages = [*browsing.addresses(folders.data).items()]
    assert len(pages) > 50
    with browsing.serving(folders.data) as (client, server):
        assert [name for name, path in pages[::4] if browsing.ask(client, server, path).missing] == []


def test_growth_faster_than_n_log_n_is_named() -> None:
    sizes = (1_000, 10_000)
    shapes = {"constant": lambda n: 1.0, "linear": lambda n: n / 1000, "n log n": lambda n: n * len(bin(n)) / 9000}
    shapes["quadratic"] = lambda n: (n / 1000) ** 2
    costs = {name: {n: shape(n) + 0.1 for n in sizes} for name, shape in shapes.items()}
    costs["quadratic, too little to matter"] = {1_000: 0.1, 10_000: 0.25}
    costs["page: linear, of a server that has started"] = {1_000: 0.1, 10_000: 1.0}
    assert [line.split(" ")[0] for line in growth.too_fast(costs, start=0.1)] == ["quadratic"]
