"""The search page: one question asked of every table that holds texts, the best answers first, with the words marked.

A node number, a reference or an address leads to its record. Words that no text has are corrected by the index's own words.
"""

import re
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlencode

from datasette.database import QueryInterrupted
from datasette.utils import path_with_replaced_args, tilde_encode
from datasette.utils.asgi import Response
from markupsafe import Markup

from parsers.scalars import REFERENCE
from parsers.urls import node_id, page_address
from scraper.database.assign_records import address
from scraper.database.counties import STATES
from scraper.errors import BadQuery
from scraper.explore.filters import texts
from scraper.explore.links import DATABASE
from scraper.search_query import match

AT_ONCE = 20
LAST_PAGE = 100
RANKED = 50_000
"""More answers than that are shown in the order of the table: ranking them takes a second."""
_BEGIN, _END = "\x02", "\x03"
"""Around what matched; parsed texts hold no control characters, and one that did would only be a mark too many."""
_MARKED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")
_ADDRESS = re.compile(r"(?:https?://|www\.|[\w.-]+\.gov/)\S+", re.IGNORECASE)
_FILTERS = {
    "place_state": re.compile(rf"\b(?:{'|'.join(name for name, _ in STATES.values())})\b", re.IGNORECASE),
    "fiscal_year": re.compile(r"\bfy ?'?(?:20)?\d\d\b|^20\d\d$", re.IGNORECASE),
}
"""Words that may be meant as a filter, which a search of texts does not know."""
_OPERATOR = re.compile(r'\b(?:and|or|not)\b|[-"()|&]', re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{4,}")
_CLOSE = 0.65
"""How alike a word and its correction are, by difflib: `opoid` and `opioid` 0.91; the index has stems, such as `recidiv`."""
_SQL, SCOPES = texts("search").values()
"""`SCOPES`: the tables that are searched; `search.yml` describes the keys."""


async def context(datasette: Any, request: Any) -> Any:
    """What the template `search.html` shows, or a redirect to the only record that is meant."""
    question, page = (request.args.get("q") or "").strip(), request.args.get("page") or ""
    page = min(int(page), LAST_PAGE) if re.fullmatch(r"[1-9][0-9]{0,4}", page) else 1
    scope = request.args["in"] if request.args.get("in") in SCOPES else "records"
    shown: dict[str, Any] = {"question": question, "scope": scope, "page": page, "hits": [], "tabs": [], "problem": None}
    if not question:
        return shown
    database = datasette.get_database(DATABASE)
    try:
        meant = await _record_meant(database, question)
        record_url = datasette.urls.row(DATABASE, "records", tilde_encode(meant)) if meant else None
        if record_url and not question.isdigit():
            return Response.redirect(record_url)
        expression = match(question)
        count = "SELECT count(*) FROM {0}_fts WHERE {0}_fts MATCH :match"
        counts = {name: (await database.execute(count.format(name), {"match": expression})).first()[0] for name in SCOPES}
        if record_url and not any(counts.values()):
            return Response.redirect(record_url)
        if not request.args.get("in") and not counts[scope]:
            scope = next((name for name in SCOPES if counts[name]), scope)  # the first table that has an answer
        of = SCOPES[scope]
        order = f"bm25({scope}_fts{of.get('weights', '')}), own" if counts[scope] <= RANKED else f"{scope}_fts"
        sql = _SQL["hits"].format(columns=of["columns"], table=scope, join=of.get("join", ""), order=order)
        sql = sql.replace("{record}", _SQL["record_columns"])
        asked = {"match": expression, "begin": _BEGIN, "end": _END, "size": AT_ONCE, "start": (page - 1) * AT_ONCE}
        found = (await database.execute(sql, asked)).rows
        better = await _corrected(database, question)
    except BadQuery as problem:
        return shown | {"problem": str(problem)}
    except QueryInterrupted:
        return shown | {"problem": "The search took too long: add a word, or lengthen a prefix such as deflect*."}

    def url(question: str, scope: str = "", page: int = 1) -> str:
        query = {"q": question} | ({"in": scope} if scope else {}) | ({"page": page} if page > 1 else {})
        return f"{datasette.urls.path('/-/search')}?{urlencode(query)}"

    def row_url(key: str) -> str:
        if scope == "dictionary":
            return f"{datasette.urls.table(DATABASE, scope)}?{urlencode({'table__exact': key})}"
        row: str = datasette.urls.row(DATABASE, scope if scope == "organizations" else "records", tilde_encode(key))
        return row

    table_url = datasette.urls.table(DATABASE, "records")
    pages = min(LAST_PAGE, -(-counts[scope] // AT_ONCE))
    return shown | {
        "scope": scope,
        "tabs": [(one["title"], counts[name], url(question, name), name == scope) for name, one in SCOPES.items()],
        "hits": [(title, row_url(key), about, marked(snippet)) for key, title, *about, snippet in found],
        "first": (page - 1) * AT_ONCE + 1,
        "count": counts[scope],
        "last_page": LAST_PAGE,
        "ranked": counts[scope] <= RANKED,
        "meant": record_url,
        "better": (better, url(better)) if better != question else None,
        "before": url(question, scope, page - 1) if 1 < page <= pages else None,
        "after": url(question, scope, page + 1) if page < pages else None,
        "hints": [
            (part[0], f"{table_url}?{urlencode({column: part[0], '_search': question.replace(part[0], '').strip()})}")
            for column, pattern in _FILTERS.items()
            if (part := pattern.search(question)) and not _OPERATOR.search(question)
        ],
        "table_url": f"{table_url}?{urlencode({'_search': question})}",
    }


async def did_you_mean(datasette: Any, request: Any) -> tuple[str, str] | None:
    """The corrected search of a page that takes filters, and its address with it; None where there is no better one."""
    question = (request.args.get("_search") or "").strip() if request else ""
    better = await _corrected(datasette.get_database(DATABASE), question)
    path = path_with_replaced_args(request, {"_search": better, "_next": None}) if better != question else ""
    return (better, datasette.urls.path(path)) if path else None


async def _record_meant(database: Any, text: str) -> str | None:
    """The record whose node number, reference or address the text is, with an archive's address around it or not."""
    if text.isascii() and text.isdigit() and len(text) < 18:
        asked: dict[str, Any] = {"text": text, "node": int(text), "address": None}
    elif REFERENCE.fullmatch(text):
        asked = {"text": text, "node": None, "address": None}
    elif _ADDRESS.fullmatch(text):
        url = page_address(text if "://" in text else f"https://{text}")
        asked = {"text": None, "node": node_id(url), "address": address(url)}
    else:
        return None
    found = (await database.execute(_SQL["record"], asked)).first()
    return found[0] if found else None


async def _corrected(database: Any, question: str) -> str:
    """The question with each word that no text has replaced by the most similar one; the same where that finds no record."""
    better = question
    for word in _WORD.findall(question)[:8]:
        if (await database.execute(_SQL["has_word"], {"word": f'"{word}"*'})).first()[0]:
            continue
        lengths = {"shortest": len(word) - 5, "longest": len(word) + 2}
        terms = [row[0] for row in (await database.execute(_SQL["like_it"], {"first": word[0].lower(), **lengths})).rows]
        found = []
        for term in get_close_matches(word.lower(), terms, 5, _CLOSE):
            rows = (await database.execute(_SQL["in_full"], {"word": f'"{term}"', "begin": _BEGIN, "end": _END})).rows
            if rows and (full := _MARKED.search(rows[0][0])):
                found.append(full[1].lower())
        closest = get_close_matches(word.lower(), found, 1, _CLOSE)  # none where only the stem of a term is close
        better = better.replace(word, closest[0]) if closest else better
    count = "SELECT count(*) FROM records_fts WHERE records_fts MATCH escape_fts(:text)"
    return better if better != question and (await database.execute(count, {"text": better})).first()[0] else question


def marked(snippet: str | None) -> Markup:
    """The snippet as text, with what matched in `<mark>`: escaped first, so that nothing in it is taken for markup."""
    text = snippet or ""
    if text.startswith('["') or text.endswith('"]'):  # a JSON array
        text = text.removeprefix('["').removesuffix('"]').replace('","', "; ").replace('", "', "; ")
    escaped = str(Markup.escape(text))
    return Markup(re.sub(f"[{_BEGIN}{_END}]", "", _MARKED.sub(r"<mark>\1</mark>", escaped)))  # noqa: S704 - escaped above
