"""What's new: records that are new, changed or gone, by the refresh that added the capture, as a page and an Atom feed.

Captures that no refresh added, such as those of `tta load`, are listed by the day of the capture. Page and feed obey the table's
filters, so that any filter can be a feed. What a server leaves out (`database.contacts`) is in neither.
"""

import time
from contextlib import suppress
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from datasette.database import QueryInterrupted
from datasette.utils import tilde_encode
from datasette.utils.asgi import Request, Response

from scraper.explore import filters
from scraper.explore.downloads import SECONDS_OF_SQL, download
from scraper.explore.links import DATABASE
from scraper.explore.requests import today
from scraper.sandbox import Query

AT_ONCE = 200  # rows read at a time: records shown for the first time, and changed fields
_KINDS = {"gone": "disappeared", "unknown": "back"}  # by the new value of `availability`
_SECONDS = 0.5  # for looking at refreshes for one page, and whether any is left for the next page


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """Returns what `new.html` and `new.atom` show: the latest events (before `_before`), each a record as a capture shows it."""
    database, chosen, sql = await _select(datasette, request)
    run, at, record = [*(request.args.get("_before") or "").split(" ", 2), "", ""][:3]
    since, until = (request.args.get(name) or "" for name in ("_since", "_until"))
    nights = await filters.nights_between(database, since, until)
    pairs, total, records = filters.pairs_of(request), None, None
    with suppress(QueryInterrupted):  # the pages can be turned all the same
        every, also = await filters.events_between(database, since, until)
        every = filters.QUERIES["of_events"].format(events=every, where=chosen.where)
        total, records = (await database.execute(every, chosen.params | also, custom_time_limit=filters.COUNT_FOR)).first()
        sql = filters.QUERIES["night"].replace("{chosen}", filters.QUERIES["of_these"] * bool(chosen.where))
    runs, began = [str(one["run_id"] or "") for one in nights], time.monotonic()
    events, earlier = list[dict[str, Any]](), tuple[Any, ...]()
    for night in nights[runs.index(run) if run in runs else 0 :]:
        is_full, is_late = len(events) >= AT_ONCE, time.monotonic() > began + _SECONDS
        params = chosen.params | dict(night) | {"at": at or "9", "record": record, "records": records}
        params |= {"since": "", "until": "~"} if night["run_id"] else {"since": since, "until": until + "~"}
        rows = [] if is_late else (await database.execute(sql, params | {"most": 1 if is_full else AT_ONCE})).rows
        if is_late or (is_full and rows):
            earlier = (night["run_id"] or "",)
            break
        whole = rows if len(rows) < AT_ONCE else [row for row in rows if row[:2] != rows[-1][:2]] or rows
        for (at, record_id), run_of in groupby(whole, key=lambda row: (row["at"], row["record_id"])):
            some = list(run_of)
            fields = {row["field"]: row["new_value"] for row in some}
            kind = "new" if None in fields else _KINDS.get(fields.get("availability", ""), "changed")
            url = datasette.absolute_url(request, datasette.urls.row(DATABASE, "records", tilde_encode(record_id)))
            event = {"kind": kind, "at": at, "title": some[0]["heading"], "url": url, "run": night["run_id"]}
            event["key"] = uuid5(NAMESPACE_URL, f"{kind} {record_id} {at}").urn
            came = night["ended_at"] or at  # a day or a month is its beginning
            event["moment"] = came + "0000-01-01T00:00:00Z"[len(came) :]
            events.append(event | {"changes": [row for row in some if row["field"]]})
        if len(rows) == AT_ONCE:
            earlier = (night["run_id"] or "", *whole[-1][:2])
            break
        at, record = "", ""
    last = (await database.execute(filters.QUERIES["home"]["good_run"])).first()["ended_at"]
    by_night = groupby(events, lambda one: (one["run"], one["moment"][:10]))
    shown = {"title": "What's new", "nights": [(night, list(some)) for night, some in by_night], "events": events, "total": total}
    shown |= {"since": since, "until": until, "refreshed": last, "today": f"{today()}T00:00:00Z"}
    for name, path, some in (("page_url", "/-/new", pairs), ("feed_url", "/-/new.atom", chosen.pairs)):
        shown[name] = datasette.absolute_url(request, datasette.urls.path(f"{path}?{urlencode(some)}".rstrip("?")))
    shown["earlier"] = f"?{urlencode([*pairs, ('_before', ' '.join(map(str, earlier)))])}" if earlier else ""
    shown["feed_key"] = uuid5(NAMESPACE_URL, " ".join(["feed", *map("=".join, sorted(chosen.pairs))])).urn
    return shown | await filters.form(datasette, request)


async def _select(datasette: Any, request: Any, query: str = "night") -> tuple[Any, filters.RecordFilters, str]:
    """Returns the database, the filters except those of time, and the query for these records."""
    pairs = [pair for pair in filters.pairs_of(request) if pair[0] not in ("_since", "_until")]
    chosen = await filters.read_filters(datasette, Request.fake(f"/?{urlencode(pairs)}"))
    of = f"{chosen.where} AND record_id IN (SELECT record_id FROM arrived)" if query == "night" else chosen.where
    clause = f"AND record_id IN (SELECT record_id FROM records {of})" if chosen.where else ""  # few records are asked for filters
    return datasette.get_database(DATABASE), chosen, filters.QUERIES[query].replace("{chosen}", clause)


async def events_file(datasette: Any, request: Any) -> Any:
    """Returns all events of the page as CSV or Excel."""
    _, chosen, sql = await _select(datasette, request, "events")
    span = {"since": request.args.get("_since") or "", "until": (request.args.get("_until") or "") + "~"}
    words = (await filters.chips(datasette, request, filters.TABLE))["words"]
    return await download(datasette, request, "What's new", words, Query(sql, chosen.params | span, SECONDS_OF_SQL), "changes")


async def feed(datasette: Any, request: Any) -> Any:
    """Returns the events of the page as an Atom feed (RFC 4287)."""
    text = await datasette.render_template("new.atom", await context(datasette, request), request=request)
    return Response(text.strip(), content_type="application/atom+xml; charset=utf-8")
