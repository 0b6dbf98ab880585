"""Asks every kind of page of a big database and says how long each takes: `python -m tests.campaigns.explore_big 100000 DIR`.

DIR keeps the database (`benchmarks.multiply`): a second run is quick. Ends with status 1 where a page is no page, or takes
more than a second's work. With a Chromium it also opens the main pages and fails on any error there.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks.browsing import addresses, ask, serving
from benchmarks.multiply import multiply
from scraper.folders import Folders
from tests.webkit import CHROMIUM, Watched, browser

LIMIT = 1.0
"""Seconds of processor time; Datasette's own limit of a query is one second on the clock."""
MAP_SECONDS = 120
"""How long to wait for the map's last point."""
IN_BROWSER = ("/", "/-/charts", "/-/map", "/tta/records", "/-/search?q=training", "/tta/areas_by_year", "/tta/places")


def _map_drawn(watched: Watched) -> float:
    """Seconds until the last point is on the map."""
    began = time.perf_counter()
    watched.page.goto(watched.address.rstrip("/") + "/-/map")
    watched.page.wait_for_selector(".tta-map[data-ready]", timeout=MAP_SECONDS * 1000)
    return time.perf_counter() - began


def main(count: int, folder: Path) -> int:
    if not Folders(folder).database.is_file():
        multiply(count, folder)
    bad = []
    with serving(folder) as (client, server):
        click.echo(f"| page of {count:,} records | first, s | again, s | processor, s |\n| --- | --- | --- | --- |")
        for name, path in addresses(folder).items():
            first, again = ask(client, server, path), ask(client, server, path)
            note = f" cut off: {first.missing} missing |" if first.missing else ""
            click.echo(f"| {name} | {first.took:.2f} | {again.took:.2f} | {first.worked:.2f} |{note}")
            if first.missing or first.worked > LIMIT:  # the server keeps answers
                bad.append(name)
        if CHROMIUM:
            with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as context:
                watched = Watched(context.new_page(), str(client.base_url))
                for path in IN_BROWSER:
                    watched.open(path)
                click.echo(f"the map with all its points, in Chromium: {_map_drawn(watched):.1f} s on the clock")
                watched.page.wait_for_timeout(500)
                bad += watched.problems
    click.echo(f"too slow, or not whole: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        sys.exit(main(size, Path(sys.argv[2])))
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(size, Path(made) / "data"))
