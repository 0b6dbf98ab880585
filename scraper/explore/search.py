"""The search page: one question asked of every table that holds texts, the best answers first, with the words marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from datasette.database import QueryInterrupted
from datasette.utils import tilde_encode
from markupsafe import Markup

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


@dataclass(frozen=True, slots=True)
class Scope:
    """A table to search. `columns` are key (of the row to link), title, and words about the hit; `linked` is the key's table.

    `weights` are bm25's, by column of the index: a word in a title says more than one in a description.
    """

    name: str
    title: str
    linked: str
    columns: str
    joins: str
    weights: tuple[float, ...] = ()

    def sql(self, *, ranked: bool) -> str:
        index = f"{self.name}_fts"
        weights = "".join(f", {weight}" for weight in self.weights)
        order = f"bm25({index}{weights}), own.rowid" if ranked else f"{index}.rowid"
        return f"""
            SELECT {self.columns}, snippet({index}, -1, :begin, :end, '…', 30) AS snippet
            FROM {index} JOIN "{self.name}" AS own ON own.rowid = {index}.rowid {self.joins}
            WHERE {index} MATCH :match ORDER BY {order} LIMIT :size OFFSET :start
        """

    @property
    def count(self) -> str:
        return f"SELECT count(*) FROM {self.name}_fts WHERE {self.name}_fts MATCH :match"


_TITLE = "coalesce(records.tta_title, records.short_name, records.title, records.record_id)"
_OF_RECORD = "JOIN records ON records.record_id = own.record_id"


def _part(name: str, title: str, about: str, weights: tuple[float, ...] = ()) -> Scope:
    """A table whose rows are parts of records."""
    return Scope(name, title, "records", f"own.record_id AS key, {_TITLE} AS title, {about}", _OF_RECORD, weights)


SCOPES = (
    Scope(
        "records",
        "Records",
        "records",
        "own.record_id AS key, coalesce(own.tta_title, own.short_name, own.title, own.record_id) AS title, "
        "own.title AS a, 'fiscal year ' || own.fiscal_year AS b, own.status AS c, own.county AS d",
        "",
        (10.0, 10.0, 10.0, 1.0, 4.0, 2.0, 4.0),
    ),
    _part("fields", "Fields", "own.item AS a, own.label AS b"),
    _part("milestones", "Milestones", "'milestone ' || own.position AS a, substr(own.date, 1, 10) AS b", (4.0, 1.0)),
    _part("performance_metrics", "Performance metrics", "own.question AS a"),
    Scope(
        "dictionary",
        "Column definitions",
        "dictionary",
        """own."table" AS key, own."table" || '.' || own."column" AS title, own.label AS a""",
        "",
    ),
)
BY_NAME = {scope.name: scope for scope in SCOPES}


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    url: str
    context: str
    snippet: Markup


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """What the template `search.html` shows."""
    question = (request.args.get("q") or "").strip()
    scope = BY_NAME.get(request.args.get("in") or "", SCOPES[0])
    page = _page_number(request.args.get("page"))
    shown: dict[str, Any] = {"question": question, "scope": scope, "page": page, "hits": [], "tabs": [], "problem": None}
    if not question:
        return shown
    try:
        expression = match(question)
        database = datasette.get_database(DATABASE)
        counts = {one.name: await _count(database, one, expression) for one in SCOPES}
        if not request.args.get("in") and not counts[scope.name]:
            scope = next((one for one in SCOPES if counts[one.name]), scope)  # the first table that has an answer
        shown["hits"] = await _hits(datasette, scope, expression, page, ranked=counts[scope.name] <= RANKED)
    except BadQuery as problem:
        return shown | {"problem": str(problem)}
    except QueryInterrupted:
        return shown | {"problem": "The search took too long: add a word, or lengthen a prefix such as deflect*."}
    pages = min(LAST_PAGE, -(-counts[scope.name] // AT_ONCE))
    return shown | {
        "scope": scope,
        "tabs": [(one.title, counts[one.name], _url(datasette, question, one), one is scope) for one in SCOPES],
        "first": (page - 1) * AT_ONCE + 1,
        "count": counts[scope.name],
        "ranked": counts[scope.name] <= RANKED,
        "before": _url(datasette, question, scope, page - 1) if 1 < page <= pages else None,
        "after": _url(datasette, question, scope, page + 1) if page < pages else None,
        "table_url": f"{datasette.urls.table(DATABASE, 'records')}?{urlencode({'_search': expression, '_searchmode': 'raw'})}",
    }


async def _count(database: Any, scope: Scope, expression: str) -> int:
    found = await database.execute(scope.count, {"match": expression})
    return int(found.first()[0])


async def _hits(datasette: Any, scope: Scope, expression: str, page: int, *, ranked: bool) -> list[Hit]:
    asked = {"match": expression, "begin": _BEGIN, "end": _END, "size": AT_ONCE, "start": (page - 1) * AT_ONCE}
    found = await datasette.get_database(DATABASE).execute(scope.sql(ranked=ranked), asked)
    return [_hit(datasette, scope, *row) for row in found.rows]


def _hit(datasette: Any, scope: Scope, key: str, title: str, *about: str | None) -> Hit:
    *context, snippet = about
    return Hit(title, _row_url(datasette, scope, key), ", ".join(filter(None, context)), marked(snippet or ""))


def _row_url(datasette: Any, scope: Scope, key: str) -> str:
    if scope.linked == "dictionary":
        return f"{datasette.urls.table(DATABASE, 'dictionary')}?{urlencode({'table__exact': key})}"
    address: str = datasette.urls.row(DATABASE, scope.linked, tilde_encode(key))
    return address


def marked(snippet: str) -> Markup:
    """The snippet as text, with what matched in `<mark>`: escaped first, so that nothing in it is taken for markup."""
    escaped = str(Markup.escape(snippet))
    return Markup(re.sub(f"[{_BEGIN}{_END}]", "", _MARKED.sub(r"<mark>\1</mark>", escaped)))  # noqa: S704 - escaped above


def _page_number(text: str | None) -> int:
    return min(int(text), LAST_PAGE) if text and text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else 1


def _url(datasette: Any, question: str, scope: Scope, page: int = 1) -> str:
    query = {"q": question, "in": scope.name} | ({"page": page} if page > 1 else {})
    return f"{datasette.urls.path('/-/search')}?{urlencode(query)}"
