"""Contact details: what counts as one, and that none is left where they are left out."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from parsers.contacts import denotes_person, has_contact, mask_contacts
from parsers.registry import LABELS
from scraper.database import contacts
from scraper.database.connection import reading
from scraper.database.contacts import cleared_copy
from scraper.database.runs import Outcome, record
from scraper.database.tables import RunRow
from scraper.export.run import FORMATS, TABLES_OF
from scraper.export.selection import Selection
from tests.dbkit import day, exported, html, loaded, node, page, query
from tests.exportkit import shown_text

CLEARED = {*FORMATS} - {"wacz", "site"}
"""The formats that can leave contact details out; a WACZ refuses to, and a site has a test of its own."""


def test_labels_that_feed_a_column_of_contacts_are_labels_of_contacts() -> None:
    for label in LABELS:
        assert not contacts.COLUMNS.intersection(column.name for column in label.columns) or denotes_person(label.text), label


def test_registered_labels_whose_words_denote_a_person_are_marked_as_contacts() -> None:
    """With "Other" before it, a label is not registered, and its words decide."""
    assert [one.text for one in LABELS if denotes_person(f"Other {one.text}")] == [one.text for one in LABELS if one.contact]


@pytest.mark.parametrize("gap", [" ", "   ", "; ", " , ", "\n", "1", "-", ".b", " at ", " dot ", "(555) "])
@pytest.mark.parametrize("detail", ["a@b.co", "555-010-7788", "(555) 010-7788 ext 1", "a at b dot c"])
def test_no_value_of_a_page_takes_long_to_judge(detail: str, gap: str) -> None:
    began = time.process_time()
    for end in (" !", "@", ""):
        text = f"{gap.join([detail] * 50)}{gap * 50}{end}"
        has_contact(text[:300])
        mask_contacts(text * 20)
    assert time.process_time() - began < 1


def field(name: str, label: str | None, item: str) -> str:
    shown = f'<div class="field--label">{label}</div>' if label else ""
    return (
        f'<div class="field field--name-field-{name} field--label-{"above" if label else "hidden"}">{shown}'
        f'<div class="field--item">{item}</div></div>'
    )


MARKED = {
    "submitter": field("x", "Reviewed", '<a href="/user/7">{}</a>'),
    "mail link": field("y", "Help", '<a href="mailto:{}@example.org">write</a>'),
    "mail in a short value": field("z", "Where", "Room 5, {} [at] example [dot] org"),
    "role": field("w", "Lead Trainer", "{}"),
    "recipient": field("v", "Recipient Contact Name", "{}"),
    "marked as a person": field("u", "Reviewed", '<span typeof="schema:Person">{}</span>'),
    "hidden label": field("poc-name", None, "{}"),
    "milestone": field(
        "milestones",
        "Milestone",
        '<div class="paragraph paragraph--type--milestone">'
        + field("milestone-title", "Milestone Title", "Kick-off")
        + field("milestone-contact", "Milestone Contact", "{}")
        + "</div>",
    ),
}
"""Places of a page that name a person; each is filled with a name of its own."""


def test_no_marked_person_is_in_any_export_or_in_the_served_file(tmp_path: Path) -> None:
    """Also persons who are only on an earlier capture, whose rows are in `changes`."""
    markers = {place: f"Zeph{number}quill" for number, place in enumerate(MARKED)}
    kept = ("Suffolk County", "Example Institute", "Kick-off", "Number of Police Contacts", "100-200-3000")
    plain: dict[str, str | list[str]] = {
        "County": "Suffolk County",
        "Provider Reference": "Example Institute",
        "Number of Police Contacts": "12",
        "Award": "100-200-3000",
    }

    def marked(suffix: str) -> bytes:
        fields = "".join(markup.format(markers[place] + suffix) for place, markup in MARKED.items())
        return html(plain, node=5, submitted=f"Zephauthor{suffix}").replace(b"</article>", fields.encode() + b"</article>")

    url = node(5)
    pages = [page(marked("old"), url=f"{url}?mail=zephurl%40example.org", when=day(1)), page(marked("new"), url=url, when=day(9))]
    folders = loaded(tmp_path / "data", pages)
    for outcome, message in ((Outcome.COMMITTED, "nothing new"), (Outcome.FAILED, "/home/zeph/tta.db: no space")):
        problem = f"wayback: 503 {url}/help-for-zeph"
        run = RunRow(run_id=0, started_at="2025-01-01T00:00:00Z", outcome=outcome, message=message, problems=problem)
        record(folders.database, run)
    unmarked = {table: query(folders, f"SELECT * FROM {table}") for table in ("sections", "dictionary")}
    with closing(sqlite3.connect(folders.database)) as db:
        everything = "\n".join(db.iterdump())
        counts = contacts.count_left_out(db)
    assert [place for place, marker in markers.items() if f"{marker}new" not in everything] == []
    assert counts["fields"] >= len(MARKED)
    assert counts["changes"] >= 1
    found = {}
    for form in CLEARED:
        exported(form, folders, tmp_path / "out" / form, Selection(contacts=False))
        found[form] = shown_text(tmp_path / "out" / form)
    with cleared_copy(folders.database) as made:
        found["served file"] = made.path.read_bytes().decode("latin-1")
        with reading(made.path) as db:
            assert {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in unmarked} == unmarked
            assert db.execute("SELECT message FROM runs").fetchall() == [("nothing new",), (None,)]
        assert not made.renew(), "nothing has changed"
        record(folders.database, run)
        assert made.renew()
    assert {name: text.lower().count("zeph") for name, text in found.items() if "zeph" in text.lower()} == {}
    for form in CLEARED - {form for form, tables in TABLES_OF.items() if len(tables) == 1}:  # formats with a part of the data
        assert [one for one in kept if one not in found[form]] == []


def test_strict_masks_details_in_prose(tmp_path: Path) -> None:
    body = "The team met with the agency. " * 20 + "Write to zeph@example.org or call 202-555-0143."
    folders = loaded(tmp_path / "data", [page(html({"County": "Kings"}, node=5, body=body), url=node(5), when=day(1))])
    with closing(sqlite3.connect(folders.database)) as db:
        contacts.register(db)
        plain, strict = (
            db.execute(f"SELECT {contacts.column_sql('records', 'description', mode)} FROM records").fetchone()[0]
            for mode in (False, "strict")
        )
    assert "zeph@example.org" in plain
    assert "zeph" not in strict and "0143" not in strict and strict.count("left out]") == 2
    with cleared_copy(folders.database, "strict") as made:
        assert b"zeph" not in made.path.read_bytes()
