"""The method of the HTML reader: a field is recognized by the elements around it, not by a theme's name.

A field is an element whose first child is a line of text, the label, and whose other children are its values. Labels that
the registry knows, and elements whose classes name a field, prove that a page uses a certain pattern (which element contains
which as its label); the pattern then finds fields with unlisted labels. Only elements that contain most of the known labels are
searched: anything else that contains prose is one value as a whole, so a body that looks like fields stays a body. A new theme is
a new pattern, and patterns are learned from each page.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from parsers.registry import group_of_paragraph, group_table, is_instructions, is_member, label_of
from parsers.source import MAX_LABEL
from parsers.tree import Element, SourceField, readable

HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 legend summary".split())
_NEVER_PROSE = HEADINGS | {"strong", "b"}  # after a known label, a known label in one of these needs no pattern
_LABEL_ELEMENTS = HEADINGS | {"strong", "b", "dt", "th", "span", "label"}  # elements that themes use for labels
FEW_OF_MANY = 4
"""A theme has one template for its fields: a pattern a fourth as frequent as another on a page is not the theme's."""
_INLINE_ELEMENTS = frozenset("a abbr b cite code em i small span strong sub sup time u mark s q del ins".split())
Look = tuple[str, tuple[str, ...]]  # an element's tag and classes, without the classes that hide
Pattern = tuple[str, str, tuple[str, ...]]  # the tag of a field's element, and the tag and classes of its label


class Block(NamedTuple):
    """A field, with its label's element (None if it prints none), or text without a label; `values`: the nodes with the text."""

    kind: Literal["field", "text"]
    element: Element
    values: list[Element | str]
    label: Element | None = None
    name: str | None = None
    source_field: SourceField | None = None

    @property
    def has_known_label(self) -> bool:
        found = self.source_field
        return found.known is not None if found else self.label is not None and label_of(self.label.line()) is not None


@dataclass(slots=True)
class LabelPatterns:
    """What is learned from one page: the patterns of its known labels, and where most of these are.

    In the content of a group's field (`in_group`, `table`: its table), the labels of the group's members are known too.
    """

    learned: Counter[Pattern] = field(default_factory=Counter)
    in_group: bool = False
    table: str | None = None
    known_labels: int = 0
    _flat: dict[int, Counter[Look]] = field(default_factory=dict)
    _beside: Counter[int] = field(default_factory=Counter)  # known labels in an element that are followed by one like them
    _before: set[int] = field(default_factory=set)  # elements before the first known label beside them
    beside_values: Look | None = None  # what most known labels of the page look like, if their values are beside them
    _classed_fields: int = 0
    _bare_fields: int = 0
    _usual: Counter[tuple[str, str]] = field(default_factory=Counter)

    def learn(self, root: Element) -> None:
        """Walks the tree once: counts known labels and fields per element, and collects the known labels' patterns."""
        self._visit(root)
        self.known_labels = root.known_inside
        for pattern, times in self.learned.items():
            self._usual[pattern[:2]] += times
        looks = sum(self._flat.values(), Counter[Look]())
        look, times = max(looks.items(), key=lambda one: one[1], default=(None, 0))
        self.beside_values = look if 2 * times > max(self.known_labels, FEW_OF_MANY) else None

    def _visit(self, element: Element) -> bool:
        """Whether the element is a field, contains one, or is not searched. The tree's depth is bounded."""
        self._classed_fields += element.role.field
        name, role = element.role.name, element.role
        # in prose, as in the body, and where the label is hidden, nothing is a label of the page
        is_opaque = name == "body" or (name is not None and role.prose) or (role.label_hidden and role.item)
        if element.parent is not None and (is_opaque or is_other_entity(element)):
            return True
        content = element.content
        begins_known = len(content) > 1 and self._look_at(element, content)
        for child in content:
            if isinstance(child, str):
                continue
            if (found := child.source_field) is not None:
                element.holds_field |= child.role.field
                self._classed_fields += child.role.field
                if found.known is not None and not child.role.prose:
                    child.known_inside = 1
                    self.learned[found.pattern] += 1
                    self._bare_fields += not child.role.field
            elif not child.is_plain_text:  # nothing to learn from it
                element.holds_field |= self._visit(child)
            element.known_inside += child.known_inside
        first = content[0] if begins_known else None
        if isinstance(first, Element) and not self.is_container_of(element, first):
            self.learned[element.tag, first.tag, first.role.look] += 1
            self._bare_fields += not element.role.field
        return element.holds_field or element.role.field

    def _look_at(self, element: Element, content: list[Element | str]) -> bool:
        """Counts the children that are known labels with something after them; returns whether the first child is one."""
        first = False
        for index, child in enumerate(content[:-1]):
            if isinstance(child, str) or label_of(child.line()) is None or child.role.item:
                continue
            if not element.known_inside:
                self._before.update(map(id, content[:index]))
            element.known_inside += 1
            if is_alike(content[index + 1], child):
                self._beside[id(element)] += 1
            else:
                self._flat.setdefault(id(element), Counter())[child.tag, child.role.look] += 1
            first = first or index == 0
        return first

    def is_member(self, label: str) -> bool:
        """Whether a label is one of the fields of the items of the group that is read."""
        return self.in_group and is_member(label, self.table)

    def is_unusual(self, pattern: Pattern, *, first: bool) -> bool:
        """Whether most known labels have another pattern, as in prose with labels. `first`: it must be the most frequent."""
        return self._usual[pattern[:2]] * (1 if first else FEW_OF_MANY) < max(self._usual.values(), default=0)

    def is_rare(self, pattern: Pattern) -> bool:
        """Whether another pattern is much more frequent; then a line without a value is no label of the theme."""
        return self.learned[pattern] * FEW_OF_MANY <= max(self.learned.values(), default=0)

    def is_container_of(self, element: Element, first: Element) -> bool:
        """Whether the first child is a field without a value, text before labels, or the heading of a group of fields."""
        if first.role.field or (not first.role.label and sum(child.role.label for child in element.elements) > 1):
            return True
        is_group = group_table(first.line()) is not None or not self.holds_most_labels(element)
        if _are_group_items(element.content[1:], of_any_type=is_group):
            return False
        inside = element.known_inside - max(first.known_inside, label_of(first.line()) is not None)
        if group_table(first.line()) and first.tag not in HEADINGS:
            return inside > 1 and _hold_sections(element.content[1:])
        return inside > (first.tag not in HEADINGS or not group_table(first.line()))  # one may be a value

    def is_term(self, element: Element) -> bool:
        """Whether an element is a `dt`, and not in the only list among many other fields, as a body may contain."""
        around = element.parent
        if element.tag != "dt" or around is None:
            return False
        return self.holds_most_labels(around) or not self.is_unusual((around.tag, "dt", element.role.look), first=False)

    def holds_most_labels(self, element: Element) -> bool:
        """Whether at least half of the page's known labels are inside."""
        return self.known_labels > 0 and 2 * element.known_inside >= self.known_labels

    @property
    def classed(self) -> bool:
        """Whether the page's own fields are marked by classes; then anything else that looks like a field is text."""
        return self._classed_fields > self._bare_fields

    def is_beside_values(self, label: Element) -> bool:
        """Whether most known labels of the page look like this one, and have their values beside them."""
        return (label.tag, label.role.look) == self.beside_values

    def is_flat_label(self, child: Element | str, following: Element | str | None) -> bool:
        """Whether a child is a label whose values are its siblings: by class, as `dt`, or by its text."""
        if not isinstance(child, Element) or (line := child.line()) is None:
            return False
        if child.role.label or child.tag == "dt":
            return child.role.label or self.is_term(child)
        if following is None or child.role.item or child.parent is None:
            return False
        is_elsewhere = self.beside_values is not None or (self.classed and child.tag in HEADINGS)
        if is_elsewhere and not (self.is_beside_values(child) or is_instructions(line) or group_table(line)):
            return False  # a heading in the body
        alike = is_alike(following, child) and getattr(following, "has_attributes", False) <= child.has_attributes
        looks = self._flat.get(id(child.parent), Counter())
        is_common = 2 * looks[child.tag, child.role.look] > max(looks.values(), default=0)
        times = self._beside[id(child.parent)] if alike else looks[child.tag, child.role.look]
        is_usual = times * FEW_OF_MANY >= max(self._usual.values(), default=0)
        if label_of(line) is None:
            if isinstance(following, Element) and following.known_inside > 1:
                return False  # the heading of a group of fields
            is_theme = self.is_beside_values(child) and id(child) not in self._before
            is_short = is_theme or isinstance(following, str) or following.tag in _INLINE_ELEMENTS
            is_followed = not alike and (child.tag != "div" or is_short)
            return is_followed and ((is_common and is_usual) or (child.tag in HEADINGS and is_instructions(line)))
        if isinstance(following, Element) and following.holds_fields and not following.role.items:
            return group_table(line) is not None and not following.known_inside
        return is_usual and (child.tag in ("div", "td") if alike else is_common)


def is_other_entity(element: Element) -> bool:
    """Whether an element inside the record shows something else: a comment, an author, or the teaser of another record."""
    return element.role.other or ((element.tag == "article" or element.role.views) and element.parent is not None)


def is_help(element: Element) -> bool:
    """Whether an element is the help text of a group of fields, by the `id` that Drupal gives to it."""
    return element.has_attributes and (element.attribute("id") or "").endswith("--description")


def field_of(element: Element, patterns: LabelPatterns, *, after_known: bool = False) -> Block | None:
    """Returns the element as a field, or None. `after_known`: a field with a known label came before it on the page."""
    found = element.source_field
    if found is not None:
        is_field = element.role.field or (found.known is not None and not found.alone) or patterns.is_member(found.label)
        may_be = not is_field and (found.known is not None or after_known) and found.pattern in patterns.learned
        if is_field or (may_be and not (found.alone and patterns.is_rare(found.pattern))):
            return Block("field", element, [], None, found.name, found)
        return None
    content = element.content
    classed = element.role.field or (element.role.name is not None and element.tag not in _INLINE_ELEMENTS)
    if not (classed and element.role.label_hidden):
        label_at = _label_at(element, content, patterns, classed=classed, after_known=after_known)
        if label_at is not None:
            label = content[label_at]
            assert isinstance(label, Element)
            values = content[:label_at] + without_colon(content[label_at + 1 :])
            return Block("field", element, values, label, _name_near(element))
    if not classed:
        is_item = not patterns.in_group and element.role.paragraph and group_of_paragraph(element.role.bundle) is not None
        return Block("field", element, [element] if is_item else list(content)) if is_item or _are_group_items(content) else None
    inner = element.only
    if inner is not None and not (inner.role.item or inner.role.items) and inner.tag in ("div", "section", "dl"):
        nested = field_of(inner, patterns, after_known=after_known)
        if nested is not None and nested.label is not None:
            return Block("field", element, nested.values, nested.label, _name_near(element) or nested.name)
    return Block("field", element, list(content), None, _name_near(element))


def _are_group_items(content: list[Element | str], *, of_any_type: bool = False) -> bool:
    """Whether there is nothing but paragraphs, in any wrappers: a group's value. Unless `of_any_type`, it must have a table."""
    for one in content:
        if isinstance(one, str) or one.source_field or one.role.field:
            return False
        is_item = of_any_type or group_of_paragraph(one.role.bundle) is not None
        if not (is_item if one.role.paragraph else _are_group_items(one.content, of_any_type=of_any_type)):
            return False
    return bool(content)


def _hold_sections(content: list[Element | str]) -> bool:
    """Whether instructions or a whole group are inside, as in a part of the page that is named like a group, and not in items."""
    inside = [one for part in content if isinstance(part, Element) for one in (part, *part.built())]
    labels = (one.source_field.label if one.source_field else one.line() for one in inside)
    return any(label and (is_instructions(label) or group_table(label)) for label in labels)


def without_colon(values: list[Element | str]) -> list[Element | str]:
    """Returns a label's values without the colon that some editors and themes put after the label's element."""
    first = values[0] if values else ""
    text = first.lstrip() if isinstance(first, str) else first.line() or ""
    if text == ":" or (text.startswith(":") and isinstance(first, str)):
        return [text[1:], *values[1:]] if text[1:].strip() else values[1:]
    return values


def _name_near(element: Element) -> str | None:
    """Returns the machine name of the element, or of the one field inside a pane titled with the label."""
    if name := element.role.name:
        return name
    for child in element.elements[1:2]:
        inner = child
        while inner.only is not None and not inner.role.item:
            inner = inner.only
            if name := inner.role.name:
                return name
    return None


def _label_at(
    element: Element, content: list[Element | str], patterns: LabelPatterns, *, classed: bool, after_known: bool
) -> int | None:
    """Returns the index of the label among the children: one of the first four by class, else the first by text or pattern."""
    for index, child in enumerate(content[: 4 if classed else 1 + patterns.in_group]):
        # a label's class is believed if the element has a label's length; it may contain a link or a line break
        if isinstance(child, Element) and child.role.label and (child.line() or len(readable([child])) <= MAX_LABEL):
            return index if classed or not any(is_alike(one, child) for one in content[index + 1 :]) else None
    first = content[0] if content else None
    if not isinstance(first, Element) or first.role.item or first.role.items or first.role.paragraph:
        return None
    if (text := first.line()) is None or patterns.is_container_of(element, first):
        return None
    if any((line := one.line()) and line != text and patterns.is_member(line) for one in first.elements):
        return None  # fields of inline elements
    pattern, others = (element.tag, first.tag, first.role.look), content[1:]
    if patterns.is_term(first) or patterns.is_member(text):
        labels = True
    elif label_of(text) is not None:
        is_theme = first.tag in _NEVER_PROSE and (after_known or first.role.look != ())  # an editor's headings have no classes
        is_usual = is_theme or not patterns.is_unusual(pattern, first=not after_known)
        labels = classed or (is_usual and (bool(others) or not patterns.is_rare(pattern)))
    elif not others or element.tag in ("ul", "ol", "table", "tbody", "dl"):
        labels = False
    else:
        # of two elements in an item of a group, the first is the label by its tag, or as a question of a metric
        asks = patterns.table == "performance_metrics" and text.endswith(("?", ":"))
        paired = patterns.in_group and len(others) == 1 and (asks or first.tag in _LABEL_ELEMENTS)
        is_usual = after_known and pattern in patterns.learned and not patterns.is_unusual(pattern, first=False)
        describes = len(others) > 1 and all(  # a group of unlisted fields
            isinstance(one, Element) and len(one.content) > 1 and is_alike(one.content[0], first) for one in others
        )
        labels = paired or (is_usual and not describes)
    return 0 if labels and not _has_more_labels(others, first, patterns) else None


def _has_more_labels(others: list[Element | str], first: Element, patterns: LabelPatterns) -> bool:
    """Whether further children are labels like the first one: then this element contains several fields, label after label."""
    if others and is_alike(others[0], first) and first.tag != "dt":
        others = others[1::2] if first.tag == "td" else []  # labels and values side by side in a row
    alike = (child.line() for child in others if isinstance(child, Element) and is_alike(child, first))
    is_list = first.tag == "dt" or (patterns.in_group and first.tag in HEADINGS)
    return any(is_list or label_of(line) is not None or (line and patterns.is_member(line)) for line in alike)


def is_alike(node: Element | str, label: Element) -> bool:
    """Whether a node is an element with the tag and the classes of a label."""
    return isinstance(node, Element) and node.tag == label.tag and node.role.look == label.role.look
