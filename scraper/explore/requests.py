"""Requests put in order before Datasette reads them: without the path of a web server in front, without an empty search.

A facet of a JSON array, which Datasette spells `_facet_array`, becomes the quick one of `facets`.
"""

from __future__ import annotations

import re

from scraper.explore.facets import TYPE
from scraper.explore.headers import App, Receive, Scope, Send

_EMPTY_SEARCH = re.compile(rb"(?:^|&)_search=(?=&|$)")
_ARRAY_FACET = re.compile(rb"(^|&)_facet_array=")
_LIST_FACET = rb"\1_facet_" + TYPE.encode() + b"="


def tidied(app: App, base_url: str) -> App:
    """The application, as if it were asked at `/` whether or not the request's path begins with `base_url`.

    Datasette 0.65 routes both alike, and then writes `base_url` twice into links of pages that were asked for with it. A search
    form that is sent empty is an error to Datasette, and to people it means: all rows.
    """
    prefix = base_url.encode()

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query = _EMPTY_SEARCH.sub(b"", scope["query_string"]).removeprefix(b"&")
            scope = dict(scope, query_string=_ARRAY_FACET.sub(_LIST_FACET, query))
            raw = scope.get("raw_path") or scope["path"].encode()
            if base_url != "/" and raw.startswith(prefix):
                scope |= {"raw_path": b"/" + raw[len(prefix) :], "path": "/" + scope["path"][len(base_url) :]}
        await app(scope, receive, send)

    return wrapped
