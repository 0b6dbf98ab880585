"""Datasette's metadata of the database, also written to `metadata.yml`, and the named questions.

The texts of tables and columns come from the models, those of questions and their SQL from `questions.yml`.
"""

from collections.abc import Mapping
from functools import reduce
from importlib.resources import files
from typing import Any, NamedTuple

from scraper.database.about import LICENSE, LICENSE_URL, SOURCE, SOURCE_URL, TITLE
from scraper.database.schema import dictionary_rows
from scraper.database.tables import TABLES, VIEWS, Table
from scraper.explore.facets import TYPE
from scraper.explore.filters import ARRAY_CONTAINS, read_yaml

LOOKS: dict[str, dict[str, Any]] = read_yaml("looks")
"""Datasette's settings for each table, under Datasette's names; `first`: the columns shown by default."""


class Question(NamedTuple):
    """`parameters`: of the SQL, in the form's order; `chart`: a `charts.Spec`; `of`, `given`: see `questions.yml`."""

    title: str
    description: str
    sql: str
    parameters: tuple[str, ...] = ()
    chart: Mapping[str, str] | None = None
    of: Mapping[str, str] = {}
    given: Mapping[str, str] = {}


_ALL: dict[str, Any] = read_yaml("questions")
_PARTS: dict[str, str] = _ALL.pop("parts")
_PARTS["{program_area_condition}"] = ARRAY_CONTAINS.format(t="records", c="program_areas", p="program_area")


def _expand(text: str) -> str:
    return reduce(lambda filled, name: filled.replace(name, _PARTS[name]), _PARTS, text)


UNKNOWN_LABELS = _expand("{unknown_labels}\nselect count(*) as labels from unknown")
QUESTIONS = {
    name: Question(**one | {"description": _expand(one["description"]), "sql": _expand(one["sql"])}) for name, one in _ALL.items()
}


def metadata(base_url: str = "/") -> dict[str, Any]:
    """Returns the content of `metadata.yml`, for a server whose pages start at `base_url`."""
    about = (files("scraper.explore") / "about.html").read_text(encoding="utf-8")
    source = {"title": TITLE, "license": LICENSE, "license_url": LICENSE_URL, "source": SOURCE, "source_url": SOURCE_URL}
    source["description_html"] = about.replace('href="/', f'href="{base_url}')
    tables = {table.name: _describe_table(table) for table in TABLES}
    tables |= {view.name: {"title": view.title, "description": view.description} for view in VIEWS}
    tables |= {name: {"hidden": True} for table in TABLES if table.shared for name in table.stored_in}
    queries = {name: {key: getattr(one, key) for key in ("title", "description", "sql")} for name, one in QUESTIONS.items()}
    for name, query in queries.items():
        query |= {"params": list(QUESTIONS[name].parameters), "hide_sql": True}  # the result first; a link shows the SQL
    return source | {"databases": {"tta": {"tables": tables, "queries": queries}}}


def _describe_table(table: Table) -> dict[str, Any]:
    name = table.name
    look = {key: value for key, value in LOOKS[name].items() if key != "first"}
    if "facets" in look:
        look["facets"] = [{TYPE: facet} for facet in look["facets"]]
    index = {"fts_table": f"{name}_fts"} if table.shared and table.searched else {}
    columns = {  # Datasette has no place for the unit and the label on the page
        str(column): f"{text}{f' [{unit}]' if unit else ''}{f'; on the page: {label}' if label else ''}"
        for of, column, text, label, unit, _ in dictionary_rows()
        if of == name
    }
    return look | {"description": table.about} | index | {"columns": columns}
