"""A Data Package (datapackage.org, version 2): CSV tables with a machine-readable description generated from the models."""

import json
from pathlib import Path
from typing import Any

from parsers.record import ColumnInfo, columns_of
from scraper.database import about
from scraper.export.manifest import PROGRAM, Written
from scraper.export.tables import BY_NAME, FLAT, Values, values_of

_CONSTANT = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
_README = Path(__file__).with_name("package_readme.md").read_text(encoding="utf-8")
_TYPES = {Values[name]: field for name, field in _CONSTANT["types"].items()}
_TEXT = {"type": "string"}
_FLAT_TYPES = _TYPES | {Values.LIST: _TEXT, Values.YES_NO: {"type": "boolean", "trueValues": ["Yes"], "falseValues": ["No"]}}
_PARTIAL_TIME = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?Z?)?"
"""Pattern of what `parsers.scalars.iso_time` returns: a day, a local time without zone, or UTC."""


def describe(tables: dict[str, tuple[str, ...]], files: list[Written], state: dict[str, Any], citation: str) -> dict[str, str]:
    """Returns the texts of the package's description and of its README, by file name.

    `tables`: their columns; `files`: the file of each table, in the same order.
    """
    package = {
        **_CONSTANT["package"],
        "title": about.TITLE,
        "description": f"{about.SUMMARY}\n\n{about.CAVEAT}",
        "licenses": [{"title": about.LICENSE, "path": about.LICENSE_URL}],
        "sources": [{"title": about.SOURCE, "path": about.SOURCE_URL}],
        "contributors": [{"title": PROGRAM, "roles": ["wrangler"]}],
        "citation": citation,
        "captured": {"first": state["first_captured_at"], "last": state["last_captured_at"]},
        "resources": [
            {
                "name": name,
                **_CONSTANT["resource"],
                "path": file.name,
                "description": BY_NAME[name].about,
                "bytes": file.bytes,
                "hash": f"sha256:{file.sha256}",
                "rows": file.rows,
                "schema": _table_schema(name, tables),
            }
            for name, file in zip(tables, files, strict=True)
        ],
    }
    text = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    return {"datapackage.json": text, "README.md": _README.format(citation=citation, **vars(about))}


def _table_schema(name: str, tables: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Returns a table's Table Schema; a foreign key to a table that the package lacks is left out."""
    table, columns = BY_NAME[name], tables[name]
    fields = [
        _field_descriptor(columns_of(table.model)[column], _FLAT_TYPES if name == FLAT else _TYPES, alone=table.keys == (column,))
        for column in columns
    ]
    links = [
        {"fields": [column], "reference": {"resource": other, "fields": [column]}}
        for column, other in table.links
        if column in columns and column in tables.get(other, ())
    ]
    keys = list(table.keys) if set(table.keys) <= set(columns) else None
    return {"fields": fields, "missingValues": [""], **_compact({"primaryKey": keys, "foreignKeys": links})}


def _field_descriptor(info: ColumnInfo, types: dict[Values, dict[str, Any]], *, alone: bool) -> dict[str, Any]:
    kind = values_of(info)
    texts = {"title": info.heading, "description": info.description, "unit": info.unit, "label": info.label}
    constraints = {
        "required": info.required,
        "unique": alone,
        "enum": [str(one) for one in info.type] if kind is Values.CODE else None,
        "pattern": _PARTIAL_TIME if kind is Values.PARTIAL_TIME else None,
    }
    return {"name": info.name, **types.get(kind, _TEXT), **_compact(texts), **_compact({"constraints": _compact(constraints)})}


def _compact(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
