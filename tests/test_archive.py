"""The archive keeps captures as they came, once, and loses nothing to crashes, full disks, loss of power and damaged bytes."""

import gzip
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from scraper.archive import store as archive_module
from scraper.archive.store import Archive, prepare
from scraper.archive.warc import read_parts
from scraper.capture import Capture, WarcType, utc_now
from scraper.errors import ArchiveDamaged
from tests import dbkit
from tests.dbkit import WHEN, day, html, lose_catalog, node, plain_page, revisit, text

WARC = "tta-000001.warc.gz"


def captures(*numbers: int) -> list[Capture]:
    return [dbkit.page(html({"County": f"County {n}"}), url=node(n), when=day(n)) for n in numbers]


def filled(folder: Path, *numbers: int) -> list[int]:
    """An archive of these pages; where each begins."""
    with Archive(folder, writable=True) as archive:
        for capture in captures(*numbers):
            archive.add(capture)
        return [entry.warc_offset for entry in archive.entries()]


def urls(folder: Path) -> list[str | None]:
    with Archive(folder) as archive:
        return [archive.read(entry).url for entry in archive.entries()]


def spoil(path: Path, offset: int, bytes_: bytes = b"\xff" * 40) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(bytes_)


@pytest.mark.parametrize(
    "capture",
    [
        plain_page(),
        plain_page(
            warc_type=WarcType.RESOURCE, http_status=None, http_reason="", http_headers=(), content_type="text/html", url=None
        ),
        plain_page(warc_type=WarcType.CONVERSION, http_status=None, http_reason="", http_headers=(), content_type="text/plain"),
        plain_page(when=None),
        plain_page(when=WHEN.replace(microsecond=123000)),
        plain_page(
            http_reason="Gefällt", http_headers=(("X-Ünder", "a; b=é \ufffd"), ("Location", "/straße?q=ü")), content_type=None
        ),
        plain_page(payload=bytes(range(256)) * 40, http_headers=(), content_type=None, origin="a b.html", truncated="length"),
        plain_page(url="http://x.example/\r\nWARC-Type: evil", http_headers=(("X", "a\r\nY: b"),), content_type=None),
    ],
    ids=["response", "resource without url", "text", "time unknown", "fraction", "not ascii", "binary", "header injection"],
)
def test_a_capture_reads_back_as_it_was_put_in(tmp_path: Path, capture: Capture) -> None:
    with Archive(tmp_path, writable=True) as archive:
        entry = archive.add(capture)
        assert entry is not None
        back = archive.read(entry)
    for name in ("warc_type", "source", "payload", "captured_at", "http_status", "content_type", "truncated", "origin", "sha256"):
        assert getattr(back, name) == getattr(capture, name), name
    if "evil" not in (capture.url or ""):
        assert (back.url, back.http_headers, back.capture_id) == (capture.url, capture.http_headers, capture.capture_id)
    else:
        assert "\r" not in str(back.url) + str(back.http_headers)


ENDLESS = b"\x00\xff\xff\x00\x00"
"""A deflate block of 64 KiB as it is: the file seems to end within the record that begins with it."""


@pytest.mark.parametrize(("where", "at", "damage"), [*((where, 30, b"\xff" * 40) for where in range(3)), (0, 10, ENDLESS)])
def test_a_record_gone_bad_costs_no_other_when_the_catalog_is_made_again(
    tmp_path: Path, where: int, at: int, damage: bytes
) -> None:
    places = filled(tmp_path, 1, 2, 3)
    spoil(tmp_path / WARC, places[where] + at, damage)
    before = (tmp_path / WARC).read_bytes()
    lose_catalog(tmp_path)
    with Archive(tmp_path, writable=True) as archive:
        assert any("can't be read" in line and str(places[where]) in line for line in archive.recovered)
        archive.add(captures(9)[0])
    assert (tmp_path / WARC).read_bytes().startswith(before)
    assert urls(tmp_path) == [*(node(n) for n in (1, 2, 3) if n != where + 1), node(9)]
    with Archive(tmp_path, writable=True) as archive:
        assert archive.recovered == []


@pytest.mark.parametrize("keep", [1, 100])
def test_what_is_cut_off_without_a_catalog_is_kept_beside(tmp_path: Path, keep: int) -> None:
    places = filled(tmp_path, 1, 2)
    path = tmp_path / WARC
    torn = path.read_bytes()[places[1] :][:keep]
    path.write_bytes(path.read_bytes()[: places[1]] + torn)
    lose_catalog(tmp_path)
    assert filled(tmp_path, 2) == places
    assert (tmp_path / f"{WARC}.cut-{places[1]}").read_bytes() == torn


@pytest.mark.parametrize("keep", [1, 11, -1])
def test_an_unfinished_record_is_removed_and_all_before_it_kept(tmp_path: Path, keep: int) -> None:
    places = filled(tmp_path, 1, 2)
    whole = (tmp_path / WARC).read_bytes()
    (tmp_path / WARC).write_bytes(whole + whole[places[1] :][:keep])
    with Archive(tmp_path, writable=True) as archive:
        assert (len(archive.recovered), (tmp_path / WARC).read_bytes()) == (1, whole)
        assert archive.add(captures(3)[0])
    assert urls(tmp_path) == [node(1), node(2), node(3)]


def test_bytes_that_were_never_written_before_a_loss_of_power_are_cut_off(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    whole = (tmp_path / WARC).read_bytes()
    (tmp_path / WARC).write_bytes(whole + bytes(5000))
    filled(tmp_path, 2)
    assert urls(tmp_path) == [node(1), node(2)]
    assert b"\0" * 100 not in (tmp_path / WARC).read_bytes()


def test_a_write_that_fails_half_way_leaves_no_half_record(tmp_path: Path) -> None:
    """The run may go on, and what it adds next must not follow half a record."""
    filled(tmp_path, 1)
    whole = (tmp_path / WARC).read_bytes()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Archive(tmp_path, writable=True) as archive:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 100, usual[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                archive.add(captures(2)[0])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        assert (tmp_path / WARC).read_bytes() == whole
        archive.add(captures(3)[0])
    assert urls(tmp_path) == [node(1), node(3)]


@pytest.mark.parametrize(
    ("lose", "problem"), [(Path.unlink, "missing"), (lambda path: os.truncate(path, 50), "\\d+ bytes shorter")]
)
def test_a_file_that_is_gone_or_short_is_an_error_that_names_it(
    tmp_path: Path, lose: Callable[[Path], None], problem: str
) -> None:
    filled(tmp_path, 1)
    lose(tmp_path / WARC)
    with pytest.raises(ArchiveDamaged, match=f"{WARC} is {problem}"):
        Archive(tmp_path, writable=True)


def test_the_catalog_made_again_is_the_catalog_as_it_was_written(tmp_path: Path) -> None:
    first = captures(1)[0]
    odd = [
        dbkit.page(b"x", url="https://bjatta.bja.ojp.gov/a\x01b\tc", when=day(2)),
        dbkit.page(b"\xff\x00" * 300, url=None, when=None, http_headers=(("X-\u00dc", "\ud800"),), http_reason="\x07"),
        dbkit.page(b"", url=node(4), when=day(4).replace(microsecond=5), http_status=None, payload_digest="sha1:AAAA"),
        text("words", url=node(5)),
        *(revisit(first, day(6 + place), by=by) for place, by in enumerate(("record", "place", "digest", "nothing"))),
    ]
    with Archive(tmp_path, writable=True) as archive:
        for capture in [first, *odd]:
            assert archive.add(capture)
            assert archive.add(capture) is None
        entries = list(archive.entries())
    lose_catalog(tmp_path)
    with Archive(tmp_path, writable=True) as archive:
        assert list(archive.entries()) == entries
        assert [archive.add(capture) for capture in [first, *odd]] == [None] * (1 + len(odd))


def test_bytes_are_durable_before_the_catalog_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, then folder, then catalog: the order is what a loss of power tries."""
    log: list[str] = []
    monkeypatch.setattr(archive_module, "sync", lambda path: log.append(path.name))
    with Archive(tmp_path / "archive", writable=True) as archive:
        archive._catalog.set_trace_callback(lambda sql: log.append("commit") if sql == "COMMIT" else None)
        for number in (1, 2):
            archive.add(captures(number)[0])
            archive.flush()
    assert log[:7] == [tmp_path.name, WARC, "archive", "commit", WARC, "commit", WARC]


def test_damage_is_stepped_over_as_far_as_the_record_was_known_to_go(tmp_path: Path) -> None:
    """A page may hold whole gzip members of its own: found by searching, they would pass for records of the archive."""
    forged = prepare(captures(99)[0], utc_now()).member
    body = os.urandom(40_000) + forged + os.urandom(40_000)
    with Archive(tmp_path, writable=True) as archive:
        archive.add(dbkit.page(body, url=node(1), when=day(1)))
        second = archive.add(captures(2)[0])
    assert second
    path = tmp_path / WARC
    assert forged in path.read_bytes()
    spoil(path, 30)
    searched = [bool(part.damage) for part in read_parts(path)]
    told = [bool(part.damage) for part in read_parts(path, length_at=lambda offset: second.warc_offset - offset)]
    assert (searched, told) == ([True, False, True, False], [True, False])


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"\x1f\x8b\x08" * 3000,
        lambda: b"no gzip at all" * 100,
        lambda: b"\x1f\x8b\x08\x08" + b"a" * 5000,
        lambda: gzip.compress(bytes(80_000_000)),
    ],
    ids=["starts only", "text", "endless name", "bomb"],
)
def test_a_file_of_anything_is_walked_to_its_end(tmp_path: Path, make: Callable[[], bytes]) -> None:
    path = tmp_path / "any.warc.gz"
    path.write_bytes(make())
    found = list(read_parts(path))
    assert all(part.damage for part in found)
    assert sum(part.length for part in found) == path.stat().st_size


def test_an_import_without_room_says_so_in_a_line_and_goes_on_when_there_is_some(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    for n in range(100):
        page = html({"County": f"{n}"}, body=os.urandom(300).hex(), title=f"20250129-145639-{n % 90 + 10}")
        (tmp_path / "pages" / f"{n}.html").write_bytes(page)
    command = [Path(sys.executable).with_name("tta"), "--data", tmp_path / "data", "import", tmp_path / "pages"]
    no_room = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (20_000, 20_000))
    full = subprocess.run(command, check=False, capture_output=True, text=True, preexec_fn=no_room)
    assert (full.returncode, full.stderr.count("\n")) == (1, 1), full.stderr
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    with Archive(tmp_path / "data" / "archive") as archive:
        assert len({archive.read(entry).capture_id for entry in archive.entries()}) == 100
