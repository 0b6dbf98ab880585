"""Completes what a poorer capture shows with what it could not carry: links, times, rows of groups. Pure; `merge` calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from parsers.columns import BODY
from parsers.record import State
from parsers.registry import known
from scraper.database.page_letters import MAX_PARTS, PageContent, PageText, letters
from scraper.database.same_value import DATA, HTML, RICHNESS, Sourced
from scraper.database.stored_page import FieldValue

_Items = dict[str | None, list[Sourced]]


def with_lost_details(new: list[Sourced], kept: list[Sourced], *, is_group: bool) -> list[Sourced]:
    """A poorer capture's rows after a change. Those that show the same as a row of the richer capture are that one's.

    A group gets back what the poorer capture could not carry: further rows of an item that is otherwise the same, and items that
    the poorer capture does not show, unless it shows another item with the same number.
    """
    if not is_group or len(kept) > MAX_PARTS or len(new) > MAX_PARTS:
        same = {letters(one.row.value): one for one in reversed(kept) if one.row.value}
        return [same.get(letters(one.row.value or ""), one) for one in new]
    left, shown = _by_item(kept), _by_item(new)
    result: _Items = {}
    for item, rows in shown.items():
        values = _values(rows)  # the kept item that shares most of them is the same; of several the one with the same number
        best = max(left, key=lambda other: (len(values & _values(left[other])), other == item), default=None)
        result[item] = rows if best is None or not values & _values(left[best]) else _completed(item, rows, left.pop(best))
    result |= {item: rows for item, rows in left.items() if item not in shown}
    numbers = {item: re.search(r"\d+$", item or "") for item in result}
    return [one for item in sorted(result, key=lambda one: int((numbers[one] or "0")[0])) for one in result[item]]


def _by_item(rows: list[Sourced]) -> _Items:
    return {item: list(some) for item, some in groupby(rows, key=lambda one: one.row.item)}


def _values(rows: list[Sourced]) -> set[str]:
    return {letters(one.row.value) for one in rows if one.row.value} - {""}


def _completed(item: str | None, rows: list[Sourced], held: list[Sourced]) -> list[Sourced]:
    """The kept item's rows under the new number; a row with another value under the same label is the new one's."""
    new = {letters(one.row.value or ""): one for one in rows if one.row.state != State.NOT_CAPTURED}
    known_values = _values(held)
    changed = {one.row.label: value for value, one in new.items() if one.row.label and value not in known_values}
    result = []
    for one in held:
        value = letters(one.row.value or "")
        if value not in new and one.row.label in changed:
            result.append(new.pop(changed.pop(one.row.label)))
        else:
            new.pop(value, None)
            result.append(one._replace(row=one.row._replace(item=item)))
    labels = {one.row.label for one in held}
    lost = [one for one in rows if one.row.state == State.NOT_CAPTURED and one.row.label not in labels]
    return result + list(new.values()) + lost


def with_labels(rows: list[Sourced], pages: Iterable[PageContent], aliases: dict[str, str]) -> list[Sourced]:
    """The rows with the labels that other captures print for the same fields, and those of data formats with their sections.

    A theme may print no label, and Drupal's data formats have machine names only and no order of the page.
    """
    lacking = {
        index
        for index, (row, *_, form) in enumerate(rows)
        if form == DATA or (row.label is None and row.name not in (None, BODY))
    }
    labels: dict[tuple[str, str | None], str] = {}
    sections: dict[str, str | None] = {}
    for page in pages if lacking else ():
        for row in page.fields if page.form != DATA else ():
            key = aliases.get(row.key, row.key)
            if row.label:
                labels[key, row.name] = row.label
                sections[key] = row.section
    result = list(rows)
    for index in lacking:
        row, _, form = rows[index]
        key = aliases.get(row.key, row.key)
        label, section = row.label or labels.get((key, row.name)), sections.get(key) if form == DATA else row.section
        result[index] = rows[index]._replace(row=row._replace(label=label, section=section))
    return result


def without_echoes(rows: list[Sourced], page: PageContent | None) -> list[Sourced]:
    """The rows without those of poorer captures that a richer capture's page shows to be no fields of their own.

    A text extractor prints labels and menus like any other line, so `parsers` can only guess what a line belongs to.
    """
    if page is None:
        return rows
    shown, text = {row.key for row in page.fields if row.label or row.name}, PageText(page)

    def is_echo(row: FieldValue, form: str) -> bool:
        if RICHNESS[form] >= RICHNESS[HTML] or row.item or row.key in shown or not row.value:
            return False
        label, value = letters(row.label or ""), letters(row.value)
        is_known = known(row.label) or row.name not in (None, BODY)
        return text.quotes(label, value) if is_known else text.explains(label + value)

    return [one for one in rows if not is_echo(one.row, one.form)]
