"""Splits a group's field (milestones, metrics, any nested paragraphs) into items, and each item into labeled fields.

Groups come as nested paragraphs, as a table, or as plain lines (DOMAIN.md, "The two forms", 6).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from parsers.patterns import HEADINGS, Block, LabelPatterns, field_of, is_alike, is_help
from parsers.record import Value
from parsers.registry import GROUPS, group_of_members, group_of_paragraph, group_table, is_member
from parsers.roles import HIDDEN
from parsers.tree import BLOCKS, Element, readable

_LABELLED_LINE = re.compile(r"([A-Z][^:\n]{1,80}):\s+(\S.*)")
_WRAPPERS = frozenset("div ul ol dl dd li section article tbody tr td table".split())
_MAX_METRIC_LINE = 200
"""Characters. If all lines of a metric's field are shorter, each is an answer; otherwise they are the prose of one answer."""


class SubField(NamedTuple):
    """A field of an item, or (without label and name) text of the item without a label. `read`: its values, if already read.

    `is_hidden`: its label is not visible.
    """

    label: str | None
    name: str | None
    values: Sequence[Element | str]
    place: Element | None
    read: tuple[Value, ...] = ()
    is_hidden: bool = False


_Item = list[SubField]


def group_of(block: Block, title: str | None) -> tuple[str, str | None] | None:
    """Returns what the items of a group's field are called, and their table if they have one; None if the field is not a group.

    Evidence: its label, its machine name, the type of its paragraphs, or the labels of their fields.
    """
    if block.kind != "field":
        return None
    if title and (table := group_table(title)):
        return title, table
    inside = [one for node in block.values if isinstance(node, Element) for one in (node, *node.built())]
    if block.element.role.text or block.name == "body" or not _holds_fields(inside):
        return None
    table = group_table(block.name) or next((found for one in inside if (found := group_of_paragraph(one.role.bundle))), None)
    labels = [one.source_field.label if one.source_field else one.line() if one.role.label else None for one in inside]
    table = table or group_of_members(labels)
    if table is None:
        return title or block.name or "Item", None
    return block.name if block.name and not title and group_table(block.name) else GROUPS[table].item, table


def _holds_fields(elements: list[Element]) -> bool:
    """Whether paragraphs, or fields with a name and a label, are among the elements, and not below the linked title of a page."""
    nothing_learned = LabelPatterns()
    for one in elements:
        if one.tag == "a" and one.attribute("rel") == "bookmark":
            return False
        block = field_of(one, nothing_learned) if one.role.field and not one.role.paragraph else None
        if one.role.paragraph or (block and (block.source_field or (block.label is not None and one.role.name))):
            return True
    return False


def group_items(nodes: Sequence[Element | str], patterns: LabelPatterns) -> list[_Item]:
    """Returns the items in a group's field, in page order. `nodes`: its value; `patterns`: those learned from earlier items."""
    content = [node for node in nodes if isinstance(node, Element) or not node.isspace()]
    elements = [node for node in content if isinstance(node, Element)]
    if len(elements) < len(content) or not content:
        return _read_plain_text(content, patterns.table)
    if not elements[0].role.paragraph and any(_is_labelled(one, patterns) for one in elements):
        return _split_by_label(_read_sub_fields(content, patterns, elements[0].parent))
    if len(elements) == 1:
        only = elements[0]
        if only.tag == "table":
            return _table_items(only, patterns.table)
        if only.role.name and group_table(only.role.name) is None and not _holds_fields(only.built()):
            return [_read_sub_fields(elements, patterns, only.parent)]  # an item of one field
        only_blocks = not only.has_own_text() and all(child.tag in BLOCKS and child.tag != "p" for child in only.elements)
        if only.role.item or only.role.items or (only.tag in _WRAPPERS and only_blocks):
            return group_items(only.children, patterns)
        subs = _read_sub_fields(only.content, patterns, only)
        return _split_by_label(subs) if any(sub.label or sub.name for sub in subs) else _read_plain_text([only], patterns.table)
    items: list[_Item] = []
    for element in elements:  # one item each
        inside = group_items([element], patterns)
        listed = element.tag in ("table", "ul", "ol") or element.role.items
        items += inside if listed else [[sub for item in inside for sub in item]]
    return [item for item in items if item]


def _is_labelled(element: Element, patterns: LabelPatterns) -> bool:
    """Whether an element is a label, or a field with one."""
    block = field_of(element, patterns, after_known=True)
    heads = element.tag == "dt" or (element.tag in HEADINGS and patterns.is_member(element.line() or ""))
    return heads or element.role.label or (block is not None and (block.label is not None or block.source_field is not None))


def _read_sub_fields(content: Sequence[Element | str], patterns: LabelPatterns, parent: Element | None) -> _Item:
    """Yields the fields in an item's content, whose patterns are added to `patterns`, and the text outside them."""
    found: _Item = []
    blocks = [field_of(child, patterns, after_known=True) if isinstance(child, Element) else None for child in content]
    for block in filter(None, blocks):
        if block.source_field is not None:
            patterns.learned[block.source_field.pattern] += 1
        elif block.label is not None:
            patterns.learned[block.element.tag, block.label.tag, block.label.role.look] += 1
    index = 0
    while index < len(content):
        child, end = content[index], index + 1
        if not isinstance(child, Element):
            found.append(SubField(None, None, [child], parent))
        elif _is_flat(child, content, index, patterns):
            while end < len(content) and not _is_flat(content[end], content, end, patterns):
                if (one := blocks[end]) is not None and one.element.role.field and (one.label or one.source_field):
                    break  # a field with an element of its own
                end += 1
            found.append(SubField(readable([child]), None, content[index + 1 : end], child))
        elif not is_help(child):
            found += _read_element(child, patterns, blocks[index])
        index = end
    return found


def _is_flat(child: Element | str, content: Sequence[Element | str], index: int, patterns: LabelPatterns) -> bool:
    """Whether a child is a label whose values are its siblings."""
    if not isinstance(child, Element) or (line := child.line()) is None:
        return False
    following = content[index + 1] if index + 1 < len(content) else None
    may_be = child.tag in HEADINGS or (child.is_plain_text and isinstance(following, str))
    alike = (one.line() for one in content if isinstance(one, Element) and may_be and is_alike(one, child))
    is_named = any(is_member(one or "", patterns.table) for one in (line, *alike))
    may_head = child.is_plain_text and child.tag != "dd" and following is not None and not is_alike(following, child)
    return child.tag == "dt" or child.role.label or ((child.tag in HEADINGS or may_head) and following is not None and is_named)


def _read_element(element: Element, patterns: LabelPatterns, block: Block | None) -> _Item:
    """Yields the fields of an element. `block`: the element as a field, read without the patterns learned from its siblings."""
    if block is None or (block.source_field is None and block.label is None):
        block = field_of(element, patterns, after_known=True)
    if block is not None and (source := block.source_field):
        return [SubField(source.label, source.name, [], element, source.values)]
    if inside := _fields_below_heading(element, patterns):
        return _read_sub_fields(inside, patterns, element)
    if block is not None and (block.label is not None or block.name is not None):
        label = readable([block.label]) if block.label is not None else None
        parts = [node for node in block.values if isinstance(node, Element)]
        if not _holds_fields([one for part in parts for one in (part, *part.built())]):
            is_hidden = block.label is not None and not HIDDEN.isdisjoint(block.label.role.classes)
            return [SubField(label, block.name, block.values, element, is_hidden=is_hidden)]
        heading: _Item = [SubField(None, None, [label], block.label)] if label else []
        return heading + [sub for part in parts for sub in _read_sub_fields(part.content, patterns, part)]
    is_part = (child.tag in BLOCKS if element.tag in BLOCKS else _is_labelled(child, patterns) for child in element.elements)
    if not element.has_own_text() and element.tag not in ("p", "ul", "ol", "table") and any(is_part):
        return _read_sub_fields(element.content, patterns, element)
    return [SubField(None, None, [element], element)]


def _fields_below_heading(element: Element, patterns: LabelPatterns) -> list[Element | str]:
    """Returns the content of a group of fields inside an item, without the group's heading; empty for any other element."""
    first, *rest = element.content or [""]
    if not isinstance(first, Element) or first.tag not in HEADINGS or first.role.label or element.role.field:
        return []
    parts = [node for node in rest if isinstance(node, Element)]
    while len(parts) == 1 and not _is_labelled(parts[0], patterns) and parts[0].elements:
        parts = parts[0].elements
    heads = ((one.elements or [one])[0].line() or "" for one in parts)
    is_text = [one.tag in ("p", "li") and not is_member(head, patterns.table) for one, head in zip(parts, heads, strict=True)]
    return rest if any(_is_labelled(one, patterns) for one, text in zip(parts, is_text, strict=True) if not text) else []


def _split_by_label(subs: _Item) -> list[_Item]:
    """Groups consecutive fields into items: one each if all labels are questions, else the first label begins each next item."""
    labels = [sub.label for sub in subs]
    if len(subs) > 1 and all(label is not None and label.rstrip().endswith("?") for label in labels):
        return [[sub] for sub in subs]
    first = next((label for label in labels if label), None)
    if first is None or labels.count(first) < 2:
        return [subs]
    items: list[_Item] = []
    for sub in subs:
        if not items or sub.label == first:
            items.append([])
        items[-1].append(sub)
    return items


def _table_items(element: Element, table: str | None) -> list[_Item]:
    """Reads a table: each row is an item, labeled by the header row. With row headers, all are one item, or each a metric."""
    rows = [node for node in element.descendants() if node.tag == "tr"]
    cells = [row for one in rows if (row := [cell for cell in one.elements if cell.tag in ("td", "th")])]
    if not cells:
        return _read_plain_text([element], table)
    is_header = all(cell.tag == "th" for cell in cells[0]) or all(is_member(cell.line() or "", None) for cell in cells[0])
    if len(cells) > 1 and (is_header or (rows[0].parent or element).tag == "thead"):
        header = [readable(cell.children) or None for cell in cells[0]]
        header += [None] * max(map(len, cells))
        return [[SubField(name, None, cell.children, cell) for name, cell in zip(header, row, strict=False)] for row in cells[1:]]
    headed = all(len(row) == 2 and (row[0].tag == "th" or table == "performance_metrics") for row in cells)
    if headed:
        pairs = [SubField(readable(row[0].children) or None, None, row[1].children, row[1]) for row in cells]
        return [[pair] for pair in pairs] if table == "performance_metrics" else [pairs]
    return [[SubField(None, None, cell.children, cell) for cell in row if cell.content] for row in cells]


def _read_plain_text(nodes: list[Element | str], table: str | None) -> list[_Item]:
    """Reads text without elements: fields of the form `Label: value`, else one item per line unless it is prose."""
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
        return _split_by_label([SubField(label, None, [], place, (Value("\n".join(text)),)) for label, text in texts])
    prose = table != "milestones" and any(len(line) > _MAX_METRIC_LINE for line in lines)
    if len(lines) < 2 or prose or table is None:
        return [[SubField(None, None, nodes, place)]] if lines else []
    return [[SubField(None, None, [line], place)] for line in lines]
