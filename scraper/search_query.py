"""The search language, the same on every page: turns what people type into an expression of SQLite's full-text search (FTS5).

All words must occur, in any order. AND, OR and NOT (in any case) and parentheses combine them, "a phrase" is in quotation marks,
-word must not occur, deflect* is a prefix, and so is the last word of a question that uses none of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from scraper.errors import BadQuery

MAX_LENGTH = 500
"""Characters of a question."""
MAX_DEPTH = 20
"""Parentheses within parentheses; FTS5's own parser takes about 50."""
_MIN_PREFIX = 3
"""Letters of a last word that is taken for a prefix: with fewer it would match most records."""
_TOKEN = re.compile(r'(?<!\S)-+(?!\S)|([()]|-(?=[("\w])|"[^"]*"\*?|[^\s()"]+)')
"""A lone dash, as between parts of a title, is passed over."""
_QUOTES = str.maketrans("“”„«»\0", '""""" ')
_OPERATORS = {"and": "AND", "&": "AND", "&&": "AND", "or": "OR", "|": "OR", "||": "OR", "not": "NOT", "-": "NOT"}


class _Part(NamedTuple):
    """An FTS5 expression; `negated`: the rows that it does not match are meant, which FTS5 can't express alone."""

    negated: bool
    text: str


def match(text: str) -> str:
    """The FTS5 expression. Raises BadQuery."""
    if len(text) > MAX_LENGTH:
        raise BadQuery(f"The search is longer than {MAX_LENGTH} characters: leave words out.")
    text = text.translate(_QUOTES)
    if text.count('"') % 2:
        raise BadQuery('A quotation mark is not closed: write "a phrase" between two, or leave it out.')
    tokens = [token for token in _TOKEN.findall(text) if _OPERATORS.get(token.lower()) or token in ("(", ")") or _has_word(token)]
    if not any(map(_has_word, tokens)):
        raise BadQuery("Enter at least one word or number.")
    if not any(token.lower() in _OPERATORS or token in ("(", ")") for token in tokens):
        last = tokens[-1]
        tokens[-1] += "*" * (last.isalpha() and len(last) >= _MIN_PREFIX)
    found = _Parser(tokens).read()
    if found.negated:
        raise BadQuery("The search only excludes words: add a word that must occur.")
    return found.text


def fts_expression(text: str | None) -> str:
    """The SQL function `escape_fts`, which Datasette's tables call: as `match`, and what cannot be read matches nothing."""
    with suppress(BadQuery):
        return match(str(text))
    return '""'


def _has_word(token: str) -> bool:
    """Whether FTS5 finds a word in it, which is made of letters and digits."""
    return any(map(str.isalnum, token))


class _Parser:
    """Reads tokens from left to right. NOT binds tighter than AND, and that tighter than OR."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = list(reversed(tokens))
        self._depth = 0

    def read(self) -> _Part:
        found = self._any()
        if self._tokens:
            raise BadQuery("A parenthesis is closed that was not opened.")
        return found

    def _next(self) -> str:
        token = self._tokens[-1] if self._tokens else ""
        return _OPERATORS.get(token.lower(), token)

    def _any(self) -> _Part:
        parts = [self._all()]
        while self._next() == "OR":
            self._tokens.pop()
            parts.append(self._all())
        return _flipped(_joined([_flipped(part) for part in parts])) if len(parts) > 1 else parts[0]

    def _all(self) -> _Part:
        parts = [self._one()]
        while self._next() not in ("", "OR", ")"):
            if self._next() == "AND":
                self._tokens.pop()
            parts.append(self._one())
        return _joined(parts)

    def _one(self) -> _Part:
        negated = False
        while self._next() == "NOT":
            self._tokens.pop()
            negated = not negated
        name = self._next()
        token = self._tokens.pop() if self._tokens else ""
        if name in ("", ")", "AND", "OR"):
            raise BadQuery(
                f"A word is missing {f'before {name}' if name else 'at the end'}: write AND, OR and NOT between words."
            )
        found = self._group() if name == "(" else _Part(False, _term(token))
        return _flipped(found) if negated else found

    def _group(self) -> _Part:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadQuery(f"There are more than {MAX_DEPTH} parentheses within each other.")
        found = self._any()
        if not self._tokens:
            raise BadQuery("A parenthesis is not closed.")
        self._tokens.pop()
        self._depth -= 1
        return found


def _term(token: str) -> str:
    return '"' + token.strip('"*') + '"' + "*" * token.endswith("*")


def _flipped(part: _Part) -> _Part:
    return _Part(not part.negated, part.text)


def _joined(parts: list[_Part]) -> _Part:
    """The rows that all parts mean."""
    wanted, unwanted = ([part.text for part in parts if part.negated is negated] for negated in (False, True))
    excluded = f"({' OR '.join(unwanted)})"
    if not wanted:
        return _Part(True, excluded)
    found = f"({' AND '.join(wanted)})"
    return _Part(False, f"({found} NOT {excluded})" if unwanted else found)
