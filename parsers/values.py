"""Printed values to typed ones: dates, Yes/No, points, money, numbers, references. What can't be read is None."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from parsers.cache import cached_short

REFERENCE = re.compile(r"\d{8}-\d{5,6}-\d{1,2}")
"""A record's own reference; the hour is not zero-padded, so the time has five or six digits (DOMAIN.md, "The page")."""

_YES = {"yes", "on", "true", "1", "enabled", "checked", "✔", "✓"}
_NO = {"no", "off", "false", "0", "disabled", "unchecked", "✖", "✗"}
"""The pairs that Drupal's boolean formatter offers (core's BooleanFormatter::getOutputFormats)."""


def reference(title: str | None) -> str | None:
    """The title itself where it is a record's reference."""
    text = (title or "").strip()
    return text if REFERENCE.fullmatch(text) else None


@cached_short
def yes_no(text: str) -> bool | None:
    word = text.strip().strip(".").casefold()
    return True if word in _YES else False if word in _NO else None


@cached_short
def number(text: str) -> int | None:
    """A whole number that SQLite can hold, with or without thousands separators."""
    found = re.fullmatch(r"[+-]?(\d{1,19}|\d{1,3}(,\d{3}){1,6})", text.strip())
    value = int(found[0].replace(",", "")) if found else None
    return value if value is not None and -(2**63) <= value < 2**63 else None


# --- points ---------------------------------------------------------------------------------------------------------

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_PAIR = rf"({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER}){{0,2}}"
_SRID = re.compile(r"\s*SRID\s*=\s*\d{1,6}\s*;", re.IGNORECASE)
_POINT = re.compile(rf"POINT(?:\s*(?:ZM|Z|M)\b)?\s*\(\s*{_PAIR}\s*\)", re.IGNORECASE)
_MULTIPOINT = re.compile(r"MULTIPOINT(?:\s*(?:ZM|Z|M)\b)?\s*\(([^A-Za-z]*(?:[eE][+-]?\d[^A-Za-z]*)*)\)", re.IGNORECASE)
_OTHER_SHAPE = re.compile(r"(LINESTRING|POLYGON|MULTILINESTRING|MULTIPOLYGON|CIRCULARSTRING|CURVEPOLYGON)\b", re.IGNORECASE)
_MAX_WKT = 10_000
"""Characters of a value that are read as a shape; a longer one is kept as text only."""


@dataclass(frozen=True, slots=True)
class Place:
    """The first sound point of a value, or why there is none."""

    longitude: float | None = None
    latitude: float | None = None
    flag: str | None = None


@cached_short
def place(text: str) -> Place:
    """Well-known text to degrees, longitude first. A shape that is no point has no place; neither has a point that can't be."""
    wkt = _SRID.sub("", text.replace("−", "-"), count=1).strip().rstrip(";").strip()
    if len(wkt) > _MAX_WKT:
        return Place(flag="point is too long to read")
    points = _points(wkt)
    if points is None:
        shape = _OTHER_SHAPE.match(wkt)
        return Place(flag=None if shape or not wkt or wkt.upper().endswith("EMPTY") else "point is malformed")
    flag = None
    for longitude, latitude in points:
        problem = _unsound(longitude, latitude)
        if problem is None:
            return Place(longitude, latitude)
        flag = flag or problem
    return Place(flag=flag)


def _points(wkt: str) -> list[tuple[float, float]] | None:
    """The points of a POINT, MULTIPOINT or GEOMETRYCOLLECTION; None where it is none of these or malformed."""
    if single := _POINT.fullmatch(wkt):
        return [(float(single[1]), float(single[2]))]
    if several := _MULTIPOINT.fullmatch(wkt):
        pieces = [re.fullmatch(rf"\(?\s*{_PAIR}\s*\)?", piece.strip()) for piece in several[1].split(",")]
        return [(float(piece[1]), float(piece[2])) for piece in pieces if piece] if all(pieces) else None
    if wkt.upper().startswith("GEOMETRYCOLLECTION"):
        return [(float(lon), float(lat)) for lon, lat in _POINT.findall(wkt)] or None
    return None


def _unsound(longitude: float, latitude: float) -> str | None:
    """Why a point can't be where a TTA was; None where it can."""
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        return "point is out of range"
    if longitude == 0 and latitude == 0:
        return "point is at 0 0"
    if not _in_us(longitude, latitude) and _in_us(latitude, longitude):
        return "point looks swapped"
    return None


def _in_us(longitude: float, latitude: float) -> bool:
    """Whether a point lies in the box of the states, or of Guam, the Marianas and American Samoa."""
    states = -180 <= longitude <= -64 and 17 <= latitude <= 72
    islands = 144 <= longitude <= 147 and 13 <= latitude <= 21
    return states or islands or (-172 <= longitude <= -168 and -15 <= latitude <= -10)


# --- money ----------------------------------------------------------------------------------------------------------

_AMOUNT = re.compile(
    r"(?<![\w.,])\$?\s*(\d{1,3}(?:,\d{3})+|\d{1,12})(\.\d{1,4})?\s*(thousand|million|billion|[kKmMbB])?(?!\w|[.,]\d)"
)
"""A whole amount: part of a longer number, or of a word such as FY2024, is none."""
_SCALE = {"": 1, "k": 1e3, "t": 1e3, "m": 1e6, "b": 1e9}
_BELOW = re.compile(r"\b(under|less than|below|up to|at most|no more than|maximum)\b|^\s*[<≤]", re.IGNORECASE)
_ABOVE = re.compile(
    r"\b(over|more than|above|at least|greater than|minimum|and up|or more|and above)\b|^\s*[>≥]|\+\s*$", re.IGNORECASE
)


@cached_short
def money_range(text: str) -> tuple[float | None, float | None]:
    """Lower and upper bound in dollars; an open end is None. One amount alone is both bounds."""
    amounts = [
        float(whole.replace(",", "") + cents) * _SCALE[(scale or "")[:1].lower()] for whole, cents, scale in _AMOUNT.findall(text)
    ]
    if not amounts or len(amounts) > 2:
        return None, None
    if len(amounts) == 2:
        return min(amounts), max(amounts)
    if _BELOW.search(text):
        return None, amounts[0]
    if _ABOVE.search(text):
        return amounts[0], None
    return amounts[0], amounts[0]


# --- dates ----------------------------------------------------------------------------------------------------------

_MONTH_NAMES = (
    ("jan", "january"),
    ("feb", "february"),
    ("mar", "march"),
    ("apr", "april"),
    ("may",),
    ("jun", "june"),
    ("jul", "july"),
    ("aug", "august"),
    ("sep", "sept", "september"),
    ("oct", "october"),
    ("nov", "november"),
    ("dec", "december"),
)
_MONTHS = {name: month for month, names in enumerate(_MONTH_NAMES, start=1) for name in names}
_MONTH = r"(?P<month>[A-Za-z]{3,9})\.?"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})",
        r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})",
        r"(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>\d{4})",
        r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<short>\d{2})(?!\d)",
        rf"(?P<d>\d{{1,2}})-{_MONTH}-(?P<y>\d{{4}})",
        rf"{_MONTH}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})",
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH},?\s+(?P<y>\d{{4}})",
    )
)
_TIME = re.compile(
    r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2}))?\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?(?P<zone>\s*(?:Z|UTC|GMT|AK[SD]T|[ECMP][SD]T|HST)\b|[+-]\d{2}:?\d{2})?"
)
_ZONES = {"UTC": "Z", "GMT": "Z", "AKST": "-09:00", "AKDT": "-08:00", "HST": "-10:00"} | {
    f"{letter}{kind}T": f"-{hours + (kind == 'S'):02d}:00"
    for letter, hours in zip("ECMP", (4, 5, 6, 7), strict=True)
    for kind in "SD"
}
_BARE_HOUR = re.compile(r"\b(?P<H>\d{1,2})\s*(?P<half>[AaPp]\.?[Mm]\b)\.?")
_RANGE = re.compile(r"\s+(?:-|–|—|to)\s+")
_MAX_DATE = 200


@cached_short
def iso_time(text: str | None) -> str | None:
    """A time as printed or as in a `datetime` attribute, in ISO 8601: in UTC where the zone is told, else local without zone.

    A date without a time stays a date. None where it can't be read.
    """
    plain = " ".join((text or "").split())
    if not plain or len(plain) > _MAX_DATE:
        return None
    return _machine_time(plain) or _printed_time(plain)


def _machine_time(text: str) -> str | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.isoformat()
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return None


def _printed_time(text: str) -> str | None:
    day = _printed_day(text)
    if day is None:
        return None
    clock = _TIME.search(text) or _BARE_HOUR.search(text)
    if clock is None:
        return day.isoformat()
    parts = clock.groupdict(default="")
    hour = int(parts["H"])
    if half := parts["half"][:1].lower():
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    zone = parts.get("zone", "").strip()
    zone = _ZONES.get(zone, zone)
    written = f"{day.isoformat()}T{hour:02d}:{parts.get('M') or '00'}:{parts.get('S') or '00'}{zone}"
    return _machine_time(written)


def _printed_day(text: str) -> date | None:
    for pattern in _DATES:
        if not (found := pattern.search(text)):
            continue
        parts = found.groupdict(default="")
        month = _MONTHS.get(parts["month"].lower()) if "month" in parts else int(parts["m"])
        year = int(parts["y"]) if parts.get("y") else 2000 + int(parts["short"])
        day = int(parts["d"])
        if month is not None and month > 12 >= day and "month" not in parts:
            month, day = day, month
        try:
            return date(year, month or 0, day)
        except ValueError:
            continue
    return None


def time_range(text: str | None, attribute: str | None) -> tuple[str | None, str | None]:
    """Start and end. One time is both; of a range with one end the other is None. The attribute (`start/end`) wins."""
    if attribute:
        start, slash, end = attribute.partition("/")
        first, last = iso_time(start), iso_time(end)
        return (first, last) if slash else (first, first)
    plain = " ".join((text or "").split())
    if not plain or len(plain) > 2 * _MAX_DATE:
        return None, None
    if plain[0] in "-–—":
        return None, iso_time(plain[1:])
    if plain[-1] in "-–—":
        return iso_time(plain[:-1]), None
    return _printed_range(plain)


def _printed_range(plain: str) -> tuple[str | None, str | None]:
    """The printed form `DAY - TIME` holds the same dash as a range does, so each dash is tried."""
    for dash in _RANGE.finditer(plain):
        start, end = plain[: dash.start()], plain[dash.end() :]
        first, last = iso_time(start), iso_time(end)
        if first and last and _printed_day(end) and not _TIME.match(end):
            return first, last
    if compact := _compact_range(plain):
        return compact
    whole = iso_time(plain)
    if whole is None:
        return None, None
    clocks = list(_TIME.finditer(plain))
    if len(clocks) == 2:  # one day, two times
        return whole, iso_time(f"{whole[:10]} {clocks[1][0]}")
    return whole, whole


_DAYS = re.compile(
    r"(?P<a>[A-Za-z]{3,9})\.?\s+(?P<b>\d{1,2})\s*[-–—]\s*(?:(?P<c>[A-Za-z]{3,9})\.?\s+)?(?P<d>\d{1,2}),?\s+(?P<e>\d{4})"
)
_HOUR = r"\d{1,2}(?::\d{2})?"
_HOURS = re.compile(
    rf"(?P<day>.{{1,60}}\d{{4}}),?\s+(?P<a>{_HOUR})\s*[-–—]\s*(?P<b>{_HOUR})\s*(?P<half>[ap]\.?m)\b.{{0,40}}", re.IGNORECASE
)


def _compact_range(plain: str) -> tuple[str | None, str | None] | None:
    """`March 30 - April 2, 2024`, `March 1 - 3, 2024` and `Mar 1 2024, 9 - 11am`: what both ends share is printed once."""
    if days := _DAYS.search(plain):
        last = f"{days['c'] or days['a']} {days['d']}, {days['e']}"
        return iso_time(f"{days['a']} {days['b']}, {days['e']}"), iso_time(last)
    if hours := _HOURS.fullmatch(plain):
        start = iso_time(f"{hours['day']} {_with_minutes(hours['a'])} {hours['half']}")
        return start, iso_time(f"{hours['day']} {_with_minutes(hours['b'])} {hours['half']}")
    return None


def _with_minutes(hour: str) -> str:
    return hour if ":" in hour else f"{hour}:00"
