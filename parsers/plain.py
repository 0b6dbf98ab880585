"""Plain fields: a label and values of one text, link or time each, as Drupal's themes print most of a record's fields.

They are read at once from the page's own nodes. A field that is anything more is not plain: `html` reads it by its shape, and
would read a plain one as the same (tests/test_straight.py holds this).
"""

from __future__ import annotations

from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from parsers.head import NOTICE
from parsers.labels import group_table, known
from parsers.roles import role_of
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


def plain_field(element: Element, base: str | None) -> PlainField | None:
    """The field of an element whose classes say that it is one, if it is plain. `base`: where relative links start from."""
    role = element.role
    if element.tag != "div" or role.name is None or role.part != "field":
        return None
    content = _content(element.node)
    label = _label(content[0]) if content else None
    if label is None:
        return None
    items = content[1:]
    if len(items) == 1 and _part(items[0]) == "items":
        items = _content(items[0])
        if not items:
            return None
    values: list[Value] = []
    for item in items:
        value = _value(item, base)
        if value is None:
            return None
        values.append(value)
    if any(known(value.text) for value in values[:-1]):
        return None  # a value that is spelled like a label, with others after it
    return PlainField(element, label, role.name, values)


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


def _part(node: LexborNode) -> str | None:
    """Which part of a field a `div` is, by its classes."""
    classes = node.attributes.get("class") if node.tag == "div" else None
    return role_of(classes).part if classes else None


def _label(node: LexborNode) -> str | None:
    if _part(node) != "label":
        return None
    label = _text(_content(node))
    return label if label and len(label) <= _MAX_LABEL and group_table(label) is None else None


def _text(content: list[LexborNode]) -> str | None:
    """The text of a node that holds nothing else, in one line; None where it holds more or a text that means more."""
    if len(content) != 1 or content[0].tag != "-text":
        return None
    text = one_line(content[0].text_content or "")
    return None if text.lower().startswith(NOTICE) else text


def _value(item: LexborNode, base: str | None) -> Value | None:
    """The value of an item: nothing, a text, or the text of one link, time or paragraph."""
    if _part(item) != "item":
        return None
    content = _content(item)
    if not content:
        return Value()
    inner = content[0]
    tag = inner.tag
    if tag == "-text":
        text = _text(content)
        return None if text is None else Value(text)
    if len(content) > 1 or tag not in ("a", "time", "p"):
        return None
    attributes = inner.attributes
    text = _text(_content(inner))
    classes = attributes.get("class")
    if not text or (classes and not role_of(classes).silent):
        return None
    if tag == "a":
        return Value(text, absolute(attributes.get("href"), base))
    if tag == "time":
        return Value(text, None, (attributes.get("datetime") or attributes.get("content") or "").strip() or None)
    return Value(text)
