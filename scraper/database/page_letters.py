"""Compares texts and pages by their letters and digits, which are what themes and text extractors leave unchanged. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from parsers.cache import cached_short
from parsers.fiscal import SITE_ZONE
from parsers.scalars import iso_time
from scraper.database.stored_page import FieldValue, StoredPage

PageContent = StoredPage[FieldValue]
MIN_CUT = 40
"""Letters. A shorter text that begins like another may be another value ("Essex", "Essex County"); a longer one was cut."""
MIN_START = 12
"""Letters by which the rest of a divided text is found; fewer occur in many places."""
MAX_PARTS = 200
"""Values of one field that are compared in any order; more are compared in page order only, which takes linear time."""
_MAX_ENDS = 64
"""Alternatives that `is_made_of` follows at once. Real texts need one or two; the bound keeps hostile ones linear."""
_LINK = re.compile(r"(!?)\[([^\[\]\n]{0,500})\]\([^()\n]{0,2000}\)")
_REFERENCE_MARK = re.compile(r"\[\d{1,3}\]|\bCAPTION:")
_LETTERS = re.compile(r"[^\W_]+|(?<=\d)\.(?=\d)")


@cached_short
def letters(text: str) -> str:
    """The letters and digits of a text, without link and footnote marks; the point in a decimal number counts as well."""
    if "[" in text or "CAPTION" in text:
        text = _REFERENCE_MARK.sub(" ", _LINK.sub(lambda found: "" if found[1] else found[2], text))
    return "".join(_LETTERS.findall(text if text.isascii() else unicodedata.normalize("NFKC", text)))


# --- times ----------------------------------------------------------------------------------------------------------

_ONLY_TIME = re.compile(
    r"(?:[\d\s:/.,+()–—-]|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*+"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*+|[ap]\.?m\b|utc|gmt|[ecmp][sd]t\b|to\b|at\b|st\b|nd\b|rd\b|th\b|[tz])*+",
    re.IGNORECASE,
)
_DAY, _MINUTE, _SECOND = 10, 16, 19
"""Characters of a local ISO time that are known."""


class Moment(NamedTuple):
    """A time in the site's zone. `precision`: how many of its characters are known; `zoned`: the page gave the zone."""

    local: str
    precision: int
    zoned: bool


@cached_short
def moment(iso: str | None) -> Moment | None:
    """The time that an ISO 8601 text of `scalars` stands for. Local times are printed without seconds, so 0 is unknown."""
    if iso is None:
        return None
    if not iso.endswith("Z"):
        precision = _DAY if len(iso) == _DAY else _MINUTE if iso[_MINUTE:] in ("", ":00") else _SECOND
        return Moment(iso, precision, False)
    try:
        local = datetime.fromisoformat(iso).astimezone(SITE_ZONE).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return Moment(local.isoformat(timespec="seconds"), _SECOND, True)


@cached_short
def is_only_time(text: str | None) -> bool:
    """Whether a text is nothing but a date or a time, or a range of two."""
    return text is not None and sum(map(str.isdigit, text)) >= 5 and _ONLY_TIME.fullmatch(text) is not None


def line_letters(row: FieldValue, line: str) -> str:
    """The letters of a line; of a time the digits of its day, because it is printed in many ways."""
    when = moment_of(row, line)
    return letters(when.local[:_DAY]) if when else letters(line)


def moment_of(row: FieldValue, line: str) -> Moment | None:
    """The time that a line of a value is; None where it is something else."""
    if row.datetime and line == row.value:
        return moment(iso_time(row.datetime.partition("/")[0]))
    return moment(iso_time(line)) if is_only_time(line) else None


# --- parts of pages -------------------------------------------------------------------------------------------------


def has_parts(text: str, parts: list[str], *, all_of_them: bool) -> bool:
    """Whether a text consists of these parts in any order and nothing else."""
    if len(parts) > MAX_PARTS:
        return False
    for part in sorted(filter(None, parts), key=len, reverse=True):
        at = text.find(part)
        if at < 0 and all_of_them:
            return False
        if at >= 0:
            text = f"{text[:at]}\0{text[at + len(part) :]}"
    return not text.strip("\0")


def is_made_of(text: str, units: list[tuple[str, ...]], least: int, starts: Iterable[int] = (0,)) -> bool:
    """Whether a text consists of some of the units in their order. A list mark may precede each, the last one may be cut."""
    ends = set(starts)
    for ways in units:
        further = set()
        for end in ends:
            rest = len(text) - end
            for way in ways:
                for start in (end, end + 1, end + 2):
                    mark = text[end:start]
                    if text.startswith(way, start) and (not mark or mark == "o" or mark.isdigit()):
                        further.add(start + len(way))
                if len(text) >= least and 0 < rest < len(way) and text.endswith(way[:rest]):
                    return True
        ends |= further
        if len(ends) > _MAX_ENDS:
            ends = set(sorted(ends)[-_MAX_ENDS:])
    return len(text) in ends


def is_quoted(label: str, text: str, page: PageContent) -> bool:
    """Whether a page contains a label and its value within the value of another field, or the text is the page's title."""
    quoted = (label + text).lower()
    if label and any(quoted in letters(row.value or "").lower() for row in page.fields):
        return True
    return text == letters(str(page.head[0] or ""))


def is_other_part(text: str, own: Sequence[str], page: PageContent) -> bool:
    """Whether a text extractor's value of a field is explained by other parts of a richer capture's page, so is no other value.

    `own`: the values that the richer page shows for the field, which may be none. The text has to contain them together with the
    record's title or byline (the top of the page), or with any other parts of the page, in page order; or to begin with a label.
    """
    title, author = (letters(str(page.head[index] or "")) for index in (0, 2))
    whole = "".join(own)
    rest = text.replace(whole, "", 1)
    if (rest != text or not own) and (
        (title and title in rest) or (author and f"by{author[:MIN_START]}".lower() in rest.lower())
    ):
        return True
    units = page_units(page)
    labels = (letters(row.label) for row in page.fields if row.label)
    is_lost = not own or any(text.startswith(label) for label in labels)  # then the next label was taken for the value
    found = sum(one in text for one in own)  # of a group some may be lost
    return (is_lost or 2 * found >= len(own)) and is_made_of(text, [(one,) for one in units], MIN_CUT, _beginnings(text, units))


def _beginnings(text: str, units: list[str]) -> set[int]:
    """Lengths of the beginnings of a text that a unit ends with."""
    found = ((unit, unit.find(text[:MIN_START])) for unit in units)
    return {0} | {len(unit) - at for unit, at in found if at > 0 and text.startswith(unit[at:])}


def page_units(page: PageContent) -> list[str]:
    """Title, labels, values and instructions of a page, in its order, divided where a text contains a label."""
    title, _, author, _ = (letters(str(one or "")) for one in page.head)
    units = [title, "Submittedby", "By", author]
    texts: dict[str, str | None] = dict(page.sections)  # type: ignore[arg-type]
    section = None
    labels: set[str] = set()
    for row in page.fields:
        if row.section != section and row.section:
            section = row.section
            units += [letters(section), *(letters(line) for line in (texts.pop(section, None) or "").splitlines())]
        names = [letters(text) for text in ((row.item or "").rstrip(" 0123456789"), row.label) if text]
        labels.update(names)
        units += [*names, *(line_letters(row, line) for line in (row.value or "").splitlines())]
    units += [letters(text) for label, some in texts.items() for text in (label, *(some or "").splitlines())]
    long = sorted((label for label in labels if len(label) >= MIN_START), key=len, reverse=True)
    divide = re.compile(f"({'|'.join(long)})") if long else re.compile("(?!)")
    return [piece for one in units for piece in divide.split(one) if piece]
