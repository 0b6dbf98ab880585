"""Splits the content of an HTML page into blocks in page order, in any theme. How a field is recognized is in `patterns`.

`html` decides first which element contains the record; `rows` turns the blocks into the record's fields and sections.
"""

import re
from collections.abc import Iterator
from itertools import islice, takewhile

from parsers.items import items_of
from parsers.patterns import (
    FEW_OF_MANY,
    HEADINGS,
    Block,
    LabelPatterns,
    field_of,
    is_alike,
    is_help,
    is_other_entity,
    without_colon,
)
from parsers.registry import WORDS, group_table, label_of
from parsers.roles import BYLINE_FIELDS
from parsers.rows import PageRows, write_all
from parsers.tree import BLOCKS, Element, readable

TEXT_ELEMENTS = frozenset("p ul ol pre blockquote h1 h2 h3 h4 h5 h6 hr br figure address table".split())
_PROSE = TEXT_ELEMENTS - HEADINGS
_GROUPS, _GROUP_HEADINGS = frozenset(("details", "fieldset")), frozenset(("summary", "legend", "caption"))  # of fields
_MAX_HEADING = 150  # characters
_FEW_NODES, _FEW_CHILDREN = 60, 20  # furniture has few elements; larger ones are not checked, so that the time stays linear
_SERVICE_LINK = re.compile(WORDS["source"]["service_link"])


def read_content(root: Element, base: str | None) -> PageRows:
    """Returns all fields and sections below `root`. `base`: the page's address, for its relative links."""
    patterns = LabelPatterns()
    patterns.learn(root)
    content = root  # the element whose children are the body and the fields, inside any wrappers around all of them
    while not content.has_own_text():
        filled = [child for child in content.elements if child.filled and not is_other_entity(child)]
        only = filled[0] if len(filled) == 1 and filled[0].tag in ("div", "section", "main", "article") else None
        if only is None or only.role.field or only.source_field is not None:
            break
        content = only
    return write_all(list(_Scan(patterns).blocks(content)), patterns, base)


class _Scan:
    """Walks down from the content's root; yields its blocks in page order."""

    def __init__(self, patterns: LabelPatterns) -> None:
        self._patterns = patterns
        self._seen_known_label = False
        self._first = True
        self._container: dict[int, bool] = {}

    def blocks(self, element: Element) -> Iterator[Block]:
        """Yields the blocks of a container, child by child; prose between fields is one block, headings of groups are dropped."""
        loose: list[Element | str] = []
        content = element.content
        may_help = _is_group(element)  # the first text explains the group, unless it is a field
        index = 0
        while index < len(content):
            child = self._unwrap(node) if isinstance(node := content[index], Element) else node
            following = content[index + 1] if index + 1 < len(content) else None
            index += 1
            if not isinstance(child, Element):
                loose.append(child)
                self._first = False
                continue
            if child.source_field is not None and (block := self._field_at(child)):
                yield from _text_block(element, [] if may_help else loose, before_field=True)
                loose, may_help = [], False
                yield block
                continue
            is_empty = child.tag == "div" and not (child.filled or child.role.field)
            if is_empty or self._is_furniture(child) or child.tag in _GROUP_HEADINGS or self._is_above_all(child, content):
                continue
            may_be_loose = child.tag in TEXT_ELEMENTS or self._patterns.is_flat_label(child, following)
            is_field = not may_be_loose or self._is_field(child, after_known=self._seen_known_label)
            if not is_field and self._patterns.is_flat_label(child, following):
                end = self._end_of_values(content, index - 1)
                self._seen_known_label = self._seen_known_label or label_of(child.line()) is not None
                self._first = False
                found = [Block("field", element, without_colon(content[index:end]), child)]
                index = end
            elif not is_field:
                loose.append(child)
                self._first = self._first and child.tag in HEADINGS
                continue
            else:
                heads = _is_heading(child) and self._heads_fields(child, following)
                found = [] if heads else list(self._child_blocks(child))
                is_text = not child.role.classes and len(found) == 1 and found[0].kind == "text" and found[0].element is child
                if heads or (is_text and self._is_unwrapped(element)) or (not found and child.tag not in BLOCKS):
                    loose.append(child)
                    continue
            begins_fields = bool(found) and (found[0].kind == "field" or len(found) > 1)
            is_help = may_help and (begins_fields or (element.holds_field and self._patterns.classed))
            yield from _text_block(element, [] if is_help else loose, before_field=begins_fields)
            yield from found if begins_fields or not is_help else ()
            loose, may_help = [], may_help and not begins_fields
        yield from _text_block(element, loose, before_field=element.holds_fields)

    def _heads_fields(self, heading: Element, following: Element | str | None) -> bool:
        """Whether a heading is not a field itself, and fields follow it, or nothing."""
        if (only := heading.only) is not None and (heading.tag, only.tag, only.role.look) in self._patterns.learned:
            return False
        if not isinstance(following, Element):
            return following is None
        is_one = following.source_field or following.role.field or following.holds_fields
        return bool(is_one) or self._is_field(following, after_known=True)

    def _is_above_all(self, child: Element, content: list[Element | str]) -> bool:
        """Whether a child is a line with all of a group of fields below it. On a page without classes it may be a value."""
        below = content[1] if len(content) == 2 and content[0] is child and self._patterns.classed else None
        is_group = isinstance(below, Element) and below.known_inside > 1
        return is_group and child.line() is not None and not (child.role.field or child.role.item)

    def _is_unwrapped(self, element: Element) -> bool:
        """Whether texts above the fields in an element are a body without an element of its own, and not values of fields."""
        if self._seen_known_label or self._patterns.classed or self._patterns.beside_values is not None:
            return not self._seen_known_label
        content = element.content[:_FEW_NODES]
        before = takewhile(lambda one: isinstance(one, str) or not (one.source_field or one.holds_fields), content)
        return any(isinstance(one, Element) and one.tag in _PROSE for one in before)

    def _is_furniture(self, element: Element) -> bool:
        """Whether an element among the fields is not part of the record: comments, another record, links, menus, a picture."""
        role = element.role
        if is_other_entity(element) or is_help(element):
            return True
        if role.field:
            return role.aside or (element.role.name in BYLINE_FIELDS and not any(one.role.label for one in element.elements))
        if element.known_inside:  # not worth a closer look, as these are many
            return role.aside and element.tag in ("ul", "ol")  # as tabs that are named for a label
        table = element.parent
        if table is not None and element.tag in ("thead", "tr") and table.known_inside > 1 and table.content[0] is element:
            cells = element.elements  # the header of a table of labels and values, as "Field" and "Value"
            heads = [cell.tag == "th" or (cell.only is not None and cell.only.tag in ("b", "strong")) for cell in cells]
            if element.tag == "thead" or (len(cells) == 2 and all(heads)):
                return True
        is_box = element.source_field is None and element.tag in ("div", "section", "aside")
        if role.aside or (element.tag == "footer" and not element.holds_field):
            return True
        if is_box or element.tag in ("ul", "p"):  # links to log in, to comment or to print, as Drupal puts below a node
            links = [one for one in islice(element.walk(), _FEW_NODES) if isinstance(one, Element) and one.tag == "a"]
            to = [one.attribute("href") or "" for one in links]
            is_list = len(to) > 1 and all(one.startswith("#") for one in to) and len(items_of([element])) == len(to)
            if is_list or (any(map(_SERVICE_LINK.search, to)) and len(readable([element])) <= _MAX_HEADING):
                return True  # or a list of the parts of the page
        # or nothing but furniture inside, under a heading perhaps
        content = element.content if (is_box or element.tag in ("ul", "li")) and not element.has_own_text() else []
        if len(content) > _FEW_CHILDREN:
            return False
        parts = [child for child in content if isinstance(child, Element) and child.filled]
        rest = [child for child in parts if not (child.tag in HEADINGS or (child.role.heading and not child.role.field))]
        alone = bool(content) and self._seen_known_label  # a heading of nothing, unless it is a label
        return all(map(self._is_furniture, rest)) if rest else alone and not any(label_of(one.line()) for one in element.elements)

    def _unwrap(self, child: Element) -> Element:
        """Returns the element inside wrappers around one block, as layout builders put around each field."""
        while _is_block_container(child) and (inner := child.only) is not None and _is_block_container(inner):
            if self._is_furniture(child) or self._is_field(child, after_known=True):
                break
            child = inner
        return child

    def _field_at(self, child: Element) -> Block | None:
        """Returns the child as a field, if it is one, given what was read before it."""
        block = field_of(child, self._patterns, after_known=self._seen_known_label or not self._first or child.tag == "tr")
        if block is not None:
            self._first = False
            self._seen_known_label = self._seen_known_label or block.has_known_label
        return block

    def _child_blocks(self, child: Element) -> Iterator[Block]:
        """Yields the blocks of a child: the child if it is a field, those inside a container, or its text."""
        block, first = self._field_at(child), self._first
        self._first = False
        if block is not None:
            yield block
            return
        children = child.elements
        holds_values = not child.has_own_text() and all(_is_block_container(one) or one.tag in HEADINGS for one in children)
        if first:  # this may be the body, unless it begins with several blocks, the first with prose
            children = [one for one in children if one.filled]
            holds_values &= len(children) > 1 and any(one.tag in TEXT_ELEMENTS for one in children[0].elements)
        if self._is_container(child) or (children and holds_values and child.tag != "dl"):
            self._first = first
            yield from self.blocks(child)
        elif child.tag in BLOCKS:
            self._first = first and not child.filled
            yield from _text_block(child, [child])

    def _is_field(self, element: Element, *, after_known: bool) -> bool:
        wraps = element.tag in ("table", "ul", "ol", "p")
        return field_of(element, self._patterns, after_known=after_known) is not None or (wraps and self._is_container(element))

    def _is_container(self, element: Element) -> bool:
        """Whether an element only contains fields and further containers, or most of the known labels."""
        if id(element) not in self._container:
            may_hold = element.tag in BLOCKS and (element.holds_fields or _is_group(element))
            self._container[id(element)] = may_hold and self._is_mostly_fields(element)
        return self._container[id(element)]

    def _is_mostly_fields(self, element: Element) -> bool:
        is_beside = self._patterns.is_beside_values
        beside = sum(one.role.label or (is_beside(one) and label_of(one.line()) is not None) for one in element.elements)
        if beside > 1 or self._patterns.holds_most_labels(element) or (self._patterns.classed and element.holds_field):
            return True
        fields = prose = 0
        # the value of a label beside it, or the help text of a group, may be text without an element
        heads = helps = _is_group(element)
        has_label = False  # with its values beside it, which are all that follows
        for child, following in zip(element.content, [*element.content[1:], None], strict=False):
            if isinstance(child, str):
                prose += not heads
                continue
            labels = self._patterns.is_flat_label(child, following)
            helps = helps or child.tag in _GROUP_HEADINGS
            has_label = has_label or (labels and is_beside(child))
            if labels or self._is_field(child, after_known=True) or self._is_container(child):
                fields, helps = fields + 1, False
            elif child.tag in _PROSE and child.content and not (helps or has_label or self._is_furniture(child)):
                prose += 1
            heads = labels or helps or has_label
        return fields > prose * FEW_OF_MANY

    def _end_of_values(self, content: list[Element | str], start: int) -> int:
        """Returns where the values of a flat label end: before the next such label, a field, or a container."""
        label = content[start]
        assert isinstance(label, Element)
        for index in range(start + 1, len(content)):
            child = content[index]
            following = content[index + 1] if index + 1 < len(content) else None
            is_value = index == start + 1 and is_alike(child, label) and label.tag != "dt"
            if not is_value and self._patterns.is_flat_label(child, following):
                return index
            if not is_value and isinstance(child, Element) and self._is_furniture(child):
                return index
            if isinstance(child, Element) and (child.role.field or not (child.role.item or child.role.items)):
                block = field_of(child, self._patterns, after_known=True)
                if child.role.field or (block and (block.has_known_label or (block.label and block.label.role.label))):
                    return index
        return len(content)


def _is_group(element: Element) -> bool:
    """Whether an element is a group of fields with a heading, or the content below that heading or the button that opens it."""
    before = element.node.prev
    while before is not None and before.tag == "-text":
        before = before.prev
    opens = before is not None and (before.tag in (*_GROUP_HEADINGS, "button") or before.attributes.get("role") == "button")
    return element.tag in _GROUPS or opens


def _is_block_container(element: Element) -> bool:
    return element.tag in BLOCKS and element.tag not in TEXT_ELEMENTS


def _is_heading(element: Element) -> bool:
    """Whether an element is a short heading, as of a group of fields, by its tag or class; not if it is a field or its label."""
    if element.role.field or (len(element.content) > 1 and any(one.role.label for one in element.elements)):
        return False
    if label_of(element.line()) is not None and not group_table(element.line()):
        return False
    inner = element
    while inner.tag not in HEADINGS and inner.only is not None:
        inner = inner.only
    named = len(inner.elements) < 2 and (element.role.heading or inner.role.heading)
    named |= inner.tag in HEADINGS or (element.tag == "p" and inner.tag in ("strong", "b"))
    return inner.source_field is None and named and len(readable([element])) <= _MAX_HEADING


def _text_block(element: Element, nodes: list[Element | str], *, before_field: bool = False) -> Iterator[Block]:
    """Yields the nodes as a block of text if they have text. `before_field`: without the heading of the group after it."""
    kept = len(nodes)
    while before_field and kept:
        child = nodes[kept - 1]  # the name of a group may be text without an element
        if not (_is_heading(child) if isinstance(child, Element) else child.isspace() or group_table(child.strip("> \n"))):
            break
        kept -= 1
    if any(isinstance(node, Element) or not node.isspace() for node in nodes[:kept]):
        yield Block("text", element, nodes[:kept])
