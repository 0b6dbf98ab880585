"""Elements that were never closed, put right where classes tell: what follows a label, an item, a field or the body."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from parsers.registry import Type, known
from parsers.tree import Element

_BODY = "body"
_FEW = 2


def close_left_open(below_root: list[Element]) -> None:
    """Moves what an unclosed label, field or body has swallowed to where it belongs: after it, in the same order."""
    elements = [one for one in below_root if not one.role.silent]
    bodies = [element for element in elements if element.role.name == _BODY]
    labelled = [one for one in elements if _is_labelled_field(one)] if any(map(_holds_fields, bodies)) else []
    for element in reversed(elements):  # from the inside out, so that what moves up goes on from there
        role = element.role
        if element.source_field is not None or not any(
            child.role.field or child.role.item or child.role.items for child in element.elements
        ):
            continue  # nothing in it can have been swallowed
        if role.label:
            _move_out(element, lambda child: child.role.item or child.role.items)
        elif role.name == _BODY:
            inside = sum(_stands_in(field, element) for field in labelled)
            if inside > _FEW and inside == len(labelled):
                _move_out(element, _is_labelled_field)
        elif role.items:
            _move_out(element, partial(_is_foreign, any_label=_in_plain_field(element)))
        elif role.item:
            _move_out(element, partial(_is_after_item, any_label=_in_plain_field(element)))
        elif role.field:
            _move_out(element, partial(_is_foreign, any_label=_is_plain_field(element)))


def _holds_fields(element: Element) -> bool:
    return any(inner.role.field for inner in element.built())


def _is_labelled_field(element: Element) -> bool:
    """A field of the record itself, by its class and a label of the registry; a group's own fields have other labels."""
    if element.source_field is not None:
        return element.role.field and element.source_field.known is not None
    return element.role.field and any(known(_own_text(label)) is not None for label in _labels_of(element))


def _labels_of(field: Element) -> list[Element]:
    """The elements of a field that are labels by their class, else its first child where that is no item."""
    elements = field.elements
    return [child for child in elements if child.role.label] or [child for child in elements[:1] if child.role.is_blank]


def _is_foreign(child: Element, *, any_label: bool) -> bool:
    """A field that can't stand among the items of another: one of the record itself, or any where items have no fields."""
    labelled = any_label and child.role.field and (child.source_field or _labels_of(child))
    return bool(labelled) or _is_labelled_field(child)


def _is_after_item(child: Element, *, any_label: bool) -> bool:
    """What can't stand directly in an item: the next item, and a field that is not the item's own."""
    return (child.role.item and not child.role.field) or _is_foreign(child, any_label=any_label)


def _in_plain_field(item: Element) -> bool:
    """Whether an item is of a field whose values have no fields of their own, as a listed label tells that is no group's."""
    above = item.parent
    while above is not None and not above.role.field:
        above = above.parent
    return above is not None and _is_plain_field(above)


def _is_plain_field(field: Element) -> bool:
    entries = [known(_own_text(label)) for label in _labels_of(field)]
    return any(entry is not None and entry.type is not Type.GROUP for entry in entries)


def _own_text(label: Element) -> str:
    """The label's text before any element that it may have swallowed."""
    return label.line() or next((child for child in label.children if isinstance(child, str) and not child.isspace()), "")


def _stands_in(element: Element, other: Element) -> bool:
    above = element.parent
    while above is not None and above is not other:
        above = above.parent
    return above is other


def _move_out(element: Element, is_swallowed: Callable[[Element], bool]) -> None:
    parent = element.parent
    if parent is None:
        return
    start = next((at for at, child in enumerate(element.children) if isinstance(child, Element) and is_swallowed(child)), None)
    if start is None:
        return
    moved = element.children[start:]
    element.replace(element.children[:start])
    for child in moved:
        if isinstance(child, Element):
            child.parent = parent
    at = next(index for index, child in enumerate(parent.children) if child is element)
    parent.replace([*parent.children[: at + 1], *moved, *parent.children[at + 1 :]])
