"""The two lines of Datasette that are supported, 0.65 and the newest alpha of 1.0: what differs between them is written here.

Templates print what either line calls a thing: `filtered_table_rows_count|default(count)`. Addresses with `_shape` and `_extra`
have the same JSON on both, and `/tta?sql=` leads to the page of a visitor's SQL.
"""

from importlib.metadata import version
from typing import Any

from scraper.explore.links import DATABASE
from scraper.explore.metadata import Question, metadata

IS_1 = version("datasette").partition(".")[0] != "0"
_TEXTS = ("title", "description", "columns")
"""What describes a table; the rest of what `metadata.yml` has of it, 1.0 reads from `datasette.yaml`."""


def replace_array_condition(sql: str) -> None:
    """Replaces Datasette's slow condition that an array contains a value, in a private attribute, because no hook can."""
    from datasette.filters import Filters  # loads all plugins, including this one, so not while it is being imported

    Filters._filters_by_key["arraycontains"].sql_template = sql


async def ensure_records_are_shown(datasette: Any, actor: Any) -> None:
    """Raises Forbidden where the actor may not see the table of records."""
    if not IS_1:
        await datasette.ensure_permissions(actor, [("view-table", (DATABASE, "records")), "view-instance"])
        return
    from datasette.resources import TableResource

    await datasette.ensure_permission(action="view-table", resource=TableResource(DATABASE, "records"), actor=actor)


def config() -> dict[str, Any]:
    """Returns the content of `datasette.yaml`: questions, and how tables are shown."""
    known = metadata()["databases"][DATABASE]
    looks = {name: {key: one for key, one in look.items() if key not in _TEXTS} for name, look in known["tables"].items()}
    tables = {name: look for name, look in looks.items() if look}
    return {"databases": {DATABASE: {"tables": tables, "queries": known["queries"]}}}


def options(base_url: str, plugins: dict[str, Any], *, sql: bool) -> dict[str, Any]:
    """Returns arguments of `Datasette()`: texts, questions, settings of plugins. `sql`: visitors may write SQL."""
    own = config() if IS_1 else metadata(base_url)
    own["plugins"] = plugins
    own["databases"][DATABASE] |= {} if sql else {"allow_sql": False}
    return {"config" if IS_1 else "metadata": own}


async def describe(datasette: Any) -> None:
    """Gives 1.0 the texts of `metadata.yml`, which `datasette.yaml` has no place for; those of the user's own file stay."""
    if not IS_1 or DATABASE not in datasette.databases or await datasette.get_instance_metadata():
        return
    texts = metadata(datasette.setting("base_url"))
    for name, look in texts.pop("databases")[DATABASE]["tables"].items():
        for key in _TEXTS[:2]:
            await datasette.set_resource_metadata(DATABASE, name, key, look.get(key))
        for column, text in look.get("columns", {}).items():
            await datasette.set_column_metadata(DATABASE, name, column, "description", text)
    for key, text in texts.items():
        await datasette.set_instance_metadata(key, text)


async def question_rows(datasette: Any, request: Any, question: Question) -> dict[str, Any]:
    """Returns a question's `rows` and `truncated`, which 1.0 does not pass to templates; empty for 0.65."""
    if not IS_1:
        return {}
    params = {name: request.args.get(name) or "" for name in question.parameters}
    results = await datasette.get_database(DATABASE).execute(question.sql, params, truncate=True)
    return {"rows": results.rows, "truncated": results.truncated}
