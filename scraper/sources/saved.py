"""Files that are not containers: recognizes each by positive evidence only, and reads its captures.

Saved pages are MHTML, Safari's web archives, HAR, HTTP messages (`wget --save-headers`, `curl -i`), HTML, text and Drupal's data.
`files` unpacks them.
Addresses and times are as in the file; `scraper.archive.dating` interprets them.
"""

import base64
import email
import json
import plistlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from xml.parsers.expat import ExpatError

from parsers.kinds import is_binary, known_format
from scraper.archive.records import split_http
from scraper.capture import NOT_KEPT, Capture, Recorded, WarcType
from scraper.encoding import MAX_BODY

SOURCE = "files"
MAX_FAILURES = 1000
"""Damaged entries of a HAR file after which the rest is not searched."""
MAX_SAVED = 4 * MAX_BODY
"""Bytes of an MHTML or HAR file, which includes a page's images and is read as a whole."""
_WITHOUT, _PARTS = "responses without their content", "scripts, images and other parts of pages"
_HEAD = 1 << 16  # bytes at a file's start that show its format
_HEADER = 64  # bytes at the start of a file, one of which is zero in most binary formats and none in a text
_PAGE_PARTS = ("image", "icon", "font", "media", "bitmap")  # in the name of a format that only belongs to pages
_KINDS = tomllib.loads(Path(__file__).with_name("saved.toml").read_text(encoding="utf-8"))
_BYTES = {name: re.compile(pattern.encode()) for name, pattern in _KINDS["bytes"].items()}
_TEXT = {name: re.compile(pattern) for name, pattern in _KINDS["text"].items()}
_FIRST_BYTES = {start.encode("latin-1"): name for start, name in _KINDS["first_bytes"].items()}


class FileFormat(NamedTuple):
    """`media_type`: of a page, else None. `name`: such as "a PDF". `is_companion`: such files belong to pages or captures."""

    media_type: str | None
    name: str
    is_companion: bool = False


def format_of(body: bytes, name: str) -> FileFormat:
    """Determines a file's format from its bytes. For plain text without other evidence, `name` decides."""
    head = body[:_HEAD]
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") or (head[1:2] == b"\0" and not is_binary(head))
    narrow = head.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff") if wide else head
    if not narrow.strip():
        return FileFormat(None, "an empty file")
    if found := next((name for magic, name in _FIRST_BYTES.items() if head.startswith(magic)), None):
        return FileFormat(None, found, "font" in found)
    if found := known_format(head):
        article = "" if found[:3] in ("PDF", "ZIP") else "an " if found[0] in "aeiouO" else "a "
        return FileFormat(None, article + found, any(part in found for part in _PAGE_PARTS))
    if is_binary(head) or (b"\0" in narrow[:_HEADER] and not narrow.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")):
        return FileFormat(None, "binary data")
    start = narrow[_BYTES["before"].match(narrow).end() :]  # type: ignore[union-attr]  # it matches anything
    later = _BYTES["html_later"].search(narrow)  # after a message such as a server's warning; code with markup is not a page
    follows = later and not re.search(rb"[{};=\"']", narrow[: later.start()]) and b"<" in narrow[later.end() :]
    if _BYTES["html"].match(start) or follows:
        return FileFormat("text/html", "HTML")
    if root := _BYTES["xml"].match(start):
        name = root[1].decode().lower()
        other = FileFormat(None, "an SVG image" if name == "svg" else f"XML ({name})", is_companion=True)
        media_type = "application/rss+xml" if name in ("rss", "feed", "rdf:rdf") else "application/xml"
        return FileFormat(media_type, "XML data of Drupal") if name != "svg" and _BYTES["xml_data"].search(body) else other
    if _BYTES["json"].match(start):
        other = FileFormat(None, "JSON lines" if b"}\n{" in head else "JSON data", is_companion=True)
        return FileFormat("application/json", "JSON data of Drupal") if _BYTES["json_data"].search(body) else other
    return _format_of_plain_text(narrow.decode("utf-8", "replace"), name)


def _format_of_plain_text(text: str, name: str) -> FileFormat:
    lines = [line for line in text.splitlines() if line.strip()][:400]
    if _TEXT["cdx"].match(lines[0]):
        return FileFormat(None, "a CDX index", is_companion=True)
    if sum(bool(_TEXT["log"].match(line)) for line in lines) * 2 > len(lines):
        return FileFormat(None, "a log", is_companion=True)
    code = sum(line.rstrip().endswith((";", "{", "}", "*/", "},", ");", "\\")) for line in lines)
    if code * 3 > len(lines) or _TEXT["code"].match(text):
        return FileFormat(None, "a style sheet or code", is_companion=True)
    if _TEXT["portal"].search(text):
        return FileFormat("text/plain", "text")
    prose = sum(len(re.findall(r"(?<!\S)[\"'(]?[^\W\d_]{2,}", line)) > 1 for line in lines)
    if prose * 4 >= len(lines) and _TEXT["text_name"].search(name):
        return FileFormat("text/plain", "text")
    return FileFormat(None, "text that does not read like a page")


class Unused(NamedTuple):
    """What yields no capture, or a damaged one. `is_companion`: it belongs to a page; `is_unknown`: not a format of captures."""

    where: str
    reason: str
    is_companion: bool = False
    is_unknown: bool = False

    def describe(self, name: str) -> str:
        """Returns the reason, with the place in the file of that name."""
        inner = self.where.removeprefix(name).lstrip("!/")
        return f"{inner}: {self.reason}" if inner else self.reason


def read_saved(file: BinaryIO, name: str) -> Iterator[Capture | Unused]:
    """Yields every capture in a file that is not packed, and what in it is not one; never raises, whatever it contains."""
    file.seek(0)
    body = file.read(MAX_SAVED + 1)
    head = body[: 1 << 16]
    readers = ((_read_har, "har"), (_read_http, "http"), (_read_mhtml, "message"), (_read_webarchive, "webarchive"))
    read = next((read for read, kind in readers if _BYTES[kind].match(head)), _capture_of_file)
    limit = MAX_BODY if read in (_read_http, _capture_of_file) else MAX_SAVED
    if len(body) > limit:
        yield Unused(name, f"larger than {limit} bytes, which no page is")
    else:
        yield from read(body, name)


def _capture_of_file(body: bytes, name: str) -> Iterator[Capture | Unused]:
    """Yields the file as one capture without address and time, or why it is not a page."""
    found = format_of(body, name)
    if found.media_type is None:
        reason = "the file is empty" if found.name == "an empty file" else f"not a page: {found.name}"
        yield Unused(name, reason, found.is_companion, is_unknown=True)
        return
    warc_type = WarcType.CONVERSION if found.media_type == "text/plain" else WarcType.RESOURCE
    yield Capture(warc_type=warc_type, source=SOURCE, payload=body, content_type=found.media_type, origin=name)


def _read_http(body: bytes, name: str) -> Iterator[Capture | Unused]:
    """Reads the last of several HTTP messages that a client wrote; those before it are redirects and answers of a proxy."""
    status, reason, headers, payload = split_http(body)
    while _BYTES["http"].match(payload):
        status, reason, headers, payload = split_http(payload)
    named = {key.lower(): value for key, value in reversed(headers)}
    length = named.get("content-length", "")
    is_cut = length.isdecimal() and len(payload) < int(length) and "content-encoding" not in named
    if is_cut:
        yield Unused(name, f"the page is cut: {len(payload)} of {length} bytes")
    page = Capture(warc_type=WarcType.RESPONSE, source=SOURCE, payload=payload, origin=name)
    page = replace(page, http_status=status, http_reason=reason, http_headers=headers, content_type=named.get("content-type"))
    yield replace(page, truncated="unspecified", damage="the file ends within it") if is_cut else page


def _read_mhtml(body: bytes, name: str) -> Iterator[Capture | Unused]:
    """Reads the page in an MHTML file, and pages of the same host in its frames."""
    end = re.search(rb"\r?\n\r?\n", body)
    head = body[: end.start()] if end else body
    message = email.message_from_bytes(re.sub(rb"(\n)(?![\w-]+:|[ \t\r])", rb"\1 ", head) + body[len(head) :])
    parts = [part for part in message.walk() if part.get_content_type() in ("text/html", "application/xhtml+xml")]
    places = [_header_location(part, "Content-Location") for part in parts]
    named = [_header_location(message, "Snapshot-Content-Location"), _header_location(message, "Content-Location"), *places[:1]]
    main = next(filter(None, named), "")
    if not parts or not main:
        yield Unused(name, "MHTML without a page" if message.is_multipart() and not parts else "not a page: an email message")
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
        media_type = re.sub(r"\s+", " ", str(part.get("Content-Type", "text/html")))
        page = Capture(warc_type=WarcType.RESOURCE, source=SOURCE, payload=payload, content_type=media_type, origin=name)
        page = replace(page, recorded=Recorded(url, str(message["Date"]) if message["Date"] else None))
        yield replace(page, truncated="unspecified", damage=damage) if damage else page


def _read_webarchive(body: bytes, name: str) -> Iterator[Capture | Unused]:
    """Reads the page that Safari saved."""
    try:
        page = plistlib.loads(body)["WebMainResource"]
        charset = page.get("WebResourceTextEncodingName")
        media_type = f"{page['WebResourceMIMEType']}; charset={charset}" if charset else page["WebResourceMIMEType"]
        payload = bytes(memoryview(page["WebResourceData"]))
        found = Capture(warc_type=WarcType.RESOURCE, source=SOURCE, payload=payload, content_type=media_type, origin=name)
        yield replace(found, recorded=Recorded(str(page["WebResourceURL"]), None))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError, ExpatError) as error:
        yield Unused(name, f"a damaged web archive of Safari ({type(error).__name__})")


def _header_location(part: Message, header: str) -> str:
    return re.sub(r"\s+", "", str(part.get(header, "")))


def _read_har(body: bytes, name: str) -> Iterator[Capture | Unused]:
    """Reads the pages among the requests that a browser recorded. Style sheets, scripts and images are not captures."""
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
    """Yields the entries one by one, so that a damaged one does not affect others."""
    begin = position = text.find('"entries"')
    decoder, failures = json.JSONDecoder(), 0
    for found in _TEXT["har_entry"].finditer(text, max(begin, 0)):
        if found.start() < position or failures >= MAX_FAILURES:
            continue
        if position >= 0 and not _TEXT["har_between"].fullmatch(text, position, found.start()):
            failures += 1
            yield f"damage between entries, before character {found.start()}"
        try:
            entry, position = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            failures += 1
            position = -1
            yield f"a damaged entry at character {found.start()}"
        else:
            yield entry if {"request", "response"} <= entry.keys() else "an entry without a request or a response"
    if not failures and not (begin >= 0 and _TEXT["har_end"].match(text, position)):
        yield "a HAR file that ends within its entries" if begin >= 0 else "a HAR file without entries"


def _har_capture(entry: dict[str, Any], name: str) -> Capture | str:
    """Returns the page of an entry, or what it is instead."""
    request, response = entry["request"], entry["response"]
    content = response.get("content") or {}
    status = int(response.get("status") or 0)
    media_type = str(content.get("mimeType") or "")
    if not _TEXT["page_type"].fullmatch(media_type) or not str(request["url"]).startswith("http"):
        return _PARTS
    text = content.get("text")
    if status in (0, 304) or (text is None and not 300 <= status < 400):
        return _WITHOUT
    headers = [(str(one["name"]), str(one["value"])) for one in response.get("headers") or []]
    payload = str(text or "").encode("utf-8", "surrogatepass")
    if content.get("encoding") == "base64":
        payload = base64.b64decode(str(text), validate=True)
    elif text:  # the browser has decoded it
        media_type = re.sub(r"\s*;\s*charset=[^;]*", "", media_type, flags=re.IGNORECASE) + "; charset=utf-8"
        headers = [(key, media_type if key.lower() == "content-type" else value) for key, value in headers]
    page = Capture(warc_type=WarcType.RESPONSE, source=SOURCE, payload=payload, content_type=media_type or None, origin=name)
    page = replace(page, recorded=Recorded(str(request["url"]), str(entry.get("startedDateTime") or "") or None))
    kept = tuple(pair for pair in headers if not pair[0].startswith(":") and pair[0].lower() not in NOT_KEPT)
    return replace(page, http_status=status, http_reason=str(response.get("statusText") or ""), http_headers=kept)
