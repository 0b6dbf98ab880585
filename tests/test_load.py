"""From captures in the archive to rows in the database."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from scraper.archive.warc import sha1_digest
from scraper.capture import Capture, WarcType
from scraper.database.assign_records import BUILD_ORDER
from scraper.database.load import load
from scraper.database.merge import Seen
from scraper.database.stored_page import StoredPage
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.sqlite import open_memory
from tests.dbkit import add, broken_references, day, exports, html, loaded, node, one, page, query, revisit, sql, time_order


def test_a_page_becomes_a_record_with_all_its_rows(tmp_path: Path) -> None:
    capture = page(
        html(
            {"County": "Suffolk County", "Type of Agency": ["Courts", "Police"], "Weather": "Rain"},
            milestones=[{"Milestone Title": "Kick-off"}, {"Milestone Title": "Report"}],
        ),
        url=node(7),
        when=day(0),
    )
    folders = loaded(tmp_path, [capture])
    columns = "record_id, node_id, reference, county, agency_types, archived, agreed, url, first_captured_at, captures"
    assert query(folders, f"SELECT {columns} FROM records") == [
        ("7", 7, "20250129-145639-07", "Suffolk County", '["Courts", "Police"]', 0, 1, node(7), "2025-01-01T12:00:00Z", 1)
    ]
    assert query(folders, "SELECT position, value, state, capture_id FROM fields WHERE label = 'Weather'") == [
        (one(folders, "SELECT position FROM fields WHERE label = 'Weather'"), "Rain", "value", capture.capture_id)
    ]
    assert query(folders, "SELECT position, title FROM milestones ORDER BY position") == [(1, "Kick-off"), (2, "Report")]
    assert one(folders, "SELECT count(*) FROM records_fts WHERE records_fts MATCH 'suffolk'") == 1
    assert broken_references(folders) == []


@pytest.mark.parametrize("by", ["record", "place", "digest"])
def test_a_revisit_means_its_original_again(tmp_path: Path, by: str) -> None:
    first = page(html({"County": "A"}), url=node(1), when=day(0))
    second = page(html({"County": "B"}), url=node(1), when=day(1))
    again = revisit(first, day(2), by=by)
    folders = loaded(tmp_path, [again], [second], [first])
    assert query(folders, "SELECT county, captures, last_captured_at FROM records") == [("A", 3, "2025-01-03T12:00:00Z")]
    assert query(folders, "SELECT kind, record_id, sha256, original_id FROM captures WHERE warc_type = 'revisit'") == [
        ("revisit", "1", first.sha256, first.capture_id)
    ]
    assert query(folders, "SELECT old_value, new_value FROM changes ORDER BY seen_by") == [("A", "B"), ("B", "A")]
    assert one(folders, "SELECT capture_id FROM fields WHERE label = 'County'") == again.capture_id


def not_modified(when: datetime | None, **more: Any) -> Capture:
    """A revisit whose server sent no body; the digest is that of nothing."""
    profile = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    values = {"revisit_profile": profile, "http_status": 304, "payload_digest": sha1_digest(b"")}
    return replace(revisit(page(b"", url=node(1), when=day(0)), day(0), by="nothing"), captured_at=when, **(values | more))


def test_a_page_that_was_not_modified_is_the_last_one_before_at_its_address(tmp_path: Path) -> None:
    first = page(html({"County": "A"}), url=node(1), when=day(0))
    second = page(html({"County": "B"}), url=node(1), when=day(2))
    empty = page(b"", url=node(9), when=day(0), http_status=301, payload_digest=sha1_digest(b""))
    missing = page(b"gone", url=node(1), when=day(3), http_status=404)
    again = revisit(first, day(4))
    captures = [empty, second, first, missing, again]
    revisits = [not_modified(when) for when in (day(-1), day(1), day(3, 1), day(5), None)]
    folders = loaded(tmp_path / "a", revisits, captures)
    assert exports(folders) == exports(loaded(tmp_path / "b", captures[::-1], revisits[::-1]))
    found = dict(query(folders, "SELECT capture_id, original_id FROM captures WHERE http_status = 304"))
    expected = (None, first.capture_id, second.capture_id, first.capture_id, None)
    assert [found[one.capture_id] for one in revisits] == list(expected)
    assert query(folders, "SELECT old_value, new_value FROM changes WHERE field = 'county'") == [("A", "B"), ("B", "A")]
    assert query(folders, "SELECT captures, availability FROM records") == [(8, "unknown")]


def test_an_empty_digest_identifies_no_capture(tmp_path: Path) -> None:
    empty = page(b"", url=node(9), when=day(0), http_status=301, payload_digest=sha1_digest(b""))
    folders = loaded(tmp_path, [empty, not_modified(day(1), revisit_profile=None, http_status=200)])
    assert one(folders, "SELECT original_id FROM captures WHERE warc_type = 'revisit'") is None


def test_an_intact_copy_of_a_damaged_capture_counts_whenever_it_arrives(tmp_path: Path) -> None:
    damaged = page(html({"County": "Kenu", "Countx": "x"}), url=node(1), when=day(1), damage="its digest differs")
    copy = page(html({"County": "Kent"}), url=node(1), when=day(1))
    before = page(html({"County": "Essex"}), url=node(1), when=day(0))
    unchanged = not_modified(day(2))
    for name, batches in (("a", ([before, damaged, unchanged], [copy])), ("b", ([copy], [unchanged], [damaged], [before]))):
        folders = loaded(tmp_path / name, *batches)
        assert query(folders, "SELECT old_value, new_value FROM changes") == [("Essex", "Kent")]
        assert one(folders, "SELECT count(*) FROM fields WHERE label = 'Countx'") == 0
        assert query(folders, "SELECT intact FROM captures ORDER BY captured_at, intact") == [(1,), (0,), (1,), (1,)]


def test_a_revisit_of_nothing_known_waits(tmp_path: Path) -> None:
    first = page(html({"County": "A"}), url=node(1), when=day(0))
    lost = revisit(page(b"never seen", url=node(1), when=day(3)), day(4))
    folders = loaded(tmp_path, [lost])
    assert query(folders, "SELECT kind, record_id, node_id FROM captures") == [("revisit", None, 1)]
    add(folders, [first])
    load(folders)
    assert one(folders, "SELECT record_id FROM captures WHERE kind = 'revisit'") == "1"
    assert query(folders, "SELECT county, captures FROM records") == [("A", 2)]


def test_a_description_is_stored_once_and_its_field_shows_it_and_is_found(tmp_path: Path) -> None:
    folders = loaded(tmp_path, [page(html({"County": "A"}, body="Larch help"), url=node(7), when=day(0))])
    for word, other in (("larch", "willow"), ("willow", "larch")):
        assert query(folders, "SELECT count(*) FROM fields_rows WHERE value = ''") == [(1,)]
        assert query(folders, "SELECT value FROM fields WHERE name = 'body'") == query(folders, "SELECT description FROM records")
        found = "SELECT name FROM fields WHERE rowid IN (SELECT rowid FROM fields_fts WHERE fields_fts MATCH ?)"
        assert [query(folders, found, one) for one in (word, other)] == [[("body",)], []]
        add(folders, [page(html({"County": "A"}, body="Willow help"), url=node(7), when=day(1))])
        load(folders)


def test_text_that_sqlite_cannot_keep_is_replaced(tmp_path: Path) -> None:
    body = html({"County": "A\0B"}).replace(b"Help for", "Help &#xD800; for \N{PILE OF POO}".encode())
    folders = loaded(tmp_path, [page(body, url=node(1), when=day(0))])
    exports(folders)
    assert "\N{PILE OF POO}" in one(folders, "SELECT description FROM records")


def test_no_archive_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(TtaError, match="tta import"):
        load(Folders(tmp_path))


def test_form_is_how_the_archive_keeps_it(tmp_path: Path) -> None:
    folders = loaded(tmp_path, [page(html({}), warc_type=WarcType.RESOURCE, http_status=None, http_headers=(), url=node(3))])
    assert query(folders, "SELECT warc_type, form, captured_at FROM captures") == [("resource", "html", None)]
    assert query(folders, "SELECT first_captured_at, last_captured_at, captures FROM records") == [(None, None, 1)]


@pytest.mark.parametrize("lost", ["INDEX idx_fields_rows_shared", "TABLE fields_fts"])
def test_a_load_makes_an_index_that_is_missing(tmp_path: Path, lost: str) -> None:
    folders = loaded(tmp_path, [page(html({"County": "Suffolk County"}), url=node(7), when=day(0))])
    sql(folders.database, f"DROP {lost}")
    add(folders, [page(html({"County": "Norfolk County"}), url=node(8), when=day(1))])
    load(folders)
    assert one(folders, "SELECT 1 FROM sqlite_master WHERE name = ?", lost.split()[1]) == 1
    assert query(folders, "SELECT count(*) FROM fields_fts WHERE fields_fts MATCH 'suffolk'") == [(1,)]


def test_captures_are_merged_by_time_unknown_first_and_a_fraction_of_a_second_after_the_second() -> None:
    """At one time the richest form comes last. The kit's order, which tests of merging use, is the same."""
    times = (None, "2019", "2019-03-01", "2019-03-01T12:00:00Z", "2019-03-01T12:00:00.5Z", "2019-03-01T12:00:01Z")
    captures = [(at, form, capture_id) for at in times for form in ("prose", "text", "html", "data") for capture_id in "ab"]
    with open_memory() as db:
        db.execute("CREATE TABLE captures (captured_at TEXT, form TEXT, capture_id TEXT)")
        db.executemany("INSERT INTO captures VALUES (?, ?, ?)", reversed(captures))
        assert db.execute(f"SELECT * FROM captures ORDER BY {BUILD_ORDER}").fetchall() == captures
    seen = [Seen(capture_id, at, StoredPage(form, False, None, [], [], [], [], [], [])) for at, form, capture_id in captures]
    mixed = seen[::-1]
    mixed.sort(key=time_order)
    assert mixed == seen
