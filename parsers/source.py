"""Reads plain fields from their source: a label and values of one text, link, time or simple prose each, as in most fields.

Lexbor writes a source with every tag closed, every value quoted and no `<` in a text, so that a pattern can match all of it.
Results are cached by source, because many (a status, a provider, the form's instructions, an empty field) repeat. `tree.build`
asks for these fields and leaves their elements unbuilt; whether such an element really is a field of its page is for
`patterns.field_of` to decide.
"""

import re
from functools import lru_cache
from html import unescape

from selectolax.lexbor import LexborHTMLParser

from parsers.columns import BODY
from parsers.items import read_value
from parsers.record import Value
from parsers.registry import group_table, is_instructions, is_member, label_of
from parsers.roles import BYLINE_FIELDS, NONE, Role, role_of
from parsers.scalars import cached_short
from parsers.tree import Element, SourceField, build, one_line
from parsers.urls import absolute, origin_of

NOTICE = "this website is under construction"
MAX_LABEL = 300  # characters of an element whose class marks it as a label, or of a label that is read from its source
_SHORT_SOURCE, _MAX_SOURCE = 1500, 20_000
"""Characters; nearly every plain field has under 500, and is read once. Longer ones are left to the general rules."""
_ATTRIBUTES = r'(?: [^\s"<>=/]++="[^"]*+")*+'
_INSIDE = r"[^<]*+(?:<(?!/?div\b)[^<]*+)*+"
_LABEL_TAGS = ("div", "h2", "h3", "h4", "span", "strong")
_FIELD = re.compile(rf"<div({_ATTRIBUTES})>\s*+<({'|'.join(_LABEL_TAGS)})({_ATTRIBUTES})>([^<]*+)</\2>\s*+(.*)</div>", re.DOTALL)
_WRAPPING_DIV = re.compile(rf"<div({_ATTRIBUTES})>\s*+(<div.*)</div>\s*+", re.DOTALL)
_ITEM = re.compile(rf"<div({_ATTRIBUTES})>({_INSIDE})</div>\s*+")
_INLINE = re.compile(rf"\s*+<(a|time|p)({_ATTRIBUTES})>([^<]*+)</\1>\s*+")
_PROSE = re.compile(rf"[^<]*+(?:<(?:/?(?:p|ul|ol|li|strong|em|b|i|u|time)|br|time{_ATTRIBUTES})>[^<]*+)*+")
_PERSON = ('Person"', ' rel="', "vcard", "v-card", "h-card", "author", "itemprop")
"""Markup that may mark a value as a person (`items`)."""
_FROM_ANYWHERE = re.compile(r"(?:/.*|[a-z][a-z0-9+.-]*:.*)?", re.IGNORECASE | re.DOTALL)
"""A link that is the same on every page of a host. Any other is relative to the page's own address, and not plain."""


class SourceReader:
    """Finds the plain fields of one page while its tree is built. `base`: the base URL of the page's relative links."""

    def __init__(self, base: str | None) -> None:
        self._origin = origin_of(base) if base else None
        self._off = bool(base) and self._origin is None
        self._beside: Element | None = None

    def __call__(self, element: Element) -> SourceField | None:
        """Reads a `div` as a plain field: by its classes; without classes, by its known label or beside such a field."""
        role = element.role
        if self._off:
            return None
        if role.field:
            if role.part != "field" or role.name is None or role.name == BODY or role.name in BYLINE_FIELDS or role.aside:
                return None
        elif element.has_attributes:
            return None
        elif element.parent is not self._beside:  # then the first thing inside must be a known label, of the page or of a group
            first = element.node.first_child
            while first is not None and first.tag == "-text" and (first.text_content or "").isspace():
                first = first.next
            text = first.first_child if first is not None and first.tag in _LABEL_TAGS else None
            label = one_line(text.text_content or "") if text is not None and text.tag == "-text" else ""
            if label_of(label) is None and not is_member(label, None):
                return None
        source = element.node.html or ""
        if len(source) > _MAX_SOURCE:
            return None
        found = (_read_once if len(source) <= _SHORT_SOURCE else _read)(source, self._origin)
        if found is not None and not role.field:
            self._beside = element.parent
        return found


def _read(source: str, origin: str | None) -> SourceField | None:
    """Reads the field in an element's source, if it is plain. `origin`: scheme and host of root-relative links, if known."""
    found = _FIELD.fullmatch(source)
    if found is None or any(mark in source for mark in _PERSON):
        return None
    role, look, items = _read_role(found[1]), _read_role(found[3]), found[5]
    classed = role.part == "field" and not role.label_hidden
    if classed:
        labels = look.part == "label" or (look.is_blank and (bool(items) or role.label_shown))
    else:
        labels = role is NONE and (not look.look or look.part == "label")
    label = (text_of(found[4]) or "").rstrip(": *")
    if not labels or not label or len(label) > MAX_LABEL or (items and group_table(label) is not None):
        return None
    values = _read_values(items, origin, role if classed else None)
    opens_section = role.markup or is_instructions(label)
    if values is None or (len(values) > 1 and opens_section):
        return None  # several values of instructions are one text
    entry = label_of(label)
    if not (classed or items or (entry and found[2] not in ("span", "strong"))):
        return None  # a lone line that is not a known label may be anything, and one in an inline element is a line of text
    filled = tuple(value for value in values if value.text) or (Value(),)
    return SourceField(label, role.name, ("div", found[2], look.look), filled, entry, not items, opens_section)


_read_once = lru_cache(4096)(_read)


def _read_values(source: str, origin: str | None, field: Role | None) -> list[Value] | None:
    """Returns the values of a field's items; None if they contain anything else. `field`: the role of a field with classes."""
    wrapper = _WRAPPING_DIV.fullmatch(source) if source.startswith("<div") else None
    role = _read_role(wrapper[1]) if wrapper is not None else NONE
    wrapped = role.items and role.name in (None, field.name) if field is not None else wrapper is not None and not wrapper[1]
    if wrapper is not None and wrapped:
        source = wrapper[2]
    values: list[Value] = []
    at = 0
    while found := _ITEM.match(source, at):
        role = _read_role(found[1])
        value = _read_value(found[2], origin) if (role.part == "item" if field is not None else role.is_blank) else None
        if value is None or (field is None and label_of(value.text) is not None):
            return None  # without classes, what is spelled like a label may be one
        values.append(value)
        at = found.end()
    return values if at == len(source) and (field is not None or wrapped or len(values) < 2) else None


def _read_value(inside: str, origin: str | None) -> Value | None:
    """Reads an item's value: empty, a text, the text of one link, time or paragraph, or lines of text that may include times."""
    if "<" not in inside:
        text = text_of(inside)
        return None if text is None else Value(text)
    if found := _INLINE.fullmatch(inside):
        tag, attributes, printed = found.groups()
        text, href = text_of(printed), _value_in(attributes, "href")
        if not text or not _read_role(attributes).is_blank or (tag == "a" and not _FROM_ANYWHERE.fullmatch(href or "")):
            return None
        stamp = _value_in(attributes, "datetime") or _value_in(attributes, "content") or ""
        return Value(text, absolute(href, origin) if tag == "a" else None, (stamp.strip() or None) if tag == "time" else None)
    body = LexborHTMLParser(inside).body if _PROSE.fullmatch(inside) else None
    if body is None:
        return None
    root = build(body)
    lines = [line for element in (root, *root.descendants()) if (line := element.line())]
    lines += [one_line(text) for text in root.walk() if isinstance(text, str)]
    return None if any(label_of(line) or line.lower().startswith(NOTICE) for line in lines) else read_value([root], origin)


def text_of(source: str) -> str | None:
    """Returns the text of a source in one line; None if it contains markup."""
    text = one_line(unescape(source) if "&" in source else source)
    return None if text.lower().startswith(NOTICE) else text


@cached_short
def _read_role(attributes: str) -> Role:
    """Returns the role of an element with these attributes; cached, because a theme prints the same few again and again."""
    classes = _value_in(attributes, "class")
    return role_of(classes) if classes else NONE


_ATTRIBUTE = {name: re.compile(rf' {name}="([^"]*)"') for name in ("class", "href", "datetime", "content")}


def _value_in(attributes: str, name: str) -> str | None:
    """Returns an attribute's value; None if there is none."""
    found = _ATTRIBUTE[name].search(attributes)
    return unescape(found[1]) if found else None
