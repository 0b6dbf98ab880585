"""The size budget of the program: `make check` prints what each folder has and fails when the whole is over its budget.

New capabilities are paid for by simplification. To give a folder more lines, take them from another one.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUDGET = {
    "parsers": 5300,
    "scraper": 1750,
    "scraper/archive": 1250,
    "scraper/commands": 860,
    "scraper/database": 3750,
    "scraper/doctor": 650,
    "scraper/explore": 2150,
    "scraper/export": 1190,
    "scraper/fetch": 540,
    "scraper/ledger": 600,
    "scraper/provenance": 400,
    "scraper/refresh": 540,
    "scraper/scan": 330,
    "scraper/sources": 2250,
    "scraper/web": 750,
    "scraper/workers": 290,
}
"""Lines of Python in each folder, not counting the folders in it."""


def lines(folder: str) -> int:
    """Lines of a folder's own Python files."""
    return sum(len(path.read_bytes().splitlines()) for path in (ROOT / folder).glob("*.py"))


def main() -> int:
    """Prints a line for each folder over its budget; returns the exit status."""
    counts = {folder: lines(folder) for folder in BUDGET}
    for folder, count in counts.items():
        if count > BUDGET[folder]:
            print(f"size: {folder} has {count} lines, {count - BUDGET[folder]} over its budget of {BUDGET[folder]}")
    total, most = sum(counts.values()), sum(BUDGET.values())
    print(f"size: {total} lines of {most} in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
