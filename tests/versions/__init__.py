"""Databases, ledgers and catalogs as every earlier version of the program wrote them, as SQL text.

Before VERSION is raised, the version that goes is kept: `python -m tests.versions data/tta.db > tests/versions/database-4.sql`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).parent
ORDER = ("table", "index", "view", "trigger")


def dumped(path: Path) -> Iterator[str]:
    """The SQL that makes the file again, with the two numbers in its head; full-text search is built, not copied."""
    with closing(sqlite3.connect(path)) as db:
        parts = db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'"
        ).fetchall()
        search = [name for _, name, sql in parts if sql.startswith("CREATE VIRTUAL TABLE")]
        own = [part for part in parts if not any(part[1].startswith(f"{name}_") and part[0] == "table" for name in search)]
        for kind, name, sql in sorted(own, key=lambda part: (ORDER.index(part[0]), part[1] in search)):
            yield f"{sql};"
            if name in search:
                yield f"INSERT INTO {name} ({name}) VALUES ('rebuild');"
            elif kind == "table":
                values = " || ', ' || ".join(f'quote("{column}")' for _, column, *_ in db.execute(f'PRAGMA table_info("{name}")'))
                for (row,) in db.execute(f'SELECT {values} FROM "{name}"'):
                    yield f'INSERT INTO "{name}" VALUES ({row});'
        for name in ("application_id", "user_version"):
            yield f"PRAGMA {name} = {db.execute(f'PRAGMA {name}').fetchone()[0]};"


def kept(kind: str) -> list[Path]:
    """Every kept file of `database`, `ledger` or `catalog`, the oldest version first."""
    return sorted(FOLDER.glob(f"{kind}-*.sql"))


def made(dump: Path, path: Path) -> Path:
    """The file at `path`, made again from its SQL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(dump.read_text(encoding="utf-8"))
        db.execute("PRAGMA journal_mode = WAL")
    return path
