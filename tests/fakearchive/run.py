"""`tta` as a test runs it: the real command in a process of its own, with a configuration of tiny waits."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "bjatta.bja.ojp.gov"


def write_config(path: Path, url: str, **changes: object) -> Path:
    """A configuration file that points every source at `url`. `changes`: TOML values by `section__key`."""
    sections: dict[str, dict[str, object]] = {
        "http": {"allow_loopback": True, "contact": "mailto:test@example.org"},
        "sources.wayback": {
            "cdx_url": f"{url}/cdx",
            "replay_url": f"{url}/web/",
            "cdx_interval": 0.0,
            "replay_interval": 0.0,
        },
        "sources.commoncrawl": {
            "collinfo_url": f"{url}/collinfo.json",
            "data_url": f"{url}/",
            "index_interval": 0.0,
            "data_interval": 0.0,
        },
        "sources.endofterm": {
            "index_url": f"{url}/eot-index/collections/",
            "data_url": f"{url}/",
            "index_interval": 0.0,
            "data_interval": 0.0,
        },
        "sources.live": {"base_urls": [f"{url}/"], "interval": 0.0},
        "retry": {"attempts": 3, "backoff": 0.01, "deadline": 5.0},
    }
    for name, value in changes.items():
        section, _, key = name.rpartition("__")
        sections[section.replace("__", ".")][key] = value
    lines = []
    for section, values in sections.items():
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""]
    path.write_text("\n".join(lines))
    return path


@dataclass
class Ran:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.out)  # type: ignore[no-any-return]

    def source(self, name: str = "wayback") -> dict[str, Any]:
        return self.report["sources"][name]  # type: ignore[no-any-return]


def start(data: Path, config: Path, *arguments: str) -> subprocess.Popen[str]:
    """`tta --data DATA --config CONFIG fetch --json ARGUMENTS` in a process of its own."""
    command = [
        sys.executable,
        "-c",
        "from scraper.cli import main; main()",
        "--data",
        str(data),
        "--config",
        str(config),
        "fetch",
        "--json",
    ]
    root = Path(__file__).parents[2]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root)


def run(data: Path, config: Path, *arguments: str) -> Ran:
    process = start(data, config, *arguments)
    out, err = process.communicate(timeout=90)
    return Ran(process.returncode, out, err)
