"""WACZ (Web Archive Collection Zipped, 1.1.1): the captures of the chosen records in one file that replayweb.page displays.

The WARC records are those of the archive, byte for byte, so nothing can be left out of them: not a contact detail either.
"""

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from scraper.archive.store import Archive, Entry
from scraper.database.about import CAVEAT, SUMMARY, TITLE
from scraper.errors import ArchiveDamaged
from scraper.export.manifest import program

WARC, INDEX, BLOCKS, PAGES = "archive/data.warc.gz", "indexes/index.idx", "indexes/index.cdx.gz", "pages/pages.jsonl"
_LINES = 3_000
"""Lines in one compressed block of the index, as in other ZipNum indexes."""
_EARLIEST = "00000101000000"
_SHOWN = ("response", "resource", "revisit")
"""Forms of captures that replay can show; a conversion, such as a page's text, is in the WARC file only."""


def write(archive: Path, captures: Iterable[tuple[str, str | None]], created: str, file: BinaryIO) -> dict[str, int]:
    """Writes the captures: identity, and the title of the record that each shows. Returns their number. Raises TtaError.

    `created`: the time that the package gives as its own; not that of the run, so that the bytes are the same each time.
    A capture whose address or time is unknown is in the WARC file and not in the index, since a player looks up both.
    """
    lines: list[tuple[str, str]] = []
    pages = [json.dumps({"format": "json-pages-1.0", "id": "pages", "title": "Captures of the chosen records"})]
    count = 0
    with Archive(archive) as store, _Package(file) as package:

        def members() -> Iterator[bytes]:
            nonlocal count
            offset = 0
            for capture_id, title in captures:
                entry = store.entry(capture_id)
                if entry is None:
                    raise ArchiveDamaged(f"the capture {capture_id} is not in the archive {archive}: run `tta doctor`")
                member = _member(archive, entry)
                count += 1
                if entry.url and entry.captured_at and entry.form in _SHOWN:
                    lines.append(_index_line(entry, offset))
                    if title is not None:
                        time = re.sub(r"(....)(..)(..)(..)(..)(..)", r"\1-\2-\3T\4:\5:\6Z", _timestamp(entry))
                        page = {"id": capture_id, "url": entry.url, "ts": time, "title": title}
                        pages.append(json.dumps(page, ensure_ascii=False))
                yield member
                offset += len(member)

        package.add(WARC, members())
        index, blocks = _zipped_index(sorted(lines))
        package.add(BLOCKS, blocks)
        package.add(INDEX, ["".join(index).encode()])
        package.add(PAGES, ["\n".join([*pages, ""]).encode()], compressed=True)
        package.describe(created)
    return {"captures": count, "pages": len(pages) - 1, "captures without address, time or replay": count - len(lines)}


def _member(archive: Path, entry: Entry) -> bytes:
    path = archive / entry.warc_file
    try:
        with path.open("rb") as file:
            file.seek(entry.warc_offset)
            member = file.read(entry.warc_length)
    except OSError as error:
        raise ArchiveDamaged(f"{path}: {error.strerror}; restore it from a copy") from None
    if len(member) != entry.warc_length:
        raise ArchiveDamaged(f"{path} ends within a record: run `tta doctor`")
    return member


def _index_line(entry: Entry, offset: int) -> tuple[str, str]:
    """The key of a capture, by which the index is sorted, and its JSON (CDXJ)."""
    media_type = "warc/revisit" if entry.form == "revisit" else (entry.content_type or "").partition(";")[0].strip()
    place = {"length": str(entry.warc_length), "offset": str(offset), "filename": WARC.rpartition("/")[2]}
    what = {"url": entry.url, "mime": media_type or "unk", "digest": entry.payload_digest, **place}
    if entry.http_status is not None:
        what["status"] = str(entry.http_status)
    return f"{surt(entry.url or '')} {_timestamp(entry)}", json.dumps(what)


def _timestamp(entry: Entry) -> str:
    digits = re.sub(r"\D", "", entry.captured_at or "")[:14]
    return digits + _EARLIEST[len(digits) :]


def surt(url: str) -> str:
    """The key by which indexes of web archives are sorted: `https://www.a.example/B?c` is `example,a)/b?c`."""
    parts = urlsplit(url.strip().lower())
    host, _, port = parts.netloc.rpartition("@")[2].partition(":")
    host = ",".join(reversed(re.sub(r"^www\d*\.", "", host).split(".")))
    port = "" if port in ("", "80", "443") else f":{port}"
    query = f"?{'&'.join(sorted(parts.query.split('&')))}" if parts.query else ""
    return f"{host}{port})/{parts.path.strip('/')}{query}"


def _zipped_index(lines: list[tuple[str, str]]) -> tuple[list[str], list[bytes]]:
    """A ZipNum index: lines that tell the first key and the place of each block, and the blocks."""
    name = BLOCKS.rpartition("/")[2]
    index, blocks, offset = [f"!meta 0 {json.dumps({'format': 'cdxj-gzip-1.0', 'filename': name})}\n"], [], 0
    for start in range(0, len(lines), _LINES):
        some = lines[start : start + _LINES]
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        block = packer.compress("".join(f"{key} {text}\n" for key, text in some).encode()) + packer.flush()
        place = {
            "offset": offset,
            "length": len(block),
            "digest": f"sha256:{hashlib.sha256(block).hexdigest()}",
            "filename": name,
        }
        index.append(f"{some[0][0]} {json.dumps(place)}\n")
        blocks.append(block)
        offset += len(block)
    return index, blocks


class _Package(zipfile.ZipFile):
    """A ZIP file that knows size and digest of each of its files; the same files give the same bytes."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, "w")
        self._resources: list[dict[str, Any]] = []

    def add(self, path: str, parts: Iterable[bytes], *, compressed: bool = False) -> None:
        """Adds a file, in parts. What is compressed already is stored as it is, so that a player can read parts of it."""
        digest, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(path)
        info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        with self.open(info, "w", force_zip64=True) as target:
            for part in parts:
                target.write(part)
                digest.update(part)
                size += len(part)
        hashed = f"sha256:{digest.hexdigest()}"
        self._resources.append({"name": path.rpartition("/")[2], "path": path, "hash": hashed, "bytes": size})

    def describe(self, created: str) -> None:
        """Adds the description of all files, and its digest."""
        description = {
            "profile": "data-package",
            "wacz_version": "1.1.1",
            "title": TITLE,
            "description": f"{SUMMARY} {CAVEAT}",
            "software": program(),
            "created": created,
            "resources": self._resources,
        }
        text = json.dumps(description, indent=2).encode()
        self.add("datapackage.json", [text])
        digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(text).hexdigest()}"}
        self.add("datapackage-digest.json", [json.dumps(digest).encode()])
