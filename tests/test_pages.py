"""Example pages against what must be read from them; a failure names the kind, columns, fields and rows that differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import goldens


@pytest.mark.parametrize("page", goldens.pages(), ids=goldens.name_of)
def test_page(page: Path) -> None:
    assert goldens.expectation_of(page).exists(), "read the page and write its expectation, or run `make expectations`"
    assert goldens.results(goldens.actual(page)) == goldens.results(goldens.expected(page))


def test_expectations_have_pages() -> None:
    wanted = {goldens.expectation_of(page) for page in goldens.pages()}
    assert {path for path in goldens.PAGES.rglob("*.json") if not path.name.endswith(".meta.json")} == wanted
