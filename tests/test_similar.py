"""Families of near-duplicate texts and similar records; `quality_derived` measures how well they are found."""

from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from scraper.database import similar
from scraper.database.connection import comparing
from scraper.database.difference import differences
from scraper.database.load import LoadOptions, load
from scraper.explore.filters import QUERIES
from scraper.folders import Folders
from scraper.sandbox import register_functions
from scraper.sqlite import open_writable
from tests.dbkit import add, day, html, loaded, node, page, query
from tests.derivedkit import records, sentence

BODY = "The county asked for help with its reentry program and for training of its staff in mapping of the cases. "


def families(folders: Folders) -> dict[str, str | None]:
    return dict(query(folders, "SELECT record_id, family_id FROM records ORDER BY node_id"))


def test_a_family_is_named_for_its_lowest_record_whatever_came_first(tmp_path: Path) -> None:
    texts = {number: (BODY * 3 + f"Number {number}.", 0) for number in (9, 30, 200)} | {
        31: ("Short text.", 1),
        32: ("Short text.", 1),
    }
    one = loaded(tmp_path / "one", records(texts))
    other = loaded(tmp_path / "other", *[[capture] for capture in reversed(records(texts))])
    assert families(one) == families(other) == {"9": "9", "30": "9", "31": None, "32": None, "200": "9"}


def test_texts_that_change_from_record_to_record_are_not_all_one_family(tmp_path: Path) -> None:
    rng = Random(3)
    sentences = [sentence(rng) for _ in range(24)]
    chain = {number: (" ".join(sentences[number : number + 5]), 0) for number in range(20)}  # each shares four with the next
    found = families(loaded(tmp_path, records({number + 1: text for number, text in chain.items()})))
    assert found["1"] == found["2"] == found["3"] == "1"
    assert 4 <= len(set(found.values())) <= 8 and None not in found.values()
    for number, family in found.items():  # a family has a sentence of its first record
        assert int(number) - int(family or 0) < 5


def test_a_record_whose_text_changes_leaves_its_family(tmp_path: Path) -> None:
    folders = loaded(tmp_path, records(dict.fromkeys((1, 2, 3), (BODY * 3, 0))))
    assert families(folders) == {"1": "1", "2": "1", "3": "1"}
    other = "Nothing of the old text stays, because somebody wrote all of this new description of the deliverable last week."
    add(folders, [page(html({}, node=1, body=other), url=node(1), when=day(400))])
    load(folders)
    assert families(folders) == {"1": None, "2": "2", "3": "2"}
    load(folders, LoadOptions(rebuild=True))
    assert families(folders) == {"1": None, "2": "2", "3": "2"}


def test_families_are_no_difference_from_the_archive(tmp_path: Path) -> None:
    folders = loaded(tmp_path, records(dict.fromkeys((1, 2), (BODY * 3, 0))))
    load(folders, LoadOptions(rebuild=True, database=tmp_path / "second.db"))
    with comparing(folders.database, tmp_path / "second.db") as db:
        assert differences(db).fields == []


def test_a_page_lists_the_records_that_share_rare_words(tmp_path: Path) -> None:
    texts = {
        1: ("Naloxone was handed to the deputies of the parish, who asked for a curriculum.", 0),
        2: ("Deputies learned when naloxone helps, by a curriculum of our own.", 1),
        3: ("A court asked how to keep its calendar.", 2),
        4: ("", 3),
    }
    folders = loaded(tmp_path, records(texts))
    sql = QUERIES["around"]["similar"].format(named=QUERIES["named"])
    with closing(open_writable(folders.database)) as db:
        register_functions(db)
        found = {one: [(row[0], row[2]) for row in db.execute(sql, {"id": str(one)})] for one in (*texts, 5)}
        db.execute("UPDATE records SET county = 'Naloxone County'")
        assert [row[2] for row in db.execute(sql, {"id": "1"})] == ["curriculum, deputies"]  # a place is no similarity
    assert found[1] == [("2", "curriculum, deputies, naloxone")]  # nor is one word, as of the third
    assert found[4] == found[5] == []


def test_a_load_that_is_ended_among_texts_is_continued_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = Folders(tmp_path)
    add(folders, records({number: (f"{BODY * 3} Number {number}.", 0) for number in range(1, 9)}))
    update = similar.update
    ended = iter([False, False, True]).__next__
    monkeypatch.setattr(similar, "update", lambda database, since, changed, _: update(database, since, changed, ended))
    load(folders)
    assert set(families(folders).values()) == {None}
    monkeypatch.undo()
    assert load(folders).unchanged
    assert set(families(folders).values()) == {"1"}


def test_a_family_changes_with_what_a_load_brings(tmp_path: Path) -> None:
    """Of two texts that one between them is like, as it comes and goes: it is in the family of the first."""
    parts = [
        " ".join(f"{part}word{number}" for number in range(count)) for part, count in zip("abcd", (9, 60, 60, 9), strict=True)
    ]
    folders = loaded(tmp_path, records({1: (f"{parts[0]} {parts[1]}", 0), 2: (f"{parts[2]} {parts[3]}", 0), 3: ("Short.", 0)}))
    assert families(folders) == {"1": None, "2": None, "3": None}
    for at, (text, expected) in enumerate(
        [
            (f"{parts[1]} {parts[2]}", {"1": "1", "2": None, "3": "1"}),
            (f"{parts[2]} {parts[3]}", {"1": None, "2": "2", "3": "2"}),
            ("Short again.", {"1": None, "2": None, "3": None}),
        ]
    ):
        add(folders, [page(html({}, node=3, body=text), url=node(3), when=day(400 + at))])
        load(folders)
        assert families(folders) == expected


def test_a_damaged_file_of_hashes_costs_no_record(tmp_path: Path) -> None:
    folders = loaded(tmp_path, records(dict.fromkeys((1, 2), (BODY * 3, 0))))
    (tmp_path / similar.NAME).write_bytes(b"no database" * 500)
    add(folders, records({3: (BODY * 3, 0)}))
    load(folders)
    add(folders, records({4: (BODY * 3, 0)}))
    load(folders)
    assert set(families(folders).values()) == {"1"}
