"""Runs the files of docs/deploy on this machine: the crontab's command, the workflow's steps, the image's steps, nginx."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from scraper.folders import Folders
from tests.dbkit import html, one
from tests.fakearchive.run import HOST, write_config
from tests.fakearchive.server import FakeArchive

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs/deploy"
HERE = Path(__file__).parent / "deploy"
"""What stands in for GitHub's program, and nginx's own configuration."""
UNITS = ("tta-refresh.service", "tta-refresh.timer", "tta-serve.service")
TTA = Path(os.environ.get("VIRTUAL_ENV", ROOT / ".venv")) / "bin/tta"


def tool(name: str) -> str:
    """Where a program is; where it is not, the test is skipped with a line, or fails where deployment has to be tried."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not found:
        if os.environ.get("TTA_REQUIRE_DEPLOY") == "1":
            pytest.fail(f"{name} is not installed, and TTA_REQUIRE_DEPLOY is set")
        pytest.skip(f"{name} is not installed")
    return found


def publish(fake: FakeArchive, *nodes: int, at: str = "20240101000000") -> None:
    for number in nodes:
        page = html({"County": "Suffolk County"}, node=number, title=f"20240101-90000-{number}")
        fake.add(f"https://{HOST}/node/{number}", at, page)


def records(data: Path) -> int:
    return int(one(Folders(data), "SELECT count(*) FROM records"))


def done(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)


def cron_command() -> str:
    (line,) = [line for line in (DEPLOY / "crontab").read_text().splitlines() if line[:1].isdigit()]
    return line.removeprefix("17 3 * * * ").strip()


def as_cron(home: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with no more than cron gives it."""
    bare = {"HOME": str(home), "LOGNAME": "somebody", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    return done("/bin/sh", "-c", command, env=bare, cwd=home)


class Workflow:
    """The workflow's steps, run as GitHub runs them, in a new checkout each night."""

    def __init__(self, fake: FakeArchive, folder: Path) -> None:
        self.releases = folder / "releases"
        self._folder, self._fake, self._nights = folder, fake, 0
        for name in ("archive", "data"):
            (self.releases / name).mkdir(parents=True)
        (folder / "bin").mkdir()
        shutil.copy(HERE / "gh", folder / "bin/gh")
        self.steps = yaml.safe_load((DEPLOY / "publish.yml").read_text())["jobs"]["refresh"]["steps"]

    def night(self) -> dict[str, bool]:
        """How each step that ran ended."""
        self._nights += 1
        checkout = self._folder / f"night{self._nights}"
        (checkout / "data").mkdir(parents=True)
        (checkout / ".venv").symlink_to(TTA.parents[1])
        write_config(checkout / "tta.toml", self._fake.url)
        paths = {"PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}", "RELEASES": str(self.releases)}
        ended: dict[str, bool] = {}
        self.errors = ""
        for step in self.steps:
            if "run" not in step or step["run"] == "make install":
                continue
            condition = step.get("if")
            assert condition in (None, "${{ always() && steps.restore.outcome == 'success' }}")
            if ended["Fetch the archive of last night"] if condition else all(ended.values()):
                # GitHub's own words for `shell: bash`
                command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
                environment = os.environ | paths | {"GITHUB_STEP_SUMMARY": str(checkout / "summary.md")}
                ran = done(*command, cwd=checkout, env=environment)
                ended[step["name"]] = ran.returncode == 0
                self.errors += ran.stderr
        return ended

    def archives(self) -> list[Path]:
        return sorted((self.releases / "archive").iterdir())


STEPS = [
    line.split(None, 1) for line in re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text()).splitlines() if line[:1].isupper()
]
HEALTH = next(json.loads(text.partition("CMD")[2]) for step, text in STEPS if step == "HEALTHCHECK")


@contextmanager
def nginx(folder: Path, upstream: str, change: tuple[str, str] = ("", "")) -> Iterator[httpx.Client]:
    """A client of nginx, which runs with the guide's file, or a changed one, in front of a server."""
    address, socket = urlsplit(upstream).netloc, folder / "socket"
    text = (DEPLOY / "nginx.conf").read_text()
    here = {"127.0.0.1:8001": address, "listen 80;": f"listen unix:{socket};", "    listen [::]:80;\n": ""}
    for old, new in (*here.items(), change):
        assert old in text
        text = text.replace(old, new) if old else text
    (folder / "tta.conf").write_text(text)
    (folder / "nginx.conf").write_text((HERE / "nginx.conf").read_text().replace("FOLDER", str(folder)))
    server = subprocess.Popen([tool("nginx"), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 10
        while not socket.exists() and server.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert server.poll() is None, server.stderr and server.stderr.read()
        front = httpx.HTTPTransport(uds=str(socket))
        with httpx.Client(transport=front, base_url="http://tta.example.org", timeout=30) as client:
            yield client
    finally:
        server.terminate()
        server.communicate(timeout=10)
