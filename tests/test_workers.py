"""However captures are cut into slices, and whoever parses them, each gets the verdict it gets alone, in its place.

A run that is asked to end does end, whatever its workers were at.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.urls import node_id
from scraper.archive.store import Archive, Entry
from scraper.database import parse_captures
from scraper.database.parse_captures import ParsedCapture, parse_all, parse_capture, parse_slice, slice_of
from scraper.workers.processes import Processes
from tests.dbkit import day, html, node, page, revisit, text
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


@settings(max_examples=60, deadline=None)
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
