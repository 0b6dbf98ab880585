"""What is in a refresh's way: damage, no room, no right to write. One line, the right status, yesterday's data in place."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from scraper.folders import Folders
from tests.dbkit import add, day, exports, html, loaded, node, page
from tests.fakearchive.run import HOST, Ran, captures, run, write_config
from tests.fakearchive.server import FakeArchive

AT = "20240101000000"
ROOT = Path(__file__).parents[1]
PLAIN_ROOT = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Root may write everywhere; without these capabilities it may write where the folder's rights say so."""


def tta(folders: Folders, config: Path, *arguments: str, prefix: list[str] | None = None, most: int | None = None) -> Ran:
    """`tta refresh` in a process of its own, whose files can't grow over `most` bytes."""
    program = [*(prefix or []), sys.executable, "-c", "from scraper.cli import main; main()"]
    command = [*program, "--data", str(folders.data), "--config", str(config), "refresh", *arguments]

    def limited() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, preexec_fn=limited, timeout=60, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return loaded(tmp_path / "data", [page(html({"County": "Yesterday"}), url=node(1), when=day(0))])


def test_a_damaged_database_costs_no_capture(fake: FakeArchive, folders: Folders, tmp_path: Path) -> None:
    """What is fetched is kept, since it may be gone tomorrow; the database is made again from it."""
    folders.database.write_bytes(b"not a database" * 1000)
    fake.add(f"https://{HOST}/node/2", AT, html({}, node=2))
    config = write_config(tmp_path / "tta.toml", fake.url)
    ran = run(folders.data, config, command="refresh")
    assert (ran.status, ran.report["outcome"], ran.report["fetched"]) == (1, "failed", 1)
    assert "run `tta doctor --repair`" in ran.report["message"]
    assert len(captures(folders.data)) == 2
    folders.database.unlink()
    assert run(folders.data, config, command="refresh").report["records"] == 2


def test_a_full_disk_while_fetching_is_reported_and_what_came_is_kept(
    fake: FakeArchive, folders: Folders, tmp_path: Path
) -> None:
    for n in range(2, 40):
        fake.add(f"https://{HOST}/node/{n}", AT, html({}, node=n) + f"<!-- {os.urandom(40_000).hex()} -->".encode())
    config = write_config(tmp_path / "tta.toml", fake.url)
    before = exports(folders)
    ran = tta(folders, config, most=900_000)
    assert (ran.status, "can't be written" in ran.err or "No space" in ran.err or "too large" in ran.err) == (4, True), ran.err
    assert exports(folders) != before
    assert run(folders.data, config, command="refresh").status == 0
    assert len(captures(folders.data)) == 39


def test_a_folder_that_may_only_be_read_is_a_line(folders: Folders, offline: Path) -> None:
    before = exports(folders)
    add(folders, [page(html({}), url=node(2), when=day(1))])
    locked = [folders.data, folders.archive, *folders.data.iterdir(), *folders.archive.iterdir()]
    modes = {path: path.stat().st_mode for path in locked}
    for path in locked:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        ran = tta(folders, offline, prefix=PLAIN_ROOT)
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1), (ran.out, ran.err)
    assert "--data" in ran.err
    assert exports(folders) == before


def test_a_missing_contact_or_a_damaged_ledger_is_named_and_what_was_imported_is_loaded(
    fake: FakeArchive, folders: Folders, tmp_path: Path
) -> None:
    config = tmp_path / "tta.toml"
    config.write_text("")
    add(folders, [page(html({}), url=node(2), when=day(1))])
    ran = run(folders.data, config, command="refresh")
    assert (ran.status, ran.report["records"], "contact" in ran.err) == (4, 2, True)
    folders.ledger.write_bytes(b"not a database" * 1000)
    add(folders, [page(html({}), url=node(3), when=day(1))])
    ran = run(folders.data, write_config(tmp_path / "other.toml", fake.url), command="refresh")
    assert (ran.status, ran.report["records"], "ledger.db" in ran.err) == (4, 3, True), ran.err
    fresh = run(tmp_path / "fresh", config, command="refresh")
    assert (fresh.status, "contact" in fresh.err, (tmp_path / "fresh").exists()) == (1, True, False)
