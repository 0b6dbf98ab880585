"""Work for pools; the processes that do it import it by name."""

import os
import time
from pathlib import Path

from scraper.workers.processes import Job

MORE_THAN_A_PIPE_HOLDS = 2_000_000
"""Bytes; a pipe on Linux holds 65,536 (pipe(7))."""


def say_who_then_send_much(folder: str) -> list[bytes]:
    Path(folder, "worker").write_text(str(os.getpid()))
    while not Path(folder, "go").exists():
        time.sleep(0.02)
    return [b"x" * MORE_THAN_A_PIPE_HOLDS]


SENDS_MUCH: Job[str, bytes] = Job(say_who_then_send_much, lambda task: [task], lambda _: [])
