"""The archive: every capture's bytes, as WARC files, and a catalog that finds them. The WARC files are the truth.

Sources hand captures in; the loader reads them out. The catalog (`catalog.db`) only repeats what the WARC files say: whatever
it lacks is read from them when the archive is opened for writing, and it can be deleted at any time.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from scraper.capture import Capture, Form, iso
from scraper.encoding import GZIP_MAGIC
from scraper.errors import ArchiveDamaged
from scraper.warc import Damage, read_captures, record_bytes, record_id_of, sha1_digest, utc_now

MAX_FILE = 1_000_000_000
"""Bytes after which a new WARC file is begun; 1 GB is what the WARC guidelines recommend (IIPC, WARC 1.1 annex)."""
CATALOG = "catalog.db"
_PREFIX = "tta-"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS captures (
    capture_id TEXT PRIMARY KEY, warc_file TEXT NOT NULL, warc_offset INTEGER NOT NULL, warc_length INTEGER NOT NULL,
    form TEXT NOT NULL, source TEXT NOT NULL, url TEXT, captured_at TEXT, fetched_at TEXT, http_status INTEGER,
    content_type TEXT, sha256 TEXT, payload_digest TEXT, truncated TEXT, warc_record_id TEXT,
    original_record_id TEXT, original_url TEXT, original_captured_at TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS captures_by_body ON captures (url, sha256);
CREATE INDEX IF NOT EXISTS captures_by_place ON captures (warc_file, warc_offset);
CREATE INDEX IF NOT EXISTS captures_by_record_id ON captures (warc_record_id);
CREATE INDEX IF NOT EXISTS captures_by_digest ON captures (payload_digest);
CREATE TABLE IF NOT EXISTS files (warc_file TEXT PRIMARY KEY, read_to INTEGER NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalog: what is known of a stored capture without opening its WARC file. Times are ISO 8601, UTC."""

    capture_id: str
    warc_file: str
    warc_offset: int
    warc_length: int
    form: str
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
    original_record_id: str | None
    original_url: str | None
    original_captured_at: str | None


_COLUMNS = ", ".join(Entry.__dataclass_fields__)


class Prepared(NamedTuple):
    """A capture ready to be appended: all that costs time is done. `entry` says all but where it will lie."""

    entry: Entry
    member: bytes


def prepare(capture: Capture, now: datetime) -> Prepared:
    """The capture as a gzip member holding one WARC record, with its row of the catalog; `now` as for `record_bytes`."""
    member = record_bytes(capture, now)
    return Prepared(_entry(capture, "", 0, len(member)), member)


class Archive:
    """The folder of WARC files. One writer at a time (the caller holds the data folder's lock); any number of readers."""

    def __init__(self, folder: Path, *, writable: bool = False) -> None:
        """Opens, and makes where it is to be written and missing. Raises ArchiveDamaged."""
        self.folder = folder
        self._writable = writable
        self._current: Path | None = None
        if writable:
            folder.mkdir(parents=True, exist_ok=True)
        self._catalog = self._open_catalog()
        if writable:
            self.recovered = self._reconcile()

    def _open_catalog(self) -> sqlite3.Connection:
        path = self.folder / CATALOG
        if not self._writable and not path.exists():
            catalog = sqlite3.connect(":memory:")
            catalog.executescript(_SCHEMA)
            return catalog
        try:
            catalog = sqlite3.connect(path, timeout=30)
            catalog.execute("PRAGMA journal_mode = WAL")
            catalog.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise ArchiveDamaged(f"{path}: {error}; delete this file, it is made again from the WARC files") from None
        return catalog

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Makes what was added durable and lets go of the files."""
        if self._writable:
            self.flush()
        self._catalog.close()

    def __len__(self) -> int:
        return int(self._catalog.execute("SELECT count(*) FROM captures").fetchone()[0])

    def __contains__(self, capture_id: str) -> bool:
        return self._catalog.execute("SELECT 1 FROM captures WHERE capture_id = ?", [capture_id]).fetchone() is not None

    def entries(self, where: str = "1", parameters: tuple[object, ...] = ()) -> Iterator[Entry]:
        """Rows of the catalog in the order in which they lie on disk. `where` is SQL of the program's own, never a user's."""
        query = f"SELECT {_COLUMNS} FROM captures WHERE {where} ORDER BY warc_file, warc_offset"  # noqa: S608
        for row in self._catalog.execute(query, parameters):
            yield Entry(*row)

    def same_body(self, url: str, sha256: str) -> Entry | None:
        """An earlier stored capture of this URL with the same body, if there is one."""
        found = self.entries("url = ? AND sha256 = ? AND form != 'revisit'", (url, sha256))
        return next(found, None)

    def at(self, url: str, moment: datetime) -> Entry | None:
        """The stored capture of this URL at this time, to the second, if there is one."""
        second = (iso(moment.replace(microsecond=0)) or "").removesuffix("Z")
        return next(self.entries("url = ? AND substr(captured_at, 1, 19) = ?", (url, second)), None)

    def with_digest(self, url: str, digest: str) -> Entry | None:
        """A whole stored capture of this URL whose source claimed this digest (`sha1:BASE32`), if there is one."""
        found = self.entries(
            # The plus keeps SQLite to the index by address: one digest, of an error page say, may have very many rows.
            "url = ? AND +payload_digest = ? AND form = 'response' AND truncated IS NULL AND sha256 IS NOT NULL",
            (url, digest),
        )
        return next(found, None)

    def entry(self, capture_id: str) -> Entry | None:
        """The stored capture of that id, if there is one."""
        return next(self.entries("capture_id = ?", (capture_id,)), None)

    def capture(self, capture_id: str) -> Capture | None:
        """The stored capture itself, if there is one of that id. Raises ArchiveDamaged."""
        entry = self.entry(capture_id)
        return self.read(entry) if entry else None

    def urls(self) -> Iterator[str]:
        """Every address of which there is a capture, once."""
        for row in self._catalog.execute("SELECT DISTINCT url FROM captures WHERE url IS NOT NULL"):
            yield str(row[0])

    def sources(self) -> Iterator[tuple[str, str]]:
        """Every source and address of which there is a capture, each pair once."""
        for row in self._catalog.execute("SELECT DISTINCT source, url FROM captures WHERE url IS NOT NULL"):
            yield str(row[0]), str(row[1])

    def read(self, entry: Entry) -> Capture:
        """The capture itself. Raises ArchiveDamaged where the file no longer holds it."""
        return read_entry(self.folder, entry)

    def add(self, capture: Capture) -> Entry | None:
        """Appends the capture; None where the archive has it already. Durable after the next `flush`."""
        if capture.capture_id in self:
            return None
        return self.append(prepare(capture, utc_now()))

    def append(self, prepared: Prepared) -> Entry | None:
        """Appends a capture that was prepared, perhaps by another process; else as `add`."""
        if prepared.entry.capture_id in self:
            return None
        path, offset = self._append(prepared.member)
        entry = replace(prepared.entry, warc_file=path.name, warc_offset=offset)
        self._insert(entry)
        self._catalog.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [path.name, offset + len(prepared.member)])
        return entry

    def flush(self) -> None:
        """Bytes first, catalog after: a crash in between leaves a record that the next opening reads in again."""
        if self._current is not None:
            descriptor = os.open(self._current, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._catalog.commit()

    def _append(self, member: bytes) -> tuple[Path, int]:
        path = self._file_for(len(member))
        with path.open("ab") as file:
            offset = file.tell()
            file.write(member)
        return path, offset

    def _file_for(self, size: int) -> Path:
        current = self._current or max(self.folder.glob(f"{_PREFIX}*.warc.gz"), default=None)
        number = int(current.name.removeprefix(_PREFIX).split(".")[0]) if current else 1
        if current and current.stat().st_size + size > MAX_FILE:
            self.flush()
            number += 1
        self._current = self.folder / f"{_PREFIX}{number:06d}.warc.gz"
        return self._current

    def _insert(self, entry: Entry) -> None:
        marks = ", ".join("?" * len(Entry.__dataclass_fields__))
        values = [getattr(entry, name) for name in Entry.__dataclass_fields__]
        self._catalog.execute(f"INSERT OR IGNORE INTO captures ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608

    def _reconcile(self) -> list[str]:
        """Brings the catalog in line with the files and cuts off an unfinished record; says what it did, a line each."""
        done: list[str] = []
        for path in sorted(self.folder.glob("*.warc.gz")):
            known = self._catalog.execute("SELECT read_to FROM files WHERE warc_file = ?", [path.name]).fetchone()
            start = int(known[0]) if known else 0
            size = path.stat().st_size
            if size > start:
                done += self._read_in(path, start)
            elif size < start:
                raise ArchiveDamaged(f"{path} is {start - size} bytes shorter than it was; restore it from a copy")
        self._catalog.commit()
        return done

    def _read_in(self, path: Path, start: int) -> list[str]:
        added, end = 0, start
        for offset, member in members(path, start):
            for item in read_captures(BytesIO(member), "files"):
                if isinstance(item, Damage):
                    continue
                self._insert(_entry(item[1], path.name, offset, len(member)))
                added += 1
            end = offset + len(member)
        done = [f"{path.name}: {added} captures were not in the catalog and are now"] if added else []
        unfinished = path.stat().st_size - end
        if unfinished and path.name.startswith(_PREFIX):
            os.truncate(path, end)
            done.append(f"{path.name}: an unfinished record of {unfinished} bytes at the end was removed")
        self._catalog.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [path.name, end])
        return done


def read_entry(folder: Path, entry: Entry) -> Capture:
    """A stored capture, without the catalog: what worker processes read with. Raises ArchiveDamaged."""
    path = folder / entry.warc_file
    try:
        with path.open("rb") as file:
            file.seek(entry.warc_offset)
            member = file.read(entry.warc_length)
    except OSError as error:
        raise ArchiveDamaged(f"{path}: {error.strerror}; restore it from a copy") from None
    item = next(read_captures(BytesIO(member), entry.source), None)
    if item is None or isinstance(item, Damage):
        raise ArchiveDamaged(f"{path} at {entry.warc_offset}: no readable record; restore it from a copy")
    return item[1]


def members(path: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The whole gzip members of a file from byte `start` on, with their offsets; stops before one that is cut or damaged."""
    with path.open("rb") as file:
        file.seek(start)
        offset, rest = start, b""
        while True:
            member, rest = _one_member(file, rest)
            if member is None:
                return
            yield offset, member
            offset += len(member)


def _one_member(file: BinaryIO, rest: bytes) -> tuple[bytes | None, bytes]:
    """The next compressed member and the bytes read beyond it."""
    decoder = zlib.decompressobj(31)
    taken: list[bytes] = []
    data = rest or file.read(1 << 16)
    if not data.startswith(GZIP_MAGIC[: len(data)]):
        return None, b""
    while data:
        try:
            decoder.decompress(data)
        except zlib.error:
            return None, b""
        if decoder.eof:
            taken.append(data[: len(data) - len(decoder.unused_data)])
            return b"".join(taken), decoder.unused_data
        taken.append(data)
        data = file.read(1 << 16)
    return None, b""


def _entry(capture: Capture, warc_file: str, offset: int, length: int) -> Entry:
    original = capture.original
    return Entry(
        capture_id=capture.capture_id,
        warc_file=warc_file,
        warc_offset=offset,
        warc_length=length,
        form=capture.form.value,
        source=capture.source,
        url=capture.url,
        captured_at=iso(capture.captured_at),
        fetched_at=iso(capture.fetched_at),
        http_status=capture.http_status,
        content_type=capture.content_type,
        sha256=capture.sha256,
        payload_digest=capture.payload_digest or (sha1_digest(capture.payload) if capture.form is not Form.REVISIT else None),
        truncated=capture.truncated,
        warc_record_id=capture.warc_record_id or record_id_of(capture),
        original_record_id=original.warc_record_id if original else None,
        original_url=original.url if original else None,
        original_captured_at=iso(original.captured_at) if original else None,
    )
