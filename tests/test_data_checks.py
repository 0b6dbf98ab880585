"""Data broken on purpose, once for every check: it fires, and at the right size; a few odd pages are no alarm."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from parsers.record import Kind
from scraper import reading
from scraper.capture import Capture
from scraper.config import Checks
from scraper.database import runs
from scraper.database.checks import Check, CheckInput, Severity, check_all
from scraper.database.load import Loaded, LoadOptions, load
from scraper.database.tables import RunRow
from scraper.errors import RefreshRefused
from scraper.folders import Folders
from tests.dbkit import SAMPLE, add, day, html, node, page, text


def record(number: int, when: int = 0, **fields: str) -> Capture:
    content = html({"County": f"County {number}", "Category": "TTA"} | fields, node=number, title=f"20240101-{90000 + number}-1")
    return page(content, url=node(number), when=day(when))


def other(number: int, when: int = 1) -> Capture:
    return page(f"<html><body><h1>Notice {number}</h1><p>Moved.</p></body></html>".encode(), url=node(number), when=day(when))


def in_headings(content: bytes) -> bytes:
    """A page as another theme shows it: its labels are `<h3>`."""
    content = content.replace(b'<div class="field--label">', b'<h3 class="field--label">')
    return content.replace(b'</div><div class="field--item">', b'</h3><div class="field--item">')


Broken = Callable[[sqlite3.Connection], object]


class Nights:
    """A data folder whose nights are loaded one after the other and checked as a refresh does."""

    def __init__(self, data: Path, limits: Checks | None = None) -> None:
        self.folders = Folders(data)
        self.limits = limits or Checks()
        self.found: list[Check] = []
        self.refuses = False

    def night(self, captures: Iterable[Capture] = (), *, broken: Broken | None = None, rebuild: bool = False) -> list[Check]:
        """Loads, breaks what `broken` breaks, and commits unless `refuses`; returns the checks that did not pass."""
        add(self.folders, captures)

        def gate(db: sqlite3.Connection, loaded: Loaded) -> None:
            if broken:
                db.execute("PRAGMA defer_foreign_keys = ON")
                broken(db)
            with runs.state_before(self.folders.database) as before:
                archive = self.folders.archive if loaded.captures else None
                last = runs.last_good(db)
                looked = CheckInput(db, before, last[1] if last else {}, self.limits, archive, runs.accepted_figures(db))
                self.found = list(check_all(looked))
            accepted = any(not one.passed and one.severity == Severity.FAIL for one in self.found)
            if accepted and self.refuses:
                raise RefreshRefused
            runs.add(
                db,
                RunRow(run_id=0, started_at="2025-01-01T00:00:00Z", outcome=runs.Outcome.COMMITTED, accepted=accepted),
                self.found,
            )

        with suppress(RefreshRefused):
            load(self.folders, LoadOptions(before_commit=gate, rebuild=rebuild))
        return [check for check in self.found if not check.passed]


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    made = Nights(tmp_path_factory.mktemp("first") / "data")
    assert made.night(record(number) for number in range(1, 61)) == []
    return made


@pytest.fixture
def nights(first_night: Nights, tmp_path: Path) -> Nights:
    """After a first, good night with 60 records."""
    made = Nights(Path(shutil.copytree(first_night.folders.data, tmp_path / "data")))
    made.found = first_night.found
    return made


def fired(checks: list[Check]) -> list[tuple[str, str | None, str]]:
    return [(check.name, check.subject, check.severity) for check in checks]


def sql(statements: str) -> Broken:
    return lambda db: [db.execute(statement) for statement in statements.split(";")]


def test_a_night_with_nothing_new_passes_with_the_same_figures(nights: Nights) -> None:
    before = {(one.name, one.subject): one.figure for one in nights.found if not (one.subject or "").startswith("new:")}
    assert nights.night() == []
    assert {(one.name, one.subject): one.figure for one in nights.found if one.subject != "new: pages"} == before


def shared_references() -> list[Capture]:
    fields = {"County": "X", "Category": "TTA"}
    return [page(html(fields, node=n, title=f"20240101-{90001 + n % 30}-1"), url=node(n), when=day(1)) for n in range(201, 222)]


def errors_and_logins() -> list[Capture]:
    login = b"<html><head><title>Log in</title></head><body><h1>Log in</h1><form><input type='password'></form></body></html>"
    bad = [page(login + str(n).encode(), url=node(n), when=day(1)) for n in range(101, 131)]
    return bad + [page(b"<html><body>no</body></html>", url=node(n), when=day(1), http_status=404) for n in range(131, 161)]


def texts() -> list[Capture]:
    return [text(SAMPLE.replace("145639-07", f"{90000 + n}-07"), url=node(n), when=day(1)) for n in range(101, 141)]


def without_county(count: int) -> list[Capture]:
    """Among 60 old records the loss shows only in what is new, as a broken label does on the night it breaks."""
    return [record(number, County="") for number in range(101, 101 + count)]


VANISH = """UPDATE captures SET record_id = NULL, form = NULL, kind = 'other' WHERE record_id = '7';
    INSERT INTO temp.affected VALUES ('7'); DELETE FROM fields_rows WHERE record_id = '7';
    DELETE FROM sections_rows WHERE record_id = '7'; DELETE FROM records WHERE record_id = '7'"""
TWICE = "UPDATE records SET node_id = 1 WHERE record_id = '2'"
NIGHTS: dict[str, tuple[list[Capture], str, list[str], str]] = {
    "a record vanished": ([], VANISH, ["vanished records"], "`tta why 7`"),
    "19 pages do not parse": ([other(n) for n in range(101, 120)], "", [], ""),
    "25 pages do not parse": ([other(n) for n in range(101, 126)], "", ["pages that parse", "pages that parse: new: pages"], ""),
    "errors and logins need not parse": (errors_and_logins(), "", [], ""),
    "19 pages without a county": (without_county(19), "", [], ""),
    "30 pages without a county": (
        without_county(30),
        "",
        ["filled values: county", "filled values: new: county"],
        "`tta why 101`",
    ),
    "text captures can't have links": (texts(), "", [], ""),
    "records share a reference": (shared_references(), "", ["one reference, several records"], ""),
    "a node in two records": ([], TWICE, ["one node, several records"], ""),
}


@pytest.mark.parametrize("name", NIGHTS)
def test_what_a_night_must_not_bring_fails_a_check(nights: Nights, name: str) -> None:
    captures, broken, expected, advice = NIGHTS[name]
    checks = [one for one in nights.night(captures, broken=sql(broken)) if one.severity == "fail"]
    assert [": ".join(filter(None, (one.name, one.subject))) for one in checks] == expected
    assert all(advice in (one.message or "") for one in checks)


def test_a_record_that_merged_into_another_has_not_vanished(tmp_path: Path) -> None:
    made = Nights(tmp_path)
    title = "20240101-90001-1"
    made.night([page(html({"County": "A"}, title=title), url=None, when=day(0))])
    assert made.night([page(html({"County": "A"}, title=title, node=1), url=node(1), when=day(1))]) == []
    assert made.found[0] == ("vanished records", "fail", None, 0, 0, True, None)


def test_a_loss_in_a_large_archive_shows_in_what_is_new(tmp_path: Path) -> None:
    made = Nights(tmp_path)
    made.night(record(number) for number in range(1, 601))
    checks = made.night(record(number, County="") for number in range(1001, 1026))
    assert fired(checks) == [("filled values", "new: county", "fail")]


def test_labels_that_nobody_knows_are_told_once_when_they_are_many(nights: Nights) -> None:
    assert nights.night(record(number, Weather="Rain") for number in range(101, 104)) == []
    checks = nights.night(record(number, Weather="Rain") for number in range(104, 107))
    assert all(one.message is None or "parsers/registry.toml" in one.message for one in checks)
    assert fired(checks) == [("unknown labels", None, "warn"), ("unknown labels", "Weather", "warn")]
    assert checks[1].figure == 6
    assert nights.night(record(number, Weather="Rain") for number in range(107, 117)) == []


def test_page_shapes_are_told_once_when_they_are_many(nights: Nights) -> None:
    def reshaped(number: int) -> Capture:
        return page(in_headings(record(number).payload), url=node(number), when=day(2))

    assert nights.night(map(reshaped, range(101, 105))) == []
    checks = nights.night(map(reshaped, range(105, 127)))
    assert [(check.name, check.severity, check.figure) for check in checks] == [("new page shapes", "warn", 26)]
    assert nights.night(map(reshaped, range(127, 150))) == []


@pytest.mark.parametrize(
    ("broken", "subject"),
    [
        (
            "UPDATE sections_rows SET record_id = 'nobody'; UPDATE fields_rows SET capture_id = 'nobody' WHERE record_id = '1'",
            "tables",
        ),
        ("UPDATE captures SET record_id = NULL WHERE record_id = '3'", "records without a capture"),
        ("UPDATE captures SET original_id = 'nobody' WHERE record_id = '3'", "captures that repeat none"),
    ],
)
def test_broken_references(nights: Nights, broken: str, subject: str) -> None:
    written = [page(html({"County": "new"}, node=number), url=node(number), when=day(99)) for number in (1, 3)]
    assert ("broken references", subject, "fail") in fired(nights.night(written, broken=sql(broken)))


def test_a_rebuild_is_held_against_what_was_there(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that reads less than yesterday's does not get past, though the tables were made anew."""
    usual = reading.parse_page

    def worse(content: bytes, **more: Any) -> Any:
        found = usual(content, **more)
        return replace(found, kind=Kind.OTHER, record=None) if b"County 1" in content else found

    monkeypatch.setattr(reading, "parse_page", worse)
    checks = nights.night(rebuild=True)
    assert fired(checks) == [("vanished records", None, "fail")]
    assert checks[0].figure == 11


def test_limits_are_configuration(tmp_path: Path) -> None:
    made = Nights(tmp_path, Checks(floor=3, filled_drop_tonight=0.1, unknown_label_records=0))
    made.night(record(number) for number in range(1, 61))
    checks = made.night(record(number, County="", Weather="Rain") for number in range(101, 105))
    assert ("filled values", "new: county", "fail") in fired(checks)
    assert ("unknown labels", "Weather", "warn") in fired(checks)


FULL = {"County": "A county", "Category": "TTA", "Grant Manager": "Nobody Real", "Region": "West"}


def themed(number: int, when: int, *, lost: tuple[str, ...] = (), other_text: str = "") -> Capture:
    """A record's page in a new theme, without the fields that the theme loses."""
    fields = {label: value for label, value in FULL.items() if label not in lost}
    content = html(fields, node=number, title=f"20240101-{90000 + number}-1", body=f"A text. {other_text}")
    return page(in_headings(content), url=node(number), when=day(when))


@pytest.mark.parametrize(
    ("size", "same_pages", "name"),
    [(3, False, "pages that parse"), (30, True, "pages that parse"), (8, True, "filled values"), (30, False, "filled values")],
)
def test_a_new_theme_two_pages_a_night_is_noticed_within_a_week(tmp_path: Path, size: int, same_pages: bool, name: str) -> None:
    made = Nights(tmp_path)
    made.night(record(number, when, **FULL) for number in range(1, size + 1) for when in (0, 1))
    made.refuses = True
    for night in range(2, 9):
        numbers = [1, 2] if same_pages else [(2 * night + one) % size + 1 for one in (0, 1)]
        is_gone = name == "pages that parse"
        pages = [other(one, night) if is_gone else themed(one, night, lost=("County",)) for one in numbers]
        checks = [one for one in made.night(pages) if one.severity == "fail"]
        if checks:
            assert (checks[0].name, night <= 6) == (name, True)
            assert re.search(r"such as node \d+ as captured at 20", checks[0].message or "")
            return
    pytest.fail("not noticed")


def test_a_new_theme_that_is_read_right_and_odd_pages_among_many_are_no_alarm(tmp_path: Path) -> None:
    made = Nights(tmp_path)
    made.night(record(number, **FULL) for number in range(1, 31))
    for night in range(1, 5):
        pages = [themed(number, night, other_text=str(night)) for number in range(2 * night, 2 * night + 5)]
        pages += [other(30, night)] if night % 3 == 0 else []
        assert [one for one in made.night(pages) if one.severity == "fail"] == []


def test_what_was_accepted_is_not_refused_again(tmp_path: Path) -> None:
    made = Nights(tmp_path)
    made.night(record(number) for number in range(1, 9))
    checks = made.night(other(number) for number in range(1, 9))
    assert "recent: pages" in {one.subject for one in checks}
    assert made.night([other(1, 2), record(2, 3)]) == []
