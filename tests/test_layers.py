"""Imports follow the direction of the data: sources, archive, parsers, database, export and pages."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PURE = sorted((ROOT / "parsers").glob("*.py"))
ABOVE = (
    "scraper.web",
    "scraper.ledger",
    "scraper.sources",
    "scraper.fetch",
)
"""The packages that fetch, the lowest first: none imports one above it."""
SHOWN = (
    *("scraper.export", "scraper.explore", "scraper.serve", "scraper.provenance"),
    *("scraper.doctor", "scraper.refresh", "scraper.commands"),
)
CLOSED = {
    "scraper.workers": ("scraper.archive", "scraper.scan", "scraper.database", "scraper.sources", "scraper.fetch", *SHOWN),
    "scraper.scan": ("scraper.web", "scraper.ledger", "scraper.fetch", "scraper.database", *SHOWN),
    "scraper.archive": ("scraper.sources", "scraper.fetch", "scraper.database", *SHOWN),
    "scraper.database": ("scraper.web", "scraper.ledger", "scraper.sources", "scraper.fetch", *SHOWN),
    "scraper.provenance": (
        "scraper.web",
        "scraper.ledger",
        "scraper.sources",
        "scraper.fetch",
        "scraper.export",
        "scraper.explore",
    ),
    "scraper.export": ("scraper.web", "scraper.ledger", "scraper.sources", "scraper.fetch", "scraper.commands"),
    "scraper.explore": ("scraper.web", "scraper.sources", "scraper.fetch", "scraper.serve", "scraper.commands"),
} | {package: (*ABOVE[place + 1 :], "scraper.database", *SHOWN) for place, package in enumerate(ABOVE)}
"""What each package never imports. Sources may ask the archive what it has."""
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


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("path", sorted((ROOT / "scraper").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_goes_back_up(path: Path) -> None:
    own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    closed = [package for start, packages in CLOSED.items() if within(own, start) for package in packages]
    assert not [name for name in imports(path) for package in closed if within(name, package)]


@pytest.mark.parametrize("path", sorted([*(ROOT / "scraper").rglob("*.py"), *PURE]), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_sqlite_files_are_opened_in_one_place_and_errors_defined_in_one() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "scraper").rglob("*.py")}
    assert [path.name for path, text in sources.items() if "sqlite3.connect(" in text] == ["sqlite.py"]
    errors = re.compile(r"^class \w+\((?:\w*Error|\w*Exception|TtaError|DataLooksWrong|WrongUsage)\)", re.MULTILINE)
    assert [path.name for path, text in sources.items() if errors.search(text)] == ["errors.py"]
