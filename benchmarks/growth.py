"""How every command and page grows with the number of captures: `make growth`, `ARGS="1000 10000 100000"` for larger sizes.

An archive of each size is made (`benchmarks.corpus`) and each command run on it as users run it, a whole process whose processor
time counts; then each page is asked for. Printed is the exponent of growth between the smallest and the largest size: 0 costs the
same at every size, 1 is proportional. The task fails where one grows faster than n log n.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.browsing import addresses, ask, serving
from benchmarks.corpus import make
from scraper.sqlite import open_readonly

SIZES = (1_000, 10_000)
TOLERANCE = 0.15
"""Added to the exponent of n log n: what costs per record vary by between two runs on the same machine (November 2026)."""
MIN_SECONDS = 0.3
"""Processor time; what takes less at the largest size is not judged, as starting Python dominates it."""
NEW = 5
NIGHT = f"load {NEW} new captures"
COMMANDS: dict[str, list[str]] = {
    "load everything": ["load", "--workers", "1"],
    "load nothing new": ["load"],
    NIGHT: ["load"],
    "rebuild by workers, of it the process that writes": ["load", "--rebuild", "--workers", "2"],
    "status": ["status"],
    "doctor": ["doctor"],
    "why": ["why", "{record}"],
    "export csv": ["export", "csv", "{out}/csv"],
    "export jsonl": ["export", "jsonl", "{out}/all.jsonl"],
}


def limit(small: int, large: int) -> float:
    """The largest exponent that is allowed between two sizes: that of n log n, and the tolerance."""
    return math.log(large * math.log(large) / (small * math.log(small))) / math.log(large / small) + TOLERANCE


PAGE = "page: "
"""Begins the name of a page, which a server answers that has started already."""


def exponent(costs: dict[int, float], start: float) -> float:
    """The exponent of growth between the smallest and the largest size. `start`: seconds that any command takes to start."""
    small, large = min(costs), max(costs)
    least = 0.01
    return math.log(max(costs[large] - start, least) / max(costs[small] - start, least)) / math.log(large / small)


def too_fast(costs: dict[str, dict[int, float]], start: float) -> list[str]:
    """What grows faster than n log n, a line each."""
    found = []
    for name, sizes in costs.items():
        grown, allowed = exponent(sizes, 0.0 if name.startswith(PAGE) else start), limit(min(sizes), max(sizes))
        if sizes[max(sizes)] >= MIN_SECONDS and grown > allowed:
            found.append(f"{name} grows with n^{grown:.2f}, at most n^{allowed:.2f} is allowed")
    return found


def run(data: Path, *arguments: str) -> float:
    """Processor seconds of one `tta` command, without worker processes, which are not its children."""
    command = [str(Path(sys.executable).with_name("tta")), "--data", str(data), *arguments]
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def costs_at(size: int, folder: Path) -> Iterator[tuple[str, float]]:
    """Each command and page with its processor seconds, at one size."""
    data = make(size, folder / f"data-{size}")
    names = {"{out}": str(folder), "{record}": ""}
    for name, command in COMMANDS.items():
        if name == NIGHT:
            make(size + NEW, data)
        words = [word.replace("{out}", names["{out}"]).replace("{record}", names["{record}"]) for word in command]
        yield name, run(data, *words)
        if not names["{record}"]:
            with closing(open_readonly(data / "tta.db")) as db:
                names["{record}"] = str(db.execute("SELECT max(record_id) FROM records").fetchone()[0])
    with serving(data) as (client, server):
        for name, path in addresses(data).items():
            yield f"{PAGE}{name[:60]}", ask(client, server, path).worked  # the first answer: later ones may come from a cache


def measure(sizes: tuple[int, ...]) -> tuple[dict[str, dict[int, float]], float]:
    """The cost of everything at each size, and of starting."""
    costs: dict[str, dict[int, float]] = {}
    with tempfile.TemporaryDirectory(prefix="tta-growth-") as folder:
        start = run(Path(folder), "--help")
        for size in sizes:
            for name, cost in costs_at(size, Path(folder)):
                costs.setdefault(name, {})[size] = cost
    return costs, start


def main() -> int:
    """Prints a line for each command and page; returns 1 where one grows too fast."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    costs, start = measure(sizes)
    print(f"{'':66}" + "".join(f"{size:>12,}" for size in sizes) + f"{'exponent':>12}")
    for name, by_size in costs.items():
        print(
            f"{name:66}"
            + "".join(f"{by_size[size]:10.2f} s" for size in sizes)
            + f"{exponent(by_size, 0.0 if name.startswith(PAGE) else start):12.2f}"
        )
    faults = too_fast(costs, start)
    print("\n".join(faults) or "nothing grows faster than n log n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
