"""Many captures of one record to its current state and its history. Pure; captures come in by time, see `order`.

Of each field the last capture that captured it counts, whether it shows a value or an empty field. A capture that lost the
field on its way (`not_captured`), or does not print it, takes nothing away (DESIGN.md, promise 4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, NamedTuple

from parsers.record import State
from parsers.registry import GROUPS
from scraper.database.same_value import PAGE, Sourced, filled_up, form_of, is_cut, same, says_more, starts, texts, without_echoes
from scraper.database.stored_page import FieldValue, StoredPage

HEAD = ("title", "node_id", "submitted_by", "submitted_at")
"""What `StoredPage.head` holds, in order."""
_HISTORIC_HEAD = ("title", "submitted_by", "submitted_at")


class Seen(NamedTuple):
    """A capture that shows the record: when, and what."""

    capture_id: str
    captured_at: str | None
    content: StoredPage[FieldValue]


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
    return (captured_at or "").rstrip("Z"), form == PAGE, capture_id


class _Shown(NamedTuple):
    """A value as a capture of known time showed it."""

    texts: tuple[str, ...]
    form: str
    captured_at: str


class _Source(NamedTuple):
    """A capture as the values kept from it need it. `path`: the keys of its fields, in page order; `rank`: its number."""

    capture_id: str
    captured_at: str | None
    form: str
    rank: int
    path: tuple[str, ...]


@dataclass(slots=True)
class _Kept:
    """What is known of one key so far, and the capture it comes from: its `own` rows, or `filled` up from other captures.

    `before`: how it was last shown; where that is by these very rows, `is_shown` says so.
    """

    source: _Source
    own: list[FieldValue]
    filled: list[Sourced] | None = None
    captured: bool = True
    is_shown: bool = False
    before: _Shown | None = None

    @property
    def rows(self) -> list[Sourced]:
        return _sourced(self.own, self.source) if self.filled is None else self.filled

    @property
    def shown(self) -> _Shown | None:
        if self.is_shown and self.source.captured_at:
            return _Shown(texts(self.rows), self.source.form, self.source.captured_at)
        return self.before

    def is_repeated(self, key: str, rows: list[FieldValue], source: _Source) -> bool:
        """Whether a capture shows the very same, as most do: then nothing but the source changes."""
        if not (source.captured_at and self.is_shown):
            return False
        if self.source.form != source.form or self.own != rows:
            return False
        # a group that lost rows on the way is filled up
        return not _is_group(key, rows) or (source.form == PAGE and all(row.state != State.NOT_CAPTURED for row in rows))


def _is_group(key: str, rows: Sequence[FieldValue]) -> bool:
    return key in GROUPS or rows[0].item is not None


def _sourced(rows: Iterable[FieldValue], source: _Source) -> list[Sourced]:
    return [Sourced(row, source.capture_id, source.form) for row in rows]


@dataclass(slots=True)
class Merge:
    """Takes captures in their `order` and holds the state after the last one."""

    changes: list[Change] = field(default_factory=list)
    _fields: dict[str, _Kept] = field(default_factory=dict)
    _sections: dict[str, tuple[SectionText, _Source]] = field(default_factory=dict)
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
        source = _Source(seen.capture_id, seen.captured_at, form_of(seen.content), self._rank, tuple(rows_of))
        last = seen.content.fields[-1].key if seen.content.incomplete and seen.content.fields else None
        for key, rows in rows_of.items():
            kept = self._fields.get(key)
            if kept and key != last and kept.is_repeated(key, rows, source):
                kept.source = source
            else:
                self._fields[key] = self._told(key, rows, source, kept, is_last=key == last)

    def _told(self, key: str, rows: list[FieldValue], source: _Source, kept: _Kept | None, *, is_last: bool) -> _Kept:
        """What is known of a key after this capture. `is_last`: the page may be cut within it."""
        lost = all(row.state == State.NOT_CAPTURED for row in rows)
        if kept is None:
            return _Kept(source, rows, captured=not lost, is_shown=not lost and not is_last and source.captured_at is not None)
        if lost or (is_last and is_cut(rows, kept.rows)):
            return kept if kept.captured else _Kept(source, rows, captured=False)
        fresh = _sourced(rows, source)
        before = kept.shown
        if kept.captured and _is_group(key, rows):
            known, fresh = fresh, filled_up(fresh, kept.rows, is_text=source.form != PAGE)
            if before and before.form != PAGE:
                before = before._replace(texts=texts(filled_up(kept.rows, known, is_text=True)))
        shown = before
        if source.captured_at and not is_last:
            shown = _Shown(texts(fresh), source.form, source.captured_at)
            self._note(key, before, shown)
        if kept.captured and says_more(kept.rows, fresh):
            return replace(kept, is_shown=False, before=shown)
        is_own = len(fresh) == len(rows) and all(one.row is row for one, row in zip(fresh, rows, strict=True))
        return _Kept(source, rows, None if is_own else fresh, is_shown=shown is not before, before=before)

    def _add_sections(self, seen: Seen) -> None:
        numbered = list(_numbered(seen.content.sections))
        path = tuple(key for key, _, _ in numbered)
        source = _Source(seen.capture_id, seen.captured_at, form_of(seen.content), self._rank, path)
        for key, label, text in numbered:
            kept = self._sections.get(key)
            held = kept[0].text if kept else None
            shorter = seen.content.incomplete and held is not None and text is not None and starts(held, text)
            if kept is None or (text is not None and not shorter) or held is None:
                self._sections[key] = (SectionText(label, text, seen.capture_id), source)

    def _note(self, key: str, before: _Shown | None, after: _Shown) -> None:
        """A change, where both captures' times are known and differ, and more than white space does."""
        if before is None or before.captured_at == after.captured_at or before.texts == after.texts:
            return
        if not same(before.texts, before.form, after.texts, after.form):
            old, new = ("; ".join(one.texts) or None for one in (before, after))
            self.changes.append(Change(key, old, new, before.captured_at, after.captured_at))

    @property
    def head(self) -> dict[str, Any]:
        """Title, node number and submission: of each the last that was captured."""
        return {name: value for name, (value, _) in self._head.items()}

    def latest_alone(self, rows: Sequence[Sourced]) -> StoredPage[FieldValue] | None:
        """The latest capture's content where it says all that is known, `rows` being all fields; None where it does not."""
        latest = self._latest.content if self._latest else None
        if latest is None or [self.head.get(name) for name in HEAD] != latest.head:
            return None
        return latest if [one.row for one in rows] == latest.fields else None

    def head_source(self, name: str) -> str | None:
        """The capture that a value of the head comes from."""
        return self._head[name][1] if name in self._head else None

    def fields(self) -> list[Sourced]:
        """The rows in the page order of the latest capture; a kept field follows the field that it followed on its own page."""
        if self._latest is None:
            return []
        latest = self._latest.content.fields
        if all(self._is_of_latest(kept) for kept in self._fields.values()):
            form = form_of(self._latest.content)
            return without_echoes([Sourced(row, self._latest.capture_id, form) for row in latest])
        return without_echoes(self._arranged_rows([(key, list(rows)) for key, rows in groupby(latest, key=lambda row: row.key)]))

    def _is_of_latest(self, kept: _Kept) -> bool:
        return kept.source.rank == self._rank and kept.filled is None

    def _arranged_rows(self, runs: list[tuple[str, list[FieldValue]]]) -> list[Sourced]:
        """`runs`: the rows of each key on the latest capture, as they follow each other there."""
        slots = _arranged([key for key, _ in runs], {key: kept.source for key, kept in self._fields.items()})
        own = iter(runs)
        placed: Counter[str] = Counter()
        result: list[Sourced] = []
        on_latest = {key for key, _ in runs}
        for key in slots:
            kept = self._fields[key]
            run = next(own)[1] if key in on_latest else []
            if self._is_of_latest(kept):
                result += _sourced(run, kept.source)
            elif not placed[key]:
                result += kept.rows
            placed[key] += 1
        return result

    def sections(self) -> list[SectionText]:
        """The instruction sections, ordered as the fields are."""
        if self._latest is None:
            return []
        latest = [key for key, _, _ in _numbered(self._latest.content.sections)]
        slots = _arranged(latest, {key: source for key, (_, source) in self._sections.items()})
        return [self._sections[key][0] for key in slots]


def _numbered(sections: Iterable[Sequence[Any]]) -> Iterable[tuple[str, str, str | None]]:
    """Key, label and text: of two sections with one label the second has a key of its own."""
    times: Counter[str] = Counter()
    for label, text in sections:
        times[label] += 1
        yield f"{label}\0{times[label]}", label, text


def _arranged(latest: Sequence[str], kept: dict[str, _Source]) -> list[str]:
    """The latest capture's keys, and each other key after the one that it followed on the capture it comes from."""
    slots = list(latest)
    there = set(slots)
    missing = [(-one.rank, one.path.index(key), key, one.path) for key, one in kept.items() if key not in there]
    for _, index, key, path in sorted(missing):
        above = next((other for other in reversed(path[:index]) if other in there), None)
        at = 0 if above is None else len(slots) - slots[::-1].index(above)
        slots.insert(at, key)
        there.add(key)
    return slots
