"""Local files as captures: HTML, text captures, WARC and WET (gzip or not), WACZ, and folders of these.

A file is judged by its first bytes, because names lie. What can't be used is a Problem that names the file, and the rest goes on.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from parsers.kinds import is_binary, known_format
from scraper.archive.records import Damage
from scraper.archive.warc import read_captures
from scraper.capture import Capture, Form
from scraper.encoding import GZIP_MAGIC, ZSTD_MAGIC, gunzip
from scraper.errors import UndecodableContent

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

SOURCE = "files"
MAX_PAGE_FILE = 64 * 1024 * 1024
"""Bytes of a single page's file; ARCHIVES.md section 8 proposes 64 MiB for a record (November 2026)."""
MAX_MEMBER = 8 * 1024**3
"""Bytes of one WARC file inside a WACZ; writers begin a new one at 1 GB."""
MAX_MEMBERS = 10_000
_WARC = re.compile(rb"WARC/\d\.\d")
_HTML = re.compile(rb"<(!doctype|html|head|body|article|div|p|h1|title|meta|table|span|!--)[\s>/!-]", re.IGNORECASE)
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Problem:
    """A path that could not be used, or only in part, and why."""

    path: Path
    reason: str


def read_paths(paths: Iterable[Path], *, but: Path) -> Iterator[Capture | Problem]:
    """Every capture in the given files and folders, folders in the order of their names; nothing in the folder `but`."""
    for path in paths:
        if path.is_dir():
            yield from _read_folder(path, but.resolve())
        else:
            yield from read_file(path)


def _read_folder(folder: Path, but: Path) -> Iterator[Capture | Problem]:
    refused: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        yield from (Problem(Path(error.filename), error.strerror or "can't be read") for error in refused)
        refused.clear()
        folders[:] = sorted(name for name in folders if not name.startswith(".") and (Path(parent) / name).resolve() != but)
        for name in sorted(names):
            if not name.startswith("."):
                yield from read_file(Path(parent) / name)


def read_file(path: Path) -> Iterator[Capture | Problem]:
    """Every capture in one file; never raises on what a file is or holds."""
    try:
        if not path.exists():
            yield Problem(path, "there is no such file or folder")
            return
        if not path.is_file():
            yield Problem(path, "not a file or folder")
            return
        with path.open("rb") as file:
            yield from _read_open(path, file)
    except OSError as error:
        yield Problem(path, error.strerror or "can't be read")


def _read_open(path: Path, file: BinaryIO) -> Iterator[Capture | Problem]:
    head = file.read(_HEAD)
    file.seek(0)
    if not head.strip():
        yield Problem(path, "the file is empty")
    elif head.startswith(b"PK\x03\x04"):
        yield from _read_wacz(path)
    elif _WARC.match(head) or (head.startswith(GZIP_MAGIC) and _WARC.match(_first_bytes(head))):
        yield from _read_warc(path, file)
    elif head.startswith(ZSTD_MAGIC):
        yield Problem(path, "compressed with zstd, which is not read; decompress it first")
    else:
        yield from _read_page(path, file)


def _first_bytes(head: bytes) -> bytes:
    try:
        return gunzip(head)
    except UndecodableContent as error:
        return error.partial


def _read_warc(path: Path, file: BinaryIO) -> Iterator[Capture | Problem]:
    for item in read_captures(file, SOURCE):
        if isinstance(item, Damage):
            yield Problem(path, f"at byte {item.position}: {item.reason}")
        else:
            yield item[1]


def _read_page(path: Path, file: BinaryIO) -> Iterator[Capture | Problem]:
    body = file.read(MAX_PAGE_FILE + 1)
    if len(body) > MAX_PAGE_FILE:
        yield Problem(path, f"larger than {MAX_PAGE_FILE} bytes, which no page is")
        return
    truncated = None
    if body.startswith(GZIP_MAGIC):
        try:
            body = gunzip(body)
        except UndecodableContent as error:
            yield Problem(path, f"damaged gzip: {error}")
            body, truncated = error.partial, "unspecified"
    if not body.strip():
        if truncated is None:
            yield Problem(path, "the file is empty")
        return
    if (format_ := known_format(body[:_HEAD])) or is_binary(body[:_HEAD]):
        yield Problem(path, f"not a page: {format_ or 'binary data'}")
        return
    is_html = _HTML.search(body[:_HEAD].replace(b"\0", b"")) is not None
    yield Capture(
        form=Form.RESOURCE if is_html else Form.CONVERSION,
        source=SOURCE,
        payload=body,
        content_type="text/html" if is_html else "text/plain",
        truncated=truncated,
        origin=path.name,
    )


def _read_wacz(path: Path) -> Iterator[Capture | Problem]:
    """The WARC files of a WACZ (ARCHIVES.md, section 4), each checked against the package's own hash."""
    try:
        with zipfile.ZipFile(path) as package:
            names = [info for info in package.infolist() if re.fullmatch(r"archive/[^/]+\.warc(\.gz)?", info.filename)]
            if not names:
                yield Problem(path, "a ZIP file without an archive/*.warc.gz, so no WACZ")
                return
            hashes = _hashes(package)
            for info in names[:MAX_MEMBERS]:
                yield from _read_member(path, package, info, hashes.get(info.filename))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        yield Problem(path, f"a damaged or encrypted ZIP file: {error}")


def _hashes(package: zipfile.ZipFile) -> dict[str, str]:
    try:
        with package.open("datapackage.json") as file:
            resources = json.loads(file.read(1 << 24)).get("resources", [])
        return {str(one["path"]): str(one["hash"]) for one in resources if "path" in one and "hash" in one}
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile):
        return {}


def _read_member(
    path: Path, package: zipfile.ZipFile, info: zipfile.ZipInfo, expected: str | None
) -> Iterator[Capture | Problem]:
    if info.file_size > MAX_MEMBER:
        yield Problem(path, f"{info.filename} says it has {info.file_size} bytes; at most {MAX_MEMBER} are read")
        return
    with ExitStack() as stack:
        copy = cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile()))
        digest = sha256()
        try:
            _copy(stack.enter_context(package.open(info)), copy, digest)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            yield Problem(path, f"{info.filename} is damaged: {error}")
        if expected and re.fullmatch(r"sha-?256:[0-9a-f]{64}", expected) and not expected.endswith(digest.hexdigest()):
            yield Problem(path, f"{info.filename} does not have the hash that the package gives for it")
        copy.seek(0)
        yield from _read_warc(path, copy)


def _copy(member: IO[bytes], copy: BinaryIO, digest: Hash) -> None:
    """Copies a member out of the ZIP file, because WARC reading has to seek; never more than MAX_MEMBER bytes."""
    size = 0
    while piece := member.read(1 << 20):
        size += len(piece)
        if size > MAX_MEMBER:
            raise EOFError(f"more than {MAX_MEMBER} bytes")
        digest.update(piece)
        copy.write(piece)
