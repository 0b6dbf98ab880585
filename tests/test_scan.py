"""`tta scan`: pages of the configured hosts out of whole WARC files, wherever those lie."""

import gzip
import re
from datetime import datetime
from pathlib import Path

import pytest

from parsers.urls import is_of_hosts, without_archive
from scraper.archive.store import Archive, Prepared, prepare
from scraper.archive.warc import record_bytes
from scraper.capture import Capture
from scraper.errors import WrongUsage
from scraper.folders import Folders
from scraper.scan import run as scanning
from scraper.scan.run import Piece, Scan, check_address, read_list, read_piece, scan
from scraper.workers.processes import Processes
from tests.commandkit import Ran, tta
from tests.containerkit import NUMBERS, ONE_BY_ONE
from tests.dbkit import day, html, node, page, revisit
from tests.fakearchive import faults
from tests.fakearchive.bucket import serve_range
from tests.fakearchive.run import write_config
from tests.fakearchive.server import FakeArchive

HOSTS = ("bjatta.bja.ojp.gov",)


def crawl(path: Path, *numbers: int, others: int = 5) -> list[Capture]:
    """A crawler's file: our pages, each after some of somebody else's. Returns ours."""
    ours: list[Capture] = []
    with path.open("wb") as file:
        for number in numbers:
            for other in range(others):
                stranger = page(b"<p>A page of somebody else's</p>" * 90, url=f"https://example.org/{other}", when=day(number))
                file.write(record_bytes(stranger, day(0)))
            ours.append(page(html({"County": f"County {number}"}), url=node(number), when=day(number)))
            file.write(record_bytes(ours[-1], day(0)))
    return ours


def ids(folder: Path) -> list[str]:
    with Archive(folder / "archive") as archive:
        return [entry.capture_id for entry in archive.entries()]


def scanned(data: Path, *addresses: object, workers: int = 1) -> Scan:
    return scan(data, [check_address(str(address), loopback=True) for address in addresses], HOSTS, "files", Processes(workers))


def test_only_the_hosts_pages_are_taken_and_a_file_is_read_once(tmp_path: Path) -> None:
    ours = crawl(tmp_path / "one.warc.gz", 1, 2)
    more = crawl(tmp_path / "two.warc.gz", 2, 3)
    first = scanned(tmp_path / "data", tmp_path / "one.warc.gz")
    assert (first.files, first.added, first.problems) == (1, 2, [])
    second = scanned(tmp_path / "data", tmp_path / "one.warc.gz", tmp_path / "two.warc.gz", tmp_path / "two.warc.gz")
    assert (second.files, second.known_files, second.added, second.known) == (1, 1, 1, 1)
    assert ids(tmp_path / "data") == [capture.capture_id for capture in (*ours, more[1])]
    with Archive(tmp_path / "data" / "archive") as archive:
        (entry,) = archive.entries("capture_id = ?", (ours[1].capture_id,))
        stored = archive.read(entry)
    assert stored.payload == ours[1].payload
    assert re.fullmatch(r".*/one\.warc\.gz at \d+", stored.origin or ""), "every capture says which file it was found in"


@pytest.mark.usefixtures("forked")
def test_any_crew_makes_the_same_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / f"{name}.warc.gz" for name in "abcd"]
    for number, file in enumerate(files):
        crawl(file, *range(number * 10, number * 10 + 8))
    for workers in (1, 2):
        scanned(tmp_path / str(workers), *files, workers=workers)
    one, two = (tmp_path / name / "archive" / "tta-000001.warc.gz" for name in "12")
    assert one.read_bytes() == two.read_bytes()
    monkeypatch.setattr(scanning, "FOUND_BYTES", 1)
    scanned(tmp_path / "parts", *files)
    assert sorted(ids(tmp_path / "parts")) == sorted(ids(tmp_path / "1")), "a file read in parts gives what it gives in one go"


def test_damage_is_named_and_the_rest_is_found(tmp_path: Path) -> None:
    path = tmp_path / "one.warc.gz"
    ours = crawl(path, 1, 2, 3)
    data = bytearray(path.read_bytes())
    at = len(data) // 2
    data[at : at + 40] = b"\xff" * 40
    path.write_bytes(data)
    done = scanned(tmp_path / "data", path, tmp_path / "missing.warc.gz")
    assert {ours[0].capture_id, ours[2].capture_id} <= set(ids(tmp_path / "data"))
    assert {problem.partition(": ")[2][:8] for problem in done.problems} == {"at byte ", "can't be"}
    assert (done.files, done.failed) == (1, 1)


def test_a_revisit_of_our_page_is_kept_as_one(tmp_path: Path) -> None:
    original = page(html({"County": "A"}), url=node(1), when=day(0))
    again = revisit(original, day(3))
    (tmp_path / "one.warc.gz").write_bytes(record_bytes(original, day(0)) + record_bytes(again, day(0)))
    scanned(tmp_path / "data", tmp_path / "one.warc.gz")
    assert ids(tmp_path / "data") == [original.capture_id, again.capture_id]


def test_over_http_and_a_broken_connection_is_not_taken_for_the_end(fake: FakeArchive, tmp_path: Path) -> None:
    def run() -> Ran:
        return tta("--data", tmp_path / "data", "--config", config, "scan", *arguments)

    ours = crawl(tmp_path / "one.warc.gz", 1, 2)
    data = (tmp_path / "one.warc.gz").read_bytes()
    config = write_config(tmp_path / "tta.toml", "http://127.0.0.1:9")
    (tmp_path / "paths.gz").write_bytes(gzip.compress(b"crawl/one.warc.gz\ncrawl/none.warc.gz\n"))
    arguments = ("--list", str(tmp_path / "paths.gz"), "--prefix", f"{fake.url}/", "--workers", "1")
    head = b"HTTP/1.1 206 Partial Content\r\nAccept-Ranges: bytes\r\nContent-Range: bytes 0-%d/%d\r\nContent-Length: %d\r\n\r\n"
    whole = len(data) - 1, len(data), len(data)
    fake.files["/crawl/one.warc.gz"] = faults.raw(head % whole + data[: len(data) // 2])
    ran = run()
    assert (ran.status, ran.err.count("can't be read")) == (4, 2), ran.err
    fake.files["/crawl/one.warc.gz"] = lambda handler: serve_range(handler, data)
    ran = run()
    assert (ran.status, ran.err.count("\n"), "none.warc.gz" in ran.err) == (4, 1, True), ran.err
    assert ids(tmp_path / "data") == [capture.capture_id for capture in ours]
    assert "(1 read before)" in run().out


REFUSED = """ftp://example.org/a.warc.gz file:///etc/passwd http://example.org/a.warc.gz http://127.0.0.1/a.warc.gz memory://a
    https://me:secret@example.org/a.warc.gz zip://a::https://example.org/b.zip s3://bucket/key?versionId=1 https://[::1/a""".split()


@pytest.mark.parametrize("address", [*REFUSED, "https://example.org/a b"])
def test_other_addresses_are_refused_without_a_secret_in_the_line(address: str) -> None:
    with pytest.raises(WrongUsage) as refused:
        check_address(address)
    assert "secret" not in str(refused.value)


def test_a_list_can_only_name_what_lies_below_its_prefix() -> None:
    good = ["crawl-data/EOT-2024/segments/1/warc/a.warc.gz\n", "\n"]
    assert list(read_list(iter(good), "s3://eotarchive/")) == ["s3://eotarchive/crawl-data/EOT-2024/segments/1/warc/a.warc.gz"]
    for bad in ("../a", "https://example.org/a", "/a", "a::b", "a?b", "a b"):
        with pytest.raises(WrongUsage):
            list(read_list(iter([bad]), "s3://eotarchive/"))


OURS = "https://bjatta.bja.ojp.gov/node/1 http://RP.bjatta.bja.ojp.gov:80/ https://bjatta.bja.ojp.gov./node/1".split()
OTHERS = """https://notbjatta.bja.ojp.gov/ https://bjatta.bja.ojp.gov.example.org/ https://example.org/bjatta.bja.ojp.gov
    dns:bjatta.bja.ojp.gov https://[broken""".split()


@pytest.mark.parametrize("url", OURS + OTHERS)
def test_whose_page_it_is(url: str) -> None:
    assert is_of_hosts(without_archive(url), HOSTS) is (url in OURS)


def test_nothing_a_file_holds_ends_the_scan(tmp_path: Path) -> None:
    cases = {
        b"": True,
        b"\x1f\x8b\x08" + b"\0" * 50: True,
        bytes(range(256)): True,
        b"WARC/1.0\r\nContent-Length: -5\r\n\r\n": False,
        b"<html>" * 99: False,
    }
    for number, (data, is_unknown) in enumerate(cases.items()):
        path = tmp_path / str(number)
        path.write_bytes(data)
        (found,) = read_piece(Piece(str(path), 0, HOSTS, "files"))
        assert (found.prepared, found.rest, found.failed) == ([], None, is_unknown)
    assert read_piece(Piece(str(tmp_path), 0, HOSTS, "files"))[0].failed
    assert Folders(tmp_path).archive.exists() is False


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("pack", ["arc", "wacz", "warc.zst with a dictionary", "tar.gz"])
def test_whatever_import_reads_is_scanned_in_parts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: str) -> None:
    (tmp_path / "crawl").write_bytes(ONE_BY_ONE[pack](*NUMBERS))
    monkeypatch.setattr(scanning, "FOUND_BYTES", 1)
    done = scanned(tmp_path / "data", tmp_path / "crawl")
    assert (done.added, done.known, done.problems) == (len(NUMBERS), 0, [])


def test_a_capture_that_can_not_be_kept_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def picky(capture: Capture, now: datetime) -> Prepared:
        if capture.url == node(2):
            raise ValueError("\x1b[31mwords of the page")
        return prepare(capture, now)

    monkeypatch.setattr(scanning, "prepare", picky)
    crawl(tmp_path / "crawl.warc.gz", 1, 2, 3)
    (found,) = read_piece(Piece(str(tmp_path / "crawl.warc.gz"), 0, HOSTS, "files"))
    assert ([one.entry.url for one in found.prepared], found.failed) == ([node(1), node(3)], False)
    assert len(found.problems) == 1 and "words" not in found.problems[0]
