"""When two captures say the same of a field, and which of them says it better. Pure; `merge` is the caller.

A text capture lost links, times and line breaks on the way; prose lost labels and headings as well (DOMAIN.md, "The two forms").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from parsers.record import State
from parsers.registry import known
from scraper.database.stored_page import FieldValue, StoredPage

PAGE, TEXT, PROSE = "html", "text", "prose"
_RICHNESS = {PAGE: 2, TEXT: 1, PROSE: 0}


class Sourced(NamedTuple):
    """A row, the capture it comes from, and that capture's form."""

    row: FieldValue
    capture_id: str
    form: str


def form_of(content: StoredPage[FieldValue]) -> str:
    """`html`, `text`, or `prose`: the style of text extraction that keeps no label."""
    labelled = content.form == PAGE or any(row.label for row in content.fields)
    return content.form if labelled else PROSE


def plain(text: str) -> str:
    """The text without the white space that themes and extractors make of it."""
    return " ".join(text.split())


def texts(rows: Iterable[Sourced]) -> tuple[str, ...]:
    """The values of a field."""
    return tuple(one.row.value for one in rows if one.row.value is not None)


def same(one: Sequence[str], form: str, other: Sequence[str], other_form: str) -> bool:
    """Whether two captures of these forms show the same values, as far as the poorer form can tell."""
    if form == other_form:
        return [plain(text) for text in one if text.strip()] == [plain(text) for text in other if text.strip()]
    if PROSE in (form, other_form):
        part, whole = (one, other) if form == PROSE else (other, one)
        said = _words(whole)
        return all(_words([line]) in said for text in part for line in text.splitlines())
    return _words(one) == _words(other)


def _words(values: Sequence[str]) -> str:
    """What page and text of one value have in common: not their spaces, bullets and ways to list values."""
    return " ".join(re.sub(r"[\s;•]+", " ", " ".join(values)).split())


def says_more(kept: Sequence[Sourced], fresh: Sequence[Sourced]) -> bool:
    """Whether the new rows only repeat what the kept ones say in a richer form: then those have what got lost on the way."""
    richest = max((_RICHNESS[one.form] for one in fresh), default=0)
    poorest = min((_RICHNESS[one.form] for one in kept), default=0)
    return poorest > richest and same(texts(kept), kept[0].form, texts(fresh), fresh[0].form)


def starts(whole: str, part: str) -> bool:
    """Whether `part` is a shorter beginning of `whole`; the last character of a cut text may be damaged."""
    long, short = plain(whole), plain(part).rstrip("\ufffd").rstrip()
    return len(short) < len(long) and long.startswith(short)


def is_cut(rows: Sequence[FieldValue], kept: Sequence[Sourced]) -> bool:
    """Whether the last field of a cut page is a shorter beginning of what is kept: then it is the cut that made it so."""
    new = [plain(row.value or "") for row in rows]
    old = [plain(one.row.value or "") for one in kept]
    if not new or len(new) > len(old) or new[:-1] != old[: len(new) - 1]:
        return False
    held = old[len(new) - 1]
    return starts(held, new[-1]) or (len(new) < len(old) and new[-1] == held)


def without_echoes(rows: list[Sourced]) -> list[Sourced]:
    """The rows without those lines of a text that a page of the record shows as a label or a value.

    A text extractor prints a label that nobody knows like any other line, so `parsers` can only guess whose line it is.
    """
    if all(one.form == PAGE for one in rows):
        return rows
    shown = {
        plain(line)
        for one in rows
        if one.form == PAGE
        for text in (one.row.label, one.row.item, one.row.value)
        for line in (text or "").splitlines()
    }
    return [one for one in rows if not _is_echo(one, shown)]


def _is_echo(one: Sourced, shown: set[str]) -> bool:
    if one.form == PAGE or one.row.name or one.row.item or known(one.row.label):
        return False
    lines = [line for text in (one.row.label, one.row.value) for line in (text or "").splitlines()]
    return bool(lines) and all(plain(line) in shown for line in lines)


def filled_up(fresh: list[Sourced], kept: list[Sourced], *, is_text: bool) -> list[Sourced]:
    """A group's new rows, with what a text capture could not carry taken from the item that shows the same otherwise."""
    if not is_text and all(one.row.state != State.NOT_CAPTURED for one in fresh):
        return fresh
    old = {item: list(rows) for item, rows in groupby(kept, key=lambda one: one.row.item)}
    new = [(item, list(rows)) for item, rows in groupby(fresh, key=lambda one: one.row.item)]
    result: list[Sourced] = []
    left = dict(old)
    for item, rows in new:
        match = _same_item(item, rows, left)
        result += rows if match is None else _item_filled_up(item, rows, match[1])
        if match:
            del left[match[0]]
    if is_text and len(old) - len(left) == len(new) and not left.keys() & {item for item, _ in new}:
        # Every item it shows is known, so the ones it lacks were lost on the way, as blocks of links and dates are.
        result += [one for rows in left.values() for one in rows]
    return result


_Item = tuple[str | None, list[Sourced]]


def _same_item(item: str | None, rows: list[Sourced], old: dict[str | None, list[Sourced]]) -> _Item | None:
    """The kept item that shows all that the new one shows; of several the one with the same number."""
    shown = {_pair(one) for one in rows if one.row.state == State.VALUE}
    fits = [(name, held) for name, held in old.items() if shown <= {_pair(one) for one in held} and (shown or name == item)]
    return next((fit for fit in fits if fit[0] == item), fits[0] if fits else None)


def _item_filled_up(item: str | None, rows: list[Sourced], held: list[Sourced]) -> list[Sourced]:
    """The kept item's rows, of which those that the new one shows are the new one's, under its number."""
    shown = {_pair(one): one for one in rows if one.row.state != State.NOT_CAPTURED}
    filled = []
    for one in held:
        own = shown.pop(_pair(one), None)
        kept = one._replace(row=one.row._replace(item=item))
        filled.append(kept if own is None or says_more([kept], [own]) else own)
    labels = {one.row.label for one in held}
    lost = [one for one in rows if one.row.state == State.NOT_CAPTURED and one.row.label not in labels]
    return filled + list(shown.values()) + lost


def _pair(one: Sourced) -> tuple[str | None, str]:
    return one.row.label, plain(one.row.value or "")
