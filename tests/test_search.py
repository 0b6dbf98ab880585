"""The search page: what may be typed, what is found and in which order, and that no text of a page becomes markup."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadQuery
from scraper.explore.query import match
from scraper.explore.search import AT_ONCE, marked
from tests.dbkit import day, html, loaded, node, page
from tests.webkit import Site, demo


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(demo(tmp_path_factory.mktemp("demo")).database)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("court jail", '("court" AND "jail")'),
        ('"mental health" court', '("mental health" AND "court")'),
        ("deflect*", '("deflect"*)'),
        ("court OR jail training", '("court") OR ("jail" AND "training")'),
        ("training -webinar", '(("training")) NOT ("webinar")'),
        ("body-worn & NEAR(x)", '("body-worn" AND "NEAR(x)")'),
        ("OR OR court", '("court")'),
    ],
)
def test_words_become_a_query(typed: str, asked: str) -> None:
    assert match(typed) == asked


@pytest.mark.parametrize(
    ("typed", "advice"),
    [('"mental health', "no partner"), ("-webinar", "add a word"), ("***", "letter or digit"), ("", "word"), ("a" * 501, "500")],
)
def test_what_cannot_be_searched_is_said_in_plain_words(site: Site, typed: str, advice: str) -> None:
    with pytest.raises(BadQuery, match=advice):
        match(typed)


@given(st.text(max_size=60))
def test_whatever_is_typed_the_database_understands(typed: str) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE found USING fts5(text)")
    try:
        db.execute("SELECT * FROM found WHERE found MATCH ?", [match(typed)]).fetchall()
    except BadQuery as problem:
        assert str(problem).endswith(".")
    finally:
        db.close()


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


@pytest.mark.parametrize(
    "query", ["q=%22a", "q=zzzz", "q=", "q=training&page=99999999999", "q=training&page=-1&in=nothing", "q=%00x"]
)
def test_no_question_breaks_the_page(site: Site, query: str) -> None:
    assert site.get(f"/-/search?{query}").status_code == 200


def test_texts_of_pages_are_not_markup(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> <b>deflection</b>"
    made = page(html({"TTA Title": hostile, "County": hostile}, node=7, body=hostile), url=node(7), when=day(1))
    site = Site(loaded(tmp_path, [made]).database)
    for scope in ("records", "fields"):
        text = site.get(f"/-/search?q=deflection&in={scope}").text
        assert "<script>alert" not in text
        assert "&lt;b&gt;<mark>deflection</mark>&lt;/b&gt;" in text
    assert "<script>" not in marked("\x02<script>\x02\x03x\x03")
