"""Merging what the parser reads from made-up pages: the same record in several forms is one record without a history."""

from itertools import repeat
from typing import Any

import pytest
from hypothesis import given, settings

from parsers.page import parse_page
from scraper.database.build import merged_rows, page_rows
from scraper.database.merge import Merged, Seen, merge
from scraper.database.stored_page import VALUE_COLUMNS, decode, encode, with_keys
from tests.pagegen.strategies import Case, any_options, cases
from tests.pagegen.truth import Page


def seen(made: Page, number: int = 1) -> Seen | None:
    """The page as one capture of the record, on that day; None where it is taken for no record."""
    read = parse_page(made.data, url=made.url, content_type=made.content_type, is_text=made.text_form).record
    return Seen(f"c{number}", f"2025-01-{number:02d}T00:00:00Z", with_keys(decode(encode(read)))) if read else None


def merged(*captures: Seen | None) -> Merged:
    return merge([one for one in captures if one is not None])


def values(merge: Merged) -> dict[str, Any]:
    return dict(zip(VALUE_COLUMNS, merged_rows(merge, "1")[0], strict=True))


def state(merge: Merged) -> list[Any]:
    return [one.row for one in merge.fields]


@settings(max_examples=20)
@given(cases(options=any_options(cut=True)))
def test_a_page_alone_is_what_its_parser_derived(case: Case) -> None:
    """The shortcut for records with one page gives what merging it would give."""
    made = case.page()
    alone = seen(made)
    if alone is not None:
        record = parse_page(made.data, url=made.url, content_type=made.content_type).record
        assert record is not None
        page = decode(encode(record))
        merge = merged(alone)
        assert (page.values, page_rows(page, "1", repeat("c1"), repeat("c1"))) == merged_rows(merge, "1")


@pytest.mark.parametrize("seed", range(3, 13))
def test_a_text_of_the_same_page_changes_nothing(seed: int) -> None:
    page, text = Case(seed).page(), Case(seed).text()
    alone, later = values(merged(seen(page))), merged(seen(page), seen(text, 2))
    assert later.changes == []
    assert values(later) == alone
    assert state(later) == state(merged(seen(page)))
    earlier = merged(seen(text), seen(page, 2))
    assert earlier.changes == []
    assert values(earlier) == alone


@pytest.mark.parametrize("seed", range(5))
def test_prose_of_the_same_page_takes_nothing_away(seed: int) -> None:
    page, prose = Case(seed).page(), Case(seed).prose()
    alone, later = values(merged(seen(page))), values(merged(seen(page), seen(prose, 2)))
    assert {name for name in alone if alone[name] != later[name]} <= {"description"}


SAME = any_options(labels="above", body="rich", fake_fields=False, plain_dates=False, unclosed=False, related=False)
"""What changes the frame and not the content."""


@settings(max_examples=20)
@given(cases(options=SAME), cases(options=SAME))
def test_another_theme_of_the_same_page_is_no_change_of_a_known_field(one: Case, other: Case) -> None:
    same = Case(one.seed, other.theme, other.options)
    known = set(VALUE_COLUMNS)
    story = merged(seen(one.page()), seen(same.page(), 2))
    assert [change for change in story.changes if change.field in known] == []
