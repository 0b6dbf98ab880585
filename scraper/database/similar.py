"""Finds families of records with like descriptions after a load's commit: `records.family_id`, of what changed only.

Pairs of texts with at least FAMILY of their three-word sequences in common are linked. Of records that links connect, those with
at least _OF_FIRST in common with the first of them are a family; the others form families among themselves in the same way, so
that a text which changes a little from record to record does not lead to one that is quite another. The share is estimated from
the smallest hashes of each text (Broder, "On the resemblance and containment of documents"), which are kept in `DIR/similar.db`
with the links, once for all records with the same text; the file can be deleted at any time.
"""

import re
import sqlite3
import tomllib
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from zlib import crc32

from scraper.database.assign_records import root_of
from scraper.sqlite import open_writable, remove, run_statements, uri

NAME = "similar.db"  # file in the data folder
FAMILY = 0.35
"""Share of common sequences. At 0.30, texts with one standard paragraph were linked; at 0.45, copies with 4% other words not."""
_OF_FIRST, _MOST_FAMILIES = 0.2, 50
"""Less than FAMILY, since the first record is itself a copy of the template; families of connected records at most."""
MIN_WORDS = 12
"""A shorter text, such as "Help for a county.", matches others by chance."""
_HASHES, _INDEXED, _SHARED = 64, 16, 4
_MOST = 1000
"""Texts that are looked at because they share one sequence: a standard paragraph must not make every text a candidate."""
_SQL: dict[str, str] = tomllib.loads((_TEXT := Path(__file__).with_suffix(".toml")).read_text(encoding="utf-8"))
_VERSION = crc32(Path(__file__).read_bytes() + _TEXT.read_bytes()) >> 1


def update(database: Path, since: str | None = None, changed: Collection[str] = (), is_over: Callable[[], bool] = bool) -> int:
    """Brings the families up to date with the records; returns how many texts wait for the next load, as this one was ended.

    `changed`: the records that are not as they were when `program.archive` was `since`; all are looked at where the file is of
    another state. The caller holds the folder's lock. Errors of SQLite leave the records as they are.
    """
    path = database.parent / NAME
    with closing(open_writable(path)) as side:
        is_current = side.execute("PRAGMA user_version").fetchone() == (_VERSION,)
    if not is_current:
        remove(path)
        with closing(open_writable(path)) as side:
            side.executescript(f"PRAGMA journal_mode = WAL; {_SQL['schema']} PRAGMA user_version = {_VERSION}")
    with closing(open_writable(database)) as db, db:
        db.execute("ATTACH DATABASE ? AS side", [uri(path, "rw")])
        db.execute("BEGIN IMMEDIATE")
        is_known = since and db.execute("SELECT 1 FROM side.state WHERE archive = ?", [since]).fetchone()
        if is_known and not changed:
            return 0
        db.execute("CREATE TEMP TABLE changed (record_id TEXT PRIMARY KEY) WITHOUT ROWID")
        if is_known:
            db.executemany("INSERT INTO temp.changed VALUES (?)", ((one,) for one in changed))
        else:
            db.execute("INSERT INTO temp.changed SELECT record_id FROM main.records UNION SELECT record_id FROM side.records")
        db.create_function(
            "tta_digest", 1, lambda text: int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)
        )
        run_statements(db, _SQL["new"])
        (left,) = db.execute("SELECT count(*) FROM temp.unseen").fetchone()
        for text, description in db.execute("SELECT text, description FROM temp.unseen JOIN main.records USING (record_id)"):
            if is_over():
                return int(left)
            _link(db, text, description)
            left -= 1
        run_statements(db, _SQL["move"])
        _drop_unused(db)
        _write(db)
        db.execute("DELETE FROM side.state")
        db.execute("INSERT INTO side.state SELECT archive FROM main.program")
    return 0


def _link(db: sqlite3.Connection, text: int, description: str) -> None:
    """Stores the smallest hashes of a text, and links it with the texts that share most of them."""
    words = re.findall(r"[^\W_]+", description.lower())
    sequences = zip(words, words[1:], words[2:], strict=False) if len(words) >= MIN_WORDS else ()
    own = sorted({crc32(" ".join(sequence).encode()) for sequence in sequences})[:_HASHES]
    sketch, indexed = set(own), own[:_INDEXED]
    sharing = " UNION ALL ".join([_SQL["sharing"].format(most=_MOST)] * len(indexed)) or "SELECT NULL AS text"
    candidates = db.execute(_SQL["near"].format(sharing=sharing, shared=_SHARED), indexed).fetchall()
    like = [other for other, theirs in candidates if _is_like(sketch, array("I", theirs))]
    db.executemany("INSERT INTO side.links VALUES (?, ?)", (pair for one in like for pair in ((text, one), (one, text))))
    db.execute("INSERT INTO side.texts VALUES (?, ?)", [text, array("I", own).tobytes()])
    db.executemany("INSERT INTO side.hashes VALUES (?, ?)", ((one, text) for one in indexed))


def _is_like(one: set[int], other: Sequence[int], share: float = FAMILY) -> bool:
    """Whether two texts have that share in common, as estimated by the smallest hashes of both together."""
    common = one.intersection(other)
    enough = share * min(_HASHES, len(one) + len(other) - len(common))
    if 2 * len(common) - _HASHES < enough <= len(common):  # it depends on how many of them are among the smallest
        common.intersection_update(sorted(one.union(other))[:_HASHES])
    return len(common) >= enough


def _drop_unused(db: sqlite3.Connection) -> None:
    """Removes the texts that no record has any more."""
    unused = "SELECT text FROM temp.near WHERE NOT EXISTS (SELECT 1 FROM side.records WHERE records.text = near.text)"
    for (text,) in db.execute(unused).fetchall():
        (sketch,) = db.execute("SELECT sketch FROM side.texts WHERE text = ?", [text]).fetchone()
        db.executemany("DELETE FROM side.hashes WHERE hash = ? AND text = ?", ((one, text) for one in array("I", sketch)))
        others = db.execute("DELETE FROM side.links WHERE text = ? RETURNING other", [text]).fetchall()
        db.executemany("DELETE FROM side.links WHERE text = ? AND other = ?", ((*other, text) for other in others))
        db.execute("DELETE FROM side.texts WHERE text = ?", [text])


def _write(db: sqlite3.Connection) -> None:
    """Names each family among `temp.members` for its lowest record. The others have no name: `build` wrote them without one."""
    families: dict[int, int] = {}
    for one, other in db.execute("SELECT text, other FROM temp.members JOIN side.links USING (text) WHERE text < other"):
        families[root_of(families, one)] = root_of(families, other)
    heads: defaultdict[int, dict[str, set[int]]] = defaultdict(dict)
    names: dict[int, str | None] = {}
    records: Counter[str | None] = Counter()
    for text, sketch, count, first in db.execute(_SQL["texts"]):
        own, near = array("I", sketch), heads[root_of(families, text)]
        name = next((one for one, theirs in near.items() if _is_like(theirs, own, _OF_FIRST)), None)
        if name is None and len(near) < _MOST_FAMILIES:
            near[name := first] = set(own)
        names[text] = name
        records[name] += count
    db.execute("CREATE TEMP TABLE family (text INTEGER PRIMARY KEY, family_id TEXT)")
    rows = ((text, name if records[name] > 1 else None) for text, name in names.items())
    db.executemany("INSERT INTO temp.family VALUES (?, ?)", rows)
    run_statements(db, _SQL["name"])
