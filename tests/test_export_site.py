"""The saved site, as a person sees it in a browser: from a disk, and from a plain web server under a path."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from selectolax.lexbor import LexborHTMLParser

from scraper.cli import main
from scraper.database.connection import reading
from scraper.export import manifest
from scraper.export.run import export
from scraper.export.search_files import words_of
from scraper.export.selection import Selection
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page, query
from tests.exportkit import shown_text
from tests.webkit import CHROMIUM, REQUIRED, Watched, browser, demo

needs_browser = pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="no Chromium here")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def site(folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site") / "under" / "a path"
    with reading(folders.database) as db:
        export("site", db, out, Selection(contacts=False))
    return out


def pages(site: Path) -> dict[str, LexborHTMLParser]:
    return {path.relative_to(site).as_posix(): LexborHTMLParser(path.read_bytes()) for path in sorted(site.rglob("*.html"))}


def test_every_record_and_question_has_a_page_and_every_link_leads_to_a_file(folders: Folders, site: Path) -> None:
    saved = pages(site)
    assert {f"tta/records/{one}.html" for (one,) in query(folders, "SELECT record_id FROM records")} <= set(saved)
    assert {"index.html", "records.html", "charts.html", "map.html", "tta/dictionary.html", "tta/areas_by_year.html"} <= set(
        saved
    )
    for name, tree in saved.items():
        for link in tree.css("[href], [src]"):
            address = link.attributes.get("href") or link.attributes.get("src") or ""
            parts = urlsplit(address)
            if parts.scheme or not parts.path:
                continue
            assert not parts.path.startswith("/") and not parts.query, (name, address)
            assert ((site / name).parent / unquote(parts.path)).is_file(), (name, address)
        assert not tree.css("form:not([role=search]), script[type=module]"), name


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    for name, tree in pages(site).items():
        loaded = [
            one.attributes.get("src") or one.attributes.get("href") for one in tree.css("script[src], link[href], img[src]")
        ]
        assert not [address for address in loaded if urlsplit(address or "").netloc], name


def test_an_unchanged_database_gives_the_same_bytes_and_files_stay(folders: Folders, site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "again")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "again").rglob("*") if path.is_file()}
    with reading(folders.database) as db:
        export("site", db, tmp_path / "again", Selection(contacts=False))
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "again").rglob("*") if path.is_file()}
    assert {path.name for path in after if after[path] != before.get(path)} == {"MANIFEST.json"}
    assert manifest.verify(tmp_path / "again")[0] == len(after) - 1


def test_contacts_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    fields: dict[str, str | list[str]] = {
        "TTA Point of Contact": "Zeph Quill",
        "Help Desk": "zeph@example.org",
        "County": "Kings",
    }
    folders = loaded(tmp_path / "data", [page(html(fields, submitted="Zephira Umbo"), url=node(1), when=day(0))])
    found = {}
    for option in ("", "--with-contacts"):
        with pytest.raises(SystemExit) as left:
            main(["--data", str(folders.data), "export", "site", str(tmp_path / f"site{option}"), *filter(None, [option])])
        assert left.value.code == 0
        found[option] = shown_text(tmp_path / f"site{option}")
    assert "zeph" not in found[""].lower() and "Kings" in found[""]
    assert all(one in found["--with-contacts"] for one in ("Zeph Quill", "zeph@example.org", "Zephira Umbo"))


@pytest.mark.parametrize("option", ["--where=1", "--table=records", "--columns=title"])
def test_a_site_shows_all_records(folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--data", str(folders.data), "export", "site", str(tmp_path / "site"), option])
    assert left.value.code == 2 and "all records" in capsys.readouterr().err


def test_machines_find_a_description_of_the_data_and_of_each_record(folders: Folders, site: Path) -> None:
    def told(name: str) -> dict[str, object]:
        (script,) = LexborHTMLParser((site / name).read_bytes()).css('script[type="application/ld+json"]')
        found: dict[str, object] = json.loads(script.text())
        return found

    data = told("index.html")
    assert data["@type"] == ["Dataset", "dcat:Dataset"] and str(data["license"]).startswith("https://")
    for file in data["distribution"]:  # type: ignore[attr-defined]
        assert (site / file["contentUrl"]).stat().st_size == file["dcat:byteSize"]
    record = told("tta/records/900000001.html")
    assert record["@type"] == "CreativeWork" and "20170224-101003-40" in record["identifier"]  # type: ignore[operator]


def test_words_are_looked_up_without_case_and_accents() -> None:
    assert words_of("Doña Ana's 24-hour COURTS, a") == {"dona", "ana", "24", "hour", "courts"}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A plain web server; the site is under a path with a space."""
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/under/a%20path"
    finally:
        server.shutdown()
        server.server_close()


@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("way", ["disk", "server"])
def test_a_person_finds_and_counts_records_without_a_server_of_ours(
    folders: Folders, site: Path, tmp_path: Path, way: str
) -> None:
    with browser(tmp_path / "profile") as context, served(site.parents[1]) as address:
        seen = Watched(context.pages[0], site.as_uri() if way == "disk" else address)
        shown = seen.open("/index.html")
        shown.get_by_label("Search all texts").fill("reentry")
        shown.get_by_role("button", name="Search").click()
        first = shown.locator(".tta-hits a").first
        expect(first).to_contain_text(re.compile("reentry", re.I))
        first.click()
        expect(shown.locator("h1")).to_contain_text(re.compile("reentry", re.I))
        courts = query(folders, "SELECT count(*) FROM records, json_each(agency_types) WHERE value = 'Courts'")[0][0]
        shown = seen.open("/records.html#agency_types__arraycontains=Courts")
        expect(shown.get_by_role("status")).to_contain_text(f"{courts} records with agency types Courts")
        shown = seen.open("/records.html#nonesuch=1")
        expect(shown.locator(".tta-notice")).to_contain_text("nonesuch=1")
        shown = seen.open("/charts.html")
        shown.locator('svg a[href*="fiscal_year"]').first.click()
        expect(shown.get_by_role("status")).to_contain_text("with fiscal year")
        shown = seen.open("/map.html")
        shown.wait_for_selector(".tta-map[data-ready='61']")
        shown = seen.open("/tta/dictionary.html")
        expect(shown.locator("table")).to_contain_text("evidence_based")
        seen.check()


@needs_browser
@pytest.mark.browser
def test_the_saved_pages_are_accessible(site: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as context:
        seen = Watched(context.pages[0], site.as_uri())
        for name in ("index", "records", "charts", "map", "tta/records/900000001", "tta/dictionary", "tta/areas_by_year"):
            shown = seen.open(f"/{name}.html")
            if name == "records":
                shown.wait_for_selector("#tta-found[data-ready]")
            found = Axe().run(shown).response["violations"]
            assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == [], name
