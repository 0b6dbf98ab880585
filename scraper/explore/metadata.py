"""Generates and finds `metadata.yml`, Datasette's texts about the database; those of tables and columns come from the models."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from scraper.database.about import LICENSE, LICENSE_URL, SOURCE, SOURCE_URL, TITLE
from scraper.database.schema import dictionary_rows, table_description
from scraper.database.tables import BY_NAME, TABLES, VIEWS
from scraper.errors import TtaError
from scraper.explore.facets import TYPE
from scraper.explore.questions import QUESTIONS

NAME = "metadata.yml"
HEADER = "# Made by `make docs` from parsers/registry.toml, record.py, scraper/database/tables.py, explore/; edit those.\n"
_FOLDER = files("scraper.explore")
ABOUT = (_FOLDER / "about.html").read_text(encoding="utf-8")
LOOKS: dict[str, dict[str, Any]] = yaml.safe_load((_FOLDER / "looks.yml").read_text(encoding="utf-8"))
"""How Datasette shows each table, by its own names; `first`: the columns shown by default."""


def metadata() -> dict[str, Any]:
    """The content of `metadata.yml`."""
    return {
        "title": TITLE,
        "description_html": ABOUT,
        "license": LICENSE,
        "license_url": LICENSE_URL,
        "source": SOURCE,
        "source_url": SOURCE_URL,
        "databases": {
            "tta": {
                "tables": {table.name: _table(table.name, table_description(table)) for table in TABLES}
                | {view.name: {"title": view.title, "description": view.description} for view in VIEWS}
                | {name: {"hidden": True} for table in TABLES if table.shared for name in table.stored_in},
                "queries": {
                    name: {
                        "title": one.title,
                        "description": one.description,
                        "sql": one.sql,
                        "params": list(one.parameters),
                        "hide_sql": True,  # the answer first; a link shows it
                    }
                    for name, one in QUESTIONS.items()
                },
            }
        },
    }


def _table(name: str, description: str) -> dict[str, Any]:
    look = {key: value for key, value in LOOKS[name].items() if key != "first"}
    if "facets" in look:
        look["facets"] = [{TYPE: facet} for facet in look["facets"]]
    index = {"fts_table": f"{name}_fts"} if BY_NAME[name].shared and BY_NAME[name].searched else {}
    columns = {str(column): _text(str(text), label, unit) for of, column, text, label, unit, _ in dictionary_rows() if of == name}
    return look | {"description": description} | index | {"columns": columns}


def _text(description: str, label: str | None, unit: str | None) -> str:
    """A column's text in one line; Datasette has no place of its own for the label on the page."""
    text = description + (f" [{unit}]" if unit else "")
    return f"{text}; on the page: {label}" if label else text


def under(base_url: str, found: dict[str, Any]) -> dict[str, Any]:
    """The metadata for a server whose pages start at `base_url`, with its own links pointing there."""
    return found | {"description_html": found["description_html"].replace('href="/', f'href="{base_url}')}


def render() -> str:
    """The file's text."""
    return HEADER + yaml.dump(metadata(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=130)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def metadata_file() -> Path:
    """The file, whatever the working directory: beside this module when installed, at the repository's root otherwise."""
    for folder in (Path(__file__).parent, Path(__file__).parents[2]):
        if (folder / NAME).is_file():
            return folder / NAME
    raise TtaError(f"{NAME} is missing from the installation: install the program again")


def read_metadata(path: Path) -> dict[str, Any]:
    """The content of the file. Raises TtaError if it cannot be read or is not Datasette's metadata."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise TtaError(f"{path} cannot be read: generate it with `make docs`") from None
    if not isinstance(found, dict):
        raise TtaError(f"{path} is not Datasette's metadata: generate it with `make docs`")
    return found
