"""Converts printed values to typed ones: times, Yes/No, points, money, numbers, references. None where that is impossible."""

import re
import tomllib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

_Text = TypeVar("_Text", str, str | None)
_Read = TypeVar("_Read")
_FORMS = tomllib.loads((files("parsers") / "scalars.toml").read_text("utf-8"))
_CACHE_SIZE = 4096  # texts for each function
_MAX_CACHED_TEXT = 400  # characters; longer texts hardly ever repeat, and would only fill the memory


def cached_short(read: Callable[[_Text], _Read]) -> Callable[[_Text], _Read]:
    """Wraps a pure function with a cache for short texts, which repeat from page to page. Its results must not be modified."""
    known = lru_cache(_CACHE_SIZE)(read)
    return lambda text: known(text) if text is None or len(text) <= _MAX_CACHED_TEXT else read(text)


SITE_ZONE = ZoneInfo("America/New_York")
NO_TIME = "T12:00:00Z"  # noon in UTC, as Drupal stores and prints a date that was entered without a time
"""The zone of the portal's own times: a reference contains the local day of submission (DOMAIN.md, "The page")."""
REFERENCE = re.compile(r"\d{8}-\d{5,6}-\d{1,2}")
"""A record's own reference; the hour is not zero-padded, so the time has five or six digits (DOMAIN.md, "The page")."""

_ANSWERS = dict.fromkeys("yes on true 1 enabled checked ✔ ✓".split(), True)
_ANSWERS |= dict.fromkeys("no off false 0 disabled unchecked ✖ ✗".split(), False)
"""The pairs that Drupal's boolean formatter offers (core's BooleanFormatter::getOutputFormats)."""


def reference(title: str | None) -> str | None:
    """Returns the title if it is a record's reference."""
    text = (title or "").strip()
    return text if REFERENCE.fullmatch(text) else None


@cached_short
def yes_no(text: str) -> bool | None:
    return _ANSWERS.get(text.strip().strip(".").casefold())


@cached_short
def number(text: str) -> int | None:
    """Parses an integer that SQLite can store, with or without thousands separators."""
    found = re.fullmatch(r"[+-]?(\d{1,19}|\d{1,3}(,\d{3}){1,6})", text.strip())
    value = int(found[0].replace(",", "")) if found else None
    return value if value is not None and -(2**63) <= value < 2**63 else None


_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_PAIR = re.compile(rf"\s*\(?\s*({_NUMBER})\s+({_NUMBER})(?:\s+{_NUMBER}){{0,2}}\s*\)?\s*")
_WKT = re.compile(r"(?is)(?:SRID\s*=\s*\d{1,6}\s*;)?\s*([A-Z]{5,20}?)\s*(?:ZM|Z|M)?\s*(?:EMPTY|\((.*)\))\s*;?")
_LAT_LON = re.compile(rf"({_NUMBER})\s*,\s*({_NUMBER})")  # as Geofield prints a point for people, the latitude first
_PARTS = r"(\d{1,3}(?:\.\d+)?)\s?[°º]\s?(?:([\d.]{1,9})\s?['′’]\s?)?(?:([\d.]{1,9})\s?(?:[\"″”]|''|′′|’’)\s?)?"
_DEGREES = re.compile(rf"{_PARTS}([NS])[\s,;]+{_PARTS}([EW])", re.IGNORECASE)  # Geofield's other form, with minutes and seconds
_MAX_WKT = 10_000  # characters of a value that is parsed as a shape; a longer one is kept as text only
_WITHOUT_POINTS = frozenset("LINESTRING POLYGON MULTILINESTRING MULTIPOLYGON CIRCULARSTRING CURVEPOLYGON".split())
_US = ((-180, -64, 17, 72), (144, 147, 13, 21), (-172, -168, -15, -10))
"""West, east, south and north of the states, of Guam with the Marianas, and of American Samoa."""


def as_wkt(text: str) -> str:
    """Returns a latitude and a longitude, in decimal numbers or in degrees, as well-known text; any other text unchanged."""
    if found := _LAT_LON.fullmatch(text):
        return f"POINT ({found[2]} {found[1]})"
    if not (found := _DEGREES.fullmatch(text)):
        return text
    latitude, longitude = (
        sum(float(part or 0) / 60**power for power, part in enumerate(parts)) * (-1 if direction in "SWsw" else 1)
        for *parts, direction in (found.groups()[:4], found.groups()[4:])
    )
    return f"POINT ({longitude:.4f} {latitude:.4f})"  # a second is 0.0003 degrees


@cached_short
def parse_point(text: str) -> tuple[float | None, float | None, str | None]:
    """Returns longitude and latitude in degrees of the first valid point of well-known text, or what is wrong with the text.

    A latitude and a longitude are a point too (`as_wkt`).
    """
    text = text.replace("−", "-").strip()
    if len(text) > _MAX_WKT:
        return None, None, "point is too long to read"
    text = as_wkt(text)
    wkt = _WKT.fullmatch(text)
    shape, body = (wkt[1].upper(), wkt[2]) if wkt else ("", "")
    if not text or body is None or shape in _WITHOUT_POINTS:
        return None, None, None
    pieces = {
        "POINT": [body],
        "MULTIPOINT": body.split(","),
        "GEOMETRYCOLLECTION": re.findall(r"POINT[\sZM]*(\([^()]*\))", body, re.IGNORECASE),
    }
    points = [_PAIR.fullmatch(piece) for piece in pieces.get(shape, [])]
    places = [(float(point[1]), float(point[2])) for point in points if point]
    if not points or len(places) < len(points):
        return None, None, "point is malformed"
    flags = []
    for x, y in places:
        is_in_us, is_swapped = (
            any(west <= one <= east and south <= two <= north for west, east, south, north in _US)
            for one, two in ((x, y), (y, x))
        )
        if not (-180 <= x <= 180 and -90 <= y <= 90):
            flags.append("point is out of range")
        elif x == y == 0 or (is_swapped and not is_in_us):
            flags.append("point looks swapped" if x else "point is at 0 0")
        else:
            return x, y, None
    return None, None, flags[0]


_AMOUNT = re.compile(_FORMS["amount"])
_SCALE = {"": 1, "k": 1e3, "t": 1e3, "m": 1e6, "b": 1e9}  # factors by first letter: k, thousand, million, billion
_UPPER_BOUND_WORDS = re.compile(r"\b(under|less than|below|up to|at most|no more than|maximum)\b|^\s*[<≤]", re.IGNORECASE)
_LOWER_BOUND_WORDS = re.compile(r"(?i)\b(over|more than|above|at least|greater than|minimum|and up|or more)\b|^\s*[>≥]|\+\s*$")


@cached_short
def money_range(text: str) -> tuple[float | None, float | None]:
    """Returns the lower and upper bound in dollars; an open end is None. A single amount is both bounds."""
    amounts = [float(whole.replace(",", "") + cents) * _SCALE[scale[:1].lower()] for whole, cents, scale in _AMOUNT.findall(text)]
    if len(amounts) == 1 and _UPPER_BOUND_WORDS.search(text):
        return None, amounts[0]
    if len(amounts) == 1 and _LOWER_BOUND_WORDS.search(text):
        return amounts[0], None
    return (min(amounts), max(amounts)) if 1 <= len(amounts) <= 2 else (None, None)


_NAMES = "january february march april may june july august september october november december".split()
_MONTHS = {name: month for month, full in enumerate(_NAMES, start=1) for name in (full, full[:3], full[:4])}
_DATE_FORMS = tuple(re.compile(rf"(?<![\d/.-]){one}(?!\d|[/.-]\d)", re.IGNORECASE) for one in _FORMS["dates"])
_OFFSETS = {"Z": 0, "UTC": 0, "GMT": 0, "AKST": -9, "AKDT": -8, "HST": -10} | {
    f"{letter}{kind}T": -hours - (kind == "S") for letter, hours in zip("ECMP", (4, 5, 6, 7), strict=True) for kind in "SD"
}
_REGIONS = {"E": "New_York", "C": "Chicago", "M": "Denver", "P": "Los_Angeles"}
_CLOCK, _FILLER = (re.compile("".join(_FORMS[name]), re.IGNORECASE) for name in ("clock", "filler"))
_SEPARATOR = re.compile(r"\s*(?:[-–—−~→&]|\b(?:to|through|thru|until|till|and)\b)\s*", re.IGNORECASE)
"""Separators between the ends of a range."""
_OPEN = re.compile("|present|ongoing|tbd", re.IGNORECASE)  # words for an open end of a range
_MAX_TIME = 200  # characters; a longer text is not a time
_MAX_FIRST_DAY = 40  # characters within which the first day of a range ends


@cached_short
def iso_time(text: str | None) -> str | None:
    """Converts a time as printed or as in a `datetime` attribute to ISO 8601: in UTC if the zone is given, else local.

    A date without a time stays a date. None for any other text, or for more than one time.
    """
    plain = " ".join((text or "").split())
    if not plain or len(plain) > _MAX_TIME:
        return None
    if re.match(r"\d{4}-\d{2}-\d{2}", plain):
        with suppress(ValueError, OverflowError):
            return date.fromisoformat(plain).isoformat() if len(plain) == 10 else _as_utc(datetime.fromisoformat(plain))
    day, rest = _split_off_date(plain)
    clock = next(filter(_is_clock, _CLOCK.finditer(rest)), None)
    if clock is not None:
        rest = f"{rest[: clock.start()]} {rest[clock.end() :]}"
    if day is None or not _FILLER.fullmatch(rest):
        return None
    return day.isoformat() if clock is None else _combine(day, clock, clock["half"], clock["zone"])


def _as_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment.tzinfo else moment.isoformat()


def _is_clock(found: re.Match[str]) -> bool:
    return bool(found["M"] or found["half"] or found["word"])


def _split_off_date(text: str) -> tuple[date | None, str]:
    """Returns the first date in a text, and the text without it."""
    for found in filter(None, (form.search(text) for form in _DATE_FORMS)):
        parts = found.groupdict()
        named = parts.get("month")
        month = _MONTHS.get(named.lower(), 0) if named else int(parts["m"])
        year, day = int(parts["y"]) + (2000 if len(parts["y"]) == 2 else 0), int(parts["d"])
        if not named and day <= 12 < month:
            month, day = day, month
        with suppress(ValueError):
            return date(year, month, day), text[: found.start()] + " " + text[found.end() :]
    return None, ""


def _combine(day: date, clock: re.Match[str], half: str | None, zone: str | None) -> str | None:
    """Returns a date and a time of day, such as noon, as ISO 8601, in UTC if it has a zone; None if there is no such time."""
    hour = int(clock["H"] or (0 if clock["word"].lower() == "midnight" else 12))
    if half := (half or "").strip()[:1].lower():
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    name = (zone or "").strip(" ()").upper()
    try:
        moment = datetime(day.year, day.month, day.day, hour, int(clock["M"] or 0), int(clock["S"] or 0))  # noqa: DTZ001
        if name[:1] in ("+", "-"):
            moment = datetime.fromisoformat(moment.isoformat() + name)
        elif name in _OFFSETS:
            moment = moment.replace(tzinfo=timezone(timedelta(hours=_OFFSETS[name])))
        elif name:
            moment = moment.replace(tzinfo=ZoneInfo(f"America/{_REGIONS[name[0]]}"))
        return _as_utc(moment)
    except (ValueError, OverflowError):
        return None


def time_of(text: str | None, attribute: str | None) -> str | None:
    """Returns the time of a value by its `datetime` attribute, else as printed, in the form of `iso_time`.

    A date that was entered without a time (`NO_TIME`) is a date if the printed text has no time of day either.
    """
    stamp = iso_time(attribute)
    if stamp is None:
        return iso_time(text)
    if stamp.endswith(NO_TIME) and text and any(map(str.isdigit, text)) and not any(map(_is_clock, _CLOCK.finditer(text))):
        return stamp[:10]
    return stamp


def in_site_zone(text: str, attribute: str) -> str:
    """Returns a `datetime` attribute (or `start/end`) with the portal's offset if its `Z` marks local time; any other unchanged.

    Drupal's Layout Builder prints such attributes: the clock time printed beside it is the same, without a zone, although the
    page's other times have an offset.
    """
    hour, _, minute = attribute[11:16].partition(":")
    if ":" in text and hour.isdecimal() and all(f"{one}:{minute}" not in text for one in (int(hour), int(hour) % 12 or 12)):
        return attribute  # the same as below, in a tenth of the time
    printed = [time for time in dict.fromkeys(time_range(text, None)) if time and "T" in time and not time.endswith("Z")]
    stamps = attribute.split("/")
    times = [time[:16] for time in dict.fromkeys(map(iso_time, stamps)) if time]
    if not printed or [time[:16] for time in printed] != times:
        return attribute
    local = (datetime.fromisoformat(one[:-1]).replace(tzinfo=SITE_ZONE).isoformat() if one[-1:] == "Z" else one for one in stamps)
    with suppress(ValueError):
        return "/".join(local)
    return attribute


def time_range(text: str | None, attribute: str | None) -> tuple[str | None, str | None]:
    """Returns start and end. A single time is both; an open end is None. The attribute (`start/end`) takes precedence."""
    plain = " ".join((text or "").split())
    if attribute:
        start, slash, end = attribute.partition("/")
        first, last = time_of(plain, start), time_of(plain, end) if end else None
        if first or last:
            return (first, last) if slash else (first, first)
    if not plain or len(plain) > 2 * _MAX_TIME or not any(map(str.isdigit, plain)):
        return None, None
    if opening := _SEPARATOR.match(plain):
        return None, iso_time(plain[opening.end() :])
    for separator in _SEPARATOR.finditer(plain):  # the dash in `DAY - TIME` is the same as between the ends of a range
        first, end = iso_time(plain[: separator.start()]), plain[separator.end() :]
        clock = _CLOCK.match(end)
        last = None if clock and _is_clock(clock) else iso_time(end)
        if first and (last or _OPEN.fullmatch(end)):
            return first, last
    whole = iso_time(plain)
    return (whole, whole) if whole else _split_two_days(plain) or _split_two_times(plain) or (None, None)


def _split_two_days(plain: str) -> tuple[str, str] | None:
    """Completes both days of a range that prints the year once: `March 30 - April 2, 2024`, `1 to 3 March 2024`."""
    year = plain[-4:]
    for separator in _SEPARATOR.finditer(plain[:_MAX_FIRST_DAY]) if year.isdecimal() else ():
        start, end = plain[: separator.start()], plain[separator.end() :]
        month, end_without_day = re.sub(r"\d.*", "", start), re.sub(r"^\d{1,2}(?:st|nd|rd|th)?", "", end)
        for one in (f"{start} {year}", f"{start}/{year}", start + end_without_day):
            first, last = iso_time(one), iso_time(end) or iso_time(month + end)
            if first and last and first > last:  # `Dec 30 - Jan 2, 2025` begins in the year before
                first = iso_time(one.replace(year, str(int(year) - 1)))
            if first and last:
                return first, last
    return None


def _split_two_times(plain: str) -> tuple[str | None, str | None] | None:
    """Returns both times of a range within one day: `Mar 1 2024, 9 - 11am`, `5 PM to 7 PM ET on October 25, 2026`."""
    day, rest = _split_off_date(plain)
    for one, two in pairwise(_CLOCK.finditer(rest)):
        outside = f"{rest[: one.start()]} {rest[two.end() :]}"
        between = rest[one.end() : two.start()]
        if day is None or not (_is_clock(two) and _SEPARATOR.fullmatch(between) and _FILLER.fullmatch(outside)):
            continue
        half = one["half"] or two["half"]
        if half and not one["half"] and one["H"] and two["H"] and int(one["H"]) % 12 > int(two["H"]) % 12:
            half = "a" if half.strip()[0].lower() == "p" else "p"  # `11 - 1pm`
        return _combine(day, one, half, one["zone"] or two["zone"]), _combine(day, two, two["half"], two["zone"])
    return None


def fiscal_year(reference: str | None, submitted_at: str | None) -> int | None:
    """Returns the US fiscal year of a submission: it begins on October 1, and is named for the calendar year in which it ends."""
    day = day_of_reference(reference) or day_of_time(submitted_at)
    return day.year + (day.month >= 10) if day else None


def day_of_reference(reference: str | None) -> date | None:
    """Returns the day at the start of a reference, YYYYMMDD; None if there is none."""
    day = (reference or "")[:8]
    with suppress(ValueError):
        return date(int(day[:4]), int(day[4:6]), int(day[6:]))
    return None


def day_of_time(text: str | None) -> date | None:
    """Returns the day of an ISO 8601 time: in the portal's zone if the time has a zone, else as printed; None for other text."""
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text or "")
        return (moment.astimezone(SITE_ZONE) if moment.tzinfo else moment).date()
    return None
