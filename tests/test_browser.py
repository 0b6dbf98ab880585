"""`tta serve` in a real browser: every page without an error, and without a request to another host."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext

from tests.dbkit import day, html, loaded, node
from tests.dbkit import page as page_of
from tests.webkit import CHROMIUM, REQUIRED, ROOT, Watched, browser, demo, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM and not REQUIRED, reason="there is no Chromium: install one, such as Debian's chromium"),
]
REAL = "/tta/records/20250129-145639-07"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(demo()) as found:
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


def test_table_with_facets(watched: Watched) -> None:
    page = watched.open("/tta/records")
    facets = page.locator(".tta-facets summary").all_inner_texts()
    for name in ("Fiscal year", "Status", "Program areas", "Agency types", "State", "Evidence-based", "Emerging need"):
        assert any(text.startswith(name) for text in facets), facets
    page.locator(".tta-facets summary", has_text="Fiscal year").click()
    years = page.locator(".tta-facets details[open] a").all_inner_texts()
    assert years == sorted(years, reverse=True)
    page.locator(".tta-facets a", has_text="2023").click()
    page.wait_for_load_state("networkidle")
    assert page.locator(".tta-chip").inner_text().startswith("Remove the filter\nFiscal year: 2023")
    assert page.locator(".tta-toolbar strong").inner_text() == "9 records"


def test_the_first_row_is_seen_and_reached_at_once(watched: Watched) -> None:
    for width, height in ((1440, 900), (390, 844)):
        watched.page.set_viewport_size({"width": width, "height": height})
        page = watched.open("/tta/records")
        row = page.locator("tbody tr").first.locator("td").first.bounding_box()
        assert row
        assert row["y"] + row["height"] < height
        for key in ("Tab", "Enter", "Tab"):  # the first link skips to the rows
            page.keyboard.press(key)
        assert page.evaluate("!!document.activeElement.closest('tbody')")


def test_record(watched: Watched) -> None:
    page = watched.open(REAL)
    assert "Exploring the Value" in page.locator("h1").inner_text()
    assert page.locator("p", has_text="20250129-145639-07").count()
    assert page.locator(".tta-missing", has_text="Not captured: ").count()
    page.get_by_label("On this page").get_by_role("link", name="Cite this").click()
    assert "20250129-145639-07" in page.locator("#citation").inner_text()
    page.locator("a.tta-source").first.click()
    assert page.url.endswith("#capture-1")


def test_records_before_and_after_are_those_of_the_filter(watched: Watched) -> None:
    page = watched.open("/tta/records?place_state=Massachusetts")
    titles = page.locator("td.col-tta_title a").all_inner_texts()
    page.locator("td.col-tta_title a").first.click()
    seen = [page.locator("h1").inner_text()]
    while page.get_by_label("Records before and after").get_by_text("Older:").count():
        page.locator(".tta-around span", has_text="Older:").locator("a").click()
        page.wait_for_load_state("networkidle")
        seen.append(page.locator("h1").inner_text())
    assert seen == titles
    page.get_by_role("link", name="Back to these records").click()
    page.wait_for_url("**/tta/records?place_state=Massachusetts")


def test_map_names_and_links_its_records(watched: Watched) -> None:
    page = watched.open("/-/map")
    page.wait_for_selector('.tta-map[data-ready="61"]')
    assert page.locator(".tta-map path.tta-state").count() == 56
    page.locator(".tta-mark:not(.tta-many)").first.click()
    link = page.locator(".leaflet-popup-content a").first
    name = link.inner_text()
    page.wait_for_selector(".leaflet-pan-anim", state="detached")  # the map makes room for the popup first
    link.click()
    page.wait_for_url("**/tta/records/*")
    assert page.locator("h1").inner_text() == name


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("fiscal_year=2024&_organization=8142", 3),
        ("_agency_state=TX&_until=2025-01-01", 6),
        ("_search=opioid&_where=fiscal_year%3E2021", 14),
    ],
)
def test_map_draws_the_records_of_the_table(watched: Watched, query: str, number: int) -> None:
    page = watched.open(f"/tta/records?{query}")
    page.get_by_role("link", name="Map these").click()
    page.wait_for_selector(f'.tta-map[data-ready="{number}"]')
    page.get_by_role("link", name="These records as a table").click()
    page.wait_for_load_state("networkidle")
    assert page.locator(".tta-toolbar strong").inner_text() == f"{number} records"


def test_map_tells_what_is_not_in_view_and_names_places(watched: Watched) -> None:
    page = watched.open("/-/map")
    page.wait_for_selector(".tta-map[data-ready]")
    status = page.locator(".tta-map-state")
    assert "1 of them outside this view (the small maps show 1)" in status.inner_text()
    page.get_by_role("button", name="Alaska: 1").click()
    for _ in range(5):
        page.wait_for_timeout(300)
        page.locator(".leaflet-control-zoom-in").click()
    page.wait_for_selector(".tta-county-name")
    names = page.locator(".tta-state-name, .tta-county-name")
    for _ in range(10):  # the map ignores a click while it zooms
        page.get_by_role("button", name="Show the mainland again").click()
        page.wait_for_timeout(1000)
        if not names.count():
            break
    assert names.count() == 0
    assert "1 of them outside this view" in status.inner_text()


def test_map_works_without_a_mouse(watched: Watched) -> None:
    page = watched.open("/-/map?fiscal_year=2018")
    page.wait_for_selector(".tta-map[data-ready]")
    page.locator(".tta-mark:not(.tta-many)").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".leaflet-popup-content a")
    page.get_by_role("link", name="By state", exact=True).click()
    assert page.url.endswith("/-/chart?_by=place_state&fiscal_year=2018"), "the same records by state"


OWN = [
    "/",
    "/-/charts",
    "/-/chart?_by=program_areas&_split=fiscal_year",
    "/-/chart?_measure=emerging_need&_by=place_state",
    "/-/new",
    "/tta/places",
    "/-/chart?_split=program_areas",
    "/-/search?q=training",
    "/-/map",
    REAL,
    "/tta/records/900000001",
    "/tta/records?_size=10",
    "/tta/captures?kind=record&_size=10",
    "/-/codebook",
    "/tta/organizations",
    "/nowhere",
]
"""The pages that are this project's own; Datasette's are its own to mend."""


@pytest.mark.parametrize("path", OWN)
def test_pages_fit_any_screen_and_pass_an_accessibility_check(watched: Watched, path: str) -> None:
    every = {"resultTypes": ["violations"], "rules": {"label-content-name-mismatch": {"enabled": True}}}
    schemes: dict[Literal["light", "dark"], dict[str, Any]] = {
        "light": every,
        "dark": every | {"runOnly": ["color-contrast"]},
    }
    page = watched.open(path)
    if page.locator(".tta-map").count():
        page.wait_for_selector(".tta-map[data-ready]")
    for scheme, rules in schemes.items():  # all rules but that one find the same in both
        page.emulate_media(color_scheme=scheme)
        # Datasette 1.0's element has a list as `matches`, in place of the method that axe calls.
        page.evaluate("document.querySelector('navigation-search')?.remove()")
        found = Axe().run(page, options=rules)
        assert [f"{one['id']}: {node['html'][:200]}" for one in found.response["violations"] for node in one["nodes"]] == []
        ink, paper = page.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
        assert (_light(ink) > _light(paper)) is (scheme == "dark")
    for _ in range(8):  # the place of the keyboard is seen
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.evaluate("document.querySelectorAll('form details').forEach((one) => { one.open = true; })")
    for width in (1440, 375):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    if path == "/nowhere":
        watched.problems.clear()  # the status 404, which is meant


def _light(color: str) -> int:
    return sum(map(int, re.findall(r"\d+", color)[:3]))


def test_home_leads_to_a_chart_and_to_the_rows_behind_it(watched: Watched) -> None:
    page = watched.open("/")
    page.get_by_role("link", name="Charts", exact=True).first.click()
    page.locator("select[name=program_areas__arraycontains]").select_option("Law Enforcement")
    page.get_by_role("button", name="Show").click()
    page.wait_for_load_state("networkidle")
    assert "14 records" in page.locator("section.content strong").first.inner_text()
    bar = page.locator(".tta-picture a").first
    count = (bar.get_attribute("aria-label") or "").split()[-2]
    bar.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/tta/records?*")
    assert page.locator("tbody tr").count() == int(count)
    page.get_by_role("link", name="Chart these").click()
    assert f"{count} record" in page.locator("section.content strong").first.inner_text()


def test_a_state_of_the_map_leads_to_its_records(watched: Watched) -> None:
    page = watched.open("/-/charts")
    state = page.get_by_role("link", name="Massachusetts: 4 records")
    state.hover()
    assert page.locator(".tta-tip").inner_text() == "Massachusetts: 4 records"
    state.click()
    page.wait_for_url("**/tta/records?*")
    assert page.locator(".tta-toolbar strong").inner_text() == "4 records"


def test_a_chart_is_made_and_taken_away(watched: Watched) -> None:
    page = watched.open("/-/chart")
    page.get_by_label("Split by").select_option("Program areas")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**_split=program_areas*")
    assert page.locator("h1").inner_text() == "Records by fiscal year and program area"
    assert page.locator(".tta-picture circle").count() > 20
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PNG").click()
    assert download.value.suggested_filename.startswith("records-by-fiscal-year-and-program-area-20")
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    page.go_back()
    page.wait_for_load_state("networkidle")
    assert page.get_by_label("Split by").input_value() == "", "the form says what the page shows"


def test_search_from_the_home_page_marks_what_it_found(watched: Watched) -> None:
    page = watched.open("/")
    page.get_by_label("Search all texts").fill('overdose "review team"')
    page.keyboard.press("Enter")
    page.wait_for_url("**/-/search?*")
    assert page.locator("mark").count()
    page.get_by_role("link", name="Fields").click()
    page.wait_for_load_state("networkidle")
    page.locator(".tta-hits a").first.click()
    page.wait_for_url("**/tta/records/*")


def test_texts_of_pages_run_nothing(context: BrowserContext, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    fields = {"TTA Title": hostile, "County": hostile, "Event Location Geo": "POINT (-71.05 42.35)"}
    folders = loaded(tmp_path, [page_of(html(fields, node=7, title=hostile, body=hostile), url=node(7), when=day(1))])
    with serving(folders) as address:
        watched = Watched(context.new_page(), address)
        for path in ("/tta/records", "/tta/records/7", "/tta/fields", "/-/map"):
            page = watched.open(path)
            if path == "/-/map":
                page.locator(".tta-mark").click()
                assert page.locator(".leaflet-popup-content a").inner_text() == hostile
            assert page.title() != "run"
        watched.page.close()
    watched.check()


PICTURES = {
    "home": "/",
    "records": "/tta/records",
    "map": "/-/map",
    "record": "/tta/records/900000004",
    "charts": "/-/charts",
    "chart": "/-/chart?_by=fiscal_year&_split=program_areas&place_state=Texas",
    "charts-states": "/-/chart?_by=place_state",
    "search": "/-/search?q=wellness+court",
    "question": "/tta/emerging_needs?program_area=Law+Enforcement",
}
"""What the README and the guides show, and where it is."""


@pytest.mark.skipif(os.environ.get("TTA_SCREENSHOTS") != "1", reason="pictures are taken when asked: make screenshots")
def test_take_the_pictures(watched: Watched) -> None:
    watched.page.set_viewport_size({"width": 1000, "height": 760})
    for name, path in PICTURES.items():
        page = watched.open(path)
        page.wait_for_timeout(500)
        file = ROOT / "docs" / "images" / f"{name}.png"
        watched.page.screenshot(path=file)
        assert file.stat().st_size < 150_000
