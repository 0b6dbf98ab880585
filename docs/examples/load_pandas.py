"""Loads a data package of tta with the right types: `tables = load("out/datapackage.json")["records"]` is a DataFrame.

Copy it beside your analysis; it needs pandas alone.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

APOSTROPHE = r"^'(?=[\s\u200b\ufeff]*[=+\-@\t\r\n\0\uff1d\uff0b\uff0d\ufe63\u2212\uff20\ufe6b\ufe62\ufe66])"
"""Before a text that a spreadsheet would run as a formula; it is not the text's own."""


def load(description: str | Path) -> dict[str, pd.DataFrame]:
    """Returns the tables of the data package whose datapackage.json is at that path, by name."""
    path = Path(description)
    package = json.loads(path.read_text(encoding="utf-8"))
    return {one["name"]: _table(path.parent, one) for one in package["resources"]}


def _table(folder: Path, resource: dict[str, Any]) -> pd.DataFrame:
    frame = pd.read_csv(folder / resource["path"], dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    return frame.assign(**{one["name"]: _typed(frame[one["name"]], one) for one in resource["schema"]["fields"]})


def _typed(column: pd.Series, field: dict[str, Any]) -> pd.Series:
    if field["type"] == "integer":
        return pd.to_numeric(column).astype("Int64")
    if field["type"] == "number":
        return pd.to_numeric(column)
    if field["type"] == "boolean":
        return column.map({field["trueValues"][0]: True, field["falseValues"][0]: False}).astype("boolean")
    if field["type"] == "array":
        return column.map(json.loads, na_action="ignore")
    if field["type"] in ("datetime", "date"):
        return pd.to_datetime(column, utc=field["type"] == "datetime", format="ISO8601")
    return column.str.replace(APOSTROPHE, "", regex=True)
