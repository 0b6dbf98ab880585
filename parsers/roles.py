"""What an element's classes say of its role in a page, in the words of Drupal's themes (DOMAIN.md, "The two forms")."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, get_args

from parsers.registry import WORDS

TEASERS, HIDDEN = (frozenset(words.split()) for words in WORDS["whole_classes"].values())
BYLINE_FIELDS = frozenset(("uid", "created", "title", "user_picture"))
"""Machine names of the fields that belong to the title and the line `Submitted by` (core's node templates)."""
_NAME = re.compile(r"(?:\w-)?field(?:--|-)name-([\w-]+)")
_DISPLAY = re.compile(r"(?:[\w-]*\w(?:__|--|-))?label(?:--|-)(?:(hidden)|above|inline|visually[-_]hidden)")
_PARAGRAPH_TYPE = re.compile(r"paragraph--type--([\w-]+)")
_FLAGS = {flag: re.compile("|".join(patterns)) for flag, patterns in WORDS["classes"].items()}
"""What one token of a class attribute must be spelled like, for each flag of `Role`."""

Part = Literal["field", "label", "item", "items", "paragraph"]


@dataclass(frozen=True)
class Role:
    """What the tokens of a class attribute say; the flags are explained in words.toml.

    `name`: Drupal's machine name; `bundle`: the type of a paragraph; `label_shown`, `label_hidden`: where the classes show it.
    """

    classes: tuple[str, ...] = ()
    field: bool = False
    label: bool = False
    item: bool = False
    items: bool = False
    name: str | None = None
    skipped: bool = False
    other: bool = False
    aside: bool = False
    views: bool = False
    paragraph: bool = False
    bundle: str | None = None
    dated: bool = False
    prose: bool = False
    text: bool = False
    markup: bool = False
    label_shown: bool = False
    label_hidden: bool = False

    @cached_property
    def look(self) -> tuple[str, ...]:
        """The classes in order, without those that hide."""
        return tuple(sorted(set(self.classes) - HIDDEN))

    @cached_property
    def silent(self) -> bool:
        """Whether the classes say nothing that a reader goes by."""
        return self == Role(self.classes)

    @cached_property
    def _parts(self) -> list[Part]:
        return [part for part in get_args(Part) if getattr(self, part)]

    @cached_property
    def part(self) -> Part | None:
        """The part of a field that the classes name, if it is one only and they say nothing else of their element."""
        return self._parts[0] if len(self._parts) == 1 and not (self.skipped or self.other or self.dated) else None

    @cached_property
    def is_blank(self) -> bool:
        """Whether the classes name no part of a field and nothing that is left out."""
        return not (self._parts or self.skipped or self.other or self.aside)


NONE = Role()


@lru_cache(maxsize=8192)
def role_of(attribute: str) -> Role:
    """The role that a class attribute gives. A site has a few hundred different ones, so each is read once."""
    tokens = tuple(attribute.split())
    name = next((found[1] for token in tokens if (found := _NAME.fullmatch(token))), None)
    displays = [found for token in tokens if (found := _DISPLAY.fullmatch(token))]
    flags = {flag: any(map(pattern.fullmatch, tokens)) for flag, pattern in _FLAGS.items()}
    flags["other"] |= not TEASERS.isdisjoint(tokens)
    if flags["field"]:
        flags["aside"] = name in ("links", "user-picture")
    return Role(
        classes=tokens,
        name=name.replace("-", "_") if name else None,
        bundle=next((found[1] for token in tokens if (found := _PARAGRAPH_TYPE.fullmatch(token))), None),
        label_shown=flags["field"] and any(not found[1] for found in displays),
        label_hidden=flags["field"] and any(found[1] for found in displays),
        **flags,
    )
