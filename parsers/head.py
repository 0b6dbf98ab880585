"""Prepares a page before its fields are read: moves content out of unclosed elements, where classes show it, and finds what is
outside the fields: the title, the line `Submitted by NAME on DATE`, the site's notice.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser

from parsers.columns import BODY
from parsers.patterns import is_other_entity
from parsers.registry import Type, label_of
from parsers.roles import BYLINE_FIELDS
from parsers.scalars import iso_time, reference
from parsers.source import NOTICE
from parsers.tree import BLOCKS, Element, build, one_line, readable

_HEADINGS = "h1, .page-title, #page-title"
TITLES = ("h1", "h2", "h3")
_VERBS = ("submitted", "posted", "authored", "created")
BYLINE_WORDS = (*(f"{verb[1:]} by" for verb in _VERBS), "ubmitted on")
"""What a page with the line contains, without the first letter, which may be a capital. "Posted on" is news beside a record."""
_VERB = f"(?:{'|'.join(_VERBS)})"
_BYLINE = re.compile(rf"\s*(?:({_VERB})\s*(?:\s(?:by|on)\b|\Z)|by\b)", re.IGNORECASE)
_OFFSET = re.compile(r"[+-](?!00:?00)\d\d:?\d\d$")  # an offset other than UTC's
_DIGITS = re.compile(r"\d[\d\s/.:–-]+\d")
_MAX_NOTICE = 300  # characters of the site's notice with its wrappers
_MAX_BYLINE = 400  # characters
_BY_ON = re.compile(rf"(?:{_VERB} )?by:?\s*(?P<name>.*?)(?:\s*(?:,|\bon\b)\s*(?P<time>.*))?", re.IGNORECASE)
_ON_BY = re.compile(rf"{_VERB}(?: on)?:?\s*(?P<time>.*?)\s+by:?\s+(?P<name>.*)", re.IGNORECASE)
MAX_BEFORE_BYLINE, MAX_ABOVE_BYLINE = 120, 2000
"""Characters before the line `Submitted by`: in a record its title and the words beside a picture, never the body; in a page that
prints the line above the record, its head too."""
_MAX_ELEMENTS = 20  # headings, or siblings, that are examined: a page may have thousands
_FEW_KNOWN_FIELDS = 2  # that a body may quote; more of them were swallowed, because the body is not closed


def title_of(parsed: LexborHTMLParser, elements: list[Element]) -> tuple[str | None, list[Element]]:
    """Returns the title and those of `elements` that print it. Themes use `h1` differently, so the document's title decides."""
    document = document_title(parsed)
    nodes = parsed.css(_HEADINGS)[:_MAX_ELEMENTS]
    tags = {node.tag for node in nodes}
    inside = {one.node.mem_id: one for one in elements if one.tag in tags}
    headings = [inside.get(node.mem_id) or build(node) for node in nodes]
    for one in [one for one in elements if one.tag in TITLES][:_MAX_ELEMENTS]:
        links = [inner.attribute("rel") for inner in one.descendants() if inner.tag == "a"]
        is_first = not headings and document is not None and document.startswith(one.line() or "\n")  # as on print pages
        if one.tag == "h1" or is_first or links == ["bookmark"] or one.role.title:
            headings.append(one)
    found = [(text, heading) for heading in headings if (text := one_line(readable([heading])))]
    likely = [one for one, _ in found if document and document.startswith(one)] or [one for one, _ in found if reference(one)]
    named = document.rpartition(" | ")[0].strip() if document else ""  # without the site's name, as Drupal prints it
    first = named or (re.split(r"\s+[·»–—]\s+", document)[0].strip() if document else "")
    if not likely and (reference(first) or not found):
        return first or None, []
    heads = (text for text, heading in found if heading.tag == "h1")  # any other may be of comments, or of a block
    title = next(filter(None, likely or (named, *heads, first)), None)
    return title, [heading for text, heading in found if text == title]


class Byline(NamedTuple):
    element: Element | None = None
    name: str | None = None
    time: str | None = None
    has_offset: bool = False
    """The time is printed with an offset, so the page's other times in UTC are printed in another zone."""


def byline_of(root: Element, before: int = MAX_BEFORE_BYLINE) -> Byline:
    """Finds the line `Submitted by NAME on DATE`: the smallest block around those words, after at most `before` characters."""
    for start in _byline_starts(root, before):
        block = start
        while block.tag not in BLOCKS and block.parent is not None and block.parent is not root:
            block = block.parent
        text = one_line(readable([block]))
        found = _BY_ON.fullmatch(text) or _ON_BY.fullmatch(text)
        parts = _author_and_date(block)
        if block is root or len(text) > _MAX_BYLINE or not (found or parts or _is_signed(block) or iso_time(text)):
            continue
        inside = block.descendants()
        stamps = [node.attribute("datetime") for node in inside if node.tag == "time"]
        stamps += [node.attribute("content") for node in inside if "created" in (node.attribute("property") or "").lower()]
        stamps += [text for text in ([] if any(stamps) else block.walk()) if isinstance(text, str) and _time_in(text)]
        stamp = next(filter(None, stamps), None)
        lines = (inner.line() for inner in inside if inner.tag in ("span", "a", "strong", "em"))
        names = (line for line in lines if line and len(line) > 1 and iso_time(line) is None and not _BYLINE.match(line))
        name, time = parts or ((found["name"], found["time"]) if found else ("", text))
        name = ("" if parts else next(names, "")) or name  # an element's is the whole, which may contain the word "on"
        time = _time_in(stamp or "") or iso_time(time)
        if time is None and (around := block.parent) is not None and around is not root:  # its date may be beside it
            time = iso_time(readable([one for one in around.children if one is not block]))
            block = block if time is None else around
        name = name.strip(" ,|·•–-")
        return Byline(block, name if name.lower() not in ("", "on") else None, time, _OFFSET.search(stamp or "") is not None)
    return Byline()


def _byline_starts(root: Element, most: int) -> Iterator[Element]:
    """Yields elements whose own text begins the line, in page order; a bare `By` counts only if a class or a time is evidence."""
    before, is_below = 0, False
    pending = root.children[::-1]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            before += len(node.strip())
            continue
        if is_other_entity(node) or node.role.aside:
            continue
        is_field = node.source_field is not None or (node.role.field and node.role.name not in BYLINE_FIELDS)
        if is_field or before > most or label_of(node.line()) is not None:
            pending = [one for one in pending if isinstance(one, Element) and one.tag == "footer"]  # below the fields
            before, is_below = 0, True
            continue
        pending += reversed(node.children)
        if (begun := _BYLINE.match(own := next((child for child in node.content if isinstance(child, str)), ""))) is None:
            is_date = (node.role.byline or node.tag == "header") and iso_time(node.line())  # of the submission, without an author
            if not is_below and (is_date or ((own or node.role.byline) and _is_signed(node)) or _author_and_date(node)):
                yield node
            continue
        found = _BY_ON.fullmatch(one_line(readable([node])))
        is_dated = found is not None and iso_time(found["time"]) is not None
        beside = [one for one in (node.parent or node).children[:_MAX_ELEMENTS] if isinstance(one, Element)]
        if node.tag == "p" and sum(one.tag == "p" for one in beside) > 1 and not (begun[1] and is_dated):
            continue  # a body may begin with such a line too
        has_class = node.role.byline or (node.parent is not None and node.parent.role.byline)
        is_timed = any(one.tag == "time" for one in node.descendants()) or any(iso_time(one.line()) for one in beside)
        if begun[1] or is_dated or has_class or is_timed:
            yield node


def _author_and_date(element: Element) -> tuple[str, str] | None:
    """Returns the texts of an element that consists of an author and a date, by their classes; the date may have any form."""
    parts = [one for one in element.content[:3] if isinstance(one, Element) and not one.role.field]
    author, date = (next((one.line() for one in parts if getattr(one.role, kind)), None) for kind in ("author", "date"))
    return (author, date) if author and date and len(element.content) == 2 else None


def _time_in(text: str) -> str | None:
    """Returns the time that a text is, or that it contains in digits among words of another language."""
    found = _DIGITS.search(text)
    return iso_time(text) or (iso_time(found[0]) if found else None)


def _is_signed(element: Element) -> bool:
    """Whether a few elements inside are those of the line, in any language or without its words: an author and a time."""
    nodes = list(islice(element.walk(), _MAX_ELEMENTS * 2))
    inside = [one for one in nodes if isinstance(one, Element) and len(nodes) < _MAX_ELEMENTS * 2]
    is_named = any(one.role.name == "uid" or one.role.author or "/user/" in (one.attribute("href") or "") for one in inside)
    is_named |= element.parent is not None and element.parent.tag == "footer"
    has_words = any(isinstance(text, str) and _BYLINE.match(text) for text in nodes)
    return is_named and not has_words and any(one.tag == "time" if isinstance(one, Element) else _time_in(one) for one in nodes)


def detach_notice(root: Element, elements: list[Element]) -> None:
    """Removes the site's notice if a page without classes has it in its content (DOMAIN.md, "The page")."""
    for inner in elements:
        for text in inner.children if inner.source_field is None else ():
            if not isinstance(text, str) or "onstruction" not in text or not one_line(text).lower().startswith(NOTICE):
                continue
            notice = inner
            while (above := notice.parent) is not None and above is not root and len(readable([above])) <= _MAX_NOTICE:
                if any(one.source_field or one.role.field or label_of(one.line()) or one.tag == "time" for one in above.built()):
                    break
                notice = above
            notice.detach()
            return


def document_title(parsed: LexborHTMLParser) -> str | None:
    node = parsed.css_first("head > title") or parsed.css_first("title")
    return one_line(node.text()) or None if node is not None else None


def close_left_open(below_root: list[Element]) -> None:
    """Moves what an unclosed label, field or body has swallowed to where it belongs: after it, in the same order."""
    around = {id(one.parent) for one in below_root if one.role.field or one.role.item or one.role.items}
    for element in reversed(below_root):  # from the inside out, so that what moves up goes on from there
        role = element.role
        if id(element) not in around:
            continue  # nothing in it can have been swallowed
        if role.label:
            _move_out(element, lambda child: child.role.item or child.role.items)
        elif role.name == BODY:
            labelled = set(filter(_is_known_field, below_root))
            if len(labelled) > _FEW_KNOWN_FIELDS and labelled.issubset(element.built()):
                _move_out(element, _is_known_field)
        elif role.items or role.item or role.field:
            _move_out(element, _is_foreign_to(element))
        around.add(id(element.parent))


def _is_foreign_to(element: Element) -> Callable[[Element], bool]:
    """Returns a test for what can't be inside a field or item: a field of the record itself, or a further item.

    Where a listed label shows that values have no fields of their own, no field with a label can.
    """
    around: Element | None = element
    while around is not None and not (around.role.field and (around is element or not around.role.item)):
        around = around.parent
    entries = map(label_of, _label_texts(around) if around is not None else ())
    is_plain = any(entry is not None and entry.type is not Type.GROUP for entry in entries)
    is_item = element.role.item and not element.role.items and not (element.role.field and _label_texts(element))

    def is_foreign(child: Element) -> bool:
        is_next = is_item and child.role.item and not child.role.field
        return is_next or (is_plain and child.role.field and bool(_label_texts(child))) or _is_known_field(child)

    return is_foreign


def _is_known_field(element: Element) -> bool:
    """Whether an element is a field of the record itself, by its class and a label of the registry."""
    return element.role.field and any(map(label_of, _label_texts(element)))


def _label_texts(field: Element) -> list[str]:
    """Returns the texts of a field's labels, each without elements inside an unclosed label; the first child may be one."""
    if field.source_field is not None:
        return [field.source_field.label]
    children = field.elements
    labels = [one for one in children if one.role.label] or [one for one in children[:1] if one.role.is_blank]
    return [one.line() or next((text for text in one.content if isinstance(text, str)), "") for one in labels]


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
