"""What people type into the search box, as a query for SQLite's full-text search, or as a sentence that says why it is none.

All words must occur; "a phrase" is quoted, `deflect*` is a beginning, `OR` stands between choices, `-word` is not to occur.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scraper.errors import BadQuery

MOST = 500
"""Characters of a question."""
_TERM = re.compile(r'(-?)(?:"([^"]*)"|([^\s"]+))(\*?)')
_WORD = re.compile(r"\w")


@dataclass(slots=True)
class _Parts:
    """Choices, each of terms that all must occur, and the terms that must not."""

    choices: list[list[str]] = field(default_factory=lambda: [[]])
    without: list[str] = field(default_factory=list)


def match(text: str) -> str:
    """The FTS5 expression. Raises BadQuery."""
    if len(text) > MOST:
        raise BadQuery(f"The question is longer than {MOST} characters: leave words out.")
    if text.count('"') % 2:
        raise BadQuery('A quotation mark has no partner: write "a phrase" between two, or leave it out.')
    parts = _parts(text)
    choices = [terms for terms in parts.choices if terms]
    if not choices:
        if parts.without:
            raise BadQuery("Only words to leave out: add a word that is to occur.")
        raise BadQuery("There is no word in it: write a word of at least one letter or digit.")
    found = " OR ".join(f"({' AND '.join(terms)})" for terms in choices)
    return f"({found}) NOT ({' OR '.join(parts.without)})" if parts.without else found


def _parts(text: str) -> _Parts:
    parts = _Parts()
    for minus, phrase, word, star in _TERM.findall(text.replace("\0", " ")):
        if word == "OR" and not minus:
            parts.choices.append([])
            continue
        plain, beginning = phrase or word.rstrip("*"), star or word.endswith("*")
        if not _WORD.search(plain):
            continue
        term = f'"{plain}"' + ("*" if beginning else "")
        (parts.without if minus else parts.choices[-1]).append(term)
    return parts
