"""Plain fields read from their source give what the same fields give when their elements are built, whatever surrounds them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers import html, rows
from parsers.page import parse_page
from parsers.record import ParseResult, columns_of
from parsers.tree import Element
from tests import goldens
from tests.goldens import as_json
from tests.mutate import mutated
from tests.pagegen.options import THEMES
from tests.pagegen.render import make_page
from tests.pagegen.strategies import Case, any_options, cases
from tests.tables import read_table

PAGES = settings(max_examples=40)
EXAMPLES = [page.read_bytes() for page in goldens.pages() if page.suffix == ".html"]
MADE_UP = [make_page(seed, theme).data for seed, theme in enumerate(THEMES * 2)]
SURROUNDINGS = read_table("tables/source_fields.toml")["surroundings"]
BODY = "<div><p>Help is asked for.</p></div>"
LONG = f"<div><p>{'Help is asked for. ' * 20}</p></div>"


class NoSources:
    """A reader of sources that finds no field, so that every element is built."""

    def __init__(self, base: str | None) -> None: ...

    def __call__(self, element: Element) -> None:
        return None


def read(content: bytes, url: str | None = goldens.USUAL["url"]) -> ParseResult:
    """The page as read, which must be the same with every element built."""
    found = parse_page(content, url=url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html, "SourceReader", NoSources)
        assert parse_page(content, url=url) == found
    return found


@pytest.mark.parametrize("content", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_page(content: bytes) -> None:
    read(content)


@settings(PAGES)
@given(cases(options=any_options(cut=True)))
def test_made_up_page(case: Case) -> None:
    page = case.page()
    read(page.data, page.url)


@settings(PAGES, max_examples=150)
@given(st.integers(min_value=0, max_value=2**32))
def test_mutated_page(seed: int) -> None:
    rng = random.Random(seed)
    read(mutated(rng.choice(MADE_UP + EXAMPLES), rng, rng.choice((1, 1, 2, 4)), MADE_UP + EXAMPLES))


def field(label: str, *values: str) -> str:
    return f"<div><div>{label}</div>" + "".join(f"<div>{value}</div>" for value in values) + "</div>"


FIELDS = field("TTA Short Name", "Reentry unit") + field("Status of Deliverable", '<a href="/taxonomy/term/4">Completed</a>')
MORE = field("Is an interpreter needed?", "No") + field("TTA Title", "A plan") + field("County", "Cuyahoga")
MILESTONE = "<div>" + field("Milestone Title", "Kick-off") + field("Milestone Notes", "Done.") + "</div>"


@pytest.mark.parametrize("name", SURROUNDINGS)
@pytest.mark.parametrize("root", ["article", "main"])
def test_fields_without_classes_among_other_things(name: str, root: str) -> None:
    inside = SURROUNDINGS[name].format(BODY=BODY, LONG=LONG, FIELDS=FIELDS, MORE=MORE, MILESTONE=MILESTONE)
    read(f"<html><body><{root}><div>{inside}</div></{root}></body></html>".encode())


def page_with(link: str) -> bytes:
    field = '<div class="field field--name-field-{0} field--type-entity-reference field--label-above">'
    field += '<div class="field--label">{1}</div><div class="field--item"><a href="{2}">Somewhere</a></div></div>'
    fields = "".join(field.format(*one, link) for one in (("status", "Status of Deliverable"), ("source", "TTA Source")))
    return f'<html><body><article data-history-node-id="7" class="tta full"><div>{fields}</div></article></body></html>'.encode()


@pytest.mark.parametrize(
    ("link", "first", "second"),
    [
        ("/taxonomy/term/5", "https://one.example/taxonomy/term/5", "http://two.example/taxonomy/term/5"),
        ("term/5", "https://one.example/a/term/5", "http://two.example/b/term/5"),
        ("?page=1", "https://one.example/a/7?page=1", "http://two.example/b/8?page=1"),
        ("//three.example/x", "https://three.example/x", "http://three.example/x"),
        ("", None, None),
    ],
)
def test_a_source_that_came_before_links_from_its_own_page(link: str, first: str | None, second: str | None) -> None:
    for url, expected in (("https://one.example/a/7", first), ("http://two.example/b/8", second)):
        record = read(page_with(link), url).record
        assert record is not None
        assert {field.href for field in record.fields} == {expected}


def test_records_of_one_source_share_nothing_that_a_caller_can_change() -> None:
    record = read(MADE_UP[0]).record
    assert record is not None
    before = as_json(record)
    for name in columns_of(type(record)):
        if isinstance(value := getattr(record, name), list):
            value.append("another")
    again = read(MADE_UP[0]).record
    assert again is not None
    assert as_json(again) == before


def test_a_field_beyond_the_limit_feeds_no_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value in a column has its row in `fields`."""
    monkeypatch.setattr(rows, "MAX_FIELDS", 40)
    items = "".join(f'<div class="field--item">{number}</div>' for number in range(40))
    many = f'<div class="field field--name-field-x field--type-string"><div class="field--label">X</div>{items}</div>'
    county = '<div class="field field--name-field-county field--type-string"><div class="field--label">County</div>'
    county += '<div class="field--item">Ada County</div></div>'
    for before, found in ((county + many, "Ada County"), (many + county, None)):
        record = read(page_with("/").replace(b"<div><div", f"<div>{before}<div".encode(), 1)).record
        assert record is not None
        assert (len(record.fields), record.county) == (40, found)


@pytest.mark.parametrize("first", ["<td>Room</td><td>Hall</td>", "<td><b>Room</b></td><td>Hall</td>"])
def test_a_table_of_fields_may_begin_with_an_unlisted_label(first: str) -> None:
    table = f"<table><tr>{first}</tr><tr><td>County</td><td>Ada</td></tr><tr><td>Category</td><td>Reentry</td></tr></table>"
    record = read(f'<main><h1>20240129-145639-07</h1><article data-history-node-id="7">{table}</article></main>'.encode()).record
    assert record is not None
    assert [(row.label, row.value) for row in record.fields] == [("Room", "Hall"), ("County", "Ada"), ("Category", "Reentry")]
