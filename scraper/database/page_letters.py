"""Compares texts and pages by their letters and digits, which are what themes and text extractors leave unchanged. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property

from parsers.scalars import SITE_ZONE, cached_short, iso_time
from scraper.database.stored_page import FieldValue, StoredPage

MIN_CUT = 40
"""Letters. A shorter text that begins like another may be another value ("Essex", "Essex County"); a longer one was cut."""
MIN_START = 12
"""Letters by which the rest of a divided text is found; fewer occur in many places."""
MAX_PARTS = 200
"""Values of one field that are compared in any order; more are compared in page order only, which takes linear time."""
MAX_UNITS = 2000
"""Parts of a page that may explain a value. Real pages have a few hundred; each field would be compared with all of them."""
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


_ONLY_TIME = re.compile(
    r"(?:[\d\s:/.,+()–—-]|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*+"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*+|[ap]\.?m\b|utc|gmt|[ecmp][sd]t\b|to\b|at\b|st\b|nd\b|rd\b|th\b|[tz])*+",
    re.IGNORECASE,
)


@cached_short
def moment(iso: str | None) -> str:
    """An ISO 8601 text of `scalars` in the site's zone, as far as it is known; "" for none. A local time has no seconds."""
    if not iso:
        return ""
    if not iso.endswith("Z"):
        return iso[:16] if iso.endswith(":00") else iso
    try:
        return datetime.fromisoformat(iso).astimezone(SITE_ZONE).replace(tzinfo=None).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


@cached_short
def is_only_time(text: str | None) -> bool:
    """Whether a text is nothing but a date or a time, or a range of two."""
    return text is not None and sum(map(str.isdigit, text)) >= 5 and _ONLY_TIME.fullmatch(text) is not None


def line_letters(row: FieldValue, line: str) -> str:
    """The letters of a line; of a time the digits of its day, because it is printed in many ways."""
    when = moment_of(row, line)
    return letters(when.partition("T")[0] if when else line)


def moment_of(row: FieldValue, line: str) -> str:
    """The time that a line of a value is; "" where it is something else."""
    if row.datetime and line == row.value:
        return moment(iso_time(row.datetime.partition("/")[0]))
    return moment(iso_time(line)) if is_only_time(line) else ""


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


class PageText:
    """A page as its letters: what a text extractor's value of a field may have been taken from."""

    def __init__(self, page: StoredPage) -> None:
        self._page = page
        self._title, _, self._author, _ = (letters(str(one or "")) for one in page.head)

    def quotes(self, label: str, text: str) -> bool:
        """Whether the page contains a label and its value within the value of another field, or the text is its title."""
        quoted = (label + text).lower()
        return text == self._title or (bool(label) and any(quoted in value for *_, value in self._rows))

    def has_field(self, text: str, *, other_than: str) -> bool:
        """Whether a text is the label and the value of another field, or one of the two is cut."""
        others = [label + value for key, label, value, _ in self._rows if key != other_than and label and value]
        return bool(text) and any(text.startswith(one) or one.startswith(text) for one in others)

    def explains(self, text: str, own: Sequence[str] = (), values: int = 0) -> bool:
        """Whether other parts of the page explain a text extractor's value of a field, so that it is no other value.

        `own`: the lines that the page shows for the field, of so many `values`; there may be none. The text has to contain them
        together with the record's title or byline (the top of the page); or to contain as many as half of the values have, or to
        begin with a label, and to consist of parts of the page, in page order.
        """
        rest = text.replace("".join(own), "", 1)
        has_byline = bool(self._author) and f"by{self._author[:MIN_START]}".lower() in rest.lower()
        if (rest != text or not own) and (has_byline or (self._title and self._title in rest)):
            return True
        is_there = not own or 2 * sum(one in text for one in own) >= values
        if len(self._units) > MAX_UNITS or not (is_there or text.startswith(self._labels)):
            return False
        beginnings = ((unit, unit.find(text[:MIN_START])) for unit, *_ in self._units)
        starts = {0} | {len(unit) - at for unit, at in beginnings if at > 0 and text.startswith(unit[at:])}
        return is_made_of(text, self._units, MIN_CUT, starts)

    @cached_property
    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Key, label and value of each field, and the value in small letters."""
        texts = ((row.key, letters(row.label or ""), letters(row.value or "")) for row in self._page.fields[:MAX_UNITS])
        return [(*text, text[2].lower()) for text in texts]

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return tuple({label for _, label, *_ in self._rows} - {""})

    @cached_property
    def _units(self) -> list[tuple[str, ...]]:
        """Title, labels, values and instructions in page order, divided where a text contains a label; times in two ways."""
        units = [self._title, "Submittedby", "By", self._author]
        texts: dict[str, str | None] = dict(self._page.sections)  # type: ignore[arg-type]
        section, groups, days = None, set(), {}
        for row in self._page.fields:
            if row.section != section and row.section:
                section = row.section
                units += [letters(section), *map(letters, (texts.pop(section, None) or "").splitlines())]
            group = letters((row.item or "").rstrip(" 0123456789"))
            groups.add(group)
            units += [group, letters(row.label or "")]
            for line in (row.value or "").splitlines():
                units.append(letters(line))
                if moment_of(row, line):
                    days[units[-1]] = line_letters(row, line)
        units += [letters(text) for label, some in texts.items() for text in (label, *(some or "").splitlines())]
        labels = sorted((one for one in {*self._labels, *groups} if len(one) >= MIN_START), key=len, reverse=True)
        divide = re.compile(f"({'|'.join(labels)})") if labels else re.compile("(?!)")
        pieces = [piece for one in units for piece in divide.split(one) if piece]
        return [(piece, days[piece]) if piece in days else (piece,) for piece in pieces]
