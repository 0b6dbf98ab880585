"""Every file and container, whole and damaged: what arrives is what was put in, the rest is reported, nothing is invented."""

import gzip
import io
import plistlib
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

import pytest

from scraper.archive.store import Archive
from scraper.capture import Capture, WarcType, from_iso
from scraper.sources.files import import_paths, read_container
from scraper.sources.saved import Unused, format_of
from tests import containerkit as kit
from tests.containerkit import CHECKED, DIGITS, HOST, NUMBERS, ONE_BY_ONE, TIME, body, record, url
from tests.dbkit import lose_catalog, page


def read(data: bytes, name: str = "file") -> tuple[list[Capture], list[str]]:
    """The captures in a file, and what is reported of it; companions are none of either."""
    found = list(read_container(io.BytesIO(data), name))
    problems = [item.reason for item in found if isinstance(item, Unused) and not item.is_companion]
    return [item[1] for item in found if not isinstance(item, Unused)], problems


PAGE = b"<!DOCTYPE html><html><body><article>one page</article></body></html>"


def told(captures: list[Capture]) -> list[tuple[str | None, str | None, bytes]]:
    return [(one.url, one.captured_text, one.content) for one in captures]


WHOLE = [(url(number), TIME, body(number)) for number in NUMBERS]


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_a_whole_container_gives_its_captures(name: str) -> None:
    captures, problems = read(ONE_BY_ONE[name](*NUMBERS))
    assert (told(captures), problems) == (WHOLE, [])
    assert all(one.damage is None and one.truncated is None for one in captures)


def damaged(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The file cut, and with one bit flipped, at some hundred places in all of its parts."""
    for place in sorted({*range(1, len(data), max(1, len(data) // 60)), *range(max(1, len(data) - 30), len(data))}):
        yield f"cut at {place} of {len(data)}", data[:place]
    for place in sorted({*range(0, len(data), max(1, len(data) // 150)), *range(min(60, len(data)))}):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        yield f"bit flipped at {place} of {len(data)}", bytes(flipped)


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_damage_costs_what_it_hits_is_reported_and_invents_nothing(name: str) -> None:
    pack = ONE_BY_ONE[name]
    bodies = {text for _, _, text in WHOLE}
    shorter = {pack(*NUMBERS[:count]).rstrip() for count in range(1, len(NUMBERS))}  # a file cut between two records is whole
    usual = {item.reason for item in read_container(io.BytesIO(pack(*NUMBERS)), "file") if isinstance(item, Unused)}
    survivors = []
    for what, data in damaged(pack(*NUMBERS)):
        found = list(read_container(io.BytesIO(data), "file"))
        captures = [item[1] for item in found if not isinstance(item, Unused)]
        trusted = [one for one in captures if one.damage is None and one.truncated is None]
        is_told = any(isinstance(item, Unused) and item.reason not in usual for item in found)
        assert len(captures) <= len(NUMBERS), what
        assert is_told or len(trusted) == len(NUMBERS) or data.rstrip() in shorter, f"{what}: {len(trusted)} captures, silently"
        if name in CHECKED or what.startswith("cut"):
            assert {one.content for one in trusted} <= bodies, f"{what}: a page that nobody made"
        if what.startswith("cut"):
            assert all(any(text.startswith(one.content) for text in bodies) for one in captures), what
        survivors.append(len(trusted))
    if name not in {"warc.gz in one member", "warc.bz2", "warc.xz", "arc.gz", "tar.gz"}:
        assert sum(survivors) / len(survivors) > 1.3, "damage costs the captures that it hits"


@pytest.mark.parametrize(
    ("data", "numbers", "problem"),
    [
        (b"\xef\xbb\xbf" + kit.warc(1, 2), (1, 2), ""),
        (b"\r\n\n" + kit.warc(1, 2), (1, 2), ""),
        (record(1, end="\n") + record(2, end="\n"), (1, 2), ""),
        (record(1) + record(2, end="\n"), (1, 2), ""),
        (record(1, end="\r\r\n", block=kit.http(1).replace(b"\r\n", b"\r\r\n")) + record(2), (1, 2), ""),
        (record(1) + record(2)[:120], (1,), "ends within a record's headers"),
        (record(1) + record(2, Content_Length="") + record(3), (1, 3), "without a length"),
        (record(1) + record(2, Content_Length="-5") + record(3), (1, 3), "without a length"),
        (record(1) + record(2, WARC_Type="respone") + record(3), (1, 3), "unknown type"),
        (record(1, digest=False, Content_Length="900") + record(2), (1, 2), "more bytes than its Content-Length, 900"),
        (record(1, digest=False, Content_Length="4000") + record(2) + record(3), (2, 3), "Content-Length is 4000"),
        (record(1, Content_Length="4000") + record(2) + record(3), (1, 2, 3), "Content-Length is 4000"),
        (record(1, Content_Length="9" * 12) + record(2), (1, 2), "Content-Length is 999999999999"),
        (record(1) + b"\r\nnoise\r\n\r\n" + record(2), (1, 2), "no record begins here"),
        (gzip.compress(record(1)) + b"noise" + gzip.compress(record(2)), (1, 2), "no record begins here"),
        (gzip.compress(record(1))[:-8] + b"\0" * 8 + gzip.compress(record(2)), (1, 2), "damaged"),
        (b"\x1f\x8b\x08\0" + b"\xff" * 40 + gzip.compress(record(2)), (2,), "damaged"),
        (record(1, WARC_Date="0001-01-01T00:00:00+14:00") + record(2), (1, 2), "its time is unknown"),
        (record(1, WARC_Date="9999-12-31T23:59:59Z") + record(2), (1, 2), "its time is unknown"),
        (record(1, WARC_Date="2019-03") + record(2, WARC_Date=DIGITS), (1, 2), ""),
        (b"WASC" + record(1)[4:] + record(2), (2,), "no record begins here"),
        (gzip.compress(record(1), mtime=0)[:10] + b"\0\xff\xff\0\0" + kit.warc_gz(2, 3), (2, 3), "ends within a record"),
        (kit.warc_gz(1) + bytes(3000) + kit.warc_gz(2), (1, 2), "no record begins here"),
        (kit.warc_gz(1) + bytes(200_000) + kit.warc_gz(2), (1, 2), "no record begins here"),
        (kit.arc(1, 2).replace(b"text/html ", b"text/html x", 1), (2,), "without a length"),
    ],
)
def test_records_around_an_odd_one_are_kept(data: bytes, numbers: tuple[int, ...], problem: str) -> None:
    captures, problems = read(data)
    assert [one.url for one in captures] == [url(number) for number in numbers]
    assert problem in "; ".join(problems) and bool(problems) is bool(problem), problems


def test_a_record_whose_digest_differs_is_reported_with_its_place_and_stays_flagged(tmp_path: Path) -> None:
    path = tmp_path / "crawl.warc"
    path.write_bytes(record(1) + record(2).replace(b"Row 7", b"Row 9") + record(3)[:-900])
    done = import_paths(tmp_path / "archive", [path])
    assert (done.added, len(done.problems)) == (3, 2)
    assert done.problems[0] == Unused(str(path), f"at byte {len(record(1))}: its bytes do not match its digest")
    lose_catalog(tmp_path / "archive")
    with Archive(tmp_path / "archive", writable=True) as archive:
        assert [(entry.intact, entry.truncated) for entry in archive.entries()] == [(1, None), (0, None), (0, "unspecified")]


def test_the_first_segment_of_a_record_is_a_cut_capture_and_the_others_are_reported() -> None:
    """No tool that we know of writes segments into one file (WARC 1.1, section 8), so they are not joined."""
    block = kit.http(1)
    first = record(1, block=block[:700], WARC_Segment_Number="1")
    later = record(1, block=block[700:], WARC_Type="continuation", WARC_Segment_Origin_ID="<urn:uuid:1>", WARC_Segment_Number="2")
    captures, reported = read(first + later + record(2))
    assert [(one.content, one.truncated, bool(one.damage)) for one in captures] == [
        (body(1)[: len(captures[0].content)], "unspecified", True),
        (body(2), None, False),
    ]
    assert len(reported) == 2 and all("a segment of a record" in one for one in reported)


def test_a_damaged_member_of_a_package_casts_no_doubt_on_records_with_checksums_of_their_own() -> None:
    records = [gzip.compress(record(number, digest=False), mtime=0) for number in NUMBERS]
    package = kit.zipped({"archive/data.warc.gz": b"".join(records), "datapackage.json": b"{}"}, zipfile.ZIP_STORED)
    damage = package.index(records[1]) + len(records[1]) // 2
    captures, problems = read(package[:damage] + bytes([package[damage] ^ 4]) + package[damage + 1 :])
    assert [one.content for one in captures if one.damage is None] == [body(NUMBERS[0]), body(NUMBERS[2])]
    assert problems


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_file_without_its_directory_is_searched(method: int) -> None:
    whole = kit.zipped({f"{one}.warc.gz": kit.warc_gz(one) for one in NUMBERS}, method)
    captures, problems = read(whole[: whole.index(b"PK\1\2") + 10])
    assert (told(captures), len(problems)) == (WHOLE, 1)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "gzip bomb": lambda: gzip.compress(bytes(200_000_000), 1),
    "zip bomb": lambda: kit.zipped({"a": bytes(200_000_000)}),
    "nested zips": lambda: reduce(lambda inner, name: kit.zipped({f"{name}.zip": inner}), "abcdefg", body(1)),
    "lengths": lambda: b"WARC/1.0\r\nContent-Length: 60000000\r\n\r\n" * 20_000,
    "gzip starts": lambda: b"\x1f\x8b\x08" * 30_000,
    "har": lambda: b'{"log": {"entries": [' + b'{"request": ' * 30_000,
    "zip starts": lambda: b"PK\3\4" * 20_000,
    "arc line": lambda: b"http://a 1 20190301120000 " + b"x " * 50_000,
    "comments": lambda: b"<!--" * 100_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_soon_and_is_reported(name: str) -> None:
    data = HOSTILE[name]()
    began = datetime.now(UTC)
    captures, problems = read(data)
    assert (captures, bool(problems)) == ([], True)
    assert (datetime.now(UTC) - began).total_seconds() < 20


def test_the_same_capture_through_any_container_is_one_capture(tmp_path: Path) -> None:
    """With one address and one time, so that it is stored once."""
    (number, *_) = NUMBERS
    files = {name.replace(" ", "-"): pack(number) for name, pack in ONE_BY_ONE.items()}
    files |= {f"{encoding}.mhtml": kit.mhtml(number, encoding) for encoding in ("quoted-printable", "base64", "binary")}
    replay = f"https://web.archive.org/web/{DIGITS}id_/{url(number)}"
    files["crawl-of-a-replay.warc"] = record(number, WARC_Target_URI=replay, WARC_Date="2026-01-01T00:00:00Z")
    files[f"waybackpack/{DIGITS}/{HOST}/node/{number}"] = body(number)
    files[f"websites/{HOST}/{DIGITS}/node/{number}/index.html"] = body(number)
    files[f"{HOST}/node/{number}.html"] = kit.http(number, "Date: Fri, 01 Mar 2019 12:00:00 GMT\r\n")
    for name, content in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    with Archive(tmp_path / "archive", writable=True) as archive:
        archive.add(page(body(number), url=url(number), when=from_iso(TIME)))
    done = import_paths(tmp_path / "archive", [tmp_path / "in"])
    assert (done.added, done.known, done.problems) == (0, len(files), [])
    again = import_paths(tmp_path / "archive", [tmp_path / "nowhere", tmp_path / "in"])
    assert (again.added, again.known, [one.where for one in again.problems]) == (0, len(files), [str(tmp_path / "nowhere")])


NO_PAGES = {
    "a.css": (b"/* theme */\nbody { color: red; }\n.x > p { margin: 0 }\n", "a style sheet or code"),
    "a.js": (b"(function () {\n  var a = '<div>';\n  document.write('<p>');\n})();\n", "a style sheet or code"),
    "a.json": (b'{"a": 1}', "JSON data"),
    "pages.jsonl": (b'{"format": "json-pages-1.0"}\n{"url": "https://x.example/"}\n', "JSON lines"),
    "a.cdx": (b" CDX N b a m s k r M S V g\n", "a CDX index"),
    "a.log": (b"2025-01-29 14:56:39 INFO a line\n2025-01-29 14:56:40 INFO another\n", "a log"),
    "a.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "an SVG image"),
    "drawing": (b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">\n<svg></svg>', "an SVG image"),
    "a.pdf": (b"%PDF-1.7\n", "PDF"),
    "a.wbn": (b"\x86\x48\xf0\x9f\0\0" + PAGE + b"Submitted by", "binary data"),
    "a.db": (b"SQLite format 3\0" + bytes(90), "an SQLite database"),
    "a.py": (b"import os\nprint(os.name)\n", "text that does not read like a page"),
    "urls.txt": (b"https://x.example/1\nhttps://x.example/2\n", "text that does not read like a page"),
}


@pytest.mark.parametrize("name", NO_PAGES)
def test_what_is_no_page_is_named_for_what_it_appears_to_be(name: str) -> None:
    data, appears = NO_PAGES[name]
    assert (format_of(data, name).media_type, format_of(data, name).name, read(data, name)[0]) == (None, appears, [])


PAGES = {
    "saved.html": (b"\n<!-- saved from url=(0020)https://x.example/ -->\n<html><body>x</body></html>", "text/html"),
    "xhtml": (b'<?xml version="1.0"?>\n<!DOCTYPE html><html></html>', "text/html"),
    "notice": (b"Notice: a message of the server\n<!DOCTYPE html><html><body></body></html>", "text/html"),
    "page": (b"\xef\xbb\xbf\n<div>no name, no doctype</div>", "text/html"),
    "page.html.gz": (gzip.compress(PAGE, mtime=0), "text/html"),
    "utf16.html": ("\ufeff<html>wide</html>".encode("utf-16-le"), "text/html"),
    "node.json": (b'{"nid": [{"value": 7}], "type": [{"target_id": "tta"}]}', "application/json"),
    "node.xml": (b'<?xml version="1.0"?>\n<response><nid><value>7</value></nid></response>', "application/xml"),
    "page.md": (b"# 20190301-120000-7\n\nTTA Title\nHelp for a court\n", "text/plain"),
    "page.txt": (b"Skip to main content\n\n20250129-145639-07\n", "text/plain"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_single_page_is_recognized_by_its_beginning_and_nothing_is_invented(name: str) -> None:
    data, media_type = PAGES[name]
    (capture,), problems = read(data, name)
    form = WarcType.CONVERSION if media_type == "text/plain" else WarcType.RESOURCE
    assert (capture.content_type, capture.warc_type, capture.source, capture.origin, problems) == (
        media_type,
        form,
        "files",
        name,
        [],
    )
    assert (capture.captured_at, capture.http_status) == (None, None)
    assert (capture.url is None, capture.payload) == (name != "saved.html", PAGE if name.endswith(".gz") else data)


@pytest.mark.parametrize("form", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_a_page_saved_by_safari_is_a_capture_with_its_address_or_reported(form: plistlib.PlistFormat) -> None:
    part = {"WebResourceURL": url(1), "WebResourceData": body(1), "WebResourceMIMEType": "text/html"}
    data = plistlib.dumps({"WebMainResource": part | {"WebResourceTextEncodingName": "UTF-8"}}, fmt=form)
    captures, problems = read(data)
    assert (told(captures), problems) == ([(url(1), None, body(1))], [])
    assert captures[0].content_type == "text/html; charset=UTF-8"
    for cut in (data[:place] for place in range(data.index(b"\n" if form is plistlib.FMT_XML else b"b") + 120, len(data) - 1, 7)):
        assert [type(item) for item in read_container(io.BytesIO(cut), "file")] == [Unused], len(cut)
    for _, flipped in damaged(data):
        assert list(read_container(io.BytesIO(flipped), "file")), "neither a capture nor a message"


def test_the_pages_of_a_mirror_are_captures_and_what_belongs_to_them_is_counted(tmp_path: Path) -> None:
    (tmp_path / "saved" / "page_files").mkdir(parents=True)
    (tmp_path / "saved" / "page_files" / "saved_resource.html").write_bytes(body(2))
    (tmp_path / "saved" / ".hidden").write_bytes(body(3))
    (tmp_path / "saved" / "a.css").write_bytes(b"p { margin: 0 }")
    (tmp_path / "saved" / "notes.bin").write_bytes(bytes(range(256)))
    (tmp_path / "saved" / "other").symlink_to(tmp_path)
    (tmp_path / "saved" / "page.html").write_bytes(body(1))
    done = import_paths(tmp_path / "archive", [tmp_path / "saved"])
    assert done.added == 1
    assert sorted(Path(one.where).name for one in done.companions) == [".hidden", "a.css", "page_files"]
    assert sorted(Path(one.where).name for one in done.problems) == ["notes.bin", "other"]


def test_a_path_without_a_capture_is_reported(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "style.css").write_bytes(b"p { margin: 0 }")
    (tmp_path / "styles").mkdir()
    (tmp_path / "styles" / "a.css").write_bytes(b"p { margin: 0 }")
    warcinfo = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    (tmp_path / "info.warc").write_bytes(warcinfo)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    paths = sorted(tmp_path.iterdir())
    done = import_paths(tmp_path / "archive", paths)
    assert sorted({Path(one.where) for one in done.problems}) == paths
    assert not any(re.search(r"Traceback|None", one.reason) for one in done.problems)


@pytest.mark.parametrize(
    ("data", "kept", "reason"),
    [
        (b"", 0, "the file is empty"),
        (b" \n\n", 0, "the file is empty"),
        (gzip.compress(b"", mtime=0), 0, "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 0, "picture"),
        (bytes(range(256)) * 8, 0, "binary"),
        (gzip.compress(PAGE, mtime=0)[:-12], 1, "damaged"),
        (b"PK\x03\x04 not a zip file", 0, "ZIP"),
        (kit.wacz(1, digest="0" * 64), 1, "hash"),
        (kit.warc_gz(1, 2)[:-30], 2, "cut"),
    ],
)
def test_bad_input_is_named_and_what_is_good_in_it_is_kept(data: bytes, kept: int, reason: str) -> None:
    captures, problems = read(data)
    assert (len(captures), reason in "; ".join(problems)) == (kept, True), problems


@pytest.mark.parametrize(
    "block",
    [
        PAGE,
        b"",
        b"HTTP/1.1 20\r\nServer: x\r\n\r\n" + PAGE,
        b"HTTP/1.1\r\n\r\n" + PAGE,
        b"\xff\xfe\0",
        b"HTTP/1.1 000\r\n\r\n" + PAGE,
        b"HTTP/1.1 000,odd\r\n\r\n" + PAGE,
    ],
    ids=["no head", "nothing", "two digits", "no status", "bytes", "zeros", "comma"],
)
def test_a_response_whose_block_is_no_sound_http_message_is_kept_whole(tmp_path: Path, block: bytes) -> None:
    """Crawlers keep what servers say, and servers say anything."""
    path = tmp_path / "crawl.warc"
    path.write_bytes(kit.warc_gz(1) + gzip.compress(record(7, block=block)) + kit.warc_gz(2))
    done = import_paths(tmp_path / "archive", [path])
    assert (done.added, done.problems) == (3, [])
    with Archive(tmp_path / "archive") as archive:
        first, odd, last = map(archive.read, archive.entries())
    assert (first.url, last.url) == (url(1), url(2))
    assert (odd.payload, odd.http_status) == ((PAGE, 0) if b"000" in block else (block, None))
