"""The normal forms by which captures are compared: a text as its letters and digits, a time as an instant. Pure.

Themes and text extractors leave letters and digits unchanged.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from html import unescape

from parsers.scalars import SITE_ZONE, cached_short, iso_time
from scraper.database.stored_page import FieldValue, StoredPage

MIN_START = 12
"""Letters that suffice to recognize a label within a text. After a shorter label, the beginning of its value has to follow."""
MIN_MARK = 8
"""Letters of a short label with its value; shorter sequences occur in many texts."""
MAX_PARTS = 500
"""Parts of a value, or fields of a page, that are searched for in a text. Real ones have a few hundred; each costs a search."""
_LINK = re.compile(r"(!?)\[([^\[\]\n]{0,500})\]\([^()\n]{0,2000}\)")
_MARKUP = re.compile(r"\[\d{1,3}\]|\bCAPTION:|</?[A-Za-z][\w-]*(?:\s[^<>\n]{0,200})?>")  # marks left by extractors
_LIST_NUMBER = re.compile(r"^[ \t]*(?:\d{1,2}[.)]|o)[ \t]+(?=\S)", re.MULTILINE)
_LETTERS = re.compile(r"[^\W_]+|(?<=\d)\.(?=\d)")  # words, and decimal points
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f\s•◦▪▫·○●■□─-╿⎯⸻]")  # without the bullets and lines that a text extractor draws
_WINDOWS = {ord(char): code for code in range(0x80, 0xA0) if (char := bytes([code]).decode("cp1252", "ignore"))}
"""The characters that only windows-1252 has, and their bytes."""
_TRAILING = "".join(map(chr, range(0x80, 0xC0))) + bytes(range(0x80, 0xC0)).decode("cp1252", "ignore")
DAMAGE = re.compile(rf"[Â-ß][{_TRAILING}]|[à-ï][{_TRAILING}]{{2}}|[ð-ô][{_TRAILING}]{{3}}|\ufffd")
"""A character that was decoded wrongly: UTF-8 as windows-1252, or what could not be decoded at all."""


def _repair(text: str) -> str:
    """Returns a text with composed accents and without damage: characters as they were, or left out."""
    text = DAMAGE.sub(lambda one: one[0].translate(_WINDOWS).encode("latin-1", "ignore").decode(errors="ignore"), text)
    return unicodedata.normalize("NFC", text)


@cached_short
def letters(text: str) -> str:
    """Returns letters and digits of a text, without tags, marks of links, notes and lists; a decimal point counts too."""
    if "[" in text or "<" in text or "CAPTION" in text:
        text = _MARKUP.sub(" ", _LINK.sub(lambda found: "" if found[1] else found[2], text))
    text = _LIST_NUMBER.sub("", unescape(text))
    if not text.isascii():
        text = unicodedata.normalize("NFKD", _repair(text))
    return "".join(_LETTERS.findall(text))


def is_spoiled(text: str, other: str) -> bool:
    """Whether a text is another one that lost accents, or whose characters beyond ASCII were left out or replaced by "?"."""
    mine, others = (len(_BEYOND_ASCII.findall(_repair(one))) for one in (text, other))
    return mine < others and letters(text) in (letters(other), letters(_repair(other).encode("ascii", "ignore").decode()))


def remove_parts(text: str, parts: Iterable[str]) -> list[str]:
    """Removes each part once from a text, the longest first; returns the rest."""
    some = sorted(filter(None, parts), key=len, reverse=True)
    for part in some if len(some) <= MAX_PARTS else ():
        text = text.replace(part, "\0", 1)
    return [piece for piece in text.split("\0") if piece]


@cached_short
def normal_time(iso: str | None) -> str:
    """Converts an ISO 8601 text of `scalars` to the site's zone, if its zone is known; "" for none. Local times lack seconds."""
    if not iso:
        return ""
    if not iso.endswith("Z"):
        return iso[:16] if iso.endswith(":00") else iso
    try:
        return datetime.fromisoformat(iso).astimezone(SITE_ZONE).replace(tzinfo=None).isoformat(timespec="seconds")
    except (ValueError, OverflowError):
        return ""


def line_letters(row: FieldValue, line: str) -> str:
    """Returns the letters of a line of a value, or the digits of a time's day, because times are printed in many ways."""
    own = row.datetime.partition("/")[0] if row.datetime and line == row.value else line
    return letters(normal_time(iso_time(own)).partition("T")[0] or line)


class PageText:
    """A page as the letters of its labels and values, from which a text extractor may have taken the value of a field."""

    def __init__(self, page: StoredPage) -> None:
        self._page, self.rows = page, page.fields[:MAX_PARTS]

    @cached_property
    def _fields(self) -> list[tuple[str, str, str]]:
        """Key, label and value of each row; also the labels of groups."""
        rows = [(row.key, row.label or "", row.value or "") for row in self.rows]
        rows += dict.fromkeys((row.key, row.item.rstrip(" 0123456789"), "") for row in self.rows if row.item)
        return [(key, letters(label), letters(value)) for key, label, value in rows]

    @cached_property
    def _tops(self) -> list[str]:
        """What a page shows above its fields."""
        title, _, author, _ = (letters(str(one or "")) for one in self._page.head)
        return [one for one in (title, author and f"by{author}", author and f"By{author}") if one]

    @cached_property
    def _ends(self) -> list[tuple[str, str]]:
        """The letters with which each field begins, and its key: its label; if that is short, with the beginning of its value."""
        found = dict.fromkeys(
            (key, label if len(label) >= MIN_START else label + value[:MIN_START]) for key, label, value in self._fields
        )
        for label, text in self._page.sections:
            found |= dict.fromkeys(("", letters(line)) for line in (label, *(text or "").splitlines()))
        groups = {(row.key, letters(row.item.rstrip(" 0123456789") + (row.label or ""))) for row in self.rows if row.item}
        return [(key, mark) for key, mark in (*found, *groups) if len(mark) >= MIN_MARK]

    def part_of_field(self, text: str, own: str, key: str, poorer: "PageText | None" = None) -> str:
        """Returns the part of a text extractor's value that may be the field's: below the page's top, before the next label.

        `own`: what is known to belong to it; `poorer`: the extractor's text. Instructions that it shows as a section are there.
        """
        for mark in self._tops:
            if mark not in own and (at := text.rfind(mark)) >= 0:
                text = text[at + len(mark) :]
                text = text[max(text.find(own), 0) :]  # after a byline that this page does not show
        elsewhere = {mark for other, mark in (poorer._ends if poorer else ()) if not other}
        ends = (text.find(mark) for other, mark in self._ends if other != key and mark not in own and mark not in elsewhere)
        is_label = text in {label for other, label, _ in self._fields if other != key}
        return "" if is_label else text[: min((at for at in ends if at >= 0), default=None)]

    def quotes(self, text: str, *, other_than: str) -> bool:
        """Whether another field's label and value contain a text, or it is the title."""
        return any(text.lower() in f"{label}{value}".lower() for key, label, value in self._fields if key != other_than)

    @cached_property
    def _formats(self) -> tuple[set[str], dict[str, str]]:
        """Returns the keys of the fields with and without values, and each line and value by its letters."""
        keys, texts = set(), {}
        for row in self.rows:
            keys.add(f"{row.key} {row.value is None}")
            for text in (row.value or "", *(row.value or "").splitlines()):
                texts[letters(text)] = text.strip()
        return keys, texts

    def is_formatted_like(self, other: "PageText") -> bool:
        """Whether two texts may be from one extractor: they lack the same fields, and print the others identically."""
        (keys, texts), (other_keys, others) = self._formats, other._formats
        return keys == other_keys and all(others.get(text, printed) == printed for text, printed in texts.items())
