"""`tta why` and `tta status`: every value can say where it comes from, and what there is can be told."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scraper.database.connection import reading
from scraper.database.load import load
from scraper.errors import ExitStatus, TtaError
from scraper.folders import Folders
from scraper.provenance import Why
from tests.commandkit import tta
from tests.dbkit import HOST, SAMPLE, add, day, html, loaded, node, page, query, revisit, sql, text


def ask(folders: Folders, *arguments: str) -> tuple[int, str]:
    """Status and output of a command; an error's line in place of output."""
    ran = tta("--data", folders.data, *arguments)
    return ran.status, ran.out or ran.err.removesuffix("\n")


def answer(folders: Folders, *arguments: str) -> Any:
    status, output = ask(folders, "why", *arguments, "--json")
    assert status == 0, output
    return json.loads(output)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A record with two captures and a revisit."""
    first = page(html({"County": "Essex County", "Status of Deliverable": "Open", "Weather": "Rain"}), url=node(7), when=day(0))
    second = page(html({"County": "Suffolk County"}, submitted="Another Name"), url=node(7), when=day(1))
    return loaded(tmp_path_factory.mktemp("two"), [first, second, revisit(second, day(2))])


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
        f"{sha256} (intact)",
        f"https://web.archive.org/web/20250103120000/{node(7)}",
        '<div class="field--label">County</div>',
    ):
        assert part in told, told


def test_a_field_by_any_of_its_names_and_the_capture_that_shows_it(two: Folders) -> None:
    for name in ("Status of Deliverable", "status", "field_status_of_deliverable", "STATUS OF DELIVERABLE:"):
        found = answer(two, "7", name)
        assert (found["field"], found["columns"]) == ("status", {"status": "Open"})
    days = dict.fromkeys(("title", "submitted_by", "reference", "url", "description"), 3)
    days |= dict.fromkeys(("status", "Weather", "first_captured_at"), 1)
    for name, number in days.items():
        times = [origin["capture"]["captured_at"] for origin in answer(two, "7", name)["origins"]]
        assert times == [f"2025-01-0{number}T12:00:00Z"], name


def test_captures_that_agree_are_named(tmp_path: Path) -> None:
    counties = {0: "Essex County", 1: "Suffolk County", 4: "Suffolk County"}
    pages = [page(html({"County": county}, node=7), url=node(7), when=day(number)) for number, county in counties.items()]
    folders = loaded(tmp_path, [*pages, text(SAMPLE, url=node(7), when=day(3))])
    found = answer(folders, "7", "County")
    assert [origin["capture"]["captured_at"][:10] for origin in found["origins"]] == ["2025-01-05"]
    agreeing = [(one["captured_at"][:10], one["form"]) for one in found["agreeing"]]
    assert agreeing == [("2025-01-02", "html"), ("2025-01-04", "text")]
    assert "agrees       2025-01-04T12:00:00Z commoncrawl text" in ask(folders, "why", "7", "County")[1]


def places(found: Any) -> list[tuple[str, str, str]]:
    """Time of the capture, value and source of each place."""
    both = ((origin["capture"]["captured_at"][:10], place) for origin in found["origins"] for place in origin["places"])
    return [(when, place["value"], place["snippet"]) for when, place in both]


def test_a_field_merged_from_page_and_text_is_traced_to_both(tmp_path: Path) -> None:
    """The text shows a milestone that is new, and the date of the old one comes from the page, under another number."""
    one, two = {"Milestone Title": "Kick-off", "Milestone Notes": "Noted"}, {"Milestone Title": "Report"}
    first = page(html({}, node=7, milestones=[one, two]), url=node(7), when=day(0))
    second = page(html({}, node=7, milestones=[two, one | {"Milestone Notes": "Changed"}]), url=node(7), when=day(1))
    folders = loaded(tmp_path, [first, second])
    found = answer(folders, "7", "Milestone 2")
    assert [(when, value) for when, value, _ in places(found)] == [("2025-01-02", "Kick-off"), ("2025-01-02", "Changed")]
    assert all(value in snippet for _, value, snippet in places(found))
    assert len(answer(folders, "7", "milestones")["rows"]) == 3


def test_what_a_later_text_lost_is_traced_to_the_page_that_has_it(tmp_path: Path) -> None:
    words = SAMPLE.replace("Suffolk County", "Essex County")
    first = page(html({"Category": "TTA", "County": "Suffolk County"}, node=7), url=node(7), when=day(0))
    folders = loaded(tmp_path, [first, text(words, url=node(7), when=day(1))])
    assert [(when, value) for when, value, _ in places(answer(folders, "7", "category"))] == [("2025-01-01", "TTA")]
    ((when, value, snippet),) = places(answer(folders, "7", "county"))
    assert (when, value, snippet) == ("2025-01-02", "Essex County", "County\nEssex County")


def test_a_section_and_a_gone_record(tmp_path: Path) -> None:
    shown = page(html({"Event Date Markup": "Enter the date of the event."}, node=7), url=node(7), when=day(0))
    gone = page(b"gone", url=node(7), when=day(3), http_status=404, http_reason="Not Found")
    folders = loaded(tmp_path, [shown, gone])
    found = answer(folders, "7", "event date markup")
    assert [value for _, value, _ in places(found)] == ["Enter the date of the event."]
    found = answer(folders, "7", "availability")
    assert found["columns"] == {"availability": "gone", "gone_since": "2025-01-04T12:00:00Z"}
    assert [snippet for _, _, snippet in places(found)] == ["WARC-Date: 2025-01-04T12:00:00Z", "HTTP: 404 Not Found"]
    assert [(one["old_value"], one["new_value"]) for one in found["changes"]] == [("shown", "gone")]
    told = ask(folders, "why", "7", "gone_since")[1]
    assert "2025-01-01T12:00:00Z .. 2025-01-04T12:00:00Z: shown -> gone" in told and "HTTP: 404 Not Found" in told


def test_a_page_that_is_read_otherwise_now_or_a_missing_archive_is_a_problem_of_the_place(two: Folders, tmp_path: Path) -> None:
    changed = Folders(Path(shutil.copytree(two.data, tmp_path / "data")))
    sql(
        changed.database,
        "UPDATE fields_rows SET value = 'Kent County' WHERE rowid IN (SELECT rowid FROM fields WHERE label = 'County')",
    )
    (origin,) = answer(changed, "7", "County")["origins"]
    assert origin["places"][0]["place"] is None and "tta load --rebuild" in origin["places"][0]["problem"]
    for path in changed.archive.glob("*.warc.gz"):
        path.unlink()
    status, told = ask(changed, "why", "7", "County")
    assert status == ExitStatus.PARTLY_DONE and "restore it from a copy" in told and "Kent County" in told


def test_every_column_of_a_record_can_be_asked_for(two: Folders) -> None:
    with reading(two.database) as db:
        why = Why(db, two.archive, "7")
        for column in [row[0] for row in query(two, "SELECT name FROM pragma_table_info('records')")]:
            try:
                assert column in why.field(column).columns
            except TtaError as error:
                assert "no capture of it prints one" in str(error) or "it is derived from" in str(error)


def test_a_record_by_its_reference_and_without_a_field(two: Folders) -> None:
    assert answer(two, "20250129-145639-07")["record_id"] == "7"
    status, told = ask(two, "why", "7")
    assert status == 0 and "Weather = Rain" in told and told.count("\ncapture ") == 3


def test_what_is_not_there_is_a_line(two: Folders) -> None:
    expected = {("8",): "no record '8'", ("7", "Nothing"): "it has: ", ("7", "category"): "no capture of it prints one"}
    for arguments, text_of_error in expected.items():
        status, line = ask(two, "why", *arguments)
        assert (status, text_of_error in line, "\n" in line) == (1, True, False), line


def test_nothing_from_a_page_reaches_the_terminal_as_it_came(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\N{RIGHT-TO-LEFT OVERRIDE}"
    content = html({"County": evil, evil: "x"}, title=f"T {evil}")
    folders = loaded(tmp_path, [page(content, url=node(7) + "?" + "%1b", when=day(0))])
    for arguments in (("why", "7"), ("why", "7", "county"), ("why", "7", "title"), ("status",)):
        _, told = ask(folders, *arguments)
        assert not {char for char in told if not char.isprintable()} - {"\n"}


def test_status_of_nothing_of_an_archive_and_of_a_database(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "data")
    assert "nothing in" in ask(folders, "status")[1]
    assert not folders.data.exists()
    odd = page(html({"Weather": "Rain", "Event Location Geo": "POINT (200 10)"}), url=node(1), when=day(0))
    add(folders, [odd, text(SAMPLE)])
    assert "2 not loaded" in ask(folders, "status")[1]
    load(folders)
    add(folders, [page(b"later", url=f"{HOST}/x", when=day(2))])
    found = json.loads(ask(folders, "status", "--json")[1])
    assert (found["records"], found["captures"], found["not_loaded"], found["time_unknown"]) == (1, 2, 1, 1)
    assert found["kinds"] == {"record": 2} and found["sources"] == {"commoncrawl": 1, "wayback": 1}
    assert found["unknown_labels"] == {"Weather": 1}
    assert found["flags"] == {"point is out of range": 1}
    assert found["last_captured_at"] == "2025-01-01T12:00:00Z"
