"""Plain fields: a label and values of one text, link or time each, as Drupal's themes print most of a record's fields.

They are read at once from the page's own nodes, and so are groups of nothing but plain fields. A field that is anything more
is not plain: `html` reads it by its shape, and would read a plain one as the same (tests/test_straight.py holds this).
"""

from __future__ import annotations

from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from parsers.columns import BODY
from parsers.head import NOTICE
from parsers.labels import group_table, is_instructions, known
from parsers.roles import Part, role_of
from parsers.tree import Element, one_line
from parsers.urls import absolute
from parsers.value import Value

_MAX_LABEL = 300


@dataclass(slots=True)
class PlainField:
    """A field as `shape.Block` has it, with its values read; none where it is printed without a value."""

    element: Element
    label: str
    name: str
    values: list[Value]


@dataclass(slots=True)
class PlainGroup:
    """A group whose items are paragraphs of plain fields."""

    element: Element
    label: str
    name: str
    items: list[list[PlainField]]


def plain_block(element: Element, base: str | None) -> PlainField | PlainGroup | None:
    """The field of an element whose classes say that it is one, if it is plain. `base`: where relative links start from."""
    role = element.role
    if element.tag != "div" or role.part != "field" or role.name is None or role.name == BODY:
        return None
    content = _content(element.node)
    label = label_of(content[0]) if content else None
    if label is None:
        return None
    items = content[1:]
    if len(items) == 1 and _part(items[0]) == "items":
        items = _content(items[0])
        if not items:
            return None
    if group_table(label) is None:
        values = _values(items, base)
        if values is not None:
            return PlainField(element, label, role.name, values)
    elif not items:
        return PlainGroup(element, label, role.name, [])
    groups = None if role.text or is_instructions(label) else _groups(items, element, base)
    return PlainGroup(element, label, role.name, groups) if groups else None


def _values(items: list[LexborNode], base: str | None) -> list[Value] | None:
    values: list[Value] = []
    for item in items:
        value = _value(item, base) if _part(item) == "item" else None
        if value is None or (values and known(values[-1].text)):
            return None  # a value that is spelled like a label, with others after it, would count as one
        values.append(value)
    return values


def _groups(items: list[LexborNode], parent: Element, base: str | None) -> list[list[PlainField]] | None:
    """The fields of each item, where an item is one paragraph."""
    groups: list[list[PlainField]] = []
    for item in items:
        content = _content(item) if _part(item) == "item" else []
        if len(content) != 1 or _part(content[0]) != "paragraph":
            return None
        blocks = [plain_block(Element(node, parent), base) for node in _content(content[0])]
        fields = [block for block in blocks if isinstance(block, PlainField)]
        if not fields or len(fields) < len(blocks):
            return None
        groups.append(fields)
    return groups


def _content(node: LexborNode) -> list[LexborNode]:
    """The children without comments and blank text."""
    content: list[LexborNode] = []
    child = node.first_child
    while child is not None:
        tag = child.tag
        if tag != "-comment" and not (tag == "-text" and (child.text_content or "").isspace()):
            content.append(child)
        child = child.next
    return content


def _part(node: LexborNode) -> Part | None:
    """Which part of a field a `div` is, by its classes."""
    classes = node.attributes.get("class") if node.tag == "div" else None
    return role_of(classes).part if classes else None


def label_of(node: LexborNode) -> str | None:
    """The label that a node is by its class, where it is one short line."""
    label = _text(_content(node)) if _part(node) == "label" else None
    return label if label and len(label) <= _MAX_LABEL else None


def _text(content: list[LexborNode]) -> str | None:
    """The text of a node that holds nothing else, in one line; None where it holds more or a text that means more."""
    if len(content) != 1 or content[0].tag != "-text":
        return None
    text = one_line(content[0].text_content or "")
    return None if text.lower().startswith(NOTICE) else text


def _value(item: LexborNode, base: str | None) -> Value | None:
    """The value of an item: nothing, a text, the text of one link, time or paragraph, a range of times, or lines of text."""
    content = _content(item)
    if not content:
        return Value()
    if len(content) > 1:
        return _range(content) or _lines(item)
    inner = content[0]
    tag = inner.tag
    if tag == "-text":
        text = _text(content)
        return None if text is None else Value(text)
    if tag not in ("a", "time", "p") or not _is_silent(inner):
        return None
    text = _text(_content(inner))
    if not text:
        return None
    if tag == "a":
        return Value(text, absolute(inner.attributes.get("href"), base))
    return Value(text, None, _stamp(inner) or None) if tag == "time" else Value(text)


def _lines(item: LexborNode) -> Value | None:
    """Texts with line breaks between them."""
    pieces: list[str] = []
    breaks = 0
    for node in item.iter(include_text=True):
        if node.tag == "br" and _is_silent(node):
            breaks = min(2, breaks + 1)
        elif node.tag != "-text":
            return None
        elif line := one_line(node.text_content or ""):
            if pieces and not breaks:
                return None
            pieces += ["\n" * breaks if pieces else "", line]
            breaks = 0
    return Value("".join(pieces))


def _is_silent(node: LexborNode) -> bool:
    classes = node.attributes.get("class")
    return not classes or role_of(classes).silent


def _stamp(time: LexborNode) -> str:
    return (time.attributes.get("datetime") or time.attributes.get("content") or "").strip()


def _range(content: list[LexborNode]) -> Value | None:
    """Two times and the text between them."""
    if [node.tag for node in content] != ["time", "-text", "time"] or not all(map(_is_silent, content[::2])):
        return None
    start, between, end = _text(_content(content[0])), content[1].text_content or "", _text(_content(content[2]))
    dash = one_line(between)
    if not start or not dash or not end or not (between[0].isspace() and between[-1].isspace()):
        return None
    stamps = _stamp(content[0]), _stamp(content[2])
    return Value(f"{start} {dash} {end}", None, "/".join(stamps) if any(stamps) else None)
