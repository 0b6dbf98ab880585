"""The content of an HTML page to blocks in page order, whatever the theme. How a field is recognised is in `shape`.

`html` decides first which element holds the record; `rows` makes the record's fields and sections of the blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

from parsers.patterns import (
    HEADINGS,
    Block,
    Shapes,
    field_of,
    has_field_class,
    is_flat_label,
    is_item,
    is_other_entity,
    without_colon,
)
from parsers.registry import known
from parsers.rows import Content, write_all
from parsers.tree import BLOCKS, Element

LOOSE = frozenset("p ul ol pre blockquote h1 h2 h3 h4 h5 h6 hr br figure address table".split())
_LONG_LINE = 100


def read_content(root: Element, base: str | None) -> Content:
    """All fields and sections below `root`. `base`: the page's address, for its relative links."""
    shapes = Shapes()
    shapes.learn(root)
    blocks = list(_Scan(shapes).blocks(_content_of(root)))
    if all(block.kind == "text" for block in blocks):
        blocks = list(_text(root, [root]))
    return write_all(blocks, base)


def _content_of(root: Element) -> Element:
    """The element whose children are the body and the fields: wrappers around all of the content are looked through."""
    element = root
    while True:
        filled = [child for child in element.elements if child.filled]
        if element.has_own_text() or len(filled) != 1 or filled[0].tag not in ("div", "section", "main", "article"):
            break
        if has_field_class(filled[0]) or filled[0].source_field is not None:
            break
        element = filled[0]
    blocks = [child for child in element.elements if child.filled and child.tag in BLOCKS and child.tag not in LOOSE]
    return element if len(blocks) > 1 else root


class _Scan:
    """Walks down from the content's root and yields its blocks in page order."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._after_known = False
        self._first = True
        self._container: dict[int, bool] = {}

    def blocks(self, element: Element) -> Iterator[Block]:
        """The blocks of a container, its children in turn; prose that stands loose between fields is one block."""
        loose: list[Element | str] = []
        content = element.content
        index = 0
        while index < len(content):
            child = self._unwrapped(content[index])
            following = content[index + 1] if index + 1 < len(content) else None
            if (
                isinstance(child, Element)
                and is_flat_label(child, following, self._shapes)
                and not self._is_field(child, after_known=self._after_known)
            ):
                yield from _text(element, loose)
                loose = []
                end = self._end_of_run(content, index)
                self._saw(child)
                yield Block("field", element, without_colon(content[index + 1 : end]), child, None)
                index = end
                continue
            index += 1
            if not isinstance(child, Element) or (
                child.tag in LOOSE and not self._is_field(child, after_known=self._after_known)
            ):
                loose.append(child)
                self._first = False
                continue
            found = list(self._of_child(child))
            if not found and child.tag not in BLOCKS:
                loose.append(child)
                continue
            yield from _text(element, loose)
            loose = []
            yield from found
        yield from _text(element, loose)

    def _unwrapped(self, child: Element | str) -> Element | str:
        """Looks through wrappers around one block, as layout builders put around each field."""
        while isinstance(child, Element) and child.source_field is None and child.tag in BLOCKS and child.tag not in LOOSE:
            content = child.content
            inner = content[0] if len(content) == 1 else None
            if not isinstance(inner, Element) or inner.tag not in BLOCKS or inner.tag in LOOSE or is_other_entity(inner):
                break
            if self._is_field(child, after_known=True):
                break
            child = inner
        return child

    def _of_child(self, child: Element) -> Iterator[Block]:
        if is_other_entity(child):
            yield from _text(child, [child])
            return
        block = field_of(child, self._shapes, after_known=self._after_known or not self._first)
        first, self._first = self._first, False
        if block is not None:
            if block.source_field is not None:
                self._after_known = self._after_known or block.source_field.known is not None
            elif block.label is not None:
                self._saw(block.label)
            yield block
        elif first and (self._begins_with_prose(child) or self._quotes(child)):
            yield from _text(child, [child])
        elif self._is_container(child) or (holds_values(child) and (not first or _begins_with_body(child))):
            self._first = first
            yield from self.blocks(child)
        elif child.tag in BLOCKS:
            yield from _text(child, [child])

    def _saw(self, label: Element) -> None:
        self._after_known = self._after_known or known(label.line()) is not None

    def _is_field(self, element: Element, *, after_known: bool) -> bool:
        return field_of(element, self._shapes, after_known=after_known) is not None or (
            element.tag in ("table", "ul", "ol", "p") and self._is_container(element)
        )

    def _is_container(self, element: Element) -> bool:
        """Whether an element only holds fields and further containers, or is on the way to most of the known labels."""
        known_answer = self._container.get(id(element))
        if known_answer is None:
            known_answer = self._container[id(element)] = self._look_inside(element)
        return known_answer

    def _look_inside(self, element: Element) -> bool:
        if element.tag not in BLOCKS or not self._shapes.holds_fields(element):
            return False
        if self._shapes.is_main_road(element) or (self._shapes.classed and self._shapes.holds_classed_fields(element)):
            return True
        if element.has_own_text():
            return False
        fields = values = 0
        for child in element.elements:
            if self._is_field(child, after_known=True) or self._is_container(child):
                fields += 1
            elif child.tag in LOOSE and child.tag not in HEADINGS and child.content:
                return False
            else:
                values += child.tag not in HEADINGS and child.filled
        return fields > 0 and fields >= values

    def _begins_with_prose(self, element: Element) -> bool:
        """Whether the first block of a page without classes is its body, even if further down it looks like fields."""
        children = [child for child in element.elements if child.filled]
        if self._shapes.classed or element.has_own_text() or not children or not _is_sentence(children[0]):
            return False
        if not self._shapes.is_main_road(element):
            return True
        fields = sum(self._is_field(child, after_known=True) or self._is_container(child) for child in children)
        return sum(map(_is_sentence, children)) > fields

    def _quotes(self, element: Element) -> bool:
        """Whether every known label inside comes again further down: then this is a body that quotes the form."""
        if self._shapes.classed:
            return False
        inside = self._shapes.labels_inside(element)
        return bool(inside) and all(self._shapes.labels[label] > times for label, times in inside.items())

    def _end_of_run(self, content: list[Element | str], start: int) -> int:
        """Where the values of a flat label end: before the next label of its kind, a field, or a container."""
        label = content[start]
        assert isinstance(label, Element)
        index = start + 1
        while index < len(content):
            child = content[index]
            following = content[index + 1] if index + 1 < len(content) else None
            alike = isinstance(child, Element) and (child.tag, child.classes) == (label.tag, label.classes)
            value_position = index == start + 1 and alike and label.tag != "dt" and not _differs(content, start)
            if not value_position and is_flat_label(child, following, self._shapes):
                break
            if isinstance(child, Element) and has_field_class(child) and not is_item(child):
                break
            index += 1
        return index


def holds_values(element: Element) -> bool:
    """Whether an element holds nothing but blocks, as a wrapper around values without labels does; prose has more."""
    children = element.elements
    return not element.has_own_text() and bool(children) and all(_is_box(child) for child in children)


def _is_box(element: Element) -> bool:
    return element.tag in BLOCKS and (element.tag not in LOOSE or element.tag in HEADINGS)


def _begins_with_body(element: Element) -> bool:
    """Whether the first of several blocks inside is prose of paragraphs: then the body is that one, and not all of them."""
    blocks = [child for child in element.elements if child.filled]
    return len(blocks) > 1 and any(child.tag in LOOSE for child in blocks[0].elements)


def _is_sentence(element: Element) -> bool:
    """A line of prose, as bodies have and values mostly have not."""
    line = element.line()
    return line is not None and (len(line) > _LONG_LINE or line.endswith((".", "!", "?", ":"))) and known(line) is None


def _differs(content: list[Element | str], start: int) -> bool:
    """Whether the label at `start` looks unlike what follows it, so that a second one like it is the next label."""
    label, following = content[start], content[start + 1]
    if not isinstance(label, Element) or not isinstance(following, Element):
        return True
    return (label.tag, label.classes) != (following.tag, following.classes)


def _text(element: Element, nodes: list[Element | str]) -> Iterator[Block]:
    if any(isinstance(node, Element) or not node.isspace() for node in nodes):
        yield Block("text", element, list(nodes))
