"""Search in the browser without a server: the words of all records in small files that a page loads as scripts.

Scripts, because a page that is opened from a disk (file://) may load nothing else. `site.js` reads these files.
"""

import json
import re
import sqlite3
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import Any

from scraper.database.tables import BY_NAME
from scraper.export.selection import RECORDS_FIRST
from scraper.export.tables import LISTED

AT_ONCE = 1_000
"""Records in one file."""
PREFIX = 3
"""Letters that the words of one file share."""
MAX_WORD = 40
_WORD = re.compile(r"\w{2,}")
_COMPARED = ("exact", "arraycontains", "in", "gt", "gte", "lt", "lte")
"""Conditions that `site.js` tests by value; it tests isnull and notnull for any column here."""
_TITLES = ("title", "tta_title", "short_name")


def words_of(text: str) -> set[str]:
    """The words of a text as they are looked up: lower case, without accents. `site.js` does the same."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return {word[:MAX_WORD] for word in _WORD.findall("".join(one for one in plain if not unicodedata.combining(one)))}


def write(db: sqlite3.Connection, folder: Path, asked: Collection[str]) -> None:
    """Writes the files. `asked`: the names of conditions in the pages' links to lists of records, such as `county__isnull`."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {name.partition("__")[0] for name in asked}
    filtered = [name for name in BY_NAME["records"].columns if name in columns]
    valued = [name for name in filtered if {name, *(f"{name}__{one}" for one in _COMPARED)} & set(asked)]
    codes: dict[str, dict[Any, int]] = {name: {} for name in valued}
    places: dict[str, array[int]] = defaultdict(lambda: array("I"))
    searched = [*_TITLES, *(name for name in BY_NAME["records"].searched if name not in _TITLES)]
    names = ["record_id", "latitude", "longitude", *searched, *filtered]
    rows = db.execute(f"SELECT {', '.join(names)} FROM records ORDER BY {RECORDS_FIRST}")
    count = 0
    for number, some in enumerate(iter(lambda: list(islice(rows, AT_ONCE)), [])):
        documents = []
        for record_id, latitude, longitude, *row in some:
            texts, values = row[: len(searched)], dict(zip(filtered, row[len(searched) :], strict=True))
            titles = [text for text in texts[:3] if text]
            printed = [value for (value,) in db.execute("SELECT value FROM fields WHERE record_id = ?", [record_id])]
            in_title = words_of(" ".join(titles))
            for word in in_title | words_of(" ".join(filter(None, [record_id, *texts, *printed]))):
                places[word].append(2 * count + (word in in_title))
            there = "".join("01"[values[name] is not None] for name in filtered)
            title = texts[1] or texts[2] or texts[0] or record_id
            coded: list[Any] = []
            for name in valued:  # the number of a value among those of its column, or the numbers of a list's
                value, known = values[name], codes[name]
                numbers = [known.setdefault(one, len(known)) for one in json.loads(value)] if value and name in LISTED else None
                coded.append(numbers if numbers is not None or value is None else known.setdefault(value, len(known)))
            documents.append([record_id, title, texts[0], latitude, longitude, there, *coded])
            count += 1
        _save(folder / f"records-{number}.js", "records", number, documents)
    by_prefix: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for word in sorted(places):  # its places: the difference to the record before, twice, plus 1 for a title
        before, steps = 0, []
        for place in places.pop(word):
            steps.append(2 * (place // 2 - before) + place % 2)
            before = place // 2
        by_prefix["-".join(f"{ord(one):x}" for one in word[:PREFIX])][word] = steps
    for prefix, words in by_prefix.items():
        _save(folder / f"words-{prefix}.js", "words", prefix, words)
    values_of = {name: list(found) for name, found in codes.items()}
    _save(folder / "about.js", "about", count, {"columns": filtered, "values": values_of, "atOnce": AT_ONCE, "prefix": PREFIX})


def _save(path: Path, kind: str, key: Any, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"tta.loaded({json.dumps(kind)},{json.dumps(key)},{text});\n", encoding="utf-8", newline="\n")
