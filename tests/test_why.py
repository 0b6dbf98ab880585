"""`tta why` and `tta status`: every value can say where it comes from, and what there is can be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scraper.cli import cli
from scraper.database.connection import reading
from scraper.database.load import load
from scraper.errors import ExitStatus, TtaError
from scraper.folders import Folders
from scraper.importing import import_paths
from scraper.why import Why
from tests.dbkit import HOST, add, day, html, loaded, node, page, query, revisit, text

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
SAMPLE = SAMPLES / "20250129-145639-07.txt"
EVERY = 15


def ask(folders: Folders, *arguments: str) -> tuple[int, str]:
    """Status and output of a command; an error's text in place of output."""
    done = CliRunner().invoke(cli, ["--data", str(folders.data), *arguments], standalone_mode=False)
    if isinstance(done.exception, TtaError):
        return int(done.exception.status), str(done.exception)
    assert done.exception is None, done.exception
    return int(done.return_value or 0), done.output


def answer(folders: Folders, *arguments: str) -> Any:
    status, output = ask(folders, "why", *arguments, "--json")
    assert status == 0, output
    return json.loads(output)


@pytest.fixture
def two(tmp_path: Path) -> Folders:
    """A record with two captures and a revisit."""
    first = page(html({"County": "Essex County", "Status of Deliverable": "Open", "Weather": "Rain"}), url=node(7), when=day(0))
    second = page(html({"County": "Suffolk County"}, submitted="Another Name"), url=node(7), when=day(1))
    return loaded(tmp_path, [first, second, revisit(second, day(2))])


def test_every_value_of_the_demo_can_be_traced(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    import_paths(folders.archive, [SAMPLES])
    load(folders)
    with reading(folders.database) as db:
        why = Why(db, folders.archive)
        ids = [row[0] for row in query(folders, "SELECT record_id FROM records ORDER BY record_id")]
        for record_id in [ids[0], *ids[1::EVERY]]:
            names = {row["label"] or row["name"] for row in why.fields(record_id) if row["state"] == "value"}
            assert len(names) > 8
            for name in (names - {None}) | {"title"}:
                for origin in why.field(record_id, name).origins:
                    assert origin.fixity == "sound" and origin.place and origin.snippet, (record_id, name, origin.problem)


def test_the_story_of_a_value(two: Folders) -> None:
    status, told = ask(two, "why", "7", "County")
    assert status == 0
    captures = query(two, "SELECT capture_id, warc_file, warc_offset, sha256 FROM captures WHERE warc_type = 'revisit'")
    ((capture_id, warc_file, warc_offset, sha256),) = captures
    for part in (
        "county = Suffolk County",
        "2025-01-01T12:00:00Z .. 2025-01-02T12:00:00Z: Essex County -> Suffolk County",
        f"{capture_id} revisit",
        f"{warc_file} at {warc_offset}",
        f"{sha256} (sound)",
        f"https://web.archive.org/web/20250103120000/{node(7)}",
        '<div class="field--label">County</div>',
    ):
        assert part in told, told


@pytest.mark.parametrize("name", ["Status of Deliverable", "status", "field_status_of_deliverable", "STATUS OF DELIVERABLE:"])
def test_a_field_by_any_of_its_names(two: Folders, name: str) -> None:
    found = answer(two, "7", name)
    assert (found["field"], found["columns"]) == ("status", {"status": "Open"})
    assert found["origins"][0]["capture"]["captured_at"] == "2025-01-01T12:00:00Z"


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("title", "2025-01-03T12:00:00Z"),
        ("submitted_by", "2025-01-03T12:00:00Z"),
        ("reference", "2025-01-03T12:00:00Z"),
        ("Weather", "2025-01-01T12:00:00Z"),
        ("url", "2025-01-03T12:00:00Z"),
        ("first_captured_at", "2025-01-01T12:00:00Z"),
        ("description", "2025-01-03T12:00:00Z"),
    ],
)
def test_which_capture_tells_it(two: Folders, name: str, when: str) -> None:
    assert [origin["capture"]["captured_at"] for origin in answer(two, "7", name)["origins"]] == [when]


def test_a_record_by_its_reference_and_without_a_field(two: Folders) -> None:
    assert answer(two, "20250129-145639-07")["record_id"] == "7"
    status, told = ask(two, "why", "7")
    assert status == 0 and "Weather = Rain" in told and told.count("\ncapture ") == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("8",), "no record '8'"), (("7", "Nothing"), "it has: "), (("7", "category"), "no capture of it prints one")],
)
def test_what_is_not_there_is_a_line(two: Folders, arguments: tuple[str, ...], says: str) -> None:
    status, line = ask(two, "why", *arguments)
    assert status == 1 and says in line and "\n" not in line


def test_nothing_from_a_page_reaches_the_terminal_as_it_came(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\N{RIGHT-TO-LEFT OVERRIDE}"
    folders = loaded(
        tmp_path, [page(html({"County": evil, evil: "x"}, title=f"T {evil}"), url=node(7) + "?" + "%1b", when=day(0))]
    )
    for arguments in (("why", "7"), ("why", "7", "county"), ("why", "7", "title"), ("status",)):
        _, told = ask(folders, *arguments)
        assert not {char for char in told if not char.isprintable()} - {"\n"}


def test_without_its_archive_a_value_still_tells_its_capture(two: Folders) -> None:
    for path in two.archive.glob("*.warc.gz"):
        path.unlink()
    status, told = ask(two, "why", "7", "County")
    assert status == ExitStatus.PARTLY_DONE and "restore it from a copy" in told and "Suffolk County" in told


def test_status_of_nothing_of_an_archive_and_of_a_database(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "data")
    assert "nothing in" in ask(folders, "status")[1]
    assert not folders.data.exists()
    odd = page(html({"Weather": "Rain", "Event Location Geo": "POINT (200 10)"}), url=node(1), when=day(0))
    add(folders, [odd, text(SAMPLE.read_text())])
    assert "2 not loaded" in ask(folders, "status")[1]
    load(folders)
    add(folders, [page(b"later", url=f"{HOST}/x", when=day(2))])
    found = json.loads(ask(folders, "status", "--json")[1])
    assert (found["records"], found["captures"], found["not_loaded"], found["time_unknown"]) == (1, 2, 1, 1)
    assert found["kinds"] == {"record": 2} and found["sources"] == {"commoncrawl": 1, "wayback": 1}
    assert found["unknown_labels"] == {"Weather": 1}
    assert found["flags"] == {"point is out of range": 1}
    assert found["last_captured_at"] == "2025-01-01T12:00:00Z"
