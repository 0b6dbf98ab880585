"""The size of the program, which `make check` bounds: lines of Python in scraper/ and parsers/.

New capabilities are paid for by simplification (CONTRIBUTING.md).
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_LINES = 22_600
"""What was measured when the bound was set, in November 2026. It may only become smaller."""


def main() -> int:
    """Prints the lines of each folder and of all; returns the exit status."""
    counts: dict[str, int] = {}
    for path in [*ROOT.glob("parsers/**/*.py"), *ROOT.glob("scraper/**/*.py")]:
        folder = path.parent.relative_to(ROOT).as_posix()
        counts[folder] = counts.get(folder, 0) + len(path.read_bytes().splitlines())
    total = sum(counts.values())
    if "-v" in sys.argv or total > MAX_LINES:
        print("\n".join(f"size: {count:6} {folder}" for folder, count in sorted(counts.items())))
    advice = ": remove as many as were added (CONTRIBUTING.md)" if total > MAX_LINES else ""
    print(f"size: {total} lines of Python, at most {MAX_LINES}{advice}")
    return 1 if total > MAX_LINES else 0


if __name__ == "__main__":
    sys.exit(main())
