"""Runs `tta` many times without starting Python each time: a process that has everything imported forks for every run.

It has no threads and opens nothing, so a run begins as a fresh process does, a second or two of imports earlier.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
_IMPORTED = ("scraper.cli", "scraper.commands.load", "scraper.commands.fetch", "scraper.fetch.run", "scraper.database.load")


class Forked:
    """A run of `tta` in a process group of its own; what it says goes to files."""

    def __init__(self, pid: int, out: Path) -> None:
        self.pid = pid
        self._out = out

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs and when it was killed."""
        try:
            return int((self._out / "status").read_text())
        except (FileNotFoundError, ValueError):
            return None

    @property
    def err(self) -> str:
        return (self._out / "err").read_text(errors="replace")

    def is_running(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def wait(self, seconds: float = 300) -> bool:
        """Until it has ended, or for so long; whether it has."""
        deadline = time.monotonic() + seconds
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def kill(self, *, group: bool) -> None:
        """SIGKILL, to the process alone or to its workers as well."""
        try:
            (os.killpg if group else os.kill)(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def wait_for_group(self) -> None:
        """Until no process of it is left: workers end by themselves when their parent is gone."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                os.killpg(self.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.01)
        raise AssertionError(f"processes of {self.pid} are still there")


class Forker:
    """Starts runs; ends with the block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def __enter__(self) -> Self:
        line = [sys.executable, "-m", "tests.campaigns.forked"]
        self._process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def start(self, *arguments: str | Path, limit: int | None = None) -> Forked:
        """`limit`: bytes beyond which no file of the run may grow."""
        self._count += 1
        out = self._folder / f"run-{self._count}"
        out.mkdir()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"line": [str(one) for one in arguments], "out": str(out), "limit": limit}) + "\n")
        self._process.stdin.flush()
        return Forked(int(self._process.stdout.readline()), out)


def _serve() -> None:
    for name in _IMPORTED:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever has ended is gone at once
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(order["line"], Path(order["out"]), order["limit"])
        os.setpgid(pid, pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _run(line: list[str], out: Path, limit: int | None) -> None:
    from scraper.cli import main

    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(out / name, os.O_WRONLY | os.O_CREAT), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    status: object = 70
    try:
        main(line)
    except SystemExit as done:
        status = done.code
    except BaseException as error:
        sys.stderr.write(f"Traceback: {error!r}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    (out / "status").write_text(str(status))
    os._exit(0)


if __name__ == "__main__":
    _serve()
