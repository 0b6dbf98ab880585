"""`tta` in the tests' own process, which saves its start; processes of its own are for what is stopped, killed or limited."""

import json
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scraper.cli import main


@dataclass(frozen=True)
class Ran:
    """A finished command. An error of the program's own is a line in `err`; any other is raised."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> Any:
        """What a command with --json prints."""
        return json.loads(self.out)

    def source(self, name: str = "wayback") -> dict[str, Any]:
        """The part of a fetch's report on one source."""
        found: dict[str, Any] = self.report["sources"][name]
        return found


def tta(*arguments: object, stdin: bytes = b"", cwd: Path | None = None) -> Ran:
    with CliRunner().isolation(input=stdin) as (out, err, _), chdir(cwd or "."), pytest.raises(SystemExit) as ended:
        main([*map(str, arguments)])
    assert isinstance(ended.value.code, int)
    return Ran(ended.value.code, out.getvalue().decode(), err.getvalue().decode())
