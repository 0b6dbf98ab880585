"""A Data Package (datapackage.org, version 2): CSV tables with a description that programs can read and check.

The schema is made from the models, so types, descriptions, keys and links are those of the database.
"""

import json
from typing import Any

from parsers.record import ColumnInfo, columns_of
from scraper.database.about import CAVEAT, LICENSE, LICENSE_URL, SOURCE, SOURCE_URL, SUMMARY, TITLE
from scraper.database.schema import table_description
from scraper.export.columns import Values, values_of
from scraper.export.manifest import Written, program
from scraper.export.tables import BY_NAME, FLAT

NAME = "datapackage.json"
README = "README.md"
_PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
_TYPES: dict[Values, dict[str, Any]] = {
    Values.TEXT: {"type": "string"},
    Values.CODE: {"type": "string"},
    Values.INTEGER: {"type": "integer"},
    Values.NUMBER: {"type": "number"},
    Values.YES_NO: {"type": "boolean", "trueValues": ["1"], "falseValues": ["0"]},
    Values.LIST: {"type": "array"},
    Values.TIME: {"type": "datetime"},
    Values.DATE: {"type": "date"},
    Values.PARTIAL_TIME: {"type": "string"},
}
_FLAT_TYPES = _TYPES | {
    Values.YES_NO: {"type": "boolean", "trueValues": ["Yes"], "falseValues": ["No"]},
    Values.LIST: {"type": "string"},
}
_PARTIAL_TIME = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?Z?)?"
"""What `parsers.scalars.iso_time` gives: a day, a local time without zone, or UTC."""


def describe(tables: dict[str, tuple[str, ...]], files: list[Written], state: dict[str, Any], citation: str) -> str:
    """The package's description as JSON. `tables`: their columns; `files`: of each table, in the same order."""
    package = {
        "$schema": _PROFILE,
        "name": "bja-tta-records",
        "title": TITLE,
        "description": f"{SUMMARY}\n\n{CAVEAT}",
        "licenses": [{"title": LICENSE, "path": LICENSE_URL}],
        "sources": [{"title": SOURCE, "path": SOURCE_URL}],
        "contributors": [{"title": program(), "roles": ["wrangler"]}],
        "keywords": ["criminal justice", "training and technical assistance", "web archives", "Bureau of Justice Assistance"],
        "citation": citation,
        "captured": {"first": state["first_captured_at"], "last": state["last_captured_at"]},
        "resources": [
            _resource(name, columns, file, tables) for (name, columns), file in zip(tables.items(), files, strict=True)
        ],
    }
    return json.dumps(package, ensure_ascii=False, indent=2) + "\n"


def readme(citation: str) -> str:
    """A page for whoever finds the folder."""
    return (
        f"# {TITLE}\n\n{SUMMARY}\n\n{CAVEAT}\n\n"
        f"`{NAME}` describes each table and column and can be checked with `frictionless validate {NAME}`. "
        "In the CSV files an empty cell is unknown, a list is a JSON array, yes and no are 1 and 0, and a text that a sheet "
        "would run as a formula begins with an apostrophe that is not its own.\n\n"
        f"Licence: {LICENSE} ({LICENSE_URL}). That need not hold for texts that others contributed, nor in other countries.\n\n"
        f"Cite as: {citation}\n"
    )


def _resource(name: str, columns: tuple[str, ...], file: Written, tables: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "name": name,
        "type": "table",
        "path": file.name,
        "description": table_description(BY_NAME[name]),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "header": True, "doubleQuote": True},
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "rows": file.rows,
        "schema": schema(name, columns, tables),
    }


def schema(name: str, columns: tuple[str, ...], tables: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """A table's Table Schema; a link to a table that the package lacks is left out."""
    table = BY_NAME[name]
    fields = [
        _field(columns_of(table.model)[column], _FLAT_TYPES if name == FLAT else _TYPES, alone=table.keys == (column,))
        for column in columns
    ]
    links = [
        {"fields": [column], "reference": {"resource": other, "fields": [column]}}
        for column, other in table.links
        if column in columns and column in tables.get(other, ())
    ]
    keys = list(table.keys) if set(table.keys) <= set(columns) else None
    return {"fields": fields, "missingValues": [""], **_filled({"primaryKey": keys, "foreignKeys": links})}


def _field(info: ColumnInfo, types: dict[Values, dict[str, Any]], *, alone: bool) -> dict[str, Any]:
    kind = values_of(info)
    texts = {"title": info.heading, "description": info.description, "unit": info.unit, "label": info.label}
    constraints = {
        "required": info.required,
        "unique": alone,
        "enum": [str(one) for one in info.type] if kind is Values.CODE else None,
        "pattern": _PARTIAL_TIME if kind is Values.PARTIAL_TIME else None,
        **_RANGES.get(info.name, {}),
    }
    return {"name": info.name, **types[kind], **_filled(texts), **_filled({"constraints": _filled(constraints)})}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


_RANGES: dict[str, dict[str, Any]] = {
    "longitude": {"minimum": -180, "maximum": 180},
    "latitude": {"minimum": -90, "maximum": 90},
    "position": {"minimum": 1},
    "occurrence": {"minimum": 1},
}
