"""Address and time of a capture follow from its record, its headers, its page or its path, in that order, or stay unknown."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from scraper.archive.dating import of_path, parse_time
from scraper.archive.records import Damage
from scraper.archive.store import Archive
from scraper.archive.warc import read_captures, record_bytes
from scraper.capture import Capture, WarcType, iso
from scraper.folders import Folders
from scraper.sources.files import import_paths
from tests.containerkit import DIGITS, HOST, TIME, http, record, url
from tests.dbkit import lose_catalog
from tests.tables import read_table

CASES = read_table("tables/dating.toml")
PAGE = url(7)
REPLAY = f"https://web.archive.org/web/{DIGITS}/{PAGE}"
LATER = "2026-02-01T00:00:00Z"


def of_file(tmp_path: Path, page: str, name: str = "page.html") -> tuple[str | None, str | None]:
    """Address and time of an imported page, as the catalog has them after it was made again from the WARC files."""
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True)
    path.write_text(page)
    assert import_paths(tmp_path / "archive", [tmp_path / "in"]).added == 1
    lose_catalog(tmp_path / "archive")
    with Archive(tmp_path / "archive", writable=True) as archive:
        (entry,) = archive.entries()
        return entry.url, entry.captured_at


@pytest.mark.parametrize(("comment", "address", "time"), CASES["comments"])
def test_what_the_tool_that_saved_a_page_wrote_into_it_counts(
    tmp_path: Path, comment: str, address: str | None, time: str | None
) -> None:
    assert of_file(tmp_path, f"<!DOCTYPE html><html>{comment}<body><p>a page</p></body></html>") == (address, time)


@pytest.mark.parametrize(("path", "address", "time"), CASES["paths"])
def test_the_path_that_a_mirroring_tool_wrote_counts(tmp_path: Path, path: str, address: str | None, time: str | None) -> None:
    assert of_path(path) == (address, parse_time(time))
    if "!" in path:  # a member of a container, not a file
        return
    assert of_file(tmp_path, "<!DOCTYPE html><html><body>a page</body></html>", path) == (address, time)


def test_a_folder_above_the_imported_one_counts_too(tmp_path: Path) -> None:
    page = tmp_path / DIGITS / HOST / "node" / "7"
    page.parent.mkdir(parents=True)
    page.write_text("<!DOCTYPE html><html></html>")
    for path in (page, page.parent, page.parents[2]):
        import_paths(tmp_path / "archive", [path])
    with Archive(tmp_path / "archive") as archive:
        ((at, when),) = {(entry.url, entry.captured_at) for entry in archive.entries()}
    assert (at, when) == (PAGE, TIME)


def read(data: bytes) -> Capture:
    (item,) = [item for item in read_captures(BytesIO(data), "files") if not isinstance(item, Damage)]
    return item[1]


def answered(head: str, address: str = PAGE, date: str = LATER) -> bytes:
    block = f"{head}\r\n\r\n<html>a page</html>".encode()
    return record(7, block=block, digest=False, WARC_Target_URI=address, WARC_Date=date)


OK = "HTTP/1.1 200 OK\r\nContent-Type: text/html"


@pytest.mark.parametrize(
    ("data", "address", "time"),
    [
        (answered(OK), PAGE, LATER),
        (answered(OK, REPLAY), PAGE, TIME),
        (answered(OK, f"https://web.archive.org/web/2019/{PAGE}"), PAGE, "2019"),
        (answered(f"{OK}\r\nMemento-Datetime: Fri, 01 Mar 2019 12:00:00 GMT"), PAGE, TIME),
        (answered(f"{OK}\r\nMemento-Datetime: Fri, 01 Mar 2019 12:00:00 GMT", REPLAY.replace("0301", "0305")), PAGE, TIME),
        (answered(f"{OK}\r\nMemento-Datetime: Fri, 31 Dec 9999 23:59:59 GMT", REPLAY), PAGE, TIME),
        (answered(f"{OK}\r\nMemento-Datetime: Tue, 19 Jan 2038 03:14:07 GMT"), PAGE, None),
        (answered("HTTP/1.1 429 Too Many Requests", REPLAY), REPLAY, LATER),
        (answered("HTTP/1.1 302 Found\r\nLocation: /web/2020/x", REPLAY), REPLAY, LATER),
        (answered(OK, date="2019-03"), PAGE, "2019-03"),
        (answered(OK, date="2019"), PAGE, "2019"),
        (answered(OK, date="2019-03-01T12:00Z"), PAGE, "2019-03-01T12:00Z"),
        (answered(OK, date="2019-03-01T12:00:00.250+02:00"), PAGE, "2019-03-01T10:00:00.250000Z"),
        (answered(OK, date="1970-01-01T00:00:00Z"), PAGE, None),
        (answered(OK, date="2199-01-01T00:00:00Z"), PAGE, None),
        (answered(f"{OK}\r\nDate: Fri, 01 Mar 2019 12:00:00 GMT", date="no date"), PAGE, TIME),
    ],
)
def test_a_replay_is_dated_by_its_archive_and_a_doubtful_time_is_unknown(data: bytes, address: str, time: str | None) -> None:
    capture = read(data)
    assert (capture.url, capture.captured_text) == (address, time)
    again = read(record_bytes(capture, datetime.now(UTC).replace(microsecond=0)))
    assert (again.url, again.captured_text, again.capture_id) == (address, time, capture.capture_id)
    assert again.recorded == capture.recorded, "what the record had is kept, so that a better rule can date it"


def test_the_copy_of_a_replay_was_fetched_when_its_record_says() -> None:
    assert iso(read(answered(OK, REPLAY)).fetched_at) == LATER


def test_a_time_later_than_tomorrow_or_than_the_fetch_is_unknown() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for when, fetched, is_known in (
        (now + timedelta(days=3), None, False),
        (now, now - timedelta(days=3), False),
        (now, now, True),
    ):
        capture = Capture(
            warc_type=WarcType.RESPONSE, source="wayback", payload=http(7), url=PAGE, captured_at=when, fetched_at=fetched
        )
        back = read(record_bytes(capture, now))
        assert (back.captured_at == when) is is_known
        assert (back.captured_at is None) is not is_known


def test_a_revisit_keeps_its_profile_and_refers_to_the_page_behind_a_replay(tmp_path: Path) -> None:
    profile = "http://netpreserve.org/warc/1.0/revisit/server-not-modified"
    data = record(7, WARC_Type="revisit", WARC_Profile=profile, WARC_Refers_To_Target_URI=REPLAY, WARC_Refers_To_Date=LATER)
    (tmp_path / "crawl.warc").write_bytes(data)
    import_paths(Folders(tmp_path).archive, [tmp_path / "crawl.warc"])
    with Archive(Folders(tmp_path).archive) as archive:
        (entry,) = archive.entries()
    assert (entry.revisit_profile, entry.original_url, entry.original_captured_at) == (profile, PAGE, TIME)
