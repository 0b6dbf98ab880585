"""Dates, years, states and numbers in addresses, the way people write them: understood or refused, never compared as text."""

import asyncio
import re
from datetime import date
from html import unescape
from urllib.parse import parse_qsl, urlencode, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from scraper.database.tables import TABLES
from scraper.errors import BadQuery
from scraper.explore import requests
from scraper.explore.requests import convert_query, parse_days
from tests.tables import read_table
from tests.webkit import Site

CASES = read_table("tables/requests.toml")
TODAY = date(2026, 11, 29)  # a Sunday


@pytest.fixture(autouse=True)
def _fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "today", lambda: TODAY)


@pytest.mark.parametrize(("text", "first", "end"), CASES["spans"])
def test_spans_of_time_are_understood(text: str, first: str, end: str) -> None:
    assert tuple(map(str, parse_days(text, TODAY))) == (first, end)


@given(st.text(max_size=30) | st.from_regex(r"(last|this) \d{1,5} (weeks|years)|\d{1,2}/\d{1,2}/\d{1,5}", fullmatch=True))
def test_any_text_is_a_span_or_refused(text: str) -> None:
    try:
        assert parse_days(text, TODAY).first < parse_days(text, TODAY).end
    except BadQuery as problem:
        assert str(problem).endswith(".")


@pytest.mark.parametrize(("path", "asked", "read"), CASES["filters"])
def test_filters_are_understood(path: str, asked: str, read: str) -> None:
    pairs = [tuple(pair.split("=", 1)) for pair in asked.split("&")]
    assert convert_query(f"/tta/{path}", pairs) == [tuple(pair.split("=", 1)) for pair in read.split("&")]  # type: ignore[arg-type, comparison-overlap]


@pytest.mark.parametrize("query", CASES["refused"])
def test_what_cannot_be_understood_is_refused_on_every_page(site: Site, query: str) -> None:
    query = urlencode(parse_qsl(query))
    for path in ("/tta/records", "/tta/records.json", "/-/charts", "/-/map", "/tta/records.csv"):
        answer = site.get(f"{path}?place_county=Essex+County&{query}")
        assert answer.status_code == 400, path
        if path.startswith("/-/") and query != "captured_at=2024":  # which the page itself refuses
            assert f'{path}?place_county=Essex+County">Leave this filter out' in answer.text
            assert f'<input name="{query.partition("=")[0]}" value="' in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("query", CASES["spans_that_end_before_they_start"])
def test_a_span_that_ends_before_it_starts_is_refused_on_every_page(site: Site, query: str) -> None:
    for path in ("/tta/records", "/tta/records.json", "/-/charts", "/-/chart", "/-/map", "/-/new", "/tta/records.csv"):
        answer = site.get(f"{path}?county=x&{query}")
        assert (answer.status_code, "ends before it starts" in answer.text) == (400, True), path
        links = set(re.findall('href="([^"]*)">Leave this', answer.text))
        assert all(site.get(unescape(link)).status_code == 200 for link in links)


@pytest.mark.parametrize("query", ["search=(court", "state=Ontario", "fiscal_year=last week"])
def test_what_a_question_cannot_understand_is_refused(site: Site, query: str) -> None:
    assert site.get(f"/tta/agencies?{urlencode(parse_qsl(query))}").status_code == 400


@pytest.mark.parametrize("typed", ["training", "court OR webinar", "(court OR jail) NOT webinar", "trai", '"mental health"'])
def test_a_search_finds_the_same_on_every_page(site: Site, typed: str) -> None:
    query = urlencode({"_search": typed})
    count = site.json(f"/tta/records.json?{query}")["filtered_table_rows_count"]
    assert count
    text = site.get(f"/-/search?{urlencode({'q': typed})}").text
    assert f"Records <span>{count}</span>" in text
    assert f"{count} records" in site.get(f"/-/charts?{query}").text
    rows = site.json(f"/tta/agencies.json?{urlencode({'search': typed, '_shape': 'array'})}")
    assert sum(row["records"] for row in rows) == count


@pytest.mark.parametrize(
    "query", ["program_areas=Corrections", "submitted_on__gte=2016-01-01", "place_state__exact=Massachusetts"]
)
def test_milestones_are_those_of_the_records_that_a_filter_selects(site: Site, query: str) -> None:
    ids = {row["record_id"] for row in site.json(f"/tta/records.json?{query}&_shape=objects&_size=max")["rows"]}
    all_rows = site.json("/tta/milestones.json?_shape=objects&_size=max")["rows"]
    found = site.json(f"/tta/milestones.json?_record.{query}&_shape=objects&_size=max")["rows"]
    assert [row for row in all_rows if row["record_id"] in ids] == found != []


@pytest.mark.parametrize(
    "page",
    [
        "/tta/records?program_areas__arraycontains=Courts&submitted_on__gte=2016-01-01&_search=court",
        "/tta/milestones?_record.program_areas__arraycontains=Courts&_record.submitted_on__gte=2016-01-01",
        "/-/charts?place_state__exact=Massachusetts&submitted_on__gte=2016-01-01",
        "/-/search?q=court",
    ],
)
def test_no_link_of_a_filtered_page_leads_to_an_error(site: Site, page: str) -> None:
    links = (urljoin(page, unescape(link)) for link in re.findall(r'(?:href|action)="([^"#]+)', site.get(page).text))
    kinds = {re.sub(r"=[^&]*|\d+", "", link): link for link in links if link.startswith("/")}  # one link of each kind
    assert [link for link in kinds.values() if site.get(link).status_code >= 400] == []


def test_a_filter_is_a_chip_that_can_be_removed(site: Site) -> None:
    query = "place_state=MA&submitted_on__gte=2017-01-01&submitted_on__lte=12/31/2025&_search=court"
    for path in ("/tta/records", "/-/map"):
        address = site.get(f"{path}?{query}").headers["location"]
        text = site.get(f"{path}{address}").text
        assert "</span>State where delivered: Massachusetts<" in text
        assert "</span>Submission date: 2017-01-01 through 2025-12-31<" in text
        assert 'href="?submitted_on__gte=2017-01-01&amp;submitted_on__lte=2025-12-31&amp;_search=court"' in text


@pytest.mark.parametrize("name", [*(table.name for table in TABLES), "county_disagreements", "records_fts"])
def test_every_table_has_a_page_and_files(site: Site, name: str) -> None:
    for path in (f"/tta/{name}", f"/tta/{name}?_columns=all", f"/tta/{name}.csv", f"/tta/{name}.xlsx", f"/tta/{name}.json"):
        assert site.get(path).status_code == 200, path


@pytest.mark.parametrize(
    "path",
    ["records?_facet=%00", "records.json?_json_infinity=x", "providers?sql=x", "providers.json?_where=records", "?sql=%00"],
)
def test_odd_addresses_are_no_fault_of_the_program(site: Site, path: str) -> None:
    assert site.get(f"/tta{path if path.startswith('?') else f'/{path}'}").status_code in (200, 400)


def test_an_error_has_the_menu_and_a_fault_of_the_program_is_no_fault_of_the_request(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("/nowhere", "/tta/nowhere", "/tta/records/nobody"):
        answer = site.get(path)
        assert answer.status_code == 404 and '<a href="/-/search">Search</a>' in answer.text
    monkeypatch.setattr(requests, "today", lambda: 1 / 0)
    monkeypatch.setattr("scraper.explore.news.today", lambda: int("secret"))
    answer = site.get("/-/new?county__exact=x")
    assert answer.status_code == 500 and "secret" not in answer.text and '<a href="/-/search">Search</a>' in answer.text
    assert "invalid literal for int" in capsys.readouterr().err


@pytest.mark.parametrize("page", ["/tta/records", "/-/charts", "/-/map", "/-/chart", "/-/new", "/tta/milestones", "/tta/changes"])
def test_a_form_that_is_sent_unchanged_shows_the_same_rows(page: str) -> None:
    site, prefix = Site(), "_record." if page in ("/tta/milestones", "/tta/changes") else ""
    asked = {"_search": "training", "county__contains": "County", "fiscal_year__gte": "2020", "evidence_based__isnull": "1"}
    for some in ({}, asked, dict(list(asked.items())[:3])):
        text = site.get(f"{page}?{urlencode({prefix + name: value for name, value in some.items()})}").text
        fields: list[tuple[str, str]] = []
        for one in LexborHTMLParser(text).css("form.tta-form")[0].css("input[name], select[name]"):
            options = one.css("option[selected]") or one.css("option")
            value = options[0].attributes.get("value", options[0].text()) if options else one.attributes.get("value")
            fields += [(str(one.attributes["name"]), value or "")] * (one.attributes.get("type") != "checkbox")
        answer = site._datasette.client.get(f"{page}?{urlencode(fields)}", follow_redirects=True)
        again = asyncio.run(answer).text
        counts = [re.findall(r"[\d,]+ (?:records?|rows?|events?)\b", re.sub("<[^>]*>", "", one)) for one in (text, again)]
        assert counts[0] == counts[1]
