"""What measures has to work itself: every piece of work that is compared, on a hundred captures, and the document it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import loading, steps
from benchmarks.corpus import BLOCK, make
from benchmarks.measure import measured


def test_what_is_compared_does_the_same_captures(tmp_path: Path) -> None:
    data = str(make(BLOCK, tmp_path, workers=1))
    assert loading.floor(data) == BLOCK
    assert loading.full_load(data, 1) == 72
    assert loading.load_again(data) == 0
    assert loading.usual_way(data, 10) == loading.usual_way_with_parsel(data, 10) == 10
    spent = loading.parser_alone(data, 12)
    assert [spent[way]["pages"] for way in ("all", "straight", "general")] == [12, 11, 1], "the tenth has no classes"
    assert all(0 < some["bare"] < some["parse_page"] for some in spent.values())
    loading.export_with_sqlite3(data, str(tmp_path / "plain"))
    assert (tmp_path / "plain" / "records.csv").read_text().count("\n") > 72


def test_the_steps_of_a_page_add_up_to_all_of_it(tmp_path: Path) -> None:
    spent = steps.steps(str(make(BLOCK, tmp_path, workers=1)), 12)
    assert spent.keys() == {*steps.STEPS, steps.REST, "bare"}
    assert all(seconds > 0 for seconds in spent.values())
    assert spent[steps.REST] < sum(spent.values()) / 3, "most of a page's time is in a step that has a name"


def test_work_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    one = measured("benchmarks.loading:floor", str(tmp_path))
    assert one.result == 0
    assert one.own_mib > 1


def test_a_part_measured_again_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "DOCUMENT", tmp_path / "performance.md")
    parsing, loaded = ((part.__doc__ or "").strip() for part in (bench.parsing, bench.loading))
    bench._write(parsing, "today.", [bench.Row("a", "1 s", "1")])
    bench._write(loaded, "today.", [bench.Row("b", "2 s")])
    before = (tmp_path / "performance.md").read_text()
    bench._write(parsing, "today.", [bench.Row("a", "3 s", "1")])
    assert (tmp_path / "performance.md").read_text() == before.replace("1 s", "3 s")
