"""The search page: searches every table with texts, sorts by relevance, and highlights matches.

A node number, a reference or a URL leads to its record. Words that no text contains are corrected with words of the index.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice, product
from math import inf
from typing import Any
from urllib.parse import urlencode

from datasette.database import QueryInterrupted
from datasette.utils import path_with_replaced_args, tilde_encode
from datasette.utils.asgi import Request, Response
from markupsafe import Markup

from parsers.urls import node_id, page_address
from scraper.database.assign_records import address_key
from scraper.database.counties import STATES
from scraper.errors import BadQuery
from scraper.explore.filters import PLACE, read_yaml
from scraper.explore.links import DATABASE
from scraper.explore.requests import NODE, parse_days, today
from scraper.search_query import match

AT_ONCE = 20
LAST_PAGE = 100
RANKED = 50_000
"""More results than this are shown in the order of the table: ranking them takes a second."""
_BEGIN, _END = (_MARKS := {"begin": "\x02", "end": "\x03"}).values()
"""Marks around matches; parsed texts contain no control characters, and one that did would only add a mark."""
_MARKED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")
_ADDRESS = re.compile(r"(?:https?://|www\.|[\w.-]+\.gov/)\S+", re.IGNORECASE)
_PLACES = "|".join([*(f"(?i:{name})" for name, _ in STATES.values()), *(code for _, code in STATES.values())])
_FILTERS = {"place_state": re.compile(rf"\b(?:{_PLACES})\b"), "fiscal_year": re.compile(r"(?i)\bfy ?'?(?:20)?\d\d\b|^20\d\d$")}
"""Words that may be meant as a filter, which a text search does not apply."""
_OPERATOR = re.compile(r'\b(?:and|or|not)\b|(?<!\S)-|["“”„«»()|&*]', re.IGNORECASE)
"""Evidence that a question is meant as an expression, and neither as a filter nor as one name."""
_WORD, _NAME = re.compile(r"(?!(?i:and|not)\b)[^\W\d_]{3,}"), re.compile(r"[^\W\d_]+")
_CUT_TO = 15  # characters to which Drupal cuts a long name of a user
_SQL, SCOPES, _SPELLING = map(read_yaml("search").get, ("sql", "scopes", "spelling"))
"""`SCOPES`: the tables that are searched; `search.yml` describes all keys."""
_ALIKE, _SILENT, _SPELT, _UNLIKE, _BEGUN = map(_SPELLING.get, ("alike", "silent", "spelt", "unlike", "begun"))
_SLIPS, _LETTERS, _INNER, _TRIED = map(_SPELLING.get, ("slips", "letters", "inner", "tried"))
_SOUNDS = re.compile("|".join(_SPELT))  # spellings of one sound


async def context(datasette: Any, request: Any, typed: str = "") -> Any:
    """Returns what `search.html` shows, or a redirect to the only match. `typed`: words without a match that these replace."""
    question, page, given = (request.args.get("q") or "").strip(), request.args.get("page") or "", request.args.get("in") or ""
    page = min(int(page), LAST_PAGE) if re.fullmatch(r"[1-9][0-9]{0,4}", page) else 1
    scope = given if given in SCOPES else "records"
    shown: dict[str, Any] = {"question": question, "scope": scope, "page": page, "hits": [], "tabs": [], "typed": typed}
    if not question:
        return shown
    database = datasette.get_database(DATABASE)
    try:
        meant = await _find_record(database, question)
        record_url = datasette.urls.row(DATABASE, "records", tilde_encode(meant)) if meant else None
        if record_url and not question.isdigit():
            return Response.redirect(record_url)
        expression = match(question)
        counts = {name: (await database.execute(_SQL["count"].format(name), {"match": expression})).first()[0] for name in SCOPES}
        if record_url and not any(counts.values()):
            return Response.redirect(record_url)
        scope = scope if given or counts[scope] else next(filter(counts.get, SCOPES), scope)  # the first table with a result
        of = SCOPES[scope]
        phrase = f'"{question}"' if " " in question and not _OPERATOR.search(question) else '""'
        order = _SQL["order"].format(scope, of.get("weights", "")) if counts[scope] <= RANKED else f"{scope}_fts"
        columns = of["columns"].format(record=_SQL["record_columns"])
        sql = _SQL["hits"].format(columns=columns, table=scope, join=of.get("join", ""), order=order)
        asked = {"match": expression, "phrase": phrase, "size": AT_ONCE, "start": (page - 1) * AT_ONCE} | _MARKS
        found = (await database.execute(sql, asked)).rows
        within = list(SCOPES) if counts["records"] else ["records"]
        better, cut_off = await _correct(database, question, within), await _cut_names(database, question)
        letters, asked_letters = ([*filter(str.isalnum, text.lower())] for text in (better, question))
        is_elsewhere = given or counts["records"] or letters != asked_letters  # else a name without its apostrophe
        if better != question and not (any(counts.values()) and is_elsewhere) and not (typed or cut_off):
            return await context(datasette, Request.fake(f"/?{urlencode({'q': better, 'in': given})}"), question)
        together = (await database.execute(_SQL["count"].format(scope), {"match": phrase})).first()[0]
        words = [] if any(counts.values()) else _WORD.findall(question)[:8]
        shown["absent"] = [one for one in words if not await _is_found(database, list(SCOPES), f'"{one}"*')]
    except BadQuery as problem:
        return shown | {"problem": str(problem)}
    except QueryInterrupted:
        return shown | {"problem": "The search took too long: add a word, or lengthen a prefix such as deflect*."}

    def url(question: str, scope: str = "", page: int = 1) -> str:
        query = {"q": question} | ({"in": scope} if scope else {}) | ({"page": page} if page > 1 else {})
        return f"{datasette.urls.path('/-/search')}?{urlencode(query)}"

    table_url, records_url = datasette.urls.table(DATABASE, scope), datasette.urls.table(DATABASE, "records")
    pages = min(LAST_PAGE, -(-counts[scope] // AT_ONCE))
    tabs = [(one["title"], counts[name], url(question, name), name == scope) for name, one in SCOPES.items()]
    shown |= {"scope": scope, "tabs": tabs, "count": counts[scope], "last_page": LAST_PAGE, "ranked": counts[scope] <= RANKED}
    shown |= {"first": (page - 1) * AT_ONCE + 1, "meant": record_url}
    shown["table_url"] = f"{table_url}?{urlencode({'_search': question})}"
    shown["hits"] = [(key, title, about, highlight(snippet)) for key, title, *about, snippet in found]
    shown["better"] = (better, url(better)) if better != question else None
    shown["phrase"] = (together, url(phrase, scope)) if 0 < together < counts[scope] else None
    shown["before"] = url(question, scope, page - 1) if 1 < page <= pages else None
    shown["after"] = url(question, scope, page + 1) if page < pages else None
    shown["cut_off"] = [(name, n, f"{records_url}?{urlencode({'submitted_by': name})}") for name, n in cut_off]
    return shown | {"hints": [(words, f"{records_url}?{urlencode(filters)}") for words, filters in _filters_meant(question)]}


def _filters_meant(question: str) -> Iterable[tuple[str, Mapping[str, str]]]:
    """Yields the filters that a question may mean, in words and for a URL."""
    found = () if _OPERATOR.search(question) else ((column, one.search(question)) for column, one in _FILTERS.items())
    parts = {column: part[0] for column, part in found if part}
    for column, part in parts.items():
        rest = question.replace(part, "").strip(" ,")
        yield f"records of {part}" + f" that contain “{rest}”" * bool(rest), {column: part, "_search": rest}
    with suppress(BadQuery):
        if not parts and parse_days(question, today()):
            yield f"records submitted {question}", {"submitted_on": question}


async def did_you_mean(datasette: Any, request: Any) -> tuple[str, str] | None:
    """Returns the corrected search of a page with filters, and its URL; None if there is no better one."""
    name = "search" if request and request.args.get("search") else "_search"
    if not request or not (question := (request.args.get(name) or "").strip()):
        return None
    table = request.url_vars.get("table")
    better = await _correct(datasette.get_database(DATABASE), question, [table if table in SCOPES else "records"])
    path = datasette.urls.path(path_with_replaced_args(request, {name: better} | dict.fromkeys(PLACE)))
    return (better, path) if better != question else None


async def _find_record(database: Any, text: str) -> str | None:
    """Returns the record whose node number, reference or URL the text is, with or without an archive's prefix."""
    asked: dict[str, Any] = {"text": text, "node": None, "address": None}
    if found := NODE.fullmatch(text):
        asked["node"] = int(found[1])
    elif _ADDRESS.fullmatch(text):
        url = page_address(text if "://" in text else f"https://{text}")
        asked = {"text": None, "node": node_id(url), "address": address_key(url)}
    return next((one for (one,) in await database.execute(_SQL["record"], asked)), None)


async def _cut_names(database: Any, question: str) -> list[tuple[str, int]]:
    """Returns the names of submitters that pages cut off within a word of the question, with their numbers of records."""
    words = set(_NAME.findall(question.lower()))
    parts = " OR ".join(f'"{word[:end]}"' for word in words for end in range(3, min(len(word), _CUT_TO)))
    found = await database.execute(_SQL["cut_off"], {"match": f"submitted_by : ({parts})"}) if parts else []
    names = [(name, n, words - {*(known := _NAME.findall(name.lower()))}, known[-1:]) for name, n in found]
    return [(name, n) for name, n, others, (end,) in names if others and all(one.startswith(end) for one in others)][:5]


async def _is_found(database: Any, scopes: Sequence[str], text: str) -> bool:
    return any([(await database.execute(_SQL["has_match"].format(one), {"match": text})).first()[0] for one in scopes])


async def _correct(database: Any, question: str, scopes: Sequence[str]) -> str:
    """Replaces words that no table contains by the closest ones, best a phrase; returns the question if that finds nothing."""
    choices, found, words = [], list[str](), list(_WORD.finditer(question))[:8]
    is_found = partial(_is_found, database, scopes)
    with suppress(QueryInterrupted, BadQuery):
        for word in words:
            is_known = await is_found(f'"{word[0]}"')
            near = [] if is_known else await _suggest(database, word[0].lower(), scopes, is_found)
            begins = word is words[-1] and await is_found(f'"{word[0]}"*')
            choices.append([word[0]] * (is_known or begins or not near) + near)
        for chosen in islice(product(*choices), _TRIED):
            better = question
            for word, one in zip(words[::-1], chosen[::-1], strict=True):
                spelled = one.title() if word[0][0].isupper() else one
                better = better if one == word[0] else better[: word.start()] + spelled + better[word.end() :]
            if await is_found(match(better)):
                if better == question or await is_found(f'"{" ".join(chosen)}"'):
                    return better
                found.append(better)
    return found[0] if found else question


async def _suggest(database: Any, typed: str, scopes: Sequence[str], is_found: Callable[[str], Awaitable[bool]]) -> list[str]:
    """Returns what a word that no text has may mean, closest first: two words without a space, or one of the vocabulary."""
    inner = typed[:_INNER]

    def cost(word: str, *, is_stem: bool = False) -> float:
        parts = (word, word[max(word.find(inner), 0) :])  # what is typed may lack the beginning of the word
        whole, rest = (count_mistakes(typed, one, is_stem=is_stem) for one in parts)
        return min(whole, rest + float(_BEGUN))

    parts = [(typed[:at], typed[at:]) for at in range(1, len(typed) - 2)]
    found = {one + (" " if one[1:] else "'") + other: 0.5 for one, other in parts if await is_found(f'"{one} {other}"')}
    for scope in {"records" if one == "fields" else one for one in scopes}:  # the fields' vocabulary takes seconds to read
        firsts = set(typed[:2] + _SILENT.get(typed[0], "")).union(*(group for group in _ALIKE if typed[0] in group))
        asked = {"firsts": "".join(firsts), "inner": inner, "shortest": len(typed) - 5}
        terms = [one for (one,) in await database.execute(_SQL["like_it"].format(scope), asked)]
        near = (one for one in terms if inner in one or 2 * len({*typed} & {*one[: len(typed)]}) >= len({*one[: len(typed)]}))
        stems = [(cost(one, is_stem=True), one) for one in near]
        for _, stem in sorted(one for one in stems if one[0] <= max(len(one[1]) * _UNLIKE, 1))[:12]:
            words = {"match": f'"{stem}" OR "{stem}e"'} | _MARKS
            for (text,) in await database.execute(_SQL["in_full"].format(scope), words):
                costs = {full: cost(full) for full in _MARKED.findall(text.lower().replace(f"{_END}…", ""))}
                found |= {full: mistakes for full, mistakes in costs.items() if mistakes <= len(full) * _UNLIKE}
    return sorted(found, key=lambda one: (found[one], one))[:3]


def count_mistakes(typed: str, word: str, *, is_stem: bool = False) -> float:
    """Counts mistaken letters; those that sound alike or are doubled, and missing vowels, count half.

    A stem is compared with the beginning. What may be meant as the beginning of the word has a few mistakes, and counts more.
    """
    typed, word = (_SOUNDS.sub(lambda one: _SPELT[one[0]], text) for text in (typed, word))
    before, row, best = [0.0], [float(n) for n in range(len(word) + 1)], inf
    for i, a in enumerate(typed, start=1):
        extra = 0.5 if a == "h" or typed[i - 2 : i - 1] == a else 1.0
        older, before, row = before, row, [row[0] + extra]
        for j, b in enumerate(word, start=1):
            lacking = 0.5 if b in "haeiou" or word[j - 2 : j - 1] == b else 1.0
            alike = 0.0 if a == b else 0.5 if any(a in group and b in group for group in _ALIKE) else 1.0
            row.append(min(before[j] + extra, row[j - 1] + lacking, before[j - 1] + alike))
            if i > 1 < j and a == word[j - 2] and b == typed[i - 2] and a != b:
                row[j] = min(row[j], older[j - 2] + 0.75)
        best = row[-1] if not is_stem else min(best, row[-1]) if i + min(len(typed) // 3, 5) >= len(typed) else best
    return min(best, min(row) + _BEGUN) if len(typed) >= _LETTERS and min(row) <= min(_SLIPS * len(typed), 1) else best


def highlight(snippet: str | None) -> Markup:
    """Returns the snippet with matches in `<mark>`: escaped first, so that nothing in it is interpreted as markup."""
    text = snippet or ""
    if text.startswith('["') or text.endswith('"]'):  # a JSON array
        text = text.removeprefix('["').removesuffix('"]').replace('","', "; ").replace('", "', "; ")
    return Markup(re.sub(f"[{_BEGIN}{_END}]", "", _MARKED.sub(r"<mark>\1</mark>", str(Markup.escape(text)))))  # noqa: S704
