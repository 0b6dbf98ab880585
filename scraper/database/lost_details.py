"""Restores what a poorer capture can't contain (links, times, rows of groups) from a richer one. Pure; used by `merge`."""

import re
from collections.abc import Iterable
from itertools import groupby

from parsers.columns import BODY
from scraper.database.normal_form import MAX_PARTS, PageText, letters, remove_parts
from scraper.database.same_value import DATA, HTML, MIN_CUT, RICHNESS, SENTENCE_END, Sourced, is_padded
from scraper.database.stored_page import StoredPage

_Items = dict[str | None, list[Sourced]]


def with_lost_details(new: list[Sourced], kept: list[Sourced], *, is_group: bool) -> list[Sourced]:
    """Returns a poorer capture's rows after a change, each replaced by the richer capture's row if both show the same.

    A group gets back what the poorer capture could not contain: further rows of an item that is otherwise the same, and items
    that the poorer capture does not show, unless it shows another item with the same number.
    """
    if not is_group or len(kept) > MAX_PARTS or len(new) > MAX_PARTS:
        same = {letters(one.row.value): one for one in reversed(kept) if one.row.value}
        return [same.get(letters(one.row.value or ""), one) for one in new]
    left, result, shown = _group_by_item(kept), [], _group_by_item(new)
    for item, rows in shown.items():
        values = _value_set(rows)  # the kept item that shares most of them is the same; of several, the one with this number
        best = max(left, key=lambda other: (len(values & _value_set(left[other])), other == item), default=None)
        result += rows if best is None or not values & _value_set(left[best]) else _complete(item, rows, left.pop(best))
    result += [one for item, rows in left.items() if item not in shown for one in rows]
    return sorted(result, key=lambda one: int((re.search(r"\d+$", one.row.item or "") or "0")[0]))


def _group_by_item(rows: list[Sourced]) -> _Items:
    return {item: list(some) for item, some in groupby(rows, key=lambda one: one.row.item)}


def _value_set(rows: list[Sourced]) -> set[str]:
    return {letters(one.row.value) for one in rows if one.row.value} - {""}


def _complete(item: str | None, rows: list[Sourced], held: list[Sourced]) -> list[Sourced]:
    """Returns the kept item's rows under the new number; for a label with another value, the new row."""
    shown, kept = _value_set(rows), _value_set(held)
    others = [one for one in rows if one.row.value and letters(one.row.value) not in kept]
    by_label: dict[str | None, Sourced] = {one.row.label: one for one in others if one.row.label}
    result = []
    for one in held:
        other = by_label.pop(one.row.label, None) if letters(one.row.value or "") not in shown else None
        result.append(other or one._replace(row=one.row._replace(item=item)))
    return result + [one for one in others if one not in result]


def with_labels(rows: list[Sourced], pages: Iterable[StoredPage], aliases: dict[str, str]) -> list[Sourced]:
    """Returns the rows with labels that other captures print for the same fields, and rows of data formats with sections.

    A theme may print no label, and Drupal's data formats have machine names only and no order of the page.
    """
    lacking = [index for index, (row, *_, form) in enumerate(rows) if form == DATA or (row.label is None and row.name)]
    printed = {
        (aliases.get(row.key, row.key), row.name): row
        for page in (pages if lacking else ())
        for row in (page.fields if page.form != DATA else ())
        if row.label
    }
    result = list(rows)
    for index in lacking:
        row = rows[index].row
        if other := printed.get((aliases.get(row.key, row.key), row.name)):
            completed = row._replace(label=row.label or other.label, section=other.section)
            result[index] = rows[index]._replace(row=completed)
    return result


def without_echoes(rows: list[Sourced], page: StoredPage | None) -> list[Sourced]:
    """Returns the rows without those of poorer captures that, according to a richer capture's page, are not fields.

    A text extractor prints labels and menus like any other line, so `parsers` can only guess what a line belongs to.
    """
    if page is None:
        return rows
    shown, text, result = {row.key for row in page.fields if row.label or row.name}, PageText(page), []
    whole = [row.value for row in page.fields[:MAX_PARTS] if row.value and len(row.value) >= MIN_CUT]
    units = [letters(part) for row in page.fields for part in (row.label, row.value) if part]
    for one in rows:
        row = one.row
        if RICHNESS[one.form] < RICHNESS[HTML] and not row.item and row.key not in shown and row.value:
            is_frame = row.label is None and row.name in (None, BODY) and not SENTENCE_END.search(row.value)
            part = text.part_of_field(letters(f"{row.label or ''} {row.value}"), "", row.key)
            is_quoted = text.quotes(part, other_than=row.key) or not remove_parts(part, units)
            if is_frame or not part or is_quoted or any(is_padded(row.value, one) for one in whole):
                continue
        result.append(one)
    return result
