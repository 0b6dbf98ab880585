"""The parts of the plugin that need no Datasette: links, the record's page, the fiscal year, state outlines."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from scraper.capture import replay_url
from scraper.explore.charts import Counts, Spec, draw
from scraper.explore.filters import RecordFilters
from scraper.explore.links import moment, render_value, safe_href
from scraper.explore.record import FACTS, arrange, differing
from scraper.serve import application
from tests import dbkit
from tests.dbkit import day, loaded, node, page, sql
from tests.webkit import ROOT, Site


def test_links_that_are_followed() -> None:
    for address in ("https://example.org/a?b=1#c", "HTTP://example.org", "mailto:someone@example.org", "tel:+1-202-555-0100"):
        assert safe_href(address) == address
    for address in (
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "",
        "ftp://a",
    ):
        assert safe_href(address) is None
    for address in ('https://example.org/" onclick="alert(1)', "https:///nobody", "https://[broken", "//example.org", "/node/1"):
        assert safe_href(address) is None


def test_replay_is_for_the_wayback_machine_only() -> None:
    url = "https://bjatta.bja.ojp.gov/node/1"
    assert replay_url("wayback", "2025-01-31T00:00:00Z", url) == f"https://web.archive.org/web/20250131000000/{url}"
    assert replay_url("commoncrawl", "2025-01-31T00:00:00Z", url) is None
    assert replay_url("wayback", None, url) is None
    assert replay_url("wayback", "2025-01-31T00:00:00Z", "javascript:alert(1)") is None


def test_list_is_shown_as_links_to_its_like() -> None:
    urls = application(Path("tta.db")).urls
    shown = render_value('["A & B", "<i>"]', "program_areas", "records", urls)
    assert shown == (
        '<ul class="values"><li><a href="/tta/records?program_areas__arraycontains=A+%26+B">A &amp; B</a></li>'
        '<li><a href="/tta/records?program_areas__arraycontains=%3Ci%3E">&lt;i&gt;</a></li></ul>'
    )
    assert render_value("not JSON", "program_areas", "records", urls) is None
    assert render_value('["A"]', "value", "fields", urls) is None
    assert render_value("url:a", "record_id", "fields", urls) == '<a href="/tta/records/url~3Aa">url:a</a>'


def test_records_before_and_after_are_those_of_the_table_also_of_a_record_without_a_time(tmp_path: Path) -> None:
    folders = loaded(tmp_path, [page(dbkit.html({}, node=n, title=f"Record {n}"), url=node(n), when=day(1)) for n in range(1, 7)])
    for number, time in ((2, "2024-01-01"), (3, "2024-01-01"), (5, "2025-01-01")):
        sql(folders.database, f"UPDATE records SET submitted_at = '{time}' WHERE record_id = '{number}'")
    shown = Site(folders.database)
    order = re.findall(r'"record_id": "(\d)"', shown.get("/tta/records.json?_shape=objects").text)
    assert order == ["5", "2", "3", "1", "4", "6"]
    for at, number in enumerate(order):
        text = shown.get(f"/tta/records/{number}").text
        near = [re.findall(rf'<span>{which}: <a href="/tta/records/(\d)', text) for which in ("Newer", "Older")]
        assert near == [order[max(at - 1, 0) : at], order[at + 1 : at + 2]]


def _field(position: int, **values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("section", "label", "name", "item", "value", "href", "datetime"))
    return {**empty, "position": position, "state": "value", "capture_id": "c1", **values}


def test_record_page_keeps_sections_items_and_states_apart() -> None:
    names = list(FACTS)
    record = dict.fromkeys(["record_id", "tta_title", "short_name", "title", "url", *names])
    made = arrange(
        {
            "records": [{**record, "record_id": "1", "emerging_need": 0}],
            "fields": [
                _field(1, name="body", value="text"),
                _field(2, label="A", value="one"),
                _field(3, label="A", value="two"),
                _field(4, section="Second", label="B", state="not_captured"),
                _field(5, section="Second", item="Milestone 1", label="T", value="t"),
                _field(6, section="Second", name="field_x_y", value="unlabelled"),
            ],
            "sections": [
                {"label": "First", "text": "alone"},
                {"label": "Second", "text": "fill in"},
                {"label": "Last", "text": None},
            ],
            "captures": [{"capture_id": "c1", "source": "wayback", "captured_at": None, "url": None}],
            "changes": [],
        },
        {},
    )
    assert [group["name"] for group in made["groups"]] == [None, "First", "Second", "Last"]
    assert [value["value"] for value in made["groups"][0]["labels"][0]["values"]] == ["one", "two"]
    second = made["groups"][2]
    assert second["instructions"] == "fill in"
    assert [(label["name"], label["values"][0]["note"]) for label in second["labels"]] == [("B", "not captured"), ("x y", None)]
    assert [label["note"] for label in second["labels"]] == ["not captured", None]
    assert [(item["name"], item["labels"][0]["name"]) for item in second["items"]] == [("Milestone 1", "T")]
    assert made["description_source"] == 1
    assert made["facts"] == [("Emerging need", [("No", {"emerging_need__exact": 0})])]


def test_of_two_long_texts_what_differs_is_shown_with_words_around_it() -> None:
    words = " ".join(map(str, range(100)))
    found = differing(f"{words} old {words}", f"{words} new {words}")
    assert found["old_value"] == f"…{' '.join(map(str, range(88, 100)))} old {' '.join(map(str, range(12)))} …"
    assert found["new_value"] == found["old_value"].replace("old", "new")
    assert differing(None, "all of it") == {"old_value": "", "new_value": "all of it"}


def test_state_outlines_are_small_closed_and_credited() -> None:
    path = ROOT / "scraper" / "explore" / "static" / "states.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    assert path.stat().st_size < 150_000 and len(features) == 56 and all(one["properties"]["name"] for one in features)
    rings = [ring for one in features for polygon in one["geometry"]["coordinates"] for ring in polygon]
    assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in rings)
    assert "us-atlas" in (path.parent / "SOURCES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2020-07-24T20:17:12Z", "2020-07-24 20:17 UTC"),
        ("2020-07-24T20:17:12.123-04:00", "2020-07-24 20:17 -04:00"),
        ("2020-07-24T20:17", "2020-07-24 20:17"),
        ("2020-07-24", "2020-07-24"),
        ("soon", "soon"),
        (None, ""),
    ],
)
def test_times_are_shown_to_the_minute_with_their_zone(text: str | None, shown: str) -> None:
    assert moment(text) == shown


def test_the_timeline_and_links_of_a_record_say_what_they_are(site: Site) -> None:
    rows = site.json("/tta/records.json?request_date__isnull=1&captures__gte=2&_shape=array&_size=max")
    steps = [re.findall(r"</time> ([^<]+?)</li>", site.get(f"/tta/records/{row['record_id']}").text) for row in rows]
    assert any("Submission" in one for one in steps) and not any("Request" in one for one in steps)
    (family,) = site.json("/tta/records.json?family_id__notnull=1&_shape=array&_size=1")
    text = site.get(f"/tta/records?family_id={family['family_id']}").text
    (first,) = site.json(f"/tta/records.json?record_id={family['family_id']}&_shape=array")
    assert f"Shared wording: as in {html.escape(first['tta_title'])}<" in text
    assert " of the table captures</a>" not in site.get(f"/tta/records/{family['record_id']}").text, "the sources are all of them"


def test_a_row_without_a_page_of_its_own_has_display_labels(site: Site) -> None:
    (row,) = site.json("/tta/captures.json?_shape=array&_size=1&kind=record")
    text = site.get(f"/tta/captures/{row['capture_id']}").text
    assert "<h1>Captures of pages: " in text and ">HTTP status<" in text and ">http_status<" not in text
    assert "attached" not in site.get("/tta").text, "temporary tables of the program's own connections"


def test_a_share_of_few_records_is_not_compared() -> None:
    counts = Counts()
    for year, n in ((2009, 9), (2010, 10)):
        counts.add(n - 1, [year], ["Training"])
        counts.add(1, [year], ["Policy"])
    chart = draw(Spec("share", "fiscal_year", "program_areas", "lines"), counts, RecordFilters("", [], "", {}, ""))
    assert [[chart.is_few(one) for one in row.marks() if one] for row in chart.rows] == [[True, True], [False, False]]
