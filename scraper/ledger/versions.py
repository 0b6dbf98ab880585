"""The ledger's tables, and the steps that bring a ledger of an earlier version up to date. `store` opens it with them.

Unlike the database, the ledger can't be made again from the archive: what was refused is written nowhere else. So each version
has a step to the next, and a copy of the ledger as it was is left beside it (docs/decisions/state-on-disk.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from scraper.durable import sync
from scraper.errors import SqliteDamaged
from scraper.sqlite import open_writable

VERSION = 2
"""`user_version`: raised with every change of the tables, together with a step in STEPS."""
FINGERPRINT = "d2471b6edefb8ded"
"""Of the SQL of this version's tables (`scraper.fingerprint`): a test fails where they change and VERSION does not."""
APPLICATION = 0x7474616C
"""`application_id`, "ttal": tells the ledger from any other SQLite file. Version 1 had none."""
SCHEMA = """
CREATE TABLE hosts (
    name TEXT PRIMARY KEY, not_before TEXT, reason TEXT NOT NULL, bans INTEGER NOT NULL, limited_at TEXT, asked_at TEXT
) STRICT;
CREATE TABLE runs (id INTEGER PRIMARY KEY, started_at TEXT NOT NULL, ended_at TEXT, status INTEGER, summary TEXT) STRICT;
CREATE TABLE listings (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, scope TEXT NOT NULL, kind TEXT NOT NULL, from_timestamp TEXT,
    started_at TEXT NOT NULL, ended_at TEXT, listed INTEGER NOT NULL DEFAULT 0, new INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL, note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX listings_by_scope ON listings (source, scope, id);
CREATE TABLE captures (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, scope TEXT NOT NULL, url TEXT NOT NULL, urlkey TEXT NOT NULL,
    timestamp TEXT NOT NULL, digest TEXT NOT NULL, mime TEXT, status INTEGER, length INTEGER, filename TEXT,
    "offset" INTEGER, truncated TEXT, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
    ask_again_at TEXT, run INTEGER, first_listing INTEGER NOT NULL, last_listing INTEGER NOT NULL, fetched_at TEXT,
    served_timestamp TEXT, served_url TEXT, capture_id TEXT, fixity TEXT,
    UNIQUE (source, url, timestamp, digest, status)
) STRICT;
CREATE INDEX captures_to_ask ON captures (source, urlkey, timestamp, id) WHERE ask_again_at IS NOT NULL;
CREATE INDEX captures_by_page ON captures (urlkey, timestamp);
CREATE INDEX captures_by_id ON captures (capture_id) WHERE capture_id IS NOT NULL;
CREATE TABLE live_pages (
    url TEXT PRIMARY KEY, checked_at TEXT NOT NULL, outcome TEXT NOT NULL, etag TEXT, last_modified TEXT, text_hash TEXT,
    capture_id TEXT, gone_since TEXT, removed_at TEXT
) STRICT;
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL, at TEXT NOT NULL) STRICT;
"""
Step = Callable[[sqlite3.Connection], object]


def name_it(ledger: sqlite3.Connection) -> None:
    """1 to 2: the ledger says what it is, so that nothing is ever written into another program's file."""
    ledger.execute(f"PRAGMA application_id = {APPLICATION}")


STEPS: dict[int, Step] = {1: name_it}
"""The step from each version to the next; it runs in a transaction of its own, `user_version` raised with it."""


def version_of(ledger: sqlite3.Connection, path: Path) -> int:
    """The version of its tables; 0 for an empty file. Raises SqliteDamaged for a newer one and for somebody else's file."""
    version = int(ledger.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise SqliteDamaged(f"{path} was written by a newer version of this program (ledger {version}): update the program")
    application = ledger.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION and (version > 1 or not _is_unnamed(ledger, version)):
        raise SqliteDamaged(f"{path} is not a ledger of this program: move it away, or give another folder with --data")
    return version


def _is_unnamed(ledger: sqlite3.Connection, version: int) -> bool:
    """Whether a file without our name is ours all the same: an empty one, or a ledger of version 1."""
    tables = {name for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {"hosts", "listings", "live_pages"} <= tables if version == 1 else not tables


def make(ledger: sqlite3.Connection) -> None:
    """The tables of a new ledger."""
    ledger.executescript(
        f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT"
    )


def bring_up_to_date(ledger: sqlite3.Connection, path: Path, version: int) -> None:
    """Takes every step from `version` on; before the first, a copy of the ledger is made durable beside it."""
    _copy(ledger, copy_of(path, version))
    for number in range(version, VERSION):
        ledger.execute("BEGIN IMMEDIATE")
        try:
            STEPS[number](ledger)
            ledger.execute(f"PRAGMA user_version = {number + 1}")
        except BaseException:
            ledger.execute("ROLLBACK")
            raise
        ledger.execute("COMMIT")


def copy_of(path: Path, version: int) -> Path:
    """Where the copy lies that is made before a ledger of that version is changed: `ledger-1.db` beside `ledger.db`."""
    return path.with_name(f"{path.stem}-{version}{path.suffix}")


def _copy(ledger: sqlite3.Connection, path: Path) -> None:
    if path.exists():
        return
    unfinished = path.with_name(f".{path.name}")
    unfinished.unlink(missing_ok=True)
    with closing(open_writable(unfinished)) as copy:
        ledger.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    sync(unfinished)
    unfinished.replace(path)
    sync(path.parent)
