"""Mends the archive: damaged files are set aside, never changed; what is sound in them goes into a new file.

The order is the promise: a new file is whole and durable before the damaged one gets another name, and the catalog, which can
be made again, comes last. A repair that is killed leaves sound records twice at worst.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from itertools import count
from pathlib import Path
from typing import BinaryIO

from scraper.archive import catalog
from scraper.archive.store import WARC_FILES, Archive, is_own, new_file
from scraper.doctor.archive import LOST
from scraper.doctor.findings import Finding, Kind
from scraper.doctor.leftovers import lost_captures
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
    named = {capture_id for capture_id, _ in lost_captures(folder)}
    names = ("capture_id", "url", "captured_at", "source", "sha256", "warc_file", "warc_offset")
    with path.open("a+b") as file:
        _end_line(file)
        for row in scratch.db.execute(f"SELECT {', '.join(names)} FROM lost ORDER BY warc_file, warc_offset"):
            if row[0] not in named:
                file.write(json.dumps(dict(zip(names, row, strict=True))).encode() + b"\n")
    sync(path)
    sync(folder)


def _end_line(file: BinaryIO) -> None:
    """A repair that was killed may have left the beginning of a line: the next must not become part of it."""
    if not file.seek(0, os.SEEK_END):
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) != b"\n":
        file.write(b"\n")


def _copy_sound(scratch: Scratch, folder: Path, name: str) -> None:
    """The file's sound records in a new file, byte for byte, and the file itself under another name."""
    damaged = folder / name
    fresh = new_file(folder) if is_own(damaged) else _beside(damaged)
    unfinished = folder / f".tta-{fresh.name}.unfinished"  # `archive` reads whatever ends as a WARC file does
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
        sync(folder)
    else:
        unfinished.unlink()
    damaged.replace(_aside(damaged))
    sync(folder)


def _beside(foreign: Path) -> Path:
    """A name for what is sound in another program's file. It must not become one of ours, whose digests are held to our way."""
    stem = foreign.name.removesuffix(WARC_FILES.removeprefix("*"))
    return next(path for number in count(1) if not (path := foreign.with_name(f"{stem}.sound-{number}.warc.gz")).exists())


def _aside(path: Path) -> Path:
    """A name that no WARC file of the archive has, and no file yet."""
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return aside
