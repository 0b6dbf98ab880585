"""A group's field (milestones, metrics, any nested paragraphs) to items, and each item to rows with labels of their own.

Groups reach us as nested paragraphs, as a table, or as plain lines (DOMAIN.md, "The two forms", 6).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from parsers.items import items_of, read_value
from parsers.patterns import HEADINGS, NO_PATTERNS, Block, Pattern, field_of, name_of
from parsers.registry import GROUPS, group_of_members, group_of_paragraph, group_table, is_member, known
from parsers.source import Value
from parsers.tree import BLOCKS, Element, readable

_LABELLED_LINE = re.compile(r"([A-Z][^:\n]{1,80}):\s+(\S.*)")
_NUMBERED = re.compile(r"(.*\S)\s+\d+")
_PAIRED = HEADINGS | {"strong", "b", "dt", "th", "span", "label"}
_WRAPPERS = frozenset("div ul ol dd li section article tbody tr td".split())
MAX_METRIC_LINE = 200
"""Characters: lines of a metric's field that are all shorter are one answer each; longer ones are prose of one answer."""


class Row(NamedTuple):
    """One value on its way into `fields`; `place` is the element it was read from, where that is not the whole field."""

    label: str | None
    name: str | None
    item: str | None
    value: Value
    place: Element | None = None


class _Sub(NamedTuple):
    """A field of an item, or (without label and name) text of the item that belongs to no label. `read`: its values, if read."""

    label: str | None
    name: str | None
    values: Sequence[Element | str]
    place: Element | None
    read: tuple[Value, ...] = ()


class Group(NamedTuple):
    """A field whose values are items with fields of their own. `stem`: what its items are called; `table`: their own table."""

    stem: str
    table: str | None


def group_of(block: Block, title: str | None) -> Group | None:
    """The group that a field is: by its label, its machine name, the type of its paragraphs, or the labels of their fields."""
    if block.kind != "field":
        return None
    if table := group_table(title):
        return Group(title or block.name or "", table)
    if block.element.role.text or block.name == "body":
        return None
    inside = [one for node in block.values if isinstance(node, Element) for one in (node, *node.built())]
    if not any(one.role.paragraph or _is_labelled_field(one) for one in inside):
        return None
    table = group_table(block.name) or next((found for one in inside if (found := group_of_paragraph(one.role.bundle))), None)
    labels = [one.source_field.label if one.source_field else one.line() if one.role.label else None for one in inside]
    table = table or group_of_members(labels)
    if table is None:
        return Group(title or block.name or "Item", None)
    return Group(block.name if block.name and not title and group_table(block.name) else GROUPS[table].item, table)


def _is_labelled_field(element: Element) -> bool:
    block = field_of(element, NO_PATTERNS, after_known=False) if element.role.field else None
    return block is not None and (block.source_field is not None or (block.label is not None and name_of(element) is not None))


def group_rows(block: Block, group: Group, title: str | None, counts: dict[str, int], base: str | None) -> list[Row]:
    """The rows of a group's field, items numbered on from `counts` (group label to items so far), which is updated."""
    stem, rows = group.stem, list[Row]()
    items = _items(list(block.values), group.table)
    only = len(items) == 1 and _NUMBERED.fullmatch(stem)  # a label that ends in a number itself is the name of its only item
    for item in items:
        counts[stem] = counts.get(stem, 0) + 1
        number = stem if only else f"{stem} {counts[stem]}"
        for sub in item:
            nameless = sub.label is None and sub.name is None
            own = (title, block.name) if nameless and len(item) == 1 else (sub.label and sub.label.rstrip(": "), sub.name)
            nodes = list(sub.values)
            values = sub.read or [read_value(one, base) for one in ([nodes] if nameless else items_of(nodes))]
            filled = [value for value in values if value.text]
            if filled or not nameless:
                rows += [Row(*own, number, value, sub.place) for value in filled or [Value()]]
    return rows or [Row(title, block.name, None, Value())]


def _items(nodes: list[Element | str], table: str | None) -> list[list[_Sub]]:
    """The items among a group's value nodes, in page order."""
    content = [node for node in nodes if isinstance(node, Element) or not node.isspace()]
    if not content:
        return []
    elements = [node for node in content if isinstance(node, Element)]
    if len(elements) < len(content):
        return _plain(content, table)
    if not any(one.role.paragraph for one in elements) and any(
        _is_source_sub(one, table) or one.tag == "dt" or one.role.label or _label_of(one, table) for one in elements
    ):
        return _by_label(_subs(elements[0].parent, table, elements))
    if len(elements) > 1:
        return _several(elements, table)
    return _items_of_one(elements[0], table)


def _items_of_one(only: Element, table: str | None) -> list[list[_Sub]]:
    if only.tag == "table":
        return _table_items(only, table)
    if only.role.paragraph:
        return [_subs(only, table)]
    only_blocks = not only.has_own_text() and all(child.tag in BLOCKS and child.tag != "p" for child in only.elements)
    if only.role.item or only.role.items or (only.tag in _WRAPPERS and only_blocks):
        return _items(only.children, table)
    subs = _subs(only, table)
    if any(sub.label or sub.name for sub in subs):
        return _by_label(subs)
    return _plain([only], table)


def _several(elements: list[Element], table: str | None) -> list[list[_Sub]]:
    """Elements side by side: an item each, but paragraphs of prose between them belong together."""
    if not any(element.tag in (*_WRAPPERS, "table") for element in elements):
        return _plain(list(elements), table)
    items: list[list[_Sub]] = []
    for element in elements:
        inside = _items([element], table)
        listed = element.tag in ("table", "ul", "ol") or element.role.items
        items += inside if listed else [[sub for item in inside for sub in item]]
    return [item for item in items if item]


def _label_of(element: Element, table: str | None) -> Element | None:
    """The label of an element that looks like a field, by class or by wording; None where it is no field."""
    content = element.content
    if not content or not isinstance(content[0], Element) or element.role.items:
        return None
    for child in content[:2]:
        if isinstance(child, Element) and child.role.label and child.line():
            return child
    first = content[0]
    line = first.line()
    if line is None or first.role.item:
        return None
    worded = is_member(line, table) or (len(content) > 1 and known(line) is not None)
    asks = table == "performance_metrics" and line.rstrip().endswith(("?", ":"))
    paired = len(content) == 2 and (asks or first.tag in _PAIRED)
    return first if worded or paired else None


def _subs(element: Element | None, table: str | None, content: Sequence[Element | str] = ()) -> list[_Sub]:
    """The fields inside an item (or among its `content`), wrappers looked through, and its text that belongs to none.

    Those that are recognized teach their pattern to those beside them.
    """
    content = content or (element.content if element is not None else ())
    found: list[_Sub] = []
    patterns = {pattern for child in content if isinstance(child, Element) and (pattern := _pattern_of(child, table))}
    index = 0
    while index < len(content):
        child = content[index]
        if isinstance(child, Element) and _is_flat(child, content, index):
            end = index + 1
            while end < len(content) and not _is_flat(content[end], content, end):
                end += 1
            found.append(_Sub(readable([child]), None, content[index + 1 : end], child))
            index = end
            continue
        found += _subs_of(child, table, patterns) if isinstance(child, Element) else [_Sub(None, None, [child], element)]
        index += 1
    return found


def _pattern_of(element: Element, table: str | None) -> Pattern | None:
    """The pattern of a field of an item that is recognized by itself."""
    if element.source_field is not None:
        return element.source_field.pattern if _is_source_sub(element, table) else None
    block = field_of(element, NO_PATTERNS, after_known=False)
    label = block.label if block is not None and block.label is not None else _label_of(element, table)
    return (element.tag, label.tag, label.role.look) if label is not None else None


def _is_flat(child: Element | str, content: Sequence[Element | str], index: int) -> bool:
    """A label whose values are its siblings."""
    if not isinstance(child, Element) or child.line() is None:
        return False
    if child.tag == "dt" or child.role.label:
        return True
    return child.tag in HEADINGS and index + 1 < len(content) and is_member(child.line() or "", None)


def _is_source_sub(element: Element, table: str | None) -> bool:
    field = element.source_field
    return field is not None and (
        element.role.field or is_member(field.label, table) or (field.known is not None and not field.alone)
    )


def _subs_of(element: Element, table: str | None, patterns: set[Pattern]) -> list[_Sub]:
    source = element.source_field
    if source is not None and (_is_source_sub(element, table) or source.pattern in patterns):
        return [_Sub(source.label, source.name, [], element, source.values)]
    block = field_of(element, NO_PATTERNS, after_known=False)
    if block is not None and (block.label is not None or block.name is not None):
        label = readable([block.label]) if block.label is not None else None
        parts = [node for node in block.values if isinstance(node, Element)]
        if any(one.role.paragraph or _is_labelled_field(one) for part in parts for one in (part, *part.built())):
            heading: list[_Sub] = [_Sub(None, None, [label], block.label)] if label else []
            return heading + [sub for part in parts for sub in _subs(part, table)]
        return [_Sub(label, block.name, block.values, element)]
    label_element = _label_of(element, table)
    first = element.content[0] if len(element.content) > 1 else None
    if label_element is None and isinstance(first, Element) and first.line() is not None:
        label_element = first if (element.tag, first.tag, first.role.look) in patterns else None
    if label_element is not None:
        values = [node for node in element.content if node is not label_element]
        return [_Sub(readable([label_element]), name_of(element), values, element)]
    nested = element.tag in BLOCKS and not element.has_own_text() and element.tag not in ("p", "ul", "ol", "table")
    if nested and any(child.tag in BLOCKS for child in element.elements):
        return _subs(element, table)
    return [_Sub(None, None, [element], element)]


def _by_label(subs: list[_Sub]) -> list[list[_Sub]]:
    """Fields in a row: an item each where all labels are questions, else the label that came first begins the next item."""
    labels = [sub.label for sub in subs]
    if len(subs) > 1 and all(label is not None and label.rstrip().endswith("?") for label in labels):
        return [[sub] for sub in subs]
    first = next((label for label in labels if label), None)
    if first is None or labels.count(first) < 2:
        return [subs]
    items: list[list[_Sub]] = []
    for sub in subs:
        if not items or sub.label == first:
            items.append([])
        items[-1].append(sub)
    return items


def _table_items(element: Element, table: str | None) -> list[list[_Sub]]:
    """A row of a table is an item and its header the labels; a table whose rows are headed is one item, or a metric a row."""
    rows = [node for node in element.descendants() if node.tag == "tr"]
    cells = [row for one in rows if (row := [cell for cell in one.elements if cell.tag in ("td", "th")])]
    if not cells:
        return _plain([element], table)
    is_header = all(cell.tag == "th" for cell in cells[0]) or all(is_member(cell.line() or "", None) for cell in cells[0])
    if len(cells) > 1 and (is_header or (rows[0].parent is not None and rows[0].parent.tag == "thead")):
        header = [readable(cell.children) or None for cell in cells[0]]
        header += [None] * max(map(len, cells))
        return [[_Sub(label, None, cell.children, cell) for label, cell in zip(header, row, strict=False)] for row in cells[1:]]
    headed = all(len(row) == 2 and (row[0].tag == "th" or table == "performance_metrics") for row in cells)
    if headed:
        pairs = [_Sub(readable(row[0].children) or None, None, row[1].children, row[1]) for row in cells]
        return [[pair] for pair in pairs] if table == "performance_metrics" else [pairs]
    return [[_Sub(None, None, cell.children, cell) for cell in row if cell.content] for row in cells]


def _plain(nodes: list[Element | str], table: str | None) -> list[list[_Sub]]:
    """Text without elements of its own: fields of the form `Label: value`, else an item a line unless it is prose."""
    place = next((node for node in nodes if isinstance(node, Element)), None)
    lines = [line.strip() for line in readable(nodes).splitlines() if line.strip()]
    labelled = [found if (found := _LABELLED_LINE.fullmatch(line)) and is_member(found[1], None) else None for line in lines]
    if labelled and labelled[0] is not None:
        texts: list[tuple[str, list[str]]] = []
        for line, match in zip(lines, labelled, strict=True):
            if match:
                texts.append((match[1], [match[2]]))
            else:
                texts[-1][1].append(line)  # a line without a label continues the value before it
        return _by_label([_Sub(label, None, [], place, (Value("\n".join(text)),)) for label, text in texts])
    prose = table != "milestones" and any(len(line) > MAX_METRIC_LINE for line in lines)
    if len(lines) < 2 or prose or table is None:
        return [[_Sub(None, None, nodes, place)]] if lines else []
    return [[_Sub(None, None, [line], place)] for line in lines]
