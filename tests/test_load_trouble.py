"""What goes wrong while loading: pages that kill or hang the parser, damage, foreign files, full disks, and kill -9."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from scraper import reading as capture_reading
from scraper.archive.store import CATALOG
from scraper.capture import Capture
from scraper.database import build, parse_captures, parsed_pages
from scraper.database.load import LoadOptions, load
from scraper.errors import TtaError
from scraper.folders import Folders
from scraper.sqlite import remove
from scraper.workers import processes
from tests.commandkit import tta
from tests.dbkit import add, day, exports, html, loaded, node, one, page, query, sql
from tests.doctorkit import spoil

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
def hostile(monkeypatch: pytest.MonkeyPatch, forked: None) -> None:
    monkeypatch.setattr(capture_reading, "parse_page", deadly)
    monkeypatch.setattr(parse_captures, "PAGE_SECONDS", 0.5)


@pytest.mark.usefixtures("hostile")
def test_pages_that_kill_hang_or_break_the_parser_cost_only_themselves(tmp_path: Path) -> None:
    bad = [page(html({}, body=word), url=node(n), when=day(n)) for n, word in ((90, "KILL"), (91, "HANG"), (92, "RAISE"))]
    good = pages(*range(1, 80))
    folders = loaded(tmp_path, [*good[:40], *bad, *good[40:]], workers=2)
    assert one(folders, "SELECT count(*) FROM records") == len(good)
    unreadable = query(folders, "SELECT node_id, record_id FROM captures WHERE kind = 'unreadable' ORDER BY node_id")
    assert unreadable == [(90, None), (91, None), (92, None)]


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_page_that_hangs_is_given_up_with_the_same_reason_however_many_workers(tmp_path: Path, workers: int) -> None:
    folders = loaded(tmp_path, [page(html({}, body="HANG"), url=node(91)), *pages(1)], workers=workers)
    expected = [("record", None), ("unreadable", parse_captures.GIVEN_UP)]
    shown = "SELECT kind, nullif(reason, (SELECT reason FROM captures WHERE kind = 'record')) FROM captures ORDER BY kind"
    assert query(folders, shown) == expected


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
def test_a_record_that_ends_worker_processes_is_built_in_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_parent(captures: Any, rows: Any = build._record_rows) -> Any:
        return rows(captures) if captures[0].record_id != "5" or not multiprocessing.parent_process() else os._exit(1)

    monkeypatch.setattr(build, "_record_rows", in_parent)
    assert query(loaded(tmp_path, pages(*range(1, 9)), workers=2), "SELECT count(*), count(county) FROM records") == [(8, 8)]


@pytest.mark.usefixtures("hostile")
def test_after_a_load_that_died_pages_are_read_in_processes_of_their_own(tmp_path: Path) -> None:
    folders = loaded(tmp_path, pages(1))
    state = tmp_path / parsed_pages.NAME, "SELECT parsing FROM state"
    assert sql(*state) == [(0,)]
    sql(state[0], "UPDATE state SET parsing = 1")
    add(folders, [page(html({}, body="KILL"), url=node(90))])
    load(folders)
    assert one(folders, "SELECT count(*) FROM captures WHERE kind = 'unreadable'") == 1
    assert sql(*state) == [(0,)]


@pytest.mark.usefixtures("forked")
def test_workers_that_never_start_are_not_blamed_on_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_serve", lambda _: os._exit(1))
    add(Folders(tmp_path), pages(1, 2))
    with pytest.raises(TtaError, match="worker processes"):
        load(Folders(tmp_path), LoadOptions(workers=2))


def test_damage_keeps_a_new_capture_out_until_it_is_mended(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    captures = pages(1, 2, 3)
    add(folders, captures)
    spoil(folders, 1)
    done = load(folders)
    assert (done.captures, len(done.unreadable)) == (2, 1)
    assert "tta-000001.warc.gz" in done.unreadable[0]
    assert one(folders, "SELECT count(*) FROM captures") == 2
    assert len(load(folders).unreadable) == 1


def test_bytes_that_only_the_load_meets_are_told(tmp_path: Path) -> None:
    folders = loaded(tmp_path, pages(1, 3))
    add(folders, pages(2))
    spoil(folders, 2)
    (folders.archive / CATALOG).unlink()
    (line,) = load(folders).unreadable
    assert "can't be read" in line
    assert one(folders, "SELECT count(*) FROM captures") == 2


@pytest.mark.parametrize("rebuild", [False, True])
def test_what_is_loaded_is_not_lost_to_damage(tmp_path: Path, rebuild: bool) -> None:
    captures = pages(1, 2)
    folders = loaded(tmp_path, captures)
    spoil(folders, 0)
    add(folders, pages(3))
    assert load(folders).records == 3  # a page that was parsed is not read again
    before = exports(folders)
    remove(tmp_path / parsed_pages.NAME)
    add(folders, pages(4))
    with pytest.raises(TtaError, match="restore it"):
        load(folders, LoadOptions(rebuild=rebuild))
    assert exports(folders) == before


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000), "tta doctor --repair"),
        (lambda path: path.write_text("not a database at all " * 50), "tta doctor --repair"),
        (lambda path: sql(path, "CREATE TABLE mine (a)", "INSERT INTO mine VALUES (1)"), "move it away"),
        (lambda path: path.mkdir(), "tta.db"),
        (lambda path: None, "run `tta load`"),
        (lambda path: path.touch(), "run `tta load`"),
    ],
    ids=["damaged", "text", "foreign", "folder", "missing", "empty"],
)
def test_every_reader_says_what_is_wrong_with_the_database_in_a_line(tmp_path: Path, make: Any, says: str) -> None:
    make(tmp_path / "tta.db")
    ran = tta("--data", tmp_path, "export", "csv", tmp_path / "out")
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1), ran.err
    assert says in ran.err
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
    sql(folders.database, "CREATE TABLE records (a)", "INSERT INTO records VALUES (1)")
    before = folders.database.read_bytes()
    for option in ((), ("--rebuild",)):
        ran = tta("--data", tmp_path, "load", *option)
        assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert folders.database.read_bytes() == before
