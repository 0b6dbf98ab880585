"""Fixtures that several test files share."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from scraper.folders import Folders
from scraper.workers import processes
from tests.fakearchive.run import Fetch, Ran, run, write_config
from tests.fakearchive.server import FakeArchive

if TYPE_CHECKING:
    from tests.webkit import Site

IN_MEMORY, ROOM = Path("/dev/shm"), 4 << 30
if (
    not os.environ.get("TMPDIR")
    and os.access(IN_MEMORY, os.W_OK)
    and not os.statvfs(IN_MEMORY).f_flag & os.ST_NOEXEC
    and shutil.disk_usage(IN_MEMORY).free > ROOM
):
    # Temporary folders in memory, also those of processes that tests start: half of a database's time is waiting for the disk.
    os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)

# The same examples in every run; the campaigns draw others each time. How busy the machine is must not fail a test.
settings.register_profile("repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")


@pytest.fixture
def fake() -> Iterator[FakeArchive]:
    with FakeArchive().running() as archive:
        yield archive


@pytest.fixture
def offline(tmp_path: Path) -> Path:
    """A configuration in which no source is enabled."""
    return write_config(tmp_path / "offline.toml", "http://127.0.0.1:9", sources__wayback__enabled=False)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes have what a test changes in this one."""
    monkeypatch.setattr(processes, "_process_context", lambda _: multiprocessing.get_context("fork"))


@pytest.fixture(scope="session")
def site() -> Site:
    """The pages of the demo."""
    from tests.webkit import Site  # takes a second

    return Site()


@pytest.fixture(scope="session")
def demo_folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The demo's data folder, which no test may change."""
    from tests.webkit import demo

    return demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def tta_fetch(fake: FakeArchive, tmp_path: Path) -> Fetch:
    """`tta fetch` against `fake`, with settings by keyword; the data folder is `tmp_path / "data"`."""

    def fetch(*arguments: str, **settings: object) -> Ran:
        config = write_config(tmp_path / "tta.toml", fake.url, **settings)
        return run(tmp_path / "data", config, *arguments)

    return fetch
