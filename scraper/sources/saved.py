"""Single saved pages as captures: MHTML, HAR, HTTP messages (`wget --save-headers`, `curl -i`), HTML, text, Drupal's data.

`containers` is the caller and takes the packing off. Addresses and times are as the file has them; `scraper.archive.dating`
decides what follows from them.
"""

from __future__ import annotations

import base64
import email
import json
import re
from collections.abc import Iterator
from email.message import Message
from typing import Any, BinaryIO, NamedTuple

from scraper.archive.records import split_http
from scraper.capture import NOT_KEPT, Capture, Form, Recorded
from scraper.sources.formats import format_of

SOURCE = "files"
MAX_FAILURES = 1000
"""Damaged entries of a HAR file after which the rest is not searched."""
MAX_PAGE = 64 * 1024 * 1024
"""Bytes of a single page's file; ARCHIVES.md section 8 proposes 64 MiB for a record (November 2026)."""
MAX_SAVED = 4 * MAX_PAGE
"""Bytes of an MHTML or HAR file, which has a page's images too and is read in one piece."""
_MESSAGE = re.compile(rb"(?:From |[\w-]+:)[^\n]*\n(?:[^\n]+\n){0,40}?(?:MIME-Version|Snapshot-Content-Location):", re.IGNORECASE)
_HAR = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:\s*\{')
_HAR_ENTRY = re.compile(r"(?<=[,\n\s])\{(?=\s*\"(?:startedDateTime|_\w+|pageref|connection|cache|request)\")")
_HAR_NEXT = re.compile(r"\s*([,\]])\s*")
_WITHOUT, _PARTS = "responses without their content", "scripts, images and other parts of pages"
_HTTP = re.compile(rb"HTTP/\d(?:\.\d)? \d{3}[ \r\n]")
_PAGE_TYPE = re.compile(
    r"(?:text/(?:html|plain|xml)|application/(?:xhtml\+xml|(?:[\w.]+\+)?(?:json|xml)))?\s*(?:;.*)?", re.I | re.S
)


class Unused(NamedTuple):
    """What yields no capture, or a damaged one, and why. `is_companion`: it is no page but belongs to one, as style sheets do.

    `is_unknown`: it is nothing that captures come in.
    """

    where: str
    reason: str
    is_companion: bool = False
    is_unknown: bool = False

    def describe(self, name: str) -> str:
        """The reason, with the place in the file of that name."""
        inner = self.where.removeprefix(name).lstrip("!/")
        return f"{inner}: {self.reason}" if inner else self.reason


def read_saved(file: BinaryIO, name: str) -> Iterator[Capture | Unused]:
    """Every capture in a file that is not packed, and what in it is none; never raises on what it holds."""
    file.seek(0)
    body = file.read(MAX_SAVED + 1)
    head = body[: 1 << 16]
    is_har = _HAR.match(head) or (head.lstrip()[:1] == b"{" and b'"startedDateTime"' in head)
    read = _read_har if is_har else _read_http if _HTTP.match(head) else _read_mhtml if _MESSAGE.match(head) else _read_page
    limit = MAX_SAVED if read in (_read_har, _read_mhtml) else MAX_PAGE
    if len(body) > limit:
        yield Unused(name, f"larger than {limit} bytes, which no page is")
    else:
        yield from read(body, name)


def _read_page(body: bytes, name: str) -> Iterator[Capture | Unused]:
    found = format_of(body, name)
    if found.media_type is None:
        reason = "the file is empty" if found.name == "an empty file" else f"not a page: {found.name}"
        yield Unused(name, reason, found.is_companion, is_unknown=True)
        return
    form = Form.CONVERSION if found.media_type == "text/plain" else Form.RESOURCE
    yield Capture(form=form, source=SOURCE, payload=body, content_type=found.media_type, origin=name)


def _read_http(body: bytes, name: str) -> Iterator[Capture | Unused]:
    """The last of the messages that a client wrote one after the other: before it are redirects, and answers of a proxy."""
    status, reason, headers, payload = split_http(body)
    while _HTTP.match(payload):
        status, reason, headers, payload = split_http(payload)
    named = {key.lower(): value for key, value in reversed(headers)}
    length = named.get("content-length", "")
    is_cut = length.isdecimal() and len(payload) < int(length) and "content-encoding" not in named
    if is_cut:
        yield Unused(name, f"the page is cut: {len(payload)} of {length} bytes")
    yield Capture(
        form=Form.RESPONSE,
        source=SOURCE,
        payload=payload,
        http_status=status,
        http_reason=reason,
        http_headers=headers,
        content_type=named.get("content-type"),
        truncated="unspecified" if is_cut else None,
        damage="the file ends within it" if is_cut else None,
        origin=name,
    )


def _read_mhtml(body: bytes, name: str) -> Iterator[Capture | Unused]:
    """The page of a single-file page, and pages of the same host in its frames."""
    end = re.search(rb"\r?\n\r?\n", body)
    head = body[: end.start()] if end else body
    message = email.message_from_bytes(re.sub(rb"(\n)(?![\w-]+:|[ \t\r])", rb"\1 ", head) + body[len(head) :])
    parts = [part for part in message.walk() if part.get_content_type() in ("text/html", "application/xhtml+xml")]
    places = [_location(part, "Content-Location") for part in parts]
    named = [_location(message, "Snapshot-Content-Location"), _location(message, "Content-Location"), *places[:1]]
    main = next(filter(None, named), "")
    if not parts or not main:
        yield Unused(name, "MHTML without a page" if message.is_multipart() and not parts else "not a page: an e-mail message")
        return
    is_cut = any("BoundaryNotFound" in type(defect).__name__ for defect in message.defects)
    if is_cut:
        yield Unused(name, "the file ends within an MHTML part")
    last = list(message.walk())[-1]
    for part, url in zip(parts, [main, *places[1:]], strict=True):
        if url.split("/")[:3] != main.split("/")[:3]:
            yield Unused(name, "a frame", is_companion=True)
            continue
        payload = part.get_payload(decode=True)
        defects = [type(defect).__name__ for defect in part.defects]
        damage = "the file ends within it" if is_cut and part is last else None
        if not isinstance(payload, bytes) or not payload.strip() or "MissingHeaderBodySeparatorDefect" in defects:
            yield Unused(name, f"the page {url[:200]} is empty")
            continue
        if defects:
            damage = f"its encoding is damaged ({defects[0]})"
            yield Unused(name, f"the page {url[:200]}: {damage}")
        yield Capture(
            form=Form.RESOURCE,
            source=SOURCE,
            payload=payload,
            content_type=re.sub(r"\s+", " ", str(part.get("Content-Type", "text/html"))),
            truncated="unspecified" if damage else None,
            damage=damage,
            origin=name,
            recorded=Recorded(url, str(message["Date"]) if message["Date"] else None),
        )


def _location(part: Message, header: str) -> str:
    return re.sub(r"\s+", "", str(part.get(header, "")))


def _read_har(body: bytes, name: str) -> Iterator[Capture | Unused]:
    """The pages among the requests that a browser recorded. Style sheets, scripts and images are not captures."""
    text = body.decode("utf-8-sig", "replace")
    counts = {_WITHOUT: 0, _PARTS: 0}
    for entry in _har_entries(text):
        try:
            found = entry if isinstance(entry, str) else _har_capture(entry, name)
        except (KeyError, TypeError, ValueError, AttributeError):
            found = "a damaged entry"
        if isinstance(found, Capture):
            yield found
        elif found in counts:
            counts[found] += 1
        else:
            yield Unused(name, found)
    yield from (Unused(name, f"{count} {what}", is_companion=what is _PARTS) for what, count in counts.items() if count)


def _har_entries(text: str) -> Iterator[dict[str, Any] | str]:
    """The entries one by one, so that a damaged one costs no other."""
    found = re.search(r'"entries"\s*:\s*\[\s*', text)
    decoder = json.JSONDecoder()
    position = found.end() if found else len(text)
    ends_well, failures = False, 0
    while position < len(text):
        try:
            entry, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            failures += 1
            yield f"a damaged entry at character {position}"
            later = _HAR_ENTRY.search(text, position + 1)
            position = later.start() if later and failures < MAX_FAILURES else len(text)
            continue
        if isinstance(entry, dict) and {"request", "response"} <= entry.keys():
            yield entry
        else:
            yield "an entry without a request or a response"
        following = _HAR_NEXT.match(text, position)
        if not following or following[1] != ",":
            ends_well = following is not None and following[1] == "]"
            break
        position = following.end()
    if not ends_well and not failures:
        yield "a HAR file that ends within its entries" if found else "a HAR file without entries"


def _har_capture(entry: dict[str, Any], name: str) -> Capture | str:
    """The page of an entry, or what it is instead."""
    request, response = entry["request"], entry["response"]
    content = response.get("content") or {}
    status = int(response.get("status") or 0)
    media_type = str(content.get("mimeType") or "")
    if not _PAGE_TYPE.fullmatch(media_type) or not str(request["url"]).startswith("http"):
        return _PARTS
    text = content.get("text")
    if status in (0, 304) or (text is None and not 300 <= status < 400):
        return _WITHOUT
    headers = [(str(one["name"]), str(one["value"])) for one in response.get("headers") or []]
    payload = str(text or "").encode("utf-8", "surrogatepass")
    if content.get("encoding") == "base64":
        payload = base64.b64decode(str(text), validate=True)
    elif text:  # a browser has decoded it
        media_type = re.sub(r"\s*;\s*charset=[^;]*", "", media_type, flags=re.IGNORECASE) + "; charset=utf-8"
        headers = [(key, media_type if key.lower() == "content-type" else value) for key, value in headers]
    return Capture(
        form=Form.RESPONSE,
        source=SOURCE,
        payload=payload,
        http_status=status,
        http_reason=str(response.get("statusText") or ""),
        http_headers=tuple(pair for pair in headers if not pair[0].startswith(":") and pair[0].lower() not in NOT_KEPT),
        content_type=media_type or None,
        origin=name,
        recorded=Recorded(str(request["url"]), str(entry.get("startedDateTime") or "") or None),
    )
