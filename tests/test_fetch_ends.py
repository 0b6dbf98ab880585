"""How a fetch ends: by itself, by a signal, by being killed, or not at all because another one runs."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.campaigns.fuzz_fetch import fuzz
from tests.campaigns.pull_plug import contents
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, captures, finished, run, start, wait_for, write_config
from tests.fakearchive.server import FakeArchive

AT = "20240101000000"


@pytest.mark.parametrize(
    ("number", "moment"), [(signal.SIGTERM, "waiting"), (signal.SIGINT, "listening"), (signal.SIGTERM, "listing")]
)
def test_a_signal_ends_the_run_within_seconds(fake: FakeArchive, tmp_path: Path, number: signal.Signals, moment: str) -> None:
    kept = [fake.add(f"https://{HOST}/node/{page}", AT) for page in range(6)]
    interval = 30.0 if moment == "waiting" else 0.0
    if moment == "listening":
        fake.fault(kept[2], faults.hangs(30))
    if moment == "listing":
        fake.on_listing.append(faults.hangs(30))
    config = write_config(tmp_path / "tta.toml", fake.url, sources__wayback__replay_interval=interval, retry__deadline=60.0)
    process = start(tmp_path / "data", config)
    wait_for(lambda: len(fake.arrivals) == {"waiting": 1, "listening": 4, "listing": 1}[moment])
    time.sleep(0.1)
    began = time.monotonic()
    process.send_signal(number)
    ran = finished(process)
    assert time.monotonic() - began < 3
    assert (ran.status, ran.report["stopped"]) == (4, True), ran.err
    assert len(captures(tmp_path / "data")) == (2 if moment == "listening" else 0)
    fake.on_replay.clear()
    config = write_config(tmp_path / "tta.toml", fake.url)
    assert run(tmp_path / "data", config).status == 0
    assert len(captures(tmp_path / "data")) == 6


def test_damaged_answers_lose_nothing() -> None:
    assert set(fuzz(rounds=6, seed=1)) <= {0, 4}


@pytest.mark.parametrize("point", ["archive.store.Archive._insert", "archive.store.Archive.flush", "ledger.store.Ledger.settle"])
def test_a_crash_between_archive_and_ledger_costs_nothing(fake: FakeArchive, tmp_path: Path, point: str) -> None:
    """The moments that a random kill seldom hits: a record without its row, a row without its verdict."""
    for page in range(6):
        fake.add(f"https://{HOST}/node/{page // 2}", f"2024010{page + 1}000000", b"<html>the same</html>")
    config = write_config(tmp_path / "tta.toml", fake.url)
    module, owner, method = point.rsplit(".", 2)
    program = (
        f"import os, scraper.{module} as m\nusual, calls = m.{owner}.{method}, []\n"
        f"def crash(*a, **k):\n calls.append(1)\n if len(calls) == 3: os._exit(9)\n return usual(*a, **k)\n"
        f"m.{owner}.{method} = crash\nfrom scraper.cli import main\nmain()"
    )
    command = [sys.executable, "-c", program, "--data", str(tmp_path / "data"), "--config", str(config), "fetch"]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[1], timeout=60).returncode == 9
    assert run(tmp_path / "data", config).status == 0
    assert run(tmp_path / "undisturbed", config).status == 0
    assert contents(tmp_path / "data") == contents(tmp_path / "undisturbed")
    assert len(contents(tmp_path / "data")) == 6


def test_a_terminal_sees_progress_and_a_table(fake: FakeArchive, tmp_path: Path) -> None:
    for page in range(5):
        fake.add(f"https://{HOST}/node/{page}", AT)
    config = write_config(tmp_path / "tta.toml", fake.url, sources__wayback__replay_interval=0.15)
    inside, outside = pty.openpty()
    program = [sys.executable, "-c", "from scraper.cli import main; main()"]
    command = [*program, "--data", str(tmp_path / "data"), "--config", str(config), "fetch"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(command, stdout=outside, stderr=outside, env=environment, cwd=Path(__file__).parents[1])
    os.close(outside)
    seen = b""
    while chunk := _read(inside):
        seen += chunk
    assert process.wait(20) == 0
    assert b"fetching wayback" in seen
    assert b" of 5" in seen
    assert b"waiting" in seen


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
