"""`tta import` keeps every kind of local capture, once, and bad input costs nothing else."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scraper.archive.store import Archive
from scraper.archive.warc import record_bytes
from scraper.capture import Capture, Form
from scraper.importing import import_paths
from scraper.sources.files import Problem, read_file

WHEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
HTML = b"<!DOCTYPE html><html><body><article>one page</article></body></html>"


def response(number: int) -> Capture:
    return Capture(
        form=Form.RESPONSE,
        source="wayback",
        payload=f"<html>page {number} {'x' * 2000}</html>".encode(),
        url=f"https://bjatta.bja.ojp.gov/node/{number}",
        captured_at=WHEN,
        http_status=200,
        http_reason="OK",
        http_headers=(("Content-Type", "text/html"),),
        content_type="text/html",
    )


def warc(*numbers: int) -> bytes:
    return b"".join(record_bytes(response(number), WHEN) for number in numbers)


def wacz(body: bytes, digest: str | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("archive/data.warc.gz", body)
        package.writestr("archive/../evil.warc.gz", b"never read")
        digest = digest or hashlib.sha256(body).hexdigest()
        package.writestr(
            "datapackage.json", json.dumps({"resources": [{"path": "archive/data.warc.gz", "hash": f"sha256:{digest}"}]})
        )
    return out.getvalue()


def stored(folder: Path) -> list[Capture]:
    with Archive(folder) as archive:
        return [archive.read(entry) for entry in archive.entries()]


@pytest.mark.parametrize(
    ("name", "body", "form", "content_type"),
    [
        ("page.html", HTML, Form.RESOURCE, "text/html"),
        ("page", b"\xef\xbb\xbf\n<div>no name, no doctype</div>", Form.RESOURCE, "text/html"),
        ("page.html.gz", gzip.compress(HTML, mtime=0), Form.RESOURCE, "text/html"),
        ("utf16.html", "\ufeff<html>wide</html>".encode("utf-16-le"), Form.RESOURCE, "text/html"),
        ("page.txt", b"Skip to main content\n\n20250129-145639-07\n", Form.CONVERSION, "text/plain"),
    ],
)
def test_a_single_page_keeps_what_is_known_and_invents_nothing(
    tmp_path: Path, name: str, body: bytes, form: Form, content_type: str
) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    done = import_paths(tmp_path / "archive", [path])
    (capture,) = stored(tmp_path / "archive")
    assert (done.added, done.problems) == (1, [])
    assert (capture.form, capture.content_type, capture.source, capture.origin) == (form, content_type, "files", name)
    assert (capture.url, capture.captured_at, capture.http_status) == (None, None, None)
    assert capture.payload == (HTML if name.endswith(".gz") else body)


def test_the_same_capture_in_any_packing_is_kept_once(tmp_path: Path) -> None:
    for name, body in (("a.warc.gz", warc(1, 2)), ("b.warc", gzip.decompress(warc(2, 1))), ("c.wacz", wacz(warc(1)))):
        (tmp_path / name).write_bytes(body)
    done = import_paths(tmp_path / "archive", [tmp_path])
    assert (done.added, done.known) == (2, 3)
    before = sorted((path.name, path.read_bytes()) for path in (tmp_path / "archive").glob("*.warc.gz"))
    again = import_paths(tmp_path / "archive", [tmp_path / "a.warc.gz", tmp_path / "b.warc", tmp_path / "c.wacz"])
    assert (again.added, again.known) == (0, 5)
    assert sorted((path.name, path.read_bytes()) for path in (tmp_path / "archive").glob("*.warc.gz")) == before


def test_a_folder_is_read_with_all_below_it_but_hidden_files(tmp_path: Path) -> None:
    deep = tmp_path / "in" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "one.html").write_bytes(HTML)
    (tmp_path / "in" / "two.txt").write_bytes(b"some text")
    (tmp_path / "in" / ".hidden").write_bytes(b"not this")
    assert import_paths(tmp_path / "archive", [tmp_path / "in"]).added == 2


def problems(path: Path) -> tuple[int, str]:
    found = list(read_file(path))
    reasons = [item.reason for item in found if isinstance(item, Problem)]
    return len(found) - len(reasons), "; ".join(reasons)


@pytest.mark.parametrize(
    ("body", "kept", "reason"),
    [
        (b"", 0, "the file is empty"),
        (b" \n\n", 0, "the file is empty"),
        (gzip.compress(b"", mtime=0), 0, "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 0, "PNG image"),
        (b"%PDF-1.7 text text", 0, "PDF"),
        (bytes(range(256)) * 8, 0, "binary"),
        (gzip.compress(HTML, mtime=0)[:-12], 1, "damaged"),
        (b"PK\x03\x04 not a zip file", 0, "ZIP"),
        (wacz(warc(1), digest="0" * 64), 1, "hash"),
        (warc(1, 2)[:-30], 2, "cut"),
        (gzip.decompress(warc(1, 2))[:-30], 2, "cut"),
        (warc(1) + b"garbage between" + warc(2), 2, "no record begins here"),
        (gzip.decompress(warc(1)) + b"\r\nnoise\r\n\r\n" + gzip.decompress(warc(2)), 2, ""),
        (
            gzip.decompress(warc(1)).replace(b"Content-Length: 2", b"Content-Length: 9999999992", 1) + gzip.decompress(warc(2)),
            2,
            "bytes",
        ),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else str(value),
)
def test_bad_input_is_named_and_what_is_good_in_it_is_kept(tmp_path: Path, body: bytes, kept: int, reason: str) -> None:
    path = tmp_path / "input"
    path.write_bytes(body)
    found, reasons = problems(path)
    assert (found, reason in reasons) == (kept, True), reasons


@pytest.mark.parametrize(
    "block",
    [
        HTML,
        b"",
        b"HTTP/1.1 20\r\nServer: x\r\n\r\n" + HTML,
        b"HTTP/1.1\r\n\r\n" + HTML,
        b"\xff\xfe\0",
        b"HTTP/1.1 000\r\n\r\n" + HTML,
    ],
    ids=["no head", "nothing", "two digits", "no status", "bytes", "zeros"],
)
def test_a_response_whose_block_is_no_sound_http_message_is_kept_whole(tmp_path: Path, block: bytes) -> None:
    """Crawlers keep what servers say, and servers say anything."""
    head = "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://bjatta.bja.ojp.gov/node/7\r\n"
    record = (
        f"{head}WARC-Date: 2024-05-06T07:08:09Z\r\nWARC-Record-ID: <urn:uuid:7>\r\nContent-Length: {len(block)}\r\n\r\n".encode()
        + block
        + b"\r\n\r\n"
    )
    path = tmp_path / "crawl.warc"
    path.write_bytes(warc(1) + gzip.compress(record) + warc(2))
    done = import_paths(tmp_path / "archive", [path])
    assert (done.added, done.problems) == (3, [])
    first, odd, last = stored(tmp_path / "archive")
    assert (first.url, last.url) == (response(1).url, response(2).url)
    assert (odd.payload, odd.http_status) == ((HTML, 0) if b"000" in block else (block, None))


def test_a_missing_path_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(HTML)
    done = import_paths(tmp_path / "archive", [tmp_path / "nowhere", tmp_path / "page.html"])
    assert done.added == 1
    assert [problem.path.name for problem in done.problems] == ["nowhere"]
