"""What exports cost beside SQLite's own CSV mode: `python -m benchmarks.exports DIR`, with a DIR that `benchmarks.multiply` made.

Each is a process of its own. Processor time is compared, which a busy machine disturbs least; memory is the largest resident set.
The command `sqlite3` has to be there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scraper.database.tables import BY_NAME
from scraper.export.run import FORMATS
from scraper.export.tables import EXPORTED


@dataclass(frozen=True)
class Cost:
    """Processor seconds, wall-clock seconds and the largest resident set in MB of a process; what it wrote in MB."""

    processor: float
    wall: float
    memory: float
    written: float


def measured(command: list[str], made: Path, *, output: Path | None = None) -> Cost:
    """Runs the command to its end. Raises CalledProcessError where it fails."""
    began = os.times().elapsed
    with (output or Path(os.devnull)).open("wb") as file:
        running = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    files = [path for path in ([made] if made.is_file() else made.rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return Cost(used.ru_utime + used.ru_stime, os.times().elapsed - began, used.ru_maxrss / 1024, size / 1e6)


def by_sqlite(database: Path, folder: Path) -> Cost:
    """The same tables, written by the command sqlite3 in the order of their rows in the file."""
    folder.mkdir()
    script = [f"ATTACH '{database.resolve().as_uri()}?mode=ro' AS tta;", ".mode csv", ".headers on"]
    for name in EXPORTED:
        columns = ", ".join(f'"{column}"' for column in BY_NAME[name].columns if column not in BY_NAME[name].local)
        script += [f".once '{folder / name}.csv'", f"SELECT {columns} FROM tta.{name};"]
    (folder / "script").write_text("\n".join(script), encoding="utf-8")
    return measured([shutil.which("sqlite3") or "sqlite3", ":memory:", f".read {folder / 'script'}"], folder)


def main(data: str) -> None:
    """Prints a line for each format."""
    database = Path(data) / "tta.db"
    with tempfile.TemporaryDirectory() as scratch:
        costs = {"sqlite3 .mode csv": by_sqlite(database, Path(scratch, "sqlite"))}
        exports: list[tuple[str, tuple[str, ...]]] = [(form, ()) for form in FORMATS]
        exports += [("csv", ("--without-contacts",)), ("csv", ("--where", "fiscal_year = 2024"))]
        for form, options in exports:
            made = Path(scratch, "out")
            command = [sys.executable, "-c", "from scraper.cli import main; main()", "--data", data, "export", form, str(made)]
            costs[" ".join((form, *options))] = measured([*command, *options], made)
            shutil.rmtree(made) if made.is_dir() else made.unlink()
    first = next(iter(costs.values()))
    print(f"{'':40} {'CPU s':>7} {'ratio':>6} {'wall s':>7} {'MB memory':>10} {'MB written':>11}")
    for name, cost in costs.items():
        ratio = cost.processor / first.processor
        print(f"{name:40} {cost.processor:7.1f} {ratio:6.1f} {cost.wall:7.1f} {cost.memory:10.0f} {cost.written:11.0f}")


if __name__ == "__main__":
    main(sys.argv[1])
