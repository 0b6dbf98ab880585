"""Common Crawl and the End of Term archive: single records by range, every check, and what is no listing."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scraper.archive.store import Archive
from scraper.capture import WarcType
from tests.dbkit import sql
from tests.fakearchive import faults
from tests.fakearchive.bucket import Bucket, serve_range
from tests.fakearchive.pywb import lines
from tests.fakearchive.run import HOST, Fetch, captures, stored
from tests.fakearchive.server import FakeArchive, Fault, Handler

AT = "20240101000000"
BODY = b"<html><body>" + b"a record " * 50 + b"</body></html>"


@pytest.fixture
def bucket(fake: FakeArchive) -> Bucket:
    return Bucket(fake)


def page(number: int) -> str:
    return f"https://{HOST}/node/{number}"


def data_requests(fake: FakeArchive) -> list[str]:
    return [path for _, path in fake.arrivals if path.endswith("one.warc.gz")]


def test_common_crawl_brings_everything_in_once(bucket: Bucket, tta_fetch: Fetch, tmp_path: Path) -> None:
    for number in range(4):
        bucket.add(page(number), AT, BODY + str(number).encode())
    bucket.add(page(0), "20240201000000", BODY + b"0")
    bucket.pages = 2
    ran = tta_fetch("commoncrawl")
    assert (ran.status, ran.source("commoncrawl")["fetched"], ran.source("commoncrawl")["unchanged"]) == (0, 4, 1), ran.err
    assert len(data_requests(bucket.fake)) == 4
    found = stored(tmp_path / "data")
    assert sorted((c.url, c.content) for c in found if c.warc_type is WarcType.RESPONSE) == [
        (page(number), BODY + str(number).encode()) for number in range(4)
    ]
    assert all(capture.header("set-cookie") is None and capture.header("x-crawler-content-encoding") for capture in found[:1])
    assert found[0].origin and found[0].origin.startswith(bucket.file)
    bucket.fake.arrivals.clear()
    assert tta_fetch("commoncrawl").status == 0
    assert bucket.fake.arrivals == []


def test_end_of_term_takes_the_same_path(bucket: Bucket, tta_fetch: Fetch, tmp_path: Path) -> None:
    for number in range(9):
        bucket.add(page(number), AT, BODY + str(number).encode())
    bucket.add(f"https://rp.{HOST}/node/1", AT, BODY + b"rp")
    bucket.as_end_of_term()
    ran = tta_fetch("endofterm")
    assert (ran.status, ran.source("endofterm")["fetched"]) == (0, 10), ran.err
    assert sorted(url for url, _ in captures(tmp_path / "data") if url) == sorted(row["url"] for row in bucket.rows)
    index = [path for _, path in bucket.fake.arrivals if path.endswith("cluster.idx")]
    assert 2 <= len(index) <= 12
    bucket.fake.arrivals.clear()
    assert tta_fetch("endofterm").status == 0
    assert bucket.fake.arrivals == []


@pytest.mark.parametrize("per_block", [1, 3, 3000])
def test_the_binary_search_finds_every_row_wherever_blocks_end(bucket: Bucket, tta_fetch: Fetch, per_block: int) -> None:
    for number in range(7):
        bucket.add(page(number), AT, BODY + str(number).encode())
    bucket.as_end_of_term(per_block=per_block)
    assert tta_fetch("endofterm").source("endofterm")["fetched"] == 7


def test_the_same_capture_from_two_archives_is_stored_once(bucket: Bucket, tta_fetch: Fetch, tmp_path: Path) -> None:
    bucket.fake.add(page(1), AT, BODY)
    bucket.add(page(1), AT, BODY)
    bucket.add(f"http://{HOST}/node/1", AT, BODY)
    ran = tta_fetch("wayback", "commoncrawl")
    assert (ran.status, ran.source()["fetched"], ran.source("commoncrawl")["duplicate"]) == (0, 1, 2)
    assert captures(tmp_path / "data") == [(page(1), "2024-01-01T00:00:00Z")]
    assert data_requests(bucket.fake) == []


def _range(handler: Handler) -> tuple[int, int]:
    first, _, last = handler.headers["Range"].removeprefix("bytes=").partition("-")
    return int(first), int(last)


def _shifted(handler: Handler) -> None:
    first, last = _range(handler)
    handler.answer(206, b"x" * (last - first + 1), (("Content-Range", f"bytes 0-{last - first}/99999"),))


def _changed(change: Callable[[bytes], bytes]) -> Fault:
    def answer(handler: Handler) -> None:
        first, last = _range(handler)
        body = change(handler.archive.data[first : last + 1])
        handler.answer(206, body, (("Content-Range", f"bytes {first}-{last}/99999"),))

    return answer


BAD_RANGES: dict[str, Fault] = {
    "range ignored": faults.answers(200, b"x" * 5_000_000),
    "another range": _shifted,
    "no content-range": faults.answers(206, b"x"),
    "short": _changed(lambda body: body[:-5]),
    "zeros": _changed(lambda body: bytes(len(body))),
    "damaged": _changed(lambda body: body[:60] + bytes(8) + body[68:]),
    "416": faults.answers(416),
    "plain": _changed(lambda body: (gzip.decompress(body) + b" " * len(body))[: len(body)]),
    "503 slow down": faults.answers(503, b"<Error><Code>SlowDown</Code></Error>", (("Content-Type", "application/xml"),)),
    "200 error": faults.answers(200, b"<html>", faults.HTML),
}


def test_a_bad_range_is_no_capture(bucket: Bucket, tta_fetch: Fetch, tmp_path: Path) -> None:
    places = {int(bucket.add(page(number), AT, BODY)["offset"]): fault for number, fault in enumerate(BAD_RANGES.values())}
    bucket.add(page(99), AT, BODY + b"99")
    bucket.fake.data = bucket.data
    bucket.fake.always = lambda handler: "Range" in handler.headers and places.get(_range(handler)[0], faults.usual)(handler)
    ran = tta_fetch("commoncrawl", retry__attempts=1)
    assert (ran.status, ran.source("commoncrawl")["failed"]) == (4, len(places)), ran.err
    assert captures(tmp_path / "data") == [(page(99), "2024-01-01T00:00:00Z")]
    bucket.fake.always = None
    assert tta_fetch("commoncrawl", "--now").source("commoncrawl")["fetched"] == len(places)


def test_a_record_that_fails_its_own_digest_is_kept_as_damaged(bucket: Bucket, tta_fetch: Fetch, tmp_path: Path) -> None:
    """The archive has no other copy; one from another source takes its place."""
    row = bucket.add(page(1), AT, BODY)
    record = gzip.decompress(bucket.data[int(row["offset"]) :])
    changed = gzip.compress(record.replace(b"a record", b"a rebord", 1))
    bucket.data = bucket.data[: int(row["offset"])] + changed
    row["length"] = str(len(changed))
    assert tta_fetch("commoncrawl").source("commoncrawl")["fetched"] == 1
    with Archive(tmp_path / "data" / "archive") as archive:
        assert [entry.intact for entry in archive.entries()] == [0]
    assert sql(tmp_path / "data/ledger.db", "SELECT reason FROM captures") == [("its bytes do not match its digest",)]


def test_a_row_that_points_to_something_else_is_no_capture(bucket: Bucket, tta_fetch: Fetch, tmp_path: Path) -> None:
    first = bucket.add(page(1), AT, BODY)
    second = bucket.add(page(2), "20240202000000", BODY + b"2")
    bucket.rows = [
        {**first, "url": page(7)},
        {**first, "timestamp": "20240101000001"},
        {**first, "length": str(int(first["length"]) + int(second["length"])), "url": page(1), "timestamp": "20240101000002"},
        {**first, "length": str(int(first["length"]) - 9), "timestamp": "20240101000003"},
        second,
    ]
    ran = tta_fetch("commoncrawl")
    assert (ran.status, ran.source("commoncrawl")["failed"], ran.source("commoncrawl")["fetched"]) == (4, 4, 1)
    assert captures(tmp_path / "data") == [(page(2), "2024-02-02T00:00:00Z")]


NO_FILES = """../../etc/passwd.warc.gz /etc/x.warc.gz https://example.org/x.warc.gz crawl-data/../x.warc.gz a/%2e%2e/x.warc.gz
    x.warc.gz?y crawl-data/x.gz //example.org/x.warc.gz a\b.warc.gz @example.org/x.warc.gz""".split()


def test_a_file_name_that_is_none_is_not_asked_for(bucket: Bucket, tta_fetch: Fetch) -> None:
    row = bucket.add(page(1), AT, BODY)
    names = [*NO_FILES, "a\r\nb.warc.gz"]
    bucket.rows += [{**row, "filename": name, "timestamp": f"202403030000{n:02}"} for n, name in enumerate(names)]
    ran = tta_fetch("commoncrawl")
    assert (ran.status, ran.source("commoncrawl")["skipped"], ran.source("commoncrawl")["fetched"]) == (0, len(names), 1)
    assert len(data_requests(bucket.fake)) == 1


def test_truncation_is_marked_and_digests_are_compared(bucket: Bucket, tta_fetch: Fetch, tmp_path: Path) -> None:
    bucket.add(page(1), AT, BODY)["truncated"] = "length"
    bucket.add(page(2), AT, b"x" * 1048576)
    bucket.add(page(3), AT, BODY + b"3", truncated="time")
    bucket.add(page(4), AT, BODY + b"4")["digest"] = "A" * 32
    bucket.add(page(5), AT, BODY + b"5")
    assert tta_fetch("commoncrawl").status == 0
    found = {capture.url: capture.truncated for capture in stored(tmp_path / "data")}
    assert found == {page(1): "length", page(2): "length", page(3): "time", page(4): None, page(5): None}


def test_a_revisit_without_a_digest_is_kept_as_a_revisit(bucket: Bucket, tta_fetch: Fetch, tmp_path: Path) -> None:
    row = bucket.add(
        page(1), AT, b"", warc_type=WarcType.REVISIT, http_status=304, payload_digest="sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
    )
    row |= {"mime": "warc/revisit", "status": "304"}
    del row["digest"]
    assert tta_fetch("commoncrawl").source("commoncrawl")["unchanged"] == 1
    (capture,) = stored(tmp_path / "data")
    assert (capture.warc_type, capture.content) == (WarcType.REVISIT, b"")


def test_no_captures_in_so_many_words_is_no_error(bucket: Bucket, tta_fetch: Fetch) -> None:
    ran = tta_fetch("commoncrawl")
    assert (ran.status, ran.source("commoncrawl")["listed"]) == (0, 0)


BAD_INDEX: dict[str, Fault] = {
    "404 html": faults.answers(404, b"<html>not found</html>"),
    "404 json": faults.answers(404, b'{"message": "no such collection"}'),
    "200 html": faults.answers(200, b"<html>busy</html>"),
    "200 error": faults.answers(200, b'{"error": "busy"}\n'),
    "200 nothing": faults.answers(200, b""),
    "cut line": faults.answers(200, b'{"urlkey": "x", "url": "https:'),
    "cut at a line's end": faults.answers(200, b'{"urlkey": "x"}'),
    "no place": faults.answers(200, lines([{"urlkey": "x", "url": page(1), "timestamp": AT}])),
    "500 with text": faults.answers(500, b"S3 503"),
    "empty reply": faults.raw(b""),
    "cut": faults.cut(b'{"urlkey": "x"}\n'),
}


def test_a_bad_index_is_never_empty(bucket: Bucket, tta_fetch: Fetch) -> None:
    hosts = {f"h{number}.example.gov": fault for number, fault in enumerate(BAD_INDEX.values())}
    for host in hosts:
        bucket.add(f"https://{host}/node/1", AT, BODY)

    def answer(handler: Handler) -> bool | None:
        query = handler.query()
        is_rows = "url" in query and "showNumPages" not in query
        return hosts[query["url"].removeprefix("*.")](handler) if is_rows else False

    bucket.fake.always = answer
    ran = tta_fetch("commoncrawl", sources__wayback__hosts=[*hosts])
    assert (ran.status, ran.err.count("commoncrawl: the listing")) == (4, len(hosts)), ran.err
    bucket.fake.always = None
    again = tta_fetch("commoncrawl", "--now", sources__wayback__hosts=[*hosts])
    assert again.source("commoncrawl")["fetched"] == len(hosts), again.err


def test_a_failed_page_is_skipped_and_listed_later(bucket: Bucket, tta_fetch: Fetch) -> None:
    for number in range(3):
        bucket.add(page(number), AT, BODY + str(number).encode())
    bucket.pages = 3
    bucket.on_index += [lambda _: False, lambda _: False, *[faults.answers(500)] * 3]
    ran = tta_fetch("commoncrawl")
    assert (ran.status, ran.source("commoncrawl")["fetched"]) == (4, 2)
    assert tta_fetch("commoncrawl").source("commoncrawl")["fetched"] == 1


def test_a_403_stops_the_source_for_a_day(bucket: Bucket, tta_fetch: Fetch) -> None:
    for number in range(3):
        bucket.add(page(number), AT, BODY + str(number).encode())
    bucket.on_data += [faults.answers(403)]
    ran = tta_fetch("commoncrawl")
    assert (ran.status, ran.source("commoncrawl")["outcome"], len(data_requests(bucket.fake))) == (4, "paused", 1)
    bucket.fake.arrivals.clear()
    assert (tta_fetch("commoncrawl").status, bucket.fake.arrivals) == (4, [])


def _crawls(count: int, address: str = "http://127.0.0.1:9/x-index") -> bytes:
    return json.dumps([{"id": f"CC-MAIN-2020-{number}", "cdx-api": address} for number in range(count)]).encode()


BAD_ADDRESSES = "https://example.org/x http://169.254.169.254/x file:///etc/passwd http://user@127.0.0.1/".split()
NO_CRAWLS = [b"[]", b"{}", b"", b"<html>", b"[1, 2]", _crawls(59), _crawls(70)[:-5], *(_crawls(70, one) for one in BAD_ADDRESSES)]


def test_a_list_of_crawls_that_is_none_is_an_error(bucket: Bucket, tta_fetch: Fetch) -> None:
    bucket.add(page(1), AT, BODY)
    for body in NO_CRAWLS:
        bucket.fake.files["/collinfo.json"] = faults.answers(200, body, faults.JSON)
        ran = tta_fetch("commoncrawl", "--now")
        assert (ran.status, ran.source("commoncrawl")["listed"]) == (4, 0), body[:50]
        assert all(path == "/collinfo.json" for _, path in bucket.fake.arrivals), body[:50]
    bucket.fake.files["/collinfo.json"] = bucket.serve_crawls
    assert tta_fetch("commoncrawl", "--now").source("commoncrawl")["fetched"] == 1


def test_crawls_can_be_named(bucket: Bucket, tta_fetch: Fetch) -> None:
    bucket.add(page(1), AT, BODY)
    ran = tta_fetch("commoncrawl", sources__commoncrawl__crawls=["CC-MAIN-2026-40", "CC-MAIN-1999-01"])
    assert (ran.status, ran.source("commoncrawl")["fetched"], "CC-MAIN-1999-01" in ran.err) == (4, 1, True)


def _file(data: bytes) -> Fault:
    return lambda handler: serve_range(handler, data)


BLOCK = b"gov,ojp,bja,bjatta)/ 2024\t%s\t0\t100\t1"
BAD_FILES: dict[str, tuple[Fault, ...]] = {
    "cluster.idx": (
        *(faults.answers(404, b"<Error><Code>NoSuchKey</Code></Error>"), faults.answers(200, b"all of it")),
        *map(_file, (b"no tabs at all\n", BLOCK % b"cdx-00000.gz", BLOCK % b"../../x" + b"\n")),
    ),
    "cdx-00000.gz": (faults.answers(403), _file(b"not gzip" * 100_000), _file(b"short")),
}


def test_a_bad_index_file_is_never_empty(bucket: Bucket, tta_fetch: Fetch) -> None:
    bucket.add(page(1), AT, BODY)
    for name, several in BAD_FILES.items():
        for fault in several:
            bucket.as_end_of_term()
            bucket.fake.files[f"/eot-index/collections/EOT-2024/indexes/{name}"] = fault
            ran = tta_fetch("endofterm", "--now", retry__attempts=1)
            assert (ran.status, ran.source("endofterm")["fetched"]) == (4, 0), ran.out
