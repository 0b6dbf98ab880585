"""All roads of the HTML reader say the same of a page: those of plain fields side by side, and that which weighs the whole page.

Pages are example pages, made-up ones of every theme, and both after a few mutations; what the straight road refuses counts
for nothing here, so one test says which pages it has to take.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborNode

from parsers import html, rows
from parsers.bare import close_bare
from parsers.fields import read_closed
from parsers.locate import locate
from parsers.page import parse_page
from parsers.plain import Plain
from parsers.record import ParseResult, columns_of
from parsers.rows import Content
from parsers.straight import Road, road
from parsers.tree import Element
from tests import goldens
from tests.goldens import as_json
from tests.mutate import mutated
from tests.pagegen.options import CLASSLESS, THEMES, Options, Theme
from tests.pagegen.render import make_page
from tests.pagegen.strategies import Case, any_options, cases

PAGES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EXAMPLES = [page.read_bytes() for page in goldens.pages() if page.suffix == ".html"]


def never(node: LexborNode, base: str | None) -> None:
    return None


class Roads:
    """The parser with its roads for plain fields, with classes and without, which it counts, and with neither."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.straight = 0
        self.bare = 0

    def general(self, content: bytes, **known: str | None) -> ParseResult:
        self._patch.setattr(html, "road", never)
        self._patch.setattr(html, "close_bare", never)
        return parse_page(content, **known)

    def both(self, content: bytes, **known: str | None) -> ParseResult:
        self._patch.setattr(html, "road", self._counted)
        self._patch.setattr(html, "close_bare", close_bare)
        self._patch.setattr(html, "read_closed", self._counted_bare)
        return parse_page(content, **known)

    def _counted(self, node: LexborNode, base: str | None) -> Road | None:
        found = road(node, base)
        self.straight += found is not None
        return found

    def _counted_bare(self, root: Element, fields: Mapping[int, Plain], base: str | None) -> Content | None:
        content = read_closed(root, fields, base)
        self.bare += content is not None
        return content


@pytest.fixture
def roads(monkeypatch: pytest.MonkeyPatch) -> Roads:
    return Roads(monkeypatch)


def same(roads: Roads, content: bytes, url: str | None = goldens.USUAL["url"]) -> None:
    assert roads.both(content, url=url) == roads.general(content, url=url)


@pytest.mark.parametrize("content", EXAMPLES, ids=range(len(EXAMPLES)))
def test_example_page_reads_the_same_on_both_roads(roads: Roads, content: bytes) -> None:
    same(roads, content)


@settings(PAGES, suppress_health_check=[*PAGES.suppress_health_check, HealthCheck.function_scoped_fixture])
@given(cases(options=any_options(cut=True)))
def test_made_up_page_reads_the_same_on_both_roads(roads: Roads, case: Case) -> None:
    page = case.page()
    same(roads, page.data, page.url)


def base_pages(*, classless: bool) -> list[bytes]:
    """Pages that take the road for their kind of fields until a mutation puts something in its way."""
    plain = [make_page(seed, theme).data for seed, theme in enumerate(THEMES * 2) if (theme in CLASSLESS) == classless]
    return plain + [page for page in EXAMPLES if (b"field" not in page) == classless]


CLASSED, BARE = base_pages(classless=False), base_pages(classless=True)


@settings(PAGES, max_examples=400, suppress_health_check=[*PAGES.suppress_health_check, HealthCheck.function_scoped_fixture])
@given(st.integers(min_value=0, max_value=2**32), st.sampled_from([CLASSED, BARE]))
def test_mutated_page_reads_the_same_on_both_roads(roads: Roads, seed: int, pages: list[bytes]) -> None:
    rng = random.Random(seed)
    same(roads, mutated(rng.choice(pages), rng, rng.choice((1, 1, 2, 4)), CLASSED + BARE))


@pytest.mark.parametrize("theme", [theme for theme in THEMES if theme not in CLASSLESS and theme != "dl"])
@pytest.mark.parametrize("seed", range(4))
def test_pages_whose_fields_have_classes_take_the_straight_road(roads: Roads, theme: Theme, seed: int) -> None:
    page = make_page(seed, theme, Options(labels="mixed", items_always=seed == 3, furniture=seed == 2))
    assert roads.both(page.data, url=page.url).record is not None
    assert roads.straight == 1


@pytest.mark.parametrize("theme", sorted(CLASSLESS))
@pytest.mark.parametrize("seed", range(4))
def test_plain_fields_of_pages_without_classes_are_closed(roads: Roads, theme: Theme, seed: int) -> None:
    page = make_page(seed, theme, Options(items_always=seed == 3, furniture=seed == 2))
    assert roads.both(page.data, url=page.url).record is not None
    assert (roads.bare, roads.straight) == (1, 0)


@pytest.mark.parametrize("theme", ["classy", "uswds"])
def test_every_value_of_a_page_read_from_sources_has_its_place(theme: Theme) -> None:
    page = make_page(5, theme).data
    spots = locate(page, url=goldens.USUAL["url"])
    assert spots is not None
    assert spots.record == parse_page(page, url=goldens.USUAL["url"]).record
    assert all(map(spots.of_head, ("title", "submitted_by", "submitted_at")))
    assert all(map(spots.of_field, range(len(spots.record.fields))))


def test_a_page_cut_in_the_first_field_after_its_body_has_one_shape(roads: Roads) -> None:
    """The footer, empty once the byline is taken out, and the field without a value are no part of the structure."""
    body = b'<div class="field field--name-body field--type-text-with-summary field--label-hidden field--item"><p>Help.</p></div>'
    head = b'<html><body><article data-history-node-id="7" class="tta full"><footer><div class="author">Submitted by <span>Ann'
    head += b' Onym</span></div></footer><div class="content">'
    cut = b'<div class="field field--name-field-county field--type-string field--label-above"><div class'
    same(roads, head + body + cut)
    assert roads.straight == 1


def page_with(link: str) -> bytes:
    field = (
        '<div class="field field--name-field-{0} field--type-entity-reference field--label-above"><div class="field--label">{1}'
    )
    field += '</div><div class="field--item"><a href="{2}">Somewhere</a></div></div>'
    fields = "".join(field.format(*one, link) for one in (("status", "Status of Deliverable"), ("source", "TTA Source")))
    return f'<html><body><article data-history-node-id="7" class="tta full"><div>{fields}</div></article></body></html>'.encode()


@pytest.mark.parametrize(
    ("link", "first", "second"),
    [
        ("/taxonomy/term/5", "https://one.example/taxonomy/term/5", "http://two.example/taxonomy/term/5"),
        ("term/5", "https://one.example/a/term/5", "http://two.example/b/term/5"),
        ("?page=1", "https://one.example/a/7?page=1", "http://two.example/b/8?page=1"),
        ("https://three.example/", "https://three.example/", "https://three.example/"),
        ("//three.example/x", "https://three.example/x", "http://three.example/x"),
        ("", None, None),
    ],
)
def test_a_field_that_came_before_links_from_its_own_page(roads: Roads, link: str, first: str | None, second: str | None) -> None:
    for url, expected in (("https://one.example/a/7", first), ("http://two.example/b/8", second)):
        record = roads.both(page_with(link), url=url).record
        assert record is not None
        assert {field.href for field in record.fields} == {expected}
        assert record == roads.general(page_with(link), url=url).record
    assert roads.straight == 2


def test_records_of_one_source_share_nothing_that_a_caller_can_change() -> None:
    page = make_page(3, "bootstrap3").data
    record = parse_page(page, url=goldens.USUAL["url"]).record
    assert record is not None
    before = as_json(record)
    lists = [value for name in columns_of(type(record)) if isinstance(value := getattr(record, name), list)]
    assert lists
    for one in lists:
        one.append("another")
    again = parse_page(page, url=goldens.USUAL["url"]).record
    assert again is not None
    assert as_json(again) == before


def test_instructions_in_several_items_are_one_text(roads: Roads) -> None:
    """Found by a mutated page: paragraphs stand a blank line apart, items that are no paragraphs do not."""
    field = (
        '<div class="field field--name-field-x-markup field--type-markup field--label-above"><div class="field__label">X Markup'
    )
    field += '</div><div class="field__item"><p>One.</p></div><div class="field__item">Two.</div></div>'
    page = page_with("/").replace(b"</div></article>", field.encode() + b"</div></article>")
    same(roads, page)
    assert roads.straight == 1


def test_a_field_that_finds_no_room_feeds_no_column(roads: Roads, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value in a column has its row in `fields`."""
    monkeypatch.setattr(rows, "MAX_FIELDS", 40)
    items = "".join(f'<div class="field--item">{number}</div>' for number in range(40))
    many = f'<div class="field field--name-field-x field--type-string"><div class="field--label">X</div>{items}</div>'
    county = '<div class="field field--name-field-county field--type-string"><div class="field--label">County</div>'
    county += '<div class="field--item">Ada County</div></div>'
    for before, found in ((county + many, "Ada County"), (many + county, None)):
        page = page_with("/").replace(b"<div><div", f"<div>{before}<div".encode(), 1)
        record = roads.both(page, url=goldens.USUAL["url"]).record
        assert record is not None
        assert (len(record.fields), record.county) == (40, found)
        same(roads, page)
