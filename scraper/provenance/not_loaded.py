"""Lists the captures of a record that are in the archive and not in the database, as after a refused refresh."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from parsers.urls import node_id
from scraper.archive.store import Archive
from scraper.errors import ArchiveDamaged
from scraper.reading import read_capture

MOST = 20
"""Captures to parse, the latest first."""


def not_loaded(folder: Path, db: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    """The captures of a node number, a URL or a capture id, the latest first, and how the parser reads them.

    `fields` are (label, value or state); `reason` is why a capture has its kind, or why it can't be read.
    """
    if not folder.is_dir():
        return []
    node = int(name) if name.isdecimal() and len(name) < 20 else node_id(name)
    where = "capture_id = ? OR url = ?" + (" OR url LIKE ?" if node is not None else "")
    values = (name, name, *([f"%node%{node}%"] if node is not None else ()))
    found: list[dict[str, Any]] = []
    with Archive(folder) as archive:
        for entry in sorted(archive.entries(where, values), key=lambda entry: entry.captured_at or "", reverse=True):
            is_other = name not in (entry.capture_id, entry.url) and node_id(entry.url) != node
            if is_other or db.execute("SELECT 1 FROM captures WHERE capture_id = ?", [entry.capture_id]).fetchone():
                continue
            known = {key: getattr(entry, key) for key in ("capture_id", "captured_at", "source", "url", "http_status")}
            try:
                page = read_capture(archive.read(entry))
            except ArchiveDamaged as error:
                found.append(known | {"kind": "unreadable", "reason": str(error), "fields": []})
            else:
                rows = page.record.fields if page.record else []
                fields = [(row.label or row.name, row.value if row.value is not None else f"({row.state})") for row in rows]
                found.append(known | {"kind": page.kind, "reason": page.reason, "fields": fields})
            if len(found) == MOST:
                break
    return found
