"""The work whose cost is compared: reading bytes, parsing pages, loading them, and the same job the usual way."""

import json
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
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
from scraper.sqlite import remove

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
        chosen = islice(archive.entries("warc_type = 'response' AND http_status = 200"), pages)
        return [Page(capture.content, capture.url) for capture in map(archive.read, chosen)]


def parser_alone(data: str, pages: int) -> dict[str, dict[str, float]]:
    """Pages, and processor seconds for each by each of READERS; the least of three turns.

    `all` of so many HTML pages of an archive, and those among them that show a record, by WAYS.
    """
    every = html_pages(data, pages)
    ways = {"all": every} | {way: [page for page in every if _way(page) == way] for way in WAYS}
    return {way: {"pages": len(some)} | _spent([page.content for page in some], list(READERS)) for way, some in ways.items()}


WAYS = {"classed": "fields with classes", "bare": "fields without classes"}


def _way(page: Page) -> str | None:
    """Whether a record's fields have classes; None where the page shows no record."""
    record = parse(page).record
    if record is None:
        return None
    return "classed" if any(field.name for field in record.fields if field.label) else "bare"


def _spent(bodies: list[bytes], readers: list[str]) -> dict[str, float]:
    """Processor seconds of each reader for a page, in turns; the least of three."""
    spent: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(3):
        for name in readers:
            began = time.process_time()
            for body in bodies:
                READERS[name](body)
            spent[name].append((time.process_time() - began) / max(len(bodies), 1))
    return {name: min(turns) for name, turns in spent.items()}


def parse(page: Page) -> Parsed:
    """What the parser says of a page as a crawler keeps it."""
    return parse_page(page.content, url=page.url, content_type="text/html; charset=UTF-8", http_status=200)


def full_load(data: str, workers: int) -> int:
    """Everything in the archive into a new database, and parsed anew. Returns the number of records."""
    folders = Folders(Path(data))
    for name in ("tta.db", "parsed.db", "similar.db"):
        remove(folders.data / name)
    return load(folders, LoadOptions(workers=workers)).records


def rebuild(data: str) -> int:
    """The same with the parsed pages of an earlier load, as after a change of the schema. Returns the number of records."""
    folders = Folders(Path(data))
    remove(folders.database)
    return load(folders, LoadOptions()).records


def a_record(data: str) -> str:
    """The id of a record with several captures."""
    with reading(Folders(Path(data)).database) as db:
        return str(db.execute("SELECT record_id FROM records ORDER BY captures DESC, record_id LIMIT 1").fetchone()[0])


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


Fields = list[tuple[str, str]]
"""Labels and values of a page."""


def read_with_soup(body: bytes) -> tuple[str | None, Fields]:
    """A page's title and fields with BeautifulSoup: one spelling of Drupal's classes, one value a row, nothing else."""
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(body, "lxml")
    found: Fields = []
    for field in soup.select("div.field"):
        if (label := field.select_one(".field--label, .field__label, .title")) is not None:
            items = field.select(".field--item, .field__item")
            found += [(label.get_text().strip(), item.get_text(" ", strip=True)) for item in items]
    return soup.title.get_text() if soup.title else None, found


def read_with_parsel(body: bytes) -> tuple[str | None, Fields]:
    """The same with parsel's selectors, which Scrapy uses."""
    from parsel import Selector

    page = Selector(body.decode("utf-8", "replace"))
    found: Fields = []
    for field in page.css("div.field"):
        if label := field.css(".field--label::text, .field__label::text, .title::text").get():
            items = field.css(".field--item, .field__item")
            found += [(label.strip(), " ".join(item.css("::text").getall()).strip()) for item in items]
    return page.css("title::text").get(), found


def _usual(data: str, pages: int, read: Callable[[bytes], tuple[str | None, Fields]]) -> int:
    """An insert per record and its fields. It has no history and no sources."""
    from sqlite_utils import Database

    count = 0
    with tempfile.TemporaryDirectory() as folder:
        db = Database(Path(folder, "usual.db"))
        for url, body in _pages(data, pages):
            count += 1
            title, found = read(body)
            fields = [{"url": url, "label": label.lower()[:60], "value": value} for label, value in found]
            row = {"url": url, "title": title, "fields": json.dumps(fields)}
            db["records"].insert(row, pk="url", replace=True, alter=True)
            if fields:
                db["fields"].insert_all(fields, alter=True)
    return count


def usual_way(data: str, pages: int) -> int:
    """BeautifulSoup and an insert per record. Returns the number of pages."""
    return _usual(data, pages, read_with_soup)


def usual_way_with_parsel(data: str, pages: int) -> int:
    """The same with parsel."""
    return _usual(data, pages, read_with_parsel)


READERS: dict[str, Callable[[bytes], object]] = {
    "bare": LexborHTMLParser,
    "parse_page": lambda body: parse(Page(body, "https://bjatta.bja.ojp.gov/node/1")),
    "parsel": read_with_parsel,
    "soup": read_with_soup,
}


def parser_on(warc_file: str) -> dict[str, float]:
    """Pages with status 200 in a WARC file, and processor seconds for each by each of READERS."""
    bodies = []
    with Path(warc_file).open("rb") as file:
        for record in ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=True):
            if record.http_headers and record.http_headers.status_code == 200:
                bodies.append(record.reader.read())
    return {"pages": len(bodies)} | _spent(bodies, list(READERS))


def packed_by(data: str, pages: int) -> dict[str, tuple[float, float, float]]:
    """Bytes a record, and processor seconds to write and to read one, of ways to compress WARC records, each record by itself."""
    import gzip

    import zstandard

    blocks = []
    for path in sorted(Path(data).rglob("*.warc.gz")):
        left = path.read_bytes()
        while left and len(blocks) < 4 * pages:
            member = zlib.decompressobj(31)
            blocks.append(member.decompress(left))
            left = member.unused_data
    blocks = [block for block in blocks if b"WARC-Type: response" in block[:500]][: 2 * pages]
    learned = zstandard.train_dictionary(112_640, blocks[::2])
    ways: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {"none": (bytes, bytes)}
    for level in (1, 6, 9):
        ways[f"gzip {level}"] = (partial(gzip.compress, compresslevel=level, mtime=0), gzip.decompress)
    for level in (3, 19):
        ways[f"zstd {level}"] = zstandard.ZstdCompressor(level).compress, zstandard.ZstdDecompressor().decompress
        write = zstandard.ZstdCompressor(level, dict_data=learned)
        ways[f"zstd {level} with a dictionary"] = write.compress, zstandard.ZstdDecompressor(learned).decompress
    found = {}
    for name, (pack, unpack) in ways.items():
        began = time.process_time()
        packed = [pack(block) for block in blocks[1::2]]
        between = time.process_time()
        for one in packed:
            unpack(one)
        count = len(packed)
        found[name] = sum(map(len, packed)) / count, (between - began) / count, (time.process_time() - between) / count
    return found


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
