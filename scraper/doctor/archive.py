"""Examines the archive: every record of every WARC file, and whether the catalog says what the files hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from scraper.archive import catalog
from scraper.archive.catalog import Entry
from scraper.archive.packing import Member, walk
from scraper.archive.store import WARC_FILES, entry_of, is_own
from scraper.doctor.findings import Examined, Finding, Kind, agreed, counted, examples
from scraper.doctor.records import read_member
from scraper.doctor.scratch import CATALOG, Scratch
from scraper.sqlite import open_readonly
from scraper.terminal import escape

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are read."""
LOST = "lost.jsonl"
"""Beside the WARC files: a line for each capture that was lost to damage, written by a repair."""
_SAME = " AND ".join(f"c.{name} IS s.{name}" for name in Entry.__dataclass_fields__)
_CATALOG_MEND = "the catalog is brought in line with the files"


def examine_catalog(scratch: Scratch, folder: Path) -> Iterator[Finding]:
    """Whether the catalog can be read; attaches it, or an empty one in its place."""
    path = folder / catalog.CATALOG
    scratch.stand_in(CATALOG)
    if not path.exists():
        return
    mend = "it is made again from the WARC files"
    try:
        with closing(open_readonly(path)) as db:
            if catalog.is_other(db):
                yield Finding(Kind.CATALOG_DAMAGED, f"{catalog.CATALOG} is of another version of this program", mend=mend)
                return
            (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if found == "ok":
            scratch.attach(CATALOG, path)
            return
    except sqlite3.DatabaseError as error:
        found = error
    yield Finding(Kind.CATALOG_DAMAGED, f"{catalog.CATALOG} is damaged: {escape(found, 120)}", mend=mend)


def survey(scratch: Scratch, folder: Path, examined: Examined, progress: Progress | None) -> None:
    """Reads every WARC file from end to end and notes in `scratch` what is sound and what is not. Raises OSError."""
    paths = sorted(folder.glob(WARC_FILES))
    sizes = {path: path.stat().st_size for path in paths}
    total, before = sum(sizes.values()), 0
    scratch.begin()
    for path in paths:
        scratch.db.execute("INSERT INTO sizes VALUES (?, ?)", [path.name, sizes[path]])
        for end in _survey_file(scratch, path, examined):
            if progress:
                progress(before + end, total)
        before += sizes[path]
    scratch.end()
    examined.files, examined.bytes = len(paths), total


def _survey_file(scratch: Scratch, path: Path, examined: Examined) -> Iterator[int]:
    """Yields how far it has come, in bytes."""
    place = "SELECT warc_length FROM catalog.captures WHERE warc_file = ? AND warc_offset = ?"

    def length_at(offset: int) -> int | None:
        row = scratch.db.execute(place, [path.name, offset]).fetchone()
        return int(row[0]) if row else None

    together = 0
    for found in walk(path, length_at=length_at):
        if not isinstance(found, Member):
            scratch.add_damage(path.name, found.offset, found.length, found.reason, is_cut=found.is_cut)
            yield found.offset + found.length
            continue
        examined.records += 1
        read = read_member(found.record, is_own=is_own(path))
        length = found.length
        if read.wrong:
            scratch.add_damage(path.name, found.offset, length, read.wrong)
        elif len(read.captures) > 1:
            together += len(read.captures)
        else:
            scratch.add_seen(entry_of(capture, path.name, found.offset, length) for capture in read.captures)
        yield found.offset + length
    if together:
        text = f"{path.name} has {counted(together, 'capture')} that {agreed(together)} packed together and don't count"
        advice = "`tta import` the file, move it away, then run `tta doctor --repair`"
        examined.findings.append(Finding(Kind.PACKED_TOGETHER, escape(f"{text}: {advice}"), together, subject=path.name))


def examine_files(scratch: Scratch, folder: Path) -> Iterator[Finding]:
    """Damage in the files, and files that are not what they were."""
    for name, size, count, missing, first, reason in scratch.db.execute(
        # An unfinished record at the end that the catalog never named was being written when its run was killed.
        'SELECT warc_file, size, count(*), sum(length), min("offset"), reason FROM damage JOIN sizes USING (warc_file)'
        " WHERE NOT (is_cut AND NOT EXISTS (SELECT 1 FROM catalog.captures c WHERE c.warc_file = damage.warc_file"
        ' AND c.warc_offset >= damage."offset")) GROUP BY warc_file ORDER BY warc_file'
    ).fetchall():
        text = f"{name}: {counted(count, 'place')}, {missing:,} of {size:,} bytes, can't be read; the first at {first}: {reason}"
        mend = "the file is set aside and its sound records are copied to a new one"
        yield Finding(Kind.RECORDS_DAMAGED, escape(text), count, mend, subject=name)
    for name, length, first in scratch.db.execute(
        'SELECT warc_file, length, "offset" FROM damage WHERE is_cut AND NOT EXISTS (SELECT 1 FROM catalog.captures c'
        ' WHERE c.warc_file = damage.warc_file AND c.warc_offset >= damage."offset")'
    ).fetchall():
        text = f"{name}: an unfinished record of {length:,} bytes at {first}, of a run that was killed; the next run removes it"
        yield Finding(Kind.RECORD_UNFINISHED, escape(text), harmless=True, subject=name)
    for name, known, size in scratch.db.execute(
        "SELECT warc_file, read_to, size FROM catalog.files LEFT JOIN sizes USING (warc_file)"
        " WHERE size IS NULL OR size < read_to ORDER BY warc_file"
    ).fetchall():
        if size is None:
            yield Finding(Kind.FILE_GONE, escape(f"{name} is gone; it had {known:,} bytes"), mend=_CATALOG_MEND, subject=name)
        else:
            text = f"{name} has {size:,} bytes, and had {known:,}"
            yield Finding(Kind.FILE_SHORT, escape(text), mend=_CATALOG_MEND, subject=name)
    yield from _foreign(scratch, folder)


def _foreign(scratch: Scratch, folder: Path) -> Iterator[Finding]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = escape(path.name)
        if path.match(WARC_FILES) and not is_own(path):
            count = scratch.count("SELECT count(*) FROM seen WHERE warc_file = ?", path.name)
            text = f"{name} was not written by this program; its {counted(count, 'capture')} count all the same"
        elif path.match(WARC_FILES) or path.name.startswith((catalog.CATALOG, LOST, ".")):
            continue
        elif is_own(path) and (".damaged" in path.name or ".cut-" in path.name):
            yield Finding(Kind.COPY_KEPT, f"{name} was set aside by a repair and is kept", harmless=True, subject=path.name)
            continue
        else:
            text = f"{name} is no part of the archive and is left alone"
        yield Finding(Kind.FILE_FOREIGN, text, harmless=True, subject=path.name)


def compare_catalog(scratch: Scratch) -> Iterator[Finding]:
    """The catalog against what was read. Captures that no sound record holds are noted as lost."""
    scratch.db.execute(
        "INSERT OR IGNORE INTO lost SELECT capture_id, url, captured_at, source, sha256, warc_file, warc_offset"
        " FROM catalog.captures c WHERE NOT EXISTS (SELECT 1 FROM seen s WHERE s.capture_id = c.capture_id)"
    )
    if lost := scratch.count("SELECT count(*) FROM lost"):
        shown = scratch.texts("SELECT coalesce(captured_at, '') || ' ' || coalesce(url, capture_id) FROM lost")
        text = f"{counted(lost, 'capture')} that {agreed(lost, 'was', 'were')} stored can't be read any more"
        mend = f"named in {LOST}, and asked for again where a source lists them"
        yield Finding(Kind.CAPTURES_LOST, text, lost, mend, examples=examples(shown))
    missing = "NOT EXISTS (SELECT 1 FROM catalog.captures c WHERE c.capture_id = s.capture_id)"
    read = "s.warc_offset < coalesce((SELECT read_to FROM catalog.files f WHERE f.warc_file = s.warc_file), 0)"
    if count := scratch.count(f"SELECT count(DISTINCT capture_id) FROM seen s WHERE {missing} AND {read}"):
        text = f"{counted(count, 'capture')} of the files {agreed(count)} not in the catalog"
        yield Finding(Kind.CATALOG_DIFFERS, text, count, _CATALOG_MEND)
    if count := scratch.count(f"SELECT count(DISTINCT capture_id) FROM seen s WHERE {missing} AND NOT {read}"):
        text = f"{counted(count, 'capture')} of the files {agreed(count)} not catalogued yet; the next run adds them"
        yield Finding(Kind.CATALOG_BEHIND, text, count, harmless=True)
    held = "EXISTS (SELECT 1 FROM seen s WHERE s.capture_id = c.capture_id"
    if count := scratch.count(f"SELECT count(*) FROM catalog.captures c WHERE {held}) AND NOT {held} AND {_SAME})"):
        lie = agreed(count, "lies", "lie")
        text = f"{counted(count, 'capture')} {lie} elsewhere than the catalog says, or {agreed(count)} not what it says"
        yield Finding(Kind.CATALOG_DIFFERS, text, count, _CATALOG_MEND)
