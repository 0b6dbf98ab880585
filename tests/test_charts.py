"""The page of charts: what is counted, that each count leads to just those rows, and how counts become shapes."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.explore import charts
from tests.state_paths import HEIGHT, PATHS, WIDTH, state_paths
from tests.webkit import Site, demo

_COUNTED = re.compile(r'<a [^>]*?href="(/tta/records\?[^"]+)"[^>]*>(?:<span[^>]*>)?(?:[^<:]*: )?([\d,]+)<')
"""A link whose text is a count: cells, columns and parts."""
_ROW = re.compile(
    r'<a href="(/tta/records\?[^"]+)">[^<]+</a></th>\s*<td class="tta-bar">.*?</td>\s*<td class="tta-count">([\d,]+)', re.S
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(demo(tmp_path_factory.mktemp("demo")).database)


def _rows(site: Site, address: str) -> Any:
    address = html.unescape(address).replace("/tta/records?", "/tta/records.json?_size=0&")
    return site.json(address)["filtered_table_rows_count"]


@pytest.mark.parametrize("query", ["", "?fiscal_year=2023", "?_search=training&program_areas__arraycontains=Law+Enforcement"])
def test_every_count_is_that_of_the_rows_it_leads_to(site: Site, query: str) -> None:
    text = site.get(f"/-/charts{query}").text
    found = _ROW.findall(text.partition('id="filled"')[0]) + _COUNTED.findall(text)
    assert len(found) > 12
    assert [(address, count) for address, count in found if _rows(site, address) != int(count.replace(",", ""))] == []


def test_columns_say_how_many_records_have_a_value(site: Site) -> None:
    filled = site.get("/-/charts").text.partition('id="filled"')[2]
    for address, count in _ROW.findall(filled):
        assert _rows(site, address) == 61 - int(count), address


def test_filters_are_those_of_the_table_and_kept_in_the_form(site: Site) -> None:
    text = site.get("/-/charts?fiscal_year=2023&county__contains=County&_where=captures>1&_search=").text
    records = site.json("/tta/records.json?_size=0&fiscal_year=2023&county__contains=County&_where=captures>1")
    assert f"{records['filtered_table_rows_count']} records</a>" in text
    assert '<input type="hidden" name="county__contains" value="County">' in text
    assert '<option value="2023" selected>2023</option>' in text
    assert "Captures by month" not in text  # of the whole database, not of these records


@pytest.mark.parametrize("query", ["nope=1", "_where=nope", "_search=%22&_searchmode=raw", "fiscal_year]=1"])
def test_filters_that_cannot_be_used_are_said_so(site: Site, query: str) -> None:
    answer = site.get(f"/-/charts?{query}")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_no_record_is_no_chart(site: Site) -> None:
    assert "0 records" in site.get("/-/charts?fiscal_year=1900").text


def test_an_empty_database_has_a_page(tmp_path: Path) -> None:
    from tests.dbkit import loaded

    site = Site(loaded(tmp_path, []).database)
    for path in ("/", "/-/charts", "/-/map"):
        assert site.get(path).status_code == 200


def test_the_map_draws_all_states_inside_its_frame() -> None:
    paths = state_paths()
    assert json.loads(PATHS.read_text(encoding="utf-8")) == charts.state_paths() == paths
    assert len(paths) == 52
    for name, path in paths.items():
        points = [tuple(map(int, pair.split())) for pair in re.findall(r"-?\d+ -?\d+", path)]
        assert len(points) >= 3, name
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points), name


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_every_count_has_the_shade_that_the_legend_gives_it(most: int, other: int) -> None:
    count = min(most, other)
    found = charts.state_map({"Ohio": most, "Iowa": count}, str)
    shades = {state.name: state.shade for state in found.states}
    assert (shades["Ohio"], shades["Utah"]) == (charts.SHADES, 0)
    low, high = found.legend[shades["Iowa"] - 1] if count else (0, 0)
    assert low <= count <= high


@given(st.dictionaries(st.tuples(st.sampled_from([2020, 2021, None]), st.sampled_from([0, 1, None])), st.integers(1, 999)))
def test_parts_fill_the_whole(counts: dict[tuple[object, object], int]) -> None:
    for row in charts.wholes(counts, lambda *_: ""):
        assert sum(part.count for part in row.parts) == sum(
            n for (first, _), n in counts.items() if charts.words(first) == row.label
        )
        assert (row.known is None) is all(part.name == charts.UNKNOWN for part in row.parts)


def test_a_chart_that_takes_too_long_is_missing_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "with recursive n (x) as (select 1 union all select x + 1 from n) select 1, 1, sum(x) from n {where} limit 1"
    monkeypatch.setattr("scraper.explore.dashboard._LIST_BY_YEAR", endless + " -- {column}")
    text = Site(demo(tmp_path).database).get("/-/charts").text
    assert "a chart is missing" in text
    assert "61 records</a>" in text


def test_captures_are_counted_by_the_month_they_were_made_in(site: Site) -> None:
    text = site.get("/-/charts").text.partition('id="months"')[2].partition("</section>")[0]
    shown = {month: int(count.replace(",", "")) for month, count in re.findall(r'title="(\d{4}-\d\d): ([\d,]+)"', text)}
    rows = site.json("/tta.json?sql=select+substr(captured_at,1,7),count(*)+from+captures+where+captured_at+not+null+group+by+1")
    assert {month: count for month, count in shown.items() if count} == dict(rows["rows"])
    assert 0 in shown.values(), "months without a capture are columns as well"
