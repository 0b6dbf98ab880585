"""The straight road: a page whose content is nothing but fields that say so by their classes, read field after field.

Most captures are like that, and reading them needs no evidence from the page as a whole. Whatever could be read in more than
one way is left to the general reader (`html.read_content`), which says the same of these pages too; tests/test_straight.py
holds both to it. `plain` reads the plain fields, `groups` and `rows` all others.
"""

from __future__ import annotations

from typing import NamedTuple

from selectolax.lexbor import LexborNode

from parsers.fields import LOOSE, holds_values
from parsers.head import BYLINE_FIELDS, TITLES, holds_notice, is_node_title
from parsers.plain import Plain, PlainField, instructions_before, instructions_field, label_of, read_plain
from parsers.registry import is_instructions, known
from parsers.repair import close_left_open
from parsers.roles import NONE, Role, role_of
from parsers.shape import UNTAUGHT, Block, field_of, is_opaque_field
from parsers.tree import BLOCKS, MAX_DEPTH, TRANSPARENT, Element, grow, is_dropped, readable
from parsers.urls import origin_of

_FIELDS = "div.field, div[class*='field--name-'], div[class*='field-name-']"
_WRAPPERS = ("div", "section", "main", "article")
_SPARE_LEVELS = 20
"""Levels below MAX_DEPTH; a field's own tree begins to count at the field, the page's at the record."""


class Road(NamedTuple):
    """A record whose fields stand side by side. `top`: the light tree around `holder`, whose children are the `blocks`."""

    top: Element
    holder: Element
    blocks: list[Block | Plain]

    def leads_on(self) -> bool:
        """Whether nothing stands around the fields once what belongs to the head is taken out of `top`."""
        element = self.top
        while element is not self.holder:
            filled = [child for child in element.elements if child is self.holder or child.content]
            if len(filled) != 1 or filled[0].tag not in _WRAPPERS or not filled[0].role.silent:
                return False
            element = filled[0]
        return True


def road(node: LexborNode, base: str | None) -> Road | None:
    """The straight road through the record below `node`, if there is one. `base`: where relative links start from."""
    first = node.css_first(_FIELDS)
    origin = origin_of(base) if base else None
    if first is None or first.parent is None or (base and origin is None):
        return None
    around = _around(node, first.parent)
    if around is None:
        return None
    blocks = _blocks(first.parent, origin)
    return Road(*around, blocks) if blocks else None


# --- around the fields ------------------------------------------------------------------------------------------------


def _around(node: LexborNode, parent: LexborNode) -> tuple[Element, Element] | None:
    """The light tree of the record without the fields, and the element in it that holds them; None where it has a say."""
    held: list[Element] = []

    def holds(element: Element) -> bool:
        if element.node.mem_id == parent.mem_id:
            held.append(element)
        return bool(held) and held[0] is element

    if parent.mem_id == node.mem_id:
        root = Element(node, None)
        return root, root
    root, reopened = grow(node, closed=holds)
    if reopened or not held or not _is_silent(held[0], root) or any(map(_is_field, root.descendants())):
        return None
    return root, held[0]


def _is_field(element: Element) -> bool:
    return element.role.field and element.role.name not in BYLINE_FIELDS


def _is_silent(holder: Element, root: Element) -> bool:
    """Whether no text and no class of the elements around the fields can be part of a field or of the line of the head."""
    element: Element | None = holder
    while element is not None:
        inline = element not in (holder, root) and any(child.tag not in BLOCKS for child in element.elements)
        if element.has_own_text() or inline or not (element is root or element.role.silent):
            return False
        element = element.parent
    return True


# --- the fields -------------------------------------------------------------------------------------------------------


def _blocks(holder: LexborNode, origin: str | None) -> list[Block | Plain]:
    """The fields and what stands among them; nothing where they do not come first, or can be read in more than one way."""
    blocks: list[Block | Plain] = []
    fields = 0
    node = holder.first_child
    while node is not None:
        tag = node.tag
        if tag == "-text":
            if not (node.text_content or "").isspace():
                return []
        elif tag in TRANSPARENT:
            return []
        elif tag is not None and not is_dropped(tag):
            source = node.html or "" if tag == "div" else ""
            block = instructions_before(source) or read_plain(source, origin) or _other(node, source)
            if block is None:
                return []
            if not isinstance(block, Role):
                fields += not isinstance(block, Block) or block.kind == "field"
                blocks.append(block)
                if not fields:
                    return []
        node = node.next
    return blocks if fields > 1 else []


def _other(node: LexborNode, source: str) -> Block | Plain | Role | None:
    """What is no plain field: another field, or text of its own; its role where readers never see it; None where it has a say."""
    classes = node.attributes.get("class")
    role = role_of(classes) if classes else NONE
    if role.skipped:
        return role
    if node.tag != "div" or role.name in BYLINE_FIELDS:
        return None  # another kind of element may be a label
    if role.field:
        return _instructions(node, role, source) or _block(node, role)
    aside, reopened = grow(node)
    return Block("text", aside, [aside]) if not reopened and _is_aside(aside) and not holds_notice(node.text()) else None


def _is_aside(element: Element) -> bool:
    """Whether an element among the fields is text of its own, such as the links below a node: no field, label or wrapper."""
    content = element.content
    first = content[0] if content else None
    if holds_values(element) or (isinstance(first, Element) and first.line() is not None):
        return False
    if len(content) == 1 and isinstance(first, Element) and first.tag in BLOCKS and first.tag not in LOOSE:
        return False
    return element.line() is None and all(map(_says_nothing, [element, *element.descendants()]))


def _says_nothing(element: Element) -> bool:
    silent = element.role.silent and element.edit_id is None and element.tag not in ("article", "dt", *TITLES)
    return silent and known(element.line()) is None


def _instructions(node: LexborNode, role: Role, source: str) -> PlainField | None:
    """A section of the form's fixed instructions, which stand on page after page and are read once; None for anything else."""
    named = label_of(source)
    if named is None or not is_instructions(named[0]):
        return None
    block = _block(node, role)
    if block is None or block.label is None or block.name != role.name:
        return None
    return instructions_field(source, *named, readable(block.values))


def _block(node: LexborNode, role: Role) -> Block | None:
    """The block of a field that is not plain, if the rest of the page has no say in how it is read."""
    if role.name is None or holds_notice(node.text()):
        return None
    element, reopened = grow(node)
    inside = element.descendants()
    if not all(inner.role.silent for inner in inside):
        close_left_open(element)
        inside = element.descendants()
    if reopened or not _is_closed_in_itself(element, inside):
        return None
    block = field_of(element, UNTAUGHT, after_known=False)
    if block is None or (block.label is None and any(child.role.label for child in element.elements)):
        return None
    return block if block.label is None or block.label.role.label else None


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
    return not (inner.tag in TITLES and is_node_title(inner))


def _labels_by_class(element: Element) -> bool:
    """Whether every line inside that is spelled like a label is one by its class: then it teaches no other shape."""
    labels = (child for child in element.content[:-1] if isinstance(child, Element) and known(child.line()) is not None)
    return all(element.role.field and child.role.part == "label" and not child.elements for child in labels)
