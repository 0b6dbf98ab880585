"""Reads a whole HTML page: which element contains the record, what is outside its fields, and whether it is a TTA record."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.columns import make_record
from parsers.decode import Decoded, limit_markup
from parsers.fields import read_content
from parsers.head import BYLINE_WORDS, MAX_ABOVE_BYLINE, byline_of, close_left_open, detach_notice, document_title, title_of
from parsers.kinds import is_other_address, kind_of_page
from parsers.patterns import LabelPatterns
from parsers.record import FieldState, Form, Kind, PageHead, ParseResult
from parsers.registry import WORDS, count_labels, label_of
from parsers.roles import ASIDES, FULL, TEASERS, role_of
from parsers.rows import PageRows, count_evidence
from parsers.scalars import NO_TIME, in_site_zone, number, reference
from parsers.source import SourceReader
from parsers.tree import SKIPPED, Element, build, one_line, readable
from parsers.urls import node_id, page_address

_CANDIDATES = "article, [data-history-node-id], .node"
_FALLBACKS = ("main", "[role=main]", "#main-content", "#content", ".region-content", "body")
"""Where a theme without `article` puts the record: the first element that contains labels of the registry."""
_OTHER_TYPES = re.compile(WORDS["kinds"]["other_types"])
_RECORD_TYPES = re.compile(r"(?:node--type-|node-type-|type-|node-)?tta")
_REFRESH = ':not(noscript) > meta[http-equiv="refresh" i][content*="url=" i]'  # for all readers, also those with scripts
_INVISIBLE = ", ".join((*(SKIPPED - {"form", "head", "-comment"}), *(f".{name}" for name in WORDS["classes"]["skipped"])))
_MAX_CANDIDATES = 200
_MAX_VISIBLE = 200_000  # characters; the longest records seen have 30,000
_SEVERAL, _FEW_SEVERAL = "article, .node, .views-row", 2  # a page that shows one record has at most one
_CURRENT_PATH, _NODE_PATH, _SAVED_FROM, _TRANSLATED = (re.compile(one, re.IGNORECASE) for one in WORDS["page_patterns"].values())
_SAVED_AT = 4096  # characters at the start of a page that are searched for that comment
_MAX_RIVALS = 20
_MANY_LABELS = 4  # known labels that an element must have, and three times as many as the next, to be the record among several
MIN_EVIDENCE = 2
"""Labels that only TTA records have; a page with another title and type needs this many. Generated pages that quote the form have
at most one as a field (tests/test_kinds.py); the shortest record has three."""
_MISFIT = 4  # a value that its label's type does not allow outweighs this many labels
_TAIL = 4096  # characters at the end of a page that are searched for its end tag, or the value that it ends in
_END = re.compile(r"(?:\A|(?<=[<>]))([^<>]*+)((?:<[^<>]*+>|[\s>])*+)\Z")  # the last text, and the tags after it


@dataclass(slots=True)
class HtmlReading:
    """The result, and the elements that its parts were read from. `visible`: the page's text, if that was read instead."""

    page: ParseResult
    visible: str | None = None
    places: list[Element] = field(default_factory=list)
    section_places: list[Element] = field(default_factory=list)
    head_places: dict[str, Element] = field(default_factory=dict)


def read_html(page: Decoded, *, url: str | None, incomplete: bool) -> HtmlReading:
    """Reads a page in HTML. `url`: the page's address if known; `incomplete`: the capture is known to be truncated."""
    text = page.text
    begun = len(text) - len(text.rstrip("</"))  # a tag cut off after its bracket would be text
    parsed = LexborHTMLParser(limit_markup(text[: len(text) - begun], None if begun else page.utf8))
    if "<font" in text:
        parsed.unwrap_tags(["font"])  # translators wrap every text in two elements
    for added in reversed(parsed.css(WORDS["source"]["toolbars"])):  # those inside others first
        if added.css_first("h1, main, article") is None:  # in a damaged page all that follows may be inside
            added.decompose()
    own_url = _own_url(parsed, text)
    base = own_url if url is None or (own_url and node_id(url) is None and node_id(own_url) is not None) else url
    path = (_current_path(parsed) or "").replace("\\", "") if url is None else ""
    is_other = any(map(is_other_address, (url or base, f"/{path}")))
    if not is_other and (node := _find_record_element(parsed, node_id(base))) is not None:
        tokens = _class_names(node)
        is_other = any(map(_OTHER_TYPES.fullmatch, tokens)) and not any(map(_RECORD_TYPES.fullmatch, tokens))
        is_other |= not tokens.isdisjoint(TEASERS) or (url is None and _is_listed(node))  # listed, as on the page of a revision
        incomplete = incomplete or _is_cut(text)
        if not is_other and (reading := _read_record(parsed, text, node, base, own_url, incomplete=incomplete)):
            return reading
    headings = [node.text(strip=True) for node in parsed.css("h1")[:5]]
    for hidden in _outermost(parsed.body.css(_INVISIBLE)) if parsed.body is not None else ():
        hidden.decompose()
    plain = one_line(parsed.body.text(separator=" ")) if parsed.body is not None else ""
    titles = [title for title in (document_title(parsed), *headings, plain[:200]) if title]
    result = kind_of_page(titles, plain, text[: 1 << 20], refreshes=parsed.css_first(_REFRESH) is not None)
    result.title = next(iter(headings), None) or document_title(parsed)
    may_be_record = result.kind is Kind.OTHER and not is_other and node_id(base) is not None and len(plain) < _MAX_VISIBLE
    if may_be_record and count_labels(plain) >= _MANY_LABELS and len(parsed.css(_SEVERAL)) < _FEW_SEVERAL:
        from parsers.text import read_text  # here, because its patterns take a while to compile

        visible = readable([build(parsed.body)] if parsed.body is not None else [])  # markup that rules for elements do not cover
        found = read_text(visible, url=base, incomplete=incomplete).page
        if found.record is not None and found.record.form == "text":
            labelled = [row for row in found.record.fields if row.value and label_of(row.label)]
            if len(labelled) >= _MANY_LABELS:
                return HtmlReading(found, visible)
    return HtmlReading(result)


def _is_cut(text: str) -> bool:
    """Whether the HTML has a start tag of the document (or article) but not its end tag: it is truncated."""
    tail = text[-_TAIL:].lower()
    begins = None if "</html" in tail or "</body" in tail else re.search("<html|<body|(<article)", text[:65536].lower())
    return begins is not None and (not begins[1] or "</article" not in text.lower())


def _find_record_element(parsed: LexborHTMLParser, page_number: int | None) -> LexborNode | None:
    """Returns the element with the page's one subject, by the node number of its address; None for several, or a list."""
    candidates = [one for one in parsed.css(_CANDIDATES)[:_MAX_CANDIDATES] if not _is_aside(one)]
    same = _outermost([one for one in candidates if page_number is not None and _history_id(one) == page_number])
    if len(same) == 1:
        return same[0]
    candidates = _outermost(candidates)
    path = _current_path(parsed) if page_number is None else None
    if path and not _NODE_PATH.match(path):
        return None  # by Drupal's settings this is not the page of a node
    whole = [one for one in candidates if not _class_names(one) & TEASERS and not _is_listed(one)]
    full = [one for one in whole if _history_id(one) is not None or _class_names(one) & FULL]
    if len(full) == 1:
        return full[0]
    # of several the one that has most of the labels, unless they have the same, as teasers do
    rivals = sorted(((_build_counted_tree(one).known_inside, -at) for at, one in enumerate(whole[:_MAX_RIVALS])), reverse=True)
    if rivals and rivals[0][0]:
        most, first = rivals[0]
        return whole[-first] if len(whole) == 1 or (most >= _MANY_LABELS and most >= 3 * rivals[1][0]) else None
    alone = whole[0] if len(whole) == 1 else None
    if parsed.body is None or not count_labels(parsed.body.text(separator=" ")):
        return alone
    body = _build_counted_tree(parsed.body)
    built = {one.node.mem_id: one for one in (body, *body.built())}
    nodes = (nodes[0] for selector in _FALLBACKS if len(nodes := parsed.css(selector)) == 1)
    fallbacks = (built.get(one.mem_id) or _build_counted_tree(one) for one in nodes)
    found = next((one for one in fallbacks if one.known_inside), None)
    return alone if found is None else _without_frame(parsed, found)


def _without_frame(parsed: LexborHTMLParser, element: Element) -> LexborNode:
    """Returns the smallest part with all known labels and the byline, or the title; removes what precedes the title in it."""
    byline = byline_of(element, MAX_ABOVE_BYLINE).element
    start = byline or next(iter(title_of(parsed, element.built())[1]), element)
    while start.parent is not None and start.known_inside < element.known_inside:
        for before in start.parent.elements[: start.parent.elements.index(start)] if byline is None else ():
            if not before.holds_fields:
                before.node.decompose()
        start = start.parent
    return start.node if start.known_inside == element.known_inside else element.node


def _outermost(nodes: Sequence[LexborNode]) -> list[LexborNode]:
    """Returns the nodes that are not inside others, each once: a node is found once for each selector that it matches."""
    taken = {node.mem_id: node for node in nodes}
    return [node for node in taken.values() if not any(above.mem_id in taken for above in _ancestors(node))]


def _is_aside(node: LexborNode) -> bool:
    """Whether an element is a comment, a user's profile, a media file, or what surrounds the whole content."""
    attributes = node.attributes
    is_person = "data-comment-user-id" in attributes or "Person" in (attributes.get("typeof") or "")
    return is_person or node.tag in ("main", "body") or not ASIDES.isdisjoint(_class_names(node))


def _is_listed(node: LexborNode) -> bool:
    """Whether the element is part of a listing: Views, or a node's template outside its own page, whose title is a bookmark."""
    for link in node.css('a[rel="bookmark"]')[:5]:
        owners = (one for one in _ancestors(link) if one.mem_id == node.mem_id or one.tag == "article" or _is_aside(one))
        if (owner := next(owners, None)) is not None and owner.mem_id == node.mem_id:
            return True
    return any(role_of(one.attributes.get("class") or "").views for one in _ancestors(node))


def _ancestors(node: LexborNode) -> Iterator[LexborNode]:
    above = node.parent
    while above is not None:
        yield above
        above = above.parent


def _build_counted_tree(node: LexborNode) -> Element:
    """Builds the tree of an element, and counts the known labels in each part of it."""
    root = build(node, read=SourceReader(None))
    LabelPatterns().learn(root)
    return root


def _class_names(node: LexborNode) -> set[str]:
    return set((node.attributes.get("class") or "").lower().replace("_", "-").split())


def _history_id(node: LexborNode) -> int | None:
    return number(node.attributes.get("data-history-node-id") or "")


def _current_path(parsed: LexborHTMLParser) -> str | None:
    """Returns the path of the page in Drupal's settings."""
    settings = next((script.text() for script in parsed.css("script[data-drupal-selector]")[:3]), "")
    found = _CURRENT_PATH.search(settings)
    return found[1] if found else None


def _own_url(parsed: LexborHTMLParser, text: str) -> str | None:
    """Returns the page's own address, as printed or as noted by the program that saved it: the first one with a node number."""
    first: str | None = None
    for word, (selector, attribute) in WORDS["own_address"].items():
        href = _address_in(parsed, selector, attribute) if word in text else None
        if node_id(href) is not None:
            return href
        first = first or href
    saved = _SAVED_FROM.search(text[:_SAVED_AT])
    return page_address(unescape(saved[1])) if saved else first


def _address_in(parsed: LexborHTMLParser, selector: str, attribute: str) -> str | None:
    """Returns the page address in an attribute of the first element that matches; None if it is not absolute."""
    node = (parsed.head.css_first(selector) if parsed.head is not None else None) or parsed.css_first(selector)
    href = page_address(node.attributes.get(attribute) or "") if node is not None else ""
    return href if href.startswith(("http://", "https://")) else None


def _node_of(parsed: LexborHTMLParser, node: LexborNode, url: str | None, own_url: str | None) -> int | None:
    """Returns the node number of the address; if that is an alias, the page's own number (DESIGN.md, "Identity")."""
    attributes = node.attributes
    spelled = (f"/{attributes.get('data-quickedit-entity-id') or ''}", attributes.get("about") or "", own_url or "")
    if number := node_id(url) or _history_id(node) or next(filter(None, map(node_id, spelled)), None):
        return number
    found = _NODE_PATH.match(_current_path(parsed) or "")
    return int(found[1]) if found else None


def _read_record(
    parsed: LexborHTMLParser, text: str, node: LexborNode, base: str | None, own_url: str | None, *, incomplete: bool
) -> HtmlReading | None:
    """Returns the record below `node`, or that it is none; None if too little was read to tell."""
    links_from = _address_in(parsed, "base[href]", "href") or base
    elements: list[Element] = []
    root = build(node, elements, read=SourceReader(links_from))
    close_left_open(elements)
    if "onstruction" in text:
        detach_notice(root, elements)
    title, headings = title_of(parsed, elements)
    byline = byline_of(root)
    may_be_above = byline.element is None and any(words in text for words in BYLINE_WORDS)  # the record, as on print pages
    if may_be_above and parsed.body is not None:
        byline = byline_of(build(parsed.body), MAX_ABOVE_BYLINE)
    for element in (*headings, byline.element):
        if element is not None:
            element.detach()
    content = read_content(root, links_from)
    for element in elements:  # so that the tree has no circles, which only the garbage collector could free
        element.parent = None
    if not _is_record(node, content, title):
        is_read = sum(label_of(row.label) is not None for row in content.fields) >= _MANY_LABELS  # the page's text says no more
        return HtmlReading(ParseResult(kind=Kind.OTHER, reason="fields of something else", title=title)) if is_read else None
    if incomplete:
        _mark_cut(content, text[-_TAIL:])
    is_layout = "layout__region" in text  # otherwise such a noon is a date without a time
    for row in content.fields if byline.has_offset or is_layout else ():
        if row.value and row.datetime and (is_layout or not row.datetime.endswith(NO_TIME)):
            row.datetime = in_site_zone(row.value, row.datetime)
    number = _node_of(parsed, node, base, own_url)
    head = PageHead(node_id=number, title=title, submitted_by=byline.name, submitted_at=byline.time)
    form: Form = "translation" if _TRANSLATED.search(text, 0, _SAVED_AT) else "html"
    shape = sha256("\n".join(dict.fromkeys(content.shape)).encode()).hexdigest()[:12]
    record = make_record(head, content.fields, content.sections, form, incomplete=incomplete, shape=shape, url=own_url)
    heads = {"title": headings[0]} if headings else {}
    heads |= dict.fromkeys(("submitted_by", "submitted_at"), byline.element) if byline.element is not None else {}
    result = ParseResult(kind=Kind.RECORD, reason="its fields are a TTA record's", record=record)
    return HtmlReading(result, None, content.places, content.section_places, heads)


def _mark_cut(content: PageRows, tail: str) -> None:
    """Marks the value within which a page ends. A truncated label is dropped; a missing value is not captured."""
    found = _END.search(re.sub(r"<[^<>]*\Z", "", tail))
    text, closing = found.groups() if found else ("", "")
    if not content.fields or not text.strip():
        return
    text, last = one_line(unescape(text)), content.fields[-1]
    if last.value is None:
        last.state = FieldState.NOT_CAPTURED
        if "</" not in closing and last.label and not label_of(last.label) and last.label.endswith(text):
            content.fields.pop()
            content.places.pop()
    elif one_line(last.value).endswith(text) and ("</" not in closing or ("\n" in last.value and "</div" not in closing)):
        last.truncated = True


def _is_record(node: LexborNode, content: PageRows, title: str | None) -> bool:
    """Whether the evidence is enough: the node's type, the title, labels that only TTA records have, values of the right type."""
    is_titled = reference(title) is not None
    if any(map(_RECORD_TYPES.fullmatch, _class_names(node))) or (is_titled and _history_id(node) is not None):
        return True
    good, bad = count_evidence(content)
    rows = [row for row in content.fields if row.item is None and label_of(row.label)]
    again = sum(row.occurrence > 1 for row in rows)
    is_list = again > 1 and 3 * again >= len(rows)  # most labels are repeated: a list of several records
    is_guide = 3 * sum((row.value or "").endswith((".", "!", "?")) for row in rows) > len(rows)  # its values are sentences
    return good >= 1 if is_titled else good - _MISFIT * bad >= MIN_EVIDENCE and not (is_list or is_guide)
