"""Answers of CDX servers to rows: the Internet Archive's text and JSON forms, and pywb's object per line.

An answer is rows or an error, never silence: whatever can't be read as CDX raises NotCdx, since an error page taken for an
empty listing loses an archive without a word (ARCHIVES.md, fact 7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from scraper.config import Retry
from scraper.errors import NotCdx, UnknownFields
from scraper.ledger.rows import Row
from scraper.terminal import escape
from scraper.web.addresses import host_of
from scraper.web.client import Answer, Client
from scraper.web.pacing import backoff

FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_NAMES = {"url": "original", "mime": "mimetype", "status": "statuscode"}
MAX_ROW = 1 << 20
"""Characters; addresses of kilobytes occur (ARCHIVES.md, section 1), more is no row."""
T = TypeVar("T")
_GAP = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. `rows` holds each as a mapping by the Internet Archive's field names."""

    rows: list[dict[str, str]]
    resume_key: str | None


def parse_listing(answer: Answer) -> Page:
    """The rows and the key of the next page. Raises NotCdx."""
    page = _parsed(answer)
    if page.resume_key is not None and not re.fullmatch(r"[\x20-\x7e]{1,20000}", page.resume_key):
        raise NotCdx("the key of the next page is no key")
    return page


def _parsed(answer: Answer) -> Page:
    content_type = answer.headers.get("content-type", "").lower()
    text = answer.body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    start = text.lstrip()
    if blocked := re.search(r"(Administrative|Robot)AccessControlException|Blocked Site Error", text[:4096]):
        raise NotCdx(f"the archive says that the site is excluded ({blocked[0]})", final=True)
    if "html" in content_type or start.startswith("<"):
        raise NotCdx(f"a page instead of a listing: {escape(_words(start), 80)}")
    if start.startswith("["):
        return _json_page(start)
    if start.startswith("{"):
        rows = [_by_name(row) for row in parse_lines(text)]
        if not all("original" in row and "timestamp" in row for row in rows):
            raise UnknownFields("the rows have no addresses")
        return Page(rows, None)
    return _text_page(text)


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html[:2000]).split())


def _json_page(text: str) -> Page:
    """Array of arrays, field names first; then, where there is more, an empty array and one with the key."""
    header: list[str] | None = None
    rows: list[dict[str, str]] = []
    tail: list[list[str]] = []
    for values in _json_rows(text):
        if tail or not values:
            tail.append(values)
        elif header is None:
            header = [str(value) for value in values]
            if not {"timestamp", "original"} <= set(header):
                raise NotCdx(f"a listing without field names: {escape(header, 80)}")
        elif len(values) != len(header):
            raise NotCdx(f"a row of {len(values)} fields where there are {len(header)}: {escape(values, 80)}")
        else:
            rows.append(dict(zip(header, values, strict=True)))
    if not tail:
        return Page(rows, None)
    if len(tail) != 2 or len(tail[1]) != 1:
        raise NotCdx("the listing does not end as it should: no key after the empty row")
    return Page(rows, tail[1][0])


def _json_rows(text: str) -> Iterator[list[str]]:
    """The inner arrays one at a time, so that a large listing is never a large object."""
    position = _past_gap(text, 1)
    while text[position : position + 1] != "]":
        try:
            values, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            shown = escape(text[position : position + 60])
            raise NotCdx(f"the listing is cut or damaged near {shown!r}") from None
        if not isinstance(values, list) or not all(isinstance(value, str | int | None) for value in values):
            raise NotCdx(f"a row that is not a list of texts: {escape(values, 80)}")
        yield ["" if value is None else str(value) for value in values]
        position = _past_gap(text, position)
    if text[position + 1 :].strip():
        raise NotCdx("something follows the end of the listing")


def _past_gap(text: str, position: int) -> int:
    found = _GAP.match(text, position)
    return found.end() if found else position


def _text_page(text: str) -> Page:
    """Seven columns a line; then, where there is more, an empty line and one with the key."""
    if not text.strip():
        return Page([], None)
    if not text.endswith("\n"):
        raise NotCdx("the last line of the listing is cut")
    lines = text.split("\n")[:-1]
    key = None
    if "" in (stripped := [line.strip("\r") for line in lines]):
        at = stripped.index("")
        rest = [line for line in stripped[at:] if line]
        if len(rest) > 1:
            raise NotCdx("the listing goes on after its end")
        key, lines = (rest[0] if rest else None), lines[:at]
    return Page([_columns(line.strip("\r")) for line in lines], key)


def _columns(line: str) -> dict[str, str]:
    values = line.split(" ")
    if len(line) > MAX_ROW or len(values) != len(FIELDS) or not re.fullmatch(r"\d{1,17}", values[1]):
        raise NotCdx(f"a line that is no CDX: {escape(line, 80)}")
    return dict(zip(FIELDS, values, strict=True))


def parse_lines(text: str) -> Iterator[dict[str, object]]:
    """An object per line, as pywb and Common Crawl answer. The last line must be whole: a cut one shows a cut answer."""
    if not text.endswith("\n"):
        raise NotCdx("the last line of the listing is cut")
    for line in text.split("\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise NotCdx(f"a line that is no JSON: {escape(line, 80)}") from None
        if not isinstance(row, dict):
            raise NotCdx(f"a line that is no JSON object: {escape(line, 80)}")
        if "urlkey" not in row and "url" not in row:
            raise NotCdx(f"an answer that is no listing: {escape(line, 120)}")
        if str(row.get("is_fuzzy", "0")) in ("0", "False", "false"):
            yield row


def _by_name(row: Mapping[str, object]) -> dict[str, str]:
    return {_NAMES.get(name, name): str(value) for name, value in row.items()}


def until_readable(client: Client, retry: Retry, url: str, ask: Callable[[int], T]) -> T:
    """What `ask` makes of an answer from `url`; an answer that is no listing is asked for again, as a broken one is.

    `ask` is given the number of the attempt, from 0. Raises NotCdx at the end, or at once where asking again can't help.
    """
    attempt = 0
    while True:
        try:
            return ask(attempt)
        except NotCdx as error:
            attempt += 1
            if error.final or attempt >= retry.attempts or not client.budget.take():
                raise
            client.pacer.delay(host_of(url), backoff(retry.backoff, attempt - 1))


def plain(value: str | None) -> str | None:
    """A short field as it stands; None where it is missing or holds what no such field holds."""
    return value if value and value != "-" and re.fullmatch(r"[\x20-\x7e]{1,150}", value) else None


def to_row(fields: Mapping[str, str]) -> Row | None:
    """A row of the Internet Archive's, None where it can't be asked for: the timestamp goes into an address, so digits only
    (waybackpack #63).
    """
    timestamp, original = fields.get("timestamp", ""), fields.get("original", "")
    if not re.fullmatch(r"[0-9]{14}", timestamp) or not re.match(r"https?://[^/]", original, re.IGNORECASE):
        return None
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", original):
        return None
    digest, status, length = fields.get("digest", ""), fields.get("statuscode", ""), fields.get("length", "")
    return Row(
        url=original,
        timestamp=timestamp,
        digest=plain(digest),
        mime=plain(fields.get("mimetype")),
        status=int(status) if re.fullmatch(r"[0-9]{3}", status) else None,
        length=int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None,
    )
