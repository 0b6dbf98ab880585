"""What an element's classes say of its role in a field, in the words of Drupal's themes (DOMAIN.md, "The two forms")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_BEFORE = r"(?:[\w-]*[\w](?:__|--|-))?"
_LABEL = re.compile(_BEFORE + "label")
_ITEM = re.compile(_BEFORE + "item")
_ITEMS = re.compile(_BEFORE + "items")
_FIELD = re.compile(r"field--(?:name|type)-[\w-]+|field|field-name-[\w-]+")
_NAME = re.compile(r"field(?:--|-)name-([\w-]+)")


@dataclass(frozen=True, slots=True)
class Role:
    """The tokens of a class attribute, whether they name a field, a label, an item or items, and the field's machine name."""

    classes: tuple[str, ...] = ()
    field: bool = False
    label: bool = False
    item: bool = False
    items: bool = False
    name: str | None = None


NONE = Role()


@lru_cache(maxsize=8192)
def role_of(attribute: str) -> Role:
    """The role that a class attribute gives. A site has a few hundred different ones, so each is read once."""
    tokens = tuple(attribute.split())
    name = next((found[1] for token in tokens if (found := _NAME.fullmatch(token))), None)
    return Role(
        classes=tokens,
        field=any(map(_FIELD.fullmatch, tokens)),
        label=any(map(_LABEL.fullmatch, tokens)),
        item=any(map(_ITEM.fullmatch, tokens)),
        items=any(map(_ITEMS.fullmatch, tokens)),
        name=name.replace("-", "_") if name else None,
    )
