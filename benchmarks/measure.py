"""Measures a piece of work in a process of its own: time on the wall, processor time with its children's, and peak memory.

Ratios of processor time stand still on a busy machine, times on the wall do not; what several processes do needs the wall.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_REPORT = """
import json, resource, sys, time
from importlib import import_module
module, function, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
work = getattr(import_module(module), function)
before = time.process_time()
began = time.perf_counter()
result = work(*arguments)
wall = time.perf_counter() - began
own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({
    "result": result,
    "wall": wall,
    "cpu": time.process_time() - before + children.ru_utime + children.ru_stime,
    "own_mib": own.ru_maxrss / 1024,
    "child_mib": children.ru_maxrss / 1024,
}))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a piece of work returned and took: seconds, and MiB held at most by its process and by the largest of its children."""

    result: Any
    wall: float
    cpu: float
    own_mib: float
    child_mib: float


def measured(work: str, *arguments: object, repeat: int = 1) -> Measured:
    """The quickest of `repeat` runs of `work`, a function `module:name` that takes and returns what JSON can carry."""
    module, _, function = work.partition(":")
    runs = []
    for _ in range(repeat):
        command = [sys.executable, "-c", _REPORT, module, function, json.dumps(arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{work} failed:\n{done.stderr}")
        runs.append(Measured(**json.loads(done.stdout.splitlines()[-1])))
    return min(runs, key=lambda one: one.wall)


def timed(*command: str | Path) -> float:
    """Seconds on the wall that a command takes from start to end, its interpreter's start included."""
    began = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return time.perf_counter() - began


def machine() -> str:
    """The machine the figures are of, in a line."""
    model = next(
        (line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.processor()
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    release = dict(line.split("=", 1) for line in _lines("/etc/os-release") if "=" in line)
    system = release.get("PRETTY_NAME", platform.system()).strip('"')
    cores = len(os.sched_getaffinity(0))
    python = platform.python_version()
    return f"{model or platform.machine()}, {cores} cores, {memory / 2**20:.0f} GiB of memory, {system}, Python {python}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
