"""`tta serve`: its settings, headers and pages, as asked of Datasette itself; and its behaviour as a process."""

from __future__ import annotations

import asyncio
import re
import socket
import sqlite3
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import yaml
from datasette.app import Datasette

from scraper.config import Config, Serve, as_toml, load_config
from scraper.database.contacts import cleared_copy
from scraper.database.tables import BY_NAME, TABLES, VIEWS
from scraper.errors import TtaError, WrongUsage
from scraper.folders import Folders
from scraper.serve import SETTINGS, application
from tests.dbkit import day, html, loaded, node, page
from tests.webkit import ROOT, Site, demo, serving, start

HOSTILE = "<script>alert('title')</script>"
REAL = "20250129-145639-07"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def site(folders: Folders) -> Site:
    return Site(folders.database)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Site:
    fields = {"TTA Title": HOSTILE, "County": '"><img src=x onerror=alert(1)>', "TTA Program Area": [HOSTILE, "Law"]}
    made = page(html(fields, node=7, title=HOSTILE, body=HOSTILE, submitted=HOSTILE), url=node(7), when=day(1))
    folders = loaded(tmp_path_factory.mktemp("hostile"), [made])
    with closing(sqlite3.connect(folders.database)) as db, db:
        db.execute("UPDATE fields SET href = 'javascript:alert(1)' WHERE label = 'County'")
        db.execute("UPDATE fields SET href = 'mailto:a@example.org' WHERE label = 'TTA Source'")
        db.execute("UPDATE records SET url = ' javascript:alert(2)//'")
    return Site(folders.database)


def test_settings_are_in_force(site: Site) -> None:
    assert SETTINGS.items() <= site.json("/-/settings.json").items()


def test_home_page_stands_where_looking_for_made_up_captures_takes_too_long(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "This is the demo" in Site(folders.database).get("/").text
    monkeypatch.setattr(
        "scraper.explore.home._DEMO", "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"
    )
    answer = Site(folders.database, Serve(query_seconds=0.3)).get("/")
    assert (answer.status_code, "61" in answer.text, "This is the demo" in answer.text) == (200, True, False)


def test_no_file_of_the_database_can_be_downloaded(site: Site) -> None:
    assert site.get("/tta.db").status_code == 403


def test_nothing_can_be_written(site: Site) -> None:
    answer = site.get(f"/tta.json?sql={quote('delete from records')}")
    assert answer.status_code == 400
    assert site.json("/tta.json?sql=select+count(*)+as+n+from+records&_shape=array") == [{"n": 61}]


def test_long_queries_are_cut_off(site: Site) -> None:
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"
    assert site.get(f"/tta.json?sql={quote(endless)}").status_code == 400


def test_how_long_a_query_may_take_is_configured(folders: Folders, site: Site) -> None:
    assert site.json("/-/settings.json")["sql_time_limit_ms"] == 1000
    some = "with recursive n(x) as (select 1 union all select x + 1 from n limit 1000000) select count(*) from n"
    assert Site(folders.database, Serve(query_seconds=0.1)).get(f"/tta.json?sql={quote(some)}").status_code == 400
    patient = Site(folders.database, Serve(query_seconds=60))
    assert patient.get(f"/tta.json?sql={quote(some)}").status_code == 200
    settings = patient.json("/-/settings.json")
    assert (settings["sql_time_limit_ms"], settings["facet_time_limit_ms"]) == (60_000, 60_000)


@pytest.mark.parametrize("path", ["/", "/tta", "/tta/records", f"/tta/records/{REAL}", "/-/map", "/tta/records.json", "/nowhere"])
def test_every_answer_has_the_headers(site: Site, path: str) -> None:
    headers = site.get(path).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in policy["script-src"]
    assert policy["img-src"] == "'self' data:"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_tiles_are_the_only_other_host(folders: Folders) -> None:
    site = Site(folders.database, Serve(tile_url="https://tiles.example.org/{z}/{x}/{y}.png", tile_attribution="<b>us</b>"))
    answer = site.get("/-/map")
    assert "img-src 'self' data: https://tiles.example.org;" in answer.headers["content-security-policy"]
    assert 'data-tiles="https://tiles.example.org/{z}/{x}/{y}.png"' in answer.text
    assert "&lt;b&gt;us&lt;/b&gt;" in answer.text


def test_robots_are_blocked(site: Site) -> None:
    assert site.get("/robots.txt").text.split("\n") == ["User-agent: *", "Disallow: /"]


@pytest.mark.parametrize("name", [table.name for table in TABLES])
def test_every_column_is_described(site: Site, name: str) -> None:
    text = site.get(f"/tta/{name}").text
    described = re.findall(r"<dt>(\w+)</dt>", text)
    assert set(BY_NAME[name].columns) <= set(described)


def test_search_finds_and_says_so(site: Site) -> None:
    found = site.json("/tta/records.json?_search=deflection&_shape=array")
    assert REAL in {row["record_id"] for row in found}
    assert 0 < len(found) < 61


def test_facets_count(site: Site) -> None:
    facets = site.json("/tta/records.json?_facet_size=max")["facet_results"]
    assert set(facets) == {
        "fiscal_year",
        "status",
        "program_areas",
        "agency_types",
        "place_state",
        "evidence_based",
        "emerging_need",
    }
    assert sum(one["count"] for one in facets["fiscal_year"]["results"]) == 61
    assert {one["value"] for one in facets["program_areas"]["results"]} >= {"Law Enforcement"}


def test_facets_of_lists_follow_filters_and_count_records_once(site: Site) -> None:
    courts_before = "value = 'Courts' and fiscal_year < 2021"
    query = f"select count(distinct record_id) as n from records, json_each(agency_types) where {courts_before}"
    ((expected,),) = [row.values() for row in site.json(f"/tta.json?sql={quote(query)}&_shape=array")]
    facets = site.json("/tta/records.json?fiscal_year__lt=2021&_facet_size=max")["facet_results"]["agency_types"]
    (courts,) = [one for one in facets["results"] if one["value"] == "Courts"]
    assert (courts["count"], courts["selected"], facets["type"]) == (expected, False, "array")
    chosen = site.json(courts["toggle_url"].partition("localhost")[2].replace("/tta/records?", "/tta/records.json?"))
    assert chosen["filtered_table_rows_count"] == expected
    (again,) = [one for one in chosen["facet_results"]["agency_types"]["results"] if one["value"] == "Courts"]
    assert again["selected"]
    assert "Courts" not in again["toggle_url"]


def test_internal_tables_are_hidden(site: Site) -> None:
    found = site.json("/tta.json")
    shown = {table["name"] for table in found["tables"] if not table["hidden"]}
    views = {view["name"] for view in found["views"]}
    assert shown | views == {one.name for one in (*TABLES, *VIEWS)} - {"program"}


def _columns(text: str) -> list[str]:
    return re.findall(r'<th [^>]*data-column="(\w+)"', text)


def test_table_shows_the_first_columns_or_those_asked_for(site: Site) -> None:
    shown = _columns(site.get("/tta/records").text)
    assert shown[:2] == ["tta_title", "fiscal_year"]
    assert "description" not in shown
    assert "description" in _columns(site.get("/tta/records?_columns=all").text)
    assert _columns(site.get("/tta/records?_col=county").text) == ["record_id", "county"]


def test_record_page_shows_all_of_the_record(site: Site) -> None:
    text = site.get(f"/tta/records/{REAL}").text
    for shown in ("Exploring the Value", "Hope Fiori", "Deliverable Markup for Questions", "Suffolk County", "not captured"):
        assert shown in text
    assert "Invented." not in text
    assert 'id="capture-1"' in text
    assert site.get("/tta/records/nobody").status_code == 404


def test_record_page_of_the_demo_says_that_it_is_made_up(site: Site) -> None:
    text = site.get("/tta/records/900000001").text
    assert "Invented." in text
    assert "Milestone 2" in text
    assert "<del>In Progress</del> became <ins>On Hold</ins>" in text


@pytest.mark.parametrize(
    "path", ["/tta/records", "/tta/records?_columns=all", "/tta/records/7", "/tta/fields", "/-/map", "/tta/captures"]
)
def test_text_of_pages_is_never_markup(hostile: Site, path: str) -> None:
    text = hostile.get(path).text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert not re.search(r'href="\s*javascript:', text)


def test_only_harmless_links_can_be_followed(hostile: Site) -> None:
    text = hostile.get("/tta/records/7").text
    assert 'href="mailto:a@example.org"' in text
    assert "Original page" not in text
    assert 'href="mailto:a@example.org"' in hostile.get("/tta/fields").text


def test_filters_are_never_markup(site: Site) -> None:
    text = site.get(f"/-/map?county={quote(HOSTILE)}&_search={quote(HOSTILE)}").text
    assert "<script>alert" not in text


def test_server_runs_anywhere_and_sees_a_refresh(tmp_path: Path) -> None:
    folders = loaded(tmp_path / "data", [page(html({}, node=1), url=node(1), when=day(1))])
    with serving(folders, cwd=tmp_path) as address:
        assert [row["record_id"] for row in httpx.get(f"{address}tta/records.json?_shape=array").json()] == ["1"]
        loaded(tmp_path / "data", [page(html({}, node=2), url=node(2), when=day(2))])
        assert {row["record_id"] for row in httpx.get(f"{address}tta/records.json?_shape=array").json()} == {"1", "2"}
        assert httpx.get(address).headers["x-frame-options"] == "DENY"


def test_server_ends_well_when_told_to(folders: Folders) -> None:
    server = start(folders, "--port", "0")
    assert server.stdout is not None
    assert server.stdout.readline().startswith("http://127.0.0.1:")
    server.terminate()
    _, errors = server.communicate(timeout=30)
    assert (server.returncode, errors) == (0, "")


def _fails(folders: Folders, *options: str) -> str:
    server = start(folders, *options)
    out, errors = server.communicate(timeout=30)
    assert (server.returncode, out) == (1, "")
    assert errors.count("\n") == 1
    return errors


def test_no_database_is_one_line(tmp_path: Path) -> None:
    assert "run `tta load`" in _fails(Folders(tmp_path))


def test_port_in_use_is_one_line(folders: Folders) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} is in use" in _fails(folders, "--port", str(port))


CONTACTS = ("Hope Fiori", "Ocean Kestrel", "Quill Marlowe", "quill.marlowe@example.org", "555-0100")
"""People of the page below: the submitter, the point of contact, and the agency's contact in fields of their own."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    fields: dict[str, str | list[str]] = {
        "TTA Title": "Help for courts",
        "Type of Agency": ["Courts", "Prosecution"],
        "TTA Point of Contact": ["Ocean Kestrel"],
        "BJA Grant Manager": "Ocean Kestrel",
        "Contact Name": "Quill Marlowe",
        "Email Address": "quill.marlowe@example.org",
        "Something Unheard Of": "202-555-0100",
    }
    other = fields | {"TTA Point of Contact": ["Quill Marlowe"]}
    pages = [page(html(one, node=5), url=node(5), when=day(number)) for number, one in enumerate((fields, other), start=1)]
    return loaded(tmp_path_factory.mktemp("people"), pages)


def _crawl(get: Callable[[str], httpx.Response], start: str, most: int) -> dict[str, str]:
    """The pages that links lead to, from one on, by address: of each page a few of its filters, so that all kinds are met."""
    found: dict[str, str] = {}
    waiting = [start]
    asked: Counter[str] = Counter()
    while waiting and len(found) < most:
        path = waiting.pop(0)
        kind = re.sub(r"/[^/]*\d[^/]*$", "/row", path.partition("?")[0])
        if path in found or asked[kind] >= 4:
            continue
        asked[kind] += 1
        answer = get(path)
        assert answer.status_code in (200, 302), (path, answer.status_code)
        found[path] = answer.text
        if "html" in answer.headers.get("content-type", ""):
            hrefs = map(unescape, re.findall(r'(?:href|src)="([^"#]+)', answer.text))
            waiting += [href.removeprefix("http://localhost") for href in hrefs if re.match(r"/|http://localhost/", href)]
    return found


def test_contacts_are_nowhere_when_left_out(people: Folders) -> None:
    with cleared_copy(people.database) as made:
        site = Site(made.path, Serve(contacts=False))
        found = _crawl(site.get, "/", 600)
        assert "/tta/records/5" in found
        assert any(".csv" in path for path in found)
        everything = ["/tta/records.csv?_stream=on", "/tta/fields.json?_size=max", "/tta/changes.csv", "/tta/records/5.json"]
        everything += [f"/tta.json?sql={quote(f'select * from {name}')}" for name in ("records_fts", "fields_fts", "fields")]
        everything += [f"/-/search?q={quote(word)}&in={where}" for word in CONTACTS for where in ("records", "fields")]
        found |= {path: site.get(path).text for path in everything}
        for path, text in found.items():
            asked = {"Hope", "Quill", "Ocean"} if path.startswith("/-/search") else set()
            shown = [name for name in CONTACTS if name in text]
            assert not shown or asked, (path, shown)
        assert not re.search(r"<mark>", "".join(text for path, text in found.items() if path.startswith("/-/search?q=Hope")))
        assert "Submitter left out here" in found["/tta/records/5"]
        raw = made.path.read_bytes()
        assert [name for name in CONTACTS if name.encode() in raw] == []
    assert not made.path.exists()
    assert "Hope Fiori" in Site(people.database).get("/tta/records/5").text


def test_a_copy_follows_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = loaded(tmp_path / "data", [page(html({}, node=1), url=node(1), when=day(1))])
    with cleared_copy(folders.database) as made:
        reader = Site(made.path)
        assert len(reader.json("/tta/records.json?_shape=array")) == 1
        assert not made.renew()
        loaded(tmp_path / "data", [page(html({}, node=2), url=node(2), when=day(2))])
        assert made.renew()
        assert len(reader.json("/tta/records.json?_shape=array")) == 2
    monkeypatch.setattr("scraper.database.contacts.remove", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(TtaError, match="TMPDIR"), cleared_copy(folders.database):
        pass


def test_server_without_contacts_sees_a_refresh(people: Folders, tmp_path: Path) -> None:
    config = tmp_path / "tta.toml"
    config.write_text("[serve]\ncontacts = false\n")
    with serving(people, config=config, quick=True) as address:
        assert "Hope Fiori" not in httpx.get(f"{address}tta/records/5").text
        loaded(people.data, [page(html({}, node=6, submitted="Hope Fiori"), url=node(6), when=day(2))])
        for _ in range(50):
            answer = httpx.get(f"{address}tta/records/6")
            if answer.status_code == 200:
                break
            time.sleep(0.2)
        assert answer.status_code == 200
        assert "Hope Fiori" not in answer.text


@pytest.mark.parametrize("passed_on", ["/help/tta/", "/"])
def test_pages_work_under_a_path(people: Folders, passed_on: str) -> None:
    """Whether the web server in front passes the path on or takes it off."""
    own = application(people.database, Serve(base_url="/help/tta/"))
    transport = httpx.ASGITransport(own.app())

    def get(path: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.get(passed_on + path.removeprefix("/help/tta/"))

        return asyncio.run(asked())

    found = _crawl(get, "/help/tta/", 60)
    assert len(found) > 40
    for path, text in found.items():
        addresses = [path, *re.findall(r'(?:href|src|action)="(?:http://localhost)?(/[^"]*)"', text)]
        assert [one for one in addresses if not one.startswith("/help/tta/") or "/help/tta/help" in one] == [], path


@pytest.mark.parametrize("path", ["tta/", "/tta", "//", "/a b/", "https://example.org/"])
def test_a_path_is_checked(tmp_path: Path, path: str) -> None:
    file = tmp_path / "tta.toml"
    file.write_text(f'[serve]\nbase_url = "{path}"\n')
    with pytest.raises(WrongUsage, match=r"serve\.base_url"):
        load_config(file)


def test_an_empty_search_is_no_error(site: Site) -> None:
    for path in (
        "/tta/records.json?_search=",
        "/tta/records.json?_search=&status=Completed",
        "/tta/records.json?status=Completed&_search=",
    ):
        asked = site.json(path)
        assert asked["filtered_table_rows_count"] == (26 if "status" in path else 61)


def test_array_facet_by_datasettes_name_is_the_quick_one(site: Site) -> None:
    found = site.json("/tta/records.json?fiscal_year=2023&_facet_array=special_populations&_facet_size=max")
    facet = found["facet_results"]["special_populations"]
    query = "select value, count(distinct record_id) from records, json_each(special_populations) "
    query += "where fiscal_year = 2023 group by 1"
    counted = {row[0]: row[1] for row in site.json(f"/tta.json?sql={quote(query)}")["rows"]}
    assert counted == {one["value"]: one["count"] for one in facet["results"] if one["value"] is not None}
    assert sum(counted.values()) > 0
    assert (facet["type"], facet["hideable"]) == ("array", True)
    assert facet["toggle_url"] == "/tta/records.json?fiscal_year=2023&_facet_size=max"


def test_every_link_of_the_demo_leads_somewhere(site: Site) -> None:
    found = _crawl(site.get, "/", 600)
    kinds = ("/-/charts", "/-/map", "/-/search", "/tta/records/", "/tta/captures/", "/tta/providers", "/tta/county_disagreements")
    assert [kind for kind in kinds if not any(path.startswith(kind) for path in found)] == []


def test_other_plugins_keep_their_settings_and_may_load_scripts_if_told(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "greeting.py").write_text(
        "from datasette import hookimpl, Response\n"
        "@hookimpl\n"
        "def register_routes():\n"
        "    return [('^/-/greeting$', lambda datasette: Response.text(datasette.plugin_config('greeting')['word']))]\n"
    )
    (tmp_path / "tta.toml").write_text(
        '[serve]\ncontent_security_policy = false\n[serve.plugins.greeting]\nword = "hello"\nmore = [1, {a = 2}]\n'
    )
    settings = load_config(tmp_path / "tta.toml").serve
    assert tomllib.loads("\n".join(as_toml(Config(serve=settings))))["serve"]["plugins"]["greeting"]["more"] == [1, {"a": 2}]
    datasette = application(folders.database, settings, tmp_path / "plugins")
    answer = asyncio.run(datasette.client.get("/-/greeting"))
    assert answer.text == "hello" and "content-security-policy" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    with pytest.raises(WrongUsage, match=r"serve\.plugins: must be a table"):
        (tmp_path / "tta.toml").write_text("[serve]\nplugins = 1\n")
        load_config(tmp_path / "tta.toml")


@pytest.mark.parametrize(
    "path", ["/", "/tta/records", "/tta/records/900000001", "/-/charts", "/tta/areas_by_year", "/tta/dictionary"]
)
def test_datasette_alone_shows_the_pages(folders: Folders, path: str) -> None:
    """As in `datasette data/tta.db -m metadata.yml`."""
    metadata = yaml.safe_load((ROOT / "metadata.yml").read_text())
    answer = asyncio.run(Datasette([str(folders.database)], metadata=metadata).client.get(path))
    assert answer.status_code == 200 and "explore.css" in answer.text
