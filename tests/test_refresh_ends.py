"""How a refresh ends before its time: by a signal in each phase, by its deadline, by kill -9, and who comes after it.

And what is in its way: damage, no room, no right to write. One line, the right status, yesterday's data in place.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scraper.folders import Folders
from tests.dbkit import add, day, exports, html, loaded, node, page, query
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, Ran, captures, finished, run, start, wait_for, write_config
from tests.fakearchive.server import FakeArchive

ROOT = Path(__file__).parents[1]
AT = "20240101000000"
SOON = 8
"""Seconds; a second on a machine that has nothing else to do."""
SLOW = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3000000000) SELECT count(*) FROM c"
POINTS = {"writing": ("scraper.database.load", "build"), "checks": ("scraper.refresh.run", "check_all")}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Yesterday's data: one record, loaded."""
    return loaded(tmp_path / "data", [page(html({"County": "Yesterday"}), url=node(1), when=day(0))])


def many(folders: Folders) -> None:
    """Enough pages to be busy with for seconds, in two processes."""
    body = "Help for a county, in many words. " * 20_000
    add(folders, [page(html({"County": f"C{n}"}, body=body), url=node(n), when=day(n % 99)) for n in range(2, 102)])


def slowed(folders: Folders, config: Path, phase: str, *arguments: str) -> subprocess.Popen[str]:
    """`tta refresh` in a session of its own, in which a phase prints a line when it begins and then takes minutes of SQL."""
    module, name = POINTS[phase]
    program = (
        f"import sys, {module} as m\nusual = m.{name}\ndef slow(first, *more):\n"
        f" print('here', file=sys.stderr, flush=True)\n getattr(first, 'db', first).execute('{SLOW}').fetchone()\n"
        f" return usual(first, *more)\nm.{name} = slow\nfrom scraper.cli import main\nmain()"
    )
    process = started(folders, program, "--config", str(config), "refresh", *arguments)
    assert process.stderr is not None
    assert process.stderr.readline() == "here\n"
    return process


def started(folders: Folders, program: str, *arguments: str) -> subprocess.Popen[str]:
    """A program in a session of its own."""
    command = [sys.executable, "-c", program, "--data", str(folders.data), *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, cwd=ROOT, start_new_session=True)


def in_session(session: int) -> Iterator[int]:
    """The processes of a session that have not ended."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] not in "ZX":
                yield int(entry.name)


def check_stopped(folders: Folders, before: dict[str, bytes], process: subprocess.Popen[str], began: float, phase: str) -> None:
    out, err = process.communicate(timeout=30)
    assert time.monotonic() - began < SOON, (out, err)
    assert (process.returncode, "Traceback" in err) == (4, False), (out, err)
    wait_for(lambda: not list(in_session(process.pid)), 3)
    assert exports(folders) == before
    assert query(folders, "SELECT outcome, status, phase FROM runs ORDER BY run_id DESC LIMIT 1") == [("stopped", 4, phase)]


@pytest.mark.parametrize(("number", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_signal_ends_parsing_in_processes_and_the_processes(
    folders: Folders, offline: Path, number: signal.Signals, group: bool
) -> None:
    """Ctrl-C and systemd send the signal to every process of the run, `kill` to one."""
    before = exports(folders)
    many(folders)
    process = started(folders, "from scraper.cli import main; main()", "--config", str(offline), "refresh", "--workers", "2")
    wait_for(lambda: len(list(in_session(process.pid))) >= 5)  # itself, fork server, resource tracker, two workers
    time.sleep(0.2)
    began = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, number)
    check_stopped(folders, before, process, began, "load")


@pytest.mark.parametrize(("phase", "number"), [("writing", signal.SIGTERM), ("checks", signal.SIGINT)])
def test_a_signal_ends_long_statements(folders: Folders, offline: Path, phase: str, number: signal.Signals) -> None:
    before = exports(folders)
    add(folders, [page(html({}), url=node(2), when=day(0))])
    process = slowed(folders, offline, phase)
    began = time.monotonic()
    process.send_signal(number)
    check_stopped(folders, before, process, began, {"writing": "load"}.get(phase, phase))
    assert run(folders.data, offline, command="refresh").report["records"] == 2


def test_a_signal_while_fetching_keeps_what_came_and_loads_nothing(fake: FakeArchive, folders: Folders, tmp_path: Path) -> None:
    before = exports(folders)
    kept = [fake.add(f"https://{HOST}/node/{n}", AT, html({}, node=n)) for n in range(2, 8)]
    fake.fault(kept[2], faults.hangs(30))
    config = write_config(tmp_path / "tta.toml", fake.url, retry__deadline=60.0)
    process = start(folders.data, config, command="refresh")
    wait_for(lambda: len(fake.arrivals) == 4)
    time.sleep(0.1)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    ran = finished(process)
    assert time.monotonic() - began < SOON
    assert (ran.status, ran.report["outcome"], ran.report["phase"], ran.report["fetched"]) == (4, "stopped", "fetch", 2), ran.err
    assert exports(folders) == before
    fake.on_replay.clear()
    assert run(folders.data, config, command="refresh").report["records"] == 7


def test_when_time_for_fetching_is_up_what_came_is_loaded(fake: FakeArchive, folders: Folders, tmp_path: Path) -> None:
    for n in range(2, 62):
        fake.add(f"https://{HOST}/node/{n}", AT, html({}, node=n))
    config = write_config(tmp_path / "tta.toml", fake.url, sources__wayback__replay_interval=0.2, refresh__reserve=60.0)
    ran = run(folders.data, config, "--deadline", "3", command="refresh")
    assert ran.report["seconds"] < 3
    assert (ran.status, ran.report["outcome"]) == (4, "committed"), ran.err
    assert 3 < ran.report["records"] < 20
    assert "the time for fetching was up" in ran.err


def test_when_all_time_is_up_nothing_is_changed(folders: Folders, offline: Path) -> None:
    before = exports(folders)
    add(folders, [page(html({}), url=node(2), when=day(0))])
    process = slowed(folders, offline, "checks", "--deadline", "3")
    check_stopped(folders, before, process, time.monotonic(), "checks")
    assert query(folders, "SELECT message FROM runs")[0][0].startswith("its time was up")


def test_a_killed_run_is_recorded_by_the_next_which_takes_its_lock(folders: Folders, offline: Path) -> None:
    before = exports(folders)
    add(folders, [page(html({}), url=node(2), when=day(0))])
    process = slowed(folders, offline, "checks")
    second = run(folders.data, offline, command="refresh")
    assert (second.status, f"`tta refresh`, process {process.pid}" in second.err) == (1, True), second.err
    process.kill()
    process.communicate()
    assert exports(folders) == before
    assert run(folders.data, offline, command="refresh").report["records"] == 2
    assert query(folders, "SELECT run_id, outcome, status FROM runs ORDER BY run_id") == [(1, "died", None), (2, "committed", 0)]
    assert run(folders.data, offline, command="refresh").status == 0
    assert query(folders, "SELECT count(*) FROM runs") == [(3,)]


PLAIN_ROOT = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
"""Root may write everywhere; without these capabilities it may write where the folder's rights say so."""


def refreshed(folders: Folders, config: Path, *under: str) -> Ran:
    """`tta refresh` in a process of its own, under a program that takes rights or room from it."""
    command = [*under, sys.executable, "-c", "from scraper.cli import main; main()", "--data", folders.data, "--config", config]
    done = subprocess.run([*command, "refresh"], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


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
    ran = refreshed(folders, config, "prlimit", "--fsize=900000")
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
        ran = refreshed(folders, offline, *PLAIN_ROOT)
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
