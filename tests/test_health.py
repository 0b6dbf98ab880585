"""`/-/health`, which monitoring asks."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scraper.capture import iso
from scraper.database.runs import Outcome, record
from scraper.database.tables import RunRow
from tests.dbkit import day, html, loaded, node, page
from tests.webkit import Site


@pytest.mark.parametrize(
    ("runs", "status", "last"),
    [
        ([], 200, None),
        ([(1, Outcome.COMMITTED)], 200, "committed"),
        ([(50, Outcome.COMMITTED), (1, Outcome.UNANSWERED)], 200, "unanswered"),
        ([(80, Outcome.COMMITTED), (1, Outcome.REFUSED)], 503, "refused"),
        ([(1, Outcome.FAILED)], 200, "failed"),
    ],
)
def test_it_is_stale_three_days_after_the_last_commit(
    tmp_path: Path, runs: list[tuple[int, Outcome]], status: int, last: str | None
) -> None:
    folders = loaded(tmp_path / "data", [page(html({}), url=node(1), when=day(0))])
    for hours, outcome in runs:
        ended = iso(datetime.now(UTC) - timedelta(hours=hours)) or ""
        record(folders.database, RunRow(run_id=0, started_at=ended, ended_at=ended, outcome=outcome, message="/secret/path"))
    answer = Site(folders.database).get("/-/health")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, "stale" if status == 503 else "ok")
    assert (body["last_run"] or {}).get("outcome") == last
    assert body["data"]["records"] == 1
    assert "secret" not in answer.text
