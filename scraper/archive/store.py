"""The archive: every capture's bytes in WARC files, and a catalog of them, `catalog.db`. The WARC files are the truth.

Sources add captures, and the loader reads them. The catalog repeats what is in the WARC files: what it lacks is read from them
when the archive is opened for writing, and it can be deleted at any time. A catalog of another version is emptied.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from parsers import urls
from scraper.archive import dating
from scraper.archive.dating import date_capture
from scraper.archive.warc import only_capture, read_parts, record_bytes, record_id_of, sha1_digest
from scraper.capture import Capture, Original, WarcType, iso, utc_now
from scraper.errors import ArchiveDamaged, TtaError
from scraper.folders import sync
from scraper.sqlite import explained, open_memory, open_readonly, open_writable, tables_version

MAX_FILE = 1_000_000_000
"""Bytes after which a new WARC file is begun; the WARC guidelines recommend 1 GB (IIPC, WARC 1.1 annex)."""
_PREFIX = "tta-"
WARC_FILES = "*.warc.gz"
CATALOG = "catalog.db"
SOURCES = ("wayback", "commoncrawl", "endofterm", "live")
"""Preferred sources first, in the order of the configuration (checked by a test); other sources follow by name."""
SCHEMA = Path(__file__).with_name("catalog.sql").read_text(encoding="utf-8")
_RULES = dating.PATTERNS + Path(dating.__file__).read_text(encoding="utf-8") + Path(urls.__file__).read_text(encoding="utf-8")
VERSION = tables_version(SCHEMA + _RULES)
"""`user_version`: another one means other tables, or other rules for addresses and times: then the catalog is filled again from
the WARC files, so that a better rule dates and addresses old captures too.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the catalog: what is known about a stored capture without opening its WARC file.

    Times are ISO 8601 in UTC; `captured_at` is as precise as its source, down to a year (`2019`). `intact` is 0 if the record was
    damaged when it was imported (`Capture.damage`): an intact capture of the same address and time replaces it.
    """

    capture_id: str
    warc_file: str
    warc_offset: int
    warc_length: int
    warc_type: str
    source: str
    url: str | None
    captured_at: str | None
    fetched_at: str | None
    http_status: int | None
    content_type: str | None
    sha256: str | None
    payload_digest: str | None
    truncated: str | None
    warc_record_id: str | None
    revisit_profile: str | None
    original_record_id: str | None
    original_url: str | None
    original_captured_at: str | None
    intact: int

    def rank(self) -> tuple[object, ...]:
        """Sort key of the copies of one capture; the lowest is used: intact, complete, by source, then by metadata."""
        place = SOURCES.index(self.source) if self.source in SOURCES else len(SOURCES)
        details = (self.warc_type, self.content_type, self.payload_digest, self.warc_record_id)
        original = (self.original_record_id, self.original_url, self.original_captured_at)
        ranks = ((one is None, one or "") for one in (*details, *original))
        return -self.intact, self.truncated or "", place, self.source, *ranks


_COLUMNS = tuple(Entry.__dataclass_fields__)
_AS_IN_CAPTURE = ("capture_id", "source", "url", "http_status", "content_type", "sha256", "truncated", "revisit_profile")


class Prepared(NamedTuple):
    """A capture ready to be appended, compressed. `entry` lacks only the file and the offset."""

    entry: Entry
    member: bytes


def prepare(capture: Capture, now: datetime) -> Prepared:
    """Compresses the capture to a gzip member, and derives its catalog row from that member as read back. Raises TtaError."""
    member = record_bytes(capture, now)
    if (back := only_capture(member, capture.source)) is None:
        raise TtaError("a capture can't be kept: its record can't be read back")
    return Prepared(entry_of(back, "", 0, len(member)), member)


class Archive(AbstractContextManager["Archive"]):
    """The folder of WARC files. One writer at a time (the caller holds the data folder's lock); any number of readers."""

    def __init__(self, folder: Path, *, writable: bool = False) -> None:
        """Opens the archive; creates it if it is missing and `writable`. Raises ArchiveDamaged."""
        self.folder = folder
        self._writable = writable
        self._current: Path | None = None
        self._is_new = False
        if writable and not folder.is_dir():
            folder.mkdir(parents=True)
            sync(folder.parent)
        self._catalog = open_catalog(folder, writable=writable)
        self.recovered: list[str] = []
        """What was done on opening to reconcile the catalog with the files, one line each."""
        self.unread: list[str] = []
        """Those of the lines that are about unreadable bytes, and captures that don't count."""
        if writable:
            self._reconcile()

    def __exit__(self, *_: object) -> None:
        """Writes what was added to disk and closes the files."""
        if self._writable:
            self.flush()
        self._catalog.close()

    def entries(self, where: str = "1", parameters: tuple[object, ...] = ()) -> Iterator[Entry]:
        """Yields rows of the catalog in the order of files and offsets. `where` is SQL of this program, never a user's."""
        query = f"SELECT {', '.join(_COLUMNS)} FROM captures WHERE {where} ORDER BY warc_file, warc_offset"  # noqa: S608
        for row in self._catalog.execute(query, parameters):
            yield Entry(*row)

    def same_body(self, url: str, sha256: str) -> Entry | None:
        """Returns an earlier stored capture of this URL with the same body, if there is one."""
        return next(self.entries("url = ? AND sha256 = ? AND warc_type != 'revisit' AND intact", (url, sha256)), None)

    def at(self, url: str, moment: datetime) -> Entry | None:
        """Returns the stored capture of this URL at this time, to the second, if there is one."""
        second = (iso(moment.replace(microsecond=0)) or "").removesuffix("Z")
        return next(self.entries("url = ? AND substr(captured_at, 1, 19) = ?", (url, second)), None)

    def with_digest(self, url: str, digest: str) -> Entry | None:
        """Returns a whole stored capture of this URL whose source claimed this digest (`sha1:BASE32`), if there is one."""
        # The plus makes SQLite use the index by address: one digest, such as an error page's, may have very many rows.
        where = "url = ? AND +payload_digest = ? AND warc_type = 'response' AND intact AND truncated ISNULL AND sha256 NOTNULL"
        return next(self.entries(where, (url, digest)), None)

    def entry(self, capture_id: str) -> Entry | None:
        return next(self.entries("capture_id = ?", (capture_id,)), None)

    def urls(self) -> Iterator[str]:
        """Yields every captured address once."""
        for row in self._catalog.execute("SELECT DISTINCT url FROM captures WHERE url IS NOT NULL"):
            yield str(row[0])

    def read(self, entry: Entry) -> Capture:
        """Reads the capture. Raises ArchiveDamaged if the file no longer contains it."""
        return read_entry(self.folder, entry)

    def add(self, capture: Capture) -> Entry | None:
        """Appends a capture, or a preferred delivery of a stored one, for the next `flush`. Returns its row, None if not new."""
        capture = date_capture(capture)
        if not self._is_preferred(entry_of(capture, "", 0, 0)):
            return None
        return self.append(prepare(capture, utc_now()))

    def _is_preferred(self, entry: Entry) -> bool:
        held = self.entry(entry.capture_id)
        return held is None or entry.rank() < held.rank()

    def append(self, prepared: Prepared) -> Entry | None:
        """As `add`, for a capture that was prepared, perhaps by another process."""
        if not self._is_preferred(prepared.entry):
            return None
        current = self._current or _last_file(self.folder)
        if current and current.stat().st_size + len(prepared.member) > MAX_FILE:
            self.flush()
            current = None
        path = self._current = current or new_file(self.folder)
        self._is_new |= not path.exists()
        with path.open("ab", buffering=0) as file:
            offset = file.tell()
            try:
                rest = memoryview(prepared.member)
                while rest:
                    rest = rest[file.write(rest) :]
            except BaseException:  # the whole member or nothing
                file.truncate(offset)
                raise
        entry = replace(prepared.entry, warc_file=path.name, warc_offset=offset)
        is_added = self._insert(entry)
        self._catalog.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [path.name, offset + len(prepared.member)])
        return entry if is_added else None

    def flush(self) -> None:
        """Writes the bytes first, then the catalog: after a crash in between, the next opening catalogs the record."""
        if self._current is not None and self._current.exists():
            sync(self._current)
        if self._is_new:
            sync(self.folder)
            self._is_new = False
        self._catalog.commit()

    def _insert(self, entry: Entry) -> bool:
        """Inserts the row; returns whether the capture is new. A known capture keeps the row of its preferred delivery."""
        is_new = self.entry(entry.capture_id) is None
        if self._is_preferred(entry):
            row = f"captures ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
            self._catalog.execute(f"REPLACE INTO {row}", attrgetter(*_COLUMNS)(entry))
        return is_new

    def _reconcile(self) -> None:
        """Reconciles the catalog with the files and cuts off an unfinished record; notes in `recovered` what it did.

        Raises ArchiveDamaged where a file is missing or shorter than the catalog lists.
        """
        known = dict(self._catalog.execute("SELECT warc_file, read_to FROM files"))
        sizes = {path.name: path.stat().st_size for path in sorted(self.folder.glob(WARC_FILES))}
        for name, start in sorted(known.items()):
            if (size := sizes.get(name, -1)) < start:
                problem = "missing" if size < 0 else f"{start - size} bytes shorter than it was"
                raise ArchiveDamaged(f"{self.folder / name} is {problem}: restore it from a copy, or run `tta doctor`")
        for name, size in sizes.items():
            if size > known.get(name, -1):
                self._read_in(self.folder / name, known.get(name))
        self._catalog.commit()

    def _read_in(self, path: Path, start: int | None) -> None:
        """Catalogs what follows byte `start`; None: the file is not in the catalog."""
        added, done = 0, []
        for part in read_parts(path, start or 0):
            if part.damage is None and len(part.captures) <= 1:
                added += sum(self._insert(entry_of(one, path.name, part.offset, part.length)) for one in part.captures)
            elif part.is_cut and is_own(path):  # it was being written when the program ended, and was never reported as stored
                line = f"{path.name}: an unfinished record of {part.length} bytes at the end was removed"
                if start is None:  # without a catalog this is not certain
                    aside = path.with_name(f"{path.name}.cut-{part.offset}")
                    with path.open("rb") as file:
                        file.seek(part.offset)
                        aside.write_bytes(file.read())
                    sync(aside)
                    line += f", and kept as {aside.name}"
                os.truncate(path, part.offset)
                done.append(line)
            else:
                line = f"{path.name}: {part.length} bytes at {part.offset} can't be read: run `tta doctor`"
                if part.damage is None:  # a capture is found by its place in the file, so all of them would be the first one
                    line = f"{path.name}: {len(part.captures)} captures at {part.offset} packed together don't count"
                    line += ": `tta import` the file"
                self.unread.append(line)
                done.append(line)
        self._catalog.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [path.name, path.stat().st_size])
        if added:
            self.recovered.append(f"{path.name}: {added} captures were not in the catalog and are now")
        self.recovered += done


def is_own(path: Path) -> bool:
    """Whether this program wrote the file, by its name."""
    return path.name.startswith(_PREFIX)


def _last_file(folder: Path) -> Path | None:
    return max(folder.glob(f"{_PREFIX}{WARC_FILES}"), default=None)


def new_file(folder: Path) -> Path:
    """Returns the name of the next WARC file."""
    last = _last_file(folder)
    number = int(last.name.removeprefix(_PREFIX).split(".")[0]) + 1 if last else 1
    return folder / f"{_PREFIX}{number:06d}.warc.gz"


def read_entry(folder: Path, entry: Entry) -> Capture:
    """Reads a stored capture without the catalog, as worker processes do. Raises ArchiveDamaged."""
    if (capture := only_capture(read_member(folder, entry), entry.source)) is None:
        raise ArchiveDamaged(f"{folder / entry.warc_file} at {entry.warc_offset}: no readable record; restore it from a copy")
    return capture


def read_member(folder: Path, entry: Entry) -> bytes:
    """Reads the WARC record of a stored capture as it is in its file. Raises ArchiveDamaged."""
    path = folder / entry.warc_file
    try:
        with path.open("rb") as file:
            file.seek(entry.warc_offset)
            return file.read(entry.warc_length)
    except OSError as error:
        raise ArchiveDamaged(f"{path}: {error.strerror}; restore it from a copy") from None


def entry_of(capture: Capture, warc_file: str, offset: int, length: int) -> Entry:
    """Returns the catalog's row for a capture that was read at that offset."""
    original = capture.original or Original()
    digest = capture.payload_digest or (sha1_digest(capture.payload) if capture.warc_type is not WarcType.REVISIT else None)
    values: dict[str, Any] = {name: getattr(capture, name) for name in _AS_IN_CAPTURE}
    values |= {"warc_file": warc_file, "warc_offset": offset, "warc_length": length, "warc_type": capture.warc_type.value}
    values |= {"captured_at": capture.captured_text, "fetched_at": iso(capture.fetched_at), "payload_digest": digest}
    values |= {"original_record_id": original.warc_record_id, "original_url": original.url}
    values |= {"original_captured_at": iso(original.captured_at), "intact": int(capture.damage is None)}
    return Entry(**values, warc_record_id=capture.warc_record_id or record_id_of(capture))


def open_catalog(folder: Path, *, writable: bool) -> sqlite3.Connection:
    """Opens the catalog. Reading, a missing one is empty; writing, one of another version is emptied. Raises ArchiveDamaged."""
    path = folder / CATALOG
    if not writable and not path.exists():
        catalog = open_memory()
        catalog.executescript(SCHEMA)
        return catalog
    with explained(path):
        catalog = open_writable(path) if writable else open_readonly(path)
        if writable:
            catalog.execute("PRAGMA journal_mode = WAL")
        is_other = catalog.execute("PRAGMA user_version").fetchone()[0] != VERSION
        if is_other and not writable:
            raise ArchiveDamaged(f"{path} was written by another version of this program: run `tta load`, which recreates it")
        if is_other:
            tables = [name for (name,) in catalog.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            drops = " ".join(f'DROP TABLE "{name}";' for name in tables)
            catalog.executescript(f"BEGIN IMMEDIATE; {drops} {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT")
    catalog.isolation_level = "DEFERRED"  # the first write opens a transaction, and `Archive.flush` commits it
    return catalog
