"""A run that is asked to end does end, whatever its workers were at."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.test_fetch_ends import wait_for

ROOT = Path(__file__).parents[1]
_RUN = """
import sys
from pathlib import Path
from scraper.workers.processes import Processes
from scraper.errors import Stopped
from tests.poolkit import SENDS_MUCH

def check():
    if Path(sys.argv[1], "stop").exists():
        raise Stopped

try:
    print(len(list(Processes(1, check).run(SENDS_MUCH, [sys.argv[1]]))))
except Stopped:
    print("stopped")
"""


def test_a_run_ends_though_a_worker_died_while_it_sent_its_results(tmp_path: Path) -> None:
    """The parent is held while the worker sends, so that it gets the beginning of the results and never the rest."""
    with subprocess.Popen([sys.executable, "-c", _RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            wait_for(lambda: (tmp_path / "worker").exists() and (tmp_path / "worker").read_text() != "")
            process.send_signal(signal.SIGSTOP)
            (tmp_path / "go").touch()
            time.sleep(0.5)
            os.kill(int((tmp_path / "worker").read_text()), signal.SIGKILL)
            (tmp_path / "stop").touch()
            process.send_signal(signal.SIGCONT)
            assert process.communicate(timeout=15)[0] == "stopped\n"
        finally:
            process.kill()
    assert process.returncode == 0
