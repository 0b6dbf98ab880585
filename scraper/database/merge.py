"""Many captures of one record to its current state and its history. Pure; captures come in by time, see `order`.

Of each field the last capture that captured it counts, whether it shows a value or an empty field. A capture that lost the
field on its way (`not_captured`), or does not print it, takes nothing away (DESIGN.md, promise 4).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from parsers.labels import GROUPS
from parsers.record import State
from scraper.database.parsed import Content, FieldValue

HEAD = ("title", "node_id", "submitted_by", "submitted_at")
"""What `Content.head` holds, in order."""
_HISTORIC_HEAD = ("title", "submitted_by", "submitted_at")


class Seen(NamedTuple):
    """A capture that shows the record: when, and what."""

    capture_id: str
    captured_at: str | None
    content: Content


class Sourced(NamedTuple):
    """A row and the capture it comes from."""

    row: FieldValue
    capture_id: str


class Change(NamedTuple):
    """A row of `changes`, without the record."""

    field: str
    old_value: str | None
    new_value: str | None
    seen_after: str
    seen_by: str


class SectionText(NamedTuple):
    """A row of `sections`, without record and position."""

    label: str
    text: str | None
    capture_id: str


def order(captured_at: str | None, form: str | None, capture_id: str) -> tuple[str, bool, str]:
    """Sorts captures by time: unknown time first, of one time the text before the page itself, which says more."""
    return (captured_at or "").rstrip("Z"), form == "html", capture_id


@dataclass(slots=True)
class _Kept:
    """What is known of one key so far. `path`: the keys of the capture it comes from, in page order; `rank`: that capture's.

    `whole`: the rows are that capture's and no other's.
    """

    rows: list[Sourced]
    captured: bool
    rank: int
    path: tuple[str, ...]
    whole: bool = True
    shown: _Shown | None = None


class _Shown(NamedTuple):
    """A value as a capture of known time showed it."""

    texts: tuple[str, ...]
    form: str
    captured_at: str


@dataclass(slots=True)
class Merge:
    """Takes captures in their `order` and holds the state after the last one."""

    changes: list[Change] = field(default_factory=list)
    _fields: dict[str, _Kept] = field(default_factory=dict)
    _sections: dict[str, tuple[SectionText, int, tuple[str, ...]]] = field(default_factory=dict)
    _head: dict[str, tuple[Any, str]] = field(default_factory=dict)
    _head_seen: dict[str, _Shown] = field(default_factory=dict)
    _latest: Seen | None = None
    _rank: int = 0

    def add(self, seen: Seen) -> None:
        """The next capture."""
        self._rank += 1
        self._latest = seen
        self._add_head(seen)
        self._add_fields(seen)
        self._add_sections(seen)

    def _add_head(self, seen: Seen) -> None:
        for name, value in zip(HEAD, seen.content.head, strict=True):
            if value is None:
                continue
            self._head[name] = (value, seen.capture_id)
            if name in _HISTORIC_HEAD and seen.captured_at:
                shown = _Shown((str(value),), seen.content.form, seen.captured_at)
                self._note(name, self._head_seen.get(name), shown)
                self._head_seen[name] = shown

    def _add_fields(self, seen: Seen) -> None:
        rows_of: dict[str, list[FieldValue]] = {}
        for row in seen.content.fields:
            rows_of.setdefault(row.key, []).append(row)
        path = tuple(rows_of)
        last = seen.content.fields[-1].key if seen.content.incomplete and seen.content.fields else None
        for key, rows in rows_of.items():
            kept = self._fields.get(key)
            fresh = [Sourced(row, seen.capture_id) for row in rows]
            if all(row.state == State.NOT_CAPTURED for row in rows) or (key == last and kept and _is_cut(rows, kept.rows)):
                if kept is None or not kept.captured:
                    self._fields[key] = _Kept(fresh, captured=False, rank=self._rank, path=path)
                continue
            before = kept.shown if kept else None
            if kept and kept.captured and (key in GROUPS or rows[0].item is not None):
                known, fresh = fresh, _filled_up(fresh, kept.rows, is_text=seen.content.form == "text")
                if before and before.form == "text":
                    before = before._replace(texts=_texts(_filled_up(kept.rows, known, is_text=True)))
            shown = before
            if seen.captured_at and key != last:
                shown = _Shown(_texts(fresh), seen.content.form, seen.captured_at)
                self._note(key, before, shown)
            whole = len(fresh) == len(rows) and all(one.row is row for one, row in zip(fresh, rows, strict=True))
            self._fields[key] = _Kept(fresh, True, self._rank, path, whole, shown)

    def _add_sections(self, seen: Seen) -> None:
        numbered = list(_numbered(seen.content.sections))
        path = tuple(key for key, _, _ in numbered)
        for key, label, text in numbered:
            kept = self._sections.get(key)
            held = kept[0].text if kept else None
            shorter = seen.content.incomplete and held is not None and text is not None and _starts(held, text)
            if kept is None or (text is not None and not shorter) or held is None:
                self._sections[key] = (SectionText(label, text, seen.capture_id), self._rank, path)

    def _note(self, key: str, before: _Shown | None, after: _Shown) -> None:
        """A change, where both captures' times are known and differ, and more than white space does."""
        if before is None or before.captured_at == after.captured_at or before.texts == after.texts:
            return
        if _comparable(before, after.form) != _comparable(after, before.form):
            old, new = ("; ".join(one.texts) or None for one in (before, after))
            self.changes.append(Change(key, old, new, before.captured_at, after.captured_at))

    @property
    def head(self) -> dict[str, Any]:
        """Title, node number and submission: of each the last that was captured."""
        return {name: value for name, (value, _) in self._head.items()}

    def head_source(self, name: str) -> str | None:
        """The capture that a value of the head comes from."""
        return self._head[name][1] if name in self._head else None

    def fields(self) -> list[Sourced]:
        """The rows in the page order of the latest capture; a kept field follows the field that it followed on its own page."""
        if self._latest is None:
            return []
        runs = [(key, list(rows)) for key, rows in groupby(self._latest.content.fields, key=lambda row: row.key)]
        slots = _arranged([key for key, _ in runs], {key: (kept.rank, kept.path) for key, kept in self._fields.items()})
        own = iter(runs)
        placed: Counter[str] = Counter()
        result: list[Sourced] = []
        on_latest = {key for key, _ in runs}
        for key in slots:
            kept = self._fields[key]
            run = next(own)[1] if key in on_latest else []
            if kept.rank == self._rank and kept.whole:
                result += [Sourced(row, self._latest.capture_id) for row in run]
            elif not placed[key]:
                result += kept.rows
            placed[key] += 1
        return result

    def sections(self) -> list[SectionText]:
        """The instruction sections, ordered as the fields are."""
        if self._latest is None:
            return []
        latest = [key for key, _, _ in _numbered(self._latest.content.sections)]
        slots = _arranged(latest, {key: (rank, path) for key, (_, rank, path) in self._sections.items()})
        return [self._sections[key][0] for key in slots]


def _numbered(sections: Iterable[Sequence[Any]]) -> Iterable[tuple[str, str, str | None]]:
    """Key, label and text: of two sections with one label the second has a key of its own."""
    times: Counter[str] = Counter()
    for label, text in sections:
        times[label] += 1
        yield f"{label}\0{times[label]}", label, text


def _arranged(latest: Sequence[str], kept: dict[str, tuple[int, tuple[str, ...]]]) -> list[str]:
    """The latest capture's keys, and each other key after the one that it followed on the capture it comes from."""
    slots = list(latest)
    there = set(slots)
    missing = [(-rank, path.index(key), key, path) for key, (rank, path) in kept.items() if key not in there]
    for _, index, key, path in sorted(missing):
        above = next((other for other in reversed(path[:index]) if other in there), None)
        at = 0 if above is None else len(slots) - slots[::-1].index(above)
        slots.insert(at, key)
        there.add(key)
    return slots


def _starts(whole: str, part: str) -> bool:
    """Whether `part` is a shorter beginning of `whole`; the last character of a cut text may be damaged."""
    long, short = _plain(whole), _plain(part).rstrip("\ufffd").rstrip()
    return len(short) < len(long) and long.startswith(short)


def _is_cut(rows: Sequence[FieldValue], kept: Sequence[Sourced]) -> bool:
    """Whether the last field of a cut page is a shorter beginning of what is kept: then it is the cut that made it so."""
    new = [row.value or "" for row in rows]
    old = [one.row.value or "" for one in kept]
    if not new or len(new) > len(old) or list(map(_plain, new[:-1])) != list(map(_plain, old[: len(new) - 1])):
        return False
    last, held = new[-1], old[len(new) - 1]
    return _starts(held, last) or (len(new) < len(old) and _plain(last) == _plain(held))


def _texts(rows: Iterable[Sourced]) -> tuple[str, ...]:
    return tuple(one.row.value for one in rows if one.row.value is not None)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _comparable(shown: _Shown, other_form: str) -> list[str]:
    """The values without what differs by form alone: white space, and between page and text also how values are listed."""
    if shown.form == other_form:
        return [_plain(text) for text in shown.texts if text.strip()]
    return re.sub(r"[\s;•]+", " ", " ".join(shown.texts)).split()


def _filled_up(fresh: list[Sourced], kept: list[Sourced], *, is_text: bool) -> list[Sourced]:
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
    filled = [
        shown.pop(_pair(one)) if _pair(one) in shown else Sourced(one.row._replace(item=item), one.capture_id) for one in held
    ]
    labels = {one.row.label for one in held}
    lost = [one for one in rows if one.row.state == State.NOT_CAPTURED and one.row.label not in labels]
    return filled + list(shown.values()) + lost


def _pair(one: Sourced) -> tuple[str | None, str]:
    return one.row.label, _plain(one.row.value or "")
