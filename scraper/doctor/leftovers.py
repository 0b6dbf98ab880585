"""Examines what runs that were killed left behind in the data folder, and what was lost or set aside earlier."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from scraper.database.second_database import NAME as PLAN
from scraper.doctor.archive import LOST
from scraper.doctor.findings import Finding, Kind, agreed, counted, examples
from scraper.doctor.scratch import Scratch
from scraper.folders import Folders
from scraper.terminal import escape

UNFINISHED = (".ledger-*.db*", "archive/.tta-*", ".tta-load.*", f"{PLAN}*")
"""Copies that were being made when their run was killed; what they are made from is all there. (.tta-load: before 0.2.)"""


def examine_leftovers(folders: Folders) -> Iterator[Finding]:
    """Files that nobody needs any more, and copies that somebody may."""
    for pattern in UNFINISHED:
        for path in sorted(folders.data.glob(pattern)):
            name = escape(path.relative_to(folders.data))
            yield Finding(Kind.LEFT_BEHIND, f"{name} was left by a run that was killed", mend="it is removed", subject=str(path))
    for pattern in ("ledger-*.db", "ledger.damaged-*", "tta.damaged-*"):
        for path in sorted(folders.data.glob(pattern)):
            if not path.name.endswith(("-wal", "-shm")):
                text = f"{escape(path.name)} is a copy of how it was before it was changed, and may be deleted"
                yield Finding(Kind.COPY_KEPT, text, harmless=True, subject=path.name)


def lost_earlier(scratch: Scratch, folders: Folders) -> Iterator[Finding]:
    """Captures that a repair had to give up and that have not come back since."""
    missing = {
        capture_id: shown
        for capture_id, shown in lost_captures(folders.archive)
        if not scratch.count("SELECT count(*) FROM seen WHERE capture_id = ?", capture_id)
    }
    if missing:
        text = f"{counted(len(missing), 'capture')} that {LOST} names {agreed(len(missing))} still missing"
        yield Finding(Kind.LOST_EARLIER, text, len(missing), harmless=True, examples=examples(list(missing.values())))


def lost_captures(folder: Path) -> Iterator[tuple[str, str]]:
    """The captures that the archive's file of lost ones names, each with its time and address; lines that are cut name none."""
    path = folder / LOST
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                one = json.loads(line)
                yield str(one["capture_id"]), f"{one['captured_at']} {one['url']}"
            except (ValueError, KeyError, TypeError):
                continue
