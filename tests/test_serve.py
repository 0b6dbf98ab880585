"""`tta serve`: its settings, headers and pages, as asked of Datasette itself; and its behaviour as a process."""

import asyncio
import csv
import io
import re
import sqlite3
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import yaml
from datasette.app import Datasette
from datasette.database import QueryInterrupted
from selectolax.lexbor import LexborHTMLParser

from scraper.commands.fetch import as_toml
from scraper.config import Config, Serve, load_config
from scraper.database.contacts import cleared_copy
from scraper.database.tables import BY_NAME, TABLES, VIEWS
from scraper.errors import TtaError, WrongUsage
from scraper.explore.charts import DIMENSIONS
from scraper.explore.filters import QUERIES
from scraper.explore.lines import IS_1
from scraper.explore.metadata import LOOKS
from scraper.explore.middleware import GuardedDatabase
from scraper.folders import Folders
from scraper.serve import SETTINGS, application, serve
from tests.dbkit import day, html, loaded, node, page, query
from tests.webkit import ROOT, Site, demo, serving

HOSTILE = "<script>alert('title')</script>"
REAL = "20250129-145639-07"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Site:
    fields = {"TTA Title": HOSTILE, "County": '"><img src=x onerror=alert(1)>', "TTA Program Area": [HOSTILE, "Law"]}
    made = page(html(fields, node=7, title=HOSTILE, body=HOSTILE, submitted=HOSTILE), url=node(7), when=day(1))
    folders = loaded(tmp_path_factory.mktemp("hostile"), [made])
    with closing(sqlite3.connect(folders.database)) as db, db:
        db.execute("UPDATE fields_shared SET href = 'javascript:alert(1)' WHERE label = 'County'")
        db.execute("UPDATE fields_shared SET href = 'mailto:a@example.org' WHERE label = 'TTA Source'")
        db.execute("UPDATE records SET url = ' javascript:alert(2)//'")
    return Site(folders.database)


def test_settings_are_in_force(site: Site) -> None:
    assert SETTINGS.items() <= site.json("/-/settings.json").items()
    assert site.get("/tta.db").status_code == 403
    assert site.get("/robots.txt").text.split("\n") == ["User-agent: *", "Disallow: /"]
    patient = Site(settings=Serve(query_seconds=60)).json("/-/settings.json")
    assert (patient["sql_time_limit_ms"], patient["facet_time_limit_ms"]) == (60_000, 60_000)


def test_charts_that_take_too_long_are_left_out_of_the_home_page(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Counting reached the time limit" not in site.get("/").text
    endless = "(with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n)"
    monkeypatch.setitem(DIMENSIONS, "fiscal_year", DIMENSIONS["fiscal_year"]._replace(sql=endless))
    answer = Site(settings=Serve(query_seconds=0.3)).get("/")
    assert (answer.status_code, "61" in answer.text, "Counting reached the time limit" in answer.text) == (200, True, True)


def test_a_part_of_a_record_that_takes_too_long_is_named_and_there_once_it_does_not() -> None:
    site, (record,) = Site(settings=Serve(query_seconds=0.3)), query(demo(), "SELECT record_id FROM records")[0]
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    lacks = "Records with the same rare words: left out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(QUERIES["around"], "similar", endless)
        answer = site.get(f"/tta/records/{record}")
        assert (answer.status_code, lacks in answer.text, "<h1>" in answer.text) == (200, True, True)
    assert lacks not in site.get(f"/tta/records/{record}").text, "a page that lacks a part is not kept"


def test_facets_that_take_too_long_together_are_counted_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def execute(database: GuardedDatabase, sql: str, *args: Any, **options: Any) -> Any:
        if "WITH chosen" in sql:
            asked.append(sql.count("FROM chosen"))
            if asked[-1] > 1 or "place_state AS" in sql:
                raise QueryInterrupted(sqlite3.OperationalError("interrupted"), sql, {})
        return await plain(database, sql, *args, **options)

    plain = GuardedDatabase.execute
    whole = Site().json("/tta/records.json?_facet_size=max")["facet_results"]
    monkeypatch.setattr(GuardedDatabase, "execute", execute)
    site = Site()
    found = site.json("/tta/records.json?_facet_size=max")["facet_results"]
    first = LOOKS["records"]["facets"][:4]
    assert (asked, found) == ([7, *[1] * 5], {name: whole[name] for name in first})
    assert "Counting by State" in site.get("/tta/records").text


@pytest.mark.parametrize("path", ["/", "/tta/records", "/-/map", "/tta/records.json", "/nowhere"])
def test_every_answer_has_the_headers(site: Site, path: str) -> None:
    headers = site.get(path).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["connect-src"], policy["img-src"]) == ("'none'", "'self'", "'self' data:")
    assert "unsafe" not in policy["script-src"]
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


def test_tiles_are_the_only_other_host() -> None:
    answer = Site(settings=Serve(tile_url="https://tiles.example.org/{z}/{x}/{y}.png", tile_attribution="<b>us</b>")).get(
        "/-/map"
    )
    assert "img-src 'self' data: https://tiles.example.org;" in answer.headers["content-security-policy"]
    assert 'data-tiles="https://tiles.example.org/{z}/{x}/{y}.png"' in answer.text
    assert "&lt;b&gt;us&lt;/b&gt;" in answer.text


@pytest.mark.parametrize("name", [table.name for table in TABLES])
def test_every_column_is_described(site: Site, name: str) -> None:
    assert set(BY_NAME[name].columns) <= set(re.findall(r"<dt>(\w+)</dt>", site.get(f"/tta/{name}").text))


@pytest.mark.parametrize("query", ["_sort=estimated_cost", "_sort_desc=status&program_areas__arraycontains=Law+Enforcement"])
def test_turning_pages_of_equal_values_shows_each_record_once_and_a_file_has_their_order(site: Site, query: str) -> None:
    found, following = list[str](), f"/tta/records.json?{query}&_size=3&_shape=arrays&_extra=columns"
    while following:
        page = site.json(following)
        found += [row[page["columns"].index("record_id")] for row in page["rows"]]
        following = (page["next_url"] or "").partition("localhost")[2]
    rows = csv.DictReader(io.StringIO(site.get(f"/tta/records.csv?{query}").text.removeprefix("\ufeff")))
    assert len(found) == len(set(found)) > 6 and found == [row["record_id"] for row in rows]


def test_facets_count_every_record_and_lead_to_those_they_count(site: Site) -> None:
    facets = site.json("/tta/records.json?_facet_size=max")["facet_results"]
    names = ["agency_types", "emerging_need", "evidence_based", "fiscal_year", "place_state", "program_areas", "status"]
    assert sorted(facets) == names
    assert sum(one["count"] for one in facets["fiscal_year"]["results"]) == 61
    facet = site.json("/tta/records.json?fiscal_year__lt=2021&_facet_size=max")["facet_results"]["agency_types"]
    (courts,) = [one for one in facet["results"] if one["value"] == "Courts"]
    query = "select count(distinct record_id) from records, json_each(agency_types) where value = 'Courts' and fiscal_year < 2021"
    assert [[courts["count"]], courts["selected"]] == [site.json(f"/tta.json?sql={quote(query)}")["rows"][0], False]
    chosen = site.json(courts["toggle_url"].partition("localhost")[2].replace("/tta/records?", "/tta/records.json?"))
    assert chosen["filtered_table_rows_count"] == courts["count"]
    (again,) = [one for one in chosen["facet_results"]["agency_types"]["results"] if one["value"] == "Courts"]
    assert again["selected"] and "Courts" not in again["toggle_url"]


def test_codebook_counts_values_and_says_where_it_does_not_compare_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def row(column: str) -> dict[str, str]:
        text = site.get("/-/codebook.csv?table=records").content.decode("utf-8-sig")
        return next(one for one in csv.DictReader(io.StringIO(text)) if one["column"] == column)

    known, states = site.json("/tta.json?sql=select+count(place_state),count(distinct+place_state)+from+records")["rows"][0]
    found = row("place_state")
    assert (found["values"], found["missing"], found["distinct"]) == (str(known), str(61 - known), str(states))
    assert "Massachusetts (" in found["frequent"] and "precision" in found["description"]
    monkeypatch.setattr("scraper.explore.home.MAX_COUNTED", 1)
    assert (row("place_state")["values"], row("place_state")["distinct"]) == (str(known), "")
    assert "too large to compare" in Site().get("/-/codebook").text
    assert site.get("/-/codebook?table=nothing").status_code == 400


def test_internal_tables_are_hidden(site: Site) -> None:
    found = site.json("/tta.json")
    shown = {table["name"] for table in found["tables"] if not table["hidden"]}
    assert shown | {view["name"] for view in found["views"]} == {one.name for one in (*TABLES, *VIEWS)} - {"program"}


def test_table_shows_the_first_columns_or_those_asked_for(site: Site) -> None:
    def columns(query: str) -> list[str]:
        return re.findall(r'<th [^>]*data-column="(\w+)"', site.get(f"/tta/records{query}").text)

    assert columns("")[:2] == ["tta_title", "fiscal_year"]
    assert "description" in set(columns("?_columns=all")) - set(columns(""))
    assert columns("?_col=county") == ["record_id", "county", "submitted_at"]
    assert columns("?_col=county&_col=tta_title") == ["tta_title", "county", "submitted_at"]
    for chosen in ("_col=field", "_nocol=seen_by&_sort_desc=seen_by"):  # Datasette fails where the column of the order is lacking
        changed = site.get(f"/tta/changes?{chosen}&_size=10")
        assert re.findall(r'<th [^>]*data-column="(\w+)"', changed.text)[-1] == "seen_by"


def test_record_page_shows_all_of_the_record(site: Site) -> None:
    text = site.get(f"/tta/records/{REAL}").text
    for shown in ("Exploring the Value", "Hope Fiori", "Deliverable Markup for Questions", "Suffolk County", "not captured"):
        assert shown in text
    assert "Invented." not in text and 'id="capture-1"' in text
    text = site.get("/tta/records/900000001").text
    for shown in ("Invented.", "Milestone 2", "<del>In Progress</del> became <ins>On Hold</ins>"):
        assert shown in text


@pytest.mark.parametrize(
    "path",
    ["/tta/records", "/tta/records?_columns=all", "/tta/records/7", "/tta/fields", "/-/map", "/tta/captures", "/-/codebook"],
)
def test_text_of_pages_and_filters_is_never_markup(hostile: Site, path: str) -> None:
    text = hostile.get(path).text + hostile.get(f"{path.partition('?')[0]}?_search={quote(HOSTILE)}").text
    assert "<script>alert" not in text and "<img src=x" not in text
    assert not re.search(r'href="\s*javascript:', text)
    assert path not in ("/tta/records/7", "/tta/fields") or 'href="mailto:a@example.org"' in text


def test_server_runs_anywhere_and_sees_a_refresh(tmp_path: Path) -> None:
    folders = loaded(tmp_path / "data", [page(html({}, node=1), url=node(1), when=day(1))])
    with serving(folders, cwd=tmp_path) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        with pytest.raises(TtaError, match=f"port {port}: it is in use"):
            serve(folders.database, ("127.0.0.1", port))
        assert [row["record_id"] for row in httpx.get(f"{address}tta/records.json?_shape=array").json()] == ["1"]
        loaded(tmp_path / "data", [page(html({}, node=2), url=node(2), when=day(2))])
        assert {row["record_id"] for row in httpx.get(f"{address}tta/records.json?_shape=array").json()} == {"1", "2"}
        assert httpx.get(address).headers["x-frame-options"] == "DENY"
    with pytest.raises(TtaError, match="run `tta load`"):
        serve(tmp_path / "nothing.db", ("127.0.0.1", 0))


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


def _crawl(get: Callable[[str], httpx.Response], start: str, of_each: int = 2) -> dict[str, str]:
    """The pages that links lead to, from one on, by address: of each page a few of its filters, of each table a few rows."""
    found: dict[str, str] = {}
    waiting = [start]
    asked: Counter[str] = Counter()
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"^(tta/[^/]+)/.+", r"\1/row", path.partition("?")[0].removeprefix(start))
        if path in found or asked[kind] >= of_each:
            continue
        asked[kind] += 1
        answer = get(path)
        assert answer.status_code in (200, 302), (path, answer.status_code)
        found[path] = answer.text
        if "html" in answer.headers.get("content-type", ""):
            hrefs = map(unescape, re.findall(r'(?:href|src)="([^"#]+)', answer.text))
            waiting += [
                href.removeprefix("http://localhost") for href in hrefs if re.match(r"(?:http://localhost)?/(?!.*xlsx)", href)
            ]
    return found


def test_contacts_are_nowhere_when_left_out(people: Folders) -> None:
    with cleared_copy(people.database) as made:
        site = Site(made.path, Serve(contacts=False))
        found = _crawl(site.get, "/")
        assert "/tta/records/5" in found
        assert any(".csv" in path for path in found)
        everything = ["/tta/records.csv?_stream=on", "/tta/fields.json?_size=max", "/tta/changes.csv", "/tta/records/5.json"]
        everything += [f"/-/codebook?table={name}" for name in ("fields", "changes")]
        everything += [f"/tta.json?sql={quote(f'select * from {name}')}" for name in ("records_fts", "fields_fts", "fields")]
        everything += [f"/-/search?q={quote(word)}&in={where}" for word in CONTACTS for where in ("records", "fields")]
        found |= {path: site.get(path).text for path in everything}
        for path, text in found.items():
            shown = [name for name in CONTACTS if name in text]
            assert not shown or path.startswith("/-/search"), (path, shown)
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

    found = _crawl(get, "/help/tta/", 1)
    assert len(found) > 25
    for path, text in found.items():
        addresses = [path, *re.findall(r'(?:href|src|action)="(?:http://localhost)?(/[^"]*)"', text)]
        assert [one for one in addresses if not one.startswith("/help/tta/") or "/help/tta/help" in one] == [], path


def test_other_plugins_keep_their_settings_and_may_load_scripts_if_told(tmp_path: Path) -> None:
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
    assert tomllib.loads(as_toml(Config(serve=settings)))["serve"]["plugins"]["greeting"]["more"] == [1, {"a": 2}]
    datasette = application(demo().database, settings, tmp_path / "plugins")
    answer = asyncio.run(datasette.client.get("/-/greeting"))
    assert answer.text == "hello" and "content-security-policy" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = LexborHTMLParser(
        asyncio.run(datasette.client.get("/tta/records")).text
    )  # what datasette-vega and cluster-map look for
    assert page.css_matches("table.rows-and-columns") and page.css_matches(".export-links a[href*=json]")
    with pytest.raises(WrongUsage, match=r"serve\.plugins: must be a table"):
        (tmp_path / "tta.toml").write_text("[serve]\nplugins = 1\n")
        load_config(tmp_path / "tta.toml")


@pytest.mark.parametrize(
    "path", ["/", "/tta/records", "/tta/records/900000001", "/-/charts", "/tta/areas_by_year", "/tta/dictionary"]
)
def test_datasette_alone_shows_the_pages(path: str) -> None:
    """As in `datasette data/tta.db -m metadata.yml`, or with 1.0 `-c datasette.yaml`."""
    option, name = ("config", "datasette.yaml") if IS_1 else ("metadata", "metadata.yml")
    texts = {option: yaml.safe_load((ROOT / name).read_text())}
    answer = asyncio.run(Datasette([str(demo().database)], **texts).client.get(path))
    assert answer.status_code == 200 and "explore.css" in answer.text
