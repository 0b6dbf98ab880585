"""Finds records with like descriptions after a load's commit: `records.family_id` and the table `similar`, of what changed only.

A family is what is left together when every pair with at least FAMILY of its three-word sequences in common is linked. Both are
estimated from the smallest hashes of each text (Broder, "On the resemblance and containment of documents"), which are kept in
`DIR/similar.db` with the links; the file can be deleted at any time.
"""

import re
import sqlite3
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zlib import crc32

from scraper.sqlite import open_writable, remove, uri

NAME = "similar.db"
SECONDS = 300.0
"""For one load; what is left waits for the next. A record takes 2 to 3 ms (10,000 captures, November 2026)."""
FAMILY = 0.35
"""Share of common sequences. At 0.30 texts with one standard paragraph were linked, at 0.45 copies with 4 % other words not."""
MIN_WORDS = 12
"""A shorter text, such as "Help for a county.", is alike by accident."""
_HASHES, _INDEXED, _SHARED, _CANDIDATES = 64, 16, 3, 20
_RARE, _MOST_COMMON, _SHOWN = 12, 200, 5
"""Similar records are found by this many rare words, of words that at most so many records have."""
_SCHEMA = """
CREATE TABLE texts (record_id TEXT PRIMARY KEY, checksum INTEGER NOT NULL, sketch BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE hashes (hash INTEGER, record_id TEXT, PRIMARY KEY (hash, record_id)) WITHOUT ROWID;
CREATE INDEX hashes_of_record ON hashes (record_id);
CREATE TABLE links (record_id TEXT, other_id TEXT, PRIMARY KEY (record_id, other_id)) WITHOUT ROWID;
CREATE TABLE similar (record_id TEXT, position INTEGER, other_id TEXT, words TEXT);
CREATE INDEX links_of_other ON links (other_id);
CREATE INDEX similar_of_record ON similar (record_id);
"""
_VERSION = crc32(Path(__file__).read_bytes()) >> 1


def update(database: Path, is_over: Callable[[], bool] = lambda: False, seconds: float = SECONDS) -> int:
    """Brings both up to date with the records, as far as time allows; returns how many records wait for the next load.

    The caller holds the folder's lock. Errors of SQLite leave the records as they are.
    """
    path, until = database.parent / NAME, time.monotonic() + seconds
    with closing(open_writable(path)) as side:
        is_current = side.execute("PRAGMA user_version").fetchone() == (_VERSION,)
    if not is_current:
        remove(path)
        with closing(open_writable(path)) as side:
            side.executescript(f"PRAGMA journal_mode = WAL; {_SCHEMA} PRAGMA user_version = {_VERSION}")
    with closing(open_writable(database)) as db:
        db.execute("ATTACH DATABASE ? AS side", [uri(path, "rw")])
        db.execute("BEGIN IMMEDIATE")
        db.create_function("tta_checksum", 1, lambda text: crc32(text.encode()), deterministic=True)
        there = "SELECT record_id, tta_checksum(description) AS checksum FROM records WHERE description > ''"
        db.execute(f"CREATE TEMP TABLE texts AS {there}")
        same = "SELECT record_id, checksum FROM {0} EXCEPT SELECT record_id, checksum FROM {1} ORDER BY record_id"
        for record_id, _ in db.execute(same.format("side.texts", "temp.texts")).fetchall():
            for table in ("texts", "hashes", "similar", "links"):
                db.execute(f"DELETE FROM side.{table} WHERE record_id = ?", [record_id])
            db.execute("DELETE FROM side.links WHERE other_id = ?", [record_id])
            if not db.execute("SELECT 1 FROM records WHERE record_id = ?", [record_id]).fetchone():
                db.execute("DELETE FROM side.similar WHERE other_id = ?", [record_id])
        changed = db.execute(same.format("temp.texts", "side.texts")).fetchall()
        common: dict[str, int] = {}
        while changed and not is_over() and time.monotonic() < until:
            record_id, checksum = changed.pop()
            (text,) = db.execute("SELECT description FROM records WHERE record_id = ?", [record_id]).fetchone()
            words = re.findall(r"[^\W_]+", text.lower())
            _link(db, record_id, checksum, words)
            db.executemany("INSERT INTO side.similar VALUES (?, ?, ?, ?)", _similar(db, record_id, words, common))
        _write(db)
        db.execute("COMMIT")
    return len(changed)


def _link(db: sqlite3.Connection, record_id: str, checksum: int, words: list[str]) -> None:
    """Stores the smallest hashes of a text, and links it with the texts that have most of them."""
    starts = range(len(words) - 2) if len(words) >= MIN_WORDS else ()
    own = sorted({crc32(" ".join(words[at : at + 3]).encode()) for at in starts})[:_HASHES]
    db.execute("INSERT INTO side.texts VALUES (?, ?, ?)", [record_id, checksum, array("I", own).tobytes()])
    query = f"""
        SELECT record_id, sketch FROM (SELECT record_id FROM side.hashes WHERE hash IN ({", ".join(map(str, own[:_INDEXED]))})
        GROUP BY record_id HAVING count(*) >= {_SHARED} ORDER BY count(*) DESC, record_id LIMIT {_CANDIDATES})
        JOIN side.texts USING (record_id)
    """
    for other_id, sketch in db.execute(query).fetchall():
        other = set(array("I", sketch))
        both = sorted(other.union(own))[:_HASHES]
        if sum(one in other for one in set(both).intersection(own)) >= FAMILY * len(both):
            db.execute("INSERT INTO side.links VALUES (?, ?)", [record_id, other_id])
    db.executemany("INSERT INTO side.hashes VALUES (?, ?)", ((one, record_id) for one in own[:_INDEXED]))


def _similar(db: sqlite3.Connection, record_id: str, words: list[str], known: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    """The rows of a record in `similar`, by the rarest words of its text that another record has as well.

    `known`: in how many records a word is, counted up to _MOST_COMMON and one more; what is counted is added.
    """
    count = f"SELECT count(*) FROM (SELECT 1 FROM records_fts WHERE records_fts MATCH ? LIMIT {_MOST_COMMON + 1})"
    long = [word for word in dict.fromkeys(words[:1000]) if len(word) > 3]
    for word in long:
        known[word] = known.get(word) or db.execute(count, [f'description : "{word}"']).fetchone()[0]
    rare = sorted((word for word in long if 2 <= known[word] <= _MOST_COMMON), key=lambda word: (known[word], word))[:_RARE]
    query = """
        SELECT record_id, records.description FROM records_fts JOIN records ON records.rowid = records_fts.rowid
        WHERE records_fts MATCH ? AND record_id != ? ORDER BY rank, record_id LIMIT ?
    """
    match = "description : (" + " OR ".join(f'"{word}"' for word in rare) + ")"
    for place, (other_id, text) in enumerate(db.execute(query, [match, record_id, _SHOWN]).fetchall() if rare else (), 1):
        yield record_id, place, other_id, ", ".join(word for word in rare if word in text.lower())


def _write(db: sqlite3.Connection) -> None:
    """Takes what changed over into the database."""
    families: dict[str, str] = {}

    def family_of(record_id: str) -> str:
        while (above := families.get(record_id, record_id)) != record_id:
            families[record_id] = families.get(above, above)
            record_id = above
        return record_id

    for pair in db.execute("SELECT record_id, other_id FROM side.links"):
        low, high = sorted(map(family_of, pair), key=lambda one: (len(one), one))
        families |= {low: low, high: low}
    db.execute("CREATE TEMP TABLE family (record_id TEXT PRIMARY KEY, family_id TEXT) WITHOUT ROWID")
    db.executemany("INSERT INTO temp.family VALUES (?, ?)", ((one, family_of(one)) for one in families))
    own = "SELECT family_id FROM temp.family WHERE family.record_id = records.record_id"
    db.execute(f"UPDATE records SET family_id = ({own}) WHERE family_id IS NOT ({own})")
    for one, other in (("main", "side"), ("side", "main")):
        found = f"SELECT record_id, position, other_id, words FROM {one}.similar EXCEPT SELECT * FROM {other}.similar"
        for row in db.execute(found).fetchall():
            if one == "main":
                db.execute("DELETE FROM similar WHERE record_id = ? AND position = ?", row[:2])
            else:
                db.execute("INSERT INTO similar (record_id, position, other_id, words) VALUES (?, ?, ?, ?)", row)
