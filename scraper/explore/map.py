"""The map of records: what its page needs. The points come from Datasette's own table, with the filters of the page's address."""

from typing import Any

import datasette_leaflet
from datasette.database import QueryInterrupted

from scraper.explore.filters import form, read_filters

TITLE = "Map of TTA records"
_COUNT = "SELECT count(*) AS records, count(latitude) AS placed FROM records {where}"


def files(datasette: Any) -> dict[str, str]:
    """Addresses of what a page with a map loads."""
    leaflet, static = "datasette-leaflet", datasette.urls.static_plugins
    return {
        "leaflet_js": static(leaflet, datasette_leaflet.JS_FILE),
        "leaflet_css": static(leaflet, datasette_leaflet.CSS_FILE),
        "map_js": static("tta", "map.js"),
        "states": static("tta", "states.geojson"),
        "counties": static("tta", "county-names.json"),
        "records": datasette.urls.table("tta", "records"),
    }


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """The form's choices, the filters of the page's address, and how many records they choose, with a point and without."""
    found = await read_filters(datasette, request)
    try:
        counts = dict((await datasette.get_database("tta").execute(_COUNT.format(where=found.where), found.params)).first())
    except QueryInterrupted:
        counts = None
    without = found.url(("latitude__isnull", 1))
    return {"title": TITLE, "counts": counts, "without_place": without, "found": found, **await form(datasette, request)}
