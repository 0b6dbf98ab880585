"""What goes wrong while loading: pages that kill or hang the parser, damage, foreign files, full disks, and kill -9."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scraper import reading as capture_reading
from scraper.archive.store import CATALOG
from scraper.capture import Capture
from scraper.database import parse_captures, parsed_pages
from scraper.database.connection import reading
from scraper.database.load import LoadOptions, load
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.sqlite import remove
from scraper.workers import processes
from tests.dbkit import add, day, exports, html, loaded, node, one, page, query

TTA = Path(sys.executable).with_name("tta")
parse_page = capture_reading.parse_page


def pages(*numbers: int, county: str = "A") -> list[Capture]:
    return [page(html({"County": f"{county} {n}"}), url=node(n), when=day(n)) for n in numbers]


def deadly(content: bytes, **more: Any) -> Any:
    """The parser, with pages that are too much for it."""
    if b"KILL" in content:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"HANG" in content:
        time.sleep(60)
    if b"RAISE" in content:
        raise RecursionError
    if b"HUGE" in content:
        raise MemoryError
    return parse_page(content, **more)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_reading, "parse_page", deadly)
    monkeypatch.setattr(parse_captures, "PAGE_SECONDS", 0.5)
    monkeypatch.setattr(processes, "_context", lambda _: multiprocessing.get_context("fork"))


@pytest.mark.usefixtures("hostile")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_pages_that_kill_hang_or_break_the_parser_cost_only_themselves(tmp_path: Path) -> None:
    bad = [page(html({}, body=word), url=node(n), when=day(n)) for n, word in ((90, "KILL"), (91, "HANG"), (92, "RAISE"))]
    good = pages(*range(1, 80))
    folders = loaded(tmp_path, [*good[:40], *bad, *good[40:]], workers=2)
    assert one(folders, "SELECT count(*) FROM records") == len(good)
    unreadable = query(folders, "SELECT node_id, record_id FROM captures WHERE kind = 'unreadable' ORDER BY node_id")
    assert unreadable == [(90, None), (91, None), (92, None)]


@pytest.mark.usefixtures("hostile")
def test_a_page_that_hangs_in_this_process_is_given_up(tmp_path: Path) -> None:
    folders = loaded(tmp_path, [page(html({}, body="HANG"), url=node(91)), *pages(1)])
    assert query(folders, "SELECT kind FROM captures ORDER BY kind") == [("record",), ("unreadable",)]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_page_that_this_machine_has_no_room_for_waits_for_a_larger_one(
    tmp_path: Path, workers: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue("hostile")
    huge = page(html({}, body="HUGE"), url=node(90), when=day(90))
    folders = Folders(tmp_path)
    add(folders, [*pages(1, 2), huge, *pages(3)])
    done = load(folders, LoadOptions(workers=workers))
    assert (done.captures, len(done.unreadable)) == (3, 1)
    assert "memory" in done.unreadable[0]
    monkeypatch.undo()
    assert (load(folders, LoadOptions(workers=1)).captures, one(folders, "SELECT count(*) FROM records")) == (1, 4)


@pytest.mark.usefixtures("hostile")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("word", ["HUGE", "HANG", "KILL"])
def test_what_was_read_before_is_not_unsaid_by_a_machine_at_its_end(
    tmp_path: Path, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(capture_reading, "parse_page", parse_page)
        folders = loaded(tmp_path, [page(html({}, body=word), url=node(1), when=day(1)), *pages(2)])
    before = query(folders, "SELECT * FROM records")
    remove(tmp_path / parsed_pages.NAME)
    add(folders, pages(3))
    with pytest.raises(TtaError, match="memory" if word == "HUGE" else "read before"):
        load(folders, LoadOptions(workers=2))
    assert query(folders, "SELECT * FROM records") == before


@pytest.mark.usefixtures("hostile")
def test_the_verdict_on_a_page_that_hangs_is_the_same_however_many_workers(tmp_path: Path) -> None:
    reasons = set()
    for workers in (1, 2):
        folders = loaded(tmp_path / str(workers), [page(html({}, body="HANG"), url=node(91)), *pages(1)], workers=workers)
        reasons.add(one(folders, "SELECT reason FROM captures WHERE kind = 'unreadable'"))
    assert len(reasons) == 1


@pytest.mark.usefixtures("hostile")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_load_that_died_pages_are_read_in_processes_of_their_own(tmp_path: Path) -> None:
    folders = loaded(tmp_path, pages(1))
    state = "SELECT parsing FROM state"
    with closing(sqlite3.connect(tmp_path / parsed_pages.NAME, isolation_level=None)) as db:
        assert db.execute(state).fetchone() == (0,)
        db.execute("UPDATE state SET parsing = 1")
        add(folders, [page(html({}, body="KILL"), url=node(90))])
        load(folders)
        assert one(folders, "SELECT count(*) FROM captures WHERE kind = 'unreadable'") == 1
        assert db.execute(state).fetchone() == (0,)


def test_workers_that_never_start_are_not_blamed_on_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_context", lambda _: multiprocessing.get_context("fork"))
    monkeypatch.setattr(processes, "_serve", lambda _: os._exit(1))
    add(Folders(tmp_path), pages(1, 2))
    with pytest.raises(TtaError, match="worker processes"):
        load(Folders(tmp_path), LoadOptions(workers=2))


def damage(folders: Folders, capture: Capture) -> None:
    with sqlite3.connect(folders.archive / "catalog.db") as catalog:
        name, offset = catalog.execute(
            "SELECT warc_file, warc_offset FROM captures WHERE capture_id = ?", [capture.capture_id]
        ).fetchone()
    with (folders.archive / name).open("r+b") as file:
        file.seek(offset + 30)
        file.write(b"\xff" * 60)


def test_damage_keeps_a_new_capture_out_until_it_is_mended(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    captures = pages(1, 2, 3)
    add(folders, captures)
    damage(folders, captures[1])
    done = load(folders)
    assert (done.captures, len(done.unreadable)) == (2, 1)
    assert "tta-000001.warc.gz" in done.unreadable[0]
    assert one(folders, "SELECT count(*) FROM captures") == 2
    assert len(load(folders).unreadable) == 1


def test_bytes_that_only_the_load_meets_are_told(tmp_path: Path) -> None:
    folders = loaded(tmp_path, pages(1, 3))
    add(folders, pages(2))
    damage(folders, pages(2)[0])
    (folders.archive / CATALOG).unlink()
    (line,) = load(folders).unreadable
    assert "can't be read" in line
    assert one(folders, "SELECT count(*) FROM captures") == 2


@pytest.mark.parametrize("rebuild", [False, True])
def test_what_is_loaded_is_not_lost_to_damage(tmp_path: Path, rebuild: bool) -> None:
    captures = pages(1, 2)
    folders = loaded(tmp_path, captures)
    damage(folders, captures[0])
    add(folders, pages(3))
    assert load(folders).records == 3  # a page that was parsed is not read again
    before = exports(folders)
    remove(tmp_path / parsed_pages.NAME)
    add(folders, pages(4))
    with pytest.raises(TtaError, match="restore it"):
        load(folders, LoadOptions(rebuild=rebuild))
    assert exports(folders) == before


def tta(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [str(TTA), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000), "tta doctor --repair"),
        (lambda path: path.write_text("not a database at all " * 50), "tta doctor --repair"),
        (lambda path: sqlite3.connect(path).executescript("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)"), "move it away"),
        (lambda path: path.mkdir(), "tta.db"),
        (lambda path: None, "run `tta load`"),
        (lambda path: path.touch(), "run `tta load`"),
    ],
    ids=["damaged", "text", "foreign", "folder", "missing", "empty"],
)
def test_every_reader_says_what_is_wrong_with_the_database_in_a_line(tmp_path: Path, make: Any, says: str) -> None:
    make(tmp_path / "tta.db")
    done = tta("--data", tmp_path, "export", "csv", tmp_path / "out")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_unfinished_record_in_the_archive_is_no_error_of_the_load(tmp_path: Path) -> None:
    """The catalog's log is not empty then, and is not the load's to write back: it has the catalog for reading only."""
    folders = loaded(tmp_path, pages(1))
    add(folders, pages(2))
    with (folders.archive / "tta-000001.warc.gz").open("ab") as file:
        file.write(b"\x1f\x8b\x08")
    assert load(folders).records == 2


def test_a_foreign_database_is_not_written_to(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    add(folders, pages(1))
    with sqlite3.connect(folders.database) as db:
        db.executescript("CREATE TABLE records (a); INSERT INTO records VALUES (1)")
    before = folders.database.read_bytes()
    for option in ((), ("--rebuild",)):
        done = tta("--data", tmp_path, "load", *option)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert folders.database.read_bytes() == before


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path) -> None:
    folders = loaded(tmp_path, pages(1))
    before = exports(folders)
    add(folders, pages(*range(2, 400)))
    limit = folders.database.stat().st_size + 40_000
    done = tta("--data", tmp_path, "load", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert exports(folders) == before
    load(folders)
    assert one(folders, "SELECT count(*) FROM records") == 399


def test_a_reader_sees_one_state_while_a_load_commits(tmp_path: Path) -> None:
    folders = loaded(tmp_path, pages(1))
    with reading(folders.database) as db:
        assert db.execute("SELECT count(*) FROM records").fetchone() == (1,)
        add(folders, pages(2))
        load(folders, LoadOptions(rebuild=True))
        assert db.execute("SELECT count(*) FROM records").fetchone() == (1,)
    assert one(folders, "SELECT count(*) FROM records") == 2


def group_members(group: int) -> list[int]:
    """Processes of a process group, from /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(pgrp) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_kill_at_any_moment_leaves_the_old_state_or_the_new(tmp_path: Path) -> None:
    chance = random.Random(7)
    folders = loaded(tmp_path / "data", pages(*range(1, 60)))
    old = exports(folders)
    more = [page(html({"County": "new"}), url=node(n % 90 + 1), when=day(100 + n)) for n in range(250)]
    new = exports(loaded(tmp_path / "undisturbed", [*pages(*range(1, 60)), *more]))
    add(folders, more)
    began = time.monotonic()
    assert tta("--data", tmp_path / "undisturbed", "load", "--rebuild", "--workers", "2").returncode == 0
    whole = time.monotonic() - began
    for _ in range(5):
        command = [str(TTA), "--data", str(folders.data), "load", "--workers", "2"]
        with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            time.sleep(whole * chance.uniform(0.3, 1.0))
            run.kill()
        deadline = time.monotonic() + 10
        while group_members(run.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert group_members(run.pid) == []
        assert exports(folders) in (old, new)
    load(folders)
    assert exports(folders) == new
