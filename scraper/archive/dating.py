"""Determines the address and the time of a capture from everything that the capture itself shows. Pure functions.

A record's own address and date count, unless they are those of a copy: a replay of a web archive is dated by the archive. A saved
page is dated by what the tool that saved it wrote: a comment in the page, or the path. `warc` keeps the record's own values
beside those derived here, so that a better rule also dates old captures when the catalog is rebuilt.
"""

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from parsers.urls import archive_time, node_id, page_address, without_archive
from scraper.capture import Capture, Recorded, WarcType, iso

FIRST = datetime(1991, 1, 1, tzinfo=UTC)
"""There were no web pages before; a clock that was never set shows 1970 or earlier."""
AHEAD = timedelta(days=1)
"""How much later a capture time may be than its fetch or import: clocks and zones differ."""
_EDGE = 1 << 14  # bytes at either end of a page that are searched for comments of tools that save pages
_WAYBACK = "FILE ARCHIVED ON"  # in the comment that ends the Wayback Machine's replays
PATTERNS = Path(__file__).with_name("dating.toml").read_text(encoding="utf-8")
_RE = {name: re.compile(pattern) for name, pattern in tomllib.loads(PATTERNS).items()}


class Time(NamedTuple):
    """An aware moment in UTC, and how many characters of its ISO form are known (`Capture.date_length`)."""

    moment: datetime
    length: int | None = None


def parse_time(text: str | None) -> Time | None:
    """Parses a time as headers, indexes and tools write it, to its precision; None if a page can't have it. No zone means UTC."""
    text = (text or "").strip()
    length: int | None = None
    try:
        if found := _RE["stamp"].fullmatch(text):
            parts = [int(part) for part in found.groups() if part]
            length = (None, 4, 7, 10, 10, 16, None)[len(parts)]
            moment = datetime(*[*parts, 1, 1][: max(3, len(parts))], tzinfo=UTC)  # type: ignore[arg-type, misc]
        elif re.match(r"\d{4}-\d\d-\d\d", text):
            length = 16 if re.fullmatch(r".{10}[T ]\d\d:\d\d(?:[^:].*)?", text) else None
            moment = datetime.fromisoformat(re.sub(r"\s*(?:UTC|GMT)$", "Z", text.upper()))
        else:
            text = re.sub(r"^(\d\d:\d\d:\d\d) (\w{3})\w* (\d\d?), (\d{4})$", r"\3 \2 \4 \1", text)
            script_date = r"(?s)^\w{3} (\w{3}) (\d\d?) (\d{4}) (\d\d:\d\d:\d\d)(?: GMT([+-]\d{4}))?.*"
            moment = parsedate_to_datetime(re.sub(script_date, r"\2 \1 \3 \4 \5", text))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return Time(moment, length) if FIRST <= moment < datetime(9000, 1, 1, tzinfo=UTC) else None


def date_capture(capture: Capture, *, added_at: datetime | None = None) -> Capture:
    """Returns the capture with the address and time that it shows, if any. A time after `added_at` is not trusted."""
    recorded = capture.recorded or Recorded(capture.url, capture.captured_text)
    record_time = parse_time(recorded.date)
    url, times, fetched_at = recorded.url, [record_time], capture.fetched_at
    if replay := _evidence_of_replay(capture, url):
        url, times = replay
        fetched_at = fetched_at or (record_time.moment if record_time else None)
    latest = min(one for one in (fetched_at, added_at, datetime.now(UTC)) if one) + AHEAD
    if url is None or not (replay or (record_time and record_time.moment <= latest)):
        page_url, page_time = _evidence_in_page(capture) if capture.warc_type is not WarcType.REVISIT else (None, None)
        path_url, path_time = of_path(capture.origin)
        url = url or page_url or path_url
        times += [page_time, path_time, parse_time(capture.header("date"))]
    moment, length = next((time for time in times if time and time.moment <= latest), (None, None))
    other = None if (url, iso(moment, length)) == (recorded.url, recorded.date) else recorded
    return replace(capture, url=url, captured_at=moment, date_length=length, fetched_at=fetched_at, recorded=other)


def _evidence_of_replay(capture: Capture, url: str | None) -> tuple[str | None, list[Time | None]] | None:
    """Yields the page's address and capture time of an archive's replay (not of the archive's own pages), best evidence first."""
    memento = capture.header("memento-datetime")
    digits = archive_time(url)
    own_answer = capture.http_status is not None and not 200 <= capture.http_status < 300 and not memento
    is_commented = _WAYBACK.encode() in capture.payload[-_EDGE:]
    if own_answer or not (memento or digits or is_commented):
        return None
    if url and digits:
        inner = without_archive(url)
        url = page_address(url) if inner == url else inner
    return url, [parse_time(memento), parse_time(digits), _evidence_in_page(capture)[1] if is_commented else None]


def _evidence_in_page(capture: Capture) -> tuple[str | None, Time | None]:
    """Returns the address and time that a tool wrote into the page when it saved it."""
    body = capture.payload
    edges = body if len(body) < 2 * _EDGE else body[:_EDGE] + b"\n" + body[-_EDGE:]
    text = edges.replace(b"\0", b"").decode("utf-8", "replace")
    url: str | None = None
    time: Time | None = None
    for comment in sorted(_RE["comment"].findall(text), key=lambda comment: _WAYBACK not in comment):
        if _RE["saved"].search(comment):
            source, written = _RE["source"].search(comment), _RE["times"].search(comment)
            if _WAYBACK not in comment:
                url = url or (source and (source[0] if "://" in source[0] else f"https://{source[0]}"))
            time = time or (parse_time(written[0]) if written else None)
    for found in _RE["tool"].finditer(text) if re.search("__wm.wombat|data-scrapbook-|savepage-", text) else ():
        url = url or found["replayed"] or found["url"]
        stamp = found["digits"] or found["time"] or ""
        time = time or parse_time(stamp[:14] if stamp[:14].isdecimal() else stamp)
    for found in _RE["canonical"].finditer(text):
        link = _RE["source"].search(found[0])
        if link and archive_time(link[0]):
            url = url or link[0]
    if url and (digits := archive_time(url)):
        return without_archive(url), parse_time(digits)
    return url, time


def of_path(origin: str | None) -> tuple[str | None, Time | None]:
    """Returns address and time in a path that a mirroring tool wrote: TIMESTAMP/HOST/path, HOST/path, `archive/EPOCH`."""
    parts = [part for part in (origin or "").split("/") if part]
    if not parts or _RE["in_container"].search(parts[-1]):
        return None, None
    joined = "/".join(parts)
    if found := _RE["replay"].search(joined):
        address = f"https://archive.invalid/web/{found[1]}"
        return _page_of_file(without_archive(address)), parse_time(archive_time(address))
    stamps = [part for part in parts[:-1] if _RE["digits"].fullmatch(part)]
    time = parse_time(stamps[-1][:14]) if stamps else None
    for before, part in pairwise(parts):
        if time is None and before == "archive" and _RE["epoch"].fullmatch(part):
            time = Time(datetime.fromtimestamp(int(float(part)), UTC))
    inner = max((place for place, part in enumerate(parts) if part.endswith("!")), default=-1)  # the innermost container
    hosts = [place for place, part in enumerate(parts[:-1]) if place > inner and _RE["host"].fullmatch(part)]
    if not hosts:
        return None, time
    rest = [part for part in parts[hosts[0] + 1 :] if not _RE["digits"].fullmatch(part)]
    return _page_of_file(f"https://{parts[hosts[0]].replace('+', ':')}/{'/'.join(rest)}"), time


def is_time_or_host(part: str) -> bool:
    """Whether part of a path is a time or a host, as mirroring tools write them."""
    return bool(_RE["digits"].fullmatch(part) or _RE["host"].fullmatch(part) or _RE["epoch"].fullmatch(part))


def _page_of_file(address: str) -> str:
    """Returns the page's address from its file's name, without the `index.html` or `.html` that a tool added."""
    head, _, name = re.sub(r"\.(?:gz|bz2|xz|zst)$", "", address).rpartition("/")
    name, mark, query = re.sub(r"(?<=.)@(?=[\w%-]+=)", "?", unquote(name) if "%3F" in name else name, count=1).partition("?")
    query = re.sub(r"\.html?$", "", query)
    if re.fullmatch(r"index\.html?", name):
        head = head if head.count("/") > 2 and not mark else f"{head}/"
        return f"{head}{mark}{query}"
    bare = re.sub(r"\.html?$", "", name)
    if bare != name and node_id(f"{head}/{bare}") is not None:
        name = bare
    return f"{head}/{name}{mark}{query}"
