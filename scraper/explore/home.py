"""The home page: how much there is, how fresh and how complete it is, and where to begin."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from datasette.database import QueryInterrupted

from scraper.database.schema import table_description
from scraper.database.tables import TABLES, VIEWS
from scraper.explore.charts import TEXTS, Spec, percent
from scraper.explore.dashboard import chart_of
from scraper.explore.filters import RecordFilters
from scraper.explore.metadata import LOOKS
from scraper.explore.questions import QUESTIONS, UNKNOWN_LABELS
from scraper.explore.record import MADE_UP

_COUNTS = """
SELECT count(*) AS records, count(latitude) AS placed, count(fiscal_year) AS dated,
       coalesce(sum(last_captured_at IS NULL), 0) AS undated, coalesce(sum(availability = 'gone'), 0) AS gone,
       coalesce(sum(county_agrees = 0), 0) AS disagreeing
FROM records
"""
_TIMES = "SELECT (SELECT min(captured_at) FROM captures) AS first, (SELECT max(captured_at) FROM captures) AS last"
"""Each alone is an end of the index; asked for together they walk along all of it."""
_DEMO = "SELECT EXISTS (SELECT 1 FROM captures WHERE source = :made_up)"
_KINDS = "SELECT kind, count(*) FROM captures GROUP BY kind ORDER BY 2 DESC, 1"
_RUN = "SELECT run_id, started_at, ended_at, outcome, message FROM runs ORDER BY run_id DESC LIMIT 1"
_GOOD_RUN = "SELECT max(ended_at) FROM runs WHERE outcome = 'committed'"


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the records are meant, where they are listed, and what that says."""

    name: str
    count: int
    percent: float
    url: str
    note: str


async def context(datasette: Any) -> dict[str, Any]:
    """What the template `index.html` shows beside the metadata."""
    database, urls = datasette.get_database("tta"), datasette.urls
    asked = (_COUNTS, _TIMES, _KINDS, UNKNOWN_LABELS, _RUN, _GOOD_RUN, "SELECT * FROM completeness")
    *found, demo = await asyncio.gather(*(database.execute(sql) for sql in asked), _is_demo(database))
    counts, times, kinds, labels, run, good, years = (result.rows for result in found)
    records, captures = urls.table("tta", "records"), urls.table("tta", "captures")
    everything = RecordFilters(records, [], "", {}, [])
    return {
        "counts": dict(counts[0]),
        "times": dict(times[0]),
        "demo": demo,
        "captures": sum(row[1] for row in kinds),
        "kinds": [(row[0], row[1], f"{captures}?kind={row[0]}") for row in kinds],
        "charts": [(await chart_of(datasette, Spec(**spec), everything), question) for question, spec in TEXTS["home"].items()],
        "run": dict(run[0]) if run else None,
        "good_run": good[0][0],
        "shares": _shares(dict(counts[0]), urls),
        "years": [dict(row) for row in years],
        "unknown_labels": labels[0][0],
        "tables": [
            (table.name, LOOKS[table.name]["title"], table_description(table))
            for table in TABLES
            if "hidden" not in LOOKS[table.name]
        ]
        + [(view.name, view.title, view.description) for view in VIEWS],
        "questions": [(name, one.title, one.description) for name, one in QUESTIONS.items()],
    }


async def _is_demo(database: Any) -> bool:
    """Whether any capture is made up. Where looking for one meets the time limit there are millions, and the demo has few."""
    try:
        found = await database.execute(_DEMO, {"made_up": MADE_UP}, log_sql_errors=False)
    except QueryInterrupted:
        return False
    return bool(found.first()[0])


def _shares(counts: dict[str, int], urls: Any) -> list[Share]:
    records = urls.table("tta", "records")
    rows = [
        ("with a place", "placed", f"{records}?latitude__notnull=1", "the others print no point, or an impossible one"),
        ("with a fiscal year", "dated", f"{records}?fiscal_year__notnull=1", "the others have no date of submission"),
        (
            "removed from the portal",
            "gone",
            urls.query("tta", "disappeared"),
            "not evidence that the others are still on the portal",
        ),
        (
            "whose printed county and point disagree",
            "disagreeing",
            urls.table("tta", "county_disagreements"),
            "either may be wrong",
        ),
        ("capture time unknown", "undated", f"{records}?last_captured_at__isnull=1", "none of their captures has a time"),
    ]
    return [Share(name, counts[key], percent(counts[key], counts["records"]), url, note) for name, key, url, note in rows]
