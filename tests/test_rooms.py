"""The data travels one way (DESIGN.md, "Rooms"): imports say so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PURE = sorted((ROOT / "parsers").glob("*.py"))
ORDER = {
    "scraper.sources": 0,
    "scraper.archive": 1,
    "scraper.database": 2,
    "scraper.export": 3,
    "scraper.serve": 3,
    "scraper.commands": 4,
}
NO_IO = {"os", "io", "socket", "sqlite3", "pathlib", "subprocess", "httpx", "shutil", "tempfile", "urllib.request", "logging"}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_parsers_are_pure(path: Path) -> None:
    named = imports(path)
    assert not {name for name in named if name.split(".")[0] == "scraper" or name in NO_IO}


def room(module: str) -> int | None:
    return next((level for name, level in ORDER.items() if module == name or module.startswith(f"{name}.")), None)


@pytest.mark.parametrize("path", sorted((ROOT / "scraper").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_goes_back_up(path: Path) -> None:
    own = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    levels = [(name, room(name)) for name in imports(path)]
    assert own is None or not [name for name, level in levels if level is not None and level > own]


@pytest.mark.parametrize("path", sorted([*(ROOT / "scraper").rglob("*.py"), *PURE]), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
