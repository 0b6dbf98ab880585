"""However captures are cut into slices, and whoever parses them, each gets the verdict it gets alone, in its place.

A run that is asked to end does end, whatever its workers were at. A real dask scheduler and two worker processes on loopback make
the same database as the processes of this machine, whatever happens to a worker.
"""

import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.urls import node_id
from scraper import code_version, reading
from scraper.archive.store import Archive, Entry
from scraper.database import parse_captures
from scraper.database.load import LoadOptions, load
from scraper.database.parse_captures import ParsedCapture, parse_all, parse_capture, parse_slice, slice_of
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.scan.run import scan
from scraper.workers import processes
from scraper.workers.processes import Processes
from tests.clusterkit import HOSTILE, cluster_running
from tests.dbkit import add, day, exports, html, node, one, page, revisit, text
from tests.fakearchive.run import wait_for

SIZES = st.integers(1, 7)


class Sorts(NamedTuple):
    """A folder, its entries in order, and the verdict on each, read alone."""

    folder: Path
    entries: list[Entry]
    alone: list[ParsedCapture]


@pytest.fixture(scope="module")
def sorts(tmp_path_factory: pytest.TempPathFactory) -> Sorts:
    folder = tmp_path_factory.mktemp("archive")
    whole = page(html({"County": "A"}), url=node(1), when=day(0))
    captures = [
        whole,
        revisit(whole, day(1)),
        *[page(html({"County": f"B {n}", "Padding": "x" * n * 800}), url=node(2 + n % 3), when=day(n)) for n in range(12)],
        page(b"", url=node(9), when=day(2), http_status=302, http_headers=(("Location", "/node/1"),)),
        revisit(page(b"elsewhere", url=node(9), when=day(1)), day(4)),
        text("no record", url=node(8)),
        page(b"\x89PNG", url=node(9), when=day(2), content_type="image/png"),
    ]
    with Archive(folder, writable=True) as archive:
        for capture in captures:
            archive.add(capture)
        entries = list(archive.entries())
        alone = [
            ParsedCapture(entry.capture_id, "revisit", "the archive holds no body of its own for it", node_id(entry.url))
            if entry.warc_type == "revisit"
            else parse_capture(archive.read(entry), entry.capture_id)
            for entry in entries
        ]
    return Sorts(folder, entries, alone)


@settings(max_examples=60)
@given(st.sets(st.integers(0, 17), min_size=1), SIZES, st.integers(1, 9000), st.sampled_from([0, 300, 100_000]))
def test_any_cut_into_stretches_gives_each_capture_its_own_verdict(
    sorts: Sorts, chosen: set[int], many: int, size: int, gap: int
) -> None:
    with patch.multiple(parse_captures, SLICE_CAPTURES=many, SLICE_BYTES=size, GAP_BYTES=gap):
        found = list(parse_all(sorts.folder, [sorts.entries[at] for at in sorted(chosen)], None))
    assert found == [(sorts.entries[at], sorts.alone[at]) for at in sorted(chosen)]


def test_processes_keep_the_order(sorts: Sorts) -> None:
    with patch.multiple(parse_captures, SLICE_CAPTURES=2):
        assert list(parse_all(sorts.folder, sorts.entries, Processes(2))) == list(zip(sorts.entries, sorts.alone, strict=True))


def test_the_parts_of_a_stretch_give_what_it_gives(sorts: Sorts) -> None:
    whole = slice_of(sorts.folder, sorts.entries)
    assert [verdict for part in whole.split() for verdict in parse_slice(part, alone=False)] == sorts.alone
    assert [verdict.capture_id for verdict in whole.give_up()] == [entry.capture_id for entry in sorts.entries]


def test_a_file_that_is_gone_or_short_is_damage_of_its_captures_alone(sorts: Sorts, tmp_path: Path) -> None:
    name, cut = sorts.entries[0].warc_file, sorts.entries[10].warc_offset + 20
    (tmp_path / name).write_bytes((sorts.folder / name).read_bytes()[:cut])
    found = [verdict for _, verdict in parse_all(tmp_path, sorts.entries, None)]
    assert found[:10] == sorts.alone[:10]
    assert all(verdict.damage or verdict.kind == "revisit" for verdict in found[10:])
    (tmp_path / name).unlink()
    (_, gone), *_ = parse_all(tmp_path, sorts.entries, None)
    assert "No such file" in (gone.damage or "")


_RUN = """
import sys
from pathlib import Path
from scraper.workers.processes import Processes
from scraper.errors import Stopped
from tests.poolkit import SENDS_MUCH

def check():
    if Path(sys.argv[1], "stop").exists():
        raise Stopped

try:
    print(len(list(Processes(1, check).run(SENDS_MUCH, [sys.argv[1]]))))
except Stopped:
    print("stopped")
"""


def test_a_run_ends_though_a_worker_died_while_it_sent_its_results(tmp_path: Path) -> None:
    """The parent is held while the worker sends, so that it gets the beginning of the results and never the rest."""
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as process:
        try:
            wait_for(lambda: (tmp_path / "worker").exists() and (tmp_path / "worker").read_text() != "")
            process.send_signal(signal.SIGSTOP)
            (tmp_path / "go").touch()
            time.sleep(0.5)
            os.kill(int((tmp_path / "worker").read_text()), signal.SIGKILL)
            (tmp_path / "stop").touch()
            process.send_signal(signal.SIGCONT)
            assert process.communicate(timeout=15)[0] == "stopped\n"
        finally:
            process.kill()
    assert process.returncode == 0


COUNT = 400


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch, forked: None) -> None:
    """The parser that the cluster's workers have, in processes of this machine as well."""
    hostile = types.ModuleType("hostile_preload")
    monkeypatch.setattr(reading, "parse_page", reading.parse_page)
    exec(HOSTILE, hostile.__dict__)
    monkeypatch.setitem(sys.modules, "hostile_preload", hostile)


@pytest.mark.usefixtures("deadly")
def test_a_cluster_gives_the_same_bytes_though_workers_die(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse_captures, "SLICE_CAPTURES", 16)
    captures = [page(html({"County": f"County {n}"}), url=node(n % 300), when=day(n)) for n in range(COUNT)]
    captures.insert(COUNT // 2, page(html({}, body="KILL"), url=node(999), when=day(1)))
    here, there = Folders(tmp_path / "here"), Folders(tmp_path / "there")
    for folders in (here, there):
        add(folders, captures)
    load(here, LoadOptions(workers=2))
    with cluster_running(tmp_path) as running:

        def kill_one(done: int, total: int) -> None:
            if done == 50 and running.workers[0].poll() is None:
                running.workers[0].kill()

        load(there, LoadOptions(scheduler=running.address, progress=kill_one))
        assert running.workers[0].wait(10) != 0
        assert exports(there) == exports(here)
        assert one(there, "SELECT node_id FROM captures WHERE kind = 'unreadable'") == 999

        files = [str(here.archive / "tta-000001.warc.gz"), str(there.archive / "tta-000001.warc.gz")]
        scan(tmp_path / "local", files, ("bjatta.bja.ojp.gov",), "files", processes.Processes(2))
        with processes.cluster(running.address) as many:
            scan(tmp_path / "remote", files, ("bjatta.bja.ojp.gov",), "files", many)
        local, remote = (tmp_path / name / "archive" / "tta-000001.warc.gz" for name in ("local", "remote"))
        assert local.read_bytes() == remote.read_bytes()

        monkeypatch.setattr(code_version, "loading_code", lambda: "another")
        before = there.database.read_bytes()
        with pytest.raises(TtaError, match="another version"):
            load(there, LoadOptions(rebuild=True, scheduler=running.address))
        assert there.database.read_bytes() == before


def test_a_worker_refuses_work_of_another_version() -> None:
    with pytest.raises(TtaError, match="another version"):
        processes._run_on_cluster("older", parse_captures.JOB, None)


def test_no_scheduler_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "CONNECT_SECONDS", 0.2)
    add(Folders(tmp_path), [page(html({}), url=node(1), when=day(0))])
    for address in ("tcp://127.0.0.1:9", "nothing at all"):
        with pytest.raises(TtaError, match="no dask scheduler"):
            load(Folders(tmp_path), LoadOptions(scheduler=address))
    assert not Folders(tmp_path).database.exists() or Folders(tmp_path).database.stat().st_size == 0
