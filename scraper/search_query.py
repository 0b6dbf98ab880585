"""The search language of every page: converts a user's search to an expression of SQLite's full-text search (FTS5).

All words must occur, in any order. AND, OR and NOT (in any case) and parentheses combine them, "a phrase" is in quotation marks,
-word must not occur, deflect* is a prefix, and so is the last word of a search that uses none of these.
"""

import ast
import re
from contextlib import suppress

from scraper.errors import BadQuery

MAX_LENGTH = 500
"""Characters of a search."""
MAX_DEPTH = 20
"""Parentheses within parentheses; FTS5's own parser takes about 50."""
_MIN_PREFIX = 3  # letters from which the last word is treated as a prefix: a shorter one would match most records
_TOKEN = re.compile(r'(?<!\S)-+(?!\S)|([()]|-(?=[("\w])|"[^"]*"\*?|[^\s()"]+)')
"""A lone dash, as between parts of a title, is ignored."""
_QUOTES = str.maketrans("“”„«»\0", '""""" ')  # quotation marks as `"`
_OPERATORS = {one: one for one in ("and", "or", "not", "(", ")")} | {"&": "and", "&&": "and", "|": "or", "||": "or", "-": "not"}


def match(text: str) -> str:
    """Returns the FTS5 expression of a search. Raises BadQuery."""
    if len(text) > MAX_LENGTH:
        raise BadQuery(f"The search is longer than {MAX_LENGTH} characters: remove some words.")
    text = text.translate(_QUOTES)
    if text.count('"') % 2:
        raise BadQuery('A quotation mark is not closed: write "a phrase" between two, or leave it out.')
    found = _TOKEN.findall(text)
    if not any(map(str.isalnum, "".join(found))):
        raise BadQuery("Enter at least one word or number.")
    tokens = [token for token in found if token in _OPERATORS or any(map(str.isalnum, token))]
    operators = [_OPERATORS.get(token.lower(), "") for token in tokens]
    words = ['"' + one.strip('"*') + '"' + "*" * one.endswith("*") for one in tokens if one.lower() not in _OPERATORS]
    if found[-1].replace("'", "").isalpha() and len(found[-1]) >= _MIN_PREFIX and not any(operators):
        words[-1] += "*"
    is_negated, expression = _expression(ast.parse(_parse_as_python(operators), mode="eval").body, words)
    if is_negated:
        raise BadQuery("The search only excludes words: add a word to search for.")
    return expression


def fts_expression(text: str | None) -> str:
    """Implements the SQL function `escape_fts`, which Datasette calls: as `match`, but an invalid search matches nothing."""
    with suppress(BadQuery):
        return match(str(text))
    return '""'


def _parse_as_python(operators: list[str]) -> str:
    """Parses the search as a Python expression (same precedence), each word ("" in `operators`) replaced by its number."""
    depth, number, parts = 0, 0, ["("]
    for place, operator in enumerate([*operators, ")"]):
        is_open, is_end = parts[-1] in ("and", "or", "not", "("), place == len(operators)
        if is_open and operator in ("and", "or", ")"):
            where = "at the end" if is_end else f"before {operator.upper()}"
            raise BadQuery(f"A word is missing {where}: write AND, OR and NOT between words.")
        depth += (operator == "(") - (operator == ")")
        if depth > MAX_DEPTH:
            raise BadQuery(f"There are more than {MAX_DEPTH} nested parentheses.")
        if (depth < 0) is not is_end:
            raise BadQuery("A parenthesis is not closed." if is_end else "There is a closing parenthesis without an opening one.")
        parts += ["and"] * (not is_open and operator in ("", "not", "(")) + [operator or str(number)]
        number += not operator
    return " ".join(parts)


def _expression(node: ast.expr, words: list[str]) -> tuple[bool, str]:
    """Returns whether the rows that do not match are meant, which FTS5 can't express alone; and the expression."""
    if isinstance(node, ast.UnaryOp):
        is_negated, text = _expression(node.operand, words)
        return not is_negated, text
    if not isinstance(node, ast.BoolOp):
        return False, words[ast.literal_eval(node)]
    is_or = isinstance(node.op, ast.Or)  # equals not (not a and not b)
    parts = [(negated is not is_or, text) for negated, text in (_expression(one, words) for one in node.values)]
    wanted, unwanted = ([text for negated, text in parts if negated is wish] for wish in (False, True))
    text = f"({' AND '.join(wanted)})" if wanted else f"({' OR '.join(unwanted)})"
    text = f"({text} NOT ({' OR '.join(unwanted)}))" if wanted and unwanted else text
    return (not wanted) is not is_or, text
