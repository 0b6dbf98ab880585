"""What every kind of page of Datasette costs on a data folder's database, over HTTP, as `tta serve` serves it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import httpx

from benchmarks.measure import processor_seconds
from scraper.database.connection import reading
from scraper.database.tables import TABLES, VIEWS
from scraper.explore.metadata import QUESTIONS
from scraper.folders import Folders

PAGES = {
    "home": "/",
    "charts": "/-/charts",
    "charts of a year": "/-/charts?fiscal_year=2023",
    "charts of a program area": "/-/charts?program_areas__arraycontains=Law+Enforcement",
    "charts of a search": "/-/charts?_search=training",
    "map, without its points": "/-/map",
    "database": "/tta",
    "records": "/tta/records",
    "records of a year and status": "/tta/records?fiscal_year=2023&status=Completed",
    "records of a program area": "/tta/records?program_areas__arraycontains=Law+Enforcement",
    "records of a state": "/tta/records?place_state=Texas",
    "records, all columns": "/tta/records?_columns=all",
    "records by cost": "/tta/records?_sort_desc=estimated_cost",
    "records by last capture": "/tta/records?_sort_desc=last_captured_at",
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
    "completeness": "/tta/completeness",
    "disappearances": "/tta/disappearances",
    "encounters by organization and year": "/tta/organization_years",
    "record numbers never captured": "/tta/unseen_records",
    "organizations": "/tta/organizations",
    "what's new": "/-/new",
    "what's new of a state": "/-/new?place_state=Texas",
    "chart by agency": "/-/chart?_by=agency",
    "chart of days by provider": "/-/chart?_measure=days&_by=provider_reference",
    "chart by county and agency type": "/-/chart?_by=county&_split=agency_types",
    "codebook": "/-/codebook",
    "codebook of records": "/-/codebook?table=records",
    "search": "/-/search?q=training",
    "search of fields": "/-/search?q=training&in=fields",
    "search of a common word": "/-/search?q=the",
    "search of a beginning": "/-/search?q=t*",
    "search of a place": "/-/search?q=travis+county+texas",
    "records of a place that a search finds": "/tta/records?_search=travis+county+texas",
    "records first captured after a day": "/tta/records?first_captured_at__gte=2015-01-02",
    "records with a word in their description": "/tta/records?description__contains=training",
    "charts of a common word": "/-/charts?_search=the",
    "chart by county and subtopic": "/-/chart?_by=county&_split=program_area_subtopics",
    "fields of records of a program area": "/tta/fields?_record.program_areas__arraycontains=Law+Enforcement",
    "captures of records submitted since": "/tta/captures?_record.submitted_on__gte=2012-01-01",
    "milestones of records submitted since": "/tta/milestones?_record.submitted_on__gte=2012-01-01",
    "organizations that a search finds": "/tta/organizations?_search=county",
}
"""What people open; `addresses` adds the questions and a record's own page."""
NARROWER = {
    "fiscal_year": "2023",
    "program_area": "Law Enforcement",
    "state": "Texas",
    "agency_state": "TX",
    "since": "2024-01-01",
    "field": "status",
    "search": "training",
}
"""A value for every parameter of the questions."""
_COUNTED = re.compile(r"<title>[^<]*: [\d,]+ (?:rows?|records?)\b")
_TABLES = {f"/tta/{one.name}" for one in (*TABLES, *VIEWS)}


class Asked(NamedTuple):
    """What a page cost: seconds on the clock, and of the server's processor time, which other programs do not disturb.

    `missing` says what the page lacks because one of its queries met the server's time limit; empty where it is whole.
    """

    took: float
    worked: float
    missing: str


@contextmanager
def serving(data: Path) -> Iterator[tuple[httpx.Client, int]]:
    """`tta serve` on a data folder while the block runs: a client of it, and its process."""
    command = [str(Path(sys.executable).with_name("tta")), "--data", str(data), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline().split()
            if not said:
                raise SystemExit("the server did not start")
            with httpx.Client(base_url=said[0], timeout=120) as client:
                yield client, server.pid
        finally:
            server.terminate()


def addresses(data: Path) -> dict[str, str]:
    """Every page to ask for, by its name: the questions with and without their parameters, and the record of most captures."""
    asked = dict(PAGES)
    for name, question in QUESTIONS.items():
        asked[f"question: {question.title}"] = f"/tta/{name}"
        for parameter in question.parameters:
            asked[f"question: {question.title} ({parameter})"] = f"/tta/{name}?{urlencode({parameter: NARROWER[parameter]})}"
    with reading(Folders(data).database) as db:
        (record,) = db.execute("SELECT record_id FROM records ORDER BY captures DESC, record_id LIMIT 1").fetchone()
        (organization,) = db.execute("SELECT organization_id FROM organizations ORDER BY records DESC LIMIT 1").fetchone()
    return asked | {"a record": f"/tta/records/{record}", "the largest organization": f"/tta/organizations/{organization}"}


def pages(data: Path) -> dict[str, Asked]:
    """What each page costs, by its name: its first request, because the server keeps answers until the database changes."""
    with serving(data) as (client, server):
        client.get("/tta/dictionary")  # the program's own start
        return {name: ask(client, server, path) for name, path in addresses(data).items()}


def ask(client: httpx.Client, server: int, path: str) -> Asked:
    """Asks for a page once."""
    before, began = processor_seconds(server), time.perf_counter()
    answer = client.get(path)
    took, worked = time.perf_counter() - began, processor_seconds(server) - before
    return Asked(took, worked, missing(path, answer.status_code, answer.text))


def missing(path: str, status: int, text: str) -> str:
    """What a page lacks, by what it says itself; a table says how many rows there are in its title, or nothing of it."""
    if status != 200 or "SQL Interrupted" in text or "The search took too long" in text:
        return "the answer"
    lacks = {
        "facets": "Counting by " in text,
        "a part": "time limit" in text and "Counting by " not in text,
        "the number of rows": path.partition("?")[0] in _TABLES and not _COUNTED.search(text),
    }
    return " and ".join(what for what, lacking in lacks.items() if lacking)
