"""Verifies the archive: every record of every WARC file, and the catalog against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

from scraper.archive import catalog
from scraper.archive.catalog import Entry
from scraper.archive.packing import Gap, Member, walk
from scraper.archive.records import Damage, read_records
from scraper.archive.store import WARC_FILES, entry_of, is_own
from scraper.archive.warc import read_captures
from scraper.doctor.findings import Finding, Kind, Report, counted
from scraper.doctor.tables import CATALOG, SHOWN, DoctorTables
from scraper.terminal import escape

Progress = Callable[[int, int], None]
"""Called with how many bytes of how many are read."""
LOST = "lost.jsonl"
"""Beside the WARC files: a line for each capture that was lost to damage, written by a repair."""
_SAME = " AND ".join(f"c.{name} IS s.{name}" for name in Entry.__dataclass_fields__)
_IS_REBUILT = "the catalog is rebuilt from the WARC files"
_UNFINISHED = (
    "is_cut AND NOT EXISTS (SELECT 1 FROM catalog.captures c WHERE c.warc_file = damage.warc_file"
    ' AND c.warc_offset >= damage."offset")'
)
"""A cut record at the end that the catalog never had: its run was killed, or is writing it now."""


def open_catalog(tables: DoctorTables, folder: Path) -> Iterator[Finding]:
    """Attaches the catalog, or says why it is unusable."""
    header = (0, catalog.VERSION)
    yield from tables.open(CATALOG, folder / catalog.CATALOG, _IS_REBUILT, header, lambda db: db.executescript(catalog.SCHEMA))


def read_warc_files(tables: DoctorTables, folder: Path, report: Report, progress: Progress | None) -> Iterator[Finding]:
    """Reads every WARC file from end to end and fills `seen` and `damage`. Raises OSError."""
    sizes = {path: path.stat().st_size for path in sorted(folder.glob(WARC_FILES))}
    report.files, report.bytes, before = len(sizes), sum(sizes.values()), 0
    for path, size in sizes.items():
        tables.db.execute("INSERT INTO sizes VALUES (?, ?)", [path.name, size])
        together = 0
        for found in walk(path, length_at=partial(tables.length_at, path.name)):
            if isinstance(found, Gap):
                tables.add_damage(path.name, found.offset, found.length, found.reason, is_cut=found.is_cut)
            else:
                report.records += 1
                together += _read_member(tables, path.name, found)
            if progress:
                progress(before + found.offset + found.length, report.bytes)
        before += size
        if together:
            text = f"{path.name} has {counted(together, 'capture')} packed together, which don't count"
            advice = "`tta import` the file, move it away, then run `tta doctor --repair`"
            yield Finding(Kind.PACKED_TOGETHER, escape(f"{text}: {advice}"), together, subject=path.name)
    tables.finish()


def _read_member(tables: DoctorTables, name: str, found: Member) -> int:
    """Notes the member's capture or its damage. Returns how many captures it has if it has several."""
    damage = next((item for item in read_records(BytesIO(found.record)) if isinstance(item, Damage)), None)
    captures = [item[1] for item in read_captures(BytesIO(found.record), "files") if not isinstance(item, Damage)]
    if damage:
        tables.add_damage(name, found.offset, found.length, damage.reason)
    elif len(captures) > 1:
        return len(captures)
    else:
        tables.add_seen(entry_of(capture, name, found.offset, found.length) for capture in captures)
    return 0


def verify_files(tables: DoctorTables, folder: Path) -> Iterator[Finding]:
    """Damage in the files, and files that are not what they were."""
    for name, size, count, missing, first, reason in tables.db.execute(
        'SELECT warc_file, size, count(*), sum(length), min("offset"), reason FROM damage JOIN sizes USING (warc_file)'
        f" WHERE NOT ({_UNFINISHED}) GROUP BY warc_file ORDER BY warc_file"
    ).fetchall():
        text = f"{name}: {counted(count, 'place')}, {missing:,} of {size:,} bytes, can't be read; the first at {first}: {reason}"
        repair = "the file is set aside and its intact records are copied to a new one"
        yield Finding(Kind.RECORDS_DAMAGED, escape(text), count, repair, subject=name)
    for name, known, size in tables.db.execute(
        "SELECT warc_file, read_to, size FROM catalog.files LEFT JOIN sizes USING (warc_file)"
        " WHERE size IS NULL OR size < read_to ORDER BY warc_file"
    ).fetchall():
        kind, text = (Kind.FILE_GONE, "is gone") if size is None else (Kind.FILE_SHORT, f"has {size:,} bytes")
        yield Finding(kind, escape(f"{name} {text}; it had {known:,} bytes"), repair=_IS_REBUILT, subject=name)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        is_known = is_own(path) or path.match(WARC_FILES) or path.name.startswith((catalog.CATALOG, LOST, "."))
        if not is_known and ".damaged-" not in path.name:
            text = f"{escape(path.name)} is no part of the archive and is left alone"
            yield Finding(Kind.FILE_FOREIGN, text, harmless=True, subject=path.name)


def compare_catalog(tables: DoctorTables) -> Iterator[Finding]:
    """The catalog against the files. Captures that no intact record has are noted in `lost`."""
    tables.db.execute(
        "INSERT OR IGNORE INTO lost SELECT capture_id, url, captured_at, source, sha256, warc_file, warc_offset"
        " FROM catalog.captures c WHERE NOT EXISTS (SELECT 1 FROM seen s WHERE s.capture_id = c.capture_id)"
    )
    if lost := tables.count("SELECT count(*) FROM lost"):
        text = f"{counted(lost, 'stored capture')} can't be read any more"
        repair = f"listed in {LOST}; the next fetch requests what a source still lists"
        yield Finding(Kind.CAPTURES_LOST, text, lost, repair, examples=tables.shown(f"SELECT {SHOWN} FROM lost"))
    if count := tables.count(
        "SELECT count(DISTINCT capture_id) FROM seen s JOIN catalog.files f USING (warc_file) WHERE s.warc_offset < f.read_to"
        " AND NOT EXISTS (SELECT 1 FROM catalog.captures c WHERE c.capture_id = s.capture_id)"
    ):  # what follows `read_to` the next run reads in
        text = f"the catalog lacks {counted(count, 'capture')} of the files"
        yield Finding(Kind.CATALOG_DIFFERS, text, count, _IS_REBUILT)
    has = "EXISTS (SELECT 1 FROM seen s WHERE s.capture_id = c.capture_id"
    if count := tables.count(f"SELECT count(*) FROM catalog.captures c WHERE {has}) AND NOT {has} AND {_SAME})"):
        text = f"{counted(count, 'capture')} of the catalog not as in the files"
        yield Finding(Kind.CATALOG_DIFFERS, text, count, _IS_REBUILT)
