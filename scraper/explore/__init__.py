"""What people see: this project's plugin for Datasette (pages, cells, headers), its templates and files, and `metadata.yml`.

Datasette finds it by the entry point `tta` in pyproject.toml, however it is started.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from datasette.database import QueryInterrupted
from datasette.utils import path_with_replaced_args, tilde_encode, urlsafe_components
from datasette.utils.asgi import Response
from datasette.utils.sqlite import sqlite3
from datasette.views.base import DatasetteError
from markupsafe import Markup
from pluggy import HookimplMarker

from parsers.record import columns_of
from scraper.database.tables import BY_NAME, RecordRow
from scraper.explore import arrays, charts, dashboard, downloads, filters, home, news, search
from scraper.explore import map as records_map
from scraper.explore.cache import Answers, cached
from scraper.explore.facets import ListFacet
from scraper.explore.headers import App, headers, with_headers
from scraper.explore.health import health
from scraper.explore.links import moment, render_value
from scraper.explore.metadata import LOOKS
from scraper.explore.organization import organization_page, overlay_rows
from scraper.explore.questions import QUESTIONS
from scraper.explore.record import record_page
from scraper.explore.requests import UNREADABLE, normalize_request
from scraper.explore.visitors import limited
from scraper.sandbox import register_functions

hook = HookimplMarker("datasette")
DATABASE = "tta"
PLUGIN = "tta"
_ANSWERS: WeakKeyDictionary[Any, Answers] = WeakKeyDictionary()
"""The kept answers of each Datasette."""


def _settings(datasette: Any) -> dict[str, Any]:
    found: dict[str, Any] = datasette.plugin_config(PLUGIN) or {}
    return found


@hook
def startup() -> None:
    arrays.patch_array_filter()


@hook
def asgi_wrapper(datasette: Any) -> Callable[[App], App]:
    found = headers(datasette, _settings(datasette))
    base_url = datasette.setting("base_url")

    def wrapped(app: App) -> App:
        if answers := _answers(datasette):
            app = cached(app, answers)
        return with_headers(limited(normalize_request(app, base_url)), found)

    return wrapped


def _answers(datasette: Any) -> Answers | None:
    """The answers kept for this Datasette; None where it does not serve a file of ours."""
    database = datasette.databases.get(DATABASE)
    if datasette not in _ANSWERS and database and database.path and Path(database.path).is_file():
        _ANSWERS[datasette] = Answers(Path(database.path))
    return _ANSWERS.get(datasette)


@hook(tryfirst=True)
def handle_exception(request: Any, exception: Exception) -> Any:
    """Reports faults of a request with status 400 where Datasette takes them for its own (500)."""
    if isinstance(exception, QueryInterrupted):
        return Response.text("The query reached the time limit: ask for less.", status=400)
    if request.query_string and isinstance(exception, sqlite3.OperationalError | ValueError | OverflowError):
        return Response.text(f"This address can't be used: {exception}", status=400)
    if isinstance(exception, DatasetteError) and exception.status == 500:
        exception.status = 400
    return None


@hook
def render_cell(value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    if database != DATABASE:
        return None
    return render_value(value, column, table, datasette.urls)


@hook
def extra_css_urls(datasette: Any) -> list[str]:
    return [datasette.urls.static_plugins(PLUGIN, "explore.css")]


@hook
def extra_js_urls(datasette: Any) -> list[dict[str, Any]]:
    return [{"url": datasette.urls.static_plugins(PLUGIN, "explore.js"), "module": True}]


@hook(trylast=True)
def prepare_connection(conn: Any, database: str) -> None:
    """Comes after Datasette's own, whose `escape_fts` it replaces."""
    register_functions(conn)
    if database == DATABASE:
        conn.execute("CREATE VIRTUAL TABLE temp.search_words USING fts5vocab('main', 'records_fts', 'row')")


@hook
def prepare_jinja2_environment(env: Any) -> None:
    env.filters["picked"] = _picked
    env.filters |= {"moment": moment, "row_path": tilde_encode}
    env.globals |= {"shade": charts.shade, "state_paths": charts.state_paths()}


def _picked(parts: Iterable[dict[str, Any]], key: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The parts with these names, in their order."""
    by_name = {part[key]: part for part in parts}
    return [by_name[name] for name in names if name in by_name]


@hook
def register_facet_classes() -> list[type]:
    return [ListFacet]


@hook
def menu_links(datasette: Any) -> list[dict[str, str]]:
    urls = datasette.urls
    return [
        {"href": href, "label": label}
        for label, href in (
            ("Records", urls.table(DATABASE, "records")),
            ("Search", urls.path("/-/search")),
            ("Charts", urls.path("/-/charts")),
            ("Map", urls.path("/-/map")),
            ("Questions", urls.instance() + "#questions"),
            ("What's new", urls.path("/-/new")),
            ("Organizations", urls.table(DATABASE, "organizations")),
            ("Column definitions", urls.table(DATABASE, "dictionary")),
        )
    ]


@hook
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    return [
        (r"^/-/map$", _page("map", records_map.context)),
        (r"^/-/charts$", _page("charts", dashboard.context)),
        (r"^/-/new$", _page("new", news.context)),
        (r"^/-/new\.atom$", news.feed),
        (r"^/-/chart$", _page("chart", dashboard.chart_context)),
        (r"^/-/chart\.svg$", dashboard.picture_file),
        (r"^/-/chart\.csv$", dashboard.numbers_file),
        (r"^/-/search$", _page("search", search.context)),
        (r"^/tta(?:/[^/]+){0,2}\.(?P<format>csv|xlsx)$", downloads.of_page),
        (r"^/-/health$", health),
        (rf"^{UNREADABLE}(?:\.json)?$", _unreadable),
        (r"^/robots\.txt$", _robots),
        (r"^/-/databases(?:\.json)?$", _databases),
    ]


async def _databases(datasette: Any) -> Any:
    """Takes the place of Datasette's own page, which exposes the path of the database file."""
    return Response.json([{"name": name, "route": one.route} for name, one in datasette.databases.items() if one.path])


async def _unreadable(request: Any) -> Any:
    raise DatasetteError(request.scope.get("tta_problem", "There is nothing here."), title="Please check the address", status=400)


async def _robots() -> Any:
    """Turns every crawler away: the pages name people (docs/guides/publish.md)."""
    return Response.text("User-agent: *\nDisallow: /")


def _page(name: str, context: Callable[[Any, Any], Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The view of a page of this plugin, for those who may see the records."""

    async def view(datasette: Any, request: Any) -> Any:
        await datasette.ensure_permissions(request.actor, [("view-table", (DATABASE, "records")), "view-instance"])
        shown = await context(datasette, request)
        if isinstance(shown, Response):
            return shown
        return Response.html(await datasette.render_template(f"{name}.html", shown, request=request, view_name=name))

    return view


@hook
def extra_template_vars(
    database: str | None, table: str | None, view_name: str, request: Any, datasette: Any
) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def found() -> dict[str, Any]:
        variables: dict[str, Any] = {"tta_files": records_map.files(datasette), "tta_settings": _settings(datasette)}
        variables["path_with_replaced_args"] = lambda *given: datasette.urls.path(
            path_with_replaced_args(*given)
        )  # it forgets base_url
        if (database, table, view_name) == (DATABASE, "organizations", "row"):
            variables["tta"] = await organization_page(
                datasette.get_database(DATABASE), *urlsafe_components(request.url_vars["pks"])
            )
        if (database, table, view_name) == (DATABASE, "records", "row"):
            (key,), chosen = urlsafe_components(request.url_vars["pks"]), await filters.read_filters(datasette, request)
            variables["tta"] = shown = await record_page(datasette.get_database(DATABASE), key, chosen)
            if shown:
                variables["tta_overlays"] = await overlay_rows(datasette.get_database(DATABASE), shown.record)
        if database == DATABASE and view_name == "table" and table and table not in QUESTIONS:
            variables |= await filters.form(datasette, request) if table == "records" else filters.chips(request, table)
            variables["tta_cite"] = downloads.cite
            variables["tta_info"] = columns_of(BY_NAME[table].model if table in BY_NAME else RecordRow)
            if first := LOOKS.get(table, {}).get("first"):
                everything = {"_col", "_nocol", "_columns"} & set(request.args)
                variables["tta_columns"] = [] if everything else first
        if database == DATABASE and request and (question := QUESTIONS.get(request.url_vars.get("table", ""))):
            variables["tta"] = await dashboard.question_context(datasette, request, question)
        if view_name == "index":
            variables["tta"] = await home.context(datasette)
        return variables

    return found
