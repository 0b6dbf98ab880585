"""Removes from a page what would take the parser more than linear time: tags too deep, too long, or too much open formatting.

Measured with selectolax 1.0.2: 100,000 nested elements take 20 s, 100,000 attributes of one element 34 s, and unclosed
formatting elements are opened again in every paragraph. Real pages are far from the limits and are never changed.
"""

import re
from collections import defaultdict

FEW_TAGS = 4000  # with fewer tags no page can take the parser long (measured: 4,000 nested elements 0.03 s)
MAX_DEPTH = 256
MAX_FORMATTING = 12
MAX_TAG = 8192  # characters of one tag; 8 KB contain some 1,500 attributes, which the parser compares with each other in 10 ms
_NO_MARKS = bytes(sorted(set(range(256)) - set(b"<>\"'")))
_REST = r"""[^\s/>]*+(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"?+|'[^']*+'?+|[^\s>"'][^\s>]*+)?+)?+)*+>?"""
"""A tag after its name, as the HTML standard's tokenizer reads it: a quote opens a value only after an equals sign."""
_RAW = "script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext"
_TOKEN = re.compile(
    rf"<!--(?:.*?-->|.*)|(?P<tag><(?P<raw>{_RAW})(?=[\s/>]|\Z){_REST})(?P<text>[^<]*+(?:<(?!/(?P=raw))[^<]*+)*+)"
    rf"|(?P<any><(?P<ends>/?)(?P<name>[a-z][^\s/>]{{0,40}}){_REST})",
    re.IGNORECASE | re.DOTALL,
)
"""A comment, an element whose content is text with its start tag, or any other tag."""
_IMPLIED = frozenset(
    "p li dt dd tr td th thead tbody tfoot html head body area base br col embed hr img input link meta source track wbr".split()
)
"""Elements that need no end tag, so that their start tags do not show the depth."""
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())


def harmless(text: str, utf8: bytes | None = None) -> bytes:
    """The page in UTF-8 without tags deeper than MAX_DEPTH, too much open formatting, and attributes of tags over MAX_TAG.

    `utf8`: the text's bytes in UTF-8, where the caller has them.
    """
    source = utf8 if utf8 is not None else text.encode("utf-8", "replace")
    return source if _is_plain(source) else _reduced(text).encode("utf-8", "replace")


def _is_plain(source: bytes) -> bool:
    """Whether a page has few tags, each closed by the first `>` and none of them long, as nearly every page.

    Of the brackets and quotes alone nothing must be left once the pairs of quotes and then the tags are taken out.
    """
    marks = source.translate(None, _NO_MARKS)
    if marks.count(b"<") > FEW_TAGS:
        return False
    if len(source) <= MAX_TAG:
        return True
    rest = marks.replace(b'""', b"").replace(b"<>", b"")
    if b"<" in rest or b">" in rest:
        return False
    step = MAX_TAG // 2  # a tag longer than MAX_TAG covers one of these parts, and has no bracket in it
    return all(source.find(b">", start, start + step) >= 0 for start in range(0, len(source) - step, step))


def _reduced(text: str) -> str:
    is_few = text.count("<") <= FEW_TAGS
    opened: dict[str, int] = defaultdict(int)  # by name, and all under ""

    def reduce(found: re.Match[str]) -> str:
        tag, ends, content = found["tag"] or found["any"], bool(found["ends"]), found["text"] or ""
        if tag is None:
            return found[0]
        name = (found["raw"] or found["name"]).lower()
        if not is_few and name not in _IMPLIED:
            is_open = name in _FORMATTING and sum(map(opened.__getitem__, _FORMATTING)) >= MAX_FORMATTING
            if (not opened[name]) if ends else is_open:
                return content
            for counted in (name, ""):
                opened[counted] += -1 if ends else 1
            if opened[""] + ends > MAX_DEPTH:
                return content
        return (tag if len(tag) <= MAX_TAG else f"<{found['ends'] or ''}{name}>") + content

    return _TOKEN.sub(reduce, text)
