"""Merges the captures of one record into its current state and its history. Pure.

The newest value of each field counts, as shown by the capture that shows most of it. A poorer capture may add a value or
contradict one; it never shortens, rephrases or blanks what a richer one shows (docs/decisions/identity-and-merging.md).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from parsers.columns import BODY
from parsers.record import FieldState
from parsers.registry import GROUPS, label_named, label_of
from scraper.database.lost_details import with_labels, with_lost_details, without_echoes
from scraper.database.normal_form import DAMAGE, PageText, letters
from scraper.database.same_value import HTML, MIN_CUT, RICHNESS, TRANSLATION, Relation, Shown, Sourced, compare, is_of_one_style
from scraper.database.stored_page import FieldValue, StoredPage

HEAD = ("title", "node_id", "submitted_by", "submitted_at")
"""What `StoredPage.head` contains, in order."""


class Seen(NamedTuple):
    """A capture that shows the record: its time and content."""

    capture_id: str
    captured_at: str | None
    content: StoredPage


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


def times_overlap(one: str, other: str) -> bool:
    """Whether two times may be the same, given their precision: "2019" overlaps every time of that year."""
    first, second = one.rstrip("Z"), other.rstrip("Z")
    return first.startswith(second) or second.startswith(first)


class _Source(NamedTuple):
    """A capture that shows a field. `number`: its position by time; `path`: the keys of all its fields, in page order."""

    number: int
    capture_id: str
    captured_at: str | None
    path: tuple[str, ...]


@dataclass(slots=True)
class _Value:
    """A value that a field had for some time: the capture that shows it best, and all that agree with it, by time.

    `rows`: each with its capture. `completed`: replaces them if a poorer capture changed only a part of the previous value.
    """

    shown: Shown
    source: _Source
    seen: list[_Source]
    completed: list[Sourced] | None = None

    @property
    def rows(self) -> list[Sourced]:
        if self.completed is not None:
            return self.completed
        rows = [*self.shown.rows, *self.shown.cut_rows]
        return [Sourced(row, self.source.capture_id, self.shown.form) for row in rows]

    @property
    def times(self) -> list[str]:
        return [one.captured_at for one in self.seen if one.captured_at]

    def confirm(self, new: "_Value", relation: Relation) -> None:
        """Adds captures that agree, and uses their rows if they show at least as much.

        Two extractors of one format may print the same value better or worse, so the first one's rows stay.
        """
        if self.shown.is_lost:
            self.seen = new.seen
        elif not new.shown.is_lost:
            self.seen = sorted([*self.seen, *new.seen]) if new.seen[0] < self.seen[-1] else self.seen + new.seen
        if relation is Relation.SAME and new.shown is not self.shown:
            both = (new.shown, self.shown)
            young, old = ((not one.partial, RICHNESS[one.form], sum(bool(row.href) for row in one.rows)) for one in both)
            is_newer = self.completed is None and self.source < new.source and is_of_one_style(*both)
            relation = Relation.MORE if young > old or (young == old and is_newer) else Relation.LESS
        if relation is not Relation.LESS:
            self.shown, self.source, self.completed = new.shown, new.source, new.completed


class _Timeline:
    """The values of one field, by time. Captures are added richest format first: poorer ones date and complete the history."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.values: list[_Value] = []

    @property
    def current(self) -> _Value:
        return self.values[-1]

    def add(self, shown: Shown, source: _Source) -> None:
        """Adds a capture to the value before or after it if one of them agrees, else as a new value."""
        values, new = self.values, _Value(shown, source, [source])
        if shown.is_lost and values:
            return
        at = next((index for index, one in enumerate(values) if source < one.seen[0]), len(values))
        around = values[max(at - 1, 0) : at + 1]
        for one in around:
            relation = compare(one.shown, shown)
            if relation is not Relation.DIFFERENT:
                one.confirm(new, relation)
                pair = values[max(values.index(one) - 1, 0) :][:2]  # what is known now may show that two values were one
                if pair[1:] and (relation := compare(pair[0].shown, pair[1].shown)) is not Relation.DIFFERENT:
                    pair[0].confirm(pair[1], relation)
                    values.remove(pair[1])
                return
        if any(RICHNESS[shown.form] < RICHNESS[one.shown.form] for one in around):
            self._add_poorer(new, at, around)
        elif at and source.captured_at and times_overlap((values[at - 1].times or ["?"])[0], source.captured_at):
            del values[at - 1]  # at the same time the later capture counts
            self.add(shown, source)
        else:
            values.insert(at, new)

    def _add_poorer(self, new: _Value, at: int, around: list[_Value]) -> None:
        """Adds a value that only a poorer capture shows, at an index, unless the richer captures around it contradict it."""
        rows, source, before = new.shown.rows, new.source, around[0]
        if not _is_identified(rows):  # these lines are added to the others
            there = {letters(one.row.value or "") for one in before.rows}
            if at:
                before.completed = before.rows + [one for one in new.rows if letters(one.row.value or "") not in there]
            return
        if source.captured_at and any(times_overlap(time, source.captured_at) for one in around for time in one.times):
            return
        if at:
            later, is_list = [one for one in before.seen if source < one], is_group(self.key, rows) or len(new.shown.values) > 1
            if (later or len(around) > 1) and (is_list or sum(map(len, new.shown.values)) >= MIN_CUT):
                return  # long enough for an extractor to damage
            completed = with_lost_details(new.rows, before.rows, is_group=is_group(self.key, rows))
            new.completed = completed if completed != new.rows else None
            if later:
                before.seen = before.seen[: -len(later)]
                self.values.insert(at, _Value(before.shown, before.source, later, before.completed))
        self.values.insert(at, new)

    def changes(self) -> Iterator[Change]:
        """Yields a row for each pair of successive values whose times are known and certainly differ."""
        for before, after in zip(self.values, self.values[1:], strict=False):
            times = after.times
            earlier = [at for at in before.times if times and not times_overlap(at, times[0])]
            if earlier and _is_identified(after.shown.rows):
                old, new = ("; ".join(one.shown.values) or None for one in (before, after))
                yield Change(self.key, old, new, earlier[-1], times[0])


def is_group(key: str, rows: Sequence[FieldValue]) -> bool:
    """Whether a field is a group of items, such as the milestones."""
    return key in GROUPS or any(row.item is not None for row in rows)


def _is_identified(rows: Sequence[FieldValue]) -> bool:
    """Whether a field is identified by more than its text. Lines without label and name have no history."""
    return any(row.label or row.name or row.item or row.key in HEAD or row.key == "description" for row in rows)


@dataclass(slots=True)
class Merged:
    """The state of a record after its last capture, and its history.

    `agreeing`: for each field, and each name of `head`, the captures that show its current value or part of it;
    `head_sources`: the capture of each head value.
    """

    changes: list[Change]
    head: dict[str, Any]
    fields: list[Sourced]
    sections: list[SectionText]
    agreeing: dict[str, list[str]]
    head_sources: dict[str, str]
    aliases: dict[str, str]


def merge(captures: Sequence[Seen]) -> Merged:
    """Merges captures sorted by BUILD_ORDER; there is at least one. Translations count only where there is nothing else."""
    captures = [one for one in captures if one.content.form != TRANSLATION] or captures
    aliases = _find_aliases(one.content for one in captures)
    tables: tuple[dict[str, _Timeline], ...] = ({}, {}, {})
    content: StoredPage | None = None
    for number, seen in sorted(enumerate(captures), key=lambda one: -min(RICHNESS[one[1].content.form], RICHNESS[HTML])):
        if seen.content is not content:  # many captures show the same page
            content = seen.content
            page = [_build_shown(rows, content) for rows in _rows_of(content, aliases)]
        for table, found in zip(tables, page, strict=True):
            source = _Source(number, seen.capture_id, seen.captured_at, tuple(found))
            for key, shown in found.items():
                table.setdefault(key, _Timeline(key)).add(shown, source)
    heads, fields, sections = tables
    latest = captures[-1].content
    parts = [sections[key].current for key in _arrange_keys(list(_rows_of(latest, {})[2]), sections)]
    texts = [SectionText(one.shown.rows[0].key, one.shown.rows[0].value, one.source.capture_id) for one in parts]
    head = {key: heads[key].current.shown.values[0] for key in HEAD if key in heads}
    rich = [one.content for one in captures if RICHNESS[one.content.form] >= RICHNESS[HTML]]
    arranged = _arrange_rows(latest, fields, aliases, len(captures) - 1)
    sourced = without_echoes(arranged, rich[-1] if rich else None)
    no_fields = {"node_id"} | {one.row.key for one in arranged} - {one.row.key for one in sourced}
    sourced = with_labels(sourced, [one.content for one in captures], aliases)
    changes = [change for one in (*heads.values(), *fields.values()) if one.key not in no_fields for change in one.changes()]
    return Merged(
        sorted(changes, key=lambda change: change.seen_by.rstrip("Z")),
        head | {"node_id": int(head["node_id"])} if "node_id" in head else head,
        sourced,
        texts,
        {
            key: [] if one.current.shown.is_lost else [seen.capture_id for seen in one.current.seen]
            for key, one in (fields | heads).items()
        },
        {key: one.current.source.capture_id for key, one in heads.items()},
        aliases,
    )


_Rows = dict[str, list[FieldValue]]


def _rows_of(content: StoredPage, aliases: dict[str, str]) -> tuple[_Rows, _Rows, _Rows]:
    """Returns the rows of each head value, field and section. The second of two sections with the same label has its own key."""
    head = {name: [_head_row(name, str(value))] for name, value in zip(HEAD, content.head, strict=True) if value is not None}
    fields: _Rows = {}
    for row in content.fields:
        key = aliases.get(row.key, row.key)
        fields.setdefault(key, []).append(row if key == row.key else row._replace(key=key))
    times: Counter[str] = Counter()
    sections: _Rows = {}
    for label, text in content.sections:
        times[label] += 1
        sections[f"{label}\0{times[label]}"] = [_head_row(label, text)]
    return head, fields, sections


def _head_row(key: str, value: str | None) -> FieldValue:
    return FieldValue(key, None, key, None, None, value, FieldState.VALUE if value else FieldState.NOT_CAPTURED, None, None)


def _build_shown(rows_of: _Rows, content: StoredPage) -> dict[str, Shown]:
    """Returns each field as a page shows it: which of its rows are whole, and whether a part of it is lost."""
    form, page = content.form, PageText(content)
    last = content.fields[-1].key if content.incomplete and content.fields else None
    result = {}
    for key, rows in rows_of.items():
        whole = [row for row in rows if not row.truncated]
        lost = not whole or all(row.state == FieldState.NOT_CAPTURED for row in whole)
        partial = key == last or len(whole) < len(rows) or any(row.state == FieldState.NOT_CAPTURED for row in rows)
        partial = partial or (rows[-1].value or "").rstrip().endswith(("…", "..."))
        partial = partial or any(row.value and not row.value.isascii() and DAMAGE.search(row.value) for row in rows)
        cut_rows = [] if lost else [row for row in rows if row.truncated]
        result[key] = Shown(rows if lost else whole, page, form, partial, lost, cut_rows)
    return result


def _find_aliases(contents: Iterable[StoredPage]) -> dict[str, str]:
    """Maps keys of one field, by its machine name, to one key: some captures print another label, or none."""
    keys_of: dict[str, list[str]] = {}
    for _, (content, *_) in groupby(contents, key=id):  # many captures show the same page
        of_page: dict[str, set[str]] = {}
        for row in content.fields:
            entry = label_of(row.label) or label_named(row.name)
            if row.name not in (None, BODY) and not (row.item or row.key in GROUPS or entry):
                of_page.setdefault(row.name, set()).add(row.key)
        for name, (key, *others) in of_page.items():
            keys_of.setdefault(name, []).extend([] if others else [key])
    labelled = {name: [key for key in keys if key != name] for name, keys in keys_of.items()}
    return {key: some[-1] for name, some in labelled.items() for key in (*some[:-1], name) if some and key != some[-1]}


def _arrange_rows(latest: StoredPage, timelines: dict[str, _Timeline], aliases: dict[str, str], number: int) -> list[Sourced]:
    """Orders the rows as in the latest capture; a kept field follows the field that it followed on its own page."""
    runs = [(key, list(rows)) for key, rows in groupby(latest.fields, key=lambda row: str(aliases.get(row.key, row.key)))]
    own = iter(runs)
    on_latest = {key for key, _ in runs}
    placed: set[str] = set()
    result: list[Sourced] = []
    for key in _arrange_keys([key for key, _ in runs], timelines):
        value = timelines[key].current
        rows = next(own)[1] if key in on_latest else []
        if value.source.number == number and value.completed is None:
            result += [Sourced(row, value.source.capture_id, value.shown.form) for row in rows]
        elif key not in placed:
            result += value.rows
        placed.add(key)
    return result


def _arrange_keys(latest: list[str], timelines: dict[str, _Timeline]) -> list[str]:
    """Returns the latest capture's keys, and each other key after the one that it followed in its own capture."""
    there = set(latest)
    sources = [(key, one.current.source) for key, one in timelines.items() if key not in there]
    slots = list(latest)
    for _, index, key, path in sorted((-one.number, one.path.index(key), key, one.path) for key, one in sources):
        above = next((other for other in reversed(path[:index]) if other in there), None)
        slots.insert(0 if above is None else len(slots) - slots[::-1].index(above), key)
        there.add(key)
    return slots
