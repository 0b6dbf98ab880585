"""A fetch from beginning to end: what is listed is stored, once, and a second run asks only for the listing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scraper.archive import Archive
from scraper.capture import Capture
from tests.fakearchive.run import HOST, run, write_config
from tests.fakearchive.server import FakeArchive


@pytest.fixture
def archive() -> Iterator[FakeArchive]:
    with FakeArchive().running() as fake:
        yield fake


def stored(data: Path) -> list[Capture]:
    with Archive(data / "archive") as archive:
        return [archive.read(entry) for entry in archive.entries()]


def test_everything_listed_is_stored_once(archive: FakeArchive, tmp_path: Path) -> None:
    for number in range(3):
        archive.add(f"https://{HOST}/node/{13435 + number}", f"2024010{number + 1}000000")
    archive.add(f"https://rp.{HOST}/node/13435", "20240201000000", b"<html><body>sub</body></html>")
    config = write_config(tmp_path / "tta.toml", archive.url)
    first = run(tmp_path / "data", config)
    assert first.status == 0, first.err
    assert (first.source()["listed"], first.source()["fetched"]) == (4, 4)
    assert len(archive.replays()) == 4
    assert sorted((c.url, c.content) for c in stored(tmp_path / "data")) == sorted((k.url, k.body) for k in archive.kept)
    archive.arrivals.clear()
    second = run(tmp_path / "data", config)
    assert (second.status, archive.replays(), second.source()["fetched"]) == (0, [], 0)
