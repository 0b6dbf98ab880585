"""Plain fields read from their source give what the same fields give when their elements are built, whatever surrounds them."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
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

PAGES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EXAMPLES = [page.read_bytes() for page in goldens.pages() if page.suffix == ".html"]
MADE_UP = [make_page(seed, theme).data for seed, theme in enumerate(THEMES * 2)]
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


SURROUNDINGS = {
    "fields": BODY + FIELDS + MORE,
    "an item a value": BODY + FIELDS + field("TTA Source", "<div>One</div><div>Two</div>"),
    "lines, times and nothing": FIELDS
    + field("County", "One<br>Two")
    + field("Status Changed", '<time datetime="2025-01-02T03:04:05Z">Thu</time>')
    + field("TTA Title", ""),
    "groups": FIELDS + field("Milestone", f"<div>{MILESTONE}</div><div>{MILESTONE}</div>") + MORE,
    "instructions": FIELDS + field("Event Date Markup", "<p>Please enter</p><ul><li>the date</li></ul>") + MORE,
    "instructions in several items": FIELDS + field("Event Date Markup", "<div><p>One.</p></div><div>Two.</div>"),
    "a field of another shape": FIELDS + "<div><h3>TTA Source</h3><p>Request</p></div>" + MORE,
    "unlisted labels before the first listed": field("Is an interpreter needed?", "No") + FIELDS,
    "a value spelled like a label": FIELDS + field("Category", "<div>County</div><div>Archived</div>") + MORE,
    "a time spelled like a label": FIELDS + field("TTA Event Date", "<time>County</time> - <time>Archived</time>"),
    "values beside each other": FIELDS + field("TTA Source", "One", "Two"),
    "a group's items without the group's words": FIELDS
    + field("Milestone", f"<div><div>{field('Title', 'Kick-off')}</div></div>")
    + MORE,
    "a label of the registry in a group": FIELDS
    + field("Milestone", f"<div><div>{field('Milestone Title', 'x')}{field('Archived', 'On')}</div></div>"),
    "one item with the first label again": FIELDS
    + field("Milestone", f"<div><div>{field('Milestone Title', 'a') + field('Milestone Title', 'b')}</div></div>"),
    "questions of one item": FIELDS
    + field("Performance Metrics", f"<div><div>{field('Metric 1?', 'a') + field('Metric 2?', 'b')}</div></div>"),
    "a body that quotes a field": "<div><p>Quoted:</p>" + field("County", "x") + "<p>So far.</p></div>" + FIELDS + MORE,
    "a field in another record's teaser": FIELDS + MORE + f"<article>{field('County', 'Elsewhere') * 2}</article>",
    "text around the fields": f"Posted on 01/02/2025 {FIELDS} by Ann Onym {MORE}",
    "a line of the head beside the fields": f"<span>Posted on 01/02/2025</span>{field('County', 'by Ann Onym')}",
    "a byline in a block": f"<div>Submitted by <span>Ann Onym</span> on 01/02/2025</div>{FIELDS}",
    "a notice among the values": LONG + FIELDS + field("Please note", "This website is under construction.") + MORE,
    "a notice as label": LONG + FIELDS + field("This website is under construction", "Questions?") + MORE,
    "a notice in instructions": LONG + FIELDS + field("X Markup", "<p>One.</p><p>This website is under construction.</p>") + MORE,
    "a label in instructions": FIELDS + field("X Markup", "<p>County</p><p>Cuyahoga</p>") + MORE,
    "emphasis never closed": FIELDS.replace("<div>Reentry", "<div><b>Reentry") + MORE,
    "an empty label": FIELDS + field("", "Value") + MORE,
    "a comment in a field": FIELDS + MORE.replace("<div>A plan", "<!-- x --><div>A plan"),
    "a link from the page's own address": FIELDS + field("TTA Source", '<a href="?page=1">Next</a>') + MORE,
    "a label of a group in an item": FIELDS
    + field("Milestone", f"<div><div>{field('Milestone Title', 'a') + field('Milestone 2', 'b')}</div></div>"),
    "a section in an item": FIELDS
    + field("Milestone", f"<div><div>{field('Milestone Title', 'a') + field('Milestones Markup', 'b')}</div></div>"),
    "a numbered group": FIELDS + field("Milestone 2", f"<div>{MILESTONE}</div>") + MORE,
    "a title in instructions": FIELDS + field("X Markup", "<h1>20250129-145639-07</h1><p>One.</p>") + MORE,
    "classes in instructions": FIELDS + field("X Markup", '<ul><li class="label">a<em class="item">b</em></li></ul>') + MORE,
    "values without labels after the fields": FIELDS + "<div><section>A line.</section><section>Another</section></div>",
    "an unlisted label of another shape": FIELDS + "<p><strong>Room</strong> 12</p><p><strong>County</strong> Cuyahoga</p>",
    "unlisted labels in another record": BODY
    + f"<article><div>{field('TTA Title', 'Elsewhere') + field('Room', '12')}</div></article>",
    "a body that quotes a field of another shape": f"<div><div><h3>County</h3><p>x</p></div><div>{'Well. ' * 40}</div></div>"
    + FIELDS
    + MORE,
    "a byline after the fields": FIELDS + "<div>Submitted by Ann Onym on 01/02/2025</div>",
    "a list of records": FIELDS * 3,
    "a title around fields": f"<h1>Title {BODY + FIELDS + MORE}</h1>",
    "an inline element around fields": f"<span>{BODY + FIELDS + MORE}</span>",
    "a table around fields": f"<table><tr><td>{BODY + FIELDS + MORE}</table>",
    "a field with a class among others": f'{FIELDS + MORE}<div class="field"><div>Note</div><div>x</div></div>',
}


@pytest.mark.parametrize("name", SURROUNDINGS)
@pytest.mark.parametrize("root", ["article", "main"])
def test_fields_without_classes_among_other_things(name: str, root: str) -> None:
    read(f"<html><body><{root}><div>{SURROUNDINGS[name]}</div></{root}></body></html>".encode())


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
