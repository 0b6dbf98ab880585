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

_LOOK_SECONDS = 0.1
_SETTLED = {"MALLOC_TRIM_THRESHOLD_": str(256 * 2**20)}
"""glibc gives memory at the end of the heap back to the system and takes it anew (mallopt(3)): for every page parsed or for none,
as it happens to lie, which doubled the floor's time in one run and not in the next. Nothing that is measured gives any back."""
_REPORT = """
import json, sys, time
from importlib import import_module
module, function, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
work = getattr(import_module(module), function)
cpu, began = time.process_time(), time.perf_counter()
result = work(*arguments)
wall, cpu = time.perf_counter() - began, time.process_time() - cpu
memory = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"result": result, "wall": wall, "own_cpu": cpu, "own_mib": memory / 1024}))
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a piece of work returned and took: seconds (of processor: by its own process, and by those it started), and MiB.

    Memory is the most that its own process held, and the most that any of the others did.
    """

    result: Any
    wall: float
    own_cpu: float
    own_mib: float
    others_cpu: float
    others_mib: float

    @property
    def cpu(self) -> float:
        return self.own_cpu + self.others_cpu


def measured(work: str, *arguments: object, repeat: int = 1) -> Measured:
    """The quickest of `repeat` runs of `work`, a function `module:name` from and to JSON. Needs /proc."""
    module, _, function = work.partition(":")
    command = [sys.executable, "-c", _REPORT, module, function, json.dumps(arguments)]
    return min((_run(work, command) for _ in range(repeat)), key=lambda one: one.wall)


def _run(work: str, command: list[str]) -> Measured:
    """Workers come from a fork server, so that nobody but the kernel's list of processes knows them as this work's."""
    others: dict[int, tuple[float, float]] = {}
    settled = os.environ | _SETTLED
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=settled) as process:
        while process.poll() is None:
            others |= _session(process.pid)
            time.sleep(_LOOK_SECONDS)
        assert process.stdout is not None
        output = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{work} failed")
    cpu, memory = sum(cpu for cpu, _ in others.values()), max((mib for _, mib in others.values()), default=0.0)
    return Measured(**json.loads(output.splitlines()[-1]), others_cpu=cpu, others_mib=memory)


def _session(leader: int) -> dict[int, tuple[float, float]]:
    """Processor seconds so far, and MiB at most, of every other process in the session of `leader`."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) != leader or int(folder.name) == leader:
                continue
            status = (folder / "status").read_text()
        except OSError:  # it has just ended
            continue
        peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
        found[int(folder.name)] = (_seconds(fields), peak / 1024)
    return found


def processor_seconds(process: int) -> float:
    """Seconds of processor time that a process has used so far."""
    return _seconds(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split())


def _seconds(fields: list[str]) -> float:
    """Processor time out of what follows the name in /proc/PID/stat: utime and stime (proc(5))."""
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """The machine the figures are of, in a line."""
    names = (line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name"))
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    release = dict(line.split("=", 1) for line in _lines("/etc/os-release") if "=" in line)
    system = release.get("PRETTY_NAME", platform.system()).strip('"')
    model = next(names, platform.machine())
    cores = len(os.sched_getaffinity(0))
    return f"{model}, {cores} cores, {memory / 2**20:.0f} GiB of memory, {system}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
