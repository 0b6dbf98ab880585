"""Puts right what elements that were never closed have swallowed, where classes show what follows a label, an item or a field."""

from collections.abc import Callable

from parsers.registry import Type, known
from parsers.tree import Element

_BODY = "body"
_FEW = 2


def close_left_open(below_root: list[Element]) -> None:
    """Moves what an unclosed label, field or body has swallowed to where it belongs: after it, in the same order."""
    elements = [one for one in below_root if not one.role.silent]
    has_body = any(one.role.name == _BODY and any(inner.role.field for inner in one.built()) for one in elements)
    labelled = set(filter(_is_known_field, elements)) if has_body else set()
    for element in reversed(elements):  # from the inside out, so that what moves up goes on from there
        role = element.role
        if element.source_field is not None or not any(
            child.role.field or child.role.item or child.role.items for child in element.elements
        ):
            continue  # nothing in it can have been swallowed
        if role.label:
            _move_out(element, lambda child: child.role.item or child.role.items)
        elif role.name == _BODY:
            if len(labelled) > _FEW and labelled.issubset(element.built()):
                _move_out(element, _is_known_field)
        elif role.items or role.item or role.field:
            _move_out(element, _is_foreign_to(element))


def _is_foreign_to(element: Element) -> Callable[[Element], bool]:
    """The test for what can't be inside a field or item: a field of the record itself, or a further item.

    Where a listed label shows that values have no fields of their own, no field with a label can.
    """
    around: Element | None = element
    while around is not None and not (around.role.field and (around is element or not around.role.item)):
        around = around.parent
    entries = map(known, _labels(around) if around is not None else ())
    is_plain = any(entry is not None and entry.type is not Type.GROUP for entry in entries)
    is_item = element.role.item and not element.role.items

    def is_foreign(child: Element) -> bool:
        is_next = is_item and child.role.item and not child.role.field
        return is_next or (is_plain and child.role.field and bool(_labels(child))) or _is_known_field(child)

    return is_foreign


def _is_known_field(element: Element) -> bool:
    """Whether an element is a field of the record itself, by its class and a label of the registry."""
    return element.role.field and any(map(known, _labels(element)))


def _labels(field: Element) -> list[str]:
    """The texts of a field's labels, each without the elements that it may have swallowed; the first child may be one."""
    if field.source_field is not None:
        return [field.source_field.label]
    children = field.elements
    labels = [one for one in children if one.role.label] or [one for one in children[:1] if one.role.is_blank]
    return [one.line() or next((text for text in one.content if isinstance(text, str)), "") for one in labels]


def _move_out(element: Element, is_swallowed: Callable[[Element], bool]) -> None:
    parent = element.parent
    start = next((at for at, child in enumerate(element.children) if isinstance(child, Element) and is_swallowed(child)), None)
    if parent is None or start is None:
        return
    moved = element.children[start:]
    element.replace(element.children[:start])
    for child in moved:
        if isinstance(child, Element):
            child.parent = parent
    after = parent.children.index(element) + 1
    parent.replace([*parent.children[:after], *moved, *parent.children[after:]])
