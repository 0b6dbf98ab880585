"""The nodes of one field to its values: which elements are items, and an item's text, link and time."""

from __future__ import annotations

import re

from parsers.patterns import has_field_class, is_item, is_items
from parsers.source import Value
from parsers.tree import Element, readable
from parsers.urls import absolute

_SEPARATORS = re.compile(r"(?:[\s,;|/&•·]|\band\b)*")
_NO_LIST = frozenset("table time img pre blockquote h1 h2 h3 h4 h5 h6".split())
_MAX_LINKED = 300
"""Characters; a file's link is followed by its size, but a link in prose is not what the value is."""
_DASHES = "-–—"


def items_of(nodes: list[Element | str]) -> list[list[Element | str]]:
    """The items among a field's value nodes, each as its own nodes; an empty list where the field has none."""
    content = [node for node in nodes if isinstance(node, Element) or not node.isspace()]
    if not content:
        return []
    if len(content) == 1 and isinstance(content[0], Element):
        only = content[0]
        if _wraps_items(only):
            return [item for child in only.content for item in items_of([child])]
        inner = only.content
        if is_item(only) and len(inner) == 1 and isinstance(inner[0], Element) and is_items(inner[0]):
            return items_of(inner)
        if len(inner) == 1 and isinstance(inner[0], Element) and inner[0].tag == "div" and not is_item(only):
            return items_of(inner)
        return _linked_items([only]) or [content]
    elements = [node for node in content if isinstance(node, Element)]
    if len(elements) == len(content) and _are_items(elements):
        return [item for element in elements for item in items_of([element])]
    return _linked_items(content) or [content]


def _are_items(elements: list[Element]) -> bool:
    if all(is_item(element) or is_items(element) for element in elements):
        return True
    return len({element.tag for element in elements}) == 1 and elements[0].tag in ("div", "dd", "li")


def _wraps_items(element: Element) -> bool:
    """An element of items: its class says so, or it holds nothing but list items or bare `div`s (core's template for several)."""
    children = element.elements
    if not children or element.has_own_text():
        return False
    if is_items(element):
        return True
    if is_item(element) or has_field_class(element):
        return False
    if element.tag in ("ul", "ol"):
        return all(child.tag == "li" for child in children)
    return element.tag in ("div", "dd") and all(child.tag == "div" and not has_field_class(child) for child in children)


def _linked_items(nodes: list[Element | str]) -> list[list[Element | str]]:
    """The links of an item that holds nothing but links and separators between them; empty where it is anything else."""
    links: list[Element] = []
    outside: list[str] = []
    stack: list[Element | str] = nodes[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            outside.append(node)
        elif node.tag == "a":
            links.append(node)
            outside.append(" ")
        elif node.tag in _NO_LIST:
            return []
        else:
            stack.extend(reversed(node.children))
    if len(links) < 2 or not _SEPARATORS.fullmatch("".join(outside)):
        return []
    return [[link] for link in links]


def read_value(nodes: list[Element | str], base: str | None, *, prose: bool = False) -> Value:
    """One item's text, the address it links to where it is short and holds one link, and its times.

    `prose`: the nodes are no field's value; then a link counts only where it is all of them.
    """
    text = readable(nodes)
    links: list[Element] = []
    times: list[Element] = []
    for node in _all_elements(nodes):
        if node.tag == "a":
            links.append(node)
        elif node.tag == "time" or node.role.dated:
            times.append(node)
    href = None
    if len(links) == 1 and (readable(links) == text or (len(text) <= _MAX_LINKED and not prose)):
        href = absolute(links[0].attribute("href"), base)
    return Value(text, href, _datetime(times, text))


def _all_elements(nodes: list[Element | str]) -> list[Element]:
    found: list[Element] = []
    for node in nodes:
        if isinstance(node, Element):
            found.append(node)
            found += node.descendants()
    return found


def _datetime(times: list[Element], text: str) -> str | None:
    """The attribute of one `time`, or `start/end` of a range; a range that prints one end only keeps the slash on that side."""
    stamped = [(time, (time.attribute("datetime") or time.attribute("content") or "").strip()) for time in times]
    times = [time for time, stamp in stamped if stamp or time.tag == "time"]
    stamps = [stamp for time, stamp in stamped if stamp or time.tag == "time"]
    if not any(stamps) or len(stamps) > 2:
        return None
    if len(stamps) == 2:
        return "/".join(stamps)
    printed = readable(times)
    rest = text.replace(printed, "\0", 1).strip()
    if rest.startswith("\0") and rest[1:].strip() in tuple(_DASHES):
        return stamps[0] + "/"
    if rest.endswith("\0") and rest[:-1].strip() in tuple(_DASHES):
        return "/" + stamps[0]
    return stamps[0]
