"""Plain fields of pages without classes: a `div` each, in it a `div` with the label and a `div` with the values.

They are read from their source, as `plain` reads fields with classes. But nothing on them says that they are fields: that is for
the general reader (`html.read_closed`) to find by the labels of the whole page, and all this spares it is to walk through them.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

from parsers.cache import MAX_SOURCE, cached_source
from parsers.head import NOTICE
from parsers.items import Value
from parsers.plain import (
    Plain,
    PlainField,
    PlainGroup,
    instructions_before,
    instructions_field,
    plain_field,
    text_of,
    value_of,
)
from parsers.registry import group_table, is_instructions, is_member, known
from parsers.tree import BLOCKS, MAX_DEPTH, Element, build, grow, one_line, readable, unwrap_formatting
from parsers.urls import origin_of

_NAMED = ".field, [class*='field--name-'], [class*='field--type-'], [class*='field-name-'], [data-quickedit-field-id]"
_MAX_LABEL = 300
_MAX_LEVEL = MAX_DEPTH - 20
_BOXES = frozenset("div section main article body fieldset details".split())
_PROSE = frozenset("div p br ol ul li strong em b i a".split())

_LEAF = r"<div>[^<]*+(?:<(?!/?div\b)[^<]*+)*+</div>"
_VALUES = rf"(?:{_LEAF}|<div>(?:\s*+{_LEAF})++\s*+</div>)"
_FIELD = re.compile(rf"<div>\s*+<div>([^<]*+)</div>\s*+({_VALUES})?\s*+</div>")
_PART = rf"<div>\s*+<div>[^<]*+</div>\s*+{_VALUES}?+\s*+</div>"
_ITEM = rf"<div>\s*+<div>\s*+(?:{_PART}\s*+)++</div>\s*+</div>"
_GROUP = re.compile(rf"<div>\s*+<div>([^<]*+)</div>\s*+<div>\s*+((?:{_ITEM}\s*+)++)</div>\s*+</div>")
_ONE_LEAF, _ONE_PART, _ONE_ITEM = map(re.compile, (_LEAF, _PART, _ITEM))
_TAG = len("<div>")


class Closed:
    """The light tree of a record with its plain fields closed. `fields`: each as read, by the `id` of its element."""

    def __init__(self, node: LexborNode, origin: str | None) -> None:
        self.fields: dict[int, Plain] = {}
        self._origin = origin
        self._beside: Element | None = None
        self.root, self._reopened = grow(node, closed=self._closes)

    def _closes(self, element: Element) -> bool:
        """Closes what has a label of the registry, and whatever has the same shape and stands beside the last one that had."""
        node = element.node
        if not _is_bare(node) or element.depth > _MAX_LEVEL:
            return False
        if element.parent is not self._beside and not _begins_with_known(node):
            return False
        source = node.html or ""
        field = instructions_before(source) or _read_bare(source, self._origin) or _instructions(node, source)
        if field is None:
            return False
        self._beside = element.parent
        self.fields[id(element)] = field
        return True

    def stands_clear(self) -> bool:
        """Whether there are fields, and nothing around makes them part of a title, a byline, a notice or emphasis left open."""
        around: dict[int, Element] = {}
        for element in self.root.descendants():
            above = element.parent if element.closed else None
            while above is not None and id(above) not in around:
                around[id(above)] = above
                above = above.parent
        return bool(around) and not self._reopened and all(map(self._is_box, around.values()))

    def _is_box(self, element: Element) -> bool:
        return element is self.root or (element.tag in _BOXES and all(map(_is_block, element.content)))

    def whole(self) -> Element:
        """The tree with nothing closed, as `tree.build` makes it."""
        if self.fields:
            return build(self.root.node)
        if self._reopened:
            unwrap_formatting(self.root)
        return self.root


def close_bare(node: LexborNode, base: str | None) -> Closed | None:
    """The tree below (and with) a record's node; None where classes may say what is a field. `base`: where links start from."""
    origin = origin_of(base) if base else None
    if (base and origin is None) or node.css_first(_NAMED) is not None:
        return None
    return Closed(node, origin)


def _is_block(child: Element | str) -> bool:
    return isinstance(child, Element) and child.tag in BLOCKS


# --- by nodes ---------------------------------------------------------------------------------------------------------


def _is_bare(node: LexborNode) -> bool:
    return node.tag == "div" and not node.attributes


def _first_bare(node: LexborNode | None) -> LexborNode | None:
    """The node or the first one beside it that is not blank text, if that is a bare `div`."""
    while node is not None and node.tag == "-text" and (node.text_content or "").isspace():
        node = node.next
    return node if node is not None and _is_bare(node) else None


def _begins_with_known(node: LexborNode) -> bool:
    first = _first_bare(node.first_child)
    inner = first.first_child if first is not None else None
    return inner is not None and inner.tag == "-text" and known(one_line(inner.text_content or "")) is not None


def _instructions(node: LexborNode, source: str) -> PlainField | None:
    """A section of the form's fixed instructions, which stand on page after page and are read once; None for anything else."""
    first = _first_bare(node.first_child)
    second = _first_bare(first.next) if first is not None else None
    label = _label_of(first.inner_html or "") if first is not None else None
    if second is None or label is None or not is_instructions(label) or len(source) > MAX_SOURCE:
        return None
    after = second.next
    text = _prose(second) if after is None or (after.next is None and (after.text_content or "").isspace()) else None
    if text is None:
        return None
    return instructions_field(source, label, None, text)


def _prose(node: LexborNode) -> str | None:
    """The text of a value, if nothing in it can be anything but prose."""
    root, reopened = grow(node)
    inside = [root, *root.descendants()]
    plain = all(inner.tag in _PROSE and inner.role.silent and not _means_more(inner.line()) for inner in inside)
    return readable([root]) if plain and not reopened else None


def _means_more(line: str | None) -> bool:
    return line is not None and (known(line) is not None or line.lower().startswith(NOTICE))


# --- by source --------------------------------------------------------------------------------------------------------


@cached_source
def _read_bare(source: str, origin: str | None) -> Plain | None:
    """The field that a source has the shape of, if its label and values are plain. `origin`: where links start from."""
    found = _FIELD.fullmatch(source)
    if found is None:
        return _read_group(source, origin)
    label = _label_of(found[1])
    values = _values(found[2], origin) if found[2] and label and group_table(label) is None else None
    if not label or values is None or (len(values) > 1 and is_instructions(label)):
        return None  # several values of instructions are one text
    return plain_field(label, None, values)


def _label_of(source: str) -> str | None:
    """The label that a text is, if it can be one."""
    return text_of(source) if len(source) <= _MAX_LABEL and "<" not in source else None


def _values(source: str, origin: str | None) -> list[Value] | None:
    """The values in a field's second `div`: of each of the `div`s in it, or of itself; None where one is not plain."""
    inside = source[_TAG : -_TAG - 1]
    items = _ONE_LEAF.findall(inside)
    values: list[Value] = []
    for item in [one[_TAG : -_TAG - 1] for one in items] or [inside]:
        value = value_of(item, origin)
        if value is None or known(value.text):
            return None  # what is spelled like a label may be one
        values.append(value)
    return values


def _read_group(source: str, origin: str | None) -> PlainGroup | None:
    """A group of which each item is a `div` in a `div` with plain fields; None where an item is more, or may be several."""
    found = _GROUP.fullmatch(source)
    label = _label_of(found[1]) if found else None
    if found is None or not label or group_table(label) is None:
        return None
    items: list[tuple[PlainField, ...]] = []
    for item in _ONE_ITEM.findall(found[2]):
        parts = [_part(part, origin) for part in _ONE_PART.findall(item[_TAG:])]
        fields = tuple(part for part in parts if part is not None)
        if len(fields) < len(parts):
            return None
        items.append(fields)
    return None if len(items) == 1 and _may_be_several(items[0]) else PlainGroup(label, None, tuple(items))


@cached_source
def _part(source: str, origin: str | None) -> PlainField | None:
    """A field of a group's item, by its shape and by the words that its label begins with."""
    found = _FIELD.fullmatch(source)
    label = _label_of(found[1]) if found else None
    if found is None or not label or not is_member(label, None) or known(label):
        return None
    values = _values(found[2], origin) if found[2] else []
    return plain_field(label, None, values) if values is not None else None


def _may_be_several(fields: tuple[PlainField, ...]) -> bool:
    """Whether fields are perhaps not one item: the first comes again, or each is a question of its own (see `groups`)."""
    labels = [field.label for field in fields]
    return labels.count(labels[0]) > 1 or all(label.endswith("?") for label in labels)
