"""The questions that Datasette offers by name: each answers at once, and its parameters narrow the answer."""

import csv
import html as html_module
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from scraper.explore import dashboard
from scraper.explore.charts import OF_ROWS
from scraper.explore.metadata import QUESTIONS
from scraper.serve import SETTINGS
from scraper.status import status
from tests.dbkit import day, html, loaded, node, page
from tests.webkit import Site

NARROWER = {
    "fiscal_year": "2023",
    "program_area": "Law Enforcement",
    "state": "Massachusetts",
    "agency_state": "TX",
    "since": "2021-01-01",
    "search": "opioid",
}


def _rows(site: Site, name: str, **given: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.json(f"/tta/{name}.json?{urlencode({**given, '_shape': 'array'})}")
    return found


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_parameter_may_be_left_empty_and_narrows_the_answer(site: Site, name: str) -> None:
    question = QUESTIONS[name]
    assert set(re.findall(r":(\w+)", question.sql)) == set(question.parameters)
    everything = _rows(site, name)
    assert bool(everything) is (name != "unknown_labels"), "the demo has labels that are described, and an answer to all else"
    for parameter in question.parameters:
        narrower = _rows(site, name, **{parameter: NARROWER[parameter]})
        assert narrower != everything or not everything, parameter
        assert len(narrower) <= len(everything)
    text = site.get(f"/tta/{name}").text
    assert question.title in text
    assert all(re.search(rf'<(select|input[^>]*) name="{parameter}"', text) for parameter in question.parameters)
    assert ("tta-picture" in text) is bool(everything)
    assert "SQL" not in text.partition("<details>")[0].partition("<h1>")[2], "SQL is shown to those who ask for it"


@pytest.mark.parametrize("name", [name for name, one in QUESTIONS.items() if one.chart and "record_id" in one.sql.split(",")[0]])
@pytest.mark.parametrize("since", ["", "2021-01-01", "2024-01-01"])
def test_the_chart_of_listed_records_counts_them(site: Site, name: str, since: str) -> None:
    counted = re.search(r"Shows (?:all )?([\d,]+) records?", site.get(f"/tta/{name}?since={since}").text)
    rows = len(_rows(site, name, since=since))
    assert (int(counted[1].replace(",", "")) if counted else 0) == rows > 0


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_form_of_a_question_keeps_what_was_chosen(site: Site, name: str) -> None:
    given = {parameter: NARROWER[parameter] for parameter in QUESTIONS[name].parameters}
    text = site.get(f"/tta/{name}?{urlencode(given)}").text
    kept = re.findall(r'<option value="([^"]+)" selected>|<input[^>]* name="(?:since|search|state)" value="([^"]+)"', text)
    assert {one or other for one, other in kept} >= set(given.values())
    text = site.get(f"/tta/{name}").text
    assert ("#filled" in text) is ("Download CSV" in text), "how complete the numbers are"
    assert name not in OF_ROWS or "too few to compare" not in text, "counts are never too few"


@pytest.mark.parametrize("name", QUESTIONS)
def test_counts_of_rows_and_marks_lead_to_the_records_they_count(site: Site, name: str) -> None:
    for query in ("", "?state=Texas&fiscal_year=2023&program_area=Substance+Use"):
        text = site.get(f"/tta/{name}{query}").text
        rows = re.findall(r'<td class="tta-number"><a href="(/tta/records[^"]*)">([\d,]+)</a>', text)
        marks = re.findall(r'<a href="(/tta/[^"]*)" aria-label="[^"]*: ([\d,]+) (?:records?|changes?|captures?|fields?)"', text)
        for address, count in [*rows[::5], *marks[::5]]:
            counted = site.json(html_module.unescape(address).replace("?", ".json?_size=0&"))
            assert counted["filtered_table_rows_count"] == int(count.replace(",", "")), address
        for address in re.findall(r'<td><a href="(/tta/records/[^"]*)"', text)[:3]:
            assert site.get(address).status_code == 200


def test_a_value_that_a_page_repeats_is_counted_once(tmp_path: Path) -> None:
    fields = {
        "TTA Program Area": ["Courts", "Jails", "Courts"],
        "Type of Agency": ["Police", "Police"],
        "Provider Reference": "Ash",
    }
    site = Site(loaded(tmp_path, [page(html(fields, node=1), url=node(1))]).database)
    for name in ("areas_by_year", "evidence_based_share", "agencies_helped"):
        assert {row["records"] for row in _rows(site, name)} == {1}
    (provider,) = site.json("/tta/organizations.json?kind=provider&_shape=array&_col=organization_id")
    assert "Courts</a>: 1<" in site.get(f"/tta/organizations/{provider['organization_id']}").text


def test_a_state_may_be_named_or_abbreviated(site: Site) -> None:
    named, short = (_rows(site, "places", state=state) for state in ("Massachusetts", "ma"))
    assert named == short
    assert {row["place_state"] for row in named} == {"Massachusetts"}


def test_an_answer_that_is_cut_says_of_how_many_rows_unless_counting_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "max_returned_rows", 50)
    monkeypatch.setitem(SETTINGS, "default_page_size", 50)
    site = Site()
    assert re.search(r"The first \d+ of 61 rows; the files have all", site.get("/tta/newest").text)
    monkeypatch.setattr(dashboard, "COUNT_FOR", 1e-6)
    assert re.search(r"The first \d+ of more than [\d,]+ rows; the files have all", site.get("/tta/newest?state=").text)


def test_answers_are_those_of_the_records(site: Site) -> None:
    rows = _rows(site, "areas_by_year")
    for row in rows[:5]:
        query = urlencode({"fiscal_year": row["fiscal_year"], "program_areas__arraycontains": row["program_area"], "_size": 0})
        assert site.json(f"/tta/records.json?{query}")["filtered_table_rows_count"] == row["records"]
    costs = _rows(site, "costs")
    assert sum(row["records"] for row in costs) == 61
    assert sum(row["records"] for row in _rows(site, "places")) == 61


def test_status_home_page_and_question_agree_on_the_labels_that_nobody_describes(tmp_path: Path) -> None:
    folders = loaded(
        tmp_path,
        [
            page(
                html({"Weather": "Rain"}, node=1, milestones=[{"Milestone Title": "Plan", "Milestone Moon": "Full"}]), url=node(1)
            ),
            page(html({"Weather": "Snow", "County": "Essex County"}, node=2), url=node(2), when=day(1)),
        ],
    )
    site = Site(folders.database)
    assert status(folders).unknown_labels == {"Weather": 2}
    assert [(row["label"], row["fields"]) for row in _rows(site, "unknown_labels")] == [("Weather", 2)]
    assert re.search(r'<a href="/tta/unknown_labels">1</a>', site.get("/").text)


def test_waiting_times_are_the_same_in_the_rows_and_in_the_chart(site: Site) -> None:
    lines = csv.reader(site.get("/-/chart.csv?_measure=days&_by=tta_type").text.splitlines()[1:])
    drawn = {line[0]: float(line[1]) for line in lines if len(line) == 3}
    asked = _rows(site, "waiting_times")
    assert {row["type_of_assistance"]: row["median_days"] for row in asked if row["median_days"] is not None} == drawn


def test_a_question_that_takes_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "with recursive n (x) as (select 1 union all select x + 1 from n) select sum(x) as records from n"
    monkeypatch.setitem(QUESTIONS, "newest", QUESTIONS["newest"]._replace(sql=endless, parameters=()))
    answer = Site(loaded(tmp_path, [page(html({}, node=1), url=node(1), when=day(1))]).database).get("/tta/newest")
    assert (answer.status_code, "reached the time limit" in answer.text) == (400, True)
