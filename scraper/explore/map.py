"""The map of records: what its page needs. The points come from Datasette's own table, with the filters of the page's address."""

from __future__ import annotations

from typing import Any

import datasette_leaflet

TITLE = "Map of TTA records"
YEARS = "SELECT DISTINCT fiscal_year FROM records WHERE fiscal_year IS NOT NULL ORDER BY 1 DESC"
AREAS = "SELECT DISTINCT area.value FROM records, json_each(records.program_areas) AS area ORDER BY 1"
_OWN = ("_search", "fiscal_year", "program_areas__arraycontains")


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
    """The form's choices, and the filters that it does not know and has to keep."""
    database = datasette.get_database("tta")
    years, areas = await database.execute(YEARS), await database.execute(AREAS)
    kept = [(name, value) for name in request.args for value in request.args.getlist(name) if name not in _OWN]
    return {
        "title": TITLE,
        "years": [str(row[0]) for row in years.rows],
        "areas": [row[0] for row in areas.rows],
        "chosen": {name: request.args.get(name) or "" for name in _OWN},
        "kept": kept,
        "query_string": request.query_string,
    }
