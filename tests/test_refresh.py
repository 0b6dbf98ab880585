"""The nightly run from listing to commit: what it does on a good night, and what a failed check, a pause or an error leaves."""

import dataclasses
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from scraper.config import Checks
from scraper.database.checks import Check, CheckInput, check_all
from scraper.database.load import load
from scraper.folders import Folders
from scraper.refresh import run as refresh_run
from tests.commandkit import tta
from tests.dbkit import add, day, exports, html, loaded, node, page, query, sql
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, Ran, run, write_config
from tests.fakearchive.server import FakeArchive
from tests.webkit import Site

Refresh = Callable[..., Ran]
AT = "20240101000000"
LATER = "20240201000000"
GONE = b"<html><body><h1>Something else</h1><p>No record here.</p></body></html>"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "data")


@pytest.fixture
def tta_refresh(fake: FakeArchive, tmp_path: Path) -> Refresh:
    """`tta refresh --json` against `fake`, with settings by keyword."""

    def refresh(*arguments: str, **settings: object) -> Ran:
        config = write_config(tmp_path / "tta.toml", fake.url, **settings)
        return run(tmp_path / "data", config, *arguments, command="refresh")

    return refresh


def publish(fake: FakeArchive, *nodes: int, at: str = AT, body: bytes | None = None, **fields: str) -> None:
    """Puts a page of every node into the archive."""
    for number in nodes:
        content = html({"County": f"County {number}"} | fields, node=number, title=f"20240101-90000-{number}")
        fake.add(f"https://{HOST}/node/{number}", at, content if body is None else body + str(number).encode())


def last_run(folders: Folders) -> dict[str, Any]:
    columns = ("run_id", "status", "outcome", "phase", "accepted", "records", "records_before", "message")
    return dict(zip(columns, query(folders, f"SELECT {', '.join(columns)} FROM runs ORDER BY run_id DESC")[0], strict=True))


def test_a_good_night_fetches_loads_checks_and_commits(fake: FakeArchive, tta_refresh: Refresh, folders: Folders) -> None:
    publish(fake, *range(1, 31))
    ran = tta_refresh()
    assert (ran.status, ran.err) == (0, "")
    assert (ran.report["outcome"], ran.report["fetched"], ran.report["records"]) == ("committed", 30, 30)
    publish(fake, 31, 32)
    assert tta_refresh("--now").report["records_before"] == 30
    assert tuple(last_run(folders).values()) == (2, 0, "committed", "done", 0, 32, 30, "the database has the new data")
    names = {name for (name,) in query(folders, "SELECT DISTINCT name FROM run_checks WHERE run_id = 2 AND passed")}
    assert {"vanished records", "pages that parse", "filled values", "broken references", "a listing that shrank"} <= names


def test_a_failed_check_leaves_yesterdays_data_and_is_refused_until_accepted(
    fake: FakeArchive, tta_refresh: Refresh, folders: Folders
) -> None:
    publish(fake, *range(1, 31))
    assert tta_refresh().status == 0
    before = exports(folders)
    publish(fake, *range(1, 31), at=LATER, body=GONE)
    for _ in range(2):
        ran = tta_refresh()
        assert (ran.status, ran.err[:55]) == (3, "refused: the new data look wrong (pages that parse); th")
        assert "tta refresh --accept" in ran.err
        assert exports(folders) == before
        assert (last_run(folders)["outcome"], last_run(folders)["phase"]) == ("refused", "checks")
    failed = "SELECT subject, figure FROM run_checks WHERE run_id = 3 AND name = 'pages that parse' AND NOT passed"
    assert query(folders, failed) == [(None, 0.5), ("new: pages", 0.0), ("recent: pages", 1.0)]
    assert tta_refresh("--accept").status == 0
    assert (last_run(folders)["outcome"], last_run(folders)["accepted"]) == ("committed", 1)
    assert query(folders, "SELECT count(*) FROM captures WHERE kind = 'other'") == [(30,)]
    assert tta_refresh().status == 0
    assert last_run(folders)["message"] == "nothing new"


def test_a_paused_source_still_brings_what_came(fake: FakeArchive, tta_refresh: Refresh, folders: Folders) -> None:
    publish(fake, *range(1, 6))
    fake.fault(fake.kept[3], *[faults.answers(429, headers=(("Retry-After", "3600"),))] * 5)
    ran = tta_refresh()
    assert (ran.status, ran.report["outcome"], ran.report["records"]) == (4, "committed", 3), ran.err
    assert json.loads(query(folders, "SELECT problems FROM runs")[0][0])


def test_without_a_source_what_was_imported_is_loaded(tta_refresh: Refresh, folders: Folders) -> None:
    add(folders, [page(html({}), url=node(1), when=day(0))])
    ran = tta_refresh(sources__wayback__enabled=False)
    assert (ran.status, ran.report["records"], ran.report["notes"]) == (0, 1, ["nothing: no source is enabled"])
    assert tta_refresh("nowhere").status == 2


def test_a_listing_that_shrank_is_a_warning_and_removes_nothing(
    fake: FakeArchive, tta_refresh: Refresh, folders: Folders
) -> None:
    publish(fake, *range(1, 11))
    assert tta_refresh().status == 0
    del fake.kept[2:]
    ran = tta_refresh()
    assert (ran.status, ran.report["records"], ran.report["outcome"]) == (4, 10, "committed")
    warned = [(one["name"], one["subject"], one["severity"]) for one in ran.report["warned"]]
    assert warned == [("a listing that shrank", "wayback", "warn")]


def test_a_night_without_an_answer_is_not_called_nothing_new_and_many_of_them_are_a_warning(
    fake: FakeArchive, tta_refresh: Refresh, folders: Folders
) -> None:
    def status() -> str:
        return tta("--data", folders.data, "status").out

    publish(fake, 1)
    fake.add(f"https://{HOST}/node/2", "2024", row={"timestamp": "2024"})
    ran = tta_refresh()
    assert (ran.status, ran.report["fetch"]["sources"]["wayback"]["skipped"]) == (0, 1)
    assert "rows of the listing that can't be used: 1" in query(folders, "SELECT problems FROM runs")[0][0]
    assert "rows that can't be used: 1" in status()
    before = exports(folders)
    fake.on_listing.extend([faults.answers(503)] * 6 + [faults.answers(200, b"<html>down for maintenance</html>")] * 40)
    ran = tta_refresh("--now")
    assert (ran.status, ran.report["outcome"], ran.report["warned"]) == (4, "unanswered", [])
    sql(folders.ledger, "UPDATE runs SET ended_at = '2025-01-01T00:00:00Z' WHERE id = 1")
    ran = tta_refresh("--now")
    assert (ran.status, ran.report["outcome"]) == (4, "unanswered")
    assert [one["name"] for one in ran.report["warned"]] == ["days since a source answered"]
    assert exports(folders) == before
    shown = status()
    assert [part in shown for part in ("unanswered", "no source answered", "the last good one began")] == [True] * 3
    page_text = Site(folders.database).get("/").text
    assert "no source answered" in page_text
    assert "last successful refresh" in page_text
    add(folders, [page(html({}), url=node(2), when=day(0))])
    assert tta_refresh("--now").report["message"] == "the database has the new data; no source answered"
    fake.on_listing.clear()
    assert tta_refresh("--now").report["warned"] == []


def test_a_disk_that_is_nearly_full_is_a_warning(
    fake: FakeArchive, tta_refresh: Refresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scraper.folders.MIN_FREE", 1 << 62)
    ran = tta_refresh()
    assert (ran.status, "MB left" in ran.report["notes"][0]) == (0, True)


def test_limits_are_documented_with_their_defaults() -> None:
    note = (Path(__file__).parents[1] / "docs/decisions/data-checks.md").read_text()
    documented = tomllib.loads(note.split("```toml\n")[1].split("```")[0])["checks"]
    assert documented == dataclasses.asdict(Checks())


def test_a_database_of_another_version_is_compared_with_and_keeps_a_refused_run(
    tta_refresh: Refresh, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(folders, [page(html({"County": "Kent County"}), url=node(n), when=day(n)) for n in (1, 2)])
    load(folders)
    sql(folders.database, "PRAGMA user_version = 1")
    with monkeypatch.context() as patch:
        patch.setattr(refresh_run, "check_all", lambda _looked: [Check("made up", "fail", None, 1, 0, False)])
        assert tta_refresh(sources__wayback__enabled=False).status == 3
    assert sql(folders.database, "SELECT outcome, name, passed FROM runs JOIN run_checks USING (run_id)") == [
        ("refused", "made up", 0)
    ]
    ran = tta_refresh(sources__wayback__enabled=False)
    results = [ran.report[name] for name in ("outcome", "records_before", "records")]
    assert (ran.status, *results) == (0, "committed", 2, 2), ran.err
    assert query(folders, "SELECT outcome FROM runs ORDER BY run_id DESC LIMIT 2") == [("committed",), ("refused",)]


STATE = """select count(*) as records, sum(county = 'Old') as old, sum(county = 'New') as new,
    (select count(*) from fields where value = 'New') as fields, (select count(*) from captures) as captures,
    (select count(*) from changes) as changes,
    (select count(*) from records_fts where records_fts match 'new') as found,
    (select ifnull(max(run_id), 0) from runs) as run from records"""


def test_whoever_reads_sees_yesterdays_data_until_the_commit_and_todays_after_it(
    tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every table, and on the same server: never a mixture."""
    old = [page(html({"County": "Old"}, node=n), url=node(n), when=day(0)) for n in range(1, 61)]
    new = [page(html({"County": "New"}, node=n), url=node(n), when=day(1)) for n in range(1, 91)]
    folders = loaded(tmp_path / "data", old)
    add(folders, new)
    site, seen = Site(folders.database), []

    def look(looked: CheckInput) -> object:
        """All is written and nothing committed."""
        seen.append(site.json(f"/tta.json?_shape=array&sql={quote(STATE)}")[0])
        return check_all(looked)

    monkeypatch.setattr(refresh_run, "check_all", look)
    for _ in range(2):
        assert run(folders.data, offline, command="refresh").status == 0
        add(folders, [page(html({"County": "New"}, node=99), url=node(99), when=day(2))])
    assert [tuple(state.values()) for state in seen] == [(60, 60, 0, 0, 60, 0, 0, 0), (90, 0, 90, 90, 150, 60, 90, 1)]
