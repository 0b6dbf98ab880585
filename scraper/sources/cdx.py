"""Parses answers of CDX servers into rows: the Internet Archive's text and JSON forms, and pywb's object per line.

Whatever is not CDX raises NotCdx: an error page taken for an empty listing would lose an archive silently (ARCHIVES.md, fact 7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from scraper.errors import NotCdx, UnknownFields
from scraper.ledger.rows import Row
from scraper.sources.base import SourceContext
from scraper.terminal import escape
from scraper.web.addresses import host_of
from scraper.web.client import MAX_BODY, Answer
from scraper.web.pacing import backoff

FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_NAMES = {"url": "original", "mime": "mimetype", "status": "statuscode"}
MAX_ROW = 1 << 20
"""Characters; URLs of kilobytes occur (ARCHIVES.md, section 1), a longer line is not a row."""
T = TypeVar("T")
_GAP = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()
_FILE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.=-]*/){0,12}[A-Za-z0-9_][A-Za-z0-9_.=-]*\.warc\.gz")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. `rows` are mappings with the Internet Archive's field names."""

    rows: list[dict[str, str]]
    resume_key: str | None


def parse_listing(answer: Answer) -> Page:
    """Returns the rows and the key of the next page. Raises NotCdx."""
    content_type = answer.headers.get("content-type", "").lower()
    text = answer.body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    start = text.lstrip()
    if blocked := re.search(r"(Administrative|Robot)AccessControlException|Blocked Site Error", text[:4096]):
        raise NotCdx(f"the archive excludes this site ({blocked[0]})", final=True)
    if "html" in content_type or start.startswith("<"):
        words = " ".join(re.sub(r"<[^>]*>", " ", start[:2000]).split())
        raise NotCdx(f"an HTML page instead of a listing: {escape(words, 80)}")
    if start.startswith("{"):
        rows = list(parse_lines(text))
        if not all("original" in row and "timestamp" in row for row in rows):
            raise UnknownFields("the rows have no URLs")
        return Page(rows, None)
    page = _json_page(start) if start.startswith("[") else _text_page(text)
    if page.resume_key is not None and not re.fullmatch(r"[\x20-\x7e]{1,20000}", page.resume_key):
        raise NotCdx("the resume key contains characters that it can't contain")
    return page


def _json_page(text: str) -> Page:
    """An array of arrays, field names first; if there is more, an empty array and one with the key follow."""
    header: list[str] | None = None
    rows: list[dict[str, str]] = []
    tail: list[list[str]] = []
    for values in _json_rows(text):
        if tail or not values:
            tail.append(values)
        elif header is None:
            header = values
            if not {"timestamp", "original"} <= set(header):
                raise NotCdx(f"a listing without field names: {escape(header, 80)}")
        elif len(values) != len(header):
            raise NotCdx(f"a row of {len(values)} fields where there are {len(header)}: {escape(values, 80)}")
        else:
            rows.append(dict(zip(header, values, strict=True)))
    if not tail:
        return Page(rows, None)
    if len(tail) != 2 or len(tail[1]) != 1:
        raise NotCdx("the listing does not end properly: no key after the empty row")
    return Page(rows, tail[1][0])


def _json_rows(text: str) -> Iterator[list[str]]:
    """Yields the inner arrays one at a time, so that a large listing is never one large object."""
    position = _GAP.match(text, 1).end()  # type: ignore[union-attr]
    while text[position : position + 1] != "]":
        try:
            values, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            raise NotCdx(f"the listing is cut or damaged near {escape(text[position : position + 60])!r}") from None
        if not isinstance(values, list) or not all(isinstance(value, str | int | None) for value in values):
            raise NotCdx(f"a row that is not a list of texts: {escape(values, 80)}")
        yield ["" if value is None else str(value) for value in values]
        position = _GAP.match(text, position).end()  # type: ignore[union-attr]
    if text[position + 1 :].strip():
        raise NotCdx("something follows the end of the listing")


def _text_page(text: str) -> Page:
    """Seven columns a line; if there is more, an empty line and one with the key follow."""
    if not text.strip():
        return Page([], None)
    if not text.endswith("\n"):
        raise NotCdx("the last line of the listing is cut")
    lines = [line.strip("\r") for line in text.split("\n")[:-1]]
    key = None
    if "" in lines:
        rest = [line for line in lines[lines.index("") :] if line]
        if len(rest) > 1:
            raise NotCdx("the listing continues after its end")
        key, lines = (rest[0] if rest else None), lines[: lines.index("")]
    rows = []
    for line in lines:
        values = line.split(" ")
        if len(line) > MAX_ROW or len(values) != len(FIELDS) or not re.fullmatch(r"\d{1,17}", values[1]):
            raise NotCdx(f"a line that is not CDX: {escape(line, 80)}")
        rows.append(dict(zip(FIELDS, values, strict=True)))
    return Page(rows, key)


def parse_lines(text: str) -> Iterator[dict[str, str]]:
    """Yields the rows of an answer with an object per line (pywb, Common Crawl), with the Internet Archive's field names.

    Fuzzy matches are skipped. Raises NotCdx, also where the last line is not terminated, which a cut answer shows.
    """
    if not text.endswith("\n"):
        raise NotCdx("the last line of the listing is cut")
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise NotCdx(f"a line that is not JSON: {escape(line, 80)}") from None
        if not isinstance(row, dict) or ("urlkey" not in row and "url" not in row):
            raise NotCdx(f"a line that is not a row: {escape(line, 120)}")
        if str(row.get("is_fuzzy", "0")) in ("0", "False", "false"):
            yield {_NAMES.get(str(name), str(name)): str(value) for name, value in row.items() if value is not None}


def until_readable(context: SourceContext, url: str, ask: Callable[[int], T]) -> T:
    """Returns what `ask` returns for an answer from `url`. An answer that is not a listing is requested again.

    `ask` is given the number of the attempt, from 0. Raises NotCdx at the end, or at once where it is final.
    """
    attempt = 0
    while True:
        try:
            return ask(attempt)
        except NotCdx as error:
            attempt += 1
            retry = context.settings.retry
            if error.final or attempt >= retry.attempts or not context.client.budget.take():
                raise
            context.client.pacer.delay(host_of(url), backoff(retry.backoff, attempt - 1))


def _short(value: str | None) -> str | None:
    """A short field as it is; None where it is missing or contains characters that such fields never contain."""
    return value if value and value != "-" and re.fullmatch(r"[\x20-\x7e]{1,150}", value) else None


def _number(value: str, digits: int) -> int | None:
    return int(value) if re.fullmatch(rf"[0-9]{{1,{digits}}}", value) else None


def to_row(fields: Mapping[str, str], *, located: bool = False) -> Row | None:
    """Returns a listed row, None where it can't be asked for. The timestamp becomes part of a URL, so it must be digits
    (waybackpack #63).

    `located`: the row must name the WARC file, offset and length of its record, the file as archives name theirs. Raises NotCdx
    where a located row has no such fields at all.
    """
    timestamp, original = fields.get("timestamp", ""), fields.get("original", "")
    if located and not {"original", "timestamp", "filename", "offset", "length"} <= set(fields):
        raise NotCdx(f"an index line without the place of its record: {escape(dict(fields), 120)}")
    if not re.fullmatch(r"[0-9]{14}", timestamp) or not re.match(r"https?://[^/]", original, re.IGNORECASE):
        return None
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", original):
        return None
    length, offset = _number(fields.get("length", ""), 15), _number(fields.get("offset", ""), 15) if located else None
    filename = fields["filename"] if located else None
    if located and (offset is None or not 0 < (length or 0) <= MAX_BODY or not _FILE.fullmatch(filename or "")):
        return None
    status = fields.get("statuscode", "")
    return Row(
        url=original,
        timestamp=timestamp,
        digest=_short(fields.get("digest")),
        mime=_short(fields.get("mimetype")),
        status=int(status) if re.fullmatch(r"[0-9]{3}", status) else None,
        length=length,
        filename=filename,
        offset=offset,
        truncated=_short(fields.get("truncated")) if located else None,
    )


def located(pages: Iterable[list[dict[str, str]]]) -> Iterator[tuple[list[Row], int]]:
    """Yields the rows of each page of an index that locates records, and how many more can't be asked for. Raises NotCdx."""
    for page in pages:
        rows = [row for fields in page if (row := to_row(fields, located=True))]
        yield rows, len(page) - len(rows)
