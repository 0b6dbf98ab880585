"""The fiscal year of the US government, which begins on 1 October and has the number of the year it ends in."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

SITE_ZONE = ZoneInfo("America/New_York")
"""The zone of the portal's own times: a reference contains the local day of submission (DOMAIN.md, "The page")."""


def fiscal_year(reference: str | None, submitted_at: str | None) -> int | None:
    """The fiscal year of the submission: by the reference's day, else by the time of submission; None where neither is known."""
    day = day_of_reference(reference) or day_of_time(submitted_at)
    return fiscal_year_of(day) if day else None


def fiscal_year_of(day: date) -> int:
    """The fiscal year of a day."""
    return day.year + (day.month >= 10)


def day_of_reference(reference: str | None) -> date | None:
    """The day at the start of a reference, YYYYMMDD; None if there is none."""
    day = (reference or "")[:8]
    try:
        return date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return None


def day_of_time(text: str | None) -> date | None:
    """The day of an ISO 8601 time: in the portal's zone if the time has a zone, else as printed; None if it is no time."""
    try:
        moment = datetime.fromisoformat(text or "")
        return (moment.astimezone(SITE_ZONE) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return None
