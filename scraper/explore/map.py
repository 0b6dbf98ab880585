"""The map of records: what its page needs. The points come from Datasette's own table, with the filters of the page's address."""

from __future__ import annotations

from typing import Any

import datasette_leaflet

from scraper.explore.filters import form

TITLE = "Map of TTA records"


def files(datasette: Any) -> dict[str, str]:
    """Addresses of what a page with a map loads."""
    leaflet, static = "datasette-leaflet", datasette.urls.static_plugins
    return {
        "leaflet_js": static(leaflet, datasette_leaflet.JS_FILE),
        "leaflet_css": static(leaflet, datasette_leaflet.CSS_FILE),
        "map_js": static("tta", "map.js"),
        "states": static("tta", "states.geojson"),
        "records": datasette.urls.table("tta", "records"),
    }


async def context(datasette: Any, request: Any) -> dict[str, Any]:
    """The form's choices, and the filters of the page's address."""
    return {"title": TITLE, **await form(datasette, request)}
