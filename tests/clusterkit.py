"""A real dask cluster of processes on 127.0.0.1."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

HOSTILE = """
import os, signal
from parsers.page import parse_page
from scraper import reading

def deadly(content, **more):
    if b"KILL" in content:
        os.kill(os.getpid(), signal.SIGKILL)
    return parse_page(content, **more)

reading.parse_page = deadly
"""
"""Loaded by every worker: a parser for which one page is too much."""


class Cluster:
    """Its address, and its worker processes; the first has no nanny, so nobody starts it again when it is killed."""

    def __init__(self, address: str, workers: list[subprocess.Popen[bytes]]) -> None:
        self.address = address
        self.workers = workers


@contextmanager
def cluster_running(folder: Path) -> Iterator[Cluster]:
    """A scheduler that blames a task for the first death it may have caused, and two workers."""
    file, preload = folder / "scheduler.json", folder / "hostile_preload.py"
    preload.write_text(HOSTILE)
    with ExitStack() as stack:
        log = stack.enter_context((folder / "cluster.log").open("wb"))

        def start(kind: str, *arguments: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--scheduler-file", str(file), *arguments]
            settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0", "PYTHONPATH": ":".join(filter(None, sys.path))}
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=settings)
            stack.callback(_end, process)
            return process

        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter")
        worker = ("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--preload", str(preload))
        workers = [start("worker", *worker, "--no-nanny"), start("worker", *worker)]
        deadline = time.monotonic() + 60
        while not file.exists() or not file.stat().st_size:
            assert time.monotonic() < deadline, (folder / "cluster.log").read_text()
            time.sleep(0.05)
        yield Cluster(json.loads(file.read_text())["address"], workers)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
