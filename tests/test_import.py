"""`tta import` keeps every kind of local capture, once, and bad input costs nothing else."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scraper.archive.store import Archive
from scraper.capture import Capture, Form
from scraper.sources.files import import_paths, read_file
from scraper.sources.saved import Unused
from tests import containerkit as kit

HTML = b"<!DOCTYPE html><html><body><article>one page</article></body></html>"


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
    for name, body in (("a.warc.gz", kit.warc_gz(1, 2)), ("b.warc", kit.warc(2, 1)), ("c.wacz", kit.wacz(1))):
        (tmp_path / name).write_bytes(body)
    done = import_paths(tmp_path / "archive", [tmp_path])
    assert (done.added, done.known) == (2, 3)
    before = sorted((path.name, path.read_bytes()) for path in (tmp_path / "archive").glob("*.warc.gz"))
    names = ("a.warc.gz", "nowhere", "b.warc", "c.wacz")
    again = import_paths(tmp_path / "archive", [tmp_path / name for name in names])
    assert [Path(one.where).name for one in again.problems] == ["nowhere"]
    assert (again.added, again.known) == (0, 5)
    assert sorted((path.name, path.read_bytes()) for path in (tmp_path / "archive").glob("*.warc.gz")) == before


@pytest.mark.parametrize(
    ("body", "kept", "reason"),
    [
        (b"", 0, "the file is empty"),
        (b" \n\n", 0, "the file is empty"),
        (gzip.compress(b"", mtime=0), 0, "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 0, "picture"),
        (b"%PDF-1.7 text text", 0, "PDF"),
        (bytes(range(256)) * 8, 0, "binary"),
        (gzip.compress(HTML, mtime=0)[:-12], 1, "damaged"),
        (b"PK\x03\x04 not a zip file", 0, "ZIP"),
        (kit.wacz(1, digest="0" * 64), 1, "hash"),
        (kit.warc_gz(1, 2)[:-30], 2, "cut"),
        (kit.warc(1, 2)[:-30], 2, "cut"),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else str(value),
)
def test_bad_input_is_named_and_what_is_good_in_it_is_kept(tmp_path: Path, body: bytes, kept: int, reason: str) -> None:
    path = tmp_path / "input"
    path.write_bytes(body)
    found = list(read_file(path))
    reasons = [item.reason for item in found if isinstance(item, Unused)]
    assert len(found) - len(reasons) == kept
    assert reason in "; ".join(reasons)


@pytest.mark.parametrize(
    "block",
    [
        HTML,
        b"",
        b"HTTP/1.1 20\r\nServer: x\r\n\r\n" + HTML,
        b"HTTP/1.1\r\n\r\n" + HTML,
        b"\xff\xfe\0",
        b"HTTP/1.1 000\r\n\r\n" + HTML,
        b"HTTP/1.1 000,odd\r\n\r\n" + HTML,
    ],
    ids=["no head", "nothing", "two digits", "no status", "bytes", "zeros", "comma"],
)
def test_a_response_whose_block_is_no_sound_http_message_is_kept_whole(tmp_path: Path, block: bytes) -> None:
    """Crawlers keep what servers say, and servers say anything."""
    path = tmp_path / "crawl.warc"
    path.write_bytes(kit.warc_gz(1) + gzip.compress(kit.record(7, block=block)) + kit.warc_gz(2))
    done = import_paths(tmp_path / "archive", [path])
    assert (done.added, done.problems) == (3, [])
    first, odd, last = stored(tmp_path / "archive")
    assert (first.url, last.url) == (kit.url(1), kit.url(2))
    assert (odd.payload, odd.http_status) == ((HTML, 0) if b"000" in block else (block, None))
