"""The user interface: this project's plugin for Datasette (pages, cells, headers), its templates and files, and `metadata.yml`.

Datasette finds it by the entry point `tta` in pyproject.toml, however it is started.
"""

import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from datasette.database import QueryInterrupted
from datasette.utils import path_with_replaced_args, tilde_encode, urlsafe_components
from datasette.utils.asgi import Base400, Response
from datasette.utils.sqlite import sqlite3
from datasette.views.base import DatasetteError
from datasette_leaflet import CSS_FILE, JS_FILE
from markupsafe import Markup
from pluggy import HookimplMarker

from scraper.database.about import TITLE
from scraper.database.tables import BY_NAME, columns_in
from scraper.errors import BadQuery
from scraper.explore import charts, dashboard, downloads, filters, home, news, record, search
from scraper.explore.facets import ListFacet
from scraper.explore.lines import describe, ensure_records_are_shown, replace_array_condition
from scraper.explore.links import DATABASE, moment, render_value
from scraper.explore.metadata import LOOKS, QUESTIONS, metadata
from scraper.explore.middleware import App, PageCache, cached, headers, limited, with_headers
from scraper.explore.requests import normalize_request
from scraper.sandbox import register_functions

hook = HookimplMarker("datasette")
PLUGIN = "tta"
_MENU = filters.read_yaml("filters")["menu"]
_ANSWERS: WeakKeyDictionary[Any, PageCache] = WeakKeyDictionary()
"""The response cache of each Datasette instance; kept here because Datasette rebuilds its ASGI app for internal requests."""


@hook
def startup(datasette: Any) -> Callable[[], Awaitable[None]]:
    from datasette.plugins import pm  # loads all plugins, including this one, so not while it is being imported

    replace_array_condition(filters.ARRAY_CONTAINS)
    # It prints tracebacks with local variables, texts of captured pages among them:
    if pm.has_plugin("datasette.handle_exception"):
        pm.unregister(name="datasette.handle_exception")
    return lambda: describe(datasette)


@hook
def asgi_wrapper(datasette: Any) -> Callable[[App], App]:
    found = headers(datasette, datasette.plugin_config(PLUGIN) or {})

    def wrapped(app: App) -> App:
        database = datasette.databases.get(DATABASE)
        if datasette not in _ANSWERS and database and database.path and Path(database.path).is_file():
            _ANSWERS[datasette] = PageCache(Path(database.path))
        app = cached(app, _ANSWERS[datasette]) if datasette in _ANSWERS else app
        return with_headers(limited(normalize_request(app, datasette.setting("base_url"))), found)

    return wrapped


@hook(tryfirst=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Callable[[], Awaitable[Any]]:
    """Returns the page of an error: status 400 for an invalid request; 500, and a traceback on standard error, for a bug."""
    status, message, title = 500, str(exception), None
    is_visitors_sql = isinstance(exception, sqlite3.OperationalError) and {"sql", "_where"} & set(request.args)
    if problem := request.scope.get("tta_problem"):  # the request was sent to `UNREADABLE`, where there is nothing
        status, message, title = 400, problem, "This filter can't be read"
    elif isinstance(exception, QueryInterrupted) or getattr(exception, "title", None) == "SQL Interrupted":
        status, title, message = 400, "This took too long", "It reached the time limit: try again, or choose fewer records."
    elif isinstance(exception, Base400):
        status = exception.status
    elif isinstance(exception, DatasetteError):  # it reports some invalid requests with status 500
        status, message, title = 400 if exception.status == 500 else exception.status, exception.message, exception.title
    elif isinstance(exception, BadQuery) or is_visitors_sql:
        status = 400
    else:
        traceback.print_exception(exception)
        message = "This is a bug in the program, not an error in your request; its log has the details."

    async def page() -> Any:
        if request.path.endswith(".json"):
            return Response.json({"ok": False, "error": message, "status": status, "title": title}, status=status)
        shown = {"status": status, "error": message, "title": title}
        return Response.html(await datasette.render_template("error.html", shown, request=request), status=status)

    return page


@hook
def render_cell(value: Any, column: str, table: str | None, database: str, datasette: Any) -> Markup | None:
    return render_value(value, column, table, datasette.urls) if database == DATABASE else None


@hook(trylast=True)
def prepare_connection(conn: Any, database: str) -> None:
    """Registers SQL functions. Runs after Datasette's own hook, whose `escape_fts` it replaces."""
    register_functions(conn)
    if database == DATABASE:
        for name in search.SCOPES:
            conn.execute(f"CREATE VIRTUAL TABLE temp.{name}_words USING fts5vocab('main', '{name}_fts', 'row')")


@hook
def prepare_jinja2_environment(env: Any) -> None:
    env.filters["picked"] = lambda rows, by, names: sorted((x for x in rows if x[by] in names), key=lambda x: names.index(x[by]))
    env.filters |= {"moment": moment, "row_path": tilde_encode, "heading": filters.heading, "differing": record.differing}
    env.globals |= {"site_title": TITLE, "state_paths": charts.STATE_PATHS, "leaflet_files": (JS_FILE, CSS_FILE)}
    env.globals["described_tables"] = metadata()["databases"][DATABASE]["tables"]


@hook
def filters_from_request(request: Any, database: str, table: str, datasette: Any) -> Any:
    return (lambda: filters.own_conditions(datasette, request, table)) if database == DATABASE else None


@hook
def register_facet_classes() -> list[type]:
    return [ListFacet]


@hook
def menu_links(datasette: Any) -> list[dict[str, str]]:
    return [{"href": datasette.urls.path(path), "label": label} for label, path in _MENU.items()]


@hook
def register_routes() -> list[tuple[str, Callable[..., Any]]]:
    return [
        (r"^/-/map$", _make_view(dashboard.map_context, "map.html")),
        (r"^/-/charts$", _make_view(dashboard.context, "charts.html")),
        (r"^/-/new$", _make_view(news.context, "new.html")),
        (r"^/-/new\.atom$", _make_view(news.feed)),
        (r"^/-/new\.(?P<format>csv|xlsx)$", _make_view(news.events_file)),
        (r"^/-/chart$", _make_view(dashboard.chart_context, "chart.html")),
        (r"^/-/chart\.svg$", _make_view(dashboard.picture_file)),
        (r"^/-/chart\.(?P<format>csv|xlsx)$", _make_view(dashboard.numbers_file)),
        (r"^/-/search$", _make_view(search.context, "search.html")),
        (r"^/tta(?:/[^/]+){0,2}\.(?P<format>csv|xlsx)$", downloads.of_page),
        (r"^/-/codebook$", _make_view(home.codebook, "codebook.html")),
        (r"^/-/codebook\.(?P<format>csv|xlsx)$", _make_view(home.codebook_file)),
        (r"^/-/health$", home.health),
        (r"^/robots\.txt$", lambda: Response.text("User-agent: *\nDisallow: /")),  # the pages contain people's names
        # Replaces Datasette's own page, which exposes the path of the database file:
        (r"^/-/databases(?:\.json)?$", lambda datasette: Response.json([{"name": name} for name in datasette.databases])),
    ]


def _make_view(content: Callable[[Any, Any], Awaitable[Any]], template: str = "") -> Callable[..., Awaitable[Any]]:
    """Makes a view for visitors who may see the records. `content` returns the template's variables, or a response."""

    async def view(datasette: Any, request: Any) -> Any:
        await ensure_records_are_shown(datasette, request.actor)
        shown = await content(datasette, request)
        if not isinstance(shown, dict):
            return shown
        return Response.html(await datasette.render_template(template, shown, request=request, view_name=template[:-5]))

    return view


@hook
def extra_template_vars(
    database: str | None, table: str | None, view_name: str, request: Any, datasette: Any
) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def found() -> dict[str, Any]:
        variables: dict[str, Any] = {"tta_settings": datasette.plugin_config(PLUGIN) or {}}
        # Datasette's own omits base_url:
        variables["path_with_replaced_args"] = lambda *given: datasette.urls.path(path_with_replaced_args(*given))
        variables |= {"did_you_mean": lambda: search.did_you_mean(datasette, request), "tta_info": columns_in(table)}
        if view_name == "index":
            variables["tta"] = await home.context(datasette)
        if database != DATABASE:
            return variables
        shown = datasette.get_database(DATABASE)
        if (table, view_name) == ("organizations", "row"):
            (key,), most = urlsafe_components(request.url_vars["pks"]), record.MOST[request.args.get("_size") == "max"]
            rows = await filters.ask(shown, "organization", {"id": key}, most=str(most))
            variables["tta"] = rows if rows["organization"] else None
        elif (table, view_name) == ("records", "row"):
            (key,), chosen = urlsafe_components(request.url_vars["pks"]), await filters.read_filters(datasette, request)
            variables["tta"] = page = await record.record_page(shown, key, chosen)
            variables["tta_overlays"] = await record.overlay_rows(shown, page["record"]) if page else {}
        elif view_name == "table" and table and table not in QUESTIONS:
            has_form, prefix = "record_id" in columns_in(table) and table in BY_NAME, "" if table == "records" else filters.RECORD
            shown_filters = filters.form(datasette, request, prefix) if has_form else filters.chips(datasette, request, table)
            variables |= await shown_filters
            chosen = request.args.getlist("_col") if table != "records" or "tta_title" in request.args.getlist("_col") else []
            first = [] if {"_col", "_nocol", "_columns"} & set(request.args) else LOOKS.get(table, {}).get("first", [])
            variables["tta_columns"] = sorted(chosen, key="tta_title".__ne__) or first
            variables["tta_own_filters"] = ("_where", *filters.OWN_FILTERS) if has_form else ()
            variables |= {"tta_cite": downloads.cite, "tta_names": partial(filters.names_of, shown)}
        elif request and (question := QUESTIONS.get(request.url_vars.get("table", ""))):
            variables["tta"] = await dashboard.question_context(datasette, request, question)
        return variables

    return found
