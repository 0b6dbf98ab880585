"""A fingerprint of an SQLite file's tables, by which a test knows that a schema has changed and its version has not.

The database, the ledger and the archive's catalog each pin one beside their version (docs/decisions/state-on-disk.md).
"""

from __future__ import annotations

import hashlib
import sqlite3


def fingerprint(connection: sqlite3.Connection) -> str:
    """16 hex digits of the SQL of all tables, indexes, views and triggers in `main`, without regard to white space or order."""
    rows = connection.execute("SELECT type, name, sql FROM main.sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    texts = sorted(f"{kind} {name}: {' '.join((sql or '').split())}" for kind, name, sql in rows)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
