"""How long Datasette's pages take at N made-up records (`multiply`), over HTTP, as `tta serve` serves them."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from benchmarks.measure import processor_seconds
from scraper.explore.questions import QUESTIONS

ROUNDS = 3
START_SECONDS = 60
_PAGES = {
    "home": "/",
    "map": "/-/map",
    "charts": "/-/charts",
    "database": "/tta",
    "records": "/tta/records",
    "records, by year": "/tta/records?_facet=fiscal_year",
    "records, last page of a column": "/tta/records?_sort_desc=last_captured_at",
    "search in records": "/tta/records?_search=training",
    "search in everything": "/-/search?q=training",
    "fields": "/tta/fields",
    "fields of a label": "/tta/fields?label=County",
    "changes": "/tta/changes?_sort_desc=seen_by",
    "captures": "/tta/captures?_sort_desc=captured_at",
}
"""What people open. `_record` adds a record's own page, and every canned query is added by its name."""


class Asked(NamedTuple):
    """What a page cost: seconds on the clock, and of the server's processor time, which other programs do not disturb."""

    took: float
    worked: float


def pages(data: Path) -> dict[str, Asked]:
    """What each page costs, by its name: the medians of three requests after the first."""
    command = [str(Path(sys.executable).with_name("tta")), "--data", str(data), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            base = _address(server)
            wanted = _PAGES | {"a record": _record(data)} | {f"query {name}": f"/tta/{quote(name)}" for name in QUESTIONS}
            return {name: _median(base + path, server.pid) for name, path in wanted.items()}
        finally:
            server.terminate()


def _address(server: subprocess.Popen[str]) -> str:
    """Where the server listens, from what it says when it starts."""
    deadline = time.monotonic() + START_SECONDS
    assert server.stdout is not None
    for line in server.stdout:
        for word in line.split():
            if word.startswith("http://127.0.0.1:"):
                return word.rstrip("/.,")
        if time.monotonic() > deadline:
            break
    raise SystemExit("the server did not start")


def _record(data: Path) -> str:
    import sqlite3

    with sqlite3.connect(f"file:{data / 'tta.db'}?mode=ro", uri=True) as db:
        (record,) = db.execute("SELECT record_id FROM records ORDER BY captures DESC, record_id LIMIT 1").fetchone()
    return f"/tta/records/{quote(record)}"


def _median(url: str, server: int) -> Asked:
    asked = [_asked(url, server) for _ in range(ROUNDS + 1)][1:]
    return Asked(*map(statistics.median, zip(*asked, strict=True)))


def _asked(url: str, server: int) -> Asked:
    before, began = processor_seconds(server), time.perf_counter()
    try:
        with urlopen(url, timeout=120) as answer:
            answer.read()
    except URLError as error:
        raise SystemExit(f"{url}: {error}") from None
    return Asked(time.perf_counter() - began, processor_seconds(server) - before)
