"""Which code read the captures: tells a plan that a rebuild could change nothing, without reading anything again."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import parsers
import scraper
from scraper.database.schema import insert_sql

_ROOT = Path(scraper.__file__).parent
_READ_WITH = ("archive.py", "capture.py", "encoding.py", "reading.py", "warc.py")
"""Modules of `scraper`, beside those of `scraper.database`, that decide what a capture's bytes become."""
_LIBRARIES = ("charset-normalizer", "fastwarc", "selectolax")


@cache
def code() -> str:
    """Sixteen hex digits of a digest of all code that turns captures into rows. A comment counts too: better once too often."""
    folders = (Path(parsers.__file__).parent, _ROOT / "database")
    modules = [*(path for folder in folders for path in folder.glob("*.py")), *(_ROOT / name for name in _READ_WITH)]
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for library in _LIBRARIES:
        digest.update(f"{library} {metadata.version(library)}\n".encode())
    for path in sorted(modules, key=lambda path: (path.parent.name, path.name)):
        digest.update(f"{path.parent.name}/{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def note(db: sqlite3.Connection, *, whole: bool) -> None:
    """Keeps the code of a load. `whole`: it read everything; else what is there may have been read with other code."""
    if not whole and read_with(db) == code():
        return
    db.execute("DELETE FROM program")
    db.execute(insert_sql("program"), [code() if whole else None])


def read_with(db: sqlite3.Connection, schema: str = "main") -> str | None:
    """The code that read everything in the database; None where parts of it were read with different code."""
    row = db.execute(f"SELECT code FROM {schema}.program").fetchone()
    return None if row is None or row[0] is None else str(row[0])
