"""Asks every kind of page of a big database and says how long each takes: `python -m tests.campaigns.explore_big 100000 DIR`.

DIR keeps the database (`benchmarks.multiply`): a second run is quick. Ends with status 1 where a page is no page, or takes
more than a second's work. With a Chromium it also opens the main pages and fails on any error there.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import click
import httpx

from benchmarks.measure import processor_seconds
from benchmarks.multiply import multiply
from scraper.explore.questions import QUESTIONS
from scraper.folders import Folders
from tests.webkit import CHROMIUM, Watched, browser, start

LIMIT = 1.0
"""Seconds of processor time; Datasette's own limit of a query is one second on the clock."""
MAP_SECONDS = 120
"""How long to wait for the map's last point."""
PAGES = {
    "home": "/",
    "charts": "/-/charts",
    "charts of a year": "/-/charts?fiscal_year=2023",
    "charts of a program area": "/-/charts?program_areas__arraycontains=Law+Enforcement",
    "charts of a search": "/-/charts?_search=training",
    "map, without its points": "/-/map",
    "records": "/tta/records",
    "records of a year and status": "/tta/records?fiscal_year=2023&status=Completed",
    "records of a program area": "/tta/records?program_areas__arraycontains=Law+Enforcement",
    "records of a state": "/tta/records?place_state=Texas",
    "records, all columns": "/tta/records?_columns=all",
    "records by cost": "/tta/records?_sort_desc=estimated_cost",
    "records that a search finds": "/tta/records?_search=training",
    "fields": "/tta/fields",
    "fields of a label": "/tta/fields?label=County",
    "fields that a search finds": "/tta/fields?_search=training",
    "captures": "/tta/captures",
    "captures of a kind": "/tta/captures?kind=blocked",
    "sections": "/tta/sections",
    "milestones": "/tta/milestones",
    "performance metrics": "/tta/performance_metrics",
    "changes": "/tta/changes",
    "changes of a field": "/tta/changes?field=status",
    "runs": "/tta/runs",
    "checks of runs": "/tta/run_checks",
    "dictionary": "/tta/dictionary",
    "counties that disagree": "/tta/county_disagreements",
    "search": "/-/search?q=training",
    "search of fields": "/-/search?q=training&in=fields",
    "search of a common word": "/-/search?q=the",
    "search of a beginning": "/-/search?q=t*",
}
NARROWER = {
    "fiscal_year": "2023",
    "program_area": "Law Enforcement",
    "state": "Texas",
    "since": "2024-01-01",
    "field": "status",
}
IN_BROWSER = ("/", "/-/charts", "/-/map", "/tta/records", "/-/search?q=training", "/tta/areas_by_year", "/tta/places")


def pages(client: httpx.Client) -> dict[str, str]:
    """All of them, the questions with and without parameters and one record included."""
    asked = dict(PAGES)
    for name, question in QUESTIONS.items():
        asked[f"question: {question.title}"] = f"/tta/{name}"
        for parameter in question.parameters:
            asked[f"question: {question.title} ({parameter})"] = f"/tta/{name}?{urlencode({parameter: NARROWER[parameter]})}"
    (row,) = client.get("/tta/records.json?_shape=array&_size=1").json()
    asked["a record"] = f"/tta/records/{row['record_id']}"
    return asked


class Asked(NamedTuple):
    """What a page cost: seconds on the clock, and of the server's processor time, which other programs do not disturb."""

    took: float
    worked: float
    whole: bool


def ask(client: httpx.Client, server: int, address: str) -> Asked:
    began, before = time.perf_counter(), processor_seconds(server)
    answer = client.get(address, timeout=120)
    took, worked = time.perf_counter() - began, processor_seconds(server) - before
    cut_off = any(sign in answer.text for sign in ("took too long", "hese facets timed out", "SQL Interrupted"))
    return Asked(took, worked, answer.status_code == 200 and not cut_off)


def _map_drawn(watched: Watched) -> float:
    """Seconds until the last point is on the map."""
    began = time.perf_counter()
    watched.page.goto(watched.address.rstrip("/") + "/-/map")
    watched.page.wait_for_selector(".tta-map[data-ready]", timeout=MAP_SECONDS * 1000)
    return time.perf_counter() - began


def main(count: int, folder: Path) -> int:
    folders = Folders(folder)
    if not folders.database.is_file():
        multiply(count, folder)
    bad = []
    server = start(folders, "--port", "0")
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[0]
        with httpx.Client(base_url=address) as client:
            click.echo(f"| page of {count:,} records | first, s | again, s | processor, s |\n| --- | --- | --- | --- |")
            for name, path in pages(client).items():
                first = ask(client, server.pid, path)
                again = ask(client, server.pid, path)
                note = "" if again.whole else " cut off |"
                click.echo(f"| {name} | {first.took:.2f} | {again.took:.2f} | {again.worked:.2f} |{note}")
                if not again.whole or again.worked > LIMIT:
                    bad.append(name)
        if CHROMIUM:
            with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as context:
                watched = Watched(context.new_page(), address)
                for path in IN_BROWSER:
                    watched.open(path)
                click.echo(f"the map with all its points, in Chromium: {_map_drawn(watched):.1f} s on the clock")
                watched.page.wait_for_timeout(500)
                bad += watched.problems
    finally:
        server.terminate()
        server.communicate(timeout=60)
    click.echo(f"too slow, or not whole: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        sys.exit(main(size, Path(sys.argv[2])))
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(size, Path(made) / "data"))
