"""The work whose cost is compared: reading bytes, parsing pages, loading them, and the same job the usual way."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from fastwarc.warc import ArchiveIterator, WarcRecordType
from selectolax.lexbor import LexborHTMLParser

from parsers.page import parse_page
from parsers.record import ParseResult as Parsed
from scraper.archive.store import Archive
from scraper.database.connection import reading
from scraper.database.load import LoadOptions, load
from scraper.export.run import export
from scraper.folders import Folders

_TYPES = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.conversion | WarcRecordType.revisit


def floor(data: str) -> int:
    """Reads every record and gives its bytes to the HTML parser, and does nothing with either; less is not possible.

    Returns the number of captures.
    """
    count = 0
    for path in sorted(Path(data, "archive").glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, record_types=_TYPES, parse_http=True):
                if body := record.reader.read():
                    LexborHTMLParser(body)
                count += 1
    return count


class Page(NamedTuple):
    """An HTML page as captured."""

    content: bytes
    url: str | None


def html_pages(data: str, pages: int) -> list[Page]:
    """So many of the archive's HTML pages, in the order in which they were captured."""
    with Archive(Path(data, "archive")) as archive:
        chosen = islice(archive.entries("form = 'response' AND http_status = 200"), pages)
        return [Page(capture.content, capture.url) for capture in map(archive.read, chosen)]


def parser_alone(data: str, pages: int) -> dict[str, dict[str, float]]:
    """Processor seconds for so many HTML pages: lexbor alone (`bare`), and `parse_page` on top of it; the least of three turns.

    `all` of them, and those among them that show a record, by WAYS.
    """
    every = html_pages(data, pages)
    ways = {"all": every} | {way: [page for page in every if _way(page) == way] for way in WAYS}
    return {way: {"pages": len(some)} | _spent(some) for way, some in ways.items()}


WAYS = {"classed": "fields with classes", "bare": "fields without classes"}


def _way(page: Page) -> str | None:
    """Whether a record's fields have classes; None where the page shows no record."""
    record = parse(page).record
    if record is None:
        return None
    return "classed" if any(field.name for field in record.fields if field.label) else "bare"


def _spent(pages: list[Page]) -> dict[str, float]:
    turns = []
    for _ in range(3):
        began = time.process_time()
        for page in pages:
            LexborHTMLParser(page.content)
        between = time.process_time()
        for page in pages:
            parse(page)
        turns.append((between - began, time.process_time() - between))
    bare, parsed = (min(spent) for spent in zip(*turns, strict=True))
    return {"bare": bare, "parse_page": parsed}


def parse(page: Page) -> Parsed:
    """What the parser says of a page as a crawler keeps it."""
    return parse_page(page.content, url=page.url, content_type="text/html; charset=UTF-8", http_status=200)


def full_load(data: str, workers: int) -> int:
    """Everything in the archive into a new database. Returns the number of records."""
    folders = Folders(Path(data))
    for suffix in ("", "-wal", "-shm"):
        Path(f"{folders.database}{suffix}").unlink(missing_ok=True)
    return load(folders, LoadOptions(workers=workers)).records


def load_again(data: str) -> int:
    """A load with nothing new. Returns the captures it loaded, which are none."""
    return load(Folders(Path(data))).captures


def _pages(data: str, pages: int) -> Iterator[tuple[str, bytes]]:
    """Addresses and bodies, as the usual way reads them: with warcio."""
    from warcio.archiveiterator import ArchiveIterator as WarcioIterator

    left = pages
    for path in sorted(Path(data, "archive").glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in WarcioIterator(file):
                if record.rec_type == "response" and left > 0:
                    left -= 1
                    yield record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read()


def _label_key(label: str) -> str:
    return label.strip().lower()[:60]


def usual_way(data: str, pages: int) -> int:
    """BeautifulSoup and an insert per record. It knows one theme, one spelling of its classes, no history and no sources."""
    from bs4 import BeautifulSoup
    from sqlite_utils import Database

    count = 0
    with tempfile.TemporaryDirectory() as folder:
        db = Database(Path(folder, "usual.db"))
        for url, body in _pages(data, pages):
            count += 1
            soup = BeautifulSoup(body, "lxml")
            row = {"url": url, "title": soup.title.get_text() if soup.title else None}
            fields = []
            for field in soup.select("div.field"):
                label = field.select_one(".field--label, .field__label")
                values = [item.get_text(" ", strip=True) for item in field.select(".field--item, .field__item")]
                if label is not None:
                    fields += [{"url": url, "label": _label_key(label.get_text()), "value": value} for value in values]
            row["fields"] = json.dumps(fields)
            db["records"].insert(row, pk="url", replace=True, alter=True)
            if fields:
                db["fields"].insert_all(fields, alter=True)
    return count


def usual_way_with_parsel(data: str, pages: int) -> int:
    """The same with parsel's selectors, which Scrapy uses."""
    from parsel import Selector
    from sqlite_utils import Database

    count = 0
    with tempfile.TemporaryDirectory() as folder:
        db = Database(Path(folder, "usual.db"))
        for url, body in _pages(data, pages):
            count += 1
            page = Selector(body.decode("utf-8", "replace"))
            fields = []
            for field in page.css("div.field"):
                label = field.css(".field--label::text, .field__label::text").get()
                for item in field.css(".field--item, .field__item"):
                    if label:
                        value = " ".join(item.css("::text").getall()).strip()
                        fields.append({"url": url, "label": _label_key(label), "value": value})
            row = {"url": url, "title": page.css("title::text").get(), "fields": json.dumps(fields)}
            db["records"].insert(row, pk="url", replace=True, alter=True)
            if fields:
                db["fields"].insert_all(fields, alter=True)
    return count


def export_with_tta(data: str, form: str, dest: str) -> None:
    """All of the database in one of the program's forms."""
    with reading(Folders(Path(data)).database) as db:
        export(form, db, Path(dest))


def export_with_sqlite3(data: str, dest: str) -> None:
    """Every table as CSV, with nothing but Python's sqlite3 and csv: no check, no manifest, no escaping of formulas."""
    import csv

    Path(dest).mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(f"file:{Folders(Path(data)).database}?mode=ro", uri=True)
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%_fts%'").fetchall()
    for (name,) in names:
        rows = db.execute(f'SELECT * FROM "{name}"')
        with Path(dest, f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(column[0] for column in rows.description)
            writer.writerows(rows)
