"""A page's tags made harmless before the parser sees them: the parser's time must stay linear in the page's length.

Measured with selectolax 1.0.2: 100,000 nested elements 20 s, 100,000 attributes of one element 34 s, and unclosed formatting
elements are opened again in every paragraph. Real pages come nowhere near the limits, so theirs are never touched.
"""

from __future__ import annotations

import re

FEW_TAGS = 4000
"""With fewer tags no page can take the parser long (measured: 4,000 nested elements 0.03 s)."""
MAX_DEPTH = 256
MAX_FORMATTING = 12
MAX_TAG = 8192
"""Characters of one tag; 8 KB hold some 1,500 attributes, which the parser compares with each other in 10 ms."""
_NO_MARKS = bytes(sorted(set(range(256)) - set(b"<>\"'")))
_OPENER = re.compile(r"<(?:(!--)|(/?)([a-zA-Z][^\s/>]{0,40}))")
_REST_OF_TAG = re.compile(
    r"""[^\s/>]*+(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"?+|'[^']*+'?+|[^\s>"'][^\s>]*+)?+)?+)*+>?"""
)
"""A tag from its name on, as the HTML standard's tokenizer reads it: a quote opens a value only after an equals sign."""
_RAW = frozenset("script style textarea title xmp iframe noembed noframes plaintext".split())
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_IMPLIED = frozenset("p li dt dd tr td th thead tbody tfoot html head body".split()) | _VOID
"""Elements that need no end tag, so that their start tags say nothing of the depth."""
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())


def harmless(text: str, utf8: bytes | None = None) -> bytes:
    """The page in UTF-8 without tags deeper than MAX_DEPTH, formatting left open too often, and attributes past all measure.

    `utf8`: the text's bytes in UTF-8, where they are at hand.
    """
    source = utf8 if utf8 is not None else text.encode("utf-8", "replace")
    return source if _is_plain(source) else _Scanner(text).result().encode("utf-8", "replace")


def _is_plain(source: bytes) -> bool:
    """Whether a page has few tags, each closed by the first `>` and none of them long: so it is with nearly every page.

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
    step = MAX_TAG // 2  # a tag longer than MAX_TAG covers one of these stretches, and has no bracket in it
    return all(source.find(b">", start, start + step) >= 0 for start in range(0, len(source) - step, step))


class _Scanner:
    """Reads tags as a browser's tokenizer does: quoted attribute values, comments and raw text hold no tags."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: list[str] = []
        self._kept_to = 0
        self._open: dict[str, int] = {}
        self._depth = 0
        self._formatting = 0
        self._few = text.count("<") <= FEW_TAGS

    def result(self) -> str:
        position = 0
        while found := _OPENER.search(self._text, position):
            position = self._step(found)
        self._pieces.append(self._text[self._kept_to :])
        return "".join(self._pieces)

    def _step(self, found: re.Match[str]) -> int:
        """Handles what opens here; returns where to read on."""
        if found[1]:
            end = self._text.find("-->", found.end())
            return len(self._text) if end < 0 else end + 3
        rest = _REST_OF_TAG.match(self._text, found.end())
        end = rest.end() if rest else len(self._text)
        name = found[3].lower()
        if not self._few and name not in _IMPLIED and self._is_too_deep(name, ends=bool(found[2])):
            self._replace(found.start(), end, "")
        elif end - found.start() > MAX_TAG:
            self._replace(found.start(), end, f"<{found[2]}{name}>")
        if name in _RAW and not found[2]:
            close = re.compile(rf"</{re.escape(name)}", re.IGNORECASE).search(self._text, end)
            return close.start() if close else len(self._text)
        return end

    def _is_too_deep(self, name: str, *, ends: bool) -> bool:
        """Counts a tag; whether it has to be taken out: a start tag too deep, or the end of such a one or of none."""
        if not self._open.get(name) if ends else (name in _FORMATTING and self._formatting >= MAX_FORMATTING):
            return True
        step = -1 if ends else 1
        self._open[name] = self._open.get(name, 0) + step
        self._depth += step
        self._formatting += step * (name in _FORMATTING)
        return self._depth + ends > MAX_DEPTH

    def _replace(self, start: int, end: int, by: str) -> None:
        self._pieces += [self._text[self._kept_to : start], by]
        self._kept_to = end
