"""Local files and folders as captures: recognizes a file by its content, and reads it, however it is packed.

WARC and ARC (`scraper.archive.warc`), WACZ, ZIP, tar, gzip, bzip2, xz, zstd, MHTML, HAR, HTTP messages, HTML, text and Drupal's
data formats, also nested. Nothing is unpacked to a path. Used by `tta import` and `scan`.
"""

import bz2
import copy
import hashlib
import json
import lzma
import os
import re
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from scraper.archive.dating import date_capture, is_time_or_host
from scraper.archive.packing import GZIP, PLAIN, Unpacked, find_bytes, next_member, packing_of, unpack_member
from scraper.archive.records import ARC_LINE, START, Damage
from scraper.archive.store import Archive
from scraper.archive.warc import Wanted, read_captures
from scraper.capture import Capture
from scraper.encoding import MAX_BODY, MAX_RATIO
from scraper.errors import Broken
from scraper.sources.saved import SOURCE, Unused, read_saved

MAX_UNPACKED = 32 * 1024**3
"""Bytes that all members of one file may unpack to; files of crawls have 1 GB, WACZ files several."""
MAX_MEMBERS = 100_000
MAX_DEPTH = 5
"""Depth of nested containers: a tar.gz of ZIP files of WACZ files has four."""
MAX_PROBLEMS = 100
"""Damaged places of one file that are reported individually."""
_DIGESTS = ("warc-block-digest", "warc-payload-digest")
_STEP = 1 << 20
_IN_MEMORY = 1 << 24
_COMPRESSED = ((b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_LATER_RECORD = re.compile(rb"(?:\A|\n)(?:WARC/\d\.\d\r?\n(?:WARC|Content)-[\w-]+:|" + ARC_LINE + rb")", re.IGNORECASE)
_WACZ_PART = re.compile(r"archive/[^/]+|[^/]+\.wacz", re.IGNORECASE)
_FILES_OF_PAGE = re.compile(r"(.+)(?:_files|\.files|_fichiers|-Dateien|_archivos|_arquivos|_bestanden|-filer)", re.IGNORECASE)
"""The folder of style sheets, images and frames that a browser saves beside a page."""
_FLUSH_EVERY = 1000  # captures between two points at which added captures become durable

Found = tuple[int, Capture] | Unused
"""A capture with the byte offset of its record in the WARC or ARC file, or 0."""


def read_container(
    file: BinaryIO, name: str, *, source: str = SOURCE, start: int = 0, wanted: Wanted | None = None
) -> Iterator[Found]:
    """Yields every capture in a file, and what is not one; never raises. `start`: within a WARC or ARC file."""
    yield from _Reader(source, wanted).read(file, name, 0, start)


@dataclass(slots=True)
class _Reader:
    _source: str
    _wanted: Wanted | None
    _bytes_left: int = MAX_UNPACKED
    _members_left: int = MAX_MEMBERS

    def read(self, file: BinaryIO, name: str, depth: int, start: int = 0) -> Iterator[Found]:
        size = file.seek(0, 2)
        file.seek(0)
        head = file.read(_STEP)
        opened = next((opened for magic, opened in _COMPRESSED if head.startswith(magic)), None)
        if depth > MAX_DEPTH:
            yield Unused(name, f"containers are nested more than {MAX_DEPTH} deep")
        elif _holds_records(file, head):
            yield from self._read_records(file, name, depth, start)
        elif opened or packing_of(file) is not PLAIN:
            yield from self._read_member(_unpack(file, opened), size, name, depth)
        elif head.startswith((b"PK\3\4", b"PK\5\6")):
            yield from self._read_zip(file, name, depth)
        elif head[:1].strip(b"\0") and head[257:262] == b"ustar":
            yield from self._read_tar(file, name, depth)
        else:
            for item in read_saved(file, name):
                found = item if isinstance(item, Unused) else (0, date_capture(item))
                if isinstance(found, Unused) or self._wanted is None or self._wanted(found[1].url):
                    yield found

    def _read_records(self, file: BinaryIO, name: str, depth: int, start: int) -> Iterator[Found]:
        problems = 0
        for item in read_captures(file, self._source, start, wanted=self._wanted, origin=name):
            if not isinstance(item, Damage):
                yield item if depth == 0 else (0, item[1])
            elif (problems := problems + 1) <= MAX_PROBLEMS:
                yield Unused(name, f"at byte {item.position}: {item.reason}")
        if problems > MAX_PROBLEMS:
            yield Unused(name, f"{problems - MAX_PROBLEMS} more damaged places")

    def _read_member(self, data: Iterator[bytes], size: int, name: str, depth: int, digest: str | None = None) -> Iterator[Found]:
        """Reads a member of a container from its chunks, as many as can be unpacked. `size`: its compressed bytes."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as unpacked:
            problem, is_cut = self._copy_member(data, size, unpacked)
            if problem:
                yield Unused(name, problem, is_unknown=not unpacked.tell())
            elif digest:
                unpacked.seek(0)
                if not digest.endswith(hashlib.file_digest(cast("Any", unpacked), "sha256").hexdigest()):
                    yield Unused(name, "it does not have the hash that the package gives for it")
            if problem and not unpacked.tell():
                return
            doubtful = problem and packing_of(cast("BinaryIO", unpacked)) is not GZIP  # whose members have their own checksums
            for item in self.read(cast("BinaryIO", unpacked), name, depth + 1):
                if isinstance(item, Unused) or not doubtful or item[1].damage is not None:
                    yield item
                elif not (headers := item[1].warc_headers):
                    yield 0, replace(item[1], truncated="unspecified", damage=problem)
                elif is_cut or any(key.lower() in _DIGESTS for key, _ in headers):
                    yield item  # a record with a digest, or before the truncation, is right
                else:
                    yield 0, replace(item[1], damage=problem)

    def _copy_member(self, pieces: Iterator[bytes], packed: int, unpacked: IO[bytes]) -> tuple[str | None, bool]:
        """Copies a member, because reading has to seek. Returns why it is incomplete, and whether the copy is right so far."""
        size = 0
        limit = min(self._bytes_left, max(MAX_BODY, packed * MAX_RATIO))
        try:
            for piece in pieces:
                size += len(piece)
                if size > limit:
                    return f"it unpacks to more than {limit} bytes", True
                unpacked.write(piece)
        except (Broken, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
            is_cut = isinstance(error, EOFError | tarfile.ReadError) or (isinstance(error, Broken) and error.is_cut)
            return f"damaged: {str(error) or 'the file ends within it'}", is_cut
        finally:
            self._bytes_left -= size
        return None, False

    def _read_zip(self, file: BinaryIO, name: str, depth: int) -> Iterator[Found]:
        """Reads the members of a ZIP file (of a WACZ, its WARC files); without a readable directory, those that can be found."""
        try:
            with zipfile.ZipFile(file) as package:
                members = package.infolist()
            if members and not any(info.header_offset == 0 for info in members):
                raise zipfile.BadZipFile("its directory is that of a ZIP file in it")
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, struct.error) as error:
            yield Unused(name, f"a ZIP file without a readable directory ({error}); its members are searched for")
            members = list(_local_members(file))
        members = [member for member in members if not member.is_dir()]
        hashes: dict[str, str] = {}
        parts = [one for one in members if _WACZ_PART.fullmatch(one.filename)]
        if parts and (listing := next((one for one in members if one.filename == "datapackage.json"), None)):
            hashes, members = _package_hashes(file, listing), parts
        if not members:
            yield Unused(name, "a ZIP file without members")
        for member in members:
            where = f"{name}!/{member.filename}"
            if self._is_one_too_many():
                yield Unused(name, f"more than {MAX_MEMBERS} members; the rest is not read")
                return
            if member.flag_bits & 1:
                yield Unused(where, "encrypted")
            elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                yield Unused(where, f"compressed by method {member.compress_type}, which is not read")
            elif stat.S_ISLNK(member.external_attr >> 16):
                yield Unused(where, "a link, which is not followed")
            else:
                digest = hashes.get(member.filename)
                yield from self._read_member(_unzip(file, member), member.compress_size, where, depth, digest)

    def _is_one_too_many(self) -> bool:
        """Counts a member of the file, or of a container in it; returns whether it exceeds MAX_MEMBERS."""
        self._members_left -= 1
        return self._members_left < 0

    def _read_tar(self, file: BinaryIO, name: str, depth: int) -> Iterator[Found]:
        """Reads a tar file. `tarfile` skips damaged headers without an error, so the bytes between members are checked."""
        file.seek(0)
        end = 0
        try:
            with tarfile.open(fileobj=file, mode="r:", ignore_zeros=True) as package:
                for info in package:
                    yield from _report_gap(file, name, end, info.offset)
                    end = info.offset_data + (info.size + 511) // 512 * 512 if info.isreg() else info.offset_data
                    if self._is_one_too_many():
                        yield Unused(name, f"more than {MAX_MEMBERS} members; the rest is not read")
                        return
                    where = f"{name}!/{info.name}"
                    if info.isreg() and (content := package.extractfile(info)):
                        yield from self._read_member(iter(partial(content.read, _STEP), b""), info.size, where, depth)
                    elif not info.isdir():
                        yield Unused(where, "a link or device, which is not read")
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            yield Unused(name, f"a damaged tar file: {error}")
        yield from _report_gap(file, name, end, file.seek(0, 2))


def _report_gap(file: BinaryIO, name: str, start: int, end: int) -> Iterator[Unused]:
    """Reports bytes of a tar file that belong to no member; zeros are padding."""
    file.seek(start)
    if end > start and any(piece.strip(b"\0") for piece in iter(lambda: file.read(min(_STEP, end - file.tell())), b"")):
        yield Unused(name, f"{end - start} bytes at byte {start} are not part of any member of the tar file")


def _unpack(file: BinaryIO, opened: Callable[[BinaryIO], Any] | None) -> Iterator[bytes]:
    """Yields the content of a compressed file, from `opened` unless it is gzip or zstd. Raises Broken."""
    packing = packing_of(file)
    start, size = 0, file.seek(0, 2)
    file.seek(0)
    if opened:
        with opened(file) as content:
            yield from iter(partial(content.read, _STEP), b"")
        return
    while start < size:
        start += yield from unpack_member(file, start, packing)
        file.seek(start)
        if not file.read(_STEP).strip(b"\0"):  # padding
            return


def _holds_records(file: BinaryIO, head: bytes) -> bool:
    """Whether a file begins with a WARC or ARC record, or has one after damage at its beginning."""
    packing = packing_of(file)
    if packing is PLAIN:
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t ")
        return START.match(text) is not None or (text[:1] != b"<" and _LATER_RECORD.search(text) is not None)
    stream = Unpacked(file, 0, packing)
    stream.skip_blank()
    if stream.is_at(START):
        return True
    if stream.broken is None and _LATER_RECORD.search(stream.take(_STEP)[0]) is None:
        return False
    return next_member(file, 1, packing, START) is not None


def _unzip(file: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yields the bytes of a ZIP file's member, up to any damage in it. Raises ValueError, EOFError, zlib.error."""
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    if not header.startswith(b"PK\3\4") or len(header) < _LOCAL_HEADER.size:
        raise ValueError("no member begins at its offset in the directory")
    file.seek(sum(_LOCAL_HEADER.unpack(header)[-2:]), 1)  # name and extra field
    part = copy.copy(member)
    part.file_size = MAX_UNPACKED
    del part.CRC  # zipfile would verify it, and drop the last bytes if it differs
    crc = 0
    content = zipfile.ZipExtFile(file, "r", part)
    for piece in iter(partial(content.read, 1 << 12), b""):
        crc = zlib.crc32(piece, crc)
        yield piece
    if member.CRC is not None and crc != member.CRC:
        raise ValueError("its checksum is not that of its bytes")


def _local_members(file: BinaryIO) -> Iterator[zipfile.ZipInfo]:
    """Yields the members of a ZIP file whose directory is lost, from the header before each; `CRC` is None if it is lost too."""
    size, after = file.seek(0, 2), 0
    while (position := find_bytes(file, after, b"PK\3\4")) is not None:
        file.seek(position)
        header = file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size:
            return
        _, _, flags, method, _, _, crc, packed, _, name_length, _ = _LOCAL_HEADER.unpack(header)
        name = file.read(name_length).decode("utf-8", "replace")
        is_later = bool(flags & 8)  # length and checksum follow the member
        if is_later or packed == 0xFFFFFFFF:
            packed = (find_bytes(file, position + 4, b"PK\7\x08" if is_later and not method else b"PK\3\4") or size) - position
        member = zipfile.ZipInfo(name)
        member.header_offset, member.compress_size, member.compress_type, member.flag_bits = position, packed, method, flags
        member.CRC = None if is_later else crc  # type: ignore[assignment]
        yield member
        after = position + (_LOCAL_HEADER.size if method or is_later else max(packed, _LOCAL_HEADER.size))


def _package_hashes(file: BinaryIO, member: zipfile.ZipInfo) -> dict[str, str]:
    """Returns the SHA-256 of a WACZ's parts, by name."""
    try:
        resources = json.loads(b"".join(_unzip(file, member))).get("resources", [])
        hashes = {str(one["path"]): str(one["hash"]) for one in resources if "path" in one and "hash" in one}
    except (ValueError, TypeError, AttributeError, EOFError, zlib.error, RecursionError):
        return {}
    return {path: digest for path, digest in hashes.items() if re.fullmatch(r"sha-?256:[0-9a-f]{64}", digest)}


@dataclass(slots=True)
class Imported:
    """How many captures were new, how many the archive already had, unusable files, and files that only belong to pages."""

    added: int = 0
    known: int = 0
    problems: list[Unused] = field(default_factory=list)
    companions: list[Unused] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)


def import_paths(folder: Path, paths: Iterable[Path]) -> Imported:
    """Adds every capture found under `paths` to the archive in `folder`. The caller holds the data folder's lock."""
    done = Imported()
    with Archive(folder, writable=True) as archive:
        done.recovered = archive.recovered
        for item in read_paths(paths, excluded=folder):
            if isinstance(item, Unused):
                (done.companions if item.is_companion else done.problems).append(item)
            elif archive.add(item) is None:
                done.known += 1
            else:
                done.added += 1
                if done.added % _FLUSH_EVERY == 0:
                    archive.flush()
    return done


def read_paths(paths: Iterable[Path], *, excluded: Path) -> Iterator[Capture | Unused]:
    """Yields every capture in files and folders, except the folder `excluded`; reports what is neither a capture nor a part."""
    for path in paths:
        is_reported, companions = False, []
        for item in _read_folder(path, excluded.resolve()) if path.is_dir() else read_file(path):
            if isinstance(item, Capture) or not item.is_companion:
                is_reported = True
                yield item
            else:
                companions.append(item)
        unread = Unused(str(path), companions[0].reason if len(companions) == 1 else "no page or capture in it")
        yield from companions if is_reported else [unread]


def _read_folder(folder: Path, excluded: Path) -> Iterator[Capture | Unused]:
    refused: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        place = Path(parent)
        for name in sorted(folders):
            path = place / name
            page = _FILES_OF_PAGE.fullmatch(name)
            if path.is_symlink():
                yield Unused(str(path), "a link to a folder, which is not followed")
            elif name.startswith(".") or (page and any(f"{page[1]}.{end}" in names for end in ("html", "htm", "xhtml"))):
                yield Unused(str(path), "a hidden folder" if name[0] == "." else "parts of a saved page", is_companion=True)
            elif path.resolve() != excluded:
                continue
            folders.remove(name)
        folders.sort()
        for name in sorted(names):
            if name.startswith("."):
                yield Unused(str(place / name), "a hidden file", is_companion=True)
            else:
                yield from read_file(place / name, root=folder)
    yield from (Unused(str(error.filename), error.strerror or "can't be read") for error in refused)


def read_file(path: Path, *, root: Path | None = None) -> Iterator[Capture | Unused]:
    """Yields every capture in one file, found in the folder `root`; never raises, whatever the file contains."""
    try:
        if not path.is_file():
            yield Unused(str(path), "not a file or folder" if path.exists() else "there is no such file or folder")
            return
        name = origin_of(path, root)
        with path.open("rb") as file:
            for item in read_container(file, name):
                if isinstance(item, Unused):
                    yield item._replace(where=str(path), reason=item.describe(name))
                else:
                    yield item[1]
    except OSError as error:
        yield Unused(str(path), error.strerror or "can't be read")


def origin_of(path: Path, root: Path | None) -> str:
    """Returns a capture's origin: the path from the imported folder on, or from one above it that is a time or a host."""
    parts = path.resolve().parts[1:] if not path.is_symlink() else path.absolute().parts[1:]
    own = len(path.relative_to(root).parts) + 1 if root else 1
    first = next((place for place, part in enumerate(parts[:-1]) if is_time_or_host(part)), len(parts))
    return "/".join(parts[min(first, max(0, len(parts) - own)) :])
