"""Turns the blocks of a page into the rows of its record: numbered fields and sections, each field in its section.

`fields` finds the blocks, `groups` the items of milestones and metrics, and `columns` derives typed columns from all rows.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from parsers.columns import BODY, entry_of, fits
from parsers.groups import group_items, group_of
from parsers.items import items_of, read_value
from parsers.patterns import Block, LabelPatterns
from parsers.record import Field, FieldState, Section, Value
from parsers.registry import Type, group_of_member, is_distinctive, is_instructions, label_named, label_of, section_of_instruction
from parsers.tree import Element, one_line, readable

_NUMBERED = re.compile(r"(.*\S)\s+\d+")  # an item's name with its number
MAX_REFERENCE = 120  # characters of a referenced term's name; explanations of a form's fields are longer
_FEW_REPEATED = 3  # labels of a page with which their values may begin by chance
MAX_FIELDS = 20_000  # rows of one page; the longest page seen has about 60


@dataclass(slots=True)
class PageRows:
    """The rows of a page's content, and the elements that each field and each section was read from.

    `shape`: the page's structure, which element contains which label, for each kind of field.
    """

    fields: list[Field] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    places: list[Element] = field(default_factory=list)
    section_places: list[Element] = field(default_factory=list)
    shape: list[str] = field(default_factory=list)


def write_all(blocks: Sequence[Block], patterns: LabelPatterns, base: str | None) -> PageRows:
    """Returns the rows and sections of all blocks of a page, in order. `patterns`: those learned from the page."""
    before = takewhile(lambda block: block.label is None and block.source_field is None, blocks)
    texts = ((readable(block.values), block) for block in before if block.name is None)
    bodies = [(text, block) for text, block in texts if text and not section_of_instruction(text)]
    bodies.sort(key=lambda one: "\n" not in one[0] and not one[0].endswith((".", "!", "?", ":")))  # prose before a single line
    body = next((block for block in blocks if block.name == BODY), bodies[0][1] if bodies else None)
    writer = _BlockWriter(base, patterns)
    for block in blocks:
        writer.write(block, is_body=block is body)
    repeated = [row for row in writer.rows.fields if row.label and row.value and row.value.startswith(f"{row.label}: ")]
    for row in repeated if len({row.label for row in repeated}) > _FEW_REPEATED else ():  # the theme prints the label again
        row.value = (row.value or "").removeprefix(f"{row.label}: ")
    return writer.rows


class RowWriter:
    """Writes rows. `base`: the base URL of links; `missing`: the state without a value; `place`: the source of the next rows."""

    def __init__(self, base: str | None, missing: FieldState = FieldState.EMPTY) -> None:
        self._base = base
        self.rows = PageRows()
        self.section: str | None = None
        self.items: Counter[str] = Counter()
        self.times: Counter[tuple[str | None, str | None]] = Counter()
        self.missing = missing
        self.place: Any = None

    def open_section(self, label: str, instructions: str) -> None:
        self.section = label
        self.rows.sections.append(Section(position=len(self.rows.sections) + 1, label=label, text=instructions or None))

    def next_item(self, group: str) -> str:
        self.items[group] += 1
        return f"{group} {self.items[group]}"

    def add(self, label: str | None, name: str | None, value: Value, *, item: str | None = None, occurrence: int = 1) -> None:
        """Adds a row in the current section. `item`: the group's item that it is in; `occurrence`: of equal labels, from 1."""
        fields = self.rows.fields
        if len(fields) >= MAX_FIELDS:
            return
        state = FieldState.VALUE if value.text else self.missing
        field = Field(position=len(fields) + 1, section=self.section, label=label, name=name, item=item, state=state)
        field.value, field.href, field.datetime, field.person = value.text or None, *value[1:]
        field.occurrence = occurrence
        fields.append(field)
        self.rows.places.append(self.place)


class _BlockWriter(RowWriter):
    """Turns blocks into rows."""

    def __init__(self, base: str | None, patterns: LabelPatterns) -> None:
        super().__init__(base)
        self._learned = patterns.learned
        self._member_labels: set[str] = set()

    def write(self, block: Block, *, is_body: bool) -> None:
        if (found := block.source_field) is not None:
            self.place = block.element
            if found.opens_section:
                self.rows.section_places.append(self.place)
                self.open_section(found.label, found.values[0].text)
            else:
                self._write_field(found.label, found.name, found.values)
            self.rows.shape.append(f"div>{found.pattern[1]}:{found.name or 'field'}")
            return
        label = (one_line(readable([block.label])).rstrip(": *") or None) if block.label is not None else None
        entry = label_of(label) if label else label_named(block.name)
        before = len(self.rows.fields)
        title = label or (entry.text if entry is not None else None)
        self.place = block.element
        if len(block.values) + (block.label is not None) < len(block.element.content):  # among others in a container
            self.place = next((node for node in block.values if isinstance(node, Element)), block.label or block.element)
        is_opened = title is None and not is_body and section_of_instruction(readable(block.values)) is not None
        if is_opened or block.element.role.markup or (title and is_instructions(title)):
            text = readable(block.values)
            self.rows.section_places.append(self.place)  # a section without a label is identified by the form's fixed text
            self.open_section(title or section_of_instruction(text) or block.name or "", text)
        elif group := group_of(block, title):
            self._write_group(block, *group, title)
        else:
            prose = is_body or block.kind == "text"
            is_one = is_body or (block.element.role.prose and not block.element.role.field)  # a list in it is its text
            items = [block.values] if is_one else items_of(block.values)
            filled = [value for item in items if (value := read_value(item, self._base, prose=prose)).text]
            name = BODY if is_body else block.name
            if label or filled or not (block.kind == "text" or name == "user_picture"):
                self._write_field(label, name, filled or [Value()])
        if block.kind == "field" or len(self.rows.fields) > before:  # what prints nothing is not part of the structure
            tag = block.label.tag if block.label else ""
            self.rows.shape.append(f"{block.element.tag}>{tag}:{block.name or block.kind}")

    def _write_group(self, block: Block, stem: str, table: str | None, title: str | None) -> None:
        """Writes the rows of a group's field. `stem`: its items' name; if that ends in a number, it is the only item's name."""
        parts = (part for node in block.values if isinstance(node, Element) for part in (node, *node.built()))
        is_built_alike = any(part.role.paragraph for part in parts)  # another entity's fields have the theme's template too
        learned = Counter({one: times for one, times in self._learned.items() if one[2] or is_built_alike})
        patterns = LabelPatterns(learned, in_group=True, table=table)
        before, place, items = len(self.rows.fields), self.place, group_items(block.values, patterns)
        if table is None and items and all(len(item) == 1 and item[0].is_hidden for item in items):
            nodes = [node for item in items for node in item[0].values]  # media that shows one field is the field's value
            self._write_field(title, block.name, [read_value(one, self._base) for one in items_of(nodes)])
            return
        is_name = len(items) == 1 and _NUMBERED.fullmatch(stem)
        is_plain = all(len(item) == 1 and item[0].label is None for item in items)  # otherwise some labels are hidden
        for item in items:
            number = self.next_item(stem)
            for sub in item:
                nameless = sub.label is None and sub.name is None
                own = (title, block.name) if nameless and is_plain else (sub.label and sub.label.rstrip(": *"), sub.name)
                nodes = list(sub.values)
                values = sub.read or [read_value(one, self._base) for one in ([nodes] if nameless else items_of(nodes))]
                filled = [value for value in values if value.text]
                self.place = sub.place or place
                for value in filled or ([] if nameless else [Value()]):
                    self.add(*own, value, item=stem if is_name else number)
        if len(self.rows.fields) == before:
            self._write_field(title, block.name, [Value()])

    def _write_field(self, label: str | None, name: str | None, values: Sequence[Value]) -> None:
        """Writes a field's rows. For fields of a group outside its element, a repeated label begins the next item."""
        item, times = None, 1
        if label and (group := group_of_member(label)):
            if label in self._member_labels or not self._member_labels:
                self.next_item(group)
                self._member_labels.clear()
            self._member_labels.add(label)
            item = f"{group} {self.items[group]}"
        elif label or name:
            times = self.times[label, name] = self.times.get((label, name), 0) + 1
        for value in values:
            self.add(label, name, value, item=item, occurrence=times)


def count_evidence(content: PageRows) -> tuple[int, int]:
    """Counts the labels that only TTA records have, and the typed fields with values that do not fit their type."""
    labels: dict[str, set[str]] = {}
    for row, place in zip(content.fields, content.places, strict=True):
        if row.label and row.item is None:
            labels.setdefault(place.tag if isinstance(place, Element) else "", set()).add(row.label)
    usual = max(labels.values(), key=len, default=set())  # if other pages have these too, the others are quoted, as in a body
    good = {section.label for section in content.sections if label_of(section.label)}
    bad = 0
    for row in content.fields:
        entry = entry_of(row)
        if entry is None or row.item is not None:
            continue
        value = row.value or ""
        is_name = entry.type in (Type.REFERENCE, Type.REFERENCES, Type.MONEY)  # a sentence is not
        if (is_name and len(value) > MAX_REFERENCE) or (value and fits(entry.type, value, row.datetime) is False):
            bad += 1
        elif is_distinctive(row.label or entry.text):
            good.add(entry.text)
    return len(good) if not usual or any(map(is_distinctive, usual)) else 0, bad
