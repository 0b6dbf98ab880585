"""`tta serve` in a real browser: every page without an error, and without a request to another host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from tests.webkit import CHROMIUM, REQUIRED, Watched, browser, demo, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(not CHROMIUM and not REQUIRED, reason="there is no Chromium: install one, such as Debian's chromium"),
]
REAL = "/tta/records/20250129-145639-07"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(demo(tmp_path_factory.mktemp("demo"))) as found:
        yield found


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    assert CHROMIUM, "TTA_REQUIRE_BROWSER is set, and there is no Chromium"
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def watched(context: BrowserContext, address: str) -> Iterator[Watched]:
    page = context.new_page()
    found = Watched(page, address)
    yield found
    page.close()
    found.check()


def test_home_and_database(watched: Watched) -> None:
    page = watched.open("/")
    assert page.locator("h1").inner_text() == "BJA TTA records, rebuilt from web archives"
    page.get_by_role("link", name="tta", exact=True).first.click()
    page.wait_for_url("**/tta")
    assert page.get_by_role("link", name="records", exact=True).count()


def test_table_with_facets(watched: Watched) -> None:
    page = watched.open("/tta/records")
    facets = page.locator(".facet-info-name").all_inner_texts()
    for name in ("fiscal_year", "status", "program_areas", "agency_types", "evidence_based", "emerging_need"):
        assert any(name in text for text in facets), facets
    page.locator(".facet-info").filter(has_text="fiscal_year").locator("a", has_text="2023").click()
    page.wait_for_load_state("networkidle")
    assert "fiscal_year = 2023" in page.locator("h3").first.inner_text()


def test_search(watched: Watched) -> None:
    page = watched.open("/tta/records")
    page.get_by_label("Search:").fill("deflection")
    page.get_by_label("Search:").press("Enter")
    page.wait_for_load_state("networkidle")
    assert 'search matches "deflection"' in page.locator("h3").first.inner_text()
    assert page.locator("tbody tr").count() >= 1


def test_record(watched: Watched) -> None:
    page = watched.open(REAL)
    assert "20250129-145639-07" in page.locator("h1").inner_text()


def test_query(watched: Watched) -> None:
    page = watched.open("/tta/areas_by_year")
    assert page.locator("tbody tr").count() > 10
