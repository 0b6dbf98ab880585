"""Families of near-duplicate texts and similar records, on made-up texts whose templates are known."""

from collections import defaultdict
from pathlib import Path
from random import Random

import pytest

from scraper.database import similar
from scraper.database.connection import comparing
from scraper.database.difference import differences
from scraper.database.load import LoadOptions, load
from scraper.folders import Folders
from tests.dbkit import add, day, html, loaded, node, page, query
from tests.test_organizations import pairs

WORDS = [
    f"{one}{two}{three}"
    for one in ("ba", "do", "fi", "lu", "me", "ra", "so", "ti")
    for two in "lmnrst"
    for three in ("en", "o", "ar", "ing")
]
BODY = "The county asked for help with its reentry program and for training of its staff in mapping of the cases. "


def sentence(rng: Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(8, 16))).capitalize() + "."


def make_texts(seed: int, families: int = 25, members: int = 6, alone: int = 150) -> dict[int, tuple[str, int]]:
    """By record a text and its family: copies of a template with other names and dates, some with a sentence more or less."""
    rng = Random(seed)
    texts = []
    for family in range(families):
        template = [sentence(rng) for _ in range(rng.randint(4, 9))]
        for _ in range(members):
            own = [f"On {rng.randint(1, 28)} May {rng.choice(WORDS)} {rng.choice(WORDS)} asked.", *template]
            if rng.random() < 0.3:
                own.pop(rng.randrange(1, len(own)))
            if rng.random() < 0.3:
                own.append(sentence(rng))
            words = " ".join(own).split()  # and every thirtieth word is another in each copy: names, places, numbers
            texts.append((" ".join(word if rng.random() > 0.03 else rng.choice(WORDS) for word in words), family))
    texts += [(" ".join(sentence(rng) for _ in range(rng.randint(3, 9))), 1000 + index) for index in range(alone)]
    rng.shuffle(texts)
    return dict(enumerate(texts, 100))


def records(texts: dict[int, tuple[str, int]]) -> list[object]:
    return [
        page(html({}, node=number, body=text), url=node(number), when=day(number % 300)) for number, (text, _) in texts.items()
    ]


def measure(folder: Path, seed: int = 1) -> dict[str, float]:
    """Precision and recall, in percent, of pairs of records in one family."""
    texts = make_texts(seed)
    true, read = defaultdict(list), defaultdict(list)
    for number, (_, family) in texts.items():
        true[family].append(number)
    for record_id, family in query(
        loaded(folder, records(texts)), "SELECT record_id, family_id FROM records WHERE family_id IS NOT NULL"
    ):
        read[family].append(int(record_id))
    both = len(pairs(true) & pairs(read))
    return {"family_id, precision": 100 * both / len(pairs(read)), "family_id, recall": 100 * both / len(pairs(true))}


def test_families_are_the_copies_of_one_template(tmp_path: Path) -> None:
    figures = measure(tmp_path)
    assert figures["family_id, precision"] >= 98
    assert figures["family_id, recall"] >= 95


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


def test_a_record_whose_text_changes_leaves_its_family(tmp_path: Path) -> None:
    folders = loaded(tmp_path, records(dict.fromkeys((1, 2, 3), (BODY * 3, 0))))
    assert families(folders) == {"1": "1", "2": "1", "3": "1"}
    other = "Nothing of the old text stays, because somebody wrote all of this new description of the deliverable last week."
    add(folders, [page(html({}, node=1, body=other), url=node(1), when=day(400))])
    load(folders)
    assert families(folders) == {"1": None, "2": "2", "3": "2"}
    before = query(folders, "SELECT * FROM similar ORDER BY 1, 2")
    load(folders, LoadOptions(rebuild=True))
    assert (families(folders), query(folders, "SELECT * FROM similar ORDER BY 1, 2")) == ({"1": None, "2": "2", "3": "2"}, before)


def test_families_are_no_difference_from_the_archive(tmp_path: Path) -> None:
    folders = loaded(tmp_path, records(dict.fromkeys((1, 2), (BODY * 3, 0))))
    load(folders, LoadOptions(rebuild=True, database=tmp_path / "second.db", only_captures_of=folders.database))
    with comparing(folders.database, tmp_path / "second.db") as db:
        assert differences(db).fields == []


def test_similar_records_share_rare_words(tmp_path: Path) -> None:
    texts = {
        1: ("Naloxone was handed to the deputies of the parish, who asked for a curriculum.", 0),
        2: ("Deputies learned when naloxone helps, by a curriculum of our own.", 1),
        3: ("A court asked how to keep its calendar.", 2),
    }
    rows = query(loaded(tmp_path, records(texts)), "SELECT record_id, position, other_id, words FROM similar ORDER BY 1, 2")
    assert rows[0] == ("1", 1, "2", "curriculum, deputies, naloxone")
    assert rows[1][:3] == ("1", 2, "3") and "asked" in rows[1][3]


def test_a_load_ends_when_its_time_is_up_and_the_next_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = Folders(tmp_path)
    add(folders, records(dict.fromkeys(range(1, 9), (BODY * 3, 0))))
    monkeypatch.setattr(similar, "SECONDS", 0)
    update = similar.update
    monkeypatch.setattr(similar, "update", lambda database, is_over: update(database, is_over, 0.0))
    load(folders)
    assert set(families(folders).values()) == {None}
    assert update(folders.database, iter([False, False, True]).__next__) == 6
    assert update(folders.database) == 0
    assert set(families(folders).values()) == {"1"}


def test_a_damaged_file_of_hashes_costs_no_record(tmp_path: Path) -> None:
    folders = loaded(tmp_path, records(dict.fromkeys((1, 2), (BODY * 3, 0))))
    (tmp_path / similar.NAME).write_bytes(b"no database" * 500)
    add(folders, records({3: (BODY * 3, 0)}))
    load(folders)
    add(folders, records({4: (BODY * 3, 0)}))
    load(folders)
    assert set(families(folders).values()) == {"1"}
