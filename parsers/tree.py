"""The page's elements as a light tree: what carries no content is gone, depth and size are bounded, order is the page's.

selectolax parses; `html` reads fields out of this tree. Text is rendered here too, because only the tree knows what is a block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborNode

from parsers.record import Value
from parsers.registry import WORDS, Label
from parsers.roles import NONE, Role, role_of

_MAX_LINE = 400  # characters of a line that may be a label; the longest label of the registry has 95
MAX_DEPTH = 120  # levels; Drupal pages seen have at most 40. Deeper elements are children of the last level, so no text is lost
SKIPPED, TRANSPARENT, _FORMATTING, BLOCKS, SPACED = (frozenset(tags.split()) for tags in WORDS["elements"].values())
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 dt".split())
_ENDS_LINE = BLOCKS - {"dt"} | {"br", "a", "time", "img"}  # a label may be a `dt` in a wrapper
CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])  # control characters, removed by `str.translate`


@dataclass(frozen=True, slots=True)
class SourceField:
    """An element read as a field. `values`: those with text, or one empty value if there are none.

    `pattern`: as in `patterns.Pattern`. `known`: the registry's entry for its label. `alone`: nothing follows the label.
    `opens_section`: it contains instructions.
    """

    label: str
    name: str | None
    pattern: tuple[str, str, tuple[str, ...]]
    values: tuple[Value, ...]
    known: Label | None
    alone: bool
    opens_section: bool


class Element:
    """One element: tag, classes, children in page order (elements and raw text). `node` leads back to the page.

    `patterns` sets `known_inside`, the number of known labels inside, and `holds_field`, whether fields with classes are inside.
    """

    __slots__ = (
        *("_content", "_line", "children", "depth", "has_attributes", "holds_field", "known_inside"),
        *("node", "parent", "role", "source_field", "tag"),
    )

    def __init__(self, node: LexborNode, parent: Element | None, tag: str) -> None:
        self.tag = tag
        self.node = node
        self.parent = parent
        self.children: list[Element | str]
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.source_field: SourceField | None = None
        self.role: Role = NONE
        self._content: list[Element | str] | None = None
        self._line: str | bool | None = False
        self.known_inside = 0
        self.holds_field = False
        attributes = node.attributes
        self.has_attributes = bool(attributes)
        if attributes and (classes := attributes.get("class")):
            self.role = role_of(classes)

    def attribute(self, name: str) -> str | None:
        return self.node.attributes.get(name)

    @property
    def elements(self) -> list[Element]:
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def content(self) -> list[Element | str]:
        """The children without blank text; not to be changed."""
        if self._content is None:
            self._content = [child for child in self.children if isinstance(child, Element) or not child.isspace()]
        return self._content

    @property
    def only(self) -> Element | None:
        """The element that is all of its content; of a source field none, as that is not built for it."""
        content = self.content if self.source_field is None else ()
        return content[0] if len(content) == 1 and isinstance(content[0], Element) else None

    @property
    def filled(self) -> bool:
        """Whether it contains anything besides blank text."""
        return self.source_field is not None or bool(self.content)

    @property
    def holds_fields(self) -> bool:
        return self.holds_field or self.known_inside > 0

    @property
    def is_plain_text(self) -> bool:
        """Whether it contains one text and nothing else, and neither classes nor anything else say what it is."""
        plain = not self.role.look and self.tag != "article"
        return plain and len(self.children) == 1 and isinstance(self.children[0], str)

    def has_own_text(self) -> bool:
        return any(isinstance(child, str) for child in self.content)

    def line(self) -> str | None:
        """Its text where it is a single line without blocks, links or line breaks, as a label is; None otherwise."""
        if self._line is not False:
            return self._line  # type: ignore[return-value]
        heading = self.only if self.tag == "header" else None
        text = (heading or self).text_of_line("") if self.source_field is None else None
        text = one_line(text) if text else None
        self._line = text if text and len(text) <= _MAX_LINE else None
        return self._line

    def text_of_line(self, before: str) -> str | None:
        """Returns `before`, which precedes it, and its own text; None if a line ends inside, or it is too long."""
        text = before
        for child in self.children:
            if isinstance(child, str):
                text += child
                continue
            ends = child.tag in _ENDS_LINE and (child.tag != "a" or child.children)  # an anchor before a label is empty
            longer = None if ends else child.text_of_line(text)
            if longer is None:
                return None
            text = longer
        return text if len(text) <= 4 * _MAX_LINE else None

    def replace(self, children: list[Element | str]) -> None:
        """Puts other children in the place of its own."""
        self.children, self._content, self._line = children, None, False

    def detach(self) -> None:
        """Takes the element out of its parent, so that it is not read again."""
        if self.parent is not None:
            self.parent.replace([child for child in self.parent.children if child is not self])

    def walk(self) -> Iterator[Element | str]:
        """Yields all that is inside, in page order."""
        stack: list[Element | str] = self.children[::-1]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, Element):
                stack.extend(reversed(node.children))

    def descendants(self) -> list[Element]:
        """Returns the elements inside, in page order."""
        return [node for node in self.walk() if isinstance(node, Element)]

    def built(self) -> list[Element]:
        """Returns the elements inside, in page order, without those inside source fields."""
        found: list[Element] = []
        for child in self.elements:
            found.append(child)
            if child.source_field is None:
                found += child.built()
        return found


class UnbuiltField(Element):
    """A plain field, read from its source; children are built if asked for. Others lack `__getattr__`, which slows attributes."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> list[Element | str]:
            """Builds the children when they are first asked for; no other attribute is ever missing."""
            if name != "children":
                raise AttributeError(name)
            self.children = []
            _build_children(self, [], read=None)
            return self.children


SourceReader = Callable[[Element], SourceField | None]


def build(node: LexborNode, elements: list[Element] | None = None, *, read: SourceReader | None = None) -> Element:
    """Builds a light tree from a node of the parsed page. `elements`: a list to which those built below are added, in order.

    `read`: returns the plain field that an element is, if it is one; what is inside is not built.
    """
    root = Element(node, None, node.tag or "")
    root.children = []
    elements = [] if elements is None else elements
    if not _build_children(root, elements, read=read):
        return root
    for element in [*reversed(root.built()), root]:  # emphasis that was never closed and surrounds blocks is taken out
        if element.source_field is not None:
            continue
        children: list[Element | str] = []
        for child in element.children:
            children.append(child)
            if isinstance(child, Element) and child.tag in _FORMATTING and not child.role.classes:
                inside = child.elements
                is_link = child.tag == "a" and (only := child.only) is not None and (only.role.item or only.tag not in BLOCKS)
                if not child.content or (not is_link and any(map(_is_structure, inside))):
                    children[-1:] = child.children
        for moved in children:
            if isinstance(moved, Element):
                moved.parent = element
        element.replace(children)
    elements[:] = root.built()
    return root


def _is_structure(element: Element) -> bool:
    """Whether an element is what emphasis or a link contains only where it was never closed."""
    return element.tag in BLOCKS or element.role.field or element.role.item or element.role.items


def _build_children(root: Element, elements: list[Element], *, read: SourceReader | None) -> bool:
    """Fills in the children of `root`; whether emphasis that was never closed surrounds blocks among them."""
    reopened = False
    pending: list[tuple[LexborNode | None, Element]] = [(root.node.first_child, root)]
    while pending:
        current, parent = pending.pop()
        children = parent.children
        while current is not None:
            tag = current.tag
            if tag == "-text":
                children.append(current.text_content or "")
                current = current.next
                continue
            below, into = None, parent
            if tag in TRANSPARENT or (tag == "button" and parent.tag in _HEADINGS):  # opens what the heading is of
                below = current.first_child
            elif tag == "i" and current.first_child is None:
                pass  # an icon
            elif tag is not None and tag not in SKIPPED and not tag.startswith(("-", "!")):
                element = Element(current, parent, tag)
                if not element.role.skipped:
                    reopened = reopened or (parent.tag in _FORMATTING and _is_structure(element))
                    children.append(element)
                    elements.append(element)
                    if read is not None and tag == "div" and (found := read(element)) is not None:
                        element.source_field = found
                        element.__class__ = UnbuiltField
                    else:
                        element.children = []
                        into = element if element.depth < MAX_DEPTH else parent
                        below = current.first_child
            if below is None:
                current = current.next
            else:
                pending.append((current.next, parent))
                current, parent = below, into
                children = parent.children
    return reopened


def one_line(text: str) -> str:
    """Returns the text with each run of white space as one space, none around, and no invisible characters."""
    plain = " ".join(text.split())
    return plain if plain.isprintable() else " ".join(plain.translate(CONTROLS).split())


def readable(nodes: Iterable[Element | str]) -> str:
    """Returns nodes as readable text: line breaks, paragraphs, bullets and numbers of lists, tabs between a table's cells."""
    nodes = list(nodes)
    if len(nodes) == 1 and isinstance(only := nodes[0], Element) and only.tag != "pre" and (line := only.line()):
        return line
    text = _marked_text(nodes, 0)
    while "  " in text:
        text = text.replace("  ", " ")
    text = _BREAKS.sub(_line_breaks, text).replace(" \n", "\n")
    return text.replace(f"{_KEPT_SPACE} ", " ").replace(_KEPT_SPACE, " ").strip()


_LINE, _PARAGRAPH, _BREAK, _KEPT_SPACE = "\x1e\f\v\x1f"
"""Marks in a text under construction: a new line, a blank line, a `br`, a space that is kept. `one_line` leaves none."""
_BREAKS = re.compile(f"[{_LINE}{_PARAGRAPH}{_BREAK}][{_LINE}{_PARAGRAPH}{_BREAK} ]*")


def _line_breaks(found: re.Match[str]) -> str:
    """Returns at most one blank line between blocks; every `br` is one more line break."""
    breaks = 0
    for mark in found[0] if _BREAK in found[0] else ():
        breaks = max(breaks, mark == _LINE, 2 * (mark == _PARAGRAPH), min(2, breaks + (mark == _BREAK)))
    return "\n" * (breaks or 1 + (_PARAGRAPH in found[0]))


def _marked_text(nodes: Iterable[Element | str], indent: int) -> str:
    """Returns nodes as text with the marks above. `indent`: how many lists they are in."""
    text = ""
    for node in nodes:
        if isinstance(node, str):
            seen = "" if node.isspace() else one_line(node)
            text += f"{' ' * node[0].isspace()}{seen}{' ' * node[-1].isspace()}" if seen else " " * bool(node)
        elif node.tag == "br":
            text += _BREAK
        elif node.tag == "pre":
            lines = "".join(piece for piece in node.walk() if isinstance(piece, str)).splitlines()
            text += _PARAGRAPH + "".join(one_line(line) + _BREAK for line in lines) + _PARAGRAPH
        elif node.tag in ("ul", "ol"):
            gap = _LINE if indent else _PARAGRAPH
            text += gap + _marked_list(node, indent) + gap
        elif node.tag == "tr":
            cells = [cell.line() or one_line(readable(cell.children)) for cell in node.elements]
            text += _LINE + "\t".join(cells if any(cells) else ()) + _LINE
        elif node.tag in BLOCKS:
            gap = _PARAGRAPH if node.tag in SPACED and not indent else _LINE
            text += gap + _marked_text(node.children, indent) + gap
        else:
            text += _marked_text(node.children, indent)
    return text


def _marked_list(node: Element, indent: int) -> str:
    text, number = "", 0
    for child in node.children:
        if not isinstance(child, Element) or child.tag != "li":
            text += _marked_text([child], indent + 1)
            continue
        number += 1
        first = child.content[0] if child.content else None
        if isinstance(first, Element) and first.tag in ("p", "div"):  # its first paragraph is on the line of the bullet
            inside = _marked_text([*first.children, *child.content[1:]], indent + 1)
        else:
            inside = _marked_text(child.children, indent + 1)
        if _BREAKS.sub("", inside).strip():
            mark = f"{number}." if node.tag == "ol" else "•"
            text += _LINE + 2 * indent * _KEPT_SPACE + mark + _KEPT_SPACE + inside
    return text
