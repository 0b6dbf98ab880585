"""Normalizes requests before Datasette reads them: `base_url` is removed from the path, an empty search from the query.

`_facet_array` becomes the quick facet of `facets`, and `_ttl`, with which a visitor could set cache headers, is removed.
"""

from __future__ import annotations

import re

from scraper.explore.facets import TYPE
from scraper.explore.headers import App, Receive, Scope, Send

_DROPPED = re.compile(rb"(?:^|&)(?:_search=(?=&|$)|_ttl=[^&]*)")
_ARRAY_FACET = re.compile(rb"(^|&)_facet_array=")
_LIST_FACET = rb"\1_facet_" + TYPE.encode() + b"="


def normalize_request(app: App, base_url: str) -> App:
    """The application, which sees a request's path without `base_url`.

    Datasette 0.65 routes both forms alike, and then writes `base_url` twice into links of pages that were requested with it. An
    empty search is an error to Datasette; people who send an empty form mean all rows.
    """
    prefix = base_url.encode()

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query = _DROPPED.sub(b"", scope["query_string"]).removeprefix(b"&")
            scope = dict(scope, query_string=_ARRAY_FACET.sub(_LIST_FACET, query))
            raw = scope.get("raw_path") or scope["path"].encode()
            if base_url != "/" and raw.startswith(prefix):
                scope |= {"raw_path": b"/" + raw[len(prefix) :], "path": "/" + scope["path"][len(base_url) :]}
        await app(scope, receive, send)

    return wrapped
