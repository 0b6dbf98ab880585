"""Example pages against what must be read from them: one result per kind, column, field and row of each page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import goldens

RESULTS = [
    pytest.param(page, key, id=f"{goldens.name_of(page)}-{key}")
    for page in goldens.pages()
    for key in goldens.results(goldens.expected(page))
]


@pytest.mark.parametrize("page", goldens.pages(), ids=goldens.name_of)
def test_page_has_an_expectation(page: Path) -> None:
    assert goldens.expectation_of(page).exists(), "read the page and write its expectation, or run `make expectations`"


@pytest.mark.parametrize(("page", "key"), RESULTS)
def test_page(page: Path, key: str) -> None:
    assert goldens.results(goldens.actual(page)).get(key) == goldens.results(goldens.expected(page))[key]


@pytest.mark.parametrize("page", goldens.pages(), ids=goldens.name_of)
def test_nothing_else_is_read(page: Path) -> None:
    assert goldens.results(goldens.actual(page)).keys() <= goldens.results(goldens.expected(page)).keys()


def test_expectations_have_pages() -> None:
    wanted = {goldens.expectation_of(page) for page in goldens.pages()}
    assert {path for path in goldens.PAGES.rglob("*.json") if not path.name.endswith(".meta.json")} == wanted
