"""After a refused night nothing but a choice brings in what the checks kept out: not a load, not a repair."""

import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from scraper.database.runs import record
from scraper.database.tables import RunRow
from scraper.folders import Folders
from tests import commandkit
from tests.commandkit import Ran
from tests.dbkit import add, day, exports, html, node, one, page, query, sql
from tests.doctorkit import scribble

PAGES = range(1, 31)
COUNT = "SELECT count(*) FROM captures"
GONE = b"<html><body><h1>Notice</h1><p>Moved %d.</p></body></html>"
CHOICES = ("`tta refresh` tries again", "`tta refresh --accept`", "--unchecked")

Tta = Callable[..., Ran]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "data")


def in_folder(data: Path) -> Tta:
    """A command with no source enabled."""
    config = data.with_name("tta.toml")
    config.write_text("[sources.wayback]\nenabled = false\n")
    return partial(commandkit.tta, "--data", data, "--config", config)


@pytest.fixture
def tta(folders: Folders) -> Tta:
    return in_folder(folders.data)


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after a good night, and one whose pages are no records any more."""
    made = Folders(tmp_path_factory.mktemp("nights") / "data")
    for first, status in ((0, 0), (100, 3)):
        add(made, [page(GONE % n if first else html({}, node=n), url=node(n), when=day(first + n)) for n in PAGES])
        assert in_folder(made.data)("refresh").status == status
    return made.data


@pytest.fixture
def refused(folders: Folders, two_nights: Path) -> Folders:
    shutil.copytree(two_nights, folders.data)
    return folders


def test_a_load_says_what_was_refused_and_how_to_choose_and_changes_nothing(
    refused: Folders, tta: Tta, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(*_: object) -> Iterator[None]:
        pytest.fail("pages are parsed before anybody has chosen")

    before = exports(refused)
    monkeypatch.setattr("scraper.database.load.parse_all", unwanted)
    for options in ((), ("--rebuild",), ("--without-lost",), ("--workers", "2")):
        ran = tta("load", *options)
        assert (ran.status, ran.out, ran.err.count("\n")) == (3, "", 1)
        assert "was refused (pages that parse)" in ran.err
        assert all(choice in ran.err for choice in CHOICES)
    assert exports(refused) == before
    assert one(refused, COUNT) == 30


def test_unchecked_loads_it_and_a_load_with_nothing_new_is_no_error_then(refused: Folders, tta: Tta) -> None:
    ran = tta("load", "--unchecked")
    assert (ran.status, ran.out.startswith("30 captures loaded")) == (0, True)
    assert one(refused, COUNT) == 60
    assert tta("load").status == 0
    add(refused, [page(html({}, node=99), url=node(99), when=day(200))])
    assert tta("load").status == 3, "no refresh has committed since"
    assert tta("refresh").status == 3, "it is held against the last good run as before"
    assert tta("refresh", "--accept").status == 0
    assert one(refused, COUNT) == 61


def test_only_a_run_that_decided_ends_the_refusal(refused: Folders, tta: Tta) -> None:
    for hour, outcome in enumerate(("stopped", "failed", "died", None, "committed", "stopped")):
        record(refused.database, RunRow(run_id=0, started_at=f"2026-11-25T{hour:02}:00:00Z", outcome=outcome))
        is_kept_out = hour < 4
        assert ("run `tta load`" in tta("status").out) is not is_kept_out
        assert not is_kept_out or tta("load").status == 3
    assert "run `tta load`" in tta("doctor").out
    assert tta("load").status == 0


def test_a_first_load_and_one_without_runs_need_no_choice(folders: Folders, tta: Tta) -> None:
    add(folders, [page(GONE % n, url=node(n), when=day(n)) for n in PAGES])
    assert tta("load").status == 0
    sql(folders.database, "DROP TABLE run_checks", "DROP TABLE runs")
    add(folders, [page(html({}, node=99), url=node(99), when=day(200))])
    assert tta("load").status == 0


def test_a_database_of_another_version_keeps_a_refusal(refused: Folders, tta: Tta) -> None:
    sql(refused.database, "PRAGMA user_version = 1")
    kept = refused.database.read_bytes()
    ran = tta("load")
    assert (ran.status, "was refused (" in ran.err) == (3, True)
    assert tta("doctor", "--repair").status == 4
    assert refused.database.read_bytes() == kept
    assert tta("load", "--unchecked").status == 0


SPOILS: dict[str, Callable[[Folders], object]] = {
    "search": lambda folders: sql(folders.database, "INSERT INTO records_fts (records_fts) VALUES ('delete-all')"),
    "file": lambda folders: scribble(folders, "tta.db", 0.5),
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_repair_makes_no_database_of_what_was_refused(refused: Folders, tta: Tta, spoil: Callable[[Folders], None]) -> None:
    spoil(refused)
    ran = tta("doctor", "--repair")
    assert ran.status == 4
    (line,) = [line for line in ran.out.splitlines() if line.startswith("not repaired: the refresh of")]
    assert all(choice in line for choice in CHOICES)
    assert one(refused, COUNT) == 30
    assert not list(refused.data.glob("tta.damaged-*"))
    assert tta("doctor", "--unchecked").status == 2, "it is an option of --repair"
    assert tta("doctor", "--repair", "--unchecked").status == 0
    assert one(refused, COUNT) == 60
    assert query(refused, "SELECT outcome FROM runs ORDER BY run_id") == [("committed",), ("refused",)]


def test_the_refused_page_can_be_inspected(refused: Folders, tta: Tta) -> None:
    ran = tta("why", "7")
    assert ran.status == 0
    (line,) = [line for line in ran.out.splitlines() if line.startswith("not loaded")]
    assert " other https://" in line
    found = tta("why", "7", "--json").report["not_loaded"]
    assert [it["kind"] for it in found] == ["other"]
    assert tta("why", found[0]["capture_id"], "--json").report["record_id"] is None
    add(refused, [page(html({"County": "Rain"}, node=99), url=node(99), when=day(300))])
    assert "County = Rain" in tta("why", "99").out
    assert tta("why", "98").status == 1


def test_a_refused_night_prints_one_finding_with_an_example_and_no_way_around_the_checks(refused: Folders, tta: Tta) -> None:
    ran = tta("refresh")
    lines = ran.err.splitlines()
    assert (ran.status, sum(line.startswith("failed") for line in lines)) == (3, 1)
    assert ran.out.endswith("refused, status 3: the database is as it was; `tta status` shows why\n")
    assert re.search(r"30, where .* check node \d+ as captured at \d{4}-", ran.err), ran.err
    assert len(lines) <= 6
    status, examined = tta("status").out, tta("doctor").out
    assert "30 not loaded: the last refresh was refused, see below" in status
    assert "  failed: pages that parse (new: pages): 0, at least 0.5: 0 of 30" in status
    assert re.search(r"check node \d+ as captured at \S+Z, which is classified as `other`", status)
    assert "  the next run finds the same captures" in status
    assert "30 captures of the archive not loaded yet: the last refresh was refused, see `tta status`" in examined
    assert "tta load" not in status + examined
