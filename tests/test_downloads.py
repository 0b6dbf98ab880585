"""Downloads: all rows, whatever the page shows of them; safe in a spreadsheet; and what cannot be made has an error's status."""

import asyncio
import csv
import io
import re
import sqlite3
import zipfile
from contextlib import closing
from html import unescape
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from datasette.views.base import DatasetteError

from scraper.explore import downloads
from scraper.explore.metadata import QUESTIONS
from scraper.folders import Folders
from tests.webkit import Site, demo

ROWS = 4_955
"""More than Datasette returns at once (2,000)."""
FORMULA = '=HYPERLINK("https://example.org")'
ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """The demo with many milestones, one of them a formula."""
    found = demo(tmp_path_factory.mktemp("demo"))
    with closing(sqlite3.connect(found.database)) as db, db:
        db.execute("DELETE FROM milestones")
        rows = [("900000004", number, FORMULA if number == 7 else f"Step {number}", None) for number in range(1, ROWS + 1)]
        db.executemany("INSERT INTO milestones (record_id, position, title, date) VALUES (?, ?, ?, ?)", rows)
    return found


@pytest.fixture(scope="module")
def site(folders: Folders) -> Site:
    return Site(folders.database)


def _csv(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def _xlsx(answer: httpx.Response) -> str:
    """The text of all parts of a workbook."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist())


def test_no_download_is_shorter_than_its_page_says(site: Site) -> None:
    sql = "select title from milestones"
    for path in ("/tta/milestones.csv", "/tta/milestones.csv?_size=max&_labels=on", f"/tta.csv?sql={quote(sql)}"):
        rows = _csv(site.get(path))
        assert len(rows) == ROWS
        assert rows[6]["title"] == "'" + FORMULA
    assert _xlsx(site.get("/tta/milestones.xlsx")).count("<row ") >= ROWS + 1


@pytest.mark.parametrize(
    "query",
    [
        "fiscal_year=FY2023",
        "_search=deflec",
        "submitted_on=2020",
        "program_areas__arraycontains=Law+Enforcement",
        "_where=captures>1",
        "",
    ],
)
def test_rows_are_those_of_the_page(site: Site, query: str) -> None:
    shown = site.json(f"/tta/records.json?{query}&_size=max")
    rows = _csv(site.get(f"/tta/records.csv?{query}"))
    assert sorted(row["record_id"] for row in rows) == sorted(row[0] for row in shown["rows"])
    assert rows[0]["record_id"] == shown["rows"][0][0]
    assert list(rows[0]) == shown["columns"]


def test_rows_questions_and_chosen_columns_can_be_downloaded(site: Site) -> None:
    for path, columns in (
        ("/tta/records.csv?_col=tta_title&_sort=title", "record_id,tta_title"),
        ("/tta/milestones.csv?_col=record_id&_col=title", "record,record_id,position,title"),
        ("/tta/milestones.csv?_col=record_id", "record,record_id,position\r\n"),
        ("/tta/records/900000004.csv", "record_id,"),
        ("/tta/areas_by_year.csv?state=TX", "fiscal_year,program_area,records"),
    ):
        assert site.get(path).content.decode("utf-8-sig").startswith(columns)


@pytest.mark.parametrize("name", ["records", "changes", "organizations", *QUESTIONS])
def test_files_from_links_of_a_page_have_its_headings_and_values(site: Site, name: str) -> None:
    text = site.get(f"/tta/{name}").text
    links = re.findall(r'href="([^"]*_header=labels)"[^>]*>Download CSV', text)
    if name == "unknown_labels":  # of which the demo has none
        assert not links
        return
    rows = _csv(site.get(unescape(links[0])))
    on_page = [unescape(re.sub("<[^>]*>", "", one)) for one in re.findall(r"<th [^>]*>(.*?)</th>", text)]
    assert set(on_page) <= set(rows[0]), "every heading of the page"
    assert (
        len(rows[0]) == len({*rows[0]}) == len(site.json(f"/tta/{name}.json?_size=1")["columns"]) if name in QUESTIONS else True
    )
    if name == "records":
        assert {"Yes", "No"} >= {row["Evidence-based"] for row in rows} - {""}
        assert any("; " in row["Program areas"] for row in rows)


def test_a_workbook_says_what_it_contains_and_the_name_of_the_file_too(site: Site) -> None:
    answer = site.get("/tta/records.xlsx?fiscal_year=FY2023&evidence_based=Yes&_col=tta_title&_col=evidence_based")
    parts = _xlsx(answer)
    for said in ("Fiscal year: 2023; Evidence-based: Yes", "Cite as", "Retrieved", "fiscal_year=2023", ">Title<"):
        assert said in parts
    assert 't="b"' in parts, "yes and no are not typed"
    assert "tta-records-some-columns-fiscal-year-2023-evidence-based-yes-" in answer.headers["content-disposition"]
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/tta.csv?sql={quote(ENDLESS)}", 400),
        ("/tta.xlsx?sql=delete+from+records", 400),
        (f"/tta.csv?sql={quote('select zeroblob(1000000000)')}", 400),
        ("/tta/records.csv?_where=nonsense", 400),
        ("/tta/records.csv?_sort=nothing", 400),
        ("/tta/records.xlsx?_col=nothing", 400),
        ("/tta/records.csv?submitted_on=someday", 400),
        ("/tta/nothing.csv", 404),
    ],
)
def test_what_cannot_be_made_is_an_error_and_no_short_file(
    site: Site, path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SECONDS_OF_SQL", 0.5)
    answer = site.get(path)
    assert (answer.status_code, "content-disposition" in answer.headers) == (status, False)
    assert not downloads.Download.open_now


def test_downloads_at_once_are_bounded(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_OPEN", 0)
    assert Site(folders.database).get("/tta/records.csv").status_code == 503


def test_a_client_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "STALLED", 0.05)
    download = downloads.Download("x", "csv")
    download.file.write(b"x" * 10)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        asyncio.run(download.asgi_send(send))
    assert not downloads.Download.open_now


def test_a_large_file_is_sent_while_it_is_made_and_what_fails_breaks_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def make(download: downloads.Download, *, fails: bool) -> None:
        for _ in range(3):
            download.file.write(b"x" * 10)
            download.file.flush()
            await asyncio.sleep(0.05)
        if fails:
            raise DatasetteError("no room")

    async def story(*, fails: bool) -> None:
        download = downloads.Download("x", "csv")
        download.making = asyncio.create_task(make(download, fails=fails))
        await download.asgi_send(send)

    asyncio.run(story(fails=False))
    assert b"".join(message.get("body", b"") for message in sent) == b"x" * 30
    assert not sent[-1].get("more_body") and b"content-length" not in dict(sent[0]["headers"])
    sent.clear()
    with pytest.raises(DatasetteError):
        asyncio.run(story(fails=True))
    assert sent[-1]["more_body"] and not downloads.Download.open_now


def test_a_file_that_takes_long_is_complete(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 0)
    assert len(_csv(site.get("/tta/milestones.csv"))) == ROWS


def test_a_question_or_download_that_takes_too_long_says_so_in_plain_words(site: Site) -> None:
    endless = "with recursive n (x) as (select 1 union all select x + 1 from n) select sum(x) from n"
    for path in ("/tta", "/tta.csv", "/tta.json"):
        answer = site.get(f"{path}?sql={quote(endless)}")
        assert (answer.status_code, "reached the time limit" in answer.text, "textarea" in answer.text) == (400, True, False)
