"""What people see: this project's plugin for Datasette (pages, cells, headers), its templates and files, and `metadata.yml`.

Datasette finds it by the entry point `tta` in pyproject.toml, however it is started.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from datasette.utils import path_with_replaced_args, urlsafe_components
from datasette.utils.asgi import Response
from markupsafe import Markup
from pluggy import HookimplMarker

from scraper.database.checks import is_known
from scraper.explore import arrays, dashboard, home, search
from scraper.explore import map as records_map
from scraper.explore.facets import ListFacet
from scraper.explore.headers import App, headers, with_headers
from scraper.explore.links import cell
from scraper.explore.metadata import LOOKS
from scraper.explore.record import moment, record_page
from scraper.explore.requests import tidied

hook = HookimplMarker("datasette")
DATABASE = "tta"
PLUGIN = "tta"


def _settings(datasette: Any) -> dict[str, Any]:
    found: dict[str, Any] = datasette.plugin_config(PLUGIN) or {}
    return found


@hook
def startup() -> None:
    arrays.quicken()


@hook
def asgi_wrapper(datasette: Any) -> Callable[[App], App]:
    found = headers(datasette, _settings(datasette).get("tile_url"))
    return lambda app: with_headers(tidied(app, datasette.setting("base_url")), found)


@hook
def render_cell(value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    if database != DATABASE:
        return None
    return cell(value, column, table, datasette.urls)


@hook
def extra_css_urls(datasette: Any) -> list[str]:
    return [datasette.urls.static_plugins(PLUGIN, "explore.css")]


@hook
def extra_js_urls(datasette: Any) -> list[dict[str, Any]]:
    return [{"url": datasette.urls.static_plugins(PLUGIN, "explore.js"), "module": True}]


@hook
def prepare_connection(conn: Any) -> None:
    conn.create_function("is_known_label", 1, lambda label: int(_is_described(str(label))), deterministic=True)


def _is_described(label: str) -> bool:
    """Also true of a milestone's or metric's own field: all of them stand in the tables of these, and millions need no look."""
    return is_known(label) or label.casefold().startswith(("milestone ", "metric ", "performance metric "))


@hook
def prepare_jinja2_environment(env: Any) -> None:
    env.filters["picked"] = _picked
    env.filters["moment"] = moment


def _picked(parts: Iterable[dict[str, Any]], key: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The parts with these names, in their order."""
    by_name = {part[key]: part for part in parts}
    return [by_name[name] for name in names if name in by_name]


@hook
def register_facet_classes() -> list[type]:
    return [ListFacet]


@hook
def menu_links(datasette: Any) -> list[dict[str, str]]:
    table = datasette.urls.table
    return [
        {"href": table(DATABASE, "records"), "label": "Records"},
        {"href": datasette.urls.path("/-/search"), "label": "Search"},
        {"href": datasette.urls.path("/-/charts"), "label": "Charts"},
        {"href": datasette.urls.path("/-/map"), "label": "Map"},
        {"href": table(DATABASE, "dictionary"), "label": "Column definitions"},
    ]


@hook
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    return [(r"^/-/map$", _map), (r"^/-/charts$", _charts), (r"^/-/search$", _search), (r"^/robots\.txt$", _robots)]


async def _robots() -> Any:
    """Turns every crawler away: the pages name people (docs/guides/publish.md)."""
    return Response.text("User-agent: *\nDisallow: /")


async def _map(datasette: Any, request: Any) -> Any:
    return await _page(datasette, request, "map", records_map.context)


async def _charts(datasette: Any, request: Any) -> Any:
    return await _page(datasette, request, "charts", dashboard.context)


async def _search(datasette: Any, request: Any) -> Any:
    return await _page(datasette, request, "search", search.context)


async def _page(datasette: Any, request: Any, name: str, context: Callable[[Any, Any], Awaitable[dict[str, Any]]]) -> Any:
    """A page of this plugin, for those who may see the records."""
    await datasette.ensure_permissions(request.actor, [("view-table", (DATABASE, "records")), "view-instance"])
    shown = await context(datasette, request)
    return Response.html(await datasette.render_template(f"{name}.html", shown, request=request, view_name=name))


@hook
def extra_template_vars(
    database: str | None, table: str | None, view_name: str, request: Any, datasette: Any
) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def found() -> dict[str, Any]:
        variables: dict[str, Any] = {"tta_files": records_map.files(datasette), "tta_settings": _settings(datasette)}
        variables["path_with_replaced_args"] = lambda *given: datasette.urls.path(
            path_with_replaced_args(*given)
        )  # it forgets base_url
        if (database, table, view_name) == (DATABASE, "records", "row"):
            (record_id,) = urlsafe_components(request.url_vars["pks"])
            variables["tta"] = await record_page(datasette.get_database(DATABASE), record_id)
        if database == DATABASE and view_name == "table":
            variables["tta_counted"] = table == "records"
            if first := LOOKS[table].first if table in LOOKS else ():
                everything = {"_col", "_nocol", "_columns"} & set(request.args)
                variables["tta_columns"] = [] if everything else first
        if view_name == "index":
            variables["tta"] = await home.context(datasette)
        return variables

    return found
