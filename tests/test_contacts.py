"""Contact details: what counts as one, and that none is left where they are left out."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from parsers.registry import LABELS
from scraper.database import contacts
from scraper.database.runs import Outcome, Run, record
from scraper.database.tables import BY_NAME
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page

NAMES = ("Hope Fiori", "Perla Quist", "Otto Brandt", "Nell Marsh", "Uma Okafor")
FIELDS: dict[str, str | list[str]] = {
    "TTA Point of Contact": ["Perla Quist", "Uma Okafor"],
    "BJA Grant Manager": "Otto Brandt",
    "Contact Name": "Nell Marsh",
    "Help Desk": "desk@example.org; (555) 010-7788",
    "County": "Suffolk County",
    "Provider Reference": "Example Institute",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A record with contact details in every place, one of which changes."""
    milestones = [{"Milestone Title": "Kick-off", "Milestone Contact": "Uma Okafor", "Milestone Notes": "By phone"}]
    first = page(html(FIELDS, milestones=milestones), url=node(1), when=day(0))
    later: dict[str, str | list[str]] = {
        **FIELDS,
        "Contact Name": "Hope Fiori",
        "Help Desk": "new@example.org",
        "County": "Kings",
    }
    second = page(html(later, milestones=[milestones[0] | {"Milestone Contact": "Nell Marsh"}]), url=node(1), when=day(9))
    folders = loaded(tmp_path_factory.mktemp("contacts") / "data", [first, second])
    for outcome, message in ((Outcome.COMMITTED, "nothing new"), (Outcome.FAILED, "/home/fiori/tta.db: no space")):
        problem = "wayback: 503 https://bjatta.bja.ojp.gov/tta/help-for-perla-quist"
        record(folders.database, Run(started_at="2025-01-01T00:00:00Z", outcome=outcome, message=message, problems=problem))
    return folders


@pytest.mark.parametrize(
    "label",
    ["Contact Name", "TTA Point of Contact:", "E-mail", "field_email_address", "Phone Number", "BJA Grant Manager", "Author"],
)
def test_a_label_of_a_person(label: str) -> None:
    assert contacts.is_detail(label)


@pytest.mark.parametrize("label", ["Number of contact hours", "Did you contact the site by phone?", "County", "TTA Title", None])
def test_a_label_of_something_else(label: str | None) -> None:
    assert not contacts.is_detail(label)


def test_labels_that_feed_a_column_of_contacts_are_labels_of_contacts() -> None:
    for label in LABELS:
        assert not contacts.COLUMNS.intersection(column.name for column in label.columns) or contacts.is_detail(label.text), label


@pytest.mark.parametrize("value", ["a.b@example.org", "(555) 010-7788", "555-010-7788 ext. 4; a@example.org"])
def test_a_value_that_is_an_address_or_a_number(value: str) -> None:
    assert contacts.is_detail("Help", value)
    assert not contacts.is_detail("Help", f"Write to {value} for more")


@pytest.mark.parametrize("gap", [" ", "   ", "; ", " , ", "\n", "1", "-", ".b"])
@pytest.mark.parametrize("detail", ["a@b.co", "555-010-7788", "(555) 010-7788 ext 1"])
def test_no_value_of_a_page_takes_long_to_tell(detail: str, gap: str) -> None:
    began = time.process_time()
    for end in (" !", "@", ""):
        contacts.is_detail("Help", f"{gap.join([detail] * 50)}{gap * 50}{end}"[:2000])
    assert time.process_time() - began < 1


@pytest.mark.parametrize("value", ["2025-01-29", "20250129-145639-07", "$10,000 - $50,000", "1234567890", "12", ""])
def test_a_value_that_only_looks_like_a_number(value: str) -> None:
    assert not contacts.is_detail("Help", value)


def test_a_link_to_write_or_call() -> None:
    assert contacts.is_detail("Help", "here", "mailto:a@example.org") and contacts.is_detail("Help", "here", "TEL:555")
    assert not contacts.is_detail("Help", "here", "https://example.org/mailto:")


def read(db: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    wanted = ", ".join(contacts.expression(table, name) for name in BY_NAME[table].columns)
    return db.execute(f"SELECT {wanted} FROM {table} WHERE {contacts.kept_rows(table)} ORDER BY rowid").fetchall()


def test_what_is_left_holds_no_detail_and_all_else(folders: Folders) -> None:
    with closing(sqlite3.connect(folders.database)) as db:
        contacts.register(db)
        shown = {table: read(db, table) for table in BY_NAME}
        everything = {table: db.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in BY_NAME}
    text = str(shown)
    assert all(name in str(everything) for name in NAMES)
    assert not [name for name in (*NAMES, "example.org", "010-7788") if name in text]
    assert len(shown["fields"]) == len(everything["fields"]) - 6  # two points of contact, four more fields
    assert {row[1] for row in shown["changes"]} == {"county"}
    assert "nothing new" in str(shown["runs"]) and "fiori" not in str(shown["runs"]) and "quist" not in str(shown["runs"])
    assert "Kick-off" in text and "Example Institute" in text
    for table in ("captures", "sections", "dictionary"):
        assert shown[table] == everything[table]


def test_a_copy_without_details_shows_the_same_and_holds_no_byte_of_them(folders: Folders, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(folders.database)) as db, closing(sqlite3.connect(copy)) as other:
        contacts.register(db)
        shown = {table: read(db, table) for table in BY_NAME}
        db.backup(other)
    with closing(sqlite3.connect(copy, isolation_level=None)) as other:
        other.execute("PRAGMA writable_schema = ON")  # as ANALYZE makes it in builds that sample values
        other.execute("CREATE TABLE IF NOT EXISTS sqlite_stat4 (tbl, idx, neq, nlt, ndlt, sample)")
        other.execute("INSERT INTO sqlite_stat4 (tbl, sample) SELECT 'records', bja_grant_manager FROM records")
        other.execute("PRAGMA writable_schema = OFF")
        contacts.remove(other)
        for table in BY_NAME:
            assert other.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() == shown[table]
        assert other.execute("SELECT count(*) FROM records_fts WHERE records_fts MATCH 'quist'").fetchone() == (0,)
    data = copy.read_bytes().lower()
    assert not [name for name in ("fiori", "quist", "brandt", "okafor", "desk@example") if name.encode() in data]
