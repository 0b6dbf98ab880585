"""Plain fields: a label and values of one text, link or time each, as Drupal's themes print most of a record's fields.

They are read from their source as lexbor writes it: every tag closed, every value quoted, no `<` in a text. So a pattern knows
all that stands there, and a source that came before (a status, a provider, an empty field) is read once. A field that is anything
more is not plain: `html` reads it by its shape, and would read a plain one as the same (tests/test_straight.py holds this).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape

from parsers.cache import MAX_SOURCE, cached_short, cached_source
from parsers.columns import BODY, Run, read_run
from parsers.head import NOTICE
from parsers.items import Value
from parsers.registry import group_of_member, group_table, is_instructions, known
from parsers.roles import NONE, Role, role_of
from parsers.tree import one_line
from parsers.urls import absolute

_MAX_LABEL = 300
_ATTRIBUTES = r'(?: [^\s"<>=/]++="[^"]*+")*+'
_INSIDE = r"(?:[^<]|<(?!/?div\b))*+"
_LEAF = rf"<div{_ATTRIBUTES}>{_INSIDE}</div>"
_SIMPLE = rf"<div{_ATTRIBUTES}>(?:\s*+{_LEAF})*+(?:\s*+<div{_ATTRIBUTES}>(?:\s*+{_LEAF})++\s*+</div>)?\s*+</div>"
_FIELD = re.compile(rf"<div({_ATTRIBUTES})>\s*+<div({_ATTRIBUTES})>([^<]*+)</div>\s*+(.*)</div>", re.DOTALL)
_WRAPPER = re.compile(rf"<div({_ATTRIBUTES})>\s*+(<div.*)</div>\s*+", re.DOTALL)
_ITEM = re.compile(rf"<div({_ATTRIBUTES})>({_INSIDE})</div>\s*+")
_PARAGRAPH = re.compile(rf"<div({_ATTRIBUTES})>\s*+<div({_ATTRIBUTES})>\s*+((?:{_SIMPLE}\s*+)++)</div>\s*+</div>\s*+")
_ONE_FIELD = re.compile(_SIMPLE)
_INLINE = re.compile(rf"\s*+<(a|time|p)({_ATTRIBUTES})>([^<]*+)</\1>\s*+")
_RANGE = re.compile(rf"\s*+<time({_ATTRIBUTES})>([^<]*+)</time>([^<]++)<time({_ATTRIBUTES})>([^<]*+)</time>\s*+")
_FROM_ANYWHERE = re.compile(r"(?:/.*|[a-z][a-z0-9+.-]*:.*)?", re.IGNORECASE | re.DOTALL)
"""A link that is the same on every page of a host. Any other starts from the page's own address, and is left to `html`."""


@dataclass(frozen=True, slots=True)
class PlainField:
    """A field as `shape.Block` has it, with its values read: those with a text, or one without where there are none.

    `run` is what the values make of the record's columns, where the label is known.
    """

    label: str
    name: str | None
    values: tuple[Value, ...]
    instructions: bool
    member_of: str | None
    run: Run | None


@dataclass(frozen=True, slots=True)
class PlainGroup:
    """A group whose items are paragraphs of plain fields."""

    label: str
    name: str | None
    items: tuple[tuple[PlainField, ...], ...]


Plain = PlainField | PlainGroup


def plain_field(label: str, name: str | None, values: Sequence[Value]) -> PlainField:
    """A field of these values, of which some or all may be empty."""
    filled = tuple(value for value in values if value.text)
    entry = known(label)
    run = read_run(entry, [(value.text, value.datetime) for value in filled], labelled=True) if entry else None
    return PlainField(label, name, filled or (Value(),), is_instructions(label), group_of_member(label), run)


_instructions: dict[str, PlainField] = {}
_MAX_INSTRUCTIONS = 256


def instructions_before(source: str) -> PlainField | None:
    """The form's fixed instructions with that source, which stand on page after page, if they were read before."""
    return _instructions.get(source)


def instructions_field(source: str, label: str, name: str | None, text: str) -> PlainField:
    """A field of instructions, kept for `instructions_before`."""
    read = plain_field(label, name, [Value(text)])
    if len(_instructions) < _MAX_INSTRUCTIONS and len(source) <= MAX_SOURCE:
        _instructions[source] = read
    return read


def label_of(source: str) -> tuple[str, str] | None:
    """Label and machine name of a field by its source, where its classes tell both and the label is one short line."""
    found = _FIELD.fullmatch(source)
    return _named(found) if found else None


def _named(found: re.Match[str]) -> tuple[str, str] | None:
    role = _role(found[1])
    if role.part != "field" or role.name is None or _role(found[2]).part != "label":
        return None
    label = text_of(found[3])
    return (label, role.name) if label and len(label) <= _MAX_LABEL else None


@cached_source
def read_plain(source: str, origin: str | None) -> Plain | None:
    """The field of an element with that source, if its classes say that it is one and it is plain.

    `origin`: scheme and host that links from the root start from, None where they are not known.
    """
    found = _FIELD.fullmatch(source)
    named = _named(found) if found else None
    if found is None or named is None or named[1] == BODY:
        return None
    label, name = named
    items = found[4]
    is_group = group_table(label) is not None
    if is_group and not items:
        return PlainGroup(label, name, ())
    if items.startswith("<div") and (wrapper := _WRAPPER.fullmatch(items)) and _role(wrapper[1]).part == "items":
        items = wrapper[2]
    values = None if is_group else _values(items, origin)
    instructions = is_instructions(label)
    if values is not None:
        return plain_field(label, name, values) if len(values) < 2 or not instructions else None  # they are one text
    groups = _groups(items, origin) if not (_role(found[1]).text or instructions) else None
    return PlainGroup(label, name, groups) if groups else None


def _values(source: str, origin: str | None) -> list[Value] | None:
    """The values of a field's items; None where anything else stands among them."""
    values: list[Value] = []
    at = 0
    while found := _ITEM.match(source, at):
        value = value_of(found[2], origin) if _role(found[1]).part == "item" else None
        if value is None or (values and known(values[-1].text)):
            return None  # a value that is spelled like a label, with others after it, would count as one
        values.append(value)
        at = found.end()
    return values if at == len(source) else None


def _groups(source: str, origin: str | None) -> tuple[tuple[PlainField, ...], ...] | None:
    """The fields of each item, where an item is one paragraph."""
    groups: list[tuple[PlainField, ...]] = []
    at = 0
    while found := _PARAGRAPH.match(source, at):
        if _role(found[1]).part != "item" or _role(found[2]).part != "paragraph":
            return None
        blocks = [read_plain(one, origin) for one in _ONE_FIELD.findall(found[3])]
        fields = tuple(block for block in blocks if isinstance(block, PlainField))
        if len(fields) < len(blocks):
            return None
        groups.append(fields)
        at = found.end()
    return tuple(groups) if at == len(source) else None


def value_of(inside: str, origin: str | None) -> Value | None:
    """The value of an item: nothing, a text, the text of one link, time or paragraph, a range of times, or lines of text."""
    if "<" not in inside:
        text = text_of(inside)
        return None if text is None else Value(text)
    found = _INLINE.fullmatch(inside)
    if found is None:
        return _range(inside) or _lines(inside)
    tag, attributes, printed = found.groups()
    text = text_of(printed)
    if not text or not _role(attributes).silent:
        return None
    if tag == "a":
        href = _attribute(attributes, "href")
        return Value(text, absolute(href, origin)) if _FROM_ANYWHERE.fullmatch(href or "") else None
    return Value(text, None, _stamp(attributes) or None) if tag == "time" else Value(text)


def _range(inside: str) -> Value | None:
    """Two times and the text between them."""
    found = _RANGE.fullmatch(inside)
    if found is None or not (_role(found[1]).silent and _role(found[4]).silent):
        return None
    between = unescape(found[3])
    start, dash, end = text_of(found[2]), one_line(between), text_of(found[5])
    if not start or not dash or not end or known(start) or known(end) or not (between[0].isspace() and between[-1].isspace()):
        return None
    stamps = _stamp(found[1]), _stamp(found[4])
    return Value(f"{start} {dash} {end}", None, "/".join(stamps) if any(stamps) else None)


def _lines(inside: str) -> Value | None:
    """Texts with line breaks between them."""
    pieces: list[str] = []
    breaks = 0
    for number, part in enumerate(inside.split("<br>")):
        if "<" in part:
            return None
        breaks = min(2, breaks + 1) if number else 0
        if line := one_line(unescape(part)):
            pieces += ["\n" * breaks if pieces else "", line]
            breaks = 0
    return Value("".join(pieces))


def text_of(source: str) -> str | None:
    """A text in one line; None for one that means more."""
    text = one_line(unescape(source) if "&" in source else source)
    return None if text.lower().startswith(NOTICE) else text


@cached_short
def _role(attributes: str) -> Role:
    """The role of an element with these attributes, which are few: a theme prints the same ones again and again."""
    classes = _attribute(attributes, "class")
    return role_of(classes) if classes else NONE


_ATTRIBUTE = {name: re.compile(rf' {name}="([^"]*)"') for name in ("class", "href", "datetime", "content")}


def _attribute(attributes: str, name: str) -> str | None:
    """An attribute's value; None where there is none."""
    found = _ATTRIBUTE[name].search(attributes)
    return unescape(found[1]) if found else None


def _stamp(attributes: str) -> str:
    return (_attribute(attributes, "datetime") or _attribute(attributes, "content") or "").strip()
