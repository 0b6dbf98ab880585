"""What an element's classes say of its role in a field, in the words of Drupal's themes (DOMAIN.md, "The two forms")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, get_args

TEASERS = frozenset(("teaser", "node--view-mode-teaser", "view-mode-teaser", "node-teaser", "search-result", "search_index"))
HIDDEN = frozenset(("visually-hidden", "sr-only", "usa-sr-only", "element-invisible", "hidden", "visuallyhidden", "invisible"))
BYLINE_FIELDS = frozenset(("uid", "created", "title", "user_picture"))
"""Machine names of the fields that stand in the line `Submitted by` itself (core's node templates)."""
_SKIPPED = frozenset(("contextual", "contextual-links", "contextual-region-links", "quickedit", "skip-link"))
_BEFORE = r"(?:[\w-]*[\w](?:__|--|-))?"
_LABEL = re.compile(_BEFORE + "label")
_ITEM = re.compile(_BEFORE + "item")
_ITEMS = re.compile(_BEFORE + "items")
_FIELD = re.compile(r"field--(?:name|type)-[\w-]+|field|field-name-[\w-]+")
_NAME = re.compile(r"field(?:--|-)name-([\w-]+)")


Part = Literal["field", "label", "item", "items", "paragraph"]


@dataclass(frozen=True)
class Role:
    """What the tokens of a class attribute say: whether they name a field, a label, an item or items, and the machine name.

    `skipped`: what an editor sees; `other`: a comment or the teaser of another record; `paragraph`: Drupal's nested kind of
    content; `dated`: a date as Drupal 7 prints it; `prose`: a field of formatted text; `text`: of that or of a line of text.
    """

    classes: tuple[str, ...] = ()
    field: bool = False
    label: bool = False
    item: bool = False
    items: bool = False
    name: str | None = None
    skipped: bool = False
    other: bool = False
    paragraph: bool = False
    dated: bool = False
    prose: bool = False
    text: bool = False

    @cached_property
    def look(self) -> tuple[str, ...]:
        """The classes in order, without those that hide."""
        return tuple(sorted(set(self.classes) - HIDDEN))

    @cached_property
    def silent(self) -> bool:
        """Whether the classes say nothing that a reader goes by."""
        return self == Role(self.classes)

    @cached_property
    def part(self) -> Part | None:
        """The part of a field that the classes name, if it is one only and they say nothing else of their element."""
        parts: list[Part] = [part for part in _PARTS if getattr(self, part)]
        return parts[0] if len(parts) == 1 and not (self.skipped or self.other or self.dated) else None


NONE = Role()
_PARTS: tuple[Part, ...] = get_args(Part)


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
        skipped=not _SKIPPED.isdisjoint(tokens),
        other=not TEASERS.isdisjoint(tokens) or "comment" in tokens,
        paragraph="paragraph" in tokens or _begins(tokens, "paragraph--"),
        dated=_begins(tokens, "date-display-"),
        prose=_begins(tokens, "field--type-text"),
        text=_begins(tokens, "field--type-text", "field--type-string"),
    )


def _begins(tokens: tuple[str, ...], *starts: str) -> bool:
    return any(token.startswith(starts) for token in tokens)
