"""What's new: which records, in which order, under which filters; and a feed that readers can rely on."""

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from scraper.database.runs import record
from scraper.database.tables import RunRow
from scraper.explore import filters
from tests.dbkit import day, html, loaded, node, page
from tests.webkit import Site

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = "<b>&amp; ]]> <script>alert(1)</script>"


def _site(folder: Path, nights: int) -> Site:
    pages = [
        page(html({"TTA Title": HOSTILE, "County": "Essex County"}, node=1), url=node(1), when=day(0)),
        page(html({"TTA Title": "Second", "County": "Kent County"}, node=2), url=node(2), when=day(1)),
        page(html({"TTA Title": HOSTILE, "County": "Suffolk County"}, node=1), url=node(1), when=day(2)),
        page(b"<title>Page not found</title>", url=node(2), when=day(3), http_status=404),
    ]
    return Site(loaded(folder, pages[:nights]).database)


def _entries(site: Site, query: str = "") -> list[dict[str, str]]:
    answer = site.get(f"/-/new.atom{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/atom+xml; charset=utf-8")
    feed = ElementTree.fromstring(answer.text)
    for one in (feed, *feed.iter(f"{ATOM}entry")):
        assert all(one.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated"))
        assert all(link.attrib["href"].startswith("http://localhost/") for link in one.iter(f"{ATOM}link"))
    assert feed.find(f"{ATOM}author") is not None
    return [{part.tag.removeprefix(ATOM): part.text or "" for part in entry} for entry in feed.iter(f"{ATOM}entry")]


def test_events_are_told_once_each_the_latest_first(tmp_path: Path) -> None:
    before, after = _entries(_site(tmp_path / "a", 2)), _entries(_site(tmp_path / "b", 4))
    assert [entry["title"] for entry in after] == ["Disappeared: Second", f"Changed: {HOSTILE}", "New: Second", f"New: {HOSTILE}"]
    assert after[2:] == before, "what was told keeps its id and its text"
    assert len({entry["id"] for entry in after}) == 4
    assert after[1]["summary"].strip() == "County printed on the page: Essex County became Suffolk County."
    assert after[1]["updated"] == day(2).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_a_refresh_brought_is_listed_under_it_however_old_the_capture(tmp_path: Path) -> None:
    new = page(html({"TTA Title": "Second", "County": "Kent County"}, node=2), url=node(2), when=day(9))
    folders = loaded(tmp_path, [page(html({"TTA Title": "First"}, node=1), url=node(1), when=day(8)), new])
    record(
        folders.database,
        RunRow(run_id=0, started_at="2030-01-01T02:00:00Z", ended_at="2030-01-01T03:00:00Z", outcome="committed", captures=2),
    )
    loaded(tmp_path, [page(html({"TTA Title": "Old"}, node=3), url=node(3), when=day(1))])
    record(
        folders.database,
        RunRow(run_id=0, started_at="2030-01-02T02:00:00Z", ended_at="2030-01-02T03:00:00Z", outcome="committed", captures=3),
    )
    site = Site(folders.database)
    assert [entry["title"] for entry in _entries(site)] == ["New: Old", "New: Second", "New: First"]
    assert _entries(site)[0]["updated"] == "2030-01-02T03:00:00Z"
    text = site.get("/-/new").text
    assert re.findall(r'datetime="(2030[^"]*)', text) == ["2030-01-02", "2030-01-01"]
    assert [entry["title"] for entry in _entries(site, "?_since=2030-01-02")] == ["New: Old"]


def test_page_table_and_file_agree_on_a_span_of_time(tmp_path: Path) -> None:
    site = _site(tmp_path, 4)
    for since, until, records, events in ((0, 3, 2, 4), (0, 0, 1, 1), (1, 1, 1, 1), (2, 3, 2, 2), (9, 9, 0, 0)):
        query = f"_since={day(since):%Y-%m-%d}&_until={day(until):%Y-%m-%d}"
        assert site.json(f"/tta/records.json?{query}")["filtered_table_rows_count"] == records
        assert len(_entries(site, f"?{query}")) == events
        assert len(list(csv.reader(io.StringIO(site.get(f"/-/new.csv?{query}").text)))) == events + 1
    text = site.get(f"/-/new?{query}").text
    assert f"/tta/records?{query}".replace("&", "&amp;") in text and "There has been no refresh yet" in text
    assert "/tta/records?_since=2" in site.get("/-/new?_since=2020-01-01").text


def test_page_and_feed_follow_the_filters_of_the_table(tmp_path: Path) -> None:
    site = _site(tmp_path, 4)
    assert [entry["title"] for entry in _entries(site, "?county__exact=Kent+County")] == ["Disappeared: Second", "New: Second"]
    text = site.get("/-/new?county__exact=Kent+County").text
    assert "Second" in text and "Suffolk" not in text
    assert "/-/new.atom?county__exact=Kent+County" in text
    assert site.get("/-/new?nope=1").status_code == 400


def test_earlier_events_are_a_link_away_also_where_counting_them_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [page(html({"County": "Essex County"}, node=n), url=node(n), when=day(n // 230)) for n in range(1, 251)]
    site = Site(loaded(tmp_path, pages).database)
    seen: list[str] = []
    query = ""
    while True:
        seen += [entry["id"] for entry in _entries(site, query)]
        text = site.get(f"/-/new{query}").text
        if 'rel="next"' not in text:
            break
        query = text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    assert len(seen) == len(set(seen)) == 250
    assert re.search(r"\d+ of 250 events on this page", site.get("/-/new").text)
    monkeypatch.setattr(filters, "COUNT_FOR", 1e-6)
    assert re.search(r"<p>\s*\d+ events on this page; <a [^>]*>earlier</a> ones follow", site.get("/-/new?_size=1").text)
