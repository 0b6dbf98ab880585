"""Dates, fiscal years and states the way people write them: `10/25/2026`, `last week`, `FY2024`, `March 2024`, `TX`. Pure.

What cannot be understood raises BadQuery; nothing is compared as text.
"""

import re
from calendar import monthrange
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from scraper.database.counties import STATES
from scraper.errors import BadQuery

_FORMATS = (
    ("day", ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y", "%m.%d.%Y", "%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y")),
    ("month", ("%Y-%m", "%m/%Y", "%B %Y", "%b %Y")),
    ("year", ("%Y",)),
)
_FISCAL = re.compile(r"(?:fy|fiscal year) ?'?(?:20)?(\d\d)")
_RELATIVE = re.compile(r"(this|current|last|past|previous) (?:(\d{1,4}) )?(day|week|month|fiscal year|fy|year)s?")
_IGNORED = re.compile(r",|(?<=[a-z])\.|(?<=\d)(?:st|nd|rd|th)\b")
_MONTHS = {"month": 1, "year": 12, "fiscal year": 12, "fy": 12}
_DAYS = {"day": 1, "week": 7}
_STATES = {key.casefold().replace(".", ""): names for names in STATES.values() for key in names}


class Days(NamedTuple):
    """A span of days, with the first and without `end`."""

    first: date
    end: date


def days(text: str, today: date) -> Days:
    """The days that the text means. `last 7 days` ends today; `last week` begins on a Sunday. Raises BadQuery."""
    plain = " ".join(_IGNORED.sub(" ", text.casefold()).replace("sept ", "sep ").split())
    with suppress(ValueError, OverflowError):
        if plain in ("today", "yesterday"):
            return _span(today - timedelta(days=plain == "yesterday"), "day")
        if found := _FISCAL.fullmatch(plain):
            return _span(date(1999 + int(found[1]), 10, 1), "year")
        if found := _RELATIVE.fullmatch(plain):
            return _relative(found[1] in ("this", "current"), int(found[2] or 0), found[3], today)
        for unit, formats in _FORMATS:
            for form in formats:
                with suppress(ValueError):
                    return _span(datetime.strptime(plain, form).replace(tzinfo=UTC).date(), unit)
    raise BadQuery(f"“{text[:80]}” is not a date: write 10/25/2026, March 2024, FY2024, last week or last 30 days.")


def _relative(is_this: bool, number: int, unit: str, today: date) -> Days:
    if number:
        end = today + timedelta(days=1)
        return Days(_later(end, unit, -number), end)
    first = {
        "day": today,
        "week": today - timedelta(days=today.isoweekday() % 7),
        "month": today.replace(day=1),
        "year": date(today.year, 1, 1),
    }.get(unit) or date(today.year - (today.month < 10), 10, 1)
    return _span(first if is_this else _later(first, unit, -1), unit)


def _span(first: date, unit: str) -> Days:
    return Days(first, _later(first, unit, 1))


def _later(day: date, unit: str, number: int) -> date:
    """The day so many units later; in a shorter month its last day."""
    if unit in _DAYS:
        return day + timedelta(days=number * _DAYS[unit])
    year, month = divmod(day.year * 12 + day.month - 1 + number * _MONTHS[unit], 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def fiscal_year(text: str, today: date) -> str:
    """The year of a column that holds years: `2024`, `FY24`, `this fiscal year`. Raises BadQuery."""
    with suppress(BadQuery):
        span = days(text, today)
        if span.end == _later(span.first, "year", 1):
            return str((span.end - timedelta(days=1)).year)
    raise BadQuery(f"“{text[:80]}” is not a year: write 2024, FY2024 or this fiscal year.")


def state(text: str, *, code: bool) -> str:
    """The name of a state or territory, or its postal code, of either in any case. Raises BadQuery."""
    if found := _STATES.get(" ".join(text.casefold().replace(".", "").split())):
        return found[code]
    raise BadQuery(f"“{text[:80]}” is not a state: write its name or postal code, such as Texas or TX.")
