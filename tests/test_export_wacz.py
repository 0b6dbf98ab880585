"""A WACZ holds the captures as they are, and the programs that read WACZ find them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from warcio.archiveiterator import ArchiveIterator

from scraper.database.load import LoadOptions, load
from scraper.export.selection import Selection
from scraper.export.wacz import surt
from scraper.folders import Folders
from scraper.sources.files import import_paths
from tests.commandkit import tta
from tests.dbkit import day, exported, html, loaded, node, page, query, revisit
from tests.fakearchive.pywb import pywb


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Two records; one has a revisit and is gone later, the other is also captured at an unknown time and as its text."""
    first = page(html({"County": "Kings"}), url=node(1), when=day(0))
    gone = page(b"<title>Not found</title>", url=node(1), when=day(9), http_status=404)
    second = page(html({"County": "Queens"}, title="Zwölf"), url=node(2), when=day(3))
    undated = page(html({"County": "Bronx"}), url=node(2), when=None)
    return loaded(tmp_path_factory.mktemp("wacz") / "data", [first, revisit(first, day(2)), gone, second, undated])


def made(folders: Folders, path: Path, selection: Selection | None = None) -> tuple[zipfile.ZipFile, dict[str, int]]:
    counts = exported("wacz", folders, path, selection)
    return zipfile.ZipFile(path), counts


def index(package: zipfile.ZipFile) -> list[tuple[str, dict[str, Any]]]:
    lines = package.read("indexes/index.cdx").decode().splitlines()
    return [(line.partition(" {")[0], json.loads("{" + line.partition(" {")[2])) for line in lines]


def test_wacz_validate_accepts_it(folders: Folders, tmp_path: Path) -> None:
    made(folders, tmp_path / "a.wacz")
    command = [str(Path(sys.executable).with_name("wacz")), "validate", "-f", str(tmp_path / "a.wacz")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "is valid" in done.stdout and done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("is_large", [False, True])
def test_contents_begin_where_replayweb_looks_for_them(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    """It goes by the central directory, where a member has no extra field; also for a small part of a large archive."""
    archived = sum(path.stat().st_size for path in folders.archive.glob("*.warc.gz"))
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", archived if is_large else zipfile.ZIP64_LIMIT)
    package, _ = made(folders, tmp_path / "a.wacz", Selection(where="node_id = 2"))
    content = (tmp_path / "a.wacz").read_bytes()
    for member in package.infolist()[: 1 if is_large else None]:
        extra = int.from_bytes(content[member.header_offset + 28 : member.header_offset + 30], "little")
        assert (member.filename, extra) == (member.filename, len(member.extra))


def test_the_index_leads_to_each_capture_as_another_indexer_finds_it(folders: Folders, tmp_path: Path) -> None:
    from cdxj_indexer.main import CDXJIndexer  # takes half a second

    package, counts = made(folders, tmp_path / "a.wacz")
    assert counts == {"captures": 5, "pages": 3, "captures without address, time or replay": 1}
    data = package.read("archive/data.warc.gz")
    (tmp_path / "data.warc.gz").write_bytes(data)
    found = io.StringIO()
    CDXJIndexer(found, [str(tmp_path / "data.warc.gz")], sort=True).process_all()
    theirs = [(line.partition(" {")[0], json.loads("{" + line.partition(" {")[2])) for line in found.getvalue().splitlines()]
    places = {(key, one["offset"], one["length"]) for key, one in theirs}
    ours = index(package)
    assert {(key, one["offset"], one["length"]) for key, one in ours} < places and len(ours) == len(places) - 1
    for _, one in ours:
        start = int(one["offset"])
        record = next(iter(ArchiveIterator(io.BytesIO(data[start : start + int(one["length"])]), check_digests="raise")))
        record.content_stream().read()
        assert record.rec_headers["WARC-Target-URI"] == one["url"]
    assert ours == sorted(ours, key=lambda line: line[0])
    told = [json.loads(line) for line in package.read("pages/pages.jsonl").decode().splitlines()]
    assert [(one["url"], one["ts"], one["title"]) for one in told[1:]][-1] == (node(2), "2025-01-04T12:00:00Z", "Zwölf")


def test_pywb_unpacks_and_plays_it(folders: Folders, tmp_path: Path) -> None:
    made(folders, tmp_path / "a.wacz")[0].close()
    with pywb(tmp_path / "pywb", [Path("--unpack-wacz"), tmp_path / "a.wacz"]) as url:
        shown = httpx.get(f"{url}/20250104120000mp_/{node(2)}", timeout=60)
    assert shown.status_code == 200 and "Queens" in shown.text


def test_imported_again_it_gives_the_same_records(folders: Folders, tmp_path: Path) -> None:
    made(folders, tmp_path / "a.wacz", Selection(where="node_id = 1"))[0].close()
    again = Folders(tmp_path / "again")
    import_paths(again.archive, [tmp_path / "a.wacz"])
    load(again, LoadOptions(workers=1))
    for sql in (
        "SELECT * FROM records WHERE node_id = 1",
        "SELECT capture_id, captured_at, kind FROM captures WHERE url LIKE '%/1' ORDER BY 1",
    ):
        assert query(again, sql) == query(folders, sql)


def test_some_records_bring_their_captures_and_what_these_repeat(folders: Folders, tmp_path: Path) -> None:
    package, counts = made(folders, tmp_path / "a.wacz", Selection(where="node_id = 1"))
    assert counts["captures"] == 3
    assert {one["mime"] for _, one in index(package)} == {"text/html", "warc/revisit"}
    assert made(folders, tmp_path / "b.wacz", Selection(where="0"))[1]["captures"] == 0


def test_the_same_captures_give_the_same_bytes(folders: Folders, tmp_path: Path) -> None:
    for name in "ab":
        made(folders, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("option", ["--without-contacts", "--strict-contacts", "--table=captures", "--columns=url"])
def test_nothing_can_be_left_out_of_captures(folders: Folders, tmp_path: Path, option: str) -> None:
    ran = tta("--data", folders.data, "export", "wacz", tmp_path / "a.wacz", option)
    assert (ran.status, "WACZ contains" in ran.err, list(tmp_path.iterdir())) == (2, True, [])


@pytest.mark.parametrize(
    "url",
    [
        "https://bjatta.bja.ojp.gov/node/5",
        "http://www.bjatta.bja.ojp.gov/tta/Help?b=2&a=1",
        "https://bjatta.bja.ojp.gov",
        "https://bjatta.bja.ojp.gov:8080/tta/",
    ],
)
def test_keys_are_those_of_other_archives(url: str) -> None:
    from surt import surt as theirs  # comes with pywb

    assert surt(url) == theirs(url)
