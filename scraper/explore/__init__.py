"""What people see: this project's plugin for Datasette (pages, cells, headers), its templates and files, and `metadata.yml`.

Datasette finds it by the entry point `tta` in pyproject.toml, however it is started.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from pluggy import HookimplMarker

from scraper.explore.headers import App, headers, with_headers
from scraper.explore.links import cell

hook = HookimplMarker("datasette")
DATABASE = "tta"
PLUGIN = "tta"


@hook
def asgi_wrapper(datasette: Any) -> Callable[[App], App]:
    tile_url = (datasette.plugin_config(PLUGIN) or {}).get("tile_url")
    found = headers(datasette, tile_url)
    return lambda app: with_headers(app, found)


@hook
def render_cell(value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    if database != DATABASE:
        return None
    return cell(value, column, table, datasette.urls.table(DATABASE, "records"))


@hook
def extra_css_urls(datasette: Any) -> list[str]:
    return [datasette.urls.static_plugins(PLUGIN, "explore.css")]


@hook
def extra_js_urls(datasette: Any) -> list[dict[str, Any]]:
    return [{"url": datasette.urls.static_plugins(PLUGIN, "explore.js"), "module": True}]
