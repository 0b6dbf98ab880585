"""Decides whether two captures show the same value of a field, and which of them shows more of it. Pure; `merge` calls it.

Captures differ in what they can carry: Drupal's data formats carry everything, HTML nearly everything. A text extractor drops
links, times, headings or list items, and changes line breaks, bullets, quotes and separators; prose has no labels either. Values
are therefore compared by their letters and digits, times as instants, and a poorer capture is only expected to show part of what
a richer one shows. docs/decisions/identity-and-merging.md explains which evidence counts.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple

from parsers.record import State
from parsers.registry import Type, known, known_name
from parsers.scalars import money_range, number, reference, time_range, yes_no
from scraper.database.page_letters import (
    MAX_PARTS,
    MIN_CUT,
    PageText,
    has_parts,
    is_made_of,
    is_only_time,
    letters,
    line_letters,
    moment,
    moment_of,
)
from scraper.database.stored_page import FieldValue, StoredPage

DATA, HTML, TEXT, PROSE = "data", "html", "text", "prose"
RICHNESS = {DATA: 3, HTML: 2, TEXT: 1, PROSE: 0}
"""Of two captures of one time, the one with the higher number carries more of the page."""


class Sourced(NamedTuple):
    """A row, the capture it comes from, and that capture's form."""

    row: FieldValue
    capture_id: str
    form: str


class Relation(Enum):
    """What a new capture shows compared with the value that is kept."""

    SAME = auto()
    LESS = auto()
    MORE = auto()
    DIFFERENT = auto()


@dataclass(frozen=True, slots=True)
class Shown:
    """A field as one capture shows it.

    `style`: traits of a text extractor's output (`style_of`); None for HTML and data, which show all values of a field.
    `partial`: the page ends within the field, a part of it was dropped, or it ends in dots. `is_lost`: it has no whole value.
    `cut_rows`: values within which the page ends, which are not compared.
    """

    rows: Sequence[FieldValue]
    page: PageText = field(compare=False)
    form: str
    style: frozenset[str] | None = field(default=None, compare=False)
    partial: bool = False
    is_lost: bool = False
    cut_rows: Sequence[FieldValue] = ()

    @property
    def values(self) -> list[str]:
        return [row.value for row in self.rows if row.value is not None and row.value.strip()]


def style_of(content: StoredPage) -> frozenset[str] | None:
    """Traits by which two texts of one extractor are recognized: its list marks, and which fields it lost."""
    if RICHNESS[content.form] >= RICHNESS[HTML]:
        return None
    marks = {line.lstrip()[:1] for row in content.fields for line in (row.value or "").splitlines()}
    lost = {row.key for row in content.fields if row.state == State.NOT_CAPTURED}
    return frozenset(lost | {mark for mark in marks if mark and not mark.isalnum()})


def may_lack(poorer: Shown, richer: Shown) -> bool:
    """Whether the first capture may be without something that the second shows, although the record did not change."""
    if poorer.partial or RICHNESS[poorer.form] < RICHNESS[richer.form]:
        return True
    return poorer.form == richer.form and poorer.style != richer.style


def compare(kept: Shown, new: Shown) -> Relation:
    """DIFFERENT means that the record itself changed between the two captures."""
    relation = _compare_values(kept, new)
    if relation is not Relation.DIFFERENT or new.style == kept.style:
        return relation
    if RICHNESS[new.form] <= RICHNESS[kept.form] and _is_misread(new, kept):
        return Relation.LESS
    return Relation.MORE if RICHNESS[kept.form] <= RICHNESS[new.form] and _is_misread(kept, new) else relation


def _is_misread(poorer: Shown, richer: Shown) -> bool:
    """Whether a poorer capture's value is explained by the richer capture's page: the extractor's text was divided wrongly."""
    row, text = poorer.rows[0], "".join(_wholes(poorer))
    if row.key == "submitted_at":
        return True  # a submission does not change; a date of the text was taken for it
    if row.key == "title":
        own_title = reference(richer.values[0]) is not None and reference(row.value) is None
        return own_title or richer.page.explains(text)
    own = _wholes(richer)
    if text == "".join(own):
        return False  # of one day, another hour
    if text and poorer.page.has_field("".join(own).removeprefix(text), other_than=row.key):
        return True  # the value contains words of a label, where the text was divided
    has_one_value = _type_of(richer.rows) in (Type.TEXT, Type.REFERENCE) and len(richer.values) == 1
    if (row.item or row.key == "description" or has_one_value) and _is_padded(poorer, richer):
        return True
    label = "by" if row.key == "submitted_by" else letters(row.label or "") if row.item is None else ""
    lines = [letters(line) for value in richer.values for line in value.splitlines() if letters(line)]
    return richer.page.quotes(label, text) or richer.page.explains(text, lines, len(own))


def _is_padded(poorer: Shown, richer: Shown) -> bool:
    """Whether values are the richer capture's, each with a heading or a menu before or after it: text that has no sentence."""
    left = list(richer.values[:MAX_PARTS])
    for value in poorer.values:
        own = max((one for one in left if _contains_at_an_end(value, one)), key=len, default=None)
        if own is None:
            return False
        left.remove(own)
    return True


def _contains_at_an_end(value: str, own: str) -> bool:
    text, known_text = letters(value), letters(own)
    is_apart = len(known_text) >= MIN_CUT or any(letters(line) == known_text for line in value.splitlines())
    is_at_an_end = is_apart and (text.startswith(known_text) or text.endswith(known_text))
    return text == known_text or (is_at_an_end and len(_SENTENCE_END.findall(value)) <= len(_SENTENCE_END.findall(own)))


def _compare_values(kept: Shown, new: Shown) -> Relation:
    if kept.form == new.form and (kept.rows is new.rows or kept.rows == new.rows):
        return Relation.SAME
    old, young = kept.values, new.values
    if not old and not young:
        return Relation.SAME
    if not old or not young:
        return _less_or_more(kept, new, bool(old), bool(young))
    kind = _type_of([*kept.rows, *new.rows])
    if kind in (Type.DATE, Type.RANGE) or (
        kind is None and all(row.datetime or is_only_time(row.value) for row in (*kept.rows, *new.rows) if row.value)
    ):
        relation = _compare_times(kept, new)
        if relation is not None:
            return relation
    read = [[_read(kind, value) for value in values] for values in (old, young)]
    if not all(map(all, read)):
        return _compare_texts(kept, new)
    before, after = ({one for some in found for one in some} for found in read)
    return Relation.SAME if before == after else _less_or_more(kept, new, after < before, before < after)


def _less_or_more(kept: Shown, new: Shown, is_less: bool, is_more: bool) -> Relation:
    """The relation of a capture that shows a part of what the other one shows; DIFFERENT if it can't have lost the rest."""
    if is_less and may_lack(new, kept):
        return Relation.LESS
    return Relation.MORE if is_more and may_lack(kept, new) else Relation.DIFFERENT


def _type_of(rows: Iterable[FieldValue]) -> Type | None:
    """The registry's type of a field; None for an unknown label, and for a field within a group."""
    for row in rows:
        if row.item is None and (entry := known(row.label) if row.label else known_name(row.name)):
            return entry.type
    return Type.DATE if rows and next(iter(rows)).key == "submitted_at" else None


# --- typed values ---------------------------------------------------------------------------------------------------

_COORDINATE = re.compile(r"[-−]?\d+(?:\.\d+)?")


def _read(kind: Type | None, text: str) -> list[Any]:
    """The typed values of a text; none where it can't be read."""
    if kind is Type.POINT:  # pairs of numbers: every point of the value, whatever separates them
        found = [float(one.replace("−", "-")) for one in _COORDINATE.findall(text)]
        return list(zip(found[::2], found[1::2], strict=True)) if len(found) % 2 == 0 else []
    value = money_range(text) if kind is Type.MONEY else number(text) if kind is Type.NUMBER else yes_no(text)
    return [] if value in (None, (None, None)) else [value]


# --- times ----------------------------------------------------------------------------------------------------------

_SEVERAL_TIMES = re.compile(r"\s*;\s*|(?<![-–—\s])\s*\n\s*(?![-–—\s])")


def _compare_times(kept: Shown, new: Shown) -> Relation | None:
    """By the precision that both have; a more precise time shows more. None where a value is no time."""
    before, after = _ranges(kept), _ranges(new)
    if before is None or after is None:
        return None
    if len(before) == len(after):
        return _joined(map(_range_relation, before, after))
    poor, rich = sorted((before, after), key=len)
    found = all(any(_range_relation(one, other) is not Relation.DIFFERENT for other in rich) for one in poor)
    return _less_or_more(kept, new, found and poor is after, found and poor is before)


def _ranges(shown: Shown) -> list[list[str]] | None:
    """Start and end of each value, by time; None where one can't be read."""
    found = []
    for row in shown.rows:
        if row.value or row.datetime:
            for text in [row.value] if row.datetime else _SEVERAL_TIMES.split(row.value or ""):
                found.append([*map(moment, time_range(text, row.datetime))])
    return sorted(found) if all(map(any, found)) else None


def _range_relation(before: list[str], after: list[str]) -> Relation:
    return _joined(map(_moment_relation, before, after))


def _joined(relations: Iterable[Relation]) -> Relation:
    """DIFFERENT if one of them is. Where some show more and others less, neither capture is the better one: SAME."""
    found = {*relations} - {Relation.SAME}
    return Relation.DIFFERENT if Relation.DIFFERENT in found else found.pop() if len(found) == 1 else Relation.SAME


def _moment_relation(before: str, after: str) -> Relation:
    if before == after:
        return Relation.SAME
    return Relation.LESS if before.startswith(after) else Relation.MORE if after.startswith(before) else Relation.DIFFERENT


# --- texts ----------------------------------------------------------------------------------------------------------

_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
_LIST_MARK = re.compile(r"\s*(?:\d{1,2}[.)]|o|\W)\s+")


def _compare_texts(kept: Shown, new: Shown) -> Relation:
    before, after = _wholes(kept), _wholes(new)
    old, young = "".join(before), "".join(after)
    if old == young or has_parts(young, before, all_of_them=True):
        # Of values with the same letters and days the hours count as well, where both captures show these.
        times, others = ([moment_of(row, row.value) for row in shown.rows if row.value] for shown in (kept, new))
        pairs = [(one, other) for one, other in zip(times, others, strict=False) if one and other and len(times) == len(others)]
        differ = any(_moment_relation(*pair) is Relation.DIFFERENT for pair in pairs)
        return Relation.DIFFERENT if differ else Relation.SAME
    if kept.rows[0].item:  # in some themes a label within an item cannot be told from a value
        labels = {letters(row.label) for row in (*kept.rows, *new.rows) if row.label}
        if "".join(one for one in before if one not in labels) == "".join(one for one in after if one not in labels):
            return Relation.SAME
    if may_lack(new, kept) and _is_part(new, young, kept):
        return Relation.LESS
    is_more = may_lack(kept, new) and _is_part(kept, old, new)
    return Relation.MORE if is_more else Relation.DIFFERENT


def _wholes(shown: Shown) -> list[str]:
    """The letters of each value."""
    return ["".join(line_letters(row, line) for line in row.value.splitlines()) for row in shown.rows if row.value]


def _is_part(part: Shown, text: str, whole: Shown) -> bool:
    """Whether a poorer capture's text is what a richer capture's value leaves when lines, values or its end are dropped."""
    units, least = _units(whole), 0 if part.partial else MIN_CUT
    orders = [[way for way, *_ in units], _wholes(whole)]
    return is_made_of(text, units, least) or any(has_parts(text, order, all_of_them=False) for order in orders)


def _units(shown: Shown) -> list[tuple[str, ...]]:
    """The smallest parts that an extractor drops as a whole, in page order, each in the ways in which it may be written."""
    units: list[tuple[str, ...]] = []
    for row in shown.rows:
        if row.item is not None:
            units += [(letters(text),) for text in (row.item, row.label) if text]
        for line in (row.value or "").splitlines():
            ways = {letters(line), letters(_LIST_MARK.sub("", line, count=1)), line_letters(row, line)}
            units.append(tuple(sorted(ways - {""}, key=len, reverse=True)))
    return [ways for ways in units if ways]
