"""The registry: what is known about the portal's labels and groups; the entries are in registry.toml, one each.

A label without an entry is read too: the registry is evidence for the readers, never a filter. To add a label, add an entry at
its usual place on the page, add an example page, and run `make docs` (CONTRIBUTING.md, "Add a label").
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from typing import NamedTuple

from parsers.scalars import cached_short

Type = Enum("Type", "TEXT REFERENCE REFERENCES YES_NO DATE RANGE MONEY POINT NUMBER GROUP INSTRUCTIONS")
"""How a field's printed values become column values."""


class Column(NamedTuple):
    """A column of `records`: its name, what it contains, and its heading on pages if the name in words is not clear enough."""

    name: str
    description: str
    heading: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A label's entry in registry.toml, which explains its keys. `order`: its usual place on the page, from 0."""

    text: str
    type: Type
    columns: tuple[Column, ...] = ()
    also: tuple[str, ...] = ()
    contact: bool = False
    generic: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    order: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """The entry in registry.toml, which explains its keys, for a group of nested fields with a table of its own."""

    item: str
    stem: str
    short: str
    words: frozenset[str]
    columns: tuple[tuple[str, str], ...]


_ENTRIES, WORDS = (tomllib.loads((files("parsers") / name).read_text("utf-8")) for name in ("registry.toml", "words.toml"))
LABELS = tuple(
    Label(
        text,
        Type[entry["type"].upper()],
        tuple(Column(name, **about) for name, about in entry.get("columns", {}).items()),
        **{name: tuple(entry.get(name, ())) for name in ("also", "generic", "instructions")},
        contact=entry.get("contact", False),
        order=order,
    )
    for order, (text, entry) in enumerate(_ENTRIES["labels"].items())
)
GROUPS = {
    table: Group(**entry | {"words": frozenset(entry["words"]), "columns": tuple(entry["columns"].items())})
    for table, entry in _ENTRIES["groups"].items()
}
"""The groups that have a table of their own, by the table's name."""

_INVISIBLE = "".join(map(chr, (0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF)))
_SPELLING = str.maketrans("‘’`“”–—\u00a0", "'''\"\"-- ", _INVISIBLE)  # spellings that themes change
_OTHER_LETTERS = re.compile(r"[^\x00-\x7f]+")
_NAME_LENGTH = 32  # characters of a field's machine name, `field_` included; Drupal's FieldStorageConfig::NAME_MAX_LENGTH


@cached_short
def label_key(label: str) -> str:
    """Returns a label without what themes change in it: case, spaces, quotes, dashes, a final colon or asterisk."""
    return " ".join(label.translate(_SPELLING).split()).casefold().rstrip(":").rstrip(" *").strip()


_BY_TEXT = {label_key(text): label for label in LABELS for text in (*label.also, label.text)}  # normalized
_GENERIC = frozenset(label_key(text) for label in LABELS for text in label.generic)  # labels that other pages have too
_BY_NAME = {f"field_{one.columns[0].name}": one for one in LABELS if len(one.columns) == 1 or one.type is Type.MONEY} | {
    re.sub(r"[^a-z0-9]+", "_", label_key(text)).strip("_")[:length].strip("_"): label  # as Drupal's form proposes it
    for label in reversed(LABELS)
    for text in (*label.also, label.text)
    for length in (_NAME_LENGTH, _NAME_LENGTH - len("field_"))
}


@cached_short
def label_of(label: str | None) -> Label | None:
    """Returns the entry of a printed label; None if the label is not known."""
    return _BY_TEXT.get(label_key(label)) if label else None


def count_labels(text: str) -> int:
    """Returns how many of the labels' spellings a text contains anywhere; without one, no reader finds a label in it."""
    spelled = " ".join(_OTHER_LETTERS.sub(lambda found: found[0].translate(_SPELLING), text).split()).casefold()
    return sum(label in spelled for label in _BY_TEXT)


@cached_short
def label_named(name: str | None) -> Label | None:
    """Returns the entry for a field's machine name, which matches one of the label's texts, or its column."""
    return _BY_NAME.get(name) or _BY_NAME.get(name.removeprefix("field_").strip("_")) if name else None


@cached_short
def is_instructions(label: str) -> bool:
    """Whether a field with this label or machine name contains instructions and opens a section (DESIGN.md, `fields.section`)."""
    entry = label_of(label) or label_named(label)
    return (entry is not None and entry.type is Type.INSTRUCTIONS) or bool(re.search(r"(?i)(?:\b|_)markup(?:\b|_)", label))


@cached_short
def is_distinctive(label: str) -> bool:
    """Whether only TTA records have this label."""
    return label_of(label) is not None and label_key(label) not in _GENERIC


@cached_short
def section_of_instruction(line: str) -> str | None:
    """Returns the label of the section whose fixed text this line begins with; None for any other text."""
    spelled = re.sub(r"^\d+\.\s*", "", label_key(line))
    return next((label.text for label in LABELS if label.instructions and spelled.startswith(label.instructions)), None)


_NOT_BEFORE = "number|count|total|no|of|per|for|with|date|status|type|add|next|previous|any|has|have|is|are|did|the"
"""Words that make a label with a group's noun a question about the group, or the name of a single value."""
_BEFORE = rf"(?:(?!(?:{_NOT_BEFORE})\b)[a-z&']+[ /-]+){{0,3}}"  # up to three words before a group's noun
_AFTER = r"(?: ?\(e?s\))?(?: (?:items?|groups?|list|paragraphs?|refs?|references?|#?\d{1,3}))*(?: \([^()]{1,40}\))?"
_AND = r"(?: ?(?:and|&|/) ?[a-z]+){0,2}"  # "Milestones and Deliverables"
_MAX_GROUP_LABEL = 80  # characters; a longer line with the noun is a sentence
_GROUP_LABEL = {
    table: re.compile(rf"{_BEFORE}(?:{one.stem}|(?:{one.stem}|{one.short})s{_AND}){_AFTER}") for table, one in GROUPS.items()
}
_MEMBER_LABEL = {table: re.compile(rf"(?:{one.stem}|{one.short})(?: |'s )(?=\S)") for table, one in GROUPS.items()}


def _words(label: str) -> str:
    """Returns the words of a label or a machine name."""
    return label_key(label if " " in label else re.sub("[_-]", " ", re.sub("^field[_-]", "", label)))


@cached_short
def group_table(label: str | None) -> str | None:
    """Returns the table of the group that "TTA Milestones", "Milestone(s)", `field_metrics_ref` etc. name, or None."""
    spelled = _words(label or "")
    if not spelled or len(spelled) > _MAX_GROUP_LABEL or is_instructions(spelled):
        return None
    return next((table for table, pattern in _GROUP_LABEL.items() if pattern.fullmatch(spelled)), None)


@cached_short
def group_of_paragraph(paragraph: str | None) -> str | None:
    """Returns the group's table for a paragraph type, with or without `paragraph--type--`: `milestone`, `tta-metric`."""
    kind = (paragraph or "").lower().removeprefix("paragraph--type--").replace("-", "_")
    last = kind.rpartition("_")[2]
    return group_table(kind) or next((table for table, group in GROUPS.items() if group.short == last), None)


@cached_short
def member_table(label: str | None) -> str | None:
    """Returns the table of the group whose members have labels like this one: "Milestone Title" is a field of a milestone."""
    spelled = _words(label or "")
    if label_of(label) or group_table(label) or is_instructions(spelled):
        return None
    return next((table for table, pattern in _MEMBER_LABEL.items() if pattern.match(spelled)), None)


def is_member(label: str, table: str | None) -> bool:
    """Whether a label is one of the fields of a group's items. `table`: the group's table, if known."""
    return member_table(label) is not None or (table is not None and label_key(label) in GROUPS[table].words)


_MEMBER_LINE = re.compile(r"(?!.* (?:Information|Details|Section)\b)[A-Z]\w*(?: [A-Z(][\w()/&-]*| of| and| or){0,6}:?", re.ASCII)


def is_member_line(line: str) -> bool:
    """Whether a line of text is a member's label of any group, in form (capitalized words, not a sentence) and wording."""
    is_one = _MEMBER_LINE.fullmatch(line) is not None and line.count(line.split(" ", 1)[0]) == 1
    return is_one and any(is_member(line, table) for table in GROUPS)


def group_of_members(labels: Iterable[str | None]) -> str | None:
    """Returns the table of the group that uses these labels: one begins with the group's noun, or two are among its words."""
    spelled = [label_key(label) for label in labels if label]
    named = next((table for label in spelled if (table := member_table(label))), None)
    return named or next((table for table, group in GROUPS.items() if len(group.words.intersection(spelled)) > 1), None)


@cached_short
def group_of_member(label: str) -> str | None:
    """Returns the items' name for a group without a printed label, from a member's label: "Milestone" from "Milestone Title"."""
    return GROUPS["milestones"].item if member_table(label) == "milestones" else None
