"""The search language, the same on every page: turns what people type into an expression of SQLite's full-text search (FTS5).

All words must occur, in any order. AND, OR and NOT (in any case) and parentheses combine them, "a phrase" is in quotation marks,
-word must not occur, deflect* is a prefix, and so is the last word of a question that uses none of these.
"""

import re
from contextlib import suppress

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
_SYMBOLS = {word: word.upper() for word in ("and", "or", "not")} | dict.fromkeys(["&", "&&"], "AND")
_SYMBOLS |= dict.fromkeys(["|", "||"], "OR") | {"-": "NOT", "(": "(", ")": ")"}

_Part = tuple[bool, str]
"""Whether the rows are meant that do not match, which FTS5 can't express alone; and its expression."""


def match(text: str) -> str:
    """The FTS5 expression. Raises BadQuery."""
    if len(text) > MAX_LENGTH:
        raise BadQuery(f"The search is longer than {MAX_LENGTH} characters: leave words out.")
    text = text.translate(_QUOTES)
    if text.count('"') % 2:
        raise BadQuery('A quotation mark is not closed: write "a phrase" between two, or leave it out.')
    found = [(token, _SYMBOLS.get(token.lower(), "")) for token in _TOKEN.findall(text)]
    tokens = [
        symbol or '"' + token.strip('"*') + '"' + "*" * token.endswith("*")
        for token, symbol in found
        if symbol or any(map(str.isalnum, token))
    ]
    if not any(map(str.isalnum, "".join(token for token, _ in found))):
        raise BadQuery("Enter at least one word or number.")
    last = found[-1][0]
    if last.isalpha() and len(last) >= _MIN_PREFIX and not any(symbol for _, symbol in found):
        tokens[-1] += "*"
    tokens.reverse()
    is_negated, expression = _any(tokens, 0)
    if tokens:
        raise BadQuery("A parenthesis is closed that was not opened.")
    if is_negated:
        raise BadQuery("The search only excludes words: add a word that must occur.")
    return expression


def fts_expression(text: str | None) -> str:
    """The SQL function `escape_fts`, which Datasette's tables call: as `match`, and what cannot be read matches nothing."""
    with suppress(BadQuery):
        return match(str(text))
    return '""'


# `tokens` are in reverse order; each function takes its own off the end


def _any(tokens: list[str], depth: int) -> _Part:
    """What stands between OR."""
    parts = [_all(tokens, depth)]
    while tokens[-1:] == ["OR"]:
        tokens.pop()
        parts.append(_all(tokens, depth))
    is_negated, expression = _both([(not negated, text) for negated, text in parts])
    return (not is_negated, expression) if len(parts) > 1 else parts[0]


def _all(tokens: list[str], depth: int) -> _Part:
    """What stands between AND, or side by side."""
    parts = [_one(tokens, depth)]
    while tokens and tokens[-1] not in ("OR", ")"):
        if tokens[-1] == "AND":
            tokens.pop()
        parts.append(_one(tokens, depth))
    return _both(parts)


def _one(tokens: list[str], depth: int) -> _Part:
    """A word, a phrase or a group, with NOT before it or without."""
    token = tokens.pop() if tokens else ""
    if token == "NOT":
        is_negated, expression = _one(tokens, depth)
        return not is_negated, expression
    if token in ("", ")", "AND", "OR"):
        raise BadQuery(f"A word is missing {f'before {token}' if token else 'at the end'}: write AND, OR and NOT between words.")
    if token != "(":
        return False, token
    if depth == MAX_DEPTH:
        raise BadQuery(f"There are more than {MAX_DEPTH} parentheses within each other.")
    found = _any(tokens, depth + 1)
    if not tokens:
        raise BadQuery("A parenthesis is not closed.")
    tokens.pop()
    return found


def _both(parts: list[_Part]) -> _Part:
    """The rows that all parts mean."""
    wanted, unwanted = ([text for negated, text in parts if negated is wish] for wish in (False, True))
    excluded = f"({' OR '.join(unwanted)})"
    if not wanted:
        return True, excluded
    found = f"({' AND '.join(wanted)})"
    return False, f"({found} NOT {excluded})" if unwanted else found
