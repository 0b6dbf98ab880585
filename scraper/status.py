"""What there is: records and captures, how fresh they are, what waits to be loaded, and what the parser did not know."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from scraper.archive.store import Archive
from scraper.database import runs
from scraper.database.checks import is_known
from scraper.database.connection import reading
from scraper.folders import Folders


@dataclass(slots=True)
class Status:
    """Counts, and times in ISO 8601 UTC. `not_loaded`: captures of the archive that the database lacks. `last_refresh`: its
    row of `runs`; `failed_checks`: of it, by column of `run_checks`; `last_good_refresh`: when the last one whose data the
    database has began; `refused_refresh`: when the one began that keeps out what is not loaded, where one does.
    """

    archived: int = 0
    not_loaded: int = 0
    loaded: bool = False
    records: int = 0
    captures: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)
    first_captured_at: str | None = None
    last_captured_at: str | None = None
    time_unknown: int = 0
    changes: int = 0
    unknown_labels: dict[str, int] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)
    last_refresh: dict[str, Any] | None = None
    failed_checks: list[dict[str, Any]] = field(default_factory=list)
    last_good_refresh: str | None = None
    refused_refresh: str | None = None


def status(folders: Folders) -> Status:
    """The state of a data folder, which may be empty. Raises TtaError where the database can't be read."""
    found = Status()
    listed: set[str] = set()
    if folders.archive.is_dir():
        with Archive(folders.archive) as archive:
            found.archived = len(archive)
            listed = {entry.capture_id for entry in archive.entries()}
    found.not_loaded = found.archived
    if not folders.database.exists():
        return found
    with reading(folders.database) as db:
        found.loaded = True
        found.not_loaded = len(listed.difference(capture_id for (capture_id,) in db.execute("SELECT capture_id FROM captures")))
        found.records = db.execute("SELECT count(*) FROM records").fetchone()[0]
        found.changes = db.execute("SELECT count(*) FROM changes").fetchone()[0]
        found.kinds = dict(db.execute("SELECT kind, count(*) FROM captures GROUP BY kind ORDER BY kind"))
        found.sources = dict(db.execute("SELECT source, count(*) FROM captures GROUP BY source ORDER BY source"))
        found.captures = sum(found.kinds.values())
        found.first_captured_at, found.last_captured_at, found.time_unknown = db.execute(
            "SELECT min(captured_at), max(captured_at), count(*) - count(captured_at) FROM captures"
        ).fetchone()
        labels = db.execute(
            "SELECT label, count(DISTINCT record_id) FROM fields WHERE label IS NOT NULL AND item IS NULL GROUP BY label"
        )
        unknown = Counter({label: count for label, count in labels if not is_known(label)})
        found.unknown_labels = dict(sorted(unknown.items(), key=lambda one: (-one[1], one[0])))
        flags = Counter(
            flag for (text,) in db.execute("SELECT flags FROM captures WHERE flags IS NOT NULL") for flag in json.loads(text)
        )
        found.last_refresh = runs.latest(db)
        if found.last_refresh:
            found.failed_checks = [check._asdict() for check in runs.failed_checks(db, found.last_refresh["run_id"])]
        found.last_good_refresh = runs.last_good_at(db)
        refused = runs.refused(db)
        found.refused_refresh = refused[1] if refused else None
        found.flags = dict(sorted(flags.items(), key=lambda one: (-one[1], one[0])))
    return found
