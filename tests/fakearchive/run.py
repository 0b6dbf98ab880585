"""`tta` as a test runs it: the real command in a process of its own, with a configuration of tiny waits."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from scraper.archive.store import Archive
from scraper.capture import Capture, iso
from tests.commandkit import Ran, tta

HOST = "bjatta.bja.ojp.gov"


def write_config(path: Path, url: str, **changes: object) -> Path:
    """A configuration file that points every source at `url`. `changes`: TOML values by `section__key`."""
    asked_at_once = {"index_interval": 0.0, "data_interval": 0.0}
    sections: dict[str, dict[str, object]] = {
        "http": {"allow_loopback": True, "contact": "mailto:test@example.org"},
        "sources.wayback": {"cdx_url": f"{url}/cdx", "replay_url": f"{url}/web/", "cdx_interval": 0.0, "replay_interval": 0.0},
        "sources.commoncrawl": {"collinfo_url": f"{url}/collinfo.json", "data_url": f"{url}/", **asked_at_once},
        "sources.endofterm": {
            "collections": ["EOT-2024"],
            "index_url": f"{url}/eot-index/collections/",
            "data_url": f"{url}/",
            **asked_at_once,
        },
        "sources.live": {"base_urls": [f"{url}/"], "interval": 0.0},
        "retry": {"attempts": 3, "backoff": 0.01, "deadline": 5.0},
    }
    for name, value in changes.items():
        section, _, key = name.rpartition("__")
        sections.setdefault(section.replace("__", "."), {})[key] = value
    lines = []
    for section, values in sections.items():
        lines += [f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items() if value is not None), ""]
    path.write_text("\n".join(lines))
    return path


def pywb_archive(name: str, cdx_url: str, replay_url: str) -> dict[str, object]:
    """An archive for the setting sources__pywb__archives."""
    return {"name": name, "cdx_url": cdx_url, "replay_url": replay_url, "cdx_interval": 0, "replay_interval": 0}


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else json.dumps(value)


Fetch = Callable[..., Ran]
"""The fixture `tta_fetch`."""


def start(data: Path, config: Path, *arguments: str, command: str = "fetch") -> subprocess.Popen[str]:
    """`tta --data DATA --config CONFIG fetch --json ARGUMENTS` in a process of its own, or another command so."""
    program = [sys.executable, "-c", "from scraper.cli import main; main()", "--data", str(data), "--config", str(config)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [*program, command, "--json", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root
    )


def run(data: Path, config: Path, *arguments: str, command: str = "fetch") -> Ran:
    """The same in this process; `start` is for what has to be stopped or killed."""
    return tta("--data", data, "--config", config, command, "--json", *arguments)


def finished(process: subprocess.Popen[str], timeout: float = 60) -> Ran:
    out, err = process.communicate(timeout=timeout)
    return Ran(process.returncode, out, err)


def stored(data: Path) -> list[Capture]:
    with Archive(data / "archive") as archive:
        return [archive.read(entry) for entry in archive.entries()]


def captures(data: Path) -> list[tuple[str | None, str | None]]:
    """Address and time of everything stored, sorted."""
    return sorted((capture.url, iso(capture.captured_at)) for capture in stored(data))  # type: ignore[type-var]


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    """Waits until the condition holds; fails after so many seconds."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)
