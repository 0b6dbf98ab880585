"""A real dask scheduler and two worker processes on loopback: the same database as without them, whatever happens to a worker."""

import multiprocessing
import sys
import types
from pathlib import Path

import pytest

from scraper import code_version, reading
from scraper.database import parse_captures
from scraper.database.load import LoadOptions, load
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.scan.run import scan
from scraper.workers import processes
from tests.clusterkit import HOSTILE, cluster_running
from tests.dbkit import add, day, exports, html, node, one, page

COUNT = 400


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser that the cluster's workers have, in processes of this machine as well."""
    hostile = types.ModuleType("hostile_preload")
    monkeypatch.setattr(reading, "parse_page", reading.parse_page)
    exec(HOSTILE, hostile.__dict__)
    monkeypatch.setitem(sys.modules, "hostile_preload", hostile)
    monkeypatch.setattr(processes, "_process_context", lambda _: multiprocessing.get_context("fork"))


@pytest.mark.usefixtures("deadly")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
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
