"""What's new: records that the archives show for the first time, changed or gone, by day of capture, as a page and an Atom feed.

Both follow the filters of the table, so that any filter can be a feed. What a server leaves out (`database.contacts`) is
in neither, as both are made of the database that it serves.
"""

from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from datasette.utils import tilde_encode
from datasette.utils.asgi import Response

from scraper.explore.filters import DATABASE, form, read_filters
from scraper.explore.requests import today

AT_ONCE = 200
"""Rows read at a time: records shown for the first time, and changed fields."""
_TITLE = "coalesce(records.tta_title, records.short_name, records.title, records.record_id)"
_SQL = f"""
SELECT * FROM (
    SELECT first_captured_at AS at, records.record_id, {_TITLE} AS title, NULL AS field, NULL AS old_value, NULL AS new_value
    FROM records WHERE (first_captured_at, records.record_id) < (:at, :record) {{chosen}}
    ORDER BY first_captured_at DESC, records.record_id DESC LIMIT {AT_ONCE}
) UNION ALL SELECT * FROM (
    SELECT seen_by, records.record_id, {_TITLE}, field, old_value, new_value
    FROM changes JOIN records USING (record_id) WHERE (seen_by, record_id) < (:at, :record) {{chosen}}
    ORDER BY seen_by DESC, record_id DESC LIMIT {AT_ONCE}
) ORDER BY at DESC, record_id DESC, field LIMIT {AT_ONCE}
"""


class Event(NamedTuple):
    """What one capture shows of a record: `kind` is new, changed, disappeared or back; `changes` are rows of the database."""

    at: str
    kind: str
    title: str
    url: str
    key: str
    changes: list[Any]

    @property
    def moment(self) -> str:
        """The time as RFC 3339 has it; a day or a month is its beginning."""
        return self.at + "0000-01-01T00:00:00Z"[len(self.at) :]


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """What the templates `new.html` and `new.atom` show: the latest events before the time in the address."""
    chosen = await read_filters(datasette, request)
    at, _, record = (request.args.get("_before") or "9").partition(" ")
    inside = f"AND records.record_id IN (SELECT record_id FROM records {chosen.where})" if chosen.where else ""
    params = chosen.params | {"at": at, "record": record}
    rows = (await datasette.get_database(DATABASE).execute(_SQL.format(chosen=inside), params)).rows
    whole = rows if len(rows) < AT_ONCE else [row for row in rows if row[:2] != rows[-1][:2]] or rows
    events = []
    for (at, record_id), run in groupby(whole, key=lambda row: (row["at"], row["record_id"])):
        changes = list(run)
        fields = {row["field"]: row["new_value"] for row in changes}
        kind = (
            "new" if None in fields else {"gone": "disappeared", "unknown": "back"}.get(fields.get("availability", ""), "changed")
        )
        url = datasette.absolute_url(request, datasette.urls.row(DATABASE, "records", tilde_encode(record_id)))
        events.append(
            Event(at, kind, changes[0]["title"], url, _key(kind, record_id, at), [row for row in changes if row["field"]])
        )
    return {
        **await form(datasette, request),
        "title": "What's new",
        "days": [(day, list(run)) for day, run in groupby(events, key=lambda event: event.at[:10])],
        "events": events,
        "earlier": f"?{urlencode([*chosen.pairs, ('_before', ' '.join(whole[-1][:2]))])}" if len(rows) == AT_ONCE else "",
        "words": chosen.words,
        "page_url": datasette.absolute_url(request, datasette.urls.path(f"/-/new?{urlencode(chosen.pairs)}".rstrip("?"))),
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
