"""Verifies the archive: every record of every WARC file, and the catalog against them."""

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path

from scraper.archive import store
from scraper.archive.packing import Gap, Member, walk
from scraper.archive.records import Damage, read_records
from scraper.archive.store import WARC_FILES, Entry, entry_of, is_own
from scraper.archive.warc import read_captures
from scraper.doctor.findings import Finding, Report, counted
from scraper.doctor.tables import SHOWN, DoctorTables, Part
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


def catalog_of(folder: Path) -> Part:
    """The catalog of the archive in `folder`."""
    header = (0, store.VERSION)
    return Part("catalog", folder / store.CATALOG, _IS_REBUILT, header, lambda db: db.executescript(store.SCHEMA))


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
            yield Finding("packed-together", escape(f"{text}: {advice}"), together, subject=path.name)
    # One index only, so that SQLite has no choice of a slower one (423 s for 100,000 captures once).
    tables.db.execute("CREATE INDEX seen_by_id ON seen (capture_id)")


def _read_member(tables: DoctorTables, name: str, found: Member) -> int:
    """Notes the member's capture or its damage. Returns how many captures it has if it has several."""
    damage = next((item for item in read_records(BytesIO(found.record)) if isinstance(item, Damage)), None)
    captures = [item[1] for item in read_captures(BytesIO(found.record), "files") if not isinstance(item, Damage)]
    if damage:
        tables.add_damage(name, found.offset, found.length, damage.reason)
    elif len(captures) > 1:
        return len(captures)
    elif captures:
        tables.add_seen(entry_of(captures[0], name, found.offset, found.length))
    return 0


def verify_files(tables: DoctorTables, folder: Path) -> Iterator[Finding]:
    """Damage in the files, and files that are not what they were."""
    for name, size, count, missing, first, reason in tables.db.execute(
        'SELECT warc_file, size, count(*), sum(length), min("offset"), reason FROM damage JOIN sizes USING (warc_file)'
        f" WHERE NOT ({_UNFINISHED}) GROUP BY warc_file ORDER BY warc_file"
    ).fetchall():
        text = f"{name}: {counted(count, 'place')}, {missing:,} of {size:,} bytes, can't be read; the first at {first}: {reason}"
        repair = "the file is set aside and its intact records are copied to a new one"
        yield Finding("records-damaged", escape(text), count, repair, subject=name)
    for name, known, size in tables.db.execute(
        "SELECT warc_file, read_to, size FROM catalog.files LEFT JOIN sizes USING (warc_file)"
        " WHERE size IS NULL OR size < read_to ORDER BY warc_file"
    ).fetchall():
        kind, text = ("file-gone", "is gone") if size is None else ("file-short", f"has {size:,} bytes")
        yield Finding(kind, escape(f"{name} {text}; it had {known:,} bytes"), repair=_IS_REBUILT, subject=name)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        is_known = is_own(path) or path.match(WARC_FILES) or path.name.startswith((store.CATALOG, LOST, "."))
        if not is_known and ".damaged-" not in path.name:
            text = f"{escape(path.name)} is no part of the archive and is left alone"
            yield Finding("file-foreign", text, harmless=True, subject=path.name)


def compare_catalog(tables: DoctorTables) -> Iterator[Finding]:
    """The catalog against the files. Captures that no intact record has are noted in `lost`."""
    has = "EXISTS (SELECT 1 FROM seen s WHERE s.capture_id = c.capture_id"
    tables.add_lost(f"FROM catalog.captures c WHERE NOT {has})")
    repair = f"listed in {LOST}; the next fetch requests what a source still lists"
    yield from tables.find("captures-lost", "FROM lost", "stored capture", "{} can't be read any more", repair, shown=SHOWN)
    unlisted = (  # what follows `read_to` the next run reads in
        "FROM (SELECT DISTINCT capture_id FROM seen s JOIN catalog.files f USING (warc_file) WHERE s.warc_offset < f.read_to"
        " AND NOT EXISTS (SELECT 1 FROM catalog.captures c WHERE c.capture_id = s.capture_id))"
    )
    yield from tables.find("catalog-differs", unlisted, "capture", "the catalog lacks {} of the files", _IS_REBUILT)
    different = f"FROM catalog.captures c WHERE {has}) AND NOT {has} AND {_SAME})"
    yield from tables.find("catalog-differs", different, "capture", "{} of the catalog not as in the files", _IS_REBUILT)
