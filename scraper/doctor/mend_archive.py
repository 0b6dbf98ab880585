"""Mends the archive: damaged files are set aside, never changed; what is sound in them goes into a new file.

The order is the promise: a new file is whole and durable before the damaged one gets another name, and the catalog, which can
be made again, comes last. A repair that is killed leaves sound records twice at worst.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from scraper.archive import catalog
from scraper.archive.store import Archive, new_file
from scraper.doctor.archive import LOST
from scraper.doctor.findings import Finding, Kind
from scraper.doctor.scratch import CATALOG, Scratch
from scraper.durable import sync


def mend_archive(scratch: Scratch, folder: Path, findings: Collection[Finding]) -> None:
    """Does what the findings of the archive say; the catalog is made again, whatever they are. Raises OSError, TtaError."""
    if Kind.CAPTURES_LOST in {finding.kind for finding in findings}:
        _name_lost(scratch, folder)
    for finding in findings:
        if finding.kind is Kind.RECORDS_DAMAGED and finding.subject:
            _copy_sound(scratch, folder, finding.subject)
    scratch.detach(CATALOG)  # a connection that closes later would remove what lies beside the new catalog
    for path in folder.glob(f"{catalog.CATALOG}*"):
        path.unlink()
    Archive(folder, writable=True).close()


def _name_lost(scratch: Scratch, folder: Path) -> None:
    """Appends the lost captures to a file, once each: after this nobody else may know that they were there."""
    path = folder / LOST
    named = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    names = ("capture_id", "url", "captured_at", "source", "sha256", "warc_file", "warc_offset")
    with path.open("a", encoding="utf-8") as file:
        for row in scratch.db.execute(f"SELECT {', '.join(names)} FROM lost ORDER BY warc_file, warc_offset"):
            if f'"{row[0]}"' not in named:
                file.write(json.dumps(dict(zip(names, row, strict=True))) + "\n")
    sync(path)
    sync(folder)


def _copy_sound(scratch: Scratch, folder: Path, name: str) -> None:
    """The file's sound records in a new file, byte for byte, and the file itself under another name."""
    damaged = folder / name
    fresh = new_file(folder)
    unfinished = folder / f".{fresh.name}"
    places = scratch.db.execute(
        "SELECT DISTINCT warc_offset, warc_length FROM seen WHERE warc_file = ? ORDER BY warc_offset", [name]
    )
    copied = 0
    with damaged.open("rb") as source, unfinished.open("wb") as target:
        for offset, length in places:
            source.seek(offset)
            target.write(source.read(length))
            copied += 1
    if copied:
        sync(unfinished)
        unfinished.replace(fresh)
    else:
        unfinished.unlink()
    damaged.replace(_aside(damaged))
    sync(folder)


def _aside(path: Path) -> Path:
    """A name that no WARC file of the archive has, and no file yet."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return aside
