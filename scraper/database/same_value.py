"""Decides whether two captures show the same value of a field, and which of them shows more of it. Pure; `merge` calls it.

Drupal's data formats contain everything, HTML nearly everything. A text extractor drops links, times or lines, and reformats the
rest; prose has no labels either. So values are compared in their normal form, and a poorer capture is only expected to show a
part of what a richer one shows. docs/decisions/identity-and-merging.md explains which evidence counts.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from itertools import accumulate
from typing import Any, NamedTuple

from parsers.registry import Type, label_named, label_of
from parsers.scalars import as_wkt, money_range, number, reference, time_range, yes_no
from scraper.database.normal_form import MAX_PARTS, PageText, is_spoiled, letters, line_letters, normal_time, remove_parts
from scraper.database.stored_page import FieldValue

DATA, HTML, TRANSLATION = "data", "html", "translation"
RICHNESS = {DATA: 3, HTML: 2, "text": 1, "prose": 0, TRANSLATION: -1}
"""Of two captures at the same time, the one with the higher number contains more of the page."""
MIN_CUT = 40
"""Letters. A shorter text that begins like another may be another value ("Essex", "Essex County"); a longer one is truncated."""


class Sourced(NamedTuple):
    """A row, the capture it comes from, and that capture's form."""

    row: FieldValue
    capture_id: str
    form: str


class Relation(Enum):
    """What a new capture shows, compared with the kept value."""

    SAME = auto()
    LESS = auto()
    MORE = auto()
    DIFFERENT = auto()


@dataclass(frozen=True, slots=True)
class Shown:
    """A field as one capture shows it.

    `partial`: the page ends within the field, a part of it was dropped, or it ends in dots. `is_lost`: it has no whole value.
    `cut_rows`: values truncated by the page's end, which are not compared.
    """

    rows: Sequence[FieldValue]
    page: PageText = field(compare=False)
    form: str
    partial: bool = False
    is_lost: bool = False
    cut_rows: Sequence[FieldValue] = ()

    @property
    def values(self) -> list[str]:
        return [row.value for row in self.rows if row.value is not None and row.value.strip()]

    @property
    def is_text(self) -> bool:
        """Whether a text extractor made it, which may have dropped or moved anything."""
        return RICHNESS[self.form] < RICHNESS[HTML]


def is_of_one_style(one: Shown, other: Shown) -> bool:
    """Whether neither capture can lack what the other one shows."""
    if one.is_text and one.form == other.form:
        return one.page is other.page or one.page.is_formatted_like(other.page)
    return one.is_text == other.is_text


def may_lack(poorer: Shown, richer: Shown) -> bool:
    """Whether the first capture may lack something that the second shows, although the record did not change."""
    if poorer.partial or RICHNESS[poorer.form] < RICHNESS[richer.form]:
        return True
    return poorer.is_text and not is_of_one_style(poorer, richer)


def compare(kept: Shown, new: Shown) -> Relation:
    """Returns how `new` relates to `kept`. DIFFERENT: the record itself changed between the two captures."""
    relation = _compare_values(kept, new)
    if relation is not Relation.DIFFERENT or is_of_one_style(kept, new):
        return relation
    if new.is_text and _is_misread(new, kept):
        return Relation.LESS
    return Relation.MORE if kept.is_text and _is_misread(kept, new) else relation


def _compare_values(kept: Shown, new: Shown) -> Relation:
    if kept.form == new.form and (kept.rows is new.rows or kept.rows == new.rows):
        return Relation.SAME
    old, young = kept.values, new.values
    if not old or not young:
        return _less_or_more(kept, new, bool(old), bool(young)) if old or young else Relation.SAME
    kind = _type_of([*kept.rows, *new.rows])
    if kind in (Type.DATE, Type.RANGE, None) and (relation := _compare_times(kept, new)) is not None:
        return relation
    read = [[_read(kind, value) for value in values] for values in (old, young)]
    if not all(map(all, read)):
        return _compare_texts(kept, new)
    before, after = ({one for some in found for one in some} for found in read)
    if kind is Type.POINT and before != after and len(before) == len(after):
        for poor, rich, relation in ((after, before, Relation.LESS), (before, after, Relation.MORE)):
            if all(any(_is_rounded(one, other) for other in rich) for one in poor):
                return relation
    return Relation.SAME if before == after else _less_or_more(kept, new, after < before, before < after)


def _less_or_more(kept: Shown, new: Shown, is_less: bool, is_more: bool) -> Relation:
    """Returns the relation if one capture shows part of what the other one shows; DIFFERENT if it can't have lost the rest."""
    if is_less and may_lack(new, kept):
        return Relation.LESS
    return Relation.MORE if is_more and may_lack(kept, new) else Relation.DIFFERENT


def _type_of(rows: Iterable[FieldValue]) -> Type | None:
    """Returns the registry's type of a field; None for an unknown label, and for a field within a group."""
    for row in rows:
        if row.item is None and (entry := label_of(row.label) if row.label else label_named(row.name)):
            return entry.type
    return Type.DATE if rows and next(iter(rows)).key == "submitted_at" else None


_NUMBER = r"(-?\d+(?:\.\d+)?(?:[Ee][-+]?\d+)?)"
_POINT = re.compile(rf"{_NUMBER}[\s,;]+{_NUMBER}")


def _read(kind: Type | None, text: str) -> list[Any]:
    """Returns the typed values of a text; empty if it can't be parsed."""
    if kind is Type.POINT:  # every pair of numbers; a second, in which degrees are printed, is 0.0003 degrees
        points = [(Decimal(x), Decimal(y)) for x, y in _POINT.findall(as_wkt(text.replace("−", "-").strip()))]
        return [(round(x, 3), round(y, 3)) for x, y in points] if "°" in text or "º" in text else points
    value = money_range(text) if kind is Type.MONEY else number(text) if kind is Type.NUMBER else yes_no(text)
    return [] if value in (None, (None, None)) else [value]


def _is_rounded(point: Sequence[Decimal], exact: Sequence[Decimal]) -> bool:
    """Whether a point may be another one with fewer digits: it differs by up to two units of its last digit."""
    return all(
        one == other or (other.quantize(one) != other and abs(one - other) <= Decimal(2).scaleb(int(one.as_tuple().exponent)))
        for one, other in zip(point, exact, strict=True)
    )


# --- times ----------------------------------------------------------------------------------------------------------

_SEVERAL_TIMES = re.compile(r"\s*;\s*|(?<![-–—\s])\s*\n\s*(?![-–—\s])")  # separator between times, not within a range


def _compare_times(kept: Shown, new: Shown) -> Relation | None:
    """Compares times at the precision that both have; a more precise time shows more. None if a value is not a time."""
    before, after = _parse_ranges(kept), _parse_ranges(new)
    if before is None or after is None:
        return None
    if len(before) == len(after):
        return _combine(_combine(map(_compare_moments, one, other)) for one, other in zip(before, after, strict=True))
    poor, rich = sorted((before, after), key=len)
    found = all(any(_combine(map(_compare_moments, one, other)) is not Relation.DIFFERENT for other in rich) for one in poor)
    return _less_or_more(kept, new, found and poor is after, found and poor is before)


def _parse_ranges(shown: Shown) -> list[list[str]] | None:
    """Returns start and end of each value, by time; None if one can't be parsed. Noon that Drupal prints for a date is local."""
    found = []
    for row in shown.rows:
        if row.value or row.datetime:
            for text in [row.value] if row.datetime else _SEVERAL_TIMES.split(row.value or ""):
                times = zip(time_range(text, row.datetime), time_range(text, None), strict=True)
                found.append([normal_time(printed if time == f"{printed}Z" else time) for time, printed in times])
    return sorted(found) if all(map(any, found)) else None


def _combine(relations: Iterable[Relation]) -> Relation:
    """Combines relations: DIFFERENT if one of them is. If some show more and others less, neither capture is better: SAME."""
    found = {*relations} - {Relation.SAME}
    return Relation.DIFFERENT if Relation.DIFFERENT in found else found.pop() if len(found) == 1 else Relation.SAME


def _compare_moments(before: str, after: str) -> Relation:
    if before == after:
        return Relation.SAME
    return Relation.LESS if before.startswith(after) else Relation.MORE if after.startswith(before) else Relation.DIFFERENT


# --- texts ----------------------------------------------------------------------------------------------------------

SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
_LIST_MARK = re.compile(r"^[ \t]*(?:(\d{1,2})[.)]|[•o])[ \t]", re.MULTILINE)  # of an item; texts may have the list in one line


def _compare_texts(kept: Shown, new: Shown) -> Relation:
    labels = {letters(row.label) for row in (*kept.rows, *new.rows) if row.item and row.label}
    for one, other in ((kept, new), (new, kept)):  # a text may have the next label for a value
        labels |= {letters(row.label) for row in one.page.rows if other.is_text and not one.is_text and row.label}
    before, after = _value_letters(kept, labels), _value_letters(new, labels)
    old, young = "".join(before), "".join(after)
    was, now = ("\n".join(shown.values) for shown in (kept, new))
    if is_spoiled(now, was) or is_spoiled(was, now):
        return Relation.LESS if is_spoiled(now, was) else Relation.MORE
    if old == young or (len(old) == len(young) and not remove_parts(young, before)):
        return Relation.SAME
    return _less_or_more(kept, new, _is_part(new, young, kept), _is_part(kept, old, new))


def _value_letters(shown: Shown, labels: Iterable[str] = ()) -> list[str]:
    """Returns the letters of each value that is not a label: in groups of some themes, labels look like values."""
    texts = ("".join(line_letters(row, line) for line in row.value.splitlines()) for row in shown.rows if row.value)
    return [text for text in texts if text not in labels]


def _is_part(part: Shown, text: str, whole: Shown) -> bool:
    """Whether a poorer capture's text is a richer one's value with parts dropped, or in a body or a group other fields below."""
    own = [letters(row.value or "") for row in whole.rows if not row.datetime]  # many texts lack times
    is_whole = whole.rows[0].item is not None and all(value in text for value in own)
    is_open = part.is_text and (whole.rows[0].key == "description" or is_whole)
    rows = whole.page.rows if is_open else whole.rows
    units = [letters(text) for row in rows if row.item or is_open for text in (row.item, row.label) if text]
    for row in rows:
        units += {line_letters(row, line) for line in (row.value or "", *re.split("[\t\n]", row.value or ""))}
    marks = {found[1] or "o" for row in rows for found in _LIST_MARK.finditer(row.value or "") if part.is_text}
    left = [one for one in remove_parts(text, units) if one not in marks]
    may_be_cut = left and (part.partial or len(text) >= MIN_CUT) and text.endswith(left[-1])
    if may_be_cut and any(unit.startswith(left[-1]) for unit in units):
        del left[-1]
    return not left


def _is_misread(poorer: Shown, richer: Shown) -> bool:
    """Whether a text extractor's value is the same value, split differently or with other parts of the page around it."""
    row, own = poorer.rows[0], "".join(_value_letters(richer))
    if row.key == "submitted_at":
        return True  # a submission date does not change; another date in the text was mistaken for it
    if row.key == "title" and reference(row.value) is None:
        return True  # without labels, no evidence that a line is the title
    text = "".join(_value_letters(poorer))
    if text == own and not row.item:
        return False  # same day, another hour
    label = "by" if row.key == "submitted_by" else letters(row.label or "") if row.item is None else ""
    part = richer.page.part_of_field(text, own, row.key, poorer.page)
    if not part or _is_part(poorer, part, richer) or richer.page.quotes(label + part, other_than=row.key):
        return True  # the last: it is a line that the page has in another field
    if poorer.page.part_of_field(own, text, row.key, richer.page) == text or text == letters(row.label or "") + own:
        return True  # the value contains words of a label, at which the text was split
    has_one_value = _type_of(richer.rows) in (Type.TEXT, Type.REFERENCE) and len(richer.values) == 1
    return (row.item is not None or row.key == "description" or has_one_value) and all(
        any(is_padded(value, one) for one in richer.values) for value in poorer.values
    )


def is_padded(value: str, own: str) -> bool:
    """Whether a value is another with headings, menus or texts of pictures between its lines: text that has no sentence.

    It begins a line; after the rest of a line it may stand only where a value of several lines is printed in one.
    """
    if len(SENTENCE_END.findall(value)) > len(SENTENCE_END.findall(own)):
        return False
    lines, parts = [letters(line) for line in value.splitlines()], [letters(line) for line in own.splitlines()]
    text, borders = "".join(lines), {0, *accumulate(map(len, lines))}
    for part in sorted(filter(None, parts), key=len, reverse=True)[:MAX_PARTS]:
        if part not in text:
            return False
        text = text.replace(part, "\0" * len(part), 1)
    is_long = len(parts) > 1 or len(parts[0]) >= MIN_CUT
    return all(
        (found.start() in borders and (is_long or found.end() in borders)) or (is_long and len(lines) == 1 < len(parts))
        for found in re.finditer("[^\0]+", text)
    )
