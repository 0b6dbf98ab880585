"""Tables of cases as TOML files, where values and markup read better than in Python."""

import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def read_table(path: str) -> Any:
    """The content of a file in this folder: its arrays as tuples, and None for `NULL`, which TOML does not have."""
    return _frozen(tomllib.loads((HERE / path).read_text(encoding="utf-8")))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {None if key == "NULL" else key: _frozen(one) for key, one in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else None if value == "NULL" else value
