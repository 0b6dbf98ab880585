"""Finds captures that show that a record is no longer at its address, and sets `availability`, `gone_since` and their changes.

Recomputed over all captures at each load. Only "not found" and a redirect to another page count; a refusal, a login, a server
error and an archive's own failure are not evidence about the record (DESIGN.md, promise 4).
"""

import re
import sqlite3
import tomllib
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from parsers.record import Kind
from parsers.urls import node_id, page_address
from scraper.database.assign_records import SHOWS, TIME_ORDER, address_key
from scraper.database.merge import Change, times_overlap
from scraper.database.schema import insert_sql
from scraper.database.tables import Availability

FIELD = "availability"
SHOWN = "shown"
"""The other state in `changes`, which records what captures show; a lack of later captures is not a change."""
SITE = "bjatta.bja.ojp.gov"
"""Its hosts show the same pages (DOMAIN.md, "The site"), so a node number that is missing on one of them is missing on all."""
MAX_REDIRECTS = 5
"""Redirects that are followed from capture to capture; a longer chain is a loop, or its end is unknown."""
_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_PATTERN = {name: re.compile(text, re.IGNORECASE | re.VERBOSE) for name, text in _TEXTS["patterns"].items()}
_MEANING = _TEXTS["queries"]["meaning"]  # SQL: what each capture means for a record
_SQL = {name: text.format(meaning=_MEANING, shows=SHOWS, by_time=TIME_ORDER) for name, text in _TEXTS["queries"].items()}


class _Candidate(NamedTuple):
    """A capture that may show that a record is gone. `means`: None if it shows one; `held`: its current `gone_record_id`."""

    capture_id: str
    url: str
    address: str
    captured_at: str
    means: str | None
    status: int | None
    leads_to: str | None
    held: str | None

    @property
    def is_missing(self) -> bool:
        return self.means == Kind.ERROR and self.status in (404, 410)


def assign_gone_records(db: sqlite3.Connection) -> None:
    """Sets `captures.gone_record_id`, and adds to `temp.affected` every record that gains or loses such a capture."""
    found: list[tuple[str | None, str]] = []
    records: set[tuple[str]] = set()
    for row in db.execute(_SQL["candidates"]):
        candidate = _Candidate._make(row)
        shows = candidate.is_missing or (candidate.means == Kind.REDIRECT and candidate.leads_to is not None)
        record_id = _record_at(db, candidate) if shows else None
        if record_id and not candidate.is_missing and not _leads_elsewhere(db, record_id, candidate):
            record_id = None
        if record_id != candidate.held:
            found.append((record_id, candidate.capture_id))
            records |= {(one,) for one in (record_id, candidate.held) if one is not None}
    db.executemany("UPDATE captures SET gone_record_id = ? WHERE capture_id = ?", found)
    db.executemany("INSERT OR IGNORE INTO temp.affected VALUES (?)", sorted(records))


def _record_at(db: sqlite3.Connection, candidate: _Candidate) -> str | None:
    """Returns the record that was at an address before: the last one shown there, or the one with the node number of its path."""
    if found := db.execute(_SQL["shown_before"], [candidate.address, candidate.captured_at]).fetchone():
        return str(found[0])
    number = node_id(candidate.url)
    if number is None or not _PATTERN["plain_node"].fullmatch(urlsplit(page_address(candidate.url)).path):
        return None  # in another language the site may answer "not found" although the record exists
    shown = db.execute(_SQL["addresses_of_node"], [number]).fetchall()
    is_known = shown and _site_of_host(candidate.address) in {SITE} | {_site_of_host(one) for (one,) in shown if one}
    return str(number) if is_known else None


def _leads_elsewhere(db: sqlite3.Connection, record_id: str, candidate: _Candidate) -> bool:
    """Whether a redirect certainly ends at a page that does not show the record; an alias without captures might show it."""
    seen, captured = {candidate.address}, candidate
    for _ in range(MAX_REDIRECTS):
        target = captured.leads_to
        place = address_key(target)
        if target is None or place is None or place in seen:
            return False
        number = node_id(target)  # on whatever host: a site that moves keeps its numbers
        if number is not None and (str(number) == record_id or number == node_id(candidate.url)):
            return False
        if _PATTERN["refuses"].search(place.partition("?")[0]) or "destination=" in target:
            return False
        seen.add(place)
        if db.execute(_SQL["shows_record"], [place, record_id]).fetchone():
            return False
        if (
            _site_of_host(place) != _site_of_host(candidate.address)
            or number is not None
            or _PATTERN["no_record"].match(urlsplit(page_address(target)).path)
        ):
            return True
        row = db.execute(_SQL["nearest"], [place, captured.captured_at]).fetchone()
        if row is None:
            return False
        captured = _Candidate._make(row)
        if captured.means != Kind.REDIRECT:
            return captured.means in (None, Kind.OTHER, Kind.NOT_HTML) or captured.is_missing
    return False


def _site_of_host(place: str | None) -> str:
    """Returns the site of an address's host; all hosts of the portal are one site."""
    host = (place or "").partition("/")[0].partition("?")[0]
    return SITE if host == SITE or host.endswith(f".{SITE}") else host


def update_availability(db: sqlite3.Connection) -> None:
    """Sets `availability` and `gone_since` of the records that were built, and adds disappearances and returns to `changes`."""
    update = "UPDATE records SET availability = ?, gone_since = ? WHERE record_id = ?"
    for record_id, events in groupby(db.execute(_SQL["events"]).fetchall(), key=itemgetter(0)):
        gone_since, changes = read_events((at, bool(gone)) for _, at, gone in events)
        db.executemany(insert_sql("changes"), ((record_id, *change, False) for change in changes))
        db.execute(update, (Availability.GONE if gone_since else Availability.UNKNOWN, gone_since, record_id))


def read_events(events: Iterable[tuple[str, bool]]) -> tuple[str | None, list[Change]]:
    """Returns since when a record is gone (None if its last capture shows it), and each change between shown and gone.

    `events`: time, and whether the capture shows that the record is gone, by time; at the same time those that show the record
    come first, and outweigh the others. A record that was not found before it was first shown was not gone.
    """
    changes: list[Change] = []
    shown = gone_since = gone = None
    for at, is_gone in events:
        if not is_gone:
            if gone_since is not None and gone is not None:
                changes.append(Change(FIELD, Availability.GONE, SHOWN, gone, at))
            shown, gone_since = at, None
        elif shown is not None and not times_overlap(at, shown):
            if gone_since is None:
                gone_since = at
                changes.append(Change(FIELD, SHOWN, Availability.GONE, shown, at))
            gone = at
    return gone_since, changes
