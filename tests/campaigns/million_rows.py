"""Lists very many rows and says what it took: time, and the most memory the process held.

python -m tests.campaigns.million_rows [ROWS] [ROWS_A_PAGE]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fakearchive.run import HOST, write_config
from tests.fakearchive.server import FIELDS, FakeArchive

_PROGRAM = """
import resource, sys
from scraper.cli import main
try:
    main(sys.argv[1:])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


class Endless(FakeArchive):
    """An archive with so many captures that it makes them up as they are asked for."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.count = rows
        self.gzip_listings = False

    def list(self, query: dict[str, str]) -> tuple[list[list[str]], str | None]:
        if query.get("matchType") == "exact":
            return [], None
        start = int(query.get("resumeKey", "0"))
        end = min(start + int(query["limit"]), self.count)
        digest = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        rows = [
            [f"gov,ojp,bja,bjatta)/node/{n:07d}", "20240101000000", f"https://{HOST}/node/{n}", "text/html", "200", digest, "9"]
            for n in range(start, end)
        ]
        assert len(rows[0]) == len(FIELDS)
        return rows, str(end) if end < self.count else None


def peak(rows: int, page: int) -> tuple[int, int]:
    """Rows that were listed, and the most memory, in KiB."""
    with Endless(rows).running() as fake, tempfile.TemporaryDirectory() as folder:
        config = write_config(Path(folder) / "tta.toml", fake.url, sources__wayback__page_limit=page, retry__deadline=100.0)
        arguments = ["--data", str(Path(folder) / "data"), "--config", str(config), "fetch", "--dry-run", "--json"]
        done = subprocess.run([sys.executable, "-c", _PROGRAM, *arguments], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["sources"]["wayback"]["listed"], int(done.stderr.split()[-1])


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    count, size = (*given, *(1_000_000, 50_000)[len(given) :])
    listed, kib = peak(count, size)
    print(f"{listed} rows listed, at most {kib // 1024} MiB held")  # noqa: T201
