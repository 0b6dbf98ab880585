"""Writes the demo's archive file: `python -m tests.pagegen.samples data/samples`.

The same bytes each time: record ids are derived from addresses and times, and every date is fixed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.pagegen.demo import FIRST_NODE, HOST, RECORDS, Snapshot, history
from tests.pagegen.options import Options
from tests.pagegen.others import other
from tests.pagegen.render import render
from tests.pagegen.render_text import extracted_page
from tests.pagegen.truth import Page

FILE_NAME = "made-up-records.warc.gz"
MADE_AT = datetime(2026, 10, 1, tzinfo=UTC)
SOURCE = ("TTA-Source", "made-up")
NOTE = "Made-up TTA records for demonstration. No person, address, agency request or cost in this file is real."

# A few pages carry menus and footers, as all real ones do; not more, as a sample has to stay small.
FURNISHED_EVERY = 20

LOGIN = f"https://{HOST}/user/login?destination=/node/900000999"


def snapshot_page(snapshot: Snapshot) -> Page:
    if snapshot.form == "text":
        return extracted_page(snapshot.content, Options(body="breaks"))
    furniture = snapshot.content.node_id % FURNISHED_EVERY == 0
    return render(snapshot.content, snapshot.theme, Options(furniture=furniture))


def captures() -> Iterator[tuple[datetime, Page]]:
    """All captures by time: the records' histories and four answers that are no records."""
    found = [(snapshot.captured_at, snapshot_page(snapshot)) for index in range(RECORDS) for snapshot in history(index)]
    for index, name in ((4, "login-form"), (10, "page-not-found"), (31, "page-not-found"), (44, "redirect")):
        url = f"https://{HOST}/node/{FIRST_NODE + index}"
        last = max(when for when, page in found if page.url == url)
        found.append((last + timedelta(days=120), replace(other(name), url=url)))
    yield from sorted(found, key=lambda capture: (capture[0], capture[1].url))


def _record_id(name: str) -> str:
    return f"<urn:uuid:{uuid5(NAMESPACE_URL, name)}>"


def _write(writer: WARCWriter, when: datetime, page: Page) -> None:
    date = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {"WARC-Record-ID": _record_id(f"{page.url} {date}"), "WARC-Date": date, SOURCE[0]: SOURCE[1]}
    if page.text_form:
        record = writer.create_warc_record(
            page.url, "conversion", BytesIO(page.data), warc_content_type=page.content_type, warc_headers_dict=headers
        )
    else:
        http = [
            ("Date", format_datetime(when.astimezone(UTC), usegmt=True)),
            ("Content-Type", page.content_type),
            ("Content-Length", str(len(page.data))),
            *([("Location", LOGIN)] if page.status == HTTPStatus.FOUND else []),
        ]
        status = f"{page.status} {HTTPStatus(page.status).phrase}"
        record = writer.create_warc_record(
            page.url,
            "response",
            BytesIO(page.data),
            warc_headers_dict=headers,
            http_headers=StatusAndHeaders(status, http, protocol="HTTP/1.1"),
        )
    writer.write_record(record)


def write_samples(folder: Path) -> Path:
    """Writes the file into the folder, in place of one that is there. Returns its path."""
    path = folder / FILE_NAME
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        about = writer.create_warcinfo_record(FILE_NAME, {"description": NOTE, "format": "WARC File Format 1.0"})
        about.rec_headers.replace_header("WARC-Date", MADE_AT.strftime("%Y-%m-%dT%H:%M:%SZ"))
        about.rec_headers.replace_header("WARC-Record-ID", _record_id(FILE_NAME))
        about.rec_headers.add_header(*SOURCE)
        writer.write_record(about)
        for when, page in captures():
            _write(writer, when, page)
    return path


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
