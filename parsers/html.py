"""A whole HTML page: which element holds the record, what stands outside its fields, and whether it is a TTA record at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parsers.columns import column_values, entry_of, fits, flags, milestones, performance_metrics
from parsers.decode import Decoded
from parsers.fields import read_content
from parsers.guard import harmless
from parsers.head import Byline, byline_of, detach, detach_notice, document_title, title_of
from parsers.kinds import is_other_address, kind_of_page
from parsers.patterns import known_labels
from parsers.record import Form, Kind, PageHead, ParseResult, Record
from parsers.registry import is_evidence, known, section_of_instruction
from parsers.repair import close_left_open
from parsers.roles import TEASERS
from parsers.rows import Content
from parsers.source import SourceReader
from parsers.tree import Element, build, readable
from parsers.urls import node_id, without_archive
from parsers.values import number, reference

_CANDIDATES = "article, [data-history-node-id], .node"
_FALLBACKS = ("main", "[role=main]", "#main-content", "#content", ".region-content", "body")
_FULL = frozenset(("full", "node--view-mode-full", "view-mode-full"))
_OTHER_TYPES = re.compile(
    r"(?:node--type-|node-type-|type-)?(?:blog|blog-post|news|news-item|article|page|basic-page|landing-page|event|webform|press-release)"
)
_RECORD_TYPES = re.compile(r"(?:node--type-|node-type-|type-)?tta")
_MAX_CANDIDATES = 200
_NODE_CLASS = re.compile(r"(?:page-|path-)?node-([0-9]{1,18})")
_CURRENT_PATH = re.compile(r'"currentPath":"node\\?/([0-9]{1,18})"')
_MAX_RIVALS = 20
_MANY_LABELS = 4


@dataclass(frozen=True, slots=True)
class _Source:
    """The page's text, its address, the one it prints as its own, where its links start from, whether it is known to be cut.

    `placed`: the places of its values are asked for.
    """

    text: str
    base: str | None
    own_url: str | None
    links_from: str | None
    incomplete: bool
    placed: bool


@dataclass(slots=True)
class Reading:
    """The verdict, and the elements that each field and each value of the head were read from, where that was asked for."""

    page: ParseResult
    places: list[Element | None] = field(default_factory=list)
    head_places: dict[str, Element] = field(default_factory=dict)


def read_html(page: Decoded, *, url: str | None, incomplete: bool, placed: bool = False) -> Reading:
    """The verdict on a page in HTML. `url`: the page's address where known; `incomplete`: the capture is known to be cut.

    `placed`: tells the places of values too, for which the page is read the general way, which says the same.
    """
    text = page.text
    parsed = LexborHTMLParser(harmless(text, page.utf8))
    own_url = _own_url(parsed)
    base = url or own_url
    links_from = _base_of_links(parsed, base)
    root = _root(parsed, node_id(base))
    if root is not None and not _is_other(root, base):
        reading = _read_record(parsed, root, _Source(text, base, own_url, links_from, incomplete, placed))
        if reading is not None:
            return reading
    visible = readable([build(parsed.body, forms=True)]) if parsed.body is not None else ""
    headings = [node.text_content or "" for node in parsed.css("h1")[:5]]
    titles = [title for title in (document_title(parsed), *headings, visible[:200]) if title]
    return Reading(kind_of_page(titles, visible, text[: 1 << 20], refreshes=_refreshes(parsed)))


def _refreshes(parsed: LexborHTMLParser) -> bool:
    """Whether the page sends its reader on to another address."""
    marks = (node.attributes for node in parsed.css("meta[http-equiv]")[:20])
    return any(
        (one.get("http-equiv") or "").lower() == "refresh" and "url=" in (one.get("content") or "").lower() for one in marks
    )


def _is_cut(text: str) -> bool:
    """Whether a page begins and does not end."""
    tail = text[-4096:].lower()
    if "</html" in tail or "</body" in tail:
        return False
    head = text[:65536].lower()
    return ("<html" in head or "<body" in head) or ("<article" in head and "</article" not in text.lower())


# --- which element ----------------------------------------------------------------------------------------------------


def _root(parsed: LexborHTMLParser, node: int | None) -> LexborNode | None:
    """The element that holds the one thing this page is about; None where it shows several (a list of teasers)."""
    candidates = _outermost(parsed.css(_CANDIDATES)[:_MAX_CANDIDATES])
    if not candidates:
        return _fallback(parsed)
    whole = [one for one in candidates if not _tokens(one) & TEASERS]
    same = [one for one in whole if node is not None and _history_id(one) == node]
    full = [one for one in whole if _history_id(one) is not None or _tokens(one) & _FULL]
    for tier in (same, full, whole):
        if len(tier) == 1:
            return tier[0]
    return _richest(whole[:_MAX_RIVALS])


def _richest(rivals: list[LexborNode]) -> LexborNode | None:
    """The one of several elements that has most of the labels; None where they are alike, as teasers are."""
    counts = sorted(((known_labels(build(rival)).total(), -index) for index, rival in enumerate(rivals)), reverse=True)
    if len(counts) < 2 or counts[0][0] < _MANY_LABELS or counts[0][0] < 3 * counts[1][0]:
        return None
    return rivals[-counts[0][1]]


def _outermost(nodes: list[LexborNode]) -> list[LexborNode]:
    taken = {node.mem_id: node for node in nodes}  # a node comes once for each selector that it matches
    found = []
    for node in taken.values():
        above = node.parent
        inside = False
        while above is not None and not inside:
            inside = above.mem_id in taken
            above = above.parent
        if not inside:
            found.append(node)
    return found


def _fallback(parsed: LexborHTMLParser) -> LexborNode | None:
    """A theme without `article`: the smallest usual container that holds labels of the registry."""
    for selector in _FALLBACKS:
        nodes = parsed.css(selector)
        if len(nodes) != 1:
            continue
        element = build(nodes[0])
        lines = (inner.line() for inner in element.descendants())
        if any(line and is_evidence(line) for line in lines):
            return nodes[0]
    return None


def _tokens(node: LexborNode) -> set[str]:
    return set((node.attributes.get("class") or "").lower().split())


def _history_id(node: LexborNode) -> int | None:
    return number(node.attributes.get("data-history-node-id") or "")


def _is_other(node: LexborNode, url: str | None) -> bool:
    """Whether the address or the node's type says that this is another kind of page."""
    tokens = {token.replace("_", "-") for token in _tokens(node)}
    if any(_RECORD_TYPES.fullmatch(token) for token in tokens):
        return bool(tokens & TEASERS)
    if tokens & TEASERS or any(_OTHER_TYPES.fullmatch(token) for token in tokens):
        return True
    return is_other_address(url)


# --- the head ---------------------------------------------------------------------------------------------------------


def _own_url(parsed: LexborHTMLParser) -> str | None:
    """The page's own address as it prints it: the short link first, because it holds the node number."""
    for rel in ("shortlink", "canonical"):
        link = parsed.css_first(f'link[rel="{rel}"]')
        href = without_archive(link.attributes.get("href") or "") if link is not None else ""
        if href.startswith(("http://", "https://")) and (rel == "canonical" or node_id(href)):
            return href
    return None


def _base_of_links(parsed: LexborHTMLParser, base: str | None) -> str | None:
    """What relative links start from: the page's `base` element where it has one, else its address."""
    node = parsed.css_first("base[href]")
    href = without_archive(node.attributes.get("href") or "") if node is not None else ""
    return href if href.startswith(("http://", "https://")) else base


def _node_of(parsed: LexborHTMLParser, node: LexborNode, url: str | None, own_url: str | None) -> int | None:
    """The address decides; where it is an alias, the page's own number counts (DESIGN.md, "Identity")."""
    found = node_id(url) or _history_id(node)
    if found is not None:
        return found
    attributes = node.attributes
    spelled = [f"/{attributes.get('data-quickedit-entity-id') or ''}", attributes.get("about") or "", own_url or ""]
    found = next((number for one in spelled if (number := node_id(one))), None)
    if found is not None:
        return found
    body = parsed.body.attributes.get("class") if parsed.body is not None else None
    settings = next((script.text() for script in parsed.css("script[data-drupal-selector]")[:3]), "")
    marks = (attributes.get("id") or "", *(body or "").split())
    named = next((mark for one in marks if (mark := _NODE_CLASS.fullmatch(one))), None) or _CURRENT_PATH.search(settings)
    return int(named[1]) if named else None


# --- the record -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Top:
    """What stands above the content, already taken out of the tree."""

    title: str | None
    heading: Element | None
    byline: Byline


def _take_top(parsed: LexborHTMLParser, root: Element) -> _Top:
    close_left_open(root)
    title, heading = title_of(parsed, root)
    byline = byline_of(root)
    for element in (heading, byline.element):
        if element is not None:
            detach(root, element)
    detach_notice(root)
    return _Top(title, heading, byline)


def _read_record(parsed: LexborHTMLParser, node: LexborNode, page: _Source) -> Reading | None:
    """The record that stands below `node`; None where too little speaks for a TTA record."""
    root = build(node, read=None if page.placed else SourceReader(page.links_from))
    top = _take_top(parsed, root)
    content = read_content(root, page.links_from)
    if not _is_record(node, content, top.title):
        return None
    number = _node_of(parsed, node, page.base, page.own_url)
    byline = top.byline
    head = PageHead(node_id=number, title=top.title, submitted_by=byline.name, submitted_at=byline.time)
    incomplete = page.incomplete or _is_cut(page.text)
    record = make_record(head, content, "html", incomplete=incomplete, url=page.own_url)
    places = {"title": top.heading, "submitted_by": byline.element, "submitted_at": byline.element}
    return Reading(
        ParseResult(kind=Kind.RECORD, reason="its fields are a TTA record's", record=record),
        content.places,
        {key: element for key, element in places.items() if element is not None},
    )


def make_record(head: PageHead, content: Content, form: Form, *, incomplete: bool, url: str | None) -> Record:
    """The typed record of what was read. `url`: the page's own address where it prints it."""
    return Record(
        **column_values(head, content.fields, content.runs),
        form=form,
        incomplete=incomplete,
        flags=flags(content.runs),
        shape=sha256("\n".join(dict.fromkeys(content.shape)).encode()).hexdigest()[:12],
        url=url,
        fields=tuple(content.fields),
        sections=tuple(content.sections),
        milestones=milestones(content.fields),
        performance_metrics=performance_metrics(content.fields),
    )


def _is_record(node: LexborNode, content: Content, title: str | None) -> bool:
    """Whether the evidence is enough: labels that only TTA records have, values of the right type, the node's type, the title."""
    typed = any(map(_RECORD_TYPES.fullmatch, _tokens(node)))
    vouched = typed or reference(title) is not None
    if vouched and (typed or _history_id(node) is not None):
        return True
    good, bad = evidence(content)
    return good >= 1 if vouched else good - 4 * bad >= 2 and not _is_list(content)


def _is_list(content: Content) -> bool:
    """Whether most labels of the registry stand on the page again and again, as in a list of several records."""
    rows = [row for row in content.fields if row.item is None and known(row.label)]
    again = sum(row.occurrence > 1 for row in rows)
    return again > 1 and 2 * again >= len(rows)


def evidence(content: Content) -> tuple[int, int]:
    """How many of the registry's own labels a page has, and how many of its typed fields hold what they can't."""
    good = len({section.label for section in content.sections if known(section.label)})
    good += len({section for row in content.fields if row.label is None and (section := section_of_instruction(row.value or ""))})
    bad = 0
    for row in content.fields:
        entry = entry_of(row)
        if entry is None or row.item is not None:
            continue
        if row.value and fits(entry.type, row.value, row.datetime) is False:
            bad += 1
        elif is_evidence(row.label or entry.text):
            good += 1
    return good, bad
