"""The idea that carries the HTML reader: a field is recognised by the shape around it, not by a theme's name.

A field is an element whose first child is a line of text and whose other children are what the line is a label of. Labels that
the registry knows, and elements whose classes say so, prove that a page uses a certain shape (which element holds which); the
shape then finds the fields whose labels nobody has listed. Only elements on the way to most of the known labels are opened:
whatever else holds prose is one value as a whole, so a body that looks like fields stays a body. A new theme is a new shape, and
shapes are learned from each page.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from parsers.registry import known
from parsers.roles import HIDDEN
from parsers.source import SourceField
from parsers.tree import Element, readable

HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 legend summary".split())
_MAX_LABEL = 300
_INLINE = frozenset("a abbr b cite code em i small span strong sub sup time u mark s q del ins".split())


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the content in page order: a field with its label's element (None: it prints none), or text without a label."""

    kind: Literal["field", "text"]
    element: Element
    values: list[Element | str]
    label: Element | None = None
    name: str | None = None
    source_field: SourceField | None = None


@dataclass(slots=True)
class Shapes:
    """What one page teaches: the shapes its known labels stand in, and where most of them stand."""

    taught: set[tuple[str, str, tuple[str, ...]]] = field(default_factory=set)
    flat: dict[int, set[tuple[str, tuple[str, ...]]]] = field(default_factory=dict)
    known_labels: int = 0
    classed_fields: int = 0
    bare_fields: int = 0
    _known_inside: dict[int, int] = field(default_factory=dict)
    _first_known: set[int] = field(default_factory=set)
    _root: Element | None = None
    _labels: Counter[str] | None = None
    _field_inside: set[int] = field(default_factory=set)

    def learn(self, root: Element) -> None:
        """One walk over the tree: counts known labels and field elements per element, and takes the shapes of the known."""
        self._root = root
        self._visit(root)
        self.known_labels = self._known_inside[id(root)]

    @property
    def labels(self) -> Counter[str]:
        """How often each label of the registry stands on the page; few pages have to be asked."""
        if self._labels is None:
            self._labels = self.labels_inside(self._root) if self._root is not None else Counter()
        return self._labels

    def labels_inside(self, element: Element) -> Counter[str]:
        """How often each label of the registry stands inside an element."""
        return known_labels(element)

    def _visit(self, element: Element) -> bool:
        """Whether the element is a field, holds one, or holds what is not looked into. The tree's depth is bounded."""
        self.classed_fields += element.role.field
        if element is not self._root and (is_other_entity(element) or (name_of(element) and is_opaque_field(element))):
            return True
        content = element.content
        inside = self._look_at(element, content) if len(content) > 1 else 0
        holds_field = False
        for child in content:
            if isinstance(child, str) or child.is_plain_text():
                continue
            if child.source_field is not None:
                holds_field = holds_field or child.role.field
                inside += self._learn_source_field(child, child.source_field)
                continue
            holds_field = self._visit(child) or holds_field
            inside += self._known_inside.get(id(child), 0)
        self._known_inside[id(element)] = inside
        if holds_field:
            self._field_inside.add(id(element))
        self._teach(element)
        return holds_field or element.role.field

    def _learn_source_field(self, element: Element, source_field: SourceField) -> int:
        """Takes the pattern of a plain field; returns how many known labels it has."""
        self.classed_fields += element.role.field
        if source_field.known is None or element.role.prose:
            return 0
        self.bare_fields += not element.role.field
        self._known_inside[id(element)] = 1
        self.taught.add((element.tag, "div", source_field.look))
        return 1

    def _look_at(self, element: Element, content: list[Element | str]) -> int:
        """How many children are lines that are spelled like a known label, with something after them."""
        found = 0
        for index, child in enumerate(content[:-1]):
            line = None if isinstance(child, str) else child.line()
            if isinstance(child, str) or line is None or known(line) is None:
                continue
            found += 1
            following = content[index + 1]
            if not isinstance(following, Element) or _look(following) != _look(child):
                self.flat.setdefault(id(element), set()).add(_look(child))
            if index == 0:
                self._first_known.add(id(element))
        return found

    def _teach(self, element: Element) -> None:
        """Takes the shape of an element with a known label, once all inside is counted."""
        if id(element) in self._first_known:
            first = element.content[0]
            assert isinstance(first, Element)
            if not self.is_container_of(element, first):
                self.taught.add(shape(element, first))
                self.bare_fields += not has_field_class(element)

    def is_container_of(self, element: Element, first: Element) -> bool:
        """Whether the first child is a field without a value among further fields, and not the label of all that follows."""
        if has_field_class(first):
            return True
        inner = first.content
        if len(inner) != 1 or not isinstance(inner[0], Element):
            return False
        return any(self._known_inside.get(id(child), 0) for child in element.elements if child is not first)

    def is_main_road(self, element: Element) -> bool:
        """Whether at least half of the page's known labels stand inside."""
        return self.known_labels > 0 and 2 * self._known_inside.get(id(element), 0) >= self.known_labels

    @property
    def classed(self) -> bool:
        """Whether the page's own fields say so by their classes; then what else looks like a field is text."""
        return self.classed_fields > self.bare_fields

    def holds_classed_fields(self, element: Element) -> bool:
        return id(element) in self._field_inside

    def holds_fields(self, element: Element) -> bool:
        return id(element) in self._field_inside or self._known_inside.get(id(element), 0) > 0


UNTAUGHT = Shapes()
"""For an element that is read by itself: no page has taught anything. It is never given a page to learn from."""


def known_labels(element: Element) -> Counter[str]:
    """How often each label of the registry stands inside an element, as a line of its own."""
    inside = [inner for inner in (element, *element.built()) if inner is not element or inner.source_field]
    entries = (inner.source_field.known if inner.source_field else known(inner.line()) for inner in inside)
    return Counter(entry.text for entry in entries if entry is not None)


def shape(element: Element, label: Element) -> tuple[str, str, tuple[str, ...]]:
    """Which element holds which as label, and the label's classes without those that hide it."""
    return element.tag, label.tag, label.role.look


def has_field_class(element: Element) -> bool:
    return element.role.field


def has_label_class(element: Element) -> bool:
    return element.role.label


def is_item(element: Element) -> bool:
    return element.role.item


def is_items(element: Element) -> bool:
    return element.role.items


def name_of(element: Element) -> str | None:
    """Drupal's machine name as the field's classes tell it, or the attribute that quick editing leaves."""
    if element.role.name:
        return element.role.name
    parts = element.edit_id.split("/") if element.edit_id else []
    return parts[2] if len(parts) >= 3 else None


def is_other_entity(element: Element) -> bool:
    """Whether an element inside the record shows something else, such as a comment or the teaser of another record."""
    return element.role.other or (element.tag == "article" and element.parent is not None)


def is_opaque_field(element: Element) -> bool:
    """A field whose value is prose, such as the body: what looks like a field inside teaches nothing."""
    return element.role.prose or name_of(element) == "body"


def field_of(element: Element, shapes: Shapes, *, after_known: bool) -> Block | None:
    """The field that this element is, or None. `after_known`: a field with a known label came before it on the page."""
    if element.source_field is not None:
        return _source_block(element, element.source_field, shapes, after_known=after_known)
    content = element.content
    head = content[0] if content else None
    if element.tag == "table" and isinstance(head, Element) and head.tag == "thead" and known(readable([head])[:_MAX_LABEL]):
        return Block("field", element, content[1:], head, name_of(element))
    classed = has_field_class(element) or (name_of(element) is not None and element.tag not in _INLINE)
    label_at = _label_at(element, content, shapes, classed=classed, after_known=after_known)
    if label_at is not None:
        label = content[label_at]
        assert isinstance(label, Element)
        values = content[:label_at] + without_colon(content[label_at + 1 :])
        return Block("field", element, values, label, _name_near(element))
    if not classed:
        return None
    inner = content[0] if len(content) == 1 else None
    if isinstance(inner, Element) and not is_item(inner) and not is_items(inner) and inner.tag in ("div", "section", "dl"):
        nested = field_of(inner, shapes, after_known=after_known)
        if nested is not None and nested.label is not None:
            return Block("field", element, nested.values, nested.label, _name_near(element) or nested.name)
    return Block("field", element, list(content), None, _name_near(element))


def _source_block(element: Element, found: SourceField, shapes: Shapes, *, after_known: bool) -> Block | None:
    taught = (element.tag, "div", found.look) in shapes.taught
    if not (element.role.field or (found.known is not None and not found.alone) or (taught and (after_known or found.known))):
        return None
    return Block("field", element, [], None, found.name, found)


def without_colon(values: list[Element | str]) -> list[Element | str]:
    """A label's values without the colon that some editors put behind the label's element."""
    if values and isinstance(values[0], str) and values[0].lstrip().startswith(":"):
        rest = values[0].lstrip()[1:]
        return [rest, *values[1:]] if rest.strip() else values[1:]
    return values


def _name_near(element: Element) -> str | None:
    """The machine name on the element, or on its only child: some themes put one more wrapper around."""
    if name := name_of(element):
        return name
    beside = next((name for child in element.elements if not is_item(child) and (name := name_of(child))), None)
    return beside or _name_inside(element)


def _name_inside(element: Element) -> str | None:
    """The name of the one field inside a pane or block whose title is the label."""
    for child in element.elements[1:2]:
        inner = child
        while len(inner.content) == 1 and isinstance(inner.content[0], Element) and not is_item(inner):
            inner = inner.content[0]
            if name := name_of(inner):
                return name
    return None


def _label_at(element: Element, content: list[Element | str], shapes: Shapes, *, classed: bool, after_known: bool) -> int | None:
    """Where among the children the label stands: by its class anywhere, by its text or the page's shape only in first place."""
    for index, child in enumerate(content):
        if isinstance(child, Element) and has_label_class(child) and _is_short(child):
            return index
        if index > 2:
            break
    first = content[0] if content else None
    if not isinstance(first, Element) or is_item(first) or is_items(first):
        return None
    text = first.line()
    if text is None or shapes.is_container_of(element, first):
        return None
    if first.tag == "dt":
        labels = True
    elif known(text) is not None:
        labels = len(content) > 1 or classed or shape(element, first) in shapes.taught
    elif len(content) < 2 or element.tag in ("ul", "ol", "table", "tbody", "dl"):
        labels = False
    elif classed and (first.tag in HEADINGS or not HIDDEN.isdisjoint(first.classes)):
        labels = True
    else:
        labels = after_known and shape(element, first) in shapes.taught
    return 0 if labels and not _has_more_labels(content, first) else None


def _is_short(element: Element) -> bool:
    """Whether an element that says it is a label has a label's length; it may hold a link or a line break."""
    return element.line() is not None or len(readable([element])) <= _MAX_LABEL


def _has_more_labels(content: list[Element | str], first: Element) -> bool:
    """Whether further children are labels like the first one: then this element holds several fields, label after label."""
    following = content[1] if len(content) > 1 else None
    if isinstance(following, Element) and _look(following) == _look(first) and first.tag != "dt":
        return False
    alike = (child for child in content[1:] if isinstance(child, Element) and _look(child) == _look(first))
    return any(first.tag == "dt" or known(child.line()) is not None for child in alike)


def _look(element: Element) -> tuple[str, tuple[str, ...]]:
    """Tag and classes, without those that hide."""
    return element.tag, element.role.look


def is_flat_label(child: Element | str, following: Element | str | None, shapes: Shapes) -> bool:
    """Whether a child is a label whose values are its siblings: by class, as `dt`, or by its text where a value follows."""
    if not isinstance(child, Element) or child.line() is None:
        return False
    if child.tag == "dt":
        return True
    if has_label_class(child):
        return True
    if following is None or is_item(child):
        return False
    alike = isinstance(following, Element) and _look(following) == _look(child)
    if known(child.line()) is None:
        return (
            not alike
            and child.parent is not None
            and child.tag != "div"
            and _look(child) in shapes.flat.get(id(child.parent), ())
        )
    return not alike or child.tag == "div"
