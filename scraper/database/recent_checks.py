"""Checks the latest captures of known records against earlier captures of the same records, whatever night they came in.

A new theme may reach an archive two pages a night: too few for a check of one night, and in a small archive too few for any share
of the whole. Compared with earlier captures of the same records, a handful of pages is evidence enough.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from parsers.record import State
from parsers.registry import known, known_name, normal
from scraper.config import Checks
from scraper.errors import ArchiveDamaged

PAGES, VALUES = "pages that parse", "filled values"
"""The checks that are also made of the latest captures alone."""
RECENT = "recent: "
"""Prefix of their subjects."""
OUGHT = "node_id IS NOT NULL AND warc_type != 'revisit' AND kind IN ('record', 'revisit', 'other', 'unreadable')"
"""Captures that ought to show a record: pages at a record's URL, except logins, errors, redirects and the like."""
_MOST_READ = 50
"""Captures to look through for each one of a known record: an import may bring many new records at once."""
_EARLIER = (
    "SELECT 1 FROM captures old WHERE old.node_id = new.node_id AND old.form IS NOT NULL AND old.captured_at < new.captured_at"
)
_LATEST = (
    f"SELECT capture_id, node_id, captured_at, kind, form, shape, truncated IS NULL, EXISTS ({_EARLIER}) FROM captures new"
    f" WHERE {OUGHT} AND captured_at IS NOT NULL ORDER BY captured_at DESC, capture_id"
)
_OTHER_SHAPE = (
    "SELECT capture_id FROM captures WHERE node_id = ? AND form = 'html' AND warc_type != 'revisit' AND truncated IS NULL"
    " AND captured_at < ?"
    " AND shape IS NOT ? ORDER BY captured_at DESC, capture_id LIMIT 1"
)


class Worse(NamedTuple):
    """How many of the latest captures are worse than earlier ones; `subject`: the most affected column; `what`: in words."""

    name: str
    subject: str
    worse: int
    total: int
    what: str


class _Capture(NamedTuple):
    capture_id: str
    node_id: int
    captured_at: str
    kind: str
    form: str | None
    shape: str | None
    is_whole: int
    is_known: int


def recent(db: sqlite3.Connection, archive: Path, limits: Checks) -> Iterator[Worse]:
    """Yields both findings. `db` is inside a load, with the archive's catalog attached; `archive` is the archive's folder."""
    found = islice(map(_Capture._make, db.execute(_LATEST)), limits.recent_pages * _MOST_READ)
    latest = list(islice((one for one in found if one.is_known), limits.recent_pages))
    strange = [one for one in latest if one.form is None]
    what = "show no record"
    if strange:
        what += f", such as node {strange[0].node_id} as captured at {strange[0].captured_at}, kind `{strange[0].kind}`"
    yield Worse(PAGES, f"{RECENT}pages", len(strange), len(latest), what)
    had: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    examples: dict[str, _Capture] = {}
    for one in latest:
        if one.form != "html" or not one.is_whole:
            continue
        row = db.execute(_OTHER_SHAPE, [one.node_id, one.captured_at, one.shape]).fetchone()
        before, now = (_labels(db, archive, row[0]), _labels(db, archive, one.capture_id)) if row else (None, None)
        if before is None or now is None:
            continue
        had.update(before)
        lost.update(before - now)
        for label in before - now:
            examples.setdefault(label, one)
    if lost:
        worst = max(lost, key=lambda label: (lost[label] >= limits.recent_failures, lost[label] / had[label], lost[label], label))
        capture = examples[worst]
        labels = ", ".join(f"{label} ({lost[label]} of {had[label]})" for label, _ in lost.most_common(3))
        example = f"{labels}; such as node {capture.node_id} as captured at {capture.captured_at}"
        yield Worse(VALUES, RECENT + worst, lost[worst], had[worst], f"have no value where earlier ones have: {example}")
    else:
        yield Worse(VALUES, f"{RECENT}columns", 0, sum(had.values()), "")


def _labels(db: sqlite3.Connection, archive: Path, capture_id: str) -> set[str] | None:
    """Returns the labels with a value on a stored page (of a known label its column), None if the page can't be read."""
    from scraper.archive.catalog import Entry  # these import the parsers, which takes a while; `tta status` needs none
    from scraper.archive.store import read_entry
    from scraper.reading import read_capture

    columns = ", ".join(Entry.__dataclass_fields__)
    row = db.execute(f"SELECT {columns} FROM archive.captures WHERE capture_id = ?", [capture_id]).fetchone()
    try:
        record = read_capture(read_entry(archive, Entry(*row))).record if row else None
    except ArchiveDamaged:
        return None
    if record is None:
        return None
    found = set()
    for field in record.fields:
        if field.state == State.VALUE and field.item is None and (label := field.label or field.name):
            entry = known(field.label) or known_name(field.name)
            found.add(entry.columns[0].name if entry and entry.columns else normal(label))
    return found
