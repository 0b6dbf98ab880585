"""The straight road: a page whose content is nothing but fields that say so by their classes, read field after field.

Most captures are like that, and reading them needs no evidence from the page as a whole. Whatever could be read in more than
one way is left to the general reader (`html.read_content`), which says the same of these pages too; tests/test_straight.py
holds both to it. `plain` reads the plain fields, `groups` and `html` all others.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from parsers.head import BYLINE_FIELDS, NOTICE, is_node_title
from parsers.html import LOOSE, Content, holds_values, write_all
from parsers.labels import is_instructions, known
from parsers.plain import PlainField, PlainGroup, label_of, plain_block
from parsers.repair import close_left_open
from parsers.shape import UNTAUGHT, Block, field_of, is_opaque_field
from parsers.tree import BLOCKS, MAX_DEPTH, Element, grow, one_line, readable, unwrap_formatting
from parsers.value import Value

_WRAPPERS = ("div", "section", "main", "article")
_MAX_SOURCE = 10_000
"""Characters; the longest instructions seen have 3,000."""
_SPARE_LEVELS = 20
"""Levels below MAX_DEPTH; a field's own tree begins to count at the field, the page's at the record."""


class Closed(NamedTuple):
    """The light tree of a record with its fields closed, which is quickly made. `straight`: whether the road can be."""

    root: Element
    fields: list[Element]
    straight: bool


def close(node: LexborNode) -> Closed:
    """The tree below (and with) a record's node. Where no field says by its class that it is one, it is `tree.build`'s."""
    fields: list[Element] = []
    root, reopened = grow(node, closed=partial(_closes, fields))
    if reopened and not fields:
        unwrap_formatting(root)
    return Closed(root, fields, not reopened and _stand_side_by_side(fields, root))


def _closes(fields: list[Element], element: Element) -> bool:
    is_field = element.role.field and element.role.name not in BYLINE_FIELDS
    if is_field:
        fields.append(element)
    return is_field


def _stand_side_by_side(fields: list[Element], root: Element) -> bool:
    """Whether the fields have one parent, in which they come first, and no text above can be a line of the head around them."""
    parent = fields[0].parent if fields else None
    if parent is None or parent.elements[0] is not fields[0] or any(field.parent is not parent for field in fields):
        return False
    element: Element | None = parent
    while element is not None:
        inline = element not in (parent, root) and any(child.tag not in BLOCKS for child in element.elements)
        if element.has_own_text() or inline or not (element is root or element.role.silent):
            return False
        element = element.parent
    return True


def read_straight(root: Element, base: str | None) -> Content | None:
    """Fields and sections below the root of a closed tree, once its head is taken out; None where the road is not straight."""
    blocks: list[Block | PlainField | PlainGroup] = []
    for element in _content_of(root):
        if element.closed:
            block = plain_block(element, base) or _instructions(element) or _block(element)
        else:
            block = Block("text", element, [element]) if _is_aside(element) else None
        if block is None:
            return None
        blocks.append(block)
    return write_all(blocks, base) if blocks else None


def _content_of(root: Element) -> list[Element]:
    """The fields and what stands among them, wrappers looked through; nothing where the root holds anything besides."""
    element = root
    while True:
        filled = [child for child in element.elements if child.closed or child.content]
        if element.has_own_text() or not filled:
            return []
        if sum(child.closed for child in filled) > 1:
            return element.elements
        if len(filled) > 1 or filled[0].tag not in _WRAPPERS or not filled[0].role.silent:
            return []
        element = filled[0]


def _is_aside(element: Element) -> bool:
    """Whether an element among the fields is text of its own, such as the links below a node: no field, label or wrapper."""
    content = element.content
    first = content[0] if content else None
    if element.tag != "div" or holds_values(element) or (isinstance(first, Element) and first.line() is not None):
        return False
    if len(content) == 1 and isinstance(first, Element) and first.tag in BLOCKS and first.tag not in LOOSE:
        return False
    parts = [element, *(inner for inner in element.walk() if isinstance(inner, Element))]
    return element.line() is None and all(map(_says_nothing, parts))


def _says_nothing(element: Element) -> bool:
    silent = element.role.silent and element.edit_id is None and element.tag not in ("article", "dt")
    return silent and known(element.line()) is None


_instruction_texts: dict[str, str] = {}
_MAX_TEXTS = 256


def _instructions(closed: Element) -> PlainField | None:
    """A section of the form's fixed instructions, which stand on page after page and are read once; None for anything else."""
    first = next((node for node in closed.node.iter() if node.tag == "div"), None)
    label = label_of(first) if first is not None else None
    if label is None or closed.role.name is None or not is_instructions(label):
        return None
    source = closed.node.html or ""
    text = _instruction_texts.get(source)
    if text is None:
        block = _block(closed)
        if block is None or block.label is None or block.name != closed.role.name:
            return None
        text = readable(block.values)
        if len(_instruction_texts) < _MAX_TEXTS and len(source) <= _MAX_SOURCE:
            _instruction_texts[source] = text
    return PlainField(closed, label, closed.role.name, [Value(text)])


def _block(closed: Element) -> Block | None:
    """The block of a field that is not plain, if the rest of the page has no say in how it is read."""
    if closed.tag != "div" or closed.role.name is None or _holds_notice(closed.node.text()):
        return None  # another kind of element may be a label; the notice is taken out of the content
    element, reopened = grow(closed.node)
    inside = [node for node in element.walk() if isinstance(node, Element)]
    if not all(inner.role.silent for inner in inside):
        close_left_open(element)
        inside = [node for node in element.walk() if isinstance(node, Element)]
    if reopened or not _is_closed_in_itself(element, inside):
        return None
    block = field_of(element, UNTAUGHT, after_known=False)
    if block is None or (block.label is None and any(child.role.label for child in element.elements)):
        return None
    return block if block.label is None or block.label.role.label else None


def _holds_notice(text: str) -> bool:
    return "construction" in text.lower() and NOTICE in one_line(text).lower()


def _is_closed_in_itself(element: Element, inside: list[Element]) -> bool:
    """Whether nothing in a field belongs after it, and nothing in it teaches how other fields are to be read."""
    role = element.role
    swallowed = any(child.role.field or ((role.item or role.items) and child.role.item) for child in element.elements)
    if role.label or role.other or swallowed or known(element.line()) is not None:
        return False
    return all(map(_is_ordinary, inside)) and (is_opaque_field(element) or all(map(_labels_by_class, [element, *inside])))


def _is_ordinary(inner: Element) -> bool:
    if inner.depth > MAX_DEPTH - _SPARE_LEVELS or inner.role.name == "body":
        return False
    return not (inner.tag in ("h1", "h2", "h3") and is_node_title(inner))


def _labels_by_class(element: Element) -> bool:
    """Whether every line inside that is spelled like a label is one by its class: then it teaches no other shape."""
    labels = (child for child in element.content[:-1] if isinstance(child, Element) and known(child.line()) is not None)
    return all(element.role.field and child.role.part == "label" and not child.elements for child in labels)
