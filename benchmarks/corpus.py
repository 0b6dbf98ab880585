"""Makes an archive of N captures to measure on: `python -m benchmarks.corpus 10000 /tmp/bench/10k`.

Some hundred rendered pages serve as templates; every record has a node number, a title and times of its own. The same N gives
the same archive, and the first captures of a larger one are those of a smaller one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from benchmarks.chrome import dressed
from scraper.archive.store import Archive, Prepared, prepare
from scraper.archive.warc import record_id_of, sha1_digest
from scraper.capture import Capture, Original, WarcType, utc_now
from tests.pagegen.content import Content, Field, Paragraph, Value
from tests.pagegen.invent import invent
from tests.pagegen.options import Options, Theme, Wrapper
from tests.pagegen.others import other
from tests.pagegen.render import html_of
from tests.pagegen.render_text import extracted_page

HOST = "bjatta.bja.ojp.gov"
TEMPLATES = 3000
BLOCK = 100
"""Captures that are laid out alike: 72 records for the first time, 12 changed, 8 unchanged, 4 revisits, a text, 3 other pages."""
_RECORDS = 72
_AT_ONCE = 64
"""Blocks that are made before the next are begun: what bounds the memory."""
_CHANGED, _UNCHANGED, _REVISITS, _TEXT = 84, 92, 96, 97
_OTHERS = ("login-form", "page-not-found", "blog-post")
_NODE, _TITLE = 987654321, "29990101-235959-99"
_THEMES: tuple[Theme, ...] = (*("bootstrap3",) * 7, "classy", "starterkit", "uswds")
"""The form seen most often most often, and some of the others (DOMAIN.md, "The two forms")."""
_WRAPPERS: dict[int, Wrapper] = {2: "fieldset", 6: "layout_builder", 12: "details", 16: "tabs"}
"""Of twenty pages, what is around the fields of the second, the sixth, and so on."""
_COMMENTS = """<section class="comments"><h2>Comments</h2><article class="comment" data-comment-user-id="3"><footer>Submitted
by <span>Pat Example</span> on <time datetime="2024-01-03T10:00:00-05:00">Wed, 01/03/2024 - 10:00</time></footer>
<div class="content"><h3><a href="/comment/3" rel="bookmark">Hi</a></h3><p>Useful.</p></div></article></section></article>"""
_PICTURE = '<footer><article typeof="schema:Person" about="/user/8" class="profile"></article>'
_FIRST_DAY = datetime(2016, 10, 1, 9, tzinfo=UTC)
_HEADERS = (
    ("Server", "Apache"),
    ("Cache-Control", "must-revalidate, no-cache, private"),
    ("X-Drupal-Dynamic-Cache", "MISS"),
    ("Content-language", "en"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Expires", "Sun, 19 Nov 1978 05:00:00 GMT"),
    ("X-Generator", "Drupal 9 (https://www.drupal.org)"),
    ("Content-Type", "text/html; charset=UTF-8"),
)


class Template(NamedTuple):
    """A rendered page, cut at its node number and its title."""

    pieces: tuple[tuple[bytes, ...], ...]

    def page(self, node: int, title: str) -> bytes:
        return title.encode().join([str(node).encode().join(piece) for piece in self.pieces])


def _template(page: bytes) -> Template:
    return Template(tuple(tuple(piece.split(str(_NODE).encode())) for piece in page.split(_TITLE.encode())))


def _content(number: int, *, changed: bool) -> Content:
    content = replace(invent(number), node_id=_NODE, title=_TITLE, host=HOST)
    if not changed:
        return content
    entries = tuple(
        replace(entry, values=(Value("Completed", "/taxonomy/term/4"),))
        if isinstance(entry, Field) and entry.spec.label == "Status of Deliverable"
        else entry
        for entry in content.entries
    )
    return replace(content, entries=entries, body=(*content.body, Paragraph(("Update: the first session has taken place.",))))


@cache
def _page(number: int, *, changed: bool) -> Template:
    """One in ten has pagegen's own furniture, one in five comments and an empty author picture, one in five groups of fields."""
    content = _content(number, changed=changed)
    options = Options(furniture=number % 10 == 5, wrapper=_WRAPPERS.get(number % 20, "none"))
    html = html_of(content, _THEMES[number % len(_THEMES)], options)
    if number % 5 == 3:
        html = html.replace("<footer>", _PICTURE, 1).replace("</article>", _COMMENTS)
    return _template(dressed(html).encode())


@cache
def _text(number: int) -> Template:
    return _template(extracted_page(_content(number, changed=False), Options(body="breaks")).data)


def node(record: int) -> int:
    """The node number of a made-up record, the first being 0."""
    return 10_000 + record


def title(record: int) -> str:
    """The record's reference, which no other record has."""
    moment = _FIRST_DAY + timedelta(seconds=280 * record)
    return f"{moment:%Y%m%d}-{moment.hour}{moment:%M%S}-{record % 60 + 1}"


def _response(record: int, when: datetime, *, changed: bool = False) -> Capture:
    body = _page(record % TEMPLATES, changed=changed).page(node(record), title(record))
    return Capture(
        warc_type=WarcType.RESPONSE,
        source="wayback",
        payload=body,
        url=f"https://{HOST}/node/{node(record)}",
        captured_at=when,
        http_status=200,
        http_reason="OK",
        http_headers=(*_HEADERS, ("Content-Length", str(len(body)))),
        content_type=_HEADERS[-1][1],
    )


def _first_seen(record: int) -> datetime:
    return _FIRST_DAY + timedelta(seconds=280 * record, days=40)


def _revisit(record: int, when: datetime) -> Capture:
    first = _response(record, _first_seen(record))
    return Capture(
        warc_type=WarcType.REVISIT,
        source="commoncrawl",
        payload=b"",
        url=first.url,
        captured_at=when,
        http_status=200,
        payload_digest=sha1_digest(first.payload),
        original=Original(warc_record_id=record_id_of(first)),
    )


def _text_capture(record: int, when: datetime) -> Capture:
    body = _text(record % TEMPLATES).page(node(record), title(record))
    url = f"https://{HOST}/node/{node(record)}"
    return Capture(
        warc_type=WarcType.CONVERSION, source="commoncrawl", payload=body, url=url, captured_at=when, content_type="text/plain"
    )


def _other(number: int, block: int, when: datetime) -> Capture:
    page = other(_OTHERS[number])
    return Capture(
        warc_type=WarcType.RESPONSE,
        source="wayback",
        payload=dressed(page.data.decode()).encode(),
        url=f"https://{HOST}/node/{2_000_000 + block * len(_OTHERS) + number}",
        captured_at=when,
        http_status=page.status,
        http_headers=(*_HEADERS[:-1], ("Content-Type", page.content_type)),
        content_type=page.content_type,
    )


def block(number: int) -> Iterator[Capture]:
    """The captures of one block. Later captures are of records of the first half of what there is, far from where they lie."""
    first, again = number * _RECORDS, number // 2 * _RECORDS
    for record in range(first, first + _RECORDS):
        yield _response(record, _first_seen(record))
    later = _first_seen(first + _RECORDS) + timedelta(days=200)
    for place in range(_RECORDS, BLOCK):
        when, record = later + timedelta(minutes=place), again + (place - _RECORDS) * 6 % _RECORDS + number % 2
        if place < _CHANGED:
            yield _response(record, when, changed=True)
        elif place < _UNCHANGED:
            yield _response(record, when)
        elif place < _REVISITS:
            yield _revisit(record, when)
        elif place < _TEXT:
            yield _text_capture(record, when)
        else:
            yield _other(place - _TEXT, number, when)


def _prepared(number: int) -> list[Prepared]:
    return [prepare(capture, utc_now()) for capture in block(number)]


def make(captures: int, data: Path, *, workers: int = 2) -> Path:
    """Fills the archive of the data folder `data`, where it has fewer captures than asked for; returns the folder."""
    with Archive(data / "archive", writable=True) as archive:
        there = sum(1 for _ in archive.entries())
        if there >= captures:
            return data
        wanted = range(there // BLOCK, -(-captures // BLOCK))
        with ProcessPoolExecutor(workers) as pool:
            parts = (wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE))
            prepared = (one for part in parts for some in pool.map(_prepared, part) for one in some)
            for one in islice(prepared, captures - there // BLOCK * BLOCK):
                archive.append(one)
    return data


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("captures", type=int)
    arguments.add_argument("data", type=Path, help="data folder; its archive is made or added to")
    arguments.add_argument("--workers", type=int, default=2)
    given = arguments.parse_args()
    make(given.captures, given.data, workers=given.workers)
