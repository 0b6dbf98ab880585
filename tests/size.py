"""The size budget of the program, which `make check` holds: each part's lines of Python, and the whole at most 22,600.

New capabilities are paid for by simplification. To give a part more lines, take them from another one.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_TEXT = "text*.py"
_REGISTRY = ("registry.py", "columns.py", "record.py", "scalars.py", "urls.py", "drupal_data.py", "contacts.py")
_MERGING = (
    *("merge.py", "same_value.py", "lost_details.py", "assign_records.py", "record_identity.py", "availability.py"),
    *("revisits.py", "difference.py", "derived.py"),
)
_CHECKS = ("checks.py", "runs.py")
BUDGET: dict[tuple[str, tuple[str, ...]], int] = {
    ("parsers", (_TEXT,)): 900,
    ("parsers", _REGISTRY): 1700,
    ("parsers", ("*.py",)): 2700,
    ("scraper/database", _MERGING): 1350,
    ("scraper/database", _CHECKS): 400,
    ("scraper/database", ("*.py",)): 2000,
    ("scraper", ("*.py",)): 1900,
    ("scraper/archive", ("*.py",)): 1250,
    ("scraper/commands", ("*.py",)): 860,
    ("scraper/doctor", ("*.py",)): 650,
    ("scraper/explore", ("*.py",)): 2150,
    ("scraper/export", ("*.py",)): 1190,
    ("scraper/fetch", ("*.py",)): 540,
    ("scraper/ledger", ("*.py",)): 600,
    ("scraper/provenance", ("*.py",)): 400,
    ("scraper/refresh", ("*.py",)): 540,
    ("scraper/sources", ("*.py",)): 2430,
    ("scraper/web", ("*.py",)): 750,
    ("scraper/workers", ("*.py",)): 290,
}
"""Lines of the files of a folder that match one of the patterns and none of an earlier entry."""


def main() -> int:
    """Prints each part that is over its budget and what it has to lose; returns the exit status."""
    seen: set[Path] = set()
    total = 0
    over = []
    for (folder, patterns), budget in BUDGET.items():
        files = {path for pattern in patterns for path in (ROOT / folder).glob(pattern)} - seen
        seen |= files
        count = sum(len(path.read_bytes().splitlines()) for path in files)
        total += count
        if count > budget:
            name = folder if patterns == ("*.py",) else f"{folder} ({', '.join(patterns)})"
            over.append(f"size: {name}: {count} lines, {count - budget} to lose")
    print("\n".join([*over, f"size: {total} lines of {sum(BUDGET.values())}"]))
    if over:
        print(
            "size: simplify the parts that you own until they are within their budgets, before you add anything: inline\n"
            "functions that are called once, merge rules that say the same, drop special cases that no test or foreign input\n"
            "needs. A part within its budget may be delivered while another one is not."
        )
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
