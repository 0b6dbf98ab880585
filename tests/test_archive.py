"""The archive keeps captures as they came, once, and survives being cut short."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from scraper.archive.store import Archive
from scraper.capture import Capture, Form
from tests import dbkit

WHEN = datetime(2025, 1, 31, 12, 0, 5, tzinfo=UTC)


TWICE = (("Content-Type", "text/html; charset=utf-8"), ("X-Twice", "1"), ("X-Twice", "2"))


def page(number: int = 1, **changes: Any) -> Capture:
    body = f"<html>page {number}</html>".encode()
    values: dict[str, Any] = {"payload": body, "url": dbkit.node(number), "when": WHEN, "http_headers": TWICE}
    return dbkit.page(**(values | changes))


def stored(folder: Path) -> list[Capture]:
    with Archive(folder) as archive:
        return [archive.read(entry) for entry in archive.entries()]


@pytest.mark.parametrize(
    "capture",
    [
        page(),
        page(form=Form.RESOURCE, http_status=None, http_reason="", http_headers=(), content_type="text/html", url=None),
        page(form=Form.CONVERSION, http_status=None, http_reason="", http_headers=(), content_type="text/plain"),
        page(when=None),
        page(when=WHEN.replace(microsecond=123000)),
        page(http_reason="Gefällt", http_headers=(("X-Ünder", "a; b=é \ufffd"), ("Location", "/straße?q=ü")), content_type=None),
        page(payload=bytes(range(256)) * 40, http_headers=(), content_type=None, origin="a b.html", truncated="length"),
        page(url="http://x.example/\r\nWARC-Type: evil", http_headers=(("X", "a\r\nY: b"),), content_type=None),
    ],
    ids=["response", "resource without url", "text", "time unknown", "fraction", "not ascii", "binary", "header injection"],
)
def test_a_capture_reads_back_as_it_was_put_in(tmp_path: Path, capture: Capture) -> None:
    with Archive(tmp_path, writable=True) as archive:
        entry = archive.add(capture)
    (back,) = stored(tmp_path)
    assert entry is not None
    for name in ("form", "source", "payload", "captured_at", "http_status", "content_type", "truncated", "origin", "sha256"):
        assert getattr(back, name) == getattr(capture, name), name
    if "evil" not in (capture.url or ""):
        assert (back.url, back.http_headers, back.capture_id) == (capture.url, capture.http_headers, capture.capture_id)
    else:
        assert "\r" not in str(back.url) + str(back.http_headers)


def test_other_tools_read_the_files(tmp_path: Path) -> None:
    with Archive(tmp_path, writable=True) as archive:
        archive.add(page())
        archive.add(page(2, captured_at=None))
    with (tmp_path / "tta-000001.warc.gz").open("rb") as file:
        records = [
            (record.rec_headers["WARC-Target-URI"], record.http_headers.statusline, record.content_stream().read())
            for record in ArchiveIterator(file, check_digests="raise")
        ]
    assert records == [
        ("https://bjatta.bja.ojp.gov/node/1", "200 OK", b"<html>page 1</html>"),
        ("https://bjatta.bja.ojp.gov/node/2", "200 OK", b"<html>page 2</html>"),
    ]


@pytest.mark.parametrize("keep", [1, 10, 11, 100, -20, -1])
def test_an_unfinished_record_is_removed_and_all_before_it_kept(tmp_path: Path, keep: int) -> None:
    with Archive(tmp_path, writable=True) as archive:
        archive.add(page(1))
        second = archive.add(page(2))
    assert second
    path = tmp_path / second.warc_file
    whole = path.read_bytes()
    last = whole[second.warc_offset :]
    path.write_bytes(whole + last[:keep])
    with Archive(tmp_path, writable=True) as archive:
        assert len(archive.recovered) == 1
        assert path.read_bytes() == whole
        assert archive.add(page(3))
    assert [capture.url for capture in stored(tmp_path)] == [f"https://bjatta.bja.ojp.gov/node/{n}" for n in (1, 2, 3)]
