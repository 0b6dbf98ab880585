"""Reads the values of one field from its nodes: which elements are items, and an item's text, link and time."""

import re

from parsers.record import Value
from parsers.registry import WORDS
from parsers.tree import Element, one_line, readable
from parsers.urls import absolute

_SEPARATORS, _AFTER_LINK, _NOTE = (re.compile(one, re.IGNORECASE) for one in WORDS["link_patterns"].values())
_MAX_LINKED = 300  # characters; a file's link is followed by its size, but a link in prose is not the value
_DASHES = ("-", "–", "—")  # between the ends of a range
_PERSON = re.compile(r"\bPerson\b|\bauthor\b|\bv-?card\b|\bh-card\b")
"""In the attributes of a person: RDFa and microdata (schema.org, FOAF), `rel="author"`, hCard and h-card."""
_PERSON_ATTRIBUTES = ("typeof", "itemtype", "rel", "itemprop", "property", "class")  # attributes that may match `_PERSON`


def items_of(nodes: list[Element | str]) -> list[list[Element | str]]:
    """Returns the items among a field's value nodes, each as its own nodes; an empty list if the field has none."""
    content = [node for node in nodes if isinstance(node, Element) or not node.isspace()]
    if len(content) == 1 and isinstance(content[0], Element):
        only = content[0]
        if _wraps_items(only):
            return [item for child in only.content for item in items_of([child])]
        inner = only.only
        if inner is not None and (inner.role.items if only.role.item else inner.tag == "div" and only.tag != "a"):
            return items_of([inner])
        return _linked_items([only]) or [content]
    elements = [node for node in content if isinstance(node, Element)]
    alike = len({one.tag for one in elements}) == 1 and elements[0].tag in ("div", "dd", "li")
    if len(elements) == len(content) and (alike or all(one.role.item or one.role.items for one in elements)):
        return [item for element in elements for item in items_of([element])]
    return _linked_items(content) or [content]


def _wraps_items(element: Element) -> bool:
    """Whether an element wraps items: by its class, or because it contains only list items or bare `div`s (core's template)."""
    children, role = element.elements, element.role
    if not children or element.has_own_text() or role.items or role.item or role.field:
        return role.items and bool(children) and not element.has_own_text()
    inside = {"ul": "li", "ol": "li", "div": "div", "dd": "div"}.get(element.tag)
    return all(child.tag == inside and not (child.role.field and inside == "div") for child in children)


def _linked_items(nodes: list[Element | str]) -> list[list[Element | str]]:
    """Returns the links of an item that contains nothing but links and separators between them; empty for any other item."""
    links: list[list[Element | str]] = []
    outside = ""
    stack = nodes[::-1]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            outside += node
        elif node.tag == "a":
            links.append([node])
            outside += " "
        else:
            stack.extend(reversed(node.children))
    return links if len(links) > 1 and _SEPARATORS.fullmatch(outside) else []


def read_value(nodes: list[Element | str], base: str | None, *, prose: bool = False) -> Value:
    """Reads one item: its text, the address it links to if it is short and contains one link, and its times.

    `prose`: the nodes are not a field's value; then a link counts only if it is all of the text. An item that contains another
    page's teaser is the link in its heading; one without text has the text of its picture, or the address of its file.
    """
    elements = [one for node in nodes if isinstance(node, Element) for one in (node, *node.descendants())]
    if not prose and (heading := next((one for one in elements if one.tag == "a" and one.attribute("rel") == "bookmark"), None)):
        nodes, elements = [heading], [heading]
    links = [node for node in elements if node.tag == "a"]
    text = _NOTE.sub("", readable(nodes)) if links else readable(nodes)
    times = [node for node in elements if node.tag == "time" or (node.role.dated and node.tag != "a")]
    href, linked = None, readable(links) if len(links) == 1 else ""
    if linked and not prose and text.startswith(linked) and _AFTER_LINK.fullmatch(text, len(linked)):
        text = linked
    if len(links) == 1 and (linked == text or (len(text) <= _MAX_LINKED and not prose)):
        href = absolute(links[0].attribute("href"), base)
    if text or prose:
        attributes = (pair for one in elements if one.has_attributes and not prose for pair in one.node.attributes.items())
        is_person = any(name in _PERSON_ATTRIBUTES and mark and _PERSON.search(mark) for name, mark in attributes)
        return Value(text, href, _datetime_attribute(times, text), is_person)
    for element in elements:
        if element.tag == "img" and (address := absolute(element.attribute("src"), base)):
            text = one_line(element.attribute("alt") or "") or one_line(element.attribute("title") or "")
            return Value(text or address, href or address)
    return Value()


def _datetime_attribute(times: list[Element], text: str) -> str | None:
    """Returns the attribute of one `time`, or `start/end` of a range; a range that prints only one end keeps the slash."""
    stamped = {time: (time.attribute("datetime") or time.attribute("content") or "").strip() for time in times}
    stamped = {time: stamp for time, stamp in stamped.items() if stamp or time.tag == "time"}
    stamps = list(stamped.values())
    if not any(stamps) or len(stamps) > 2:
        return None
    printed = readable(stamped) if len(stamps) == 1 else ""
    before, _, after = text.partition(printed) if printed else ("", "", "")
    is_start, is_end = after.strip() in _DASHES, before.strip() in _DASHES
    return "/" * (is_end and not after.strip()) + "/".join(stamps) + "/" * (is_start and not before.strip())
