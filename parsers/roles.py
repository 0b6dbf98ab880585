"""Determines an element's role in a page from its classes, as Drupal's themes name them (DOMAIN.md, "The two forms")."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from parsers.registry import WORDS

TEASERS, HIDDEN, FULL, ASIDES = (frozenset(words.split()) for words in WORDS["whole_classes"].values())
BYLINE_FIELDS = frozenset(("uid", "created", "title", "user_picture"))
"""Machine names of the fields in the title and the line `Submitted by` (core's node templates)."""
_NAME = re.compile(r"(?:\w-)?field(?:--|-)name-(\w[\w-]*)")
_DISPLAY = re.compile(r"(?:[\w-]*\w(?:__|--|-))?label(?:--|-)(?:(hidden)|above|inline|visually[-_]hidden)")
_PARAGRAPH_TYPE = re.compile(r"paragraph--type--([\w-]+)")
_FLAGS = {flag: re.compile("|".join(patterns)) for flag, patterns in WORDS["classes"].items()}
"""The pattern of a token of a class attribute, for each flag of `Role`."""

Part = Literal["field", "label", "item", "items", "paragraph"]


@dataclass(frozen=True, slots=True)
class Role:
    """What the tokens of a class attribute mean; the flags are explained in words.toml.

    `name`: Drupal's machine name; `bundle`: the type of a paragraph; `label_shown`, `label_hidden`: where the classes show it.
    `look`: the classes in order, without those that hide; `part`: the part of a field that they name, if it is only one and they
    mean nothing else; `is_blank`: they name neither a part of a field, nor a date, nor anything that is left out.
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
    heading: bool = False
    title: bool = False
    byline: bool = False
    author: bool = False
    date: bool = False
    label_shown: bool = False
    label_hidden: bool = False
    look: tuple[str, ...] = ()
    part: Part | None = None
    is_blank: bool = True


NONE = Role()


@lru_cache(maxsize=8192)
def role_of(attribute: str) -> Role:
    """Returns the role of a class attribute. A site has a few hundred different ones, so results are cached."""
    tokens = tuple(attribute.split())
    name = next((found[1] for token in tokens if (found := _NAME.fullmatch(token))), None)
    displays = [found for token in tokens if (found := _DISPLAY.fullmatch(token))]
    flags = {flag: any(map(pattern.fullmatch, tokens)) for flag, pattern in _FLAGS.items()}
    flags["other"] |= not TEASERS.isdisjoint(tokens)
    flags["paragraph"] &= not displays  # otherwise it is one of a paragraph's fields
    if flags["field"] and name:
        flags["aside"] = name in ("links", "user-picture")
    parts = [part for part in get_args(Part) if flags[part]]
    is_more = flags["skipped"] or flags["other"] or flags["dated"]
    is_shown = flags["field"] and any(not found[1] for found in displays)
    is_one = len(parts) == 1 or (is_shown and not flags["label"])  # a field with a label is one whatever else it is called
    return Role(
        classes=tokens,
        look=tuple(sorted(set(tokens) - HIDDEN)),
        part=parts[0] if is_one and not is_more else None,
        is_blank=not (parts or is_more or flags["aside"]),
        name=name.replace("-", "_") if name else None,
        bundle=next((found[1] for token in tokens if (found := _PARAGRAPH_TYPE.fullmatch(token))), None),
        label_shown=is_shown,
        label_hidden=flags["field"] and any(found[1] for found in displays),
        **flags,
    )
