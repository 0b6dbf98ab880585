"""What's new: records that are new, changed or gone, by the refresh that brought the capture, as a page and an Atom feed.

Captures that no refresh brought, such as those of `tta load`, are listed by the day of the capture. Page and feed follow the
filters of the table, so that any filter can be a feed. What a server leaves out (`database.contacts`) is in neither.
"""

from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from datasette.utils import tilde_encode
from datasette.utils.asgi import Response

from scraper.explore.filters import QUERIES, form, read_filters
from scraper.explore.links import DATABASE
from scraper.explore.requests import days, today

AT_ONCE = 200
"""Rows read at a time: records shown for the first time, and changed fields."""
_NIGHTS = 30
"""Refreshes looked at for one page; a filter can choose none of their records."""


class Event(NamedTuple):
    """What one capture shows of a record: `kind` is new, changed, disappeared or back; `changes` are rows of the database.

    `night` is a row of the query `nights`, and `at` the time of the capture.
    """

    night: Any
    at: str
    kind: str
    title: str
    url: str
    key: str
    changes: list[Any]

    @property
    def moment(self) -> str:
        """When it came, as RFC 3339 has it; a day or a month is its beginning."""
        time: str = self.night["ended_at"] or self.at
        return time + "0000-01-01T00:00:00Z"[len(time) :]


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """What the templates `new.html` and `new.atom` show: the latest events, from the place in the address on."""
    chosen = await read_filters(datasette, request)
    database = datasette.get_database(DATABASE)
    of = f"{chosen.where} AND record_id IN (SELECT record_id FROM arrived)"  # few records are asked whether they meet the filters
    sql = QUERIES["night"].replace("{chosen}", f"AND record_id IN (SELECT record_id FROM records {of})" if chosen.where else "")
    run, at, record = [*(request.args.get("_before") or "").split(" ", 2), "", ""][:3]
    text = request.args.get("_since") or ""
    since, own = (str(days(text, today()).first), [("_since", text)]) if text else ("", [])
    nights = [one for one in (await database.execute(QUERIES["nights"])).rows if one["captures"] > one["known"]]
    nights = [one for one in nights if not one["ended_at"] or one["ended_at"] >= since]
    runs = [str(one["run_id"]) for one in nights]
    events: list[Event] = []
    earlier: tuple[Any, ...] = ()
    for place, night in enumerate(nights[runs.index(run) if run in runs else 0 :]):
        if len(events) >= AT_ONCE or place == _NIGHTS:
            earlier = (night["run_id"],)
            break
        params = chosen.params | dict(night) | {"at": at or "9", "record": record, "most": AT_ONCE}
        params["since"] = "" if night["run_id"] else since
        rows = (await database.execute(sql, params)).rows
        whole = rows if len(rows) < AT_ONCE else [row for row in rows if row[:2] != rows[-1][:2]] or rows
        for (at, record_id), run_of in groupby(whole, key=lambda row: (row["at"], row["record_id"])):
            some = list(run_of)
            fields = {row["field"]: row["new_value"] for row in some}
            gone = {"gone": "disappeared", "unknown": "back"}.get(fields.get("availability", ""), "changed")
            kind = "new" if None in fields else gone
            url = datasette.absolute_url(request, datasette.urls.row(DATABASE, "records", tilde_encode(record_id)))
            changes = [row for row in some if row["field"]]
            events.append(Event(night, at, kind, some[0]["heading"], url, _key(kind, record_id, at), changes))
        if len(rows) == AT_ONCE:
            earlier = (night["run_id"], *whole[-1][:2])
            break
        at, record = "", ""
    return {
        **await form(datasette, request),
        "title": "What's new",
        "nights": [(night, list(some)) for night, some in groupby(events, lambda one: (one.night["run_id"], one.moment[:10]))],
        "events": events,
        "earlier": f"?{urlencode([*own, *chosen.pairs, ('_before', ' '.join(map(str, earlier)))])}" if earlier else "",
        "words": chosen.words,
        "since": text,
        "page_url": datasette.absolute_url(request, datasette.urls.path(f"/-/new?{urlencode(own + chosen.pairs)}".rstrip("?"))),
        "feed_url": datasette.absolute_url(request, datasette.urls.path(f"/-/new.atom?{urlencode(chosen.pairs)}".rstrip("?"))),
        "feed_key": _key("feed", *map("=".join, sorted(chosen.pairs))),
        "today": f"{today()}T00:00:00Z",
    }


def _key(*parts: str) -> str:
    return uuid5(NAMESPACE_URL, " ".join(parts)).urn


async def feed(datasette: Any, request: Any) -> Any:
    """The same as an Atom feed (RFC 4287)."""
    text = await datasette.render_template("new.atom", await context(datasette, request), request=request)
    return Response(text.strip(), content_type="application/atom+xml; charset=utf-8")
