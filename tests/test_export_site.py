"""The saved site, as a person sees it in a browser: from a disk, and from a plain web server under a path."""

from __future__ import annotations

import csv
import fcntl
import json
import multiprocessing
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from rdflib import DCAT, RDF, Graph
from selectolax.lexbor import LexborHTMLParser

from scraper import serve
from scraper.database.connection import reading
from scraper.errors import TtaError
from scraper.export import manifest
from scraper.export.run import export
from scraper.export.selection import Selection
from scraper.export.site import _PATTERN, COMPARED, Site, words_of
from scraper.folders import Folders
from tests.commandkit import tta
from tests.dbkit import day, exported, html, loaded, node, page, query
from tests.exportkit import shown_text
from tests.webkit import CHROMIUM, REQUIRED, Watched, browser

needs_browser = pytest.mark.skipif(CHROMIUM is None and not REQUIRED, reason="no Chromium here")
MOST_ROWS = 100
_AXE = "index records charts codebook tta/records/900000001 tta/areas_by_year".split()
"""Pages that a site changes; `test_browser` checks the templates of all."""


@pytest.fixture(scope="session")
def site(demo_folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's site, of whose tables no page shows more than 100 rows; made once for all processes of a run."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "site"
    folder.mkdir(exist_ok=True)
    out = folder / "under" / "a path"
    with (folder / "lock").open("w") as lock, reading(demo_folders.database) as db, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        patch.setitem(serve.SETTINGS, "max_returned_rows", MOST_ROWS)
        if not out.exists():
            export("site", db, out, Selection(contacts=False))
    return out


def pages(site: Path) -> dict[str, LexborHTMLParser]:
    return {path.relative_to(site).as_posix(): LexborHTMLParser(path.read_bytes()) for path in sorted(site.rglob("*.html"))}


def test_every_record_and_question_has_a_page_and_every_link_leads_to_a_file_of_the_site(
    demo_folders: Folders, site: Path
) -> None:
    saved = pages(site)
    assert {f"tta/records/{one}.html" for (one,) in query(demo_folders, "SELECT record_id FROM records")} <= set(saved)
    assert {"index.html", "records.html", "charts.html", "map.html", "tta/dictionary.html", "tta/areas_by_year.html"} <= {*saved}
    columns = json.loads(re.findall(r'"columns":(\[.*?\])', (site / "search" / "about.js").read_text())[0])
    applied = re.compile(rf"({'|'.join(columns)})(__({'|'.join(COMPARED)}|isnull|notnull))?")
    for name, tree in saved.items():
        for link in tree.css("[href], [src]"):
            address = link.attributes.get("href") or link.attributes.get("src") or ""
            parts = urlsplit(address)
            assert not parts.netloc or (link.tag == "a" and parts.netloc != "localhost"), (name, address)
            if parts.scheme or address.startswith("#"):
                continue
            assert parts.path and not parts.path.startswith("/") and not parts.query, (name, address)
            conditions = parse_qsl(parts.fragment) if parts.path.endswith("records.html") else []
            assert all(applied.fullmatch(condition) for condition, _ in conditions), (name, address)
            assert ((site / name).parent / unquote(parts.path)).is_file(), (name, address)
        assert not tree.css("form:not([role=search]), script[type=module]"), name


def test_a_record_page_has_all_values_and_says_once_what_it_repeats(demo_folders: Folders, site: Path) -> None:
    values = query(demo_folders, "SELECT record_id, value FROM fields WHERE value IS NOT NULL AND NOT contact")
    forms = " ".join(LexborHTMLParser((site / "tta/dictionary.html").read_bytes()).text().split())
    sections = query(demo_folders, "SELECT DISTINCT record_id, text FROM sections")
    texts = {}
    for path in (site / "tta/records").iterdir():
        shown = path.read_text(encoding="utf-8")
        texts[path.stem] = " ".join(unescape(re.sub(r"<[^>]*>", "", shown)).split())
        marks = re.findall(r"<a class=tta-source href=#capture-(\d+)", shown)
        (most,) = re.findall(r"A value without a number was read from capture (\d+)\.", shown) or [""]
        assert most not in marks and (most or not marks)
    assert not [one for one in values if " ".join(one[1].split()) not in texts[one[0]]]
    assert not [one for one in sections if one[1] and " ".join(one[1].split()) not in texts[one[0]] + forms]
    assert sum(path.stat().st_size for path in (site / "tta/records").iterdir()) < 9_000 * len(texts)


def test_a_table_that_a_page_does_not_show_in_full_leads_to_all_its_rows(site: Path) -> None:
    (note,) = re.findall(r"(\d+) of (\d+) rows are shown\. <a[^>]*href=([^ >]*)", (site / "tta/dictionary.html").read_text())
    with (site / "tta" / note[2]).open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    assert (int(note[0]), int(note[1])) == (MOST_ROWS, len(rows) - 1)
    for name in ("tta/organizations", "tta/areas_by_year"):
        assert f"href={Path(name).name}.csv" in (site / f"{name}.html").read_text()


def test_contacts_are_left_out_unless_asked_for_and_unchanged_pages_keep_their_bytes(tmp_path: Path) -> None:
    fields: dict[str, str | list[str]] = {
        "TTA Point of Contact": "Zeph Quill",
        "Help Desk": "zeph@example.org",
        "County": "Kings",
    }
    folders = loaded(tmp_path / "data", [page(html(fields, submitted="Zephira Umbo"), url=node(1), when=day(0))])

    def exported(*options: str) -> str:
        assert tta("--data", folders.data, "export", "site", tmp_path / "site", *options).status == 0
        return shown_text(tmp_path / "site")

    shown = exported()
    assert "zeph" not in shown.lower() and "Kings" in shown
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*") if path.is_file()}
    exported()
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert {path.name for path in after if after[path] != before.get(path)} == {"MANIFEST.json"}
    assert manifest.verify(tmp_path / "site")[0] == len(after) - 1
    shown = exported("--with-contacts")
    assert all(one in shown for one in ("Zeph Quill", "zeph@example.org", "Zephira Umbo"))


def test_a_new_record_changes_no_page_of_another_but_the_one_that_leads_to_it_as_the_next(tmp_path: Path) -> None:
    made = [
        page(html({"County": county}, node=n, title=county, body=f"{county} " * 9), url=node(n), when=day(30))
        for n, county in enumerate("Kings Queens Bronx Richmond Nassau".split(), start=1)
    ]
    saved = []
    for count in (4, 5):
        exported("site", loaded(tmp_path / f"data{count}", made[:count]), tmp_path / f"site{count}", Selection(contacts=False))
        saved.append({path.name: path.read_bytes() for path in (tmp_path / f"site{count}/tta/records").iterdir()})
    assert {name for name, content in saved[1].items() if saved[0].get(name) != content} == {"4.html", "5.html"}


@pytest.mark.usefixtures("forked")
def test_a_page_that_ends_its_worker_ends_the_export_and_leaves_nothing(
    demo_folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(self: Site, records: list[str], saves: Any = Site.save_records) -> None:
        if "900000001" in records and multiprocessing.parent_process():
            os._exit(1)
        await saves(self, records)

    monkeypatch.setattr("scraper.export.site._AT_A_TIME", 20)
    monkeypatch.setattr(Site, "save_records", dies)
    with pytest.raises(TtaError, match="the page of 900000001 can't be saved"):
        exported("site", demo_folders, tmp_path / "out" / "site", Selection(contacts=False))
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("option", ["--where=1", "--table=records", "--columns=title"])
def test_a_site_shows_all_records(demo_folders: Folders, tmp_path: Path, option: str) -> None:
    ran = tta("--data", demo_folders.data, "export", "site", tmp_path / "site", option)
    assert (ran.status, "all records" in ran.err) == (2, True)


def test_machines_find_a_description_of_the_data_and_of_each_record(site: Path) -> None:
    def told(name: str) -> dict[str, object]:
        (script,) = LexborHTMLParser((site / name).read_bytes()).css('script[type="application/ld+json"]')
        found: dict[str, object] = json.loads(script.text())
        return found

    data = told("index.html")
    assert data["@type"] == ["Dataset", "dcat:Dataset"] and data["name"] == data["dct:title"]
    assert str(data["license"]).startswith("https://") and data["dct:license"] == {"@id": data["license"]}
    for file in data["distribution"]:  # type: ignore[attr-defined]
        assert (site / file["contentUrl"]).stat().st_size == file["dcat:byteSize"]
    graph = Graph().parse(data=json.dumps(data), format="json-ld", publicID="https://example.org/")
    (described,) = graph.subjects(RDF.type, DCAT.Dataset)
    urls = [str(graph.value(one, DCAT.downloadURL)) for one in graph.objects(described, DCAT.distribution)]
    assert len(urls) > 20 and all((site / unquote(urlsplit(url).path[1:])).is_file() for url in urls)
    record = told("tta/records/900000001.html")
    assert record["@type"] == "CreativeWork" and "20170224-101003-40" in record["identifier"]  # type: ignore[operator]


@pytest.mark.parametrize("name", _PATTERN)
def test_a_page_with_a_long_text_is_saved_soon(name: str) -> None:
    began = time.process_time()
    _PATTERN[name].sub("", f"<p>{'a word ' * 5_000}</p>")
    assert time.process_time() - began < 1, "a pattern that looks at the text again from each letter on takes longer"


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
def test_a_person_finds_and_counts_records_on_a_disk_without_a_server(demo_folders: Folders, site: Path, tmp_path: Path) -> None:
    with browser(tmp_path / "profile") as context:
        seen = Watched(context.pages[0], site.as_uri())

        def asked(words: str = "", **chosen: str) -> str:
            seen.open("/index.html").get_by_label("Search all texts").fill(words)
            seen.page.get_by_role("button", name="Search").click()
            for label, value in chosen.items():
                seen.page.get_by_label(label.replace("_", " ")).select_option(value)
            seen.page.get_by_role("button", name="Search").click()
            return re.sub(r"\d+", "{n}", seen.page.get_by_role("status").inner_text())

        expect(seen.open("/charts.html").get_by_role("link", name="Choose records")).to_be_visible()
        seen.page.get_by_role("link", name="Records by program area and fiscal year").first.click()
        seen.page.get_by_role("link", name="As lines over time").click()
        picture = seen.page.get_by_role("link", name="Download SVG").get_attribute("href") or ""
        assert '<line class="tta-l1"' in (site / "charts" / picture).read_text() and seen.page.locator("svg .tta-l1").count()
        shown = seen.page
        assert asked("(opioid OR nonesuch) -webinar https://bjatta.bja.ojp.gov/node/900000001").startswith("No matches")
        assert asked("opioid", State_where_delivered="Texas") == "{n} records with “opioid”, state where delivered Texas"
        shown.get_by_text("Count these records").click()
        expect(shown.get_by_role("table")).to_contain_text("Harris County Behavioral Health")
        asked(Fiscal_year="2024", Emerging_need="Yes")
        with shown.expect_download() as saved:
            shown.get_by_role("button", name="Download CSV").click()
        count = len(saved.value.path().read_text(encoding="utf-8-sig").splitlines()) - 1
        expected = "SELECT count(*), count(latitude) FROM records WHERE fiscal_year = 2024 AND emerging_need"
        assert query(demo_folders, expected) == [(count, count)]
        context.new_page().goto(shown.url)  # as another person opens it
        shown.get_by_role("link", name="On a map").click()
        shown.wait_for_selector(f".tta-map[data-ready='{count}'] path.tta-shade-5")
        shown.get_by_role("link", name="By state", exact=True).click()
        expect(shown.locator(".tta-with-insets + details")).to_contain_text("Texas")  # of the filter, not of all records
        expect(context.pages[1].get_by_role("status")).to_have_text(f"{count} records with fiscal year 2024, emerging need Yes")
        context.pages[1].get_by_role("link", name="How complete is this?").click()
        expect(context.pages[1].locator("#complete")).to_be_in_viewport()
        seen.open("/tta/organizations.html").get_by_role("link", name="Northern Lights").click()
        days = shown.locator("#milestones ~ ol time").all_inner_texts()
        assert len(days) > 20 and days == sorted(days, reverse=True)
        seen.open("/new.html").get_by_role("link", name="Crisis Co-Responder Model Design").first.click()
        expect(shown.locator("#changes + ol")).to_contain_text("became")
        shown.get_by_label("On this page").get_by_role("link", name="Similar records").click()
        shown.locator("#similar ~ .tta-list a").first.click()
        shown.get_by_role("navigation").get_by_role("link", name="Search").click()
        assert asked("harrris behavoral").endswith("Did you mean harris behavioral?")
        shown.get_by_role("status").get_by_role("link").click()
        expect(shown.locator(".tta-hits")).to_contain_text("Harris County Behavioral Health")
        shown = seen.open("/records.html#nonesuch=1&q=%22courts%22")
        expect(shown.locator(".tta-notice")).to_contain_text("nonesuch=1, quotation marks")
        seen.check()


@needs_browser
@pytest.mark.browser
def test_pages_of_a_plain_web_server_show_their_records_and_pass_an_accessibility_check(site: Path, tmp_path: Path) -> None:
    some = [next((site / folder).glob("*.html")).relative_to(site) for folder in ("charts", "tta/organizations")]
    with browser(tmp_path / "profile") as context, served(site.parents[1]) as address:
        seen = Watched(context.pages[0], address)
        for name in (*(f"{one}.html" for one in _AXE), *map(str, some)):
            shown = seen.open(f"/{name}#q=opioid")
            if name == "records.html":
                shown.wait_for_selector("#tta-found[data-ready]")
                assert shown.locator(".tta-hits").count()
            found = Axe().run(shown).response["violations"]
            assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found] == [], name
        seen.check()
