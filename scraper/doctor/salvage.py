"""What can still be read of a damaged SQLite file, and where the file itself is put: nothing that was kept is deleted."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from scraper.durable import sync
from scraper.sqlite import open_readonly


def copy_readable(path: Path, table: str, into: sqlite3.Connection) -> int:
    """Copies the rows that can be read, from the table's beginning up to the damage and from its end back to it; how many.

    The table in `into` needs a primary key, by which a row that is read twice is known. Columns that it lacks are left out, and
    so are rows that it can't take: a damaged page may say anything.
    """
    columns = {row[1] for row in into.execute(f'PRAGMA table_info("{table}")')}
    copied = 0
    for order in ("", " DESC"):
        try:
            with closing(open_readonly(path)) as db:
                db.text_factory = _text
                rows = db.execute(f'SELECT * FROM "{table}" ORDER BY rowid{order}')
                names = [description[0] for description in rows.description]
                kept = [name for name in names if name in columns]
                insert = (
                    f'INSERT OR IGNORE INTO "{table}" ({", ".join(map(_quoted, kept))}) VALUES ({", ".join("?" * len(kept))})'
                )
                for row in rows:
                    values = dict(zip(names, row, strict=True))
                    copied += _inserted(into, insert, [values[name] for name in kept])
        except sqlite3.DatabaseError:
            continue
    return copied


def _inserted(into: sqlite3.Connection, insert: str, values: list[object]) -> int:
    try:
        return into.execute(insert, values).rowcount
    except sqlite3.IntegrityError:
        return 0


def _quoted(name: str) -> str:
    return f'"{name}"'


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def put_in_place(fresh: Path, damaged: Path) -> Path:
    """Gives `fresh` the name of a damaged file, which stays as `tta.damaged-1.db`, with what SQLite keeps beside it; that path.

    At every moment one of the two has the name: a program that is killed leaves nobody without. Raises OSError.
    """
    names = (damaged.with_name(f"{damaged.stem}.damaged-{number}{damaged.suffix}") for number in itertools.count(1))
    aside = next(name for name in names if not name.exists())
    sync(fresh)
    _second_name(damaged, aside)
    for suffix in ("-wal", "-shm"):
        beside = damaged.with_name(damaged.name + suffix)
        if beside.exists():
            beside.replace(aside.with_name(aside.name + suffix))
    sync(damaged.parent)
    fresh.replace(damaged)
    sync(damaged.parent)
    return aside


def _second_name(path: Path, name: Path) -> None:
    """A hard link, or a copy where the file system has none."""
    try:
        name.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, name)
        sync(name)
