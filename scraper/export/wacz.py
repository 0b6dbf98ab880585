"""WACZ (Web Archive Collection Zipped, 1.1.1): the captures of the selected records in one file that replayweb.page displays.

The WARC records are those of the archive, byte for byte, so nothing can be left out of them, not even contact details.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from posixpath import basename
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from scraper.archive.store import Archive, read_member
from scraper.database.about import CAVEAT, SUMMARY, TITLE
from scraper.errors import ArchiveDamaged
from scraper.export.manifest import PROGRAM

WARC, INDEX, PAGES = "archive/data.warc.gz", "indexes/index.cdx", "pages/pages.jsonl"
"""All players read an uncompressed index of this name: replayweb.page reads no `.cdx.gz` without `.idx`, pywb no `.cdxj`."""
_EARLIEST = "00000101000000"
_SHOWN = ("response", "resource", "revisit")
"""Types of captures that players can show; a conversion, such as a page's text, is only in the WARC file."""


def write(archive: Path, captures: Iterable[tuple[str, str | None]], created: str, file: BinaryIO) -> dict[str, int]:
    """Writes captures, given by their identity and the title of the record that each shows; returns their number.

    Raises TtaError. `created`: the package's stated creation time; not that of the run, so that the bytes are the same each time.
    A capture whose URL or time is unknown is in the WARC file but not in the index, because players look up both.
    """
    lines: list[tuple[str, str]] = []
    pages = [json.dumps({"format": "json-pages-1.0", "id": "pages", "title": "Captures of the chosen records"})]
    chosen = list(captures)
    with Archive(archive) as store, zipfile.ZipFile(file, "w") as package:

        def members() -> Iterator[bytes]:
            offset = 0
            for capture_id, title in chosen:
                entry = store.entry(capture_id)
                if entry is None:
                    raise ArchiveDamaged(f"the capture {capture_id} is not in the archive {archive}: run `tta doctor`")
                member = read_member(archive, entry)
                if len(member) != entry.warc_length:
                    raise ArchiveDamaged(f"{archive / entry.warc_file} ends within a record: run `tta doctor`")
                if entry.url and entry.captured_at and entry.warc_type in _SHOWN:
                    digits = re.sub(r"\D", "", entry.captured_at)[:14]
                    time = digits + _EARLIEST[len(digits) :]
                    mime = "warc/revisit" if entry.warc_type == "revisit" else (entry.content_type or "").split(";")[0].strip()
                    place = {"length": str(len(member)), "offset": str(offset), "filename": basename(WARC)}
                    what = {"url": entry.url, "mime": mime or "unk", "digest": entry.payload_digest, **place}
                    if entry.http_status is not None:
                        what["status"] = str(entry.http_status)
                    lines.append((f"{surt(entry.url)} {time}", json.dumps(what)))
                    if title is not None:
                        moment = re.sub(r"(....)(..)(..)(..)(..)(..)", r"\1-\2-\3T\4:\5:\6Z", time)
                        page = {"id": capture_id, "url": entry.url, "ts": moment, "title": title}
                        pages.append(json.dumps(page, ensure_ascii=False))
                yield member
                offset += len(member)

        size = sum(entry.warc_length for capture_id, _ in chosen if (entry := store.entry(capture_id)))
        resources = [_add(package, WARC, members(), size)]
        resources.append(_add(package, INDEX, (f"{key} {text}\n".encode() for key, text in sorted(lines))))
        resources.append(_add(package, PAGES, ["\n".join([*pages, ""]).encode()]))
        description = {
            "profile": "data-package",
            "wacz_version": "1.1.1",
            "title": TITLE,
            "description": f"{SUMMARY} {CAVEAT}",
            "software": PROGRAM,
            "created": created,
            "resources": resources,
        }
        described = _add(package, "datapackage.json", [json.dumps(description, indent=2).encode()])
        digest = json.dumps({name: described[name] for name in ("path", "hash")})
        _add(package, "datapackage-digest.json", [digest.encode()])
    count = len(chosen)
    return {"captures": count, "pages": len(pages) - 1, "captures without address, time or replay": count - len(lines)}


def surt(url: str) -> str:
    """Returns the sort key of web archives' indexes: `https://www.a.example/B?c` becomes `example,a)/b?c`."""
    parts = urlsplit(url.strip().lower())
    host, _, port = parts.netloc.rpartition("@")[2].partition(":")
    host = ",".join(reversed(re.sub(r"^www\d*\.", "", host).split(".")))
    port = "" if port in ("", "80", "443") else f":{port}"
    query = f"?{'&'.join(sorted(parts.query.split('&')))}" if parts.query else ""
    return f"{host}{port})/{parts.path.strip('/')}{query}"


def _add(package: zipfile.ZipFile, path: str, parts: Iterable[bytes], expected: int = 0) -> dict[str, Any]:
    """Adds a file, in parts, and describes it. WARC files are stored, since a player reads parts of them; so are descriptions.

    `expected`: its bytes, where these may be gigabytes: replayweb.page 2.4 can't find the content of a file over two.
    """
    digest, size = hashlib.sha256(), 0
    info = zipfile.ZipInfo(path)  # with a constant time
    info.file_size = expected
    info.compress_type = zipfile.ZIP_STORED if path.endswith((".gz", ".json")) else zipfile.ZIP_DEFLATED
    with package.open(info, "w") as target:
        for part in parts:
            target.write(part)
            digest.update(part)
            size += len(part)
    return {"name": basename(path), "path": path, "hash": f"sha256:{digest.hexdigest()}", "bytes": size}
