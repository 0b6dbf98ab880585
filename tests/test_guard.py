"""What is taken out of a page before it is parsed: tags past all measure, and nothing else."""

from __future__ import annotations

import pytest

from parsers.decode import FEW_TAGS, MAX_DEPTH, MAX_TAG, decode, limit_markup

LONG_PAGE = "<p>x</p>\n" * 2000
"""Longer than MAX_TAG, so that its tags are looked at."""
ODD_QUOTES = "<p title='it > is'>a</p>"
"""Makes the guard read the page tag by tag."""


@pytest.mark.parametrize(
    "tag",
    [
        '<l="vertical-align: inherit;">',
        '<a b"c d="e>f" g>',
        '<a b=c"d>',
        '<a ="x">',
        "<a b = 'x>y' c>",
        "<!-- don't -->",
        '<a title="5 > 4">',
    ],
)
@pytest.mark.parametrize("text", ['she said "no"', "the site's", 'a 5" pipe > 3'])
def test_page_without_long_tags_stays_as_it_is(tag: str, text: str) -> None:
    page = ODD_QUOTES + tag + text + LONG_PAGE
    assert limit_markup(page).decode() == page


@pytest.mark.parametrize("start", ["<div ", '<div class="a" ', "<div title='>' ", '<div x"1 y="> <" '])
def test_long_tag_loses_its_attributes(start: str) -> None:
    page = f"<p>before</p>{start}{'a1 ' * MAX_TAG}>after{LONG_PAGE}"
    assert limit_markup(page).decode() == f"<p>before</p><div>after{LONG_PAGE}"


def test_tags_too_deep_are_taken_out_with_their_ends() -> None:
    deep = 2 * FEW_TAGS
    page = "<div>" * deep + "x" + "</div>" * deep
    assert limit_markup(page).decode() == "<div>" * MAX_DEPTH + "x" + "</div>" * MAX_DEPTH


def test_bytes_at_hand_are_given_back_as_they_are() -> None:
    page = "<p>’</p>" * 2000
    source = page.encode()
    assert limit_markup(page, source) is source


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("<meta charset=utf-8>", "cp1252"), ("", "utf-16-le"), ("", "utf-16-be"), ("", "utf-8"), ("", "cp1252")],
)
def test_bytes_in_another_encoding_than_declared_are_decoded(declared: str, codec: str) -> None:
    text = declared + "<p>Café</p>" * 30
    assert decode(text.encode(codec)).text == text
