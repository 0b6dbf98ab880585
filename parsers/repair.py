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
    labelled = (
        [one for one in elements if _is_labelled_field(one)]
        if any(one.role.field for body in bodies for one in body.built())
        else []
    )
    for element in reversed(elements):  # from the inside out, so that what moves up goes on from there
        role = element.role
        if element.source_field is not None or not any(
            child.role.field or child.role.item or child.role.items for child in element.elements
        ):
            continue  # nothing in it can have been swallowed
        if role.label:
            _move_out(element, lambda child: child.role.item or child.role.items)
        elif role.name == _BODY:
            if len(labelled) > _FEW and set(map(id, element.built())).issuperset(map(id, labelled)):
                _move_out(element, _is_labelled_field)
        elif role.items or role.item or role.field:
            is_item = role.item and not role.items
            _move_out(element, partial(_is_foreign, any_label=_is_of_plain_field(element), is_item=is_item))


def _is_labelled_field(element: Element) -> bool:
    """A field of the record itself, by its class and a label of the registry; a group's own fields have other labels."""
    if element.source_field is not None:
        return element.role.field and element.source_field.known is not None
    return element.role.field and any(known(_own_text(label)) for label in _labels_of(element))


def _labels_of(field: Element) -> list[Element]:
    """The elements of a field that are labels by their class, else its first child where that is no item."""
    elements = field.elements
    return [child for child in elements if child.role.label] or [child for child in elements[:1] if child.role.is_blank]


def _is_foreign(child: Element, *, any_label: bool, is_item: bool) -> bool:
    """Whether a field or item can't have this child: a field of the record itself, or any where items have no fields.

    `any_label`: items have no fields; `is_item`: the next item can't be in it either.
    """
    labelled = any_label and child.role.field and (child.source_field or _labels_of(child))
    return bool(labelled) or (is_item and child.role.item and not child.role.field) or _is_labelled_field(child)


def _is_of_plain_field(element: Element) -> bool:
    """Whether a field, or that of an item, has values without fields, as a listed label tells that is no group's."""
    field = element.parent if element.role.item or element.role.items else element
    while field is not None and not field.role.field:
        field = field.parent
    entries = [known(_own_text(label)) for label in (_labels_of(field) if field is not None else ())]
    return any(entry is not None and entry.type is not Type.GROUP for entry in entries)


def _own_text(label: Element) -> str:
    """The label's text before any element that it may have swallowed."""
    return label.line() or next((child for child in label.children if isinstance(child, str) and not child.isspace()), "")


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
