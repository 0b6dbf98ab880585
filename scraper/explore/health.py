"""`/-/health`: one JSON object for monitoring. It contains no text from pages, and no messages that could name paths."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from datasette.utils.asgi import Response

from scraper.capture import from_iso

STALE_AFTER = 72.0
"""Hours since the last refresh that committed: three nights. One or two nights without an answer are normal for web archives."""
_RUN = "SELECT run_id, started_at, ended_at, status, outcome FROM runs {where} ORDER BY run_id DESC LIMIT 1"
_NEWEST = "SELECT (SELECT count(*) FROM records) AS records, (SELECT max(captured_at) FROM captures) AS last_captured_at"


async def health(datasette: Any) -> Any:
    """Returns the response: status 503 if the last committed refresh is older than STALE_AFTER, otherwise 200.

    A database that was never refreshed, such as one that is loaded by hand, is not stale: `age_hours` is null.
    """
    database = datasette.get_database("tta")
    newest = dict((await database.execute(_NEWEST)).first())
    last, good = [
        dict(row) if (row := (await database.execute(_RUN.format(where=where))).first()) else None
        for where in ("", "WHERE outcome = 'committed'")
    ]
    ended = from_iso(good["ended_at"] or good["started_at"]) if good else None
    age = round((datetime.now(UTC) - ended).total_seconds() / 3600, 2) if ended else None
    stale = age is not None and age > STALE_AFTER
    body = {
        "status": "stale" if stale else "ok",
        "age_hours": age,
        "stale_after_hours": STALE_AFTER,
        "last_committed_run": good,
        "last_run": last,
        "data": newest,
        "program": version("tta"),
    }
    return Response.json(body, status=503 if stale else 200, headers={"Cache-Control": "no-store"})
