"""Generates and finds `metadata.yml`, Datasette's texts about the database; those of tables and columns come from the models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
HEADER = "# Made by `make docs` from parsers/registry.py, record.py, scraper/database/tables.py, explore/; edit those.\n"
ABOUT = """\
<p>Records of training and technical assistance (TTA) that the US Bureau of Justice Assistance (BJA) and its National Training
and Technical Assistance Center (NTTAC) published on their reporting portal: who requested assistance, what was delivered,
where, and for whom. The pages survive mainly in web archives. This database is rebuilt from those captures, and every value
names the capture it was read from.</p>
<p>It is <strong>not</strong> an official publication, and not complete: it contains what was captured. A record without a newer
capture was not necessarily removed, and an empty cell may mean that the value was not captured: see <code>state</code> in the
table <a href="/tta/fields">fields</a>.</p>
<p>Works of the US government are not under copyright in the United States (17 U.S.C. 105). This may not apply to texts that
others contributed to the pages, or in other countries. Pages name people who submitted them or received assistance: respect
their privacy.</p>
<p>Start with the <a href="/tta/records">records</a>, the <a href="/-/map">map</a>, or what each column means: the <a
href="/tta/dictionary">dictionary</a>.</p>
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How Datasette shows a table: title, order, page size, facets, and the column that names a row.

    `first`: the columns shown by default; empty: all.
    """

    title: str
    facets: tuple[str, ...] = ()
    sort: str | None = None
    sort_desc: str | None = None
    size: int | None = None
    label: str | None = None
    first: tuple[str, ...] = ()
    hidden: bool = False


LOOKS = {
    "records": Look(
        "TTA records",
        facets=tuple("fiscal_year status program_areas agency_types place_state evidence_based emerging_need".split()),
        sort_desc="submitted_at",
        size=25,
        label="title",
        first=tuple(
            "tta_title fiscal_year status program_areas agency_types provider_reference place_state county event_on "
            "evidence_based emerging_need availability".split()
        ),
    ),
    "captures": Look(
        "Captures of pages",
        facets=("kind", "source", "form"),
        sort_desc="captured_at",
        label="captured_at",
        first=tuple("capture_id captured_at url kind source http_status record_id reason".split()),
    ),
    "fields": Look(
        "Fields, as printed on the pages",
        facets=("label",),
        first=tuple("record_id position section label item value state href capture_id".split()),
    ),
    "sections": Look(
        "Instructions on the pages", facets=("label",), first=("record_id", "position", "label", "text", "capture_id")
    ),
    "milestones": Look("Milestones"),
    "performance_metrics": Look("Performance metrics"),
    "changes": Look("Changes between captures", facets=("field",), sort_desc="seen_by"),
    "organizations": Look(
        "Organizations",
        facets=("kind", "state_code", "how"),
        sort_desc="records",
        label="name",
    ),
    "organization_mentions": Look("Where organizations are named", facets=("how",)),
    "similar": Look("Similar records"),
    "runs": Look(
        "Refreshes",
        facets=("outcome",),
        sort_desc="run_id",
        label="started_at",
        first=tuple("run_id started_at ended_at outcome fetched loaded records message".split()),
    ),
    "run_checks": Look("Checks of each refresh", facets=("name", "severity", "passed"), sort_desc="run_id"),
    "program": Look("Which program read the captures", hidden=True),
    "dictionary": Look("What each column means", facets=("table",), size=200),
}


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
    look = LOOKS[name]
    texts: Mapping[str, Any] = {
        "title": look.title,
        "description": description,
        "sort": look.sort,
        "sort_desc": look.sort_desc,
        "size": look.size,
        "label_column": look.label,
        "facets": [{TYPE: name} for name in look.facets] or None,
        "hidden": look.hidden or None,
        "fts_table": f"{name}_fts" if BY_NAME[name].shared and BY_NAME[name].searched else None,
    }
    columns = {str(column): _text(str(text), label, unit) for of, column, text, label, unit, _ in dictionary_rows() if of == name}
    return {key: value for key, value in texts.items() if value is not None} | {"columns": columns}


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
