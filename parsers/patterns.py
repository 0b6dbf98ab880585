"""The idea behind the HTML reader: a field is recognized by the elements around it, not by a theme's name.

A field is an element whose first child is a line of text and whose other children are what the line is a label of. Labels that
the registry knows, and elements whose classes name a field, prove that a page uses a certain pattern (which element contains
which as its label); the pattern then finds the fields whose labels nobody has listed. Only elements that contain most of the
known labels are opened: anything else that contains prose is one value as a whole, so a body that looks like fields stays a body.
A new theme is a new pattern, and patterns are learned from each page.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from parsers.registry import is_instructions, known
from parsers.roles import HIDDEN, NONE
from parsers.source import SourceField
from parsers.tree import Element, readable

HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 legend summary".split())
_MAX_LABEL = 300
"""Characters of an element whose class says that it is a label, or of a label that is read from its source."""
_BLOCK_TITLES = frozenset(("h2", "h3", "h4"))
_NEVER_PROSE = HEADINGS | {"strong", "b"}
_FEW_OF_MANY = 4
"""A theme has one template for its fields: a pattern that a page has a fourth as often as another is not the theme's."""
_INLINE = frozenset("a abbr b cite code em i small span strong sub sup time u mark s q del ins".split())
Look = tuple[str, tuple[str, ...]]
"""An element's tag and classes, without the classes that hide."""
Pattern = tuple[str, str, tuple[str, ...]]
"""The tag of a field's element, and the tag and classes of its label."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the content in page order: a field with its label's element (None: it prints none), or text without a label."""

    kind: Literal["field", "text"]
    element: Element
    values: list[Element | str]
    label: Element | None = None
    name: str | None = None
    source_field: SourceField | None = None

    def has_known_label(self) -> bool:
        if self.source_field is not None:
            return self.source_field.known is not None
        return self.label is not None and known(self.label.line()) is not None


@dataclass(slots=True)
class LabelPatterns:
    """What one page teaches: the patterns of its known labels, and where most of these are."""

    learned: Counter[Pattern] = field(default_factory=Counter)
    known_labels: int = 0
    _flat: dict[int, Counter[Look]] = field(default_factory=dict)
    _classed_fields: int = 0
    _bare_fields: int = 0
    _known_inside: dict[int, int] = field(default_factory=dict)
    _first_known: set[int] = field(default_factory=set)
    _field_inside: set[int] = field(default_factory=set)
    _root: Element | None = None
    _usual: Counter[tuple[str, str]] = field(default_factory=Counter)

    def learn(self, root: Element) -> None:
        """One walk over the tree: counts known labels and field elements per element, and takes the patterns of the known."""
        self._root = root
        self._visit(root)
        self.known_labels = self._known_inside[id(root)]
        for pattern, times in self.learned.items():
            self._usual[pattern[:2]] += times

    def _visit(self, element: Element) -> bool:
        """Whether the element is a field, contains one, or is not looked into. The tree's depth is bounded."""
        self._classed_fields += element.role.field
        if element is not self._root and (is_other_entity(element) or is_opaque_field(element)):
            return True
        content = element.content
        inside = self._look_at(element, content) if len(content) > 1 else 0
        holds_field = False
        for child in content:
            if isinstance(child, str):
                continue
            if (found := child.source_field) is not None:
                holds_field = holds_field or child.role.field
                self._classed_fields += child.role.field
                if found.known is not None and not child.role.prose:
                    self._bare_fields += not child.role.field
                    self._known_inside[id(child)] = 1
                    self.learned[found.pattern] += 1
                    inside += 1
                continue
            plain = child.role is NONE and child.edit_id is None and child.tag != "article"
            if plain and len(child.children) == 1 and isinstance(child.children[0], str):
                continue  # nothing to learn
            holds_field = self._visit(child) or holds_field
            inside += self._known_inside.get(id(child), 0)
        self._known_inside[id(element)] = inside
        if holds_field:
            self._field_inside.add(id(element))
        if id(element) in self._first_known:
            first = content[0]
            assert isinstance(first, Element)
            if not self.is_container_of(element, first):
                self.learned[element.tag, first.tag, first.role.look] += 1
                self._bare_fields += not element.role.field
        return holds_field or element.role.field

    def _look_at(self, element: Element, content: list[Element | str]) -> int:
        """How many children are lines that are spelled like a known label, with something after them."""
        found = 0
        for index, child in enumerate(content[:-1]):
            line = None if isinstance(child, str) else child.line()
            if isinstance(child, str) or line is None or known(line) is None or child.role.item:
                continue
            found += 1
            following = content[index + 1]
            if not isinstance(following, Element) or look_of(following) != look_of(child):
                self._flat.setdefault(id(element), Counter())[look_of(child)] += 1
            if index == 0:
                self._first_known.add(id(element))
        return found

    def is_unusual(self, pattern: Pattern, *, first: bool) -> bool:
        """Whether few known labels have this pattern's elements and many have others, as where prose quotes labels.

        `first`: nothing was read before, so that this may be the body; then a pattern must be the most common one.
        """
        times = self._usual[pattern[:2]] * (1 if first else _FEW_OF_MANY)
        return times < max(self._usual.values(), default=0)

    def is_container_of(self, element: Element, first: Element) -> bool:
        """Whether the first child is a field without a value among further fields, and not the label of all that follows."""
        if first.role.field:
            return True
        inner = first.content
        if len(inner) != 1 or not isinstance(inner[0], Element):
            return False
        return any(self._known_inside.get(id(child), 0) for child in element.elements if child is not first)

    def holds_most_labels(self, element: Element) -> bool:
        """Whether at least half of the page's known labels are inside."""
        return self.known_labels > 0 and 2 * self._known_inside.get(id(element), 0) >= self.known_labels

    @property
    def classed(self) -> bool:
        """Whether the page's own fields have classes that say so; then anything else that looks like a field is text."""
        return self._classed_fields > self._bare_fields

    def holds_known_labels(self, element: Element) -> bool:
        return self._known_inside.get(id(element), 0) > 0

    def holds_fields(self, element: Element, *, classed: bool = False) -> bool:
        """Whether fields with classes are inside, or known labels (not if `classed`)."""
        return id(element) in self._field_inside or (not classed and self.holds_known_labels(element))

    def is_flat_label(self, child: Element | str, following: Element | str | None) -> bool:
        """Whether a child is a label whose values are its siblings: by class, as `dt`, or by its text where a value follows.

        Of the lines beside each other that are known labels, those count that look like most of them.
        """
        if not isinstance(child, Element) or child.line() is None:
            return False
        if child.tag == "dt" or child.role.label:
            return True
        if following is None or child.role.item or child.parent is None:
            return False
        alike = isinstance(following, Element) and look_of(following) == look_of(child)
        looks = self._flat.get(id(child.parent), Counter())
        is_common = 2 * looks[look_of(child)] > max(looks.values(), default=0)
        if known(child.line()) is None:
            labels = is_common or (child.tag in HEADINGS and is_instructions(child.line() or ""))
            return not alike and child.tag != "div" and labels
        if isinstance(following, Element) and self.holds_fields(following) and not following.role.items:
            return False
        return child.tag == "div" if alike else is_common


NO_PATTERNS = LabelPatterns()
"""For an element that is read by itself: nothing was learned. It is never given a page to learn from."""


def name_of(element: Element) -> str | None:
    """Drupal's machine name as the field's classes give it, or the attribute that quick editing leaves."""
    if element.role.name:
        return element.role.name
    parts = element.edit_id.split("/") if element.edit_id else []
    return parts[2] if len(parts) >= 3 else None


def is_other_entity(element: Element) -> bool:
    """Whether an element inside the record shows something else: a comment, an author, or the teaser of another record."""
    return element.role.other or ((element.tag == "article" or element.role.views) and element.parent is not None)


def is_opaque_field(element: Element) -> bool:
    """A field whose value is prose, such as the body, or whose label is hidden: nothing in it is a label of the page."""
    role = element.role
    named = name_of(element)
    return named == "body" or (named is not None and role.prose) or (role.label_hidden and role.item)


def field_of(element: Element, patterns: LabelPatterns, *, after_known: bool) -> Block | None:
    """The field that this element is, or None. `after_known`: a field with a known label came before it on the page."""
    found = element.source_field
    if found is not None:
        learned = found.pattern in patterns.learned
        if element.role.field or (found.known is not None and not found.alone) or (learned and (after_known or found.known)):
            return Block("field", element, [], None, found.name, found)
        return None
    content = element.content
    head = content[0] if content else None
    if element.tag == "table" and isinstance(head, Element) and head.tag == "thead" and known(readable([head])[:_MAX_LABEL]):
        return Block("field", element, content[1:], head, name_of(element))
    classed = element.role.field or (name_of(element) is not None and element.tag not in _INLINE)
    if not (classed and element.role.label_hidden):
        label_at = _label_at(element, content, patterns, classed=classed, after_known=after_known)
        if label_at is not None:
            label = content[label_at]
            assert isinstance(label, Element)
            values = content[:label_at] + without_colon(content[label_at + 1 :])
            return Block("field", element, values, label, _name_near(element))
    if not classed:
        return None
    inner = content[0] if len(content) == 1 else None
    if isinstance(inner, Element) and not (inner.role.item or inner.role.items) and inner.tag in ("div", "section", "dl"):
        nested = field_of(inner, patterns, after_known=after_known)
        if nested is not None and nested.label is not None:
            return Block("field", element, nested.values, nested.label, _name_near(element) or nested.name)
    return Block("field", element, list(content), None, _name_near(element))


def without_colon(values: list[Element | str]) -> list[Element | str]:
    """A label's values without the colon that some editors put behind the label's element."""
    if values and isinstance(values[0], str) and values[0].lstrip().startswith(":"):
        rest = values[0].lstrip()[1:]
        return [rest, *values[1:]] if rest.strip() else values[1:]
    return values


def _name_near(element: Element) -> str | None:
    """The machine name on the element, on one of its children, or on the one field inside a pane whose title is the label."""
    if name := name_of(element):
        return name
    if beside := next((name for child in element.elements if not child.role.item and (name := name_of(child))), None):
        return beside
    for child in element.elements[1:2]:
        inner = child
        while len(inner.content) == 1 and isinstance(inner.content[0], Element) and not inner.role.item:
            inner = inner.content[0]
            if name := name_of(inner):
                return name
    return None


def _label_at(
    element: Element, content: list[Element | str], patterns: LabelPatterns, *, classed: bool, after_known: bool
) -> int | None:
    """Where among the children the label is: by its class anywhere, by its text or a pattern only in first place."""
    for index, child in enumerate(content[: 4 if classed else 1]):
        # a label's class is believed if the element has a label's length; it may contain a link or a line break
        if isinstance(child, Element) and child.role.label and (child.line() or len(readable([child])) <= _MAX_LABEL):
            return index
    first = content[0] if content else None
    if not isinstance(first, Element) or first.role.item or first.role.items or first.role.paragraph:
        return None
    if (text := first.line()) is None or patterns.is_container_of(element, first):
        return None
    pattern = (element.tag, first.tag, first.role.look)
    if first.tag == "dt":
        labels = True
    elif known(text) is not None:
        labels = classed or (
            (len(content) > 1 or pattern in patterns.learned)
            and ((after_known and first.tag in _NEVER_PROSE) or not patterns.is_unusual(pattern, first=not after_known))
        )
    elif classed and (
        element.role.label_shown
        or (len(content) > 1 and all(isinstance(one, Element) and (one.role.item or one.role.items) for one in content[1:]))
    ):
        labels = True
    elif len(content) < 2 or element.tag in ("ul", "ol", "table", "tbody", "dl"):
        labels = False
    elif (classed and not is_opaque_field(element) and (first.tag in HEADINGS or not HIDDEN.isdisjoint(first.role.classes))) or (
        len(content) == 2 and first.tag in _BLOCK_TITLES and _leads_to_hidden_label(content[1])
    ):
        labels = True
    else:
        labels = after_known and pattern in patterns.learned and not patterns.is_unusual(pattern, first=False)
    return 0 if labels and not _has_more_labels(content, first) else None


def _leads_to_hidden_label(child: Element | str) -> bool:
    """Whether the only thing in an element is a field that hides its own label, because the block around it has a title."""
    while isinstance(child, Element) and not child.role.field and len(child.content) == 1:
        child = child.content[0]
    return isinstance(child, Element) and child.role.label_hidden and child.role.name != "body"


def _has_more_labels(content: list[Element | str], first: Element) -> bool:
    """Whether further children are labels like the first one: then this element contains several fields, label after label."""
    following = content[1] if len(content) > 1 else None
    if isinstance(following, Element) and look_of(following) == look_of(first) and first.tag != "dt":
        return False
    alike = (child for child in content[1:] if isinstance(child, Element) and look_of(child) == look_of(first))
    return any(first.tag == "dt" or known(child.line()) is not None for child in alike)


def look_of(element: Element) -> Look:
    return element.tag, element.role.look
