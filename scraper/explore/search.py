"""The search page: one question asked of every table that holds texts, the best answers first, with the words marked.

A node number, a reference or an address leads to its record. Words that no text has are corrected by the index's own words.
"""

import re
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlencode

import yaml
from datasette.database import QueryInterrupted
from datasette.utils import tilde_encode
from datasette.utils.asgi import Response
from markupsafe import Markup

from parsers.scalars import REFERENCE
from parsers.urls import node_id, page_address
from scraper.database.record_identity import address
from scraper.errors import BadQuery
from scraper.search_query import match

DATABASE = "tta"
AT_ONCE = 20
LAST_PAGE = 100
RANKED = 50_000
"""More answers than that are shown in the order of the table: ranking them takes a second."""
_BEGIN, _END = "\x02", "\x03"
"""Around what matched; parsed texts hold no control characters, and one that did would only be a mark too many."""
_MARKED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")
_ADDRESS = re.compile(r"(?:https?://|www\.|[\w.-]+\.gov/)\S+", re.IGNORECASE)
_RECORD = """
SELECT record_id FROM records WHERE record_id = :text OR reference = :text OR node_id = :node
UNION SELECT record_id FROM captures WHERE address = :address AND record_id IS NOT NULL LIMIT 1
"""
_WORD = re.compile(r"[^\W\d_]{4,}")
_HAS_WORD = """
SELECT EXISTS (SELECT 1 FROM records_fts WHERE records_fts MATCH :word)
    OR EXISTS (SELECT 1 FROM fields_fts WHERE fields_fts MATCH :word)
"""
_LIKE_IT = (
    "SELECT term FROM search_words WHERE term >= :first AND term < :first || '~' AND length(term) BETWEEN :shortest AND :longest"
)
_IN_FULL = "SELECT snippet(records_fts, -1, :begin, :end, '', 1) FROM records_fts WHERE records_fts MATCH :word LIMIT 1"
_CLOSE = 0.7
"""How alike a word and its correction are, by difflib: `opoid` and `opioid` 0.91; the index has stems, such as `recidiv`."""


class Scope(NamedTuple):
    """A table to search; `search.yml` says what its fields are."""

    name: str
    title: str
    columns: str
    join: str = ""
    weights: str = ""

    def sql(self, *, ranked: bool) -> str:
        index = f"{self.name}_fts"
        return f"""
            SELECT {self.columns}, snippet({index}, -1, :begin, :end, '…', 30)
            FROM {index} JOIN "{self.name}" AS own ON own.rowid = {index}.rowid {self.join}
            WHERE {index} MATCH :match ORDER BY {f"bm25({index}{self.weights}), own" if ranked else index}.rowid
            LIMIT :size OFFSET :start
        """


_TEXT = (files("scraper.explore") / "search.yml").read_text(encoding="utf-8")
_PARTS = {
    "{record}": "own.record_id, coalesce(records.tta_title, records.short_name, records.title, records.record_id)",
    "{of_record}": "JOIN records ON records.record_id = own.record_id",
}
SCOPES = {
    name: Scope(name, **{key: _PARTS.get(text, text).replace("{record}", _PARTS["{record}"]) for key, text in texts.items()})
    for name, texts in yaml.safe_load(_TEXT).items()
}


async def context(datasette: Any, request: Any) -> Any:
    """What the template `search.html` shows, or a redirect to the only record that is meant."""
    question, page = (request.args.get("q") or "").strip(), request.args.get("page") or ""
    page = min(int(page), LAST_PAGE) if re.fullmatch(r"[1-9][0-9]{0,4}", page) else 1
    scope = SCOPES.get(request.args.get("in") or "", SCOPES["records"])
    shown: dict[str, Any] = {"question": question, "scope": scope, "page": page, "hits": [], "tabs": [], "problem": None}
    if not question:
        return shown
    database = datasette.get_database(DATABASE)
    try:
        meant = await _record_meant(database, question)
        if meant and not question.isdigit():
            return Response.redirect(_row_url(datasette, SCOPES["records"], meant))
        expression = match(question)
        count = "SELECT count(*) FROM {0}_fts WHERE {0}_fts MATCH :match"
        counts = {name: (await database.execute(count.format(name), {"match": expression})).first()[0] for name in SCOPES}
        if meant and not any(counts.values()):
            return Response.redirect(_row_url(datasette, SCOPES["records"], meant))
        if not request.args.get("in") and not counts[scope.name]:
            scope = next((one for one in SCOPES.values() if counts[one.name]), scope)  # the first table that has an answer
        ranked = counts[scope.name] <= RANKED
        asked = {"match": expression, "begin": _BEGIN, "end": _END, "size": AT_ONCE, "start": (page - 1) * AT_ONCE}
        found = await database.execute(scope.sql(ranked=ranked), asked)
        corrected = await _corrected(database, question)
    except BadQuery as problem:
        return shown | {"problem": str(problem)}
    except QueryInterrupted:
        return shown | {"problem": "The search took too long: add a word, or lengthen a prefix such as deflect*."}
    pages = min(LAST_PAGE, -(-counts[scope.name] // AT_ONCE))
    return shown | {
        "scope": scope,
        "tabs": [(one.title, counts[one.name], _url(datasette, question, one), one is scope) for one in SCOPES.values()],
        "hits": [(title, _row_url(datasette, scope, key), about, marked(snippet)) for key, title, *about, snippet in found.rows],
        "first": (page - 1) * AT_ONCE + 1,
        "count": counts[scope.name],
        "ranked": ranked,
        "meant": _row_url(datasette, SCOPES["records"], meant) if meant else None,
        "corrected": (corrected, _url(datasette, corrected)) if corrected != question else None,
        "before": _url(datasette, question, scope, page - 1) if 1 < page <= pages else None,
        "after": _url(datasette, question, scope, page + 1) if page < pages else None,
        "table_url": f"{datasette.urls.table(DATABASE, 'records')}?{urlencode({'_search': question})}",
    }


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
    found = (await database.execute(_RECORD, asked)).first()
    return found[0] if found else None


async def _corrected(database: Any, question: str) -> str:
    """The question with each word that no text has replaced by the most similar one that some record has."""
    for word in _WORD.findall(question)[:8]:
        if (await database.execute(_HAS_WORD, {"word": f'"{word}"*'})).first()[0]:
            continue
        lengths = {"shortest": len(word) - 5, "longest": len(word) + 2}
        terms = [row[0] for row in (await database.execute(_LIKE_IT, {"first": word[0].lower(), **lengths})).rows]
        for term in get_close_matches(word.lower(), terms, 1, _CLOSE):
            found = await database.execute(_IN_FULL, {"word": f'"{term}"', "begin": _BEGIN, "end": _END})
            if found.rows and (full := _MARKED.search(found.first()[0])):
                question = question.replace(word, full[1].lower())
    return question


def _row_url(datasette: Any, scope: Scope, key: str) -> str:
    if scope.name == "dictionary":
        return f"{datasette.urls.table(DATABASE, 'dictionary')}?{urlencode({'table__exact': key})}"
    url: str = datasette.urls.row(DATABASE, "records", tilde_encode(key))
    return url


def marked(snippet: str | None) -> Markup:
    """The snippet as text, with what matched in `<mark>`: escaped first, so that nothing in it is taken for markup."""
    escaped = str(Markup.escape(snippet or ""))
    return Markup(re.sub(f"[{_BEGIN}{_END}]", "", _MARKED.sub(r"<mark>\1</mark>", escaped)))  # noqa: S704 - escaped above


def _url(datasette: Any, question: str, scope: Scope | None = None, page: int = 1) -> str:
    query = {"q": question} | ({"in": scope.name} if scope else {}) | ({"page": page} if page > 1 else {})
    return f"{datasette.urls.path('/-/search')}?{urlencode(query)}"
