"""The search page: what may be typed, what is found and in which order, and that no text of a page becomes markup."""

import re
import sqlite3
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadQuery
from scraper.explore.search import AT_ONCE, highlight
from scraper.search_query import match
from tests.dbkit import day, html, loaded, node, page
from tests.tables import read_table
from tests.webkit import Site

CASES = read_table("tables/search.toml")

TEXTS = (
    "opioid training in texas",
    "rural opioid court",
    "jail webinar 2024",
    "mental health court",
    "health, mental",
    "deflection x",
    "Quincy O'Dell",
)


def _numbers_found(query: str) -> str:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE found USING fts5(text, tokenize='porter')")
        db.executemany("INSERT INTO found VALUES (?)", [(text,) for text in TEXTS])
        return "".join(str(row[0]) for row in db.execute("SELECT rowid FROM found WHERE found MATCH ? ORDER BY 1", [query]))


@pytest.mark.parametrize(("typed", "numbers"), CASES["operators"])
def test_words_operators_and_parentheses_choose_texts(typed: str, numbers: str) -> None:
    assert _numbers_found(match(typed)) == numbers


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ('"mental health', "not closed"),
        ('“mental health” court"', "not closed"),
        ("-webinar", "add a word"),
        ("***", "word or number"),
        ("", "word"),
        ("a" * 501, "500"),
        ("(court", "not closed"),
        ("court)", "without an opening one"),
        ("court AND", "missing at the end"),
        ("OR court", "missing before OR"),
        ("(" * 30 + "a" + ")" * 30, "parentheses"),
    ],
)
def test_what_cannot_be_searched_is_said_in_plain_words(typed: str, advice: str) -> None:
    with pytest.raises(BadQuery, match=advice):
        match(typed)


_PIECES = st.sampled_from([*'()"-*^:+{}', "AND", "or", "Not", "NEAR(a b)", "court", "x*", " ", "é", "\0", "title:a"])


@given(st.text(max_size=60) | st.lists(_PIECES, max_size=14).map(" ".join) | st.lists(_PIECES, max_size=14).map("".join))
def test_whatever_is_typed_the_database_understands(typed: str) -> None:
    try:
        _numbers_found(match(typed))
    except BadQuery as problem:
        assert str(problem).endswith(".")


def test_a_title_comes_before_a_description(tmp_path: Path) -> None:
    told = page(html({"TTA Title": "Some help"}, node=1, body="Deflection, deflection and deflection."), url=node(1), when=day(1))
    named = page(html({"TTA Title": "Deflection in a county"}, node=2, body="Help."), url=node(2), when=day(1))
    text = Site(loaded(tmp_path, [told, named]).database).get("/-/search?q=deflection").text
    assert re.findall(r'href="/tta/records/(\d)"', text) == ["2", "1"]
    assert "<mark>Deflection</mark>" in text


def test_every_table_with_texts_is_searched(site: Site) -> None:
    text = site.get("/-/search?q=training").text
    counts = dict(re.findall(r'">([A-Z][\w ]+) <span>([\d,]+)</span></a>', text))
    expected = "select count(*) as n from {0}_fts where {0}_fts match 'training'"
    for title, table in {"Records": "records", "Fields": "fields", "Milestones": "milestones"}.items():
        (row,) = site.json(f"/tta.json?sql={expected.format(table)}&_shape=array")
        assert int(counts[title]) == row["n"] > 0
    for table in ("fields", "milestones", "performance_metrics", "dictionary"):
        found = site.get(f"/-/search?q=county+OR+agencies+OR+title&in={table}").text
        assert "<mark>" in found, table


def test_pages_follow_each_other_without_loss(site: Site) -> None:
    seen: list[str] = []
    address: str | None = "/-/search?q=made-up&in=records"
    while address:
        text = site.get(address).text
        seen += re.findall(r'<h2><a href="/tta/records/([^"]+)"', text)
        following = re.search(r'href="([^"]+)" rel="next"', text)
        address = following[1].replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) > AT_ONCE
    assert f"of {len(seen)}" in text


def test_words_that_no_text_contains_are_named(site: Site) -> None:
    assert "No text contains “xqzwv”. Try" in site.get("/-/search?q=court+xqzwv").text


def test_records_are_found_by_delivery_type_and_source(site: Site) -> None:
    assert "Records <span>11</span>" in site.get("/-/search?q=NTTAC+request").text


@pytest.mark.parametrize(
    "query", ["q=%22a", "q=zzzz", "q=", "q=training&page=99999999999", "q=training&page=-1&in=nothing", "q=%00x"]
)
def test_no_question_breaks_the_page(site: Site, query: str) -> None:
    assert site.get(f"/-/search?{query}").status_code == 200


@pytest.mark.parametrize(("typed", "corrected"), CASES["corrected"])
def test_words_that_no_record_has_are_corrected(site: Site, typed: str, corrected: str | None) -> None:
    answer = site.get(f"/-/search?{urlencode({'q': typed})}")
    assert answer.status_code == 200
    found = re.search(r"No record matches “([^”]*)”. Showing <strong>([^<]*)<", answer.text)
    assert (found.groups() if found else None) == ((typed, corrected) if corrected else None)
    assert (
        (site.get(f"/-/search?{urlencode({'q': corrected})}").text.count("<h2>") == answer.text.count("<h2>") > 0)
        if corrected
        else True
    )


@pytest.mark.parametrize(
    "typed",
    [
        "900000004",
        "https://bjatta.bja.ojp.gov/node/900000004",
        "bjatta.bja.ojp.gov/es/node/900000004/",
        "https://web.archive.org/web/20210622181412/https://bjatta.bja.ojp.gov/node/900000004",
    ],
)
def test_numbers_and_addresses_lead_to_their_record(site: Site, typed: str) -> None:
    answer = site.get(f"/-/search?{urlencode({'q': typed})}")
    assert (answer.status_code, answer.headers.get("location")) == (302, "/tta/records/900000004")


def test_short_words_are_corrected_too_and_a_phrase_comes_before_words_apart(tmp_path: Path) -> None:
    titles = ["Prescriptions on an isle, in the county", "Help for Presque Isle County"]
    pages = [page(html({"TTA Title": title}, node=n), url=node(n)) for n, title in enumerate(titles, 1)]
    text = Site(loaded(tmp_path, pages).database).get("/-/search?q=Presk+Ile+County").text
    assert "Showing <strong>Presque Isle County</strong>" in text and text.count("<h2>") == 1


def test_two_words_side_by_side_come_before_those_of_two_people_and_are_counted(tmp_path: Path) -> None:
    titles = ["Jane Miller, Bob Smith", "Help of many people, one of them Jane Smith of a county"]
    site = Site(
        loaded(tmp_path, [page(html({"TTA Title": one}, node=n), url=node(n)) for n, one in enumerate(titles, 1)]).database
    )
    text = site.get("/-/search?q=jane+smith").text
    assert re.findall(r'<h2><a href="/tta/records/(\d)"', text) == ["2", "1"]
    (address,) = re.findall(r'<a href="([^"]*)">only the 1 with them side by side</a>', text)
    assert site.get(unescape(address)).text.count("<h2>") == 1
    assert "side by side" not in site.get("/-/search?q=many+people").text


def test_parts_of_a_name_and_one_without_its_apostrophe_lead_to_the_person(tmp_path: Path) -> None:
    fields = [{"TTA Point of Contact": "Quinn O'Dellworth"}, {"Email Address": "q.odellworth@example.org"}]
    site = Site(loaded(tmp_path, [page(html(one, node=n), url=node(n)) for n, one in enumerate(fields, 1)]).database)
    for typed in ("ODellworth", "Quinn ODelworth", "ellworth", "dellwurth"):
        text = unescape(site.get(f"/-/search?{urlencode({'q': typed})}").text)
        assert f"No record matches “{typed}”. Showing" in text
        assert re.findall(r'<h2><a href="/tta/records/(\d)"', text) == ["1"], typed
    assert "Records <span>0</span>" in site.get("/-/search?q=q.odellworth%40example.org").text


def test_a_person_is_found_in_any_role_and_where_a_page_cut_the_name(tmp_path: Path) -> None:
    roles = [{"TTA Point of Contact": "Viggo Abernathy"}, {"BJA Grant Manager": "Viggo Abernathy"}, {}]
    names = ["Hope Fiori", "Hope Fiori", "Viggo Abernath…"]
    made = [
        page(html(role, node=n, submitted=name), url=node(n)) for n, (role, name) in enumerate(zip(roles, names, strict=True), 1)
    ]
    site = Site(loaded(tmp_path, made).database)
    text = site.get("/-/search?q=viggo+abernathy").text
    assert set(re.findall(r'<h2><a href="/tta/records/(\d)"', text)) == {"1", "2"}
    assert re.search(r'<a href="/tta/records\?submitted_by=Viggo[^"]*">Viggo Abernath…</a> \(1\)', text)
    assert "Pages cut" not in site.get("/-/search?q=hope+abernathy").text
    assert ">Abernathy<" in site.get("/-/search?q=Abernati").text, "what is cut off is no suggestion"


@pytest.mark.parametrize("question", ["OPIOID", "DRUG Court", "REQ: 2024", "Drug cOURT"])
def test_capitals_are_no_mistake(site: Site, question: str) -> None:
    text = site.get(f"/-/search?{urlencode({'q': question})}").text
    assert "Did you mean" not in text and 'class="tta-hits"' in text


def test_texts_of_pages_are_not_markup(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> <b>deflection</b>"
    made = page(html({"TTA Title": hostile, "County": hostile}, node=7, body=hostile), url=node(7), when=day(1))
    site = Site(loaded(tmp_path, [made]).database)
    for scope in ("records", "fields"):
        text = site.get(f"/-/search?q=deflection&in={scope}").text
        assert "<script>alert" not in text
        assert "&lt;b&gt;<mark>deflection</mark>&lt;/b&gt;" in text
    assert "<script>" not in highlight("\x02<script>\x02\x03x\x03")


@pytest.mark.parametrize(("question", "hint", "query"), CASES["filters"])
def test_words_that_may_be_meant_as_a_filter_offer_it(site: Site, question: str, hint: str | None, query: str | None) -> None:
    text = unescape(site.get(f"/-/search?{urlencode({'q': question})}").text)
    offered = re.findall(r'Filter instead: <a href="/tta/records\?([^"]*)">([^<]*)</a>', text)
    assert offered == ([(query, hint)] if hint else [])
