"""The pages of charts: what is counted, that each mark leads to just those rows, how counts become shapes, and the files."""

import csv
import html
import io
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from datasette.utils.asgi import Request
from hypothesis import given
from hypothesis import strategies as st

from scraper.explore import charts
from scraper.explore.charts import DIMENSIONS, MEASURES, Counts, Spec, draw
from scraper.explore.filters import RecordFilters
from tests.dbkit import day, loaded, node, page
from tests.dbkit import html as page_html
from tests.state_paths import HEIGHT, PATHS, WIDTH, state_paths
from tests.webkit import Site, demo

_MARK = re.compile(r'<a href="(/tta/records[^"]*)" aria-label="[^"]*(?:: |\()([\d,]+) records?\)?"')
_COUNT = re.compile(r'<a href="(/tta/records[^"]*)">([\d,]+)</a></td>')
EVERYTHING = RecordFilters("/tta/records", [], "", {}, "")


def _rows(site: Site, address: str) -> int:
    query = html.unescape(address).partition("?")[2]
    found: int = site.json(f"/tta/records.json?_size=0&{query}")["filtered_table_rows_count"]
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/-/charts",
        "/-/charts?_search=training&program_areas__arraycontains=Law+Enforcement",
        *(f"/-/chart?_by={by}" for by in DIMENSIONS),
        "/-/chart?_by=county&_split=agency_types&_kind=bars",
        "/-/chart?_by=month&_split=status",
        *(f"/-/chart?_by=program_areas&_measure={one}" for one in MEASURES),
    ],
)
def test_every_mark_leads_to_the_rows_it_counts(site: Site, path: str) -> None:
    text = site.get(path).text
    found = sorted(set(_MARK.findall(text) + _COUNT.findall(text)))
    found = found[:: len(found) // 12 + 1]
    assert found
    assert [(address, n) for address, n in found if _rows(site, address) != int(n.replace(",", ""))] == []


def test_columns_tell_how_many_records_have_a_value(site: Site) -> None:
    text = site.get("/-/charts?event_fiscal_year=2023&status=Completed").text.partition('id="filled"')[2]
    found = re.findall(r'<a href="(/tta/records\?[^"]+)">[^<]+</a></th><td>.*?</td><td>(\d+)</td>', text)
    numbers = [int(n) for _, n in found]
    assert len(found) > 10 and numbers == sorted(numbers)
    assert "_id__isnull" not in text and "not known</td>" in text, "what the portal published"
    chosen = _rows(site, "?event_fiscal_year=2023&status=Completed")
    assert [address for address, n in found if _rows(site, address) != chosen - int(n)] == []
    left_out = re.search(r'Event fiscal year: <a href="([^"]+)">(\d+) record', text)
    assert left_out and _rows(site, left_out[1]) == int(left_out[2]) and "event_fiscal_year__isnull=1" in left_out[1]
    text = site.get("/-/charts?_agency_state=TX&fiscal_year__lte=2030&provider_reference__contains=e").text
    for lacking in ("Agency&#39;s state", "Agency&#39;s state and Provider[^:<]*"):
        left_out = re.search(rf'<li>{lacking}: <a href="([^"]+)">(\d+) record', text)
        assert left_out and _rows(site, left_out[1]) == int(left_out[2]) > 0, lacking


def test_filters_are_those_of_the_table_and_kept_in_the_form(site: Site) -> None:
    text = site.get("/-/charts?fiscal_year=2023&county__contains=County&_where=captures>1&_search=").text
    assert f"{_rows(site, '?fiscal_year=2023&county__contains=County&_where=captures>1')} records</a>" in text
    assert '<input type="hidden" name="county__contains" value="County">' in text
    assert '<option value="2023" selected>2023</option>' in text
    assert "Captures by month" not in text  # of the whole database, not of these records


@pytest.mark.parametrize(
    "query", ["nope=1", "_where=nope", "_search=%22&_searchmode=raw", "fiscal_year]=1", "_by=nope", "_measure=x", "_split=%22"]
)
def test_what_cannot_be_drawn_is_said_so(site: Site, query: str) -> None:
    for path in ("/-/chart", "/-/chart.svg", "/-/chart.csv"):
        answer = site.get(f"{path}?{query}")
        assert (answer.status_code, "Traceback" in answer.text) == (400, False)


def test_no_record_is_no_chart_and_no_error(site: Site, tmp_path: Path) -> None:
    empty = Site(loaded(tmp_path, []).database)
    assert empty.get("/").status_code == 200
    for path in ("/-/charts", "/-/chart", "/-/chart.svg", "/-/chart.csv"):
        assert (site.get(f"{path}?fiscal_year=1900").status_code, empty.get(path).status_code) == (200, 200), path


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("", "bars"),
        ("_by=place_state", "map"),
        ("_by=place_state&_split=status", "heat"),
        ("_split=program_areas", "lines"),
        ("_by=program_areas&_split=fiscal_year", "heat"),
        ("_by=program_areas&_split=evidence_based", "bars"),
        ("_by=program_areas&_kind=lines", "bars"),  # program areas have no order
        ("_kind=map", "bars"),
        ("_by=status&_kind=heat", "bars"),
        ("_by=place_state&_kind=bars", "bars"),
    ],
)
def test_each_chart_has_a_kind_that_fits(site: Site, query: str, kind: str) -> None:
    spec = charts.read_spec(Request.fake(f"/?{query}").args)
    counts = Counts()
    for series in range(6 if spec.split and spec.split != "evidence_based" else 2):
        counts.add(1, ["a"], [series])
    assert draw(spec, counts, EVERYTHING).spec.kind == kind
    notice = re.search(r'Drawn instead: [a-z ]+\. <a href="([^"]+)">', site.get(f"/-/chart?{query}").text)
    assert (notice is not None) is (spec.kind not in ("", kind))
    assert not notice or "Drawn instead" not in site.get(html.unescape(notice[1])).text, "the link draws what was asked for"


def test_lists_count_in_each_value_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    areas = [["Courts", "Reentry"], ["Courts"], ["Correctio…"], [], ["not captured"]]
    pages = [page(page_html({"TTA Program Area": one, "County": "x"}, node=n), url=node(n)) for n, one in enumerate(areas, 1)]
    text = Site(loaded(tmp_path, pages).database).get("/-/chart?_by=program_areas").text.partition("</form>")[2]
    assert {name: int(n) for name, n in re.findall(r'aria-label="([^:"]*): (\d+) record', text)}["Courts"] == 2
    assert "Correctio" not in text and "with unknown program area" in text
    counts = Counts()
    for number, names in enumerate([["Courts", "Reentry"], ["Courts"], *([name] for name in "abcdefghijklmnopqrst")]):
        counts.add(1, names, [2020 + number % 3])
    chart = draw(Spec(by="program_areas", split="fiscal_year", kind="heat"), counts, EVERYTHING)
    assert chart.choices == [("2020", 8), ("2021", 7), ("2022", 7)], "records, not mentions, in the order of years"
    assert len(chart.drawn) == len(chart.rows) == 22 and not chart.left_out
    chart = draw(Spec(by="program_areas"), counts, EVERYTHING)
    assert len(chart.drawn) == charts.MAX_ROWS and chart.left_out == {"another program area": 2}


@pytest.mark.parametrize(
    ("measure", "values", "figure"),
    [
        ("records", {None: 3}, 3),
        ("evidence_based", {1: 1, 0: 3}, 25),
        ("days", {1.0: 2, 10.0: 1}, 1),
        ("milestones", {2: 1, 3: 1}, 2.5),
        ("cost", {0.0: 1, 2500.0: 1}, 1250),
    ],
)
def test_figures(measure: str, values: dict[Any, int], figure: float) -> None:
    assert MEASURES[measure].of(Counter(values)) == figure


@pytest.mark.parametrize("measure", MEASURES)
def test_shares_and_figures_of_the_page_and_its_file_agree(site: Site, measure: str) -> None:
    query = urlencode({"_measure": measure, "_by": "program_areas", "_split": "fiscal_year", "status__exact": "Completed"})
    answer = site.get(f"/-/chart.csv?{query}")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert rows[0] == [*dict.fromkeys(["Program areas", "Fiscal year", MEASURES[measure].heading, "Records"]), "Incomplete"]
    assert "-by-program-area-and-fiscal-year-status-completed-" in answer.headers["content-disposition"]
    text = html.unescape(site.get(f"/-/chart?{query}").text)
    for area, year, value, *rest in rows[1:]:
        star = "*" * bool(rest[-1])
        assert f'aria-label="{area}, {year}{star}: {MEASURES[measure].form.format(float(value))}' in text
    text = site.get(f"/-/chart.csv?_measure={measure}&_by=status&_split=emerging_need").text
    assert {row["Emerging need"] for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")))} >= {"Yes", "No"}


_FILES = (
    "",
    "_measure=emerging_need&_by=place_state",
    "_split=program_areas",
    "_by=program_areas&_split=fiscal_year",
    "_by=county",
)


@pytest.mark.parametrize("query", [*_FILES, "_by=program_areas&_split=month&_kind=heat"])
def test_svg_file_needs_no_other_file(site: Site, query: str) -> None:
    answer = site.get(f"/-/chart.svg?{query}&status=Completed")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    texts = " ".join(ElementTree.fromstring(answer.text).itertext())
    legend = (
        ["fewer than"]
        if "place_state" in query
        else ["up to"]
        if "fiscal_year" in query
        else ["Law Enforcement"]
        if "_split" in query
        else []
    )
    legend += ["percent of the records with an answer"] if "_measure" in query else []
    assert all(word in texts for word in (" by ", "Status", "as captured until", "Shows", *legend))
    years = [float(x) for x in re.findall(r'translate\(([\d.]+) 14\)"?>\s*<text[^>]*>\d{4}\*?<', answer.text)]
    assert all(after - before > 40 for before, after in pairwise(years)) and ("month" not in query or len(years) > 5)
    assert ('class="tta-cell' in answer.text) is ("fiscal_year" in query), "no numbers in narrow cells"
    assert not re.search(r"href|var\(--|%\"", answer.text.replace('width="100%" height="100%"', ""))


def test_the_map_draws_all_states_inside_its_frame() -> None:
    paths = state_paths()
    assert json.loads(PATHS.read_text(encoding="utf-8")) == charts.STATE_PATHS == paths
    assert len(paths) == 52
    for name, path in paths.items():
        points = [tuple(map(int, pair.split())) for pair in re.findall(r"-?\d+ -?\d+", path)]
        assert len(points) >= 3, name
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points), name


@given(st.dictionaries(st.tuples(st.integers(2015, 2025), st.integers(0, 12)), st.integers(1, 10**6), min_size=1))
def test_scale_has_room_for_every_mark_and_no_year_is_skipped(given_counts: dict[tuple[int, int], int]) -> None:
    counts = Counts()
    for (year, series), n in given_counts.items():
        counts.add(n, [year], [series])
    for kind in ("bars", "lines"):
        chart = draw(Spec(split="status", kind=kind), counts, EVERYTHING)
        years = [int(row.name) for row in chart.rows]
        assert years == list(range(years[0], years[-1] + 1))
        heights = [[mark.value for mark in row.marks() if mark] for row in chart.drawn]
        assert sum(map(sum, heights)) == sum(given_counts.values()) or (kind, chart.others != []) == ("lines", True)
        most = max(sum(row) if chart.is_stack else max(row, default=0) for row in heights)
        assert chart.ticks[0] == 0 and chart.ticks[-2] < most <= chart.ticks[-1] and len(chart.ticks) <= 6
        assert len(chart.series) - len(chart.grays) <= charts.MAX_SERIES, "as many as there are colors; the other lines are gray"


def test_an_event_before_its_request_is_drawn_below_zero(tmp_path: Path) -> None:
    fields = {
        "TTA Title": "REQ: 2024-06-01 - Larch County (Webinar)",
        "Category": "Webinar",
        "TTA Event Date": "05/01/2024 - 09:00",
    }
    folders = loaded(tmp_path, [page(page_html(fields | {"Event Location Geo": "POINT (-71.05 42.35)"}, node=1), url=node(1))])
    site = Site(folders.database)
    assert site.json("/tta/records.json?_shape=array")[0]["days_to_event"] < 0
    for address in ("/-/chart", "/-/chart.svg"):
        for by in ("fiscal_year", "category", "place_state"):
            text = site.get(f"{address}?_measure=days&_by={by}").text
            assert "<svg" in text and not re.search(r'(?:width|height|cy)="-', text)
    assert 'y="222.0">-40</text>' in site.get("/-/chart?_measure=days&_by=fiscal_year").text
    later = page_html(fields | {"TTA Event Date": "05/01/2020 - 09:00", "County": "x"}, node=2)
    text = Site(loaded(tmp_path / "later", [page(later, url=node(2))]).database).get("/tta/waiting_times").text
    assert ">-1,492<" in text and "-1492" not in text.partition("tta-rows")[2]


def test_a_range_with_only_an_upper_end_begins_at_zero_and_comes_first(tmp_path: Path) -> None:
    costs = ["$1,000 - $4,999", "Under $5,000", "$50,000 or more", "to be determined"]
    pages = [page(page_html({"TTA Estimated Costs": cost}, node=n), url=node(n), when=day(n)) for n, cost in enumerate(costs, 1)]
    site = Site(loaded(tmp_path, pages).database)
    rows = [*csv.reader(io.StringIO(site.get("/-/chart.csv?_measure=cost&_by=cost_range").text.lstrip("\ufeff")))]
    figures = [(name, float(figure)) for name, figure, records, *_ in rows if records == "1"]
    assert figures == [("up to $5,000", 0), ("$1,000 to $4,999", 1000), ("$50,000 and more", 50000)]
    ends = [["none printed", 5000], [1000, 4999], [50000, "none printed"], [None, None]]
    assert [[*row.values()][1:3] for row in site.json("/tta/costs.json?_shape=array")] == ends
    text = site.get("/").text
    assert "the others print no point" in text, "no record has one"
    assert not re.search("no date of submission|either may be wrong|has a time", text), (
        "of the others or these, where there are none"
    )


def test_the_legend_has_the_shades_that_are_drawn_and_of_negative_values_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counts()
    for state, days in (("Texas", -564), ("Ohio", -2304), ("Maine", -1100)):
        counts.add(20, [state], value=days)
    chart = draw(Spec("days", "place_state"), counts, EVERYTHING)
    shades = [chart.shade(days) for days in (-2304, -1100, -564)]
    assert shades == sorted({*shades}) and 0 not in shades and chart.limits[-1] >= -564
    monkeypatch.setattr(charts, "FEW", 0)
    for query in ("_measure=records", "_measure=days", "_measure=evidence_based", "_measure=share"):
        text = site.get(f"/-/chart?_by=place_state&{query}").text
        drawn = {int(one) for one in re.findall(r'<path class="tta-shade-(\d)"', text)}
        key = [int(one) for one in re.findall(r'<i class="tta-shade-(\d)">', text)]
        assert key == sorted({*key}) and (key[0], key[-1]) == (min(drawn), max(drawn)), query


def test_captions_name_what_leaves_records_out_and_only_years_that_are_drawn() -> None:
    counts = Counts()
    for number in range(1, 26):
        counts.add(number, [f"provider {number}"], [None], reason="unknown county")
    chart = draw(Spec(by="provider_reference", split="county", kind="bars"), counts, EVERYTHING)
    assert (chart.left_out, chart.unknown) == ({f"another {chart.spec.across.name_in_text}": 15}, {"unknown county": 310})
    counts = Counts(lacking={("fiscal_year", year): f"lack of {year}" for year in (2023, 2024)})
    for year in (2023, 2024):
        counts.add(1, [year])
    assert draw(Spec(only="2024", kind="bars"), counts, EVERYTHING).lacks == {"2024": "lack of 2024"}


def test_months_without_a_record_are_drawn() -> None:
    counts = Counts()
    for month in ("2023-11", "2024-02", None):
        counts.add(1, [month])
    names = [row.name for row in draw(Spec(by="month"), counts, EVERYTHING).drawn]
    assert names == ["2023-11", "2023-12", "2024-01", "2024-02", "not known"]


def test_the_visitor_chooses_what_is_drawn() -> None:
    counts = Counts()
    for number in range(20):
        counts.add(20 - number, [2024], [f"value {number:02}"])
    values = "\n".join(f"value {number:02}" for number in range(3, 15))
    for kind, drawn, last in (("lines", 12, "value 14"), ("bars", charts.MAX_SERIES, "all others")):
        chart = draw(Spec(split="status", kind=kind, only=values + "\nunheard of"), counts, EVERYTHING)
        assert (len(chart.series), chart.series[0], chart.series[-1]) == (drawn, "value 03", last)
        assert chart.spec.only == values and len(chart.choices) == 20
        assert chart.others == ([] if kind == "lines" else [f"value {number:02}" for number in range(2 + charts.MAX_SERIES, 15)])
        assert chart.left_out == {"another status": 72}  # bars add up the last
        assert [*chart.grays] == ([8, 9, 10, 11] if kind == "lines" else [])
    counts = Counts()
    for name in "ab":
        counts.add(1, [name])
    assert [row.name for row in draw(Spec(by="category", only="b"), counts, EVERYTHING).drawn] == ["b"]
    for spec in (Spec(by="category", only="unheard of"), Spec(split="status", only="unheard of")):
        assert draw(spec, counts, EVERYTHING).rows == [], "what is not among the records is not replaced by all others"
    counts = Counts()  # more values than the form lists
    for number in range(charts.MAX_CHOICES + 9):
        counts.add(300 - number, [f"value {number:03}"])
    chart = draw(Spec(by="county", only="value 205"), counts, EVERYTHING)
    assert ([row.name for row in chart.drawn], len(chart.choices)) == (["value 205"], charts.MAX_CHOICES)


def test_years_that_are_not_complete_are_marked_in_picture_and_files(tmp_path: Path) -> None:
    years = 2019, 2023, 2024
    pages = [page(page_html({"County": "x"}, node=year, title=f"{year}0402-120000-01"), url=node(year)) for year in years]
    site = Site(loaded(tmp_path, pages).database)
    for address in ("/-/chart", "/-/chart.svg", "/-/chart?_by=status&_split=fiscal_year&_kind=bars", "/-/charts", "/"):
        text = " ".join(re.sub(r"<[^>]*>", " ", site.get(address).text).split())
        assert "2024*" in text and "2023*" not in text, address
        assert re.search("Incomplete.* 2024 .no later request is known than that of 2024-04-02", text), address
    text = site.get("/-/chart?_by=month").text.replace("<", " ")
    assert all(one in text for one in ("2019-04* ", "2019-04 (fiscal year 2019: ", "Months without a star"))
    faded = re.findall(r'<line class="tta-l1( tta-part)?"', site.get("/-/chart?_kind=lines").text)
    assert list(map(bool, faded)) == [True, True, False, False, True], "2019, 2020 and 2024"
    rows = list(csv.DictReader(io.StringIO(site.get("/-/chart.csv").text.removeprefix("\ufeff"))))
    lack = "no later request is known than that of 2024-04-02"
    assert [(row["Fiscal year"], row["Incomplete"]) for row in rows[1:]] == [("2023", ""), ("2024", lack)]


@pytest.mark.parametrize(("split", "shares"), [("", [62.5, 25.0, 12.5]), ("status", [40.0, 60.0, 100.0, 100.0])])
def test_shares_are_of_all_records_of_the_row_or_the_chart_unknown_ones_too(split: str, shares: list[float]) -> None:
    counts = Counts()
    for n, area, status in ((2, "a", "x"), (3, "a", None), (2, "b", "x"), (1, None, "x")):
        counts.add(n, [area], [status] if split else [None])
    chart = draw(Spec("share", "category", split, "numbers"), counts, EVERYTHING)
    assert [mark.value for row in chart.rows for mark in row.marks() if mark] == shares


def test_what_is_not_known_is_not_left_out_as_another(site: Site) -> None:
    text = site.get("/-/chart?_split=category&_only=Webinar").text
    assert re.search(r"left out: \d+ with another delivery type, 4 with unknown delivery type", text)


def test_series_of_agencies_of_one_name_have_their_numbers() -> None:
    counts = Counts()
    for agency in ("17\tCounty Jail (TX)", "x-9\tCounty Jail (TX)", "18\tCity Court (TX)"):
        counts.add(2, [2023], [agency])
    names = draw(Spec(split="agency", kind="bars"), counts, EVERYTHING).series
    assert sorted(names) == ["City Court (TX)", "County Jail (TX), number 17", "County Jail (TX), without a number (record 9)"]


@pytest.mark.parametrize(("split", "first"), [("status", "value 19"), ("fiscal_year", "all others")])
def test_unknown_values_are_no_part_of_all_others_and_the_latest_years_stay(split: str, first: str) -> None:
    counts = Counts()
    for number in [*range(10, 20), None]:
        counts.add(number or 1, ["a"], [number and (number if split == "fiscal_year" else f"value {number}")])
    series = draw(Spec(by="category", split=split, kind="bars"), counts, EVERYTHING).series
    assert (series[0], series[-1], len(series)) == (first, "not known", charts.MAX_SERIES + 1)
    assert split == "status" or series[-2] == "19"


@pytest.mark.parametrize(
    ("measure", "limits", "order"),
    [
        ("records", [10, 50, 100, 200], ["Nevada", "Ohio", "Texas"]),
        ("evidence_based", [40, 60, 80, 100], ["Texas", "Ohio", "Nevada"]),
    ],
)
def test_limits_of_shades_are_round_and_figures_of_few_records_come_last(
    measure: str, limits: list[float], order: list[str]
) -> None:
    counts = Counts()
    nevada = Counter({1: 4 if measure != "records" else 168})
    for state, answers in {"Texas": Counter({1: 71, 0: 9}), "Ohio": Counter({1: 30, 0: 70}), "Nevada": nevada}.items():
        for answer, n in answers.items():
            counts.add(n, [state], value=answer)
    chart = draw(Spec(measure, "place_state"), counts, EVERYTHING)
    assert (chart.limits, [row.name for row in chart.rows]) == (limits, order)
    assert [chart.is_few(row) for row in chart.rows] == [False, False, measure != "records"]


def test_a_chart_that_takes_too_long_is_missing_and_the_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "(with recursive n (x) as (select 1 union all select x + 1 from n) select sum(x) from n)"
    monkeypatch.setitem(DIMENSIONS, "agency_types", DIMENSIONS["agency_types"]._replace(sql=endless))
    site = Site(demo(tmp_path).database)
    text = site.get("/-/charts").text
    assert "a chart is missing" in text
    assert "61 records</a>" in text
    assert "time limit" in site.get("/-/chart?_by=agency_types").text
