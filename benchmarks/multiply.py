"""Makes a big database to browse, export and time: `python -m benchmarks.multiply 100000 DIR` writes DIR/tta.db.

Six hundred invented records (`tests.pagegen`) are loaded the usual way; SQL then repeats them under other numbers, titles, dates,
places and points. The archive has no such captures, so no value here can be traced: for browsing and timing only. The same number
of records always gives the same rows.

A million take seven minutes and 19 GB (November 2026): half of the time goes into rows, a quarter each into indexes and search,
and nearly all of it is SQLite's own.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import chain, pairwise
from operator import itemgetter
from pathlib import Path
from random import Random

from parsers.scalars import fiscal_year
from scraper.capture import Capture
from scraper.database import schema
from scraper.database.build import DIVIDERS, row_writer
from scraper.database.derived import RULES, register, rule_sql
from scraper.database.load import load
from scraper.database.places import County, atlas
from scraper.database.tables import TABLES, Table
from scraper.folders import Folders
from tests.dbkit import add, page, text
from tests.pagegen.content import SITE_ZONE, printed
from tests.pagegen.demo import FIRST_NODE, HOST, SPREAD, history, plot
from tests.pagegen.others import other
from tests.pagegen.samples import snapshot_page
from tests.pagegen.truth import Page
from tests.pagegen.words import PLACES, Place

SEEDS = 600
FIRST_DAY, LAST_DAY = date(2010, 10, 1), date(2026, 10, 31)
"""The latest capture of each record is from the first of these days until before the other; submissions begin months earlier."""
NO_POINT, FAR_POINT = 0.08, 0.12
"""Shares of the records: without a point, and with one some way off the place that the page names."""
FAR = 2.0  # degrees
CITIES = 0.6
"""Share of the records in one of some fifty cities; the others are in any county, so that there are as many as in the country."""
AT_ONCE = 10_000
NIGHTS = 400
_TIMES = re.compile(r"(_at|_since|_start|_end|^date|^seen_after|^seen_by|^datetime)$")
"""Columns that hold a time, or two with a slash between them."""
_PRINTED = re.compile(r"\b(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat), \d\d/\d\d/\d{4} - \d\d:\d\d|\b\d{4}-\d\d-\d\d\b")
"""Times and days as the pages print them (`printed`, and the day of a request in a title)."""
_NUMBERS = re.compile(r"\d+")
_OWN = {"runs", "run_checks", "dictionary"}
"""Tables that are filled in their own way."""


def _seeded(folder: Path, seeds: int) -> Folders:
    """A data folder with so many invented records, loaded as any other captures are."""
    folders = Folders(folder)
    add(folders, _seed_captures(seeds))
    load(folders)
    return folders


def _seed_captures(seeds: int) -> Iterator[Capture]:
    others = ("login-form", "page-not-found", "redirect")
    for index in range(seeds):
        for snapshot in history(index):
            last = snapshot.captured_at
            yield _capture(snapshot_page(snapshot), last)
        if index % 20 == 0:
            shown = other(others[index // 20 % len(others)])
            yield _capture(shown, last + timedelta(days=60), url=f"https://{HOST}/node/{FIRST_NODE + index}")


def _capture(shown: Page, when: datetime, url: str | None = None) -> Capture:
    address = url or shown.url
    if shown.text_form:
        return text(shown.data.decode(), url=address, when=when)
    return page(shown.data, url=address, when=when, http_status=shown.status, content_type=shown.content_type)


def multiply(count: int, folder: Path, seeds: int = SEEDS, tell: Callable[[str], None] = lambda _: None) -> Path:
    """Writes `folder`/tta.db with `count` records out of `seeds` invented ones; returns its path. `tell` hears what is done next.

    Raises FileExistsError where there is one.
    """
    target = folder / "tta.db"
    if target.exists():
        raise FileExistsError(f"{target} is there already: name another folder, or delete it")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, closing(sqlite3.connect(target, isolation_level=None)) as db:
        seed = _seeded(Path(scratch), seeds)
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -262144")
        db.execute("ATTACH DATABASE ? AS seed", [str(seed.database)])
        db.execute("BEGIN")
        schema.create(db)
        _functions(db)
        _plan(db, count)
        for table in TABLES:
            if table.name not in _OWN:
                tell(f"rows of {table.name}")
                _repeat(db, table)
        tell("derived columns")
        _derive(db)
        _nights(db, count)
        tell("indexes and search")
        schema.finish(db)
        db.execute("PRAGMA analysis_limit = 1000")
        db.execute("ANALYZE main")
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
    return target


def _plan(db: sqlite3.Connection, count: int) -> None:
    """`temp.copies`: which seed each record repeats, and what is its own."""
    db.execute("CREATE TEMP TABLE origins (seed TEXT PRIMARY KEY, old_city TEXT, old_county TEXT, old_state TEXT)")
    shown = "FROM seed.records JOIN seed.captures USING (node_id) GROUP BY 1"
    last = dict(db.execute(f"SELECT records.record_id, substr(max(captured_at), 1, 10) {shown}"))
    places = {str(FIRST_NODE + index): plot(index).place for index in range(len(last))}
    db.executemany(
        "INSERT INTO temp.origins VALUES (?, ?, ?, ?)",
        ((name, place.city, place.county, place.state) for name, place in places.items()),
    )
    db.execute(
        "CREATE TEMP TABLE copies (number INTEGER PRIMARY KEY, seed TEXT, node INTEGER, days INTEGER, clock TEXT, "
        "new_city TEXT, new_county TEXT, new_state TEXT, new_longitude REAL, new_latitude REAL)"
    )
    db.executemany("INSERT INTO temp.copies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _copies(count, last))


def _copies(count: int, last: dict[str, str]) -> Iterator[tuple[object, ...]]:
    rng = Random(f"multiply {count}")
    names = sorted(last)
    everywhere = list(_everywhere())
    span = (LAST_DAY - FIRST_DAY).days - 1
    for number in range(count):
        seed = names[number % len(names)]
        days = (FIRST_DAY + timedelta(days=rng.randint(0, span)) - date.fromisoformat(last[seed])).days
        second = number * 7919 % 86400  # 7919 has no divisor in common with a day's seconds: each comes up once in a round
        clock = f"{second // 3600}{second // 60 % 60:02}{second % 60:02}-{number // 86400 + 1}"
        place = rng.choice(PLACES if rng.random() < CITIES else everywhere)
        draw = rng.random()
        reach = FAR if draw < NO_POINT + FAR_POINT else SPREAD
        longitude = round(place.longitude + rng.uniform(-reach, reach), 7)
        latitude = round(place.latitude + rng.uniform(-reach, reach), 7)
        point = (None, None) if draw < NO_POINT else (longitude, latitude)
        yield number, seed, FIRST_NODE + number, days, clock, place.city, place.county, place.state, *point


def inner_points() -> Iterator[tuple[County, float, float]]:
    """Every county with a point well inside it: the middle of the widest stretch that one of fifteen parallels has in it."""
    for county in atlas().counties:
        west, south, east, north = county.box
        widest = (0.0, (west + east) / 2, (south + north) / 2)
        for y in (south + (north - south) * part / 16 for part in range(1, 16)):
            segments = chain.from_iterable(pairwise(arc.points) for arc in county.arcs)
            crossed = sorted((x1 - x0) * (y - y0) / (y1 - y0) + x0 for (x0, y0), (x1, y1) in segments if (y0 > y) != (y1 > y))
            stretches = zip(crossed[::2], crossed[1::2], strict=True)
            widest = max([widest, *((right - left, (left + right) / 2, y) for left, right in stretches)], key=itemgetter(0))
        yield county.place, *widest[1:]


def _everywhere() -> Iterator[Place]:
    """A point inside each county."""
    for place, longitude, latitude in inner_points():
        yield Place(place.county, place.county, place.state, longitude, latitude)


def _repeat(db: sqlite3.Connection, table: Table) -> None:
    """Writes every row of the table once for each copy of its record, or as it is where it is of no record."""
    if "record_id" not in table.columns:
        db.execute(f"{_insert(table)} SELECT * FROM seed.{table.name}")
        return
    values = ", ".join(_value(table.name, column) for column in table.columns)
    copies = "temp.copies CROSS JOIN temp.origins USING (seed) CROSS JOIN"  # CROSS keeps that order, so nothing has to be sorted
    source = f"{copies} seed.{table.name} row ON row.record_id = seed"
    rows = f"SELECT {values} FROM {source} ORDER BY number"
    if table.shared:
        row_writer(db, table.name)(map(DIVIDERS[table.name], db.execute(rows)))
        return
    db.execute(f"{_insert(table)} {rows}")
    if table.name == "captures":  # those that show no record
        source = f"{copies} seed.captures row ON row.node_id = CAST(seed AS INTEGER)"
        db.execute(f"{_insert(table)} SELECT {values} FROM {source} WHERE row.record_id IS NULL ORDER BY number")


def _derive(db: sqlite3.Connection) -> None:
    """The columns that follow from others, by the program's own rules."""
    register(db)
    rules = ", ".join(f"{name} = {rule_sql(name)}" for name in RULES if "rule" in RULES[name])
    db.execute(f"UPDATE records AS one SET {rules}")
    of_record = "SELECT fiscal_year FROM records WHERE records.record_id = organization_mentions.record_id"
    db.execute(f"UPDATE organization_mentions SET fiscal_year = ({of_record})")
    counted = "SELECT organization_id, count(DISTINCT record_id) AS n FROM organization_mentions GROUP BY 1"
    db.execute(
        f"UPDATE organizations SET records = n FROM ({counted}) AS own WHERE own.organization_id = organizations.organization_id"
    )


def _insert(table: Table) -> str:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    return f'INSERT INTO "{table.name}" ({columns})'


def _value(table: str, column: str) -> str:
    """The SQL of a copy's value: moved, renamed or renumbered where the record's own, else as it is."""
    if sql := _OWN_VALUES.get((table, column)) or _OWN_VALUES.get(("", column)):
        return sql
    return f'moved(row."{column}", days)' if _TIMES.search(column) else f'row."{column}"'


def _retold(column: str) -> str:
    places = "old_county, new_county, old_city, new_city, old_state, new_state"
    return f"retold(row.{column}, days, {places})"


_IS_DESCRIPTION = "row.value = (SELECT description FROM seed.records WHERE record_id = seed)"
_NAMING_PLACES = "row.label IN ('County', 'TTA Title', 'TTA Short Name')"
_REFERENCE = "renumbered(row.reference, days, clock)"
_OWN_VALUES = {
    ("", "record_id"): "CASE WHEN row.record_id IS NOT NULL THEN CAST(node AS TEXT) END",
    ("", "gone_record_id"): "CASE WHEN row.gone_record_id IS NOT NULL THEN CAST(node AS TEXT) END",
    ("", "node_id"): "node",
    ("", "capture_id"): "substr(row.capture_id, 1, 12) || printf('%08x', number)",
    ("", "original_id"): "substr(row.original_id, 1, 12) || printf('%08x', number)",
    ("", "sha256"): "substr(row.sha256, 1, 56) || printf('%08x', number)",
    ("", "url"): f"'https://{HOST}/node/' || node",
    ("", "address"): f"'{HOST}/node/' || node",
    ("", "reference"): _REFERENCE,
    ("records", "title"): _REFERENCE,
    ("records", "fiscal_year"): f"fiscal_year({_REFERENCE}, NULL)",
    ("records", "longitude"): "new_longitude",
    ("records", "latitude"): "new_latitude",
    ("records", "county"): "CASE WHEN row.county IS NOT NULL THEN new_county END",
    ("records", "short_name"): _retold("short_name"),
    ("records", "tta_title"): _retold("tta_title"),
    ("records", "description"): _retold("description"),
    ("fields", "value"): f"CASE WHEN row.value IS NULL THEN NULL WHEN row.name = 'body' AND {_IS_DESCRIPTION} THEN '' "
    f"WHEN row.datetime IS NOT NULL OR row.name = 'body' OR {_NAMING_PLACES} THEN {_retold('value')} "
    "WHEN row.label IS NOT 'Event Location Geo' THEN row.value "
    "WHEN new_longitude IS NOT NULL THEN printf('POINT (%.7f %.7f)', new_longitude, new_latitude) END",
    ("fields", "state"): "iif(row.label = 'Event Location Geo' AND row.value IS NOT NULL AND new_longitude IS NULL, "
    "'empty', row.state)",
    ("milestones", "details"): _retold("details"),
    ("changes", "old_value"): _retold("old_value"),
    ("changes", "new_value"): _retold("new_value"),
}
"""SQL by table and column, or by column in any table."""


def _functions(db: sqlite3.Connection) -> None:
    """What a copy's values are made with, for SQL to call."""
    db.create_function("moved", 2, _moved, deterministic=True)
    db.create_function("retold", 8, _retell, deterministic=True)
    db.create_function("renumbered", 3, _renumbered, deterministic=True)
    db.create_function("fiscal_year", 2, fiscal_year, deterministic=True)


def _moved(text: str | None, days: int) -> str | None:
    """A time, or two with a slash between them, so many days later; clock and zone as they are."""
    if text is None:
        return None
    return "/".join(_day_moved(part[:10], days) + part[10:] for part in text.split("/"))


@lru_cache(maxsize=100_000)
def _day_moved(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _retell(text: str | None, days: int, *places: str) -> str | None:
    """A text with the copy's place, and its dates so many days later. `places`: pairs of an old and a new name."""
    if text is None:
        return None
    new, named = _names(places)
    return _PRINTED.sub(lambda found: _printed_moved(found[0], days), named.sub(lambda found: new[found[0]], text))


@lru_cache(maxsize=10_000)
def _names(places: tuple[str, ...]) -> tuple[dict[str, str], re.Pattern[str]]:
    """The new names by the old ones, and what finds these as whole words, in one pass: a new name may contain an old one."""
    new = dict(zip(places[::2], places[1::2], strict=True))
    return new, re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, new), key=len, reverse=True))})\b")


@lru_cache(maxsize=100_000)
def _printed_moved(text: str, days: int) -> str:
    """A printed date or time that much later; a time is the site's, whose distance from UTC differs in summer."""
    if "/" not in text:
        return _day_moved(text, days)
    month, day, year, hour, minute = map(int, _NUMBERS.findall(text))
    return printed(datetime(year, month, day, hour, minute, tzinfo=SITE_ZONE).astimezone(UTC) + timedelta(days=days))


def _renumbered(reference: str | None, days: int, clock: str) -> str | None:
    """A record's own reference for another day and time of day."""
    if reference is None:
        return None
    return f"{date.fromisoformat(reference[:8]) + timedelta(days=days):%Y%m%d}-{clock}"


def _nights(db: sqlite3.Connection, count: int) -> None:
    """Runs and their checks: a refresh each night, one in forty rolled back; captures are in the archive in the order of time."""
    db.execute(
        "UPDATE captures SET warc_file = 'made-up.warc.gz', warc_offset = place FROM "
        "(SELECT rowid AS id, row_number() OVER (ORDER BY captured_at, rowid) AS place FROM captures) WHERE captures.rowid = id"
    )
    times = [at for (at,) in db.execute("SELECT coalesce(captured_at, '') FROM captures ORDER BY captured_at")]
    first = LAST_DAY - timedelta(days=NIGHTS)
    for run in range(1, NIGHTS + 1):
        day, bad = first + timedelta(days=run), run % 40 == 0
        values = {
            "run_id": run,
            "started_at": f"{day}T03:17:00Z",
            "ended_at": f"{day}T03:{20 + run % 30}:00Z",
            "status": 3 if bad else 0,
            "outcome": "refused" if bad else "committed",
            "phase": "checks" if bad else "done",
            "captures": bisect_left(times, f"{day}T03:17:00Z"),
            "records": count,
            "message": "made up: a check failed" if bad else None,
        }
        _insert_row(db, "runs", values)
        for position, name in enumerate(("share of pages that parse", "records that vanished", "unknown labels"), start=1):
            passed = int(not bad or position > 1)
            check = {"name": name, "severity": "fail", "figure": 0.9 * passed, "threshold": 0.5, "passed": passed}
            _insert_row(db, "run_checks", {"run_id": run, "position": position} | check)


def _insert_row(db: sqlite3.Connection, table: str, values: dict[str, object]) -> None:
    db.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        list(values.values()),
    )


def main(arguments: list[str]) -> None:
    """Makes the database and says how long it took."""
    count, folder = int(arguments[0]), Path(arguments[1])
    began = time.monotonic()
    path = multiply(count, folder, tell=lambda what: print(f"{time.monotonic() - began:4.0f} s: {what}", file=sys.stderr))
    print(f"{count:,} records, {path.stat().st_size / 1e6:,.0f} MB, {time.monotonic() - began:.0f} s: {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
