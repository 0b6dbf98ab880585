"""Servers that run pywb: faults that answer as its index does, and the real one."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fakearchive.server import FIELDS, Fault, Handler

BIN = Path(sys.executable).parent
NAMES = {"original": "url", "mimetype": "mime", "statuscode": "status"}


def rows_of(handler: Handler) -> list[dict[str, str]]:
    """The rows of the timestamps that are asked for, as pywb names their fields."""
    query = handler.query()
    low, high = query.get("from", ""), query.get("to", "9")
    rows = [dict(zip((NAMES.get(n, n) for n in FIELDS), kept.fields(), strict=True)) for kept in handler.archive.kept]
    return [row for row in rows if low <= row["timestamp"] <= high.ljust(14, "9")]


def lines(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def understands(**wanted: str) -> Fault:
    """A server that understands one way of asking for a host; other ways give none, or 400."""

    def answer(handler: Handler) -> None:
        query = handler.query()
        if {name: query[name] for name in ("url", "matchType") if name in query} == wanted:
            handler.answer(200, lines(rows_of(handler)))
        elif "matchType" in query:
            handler.answer(400, b'{"message": "bad"}')
        else:
            handler.answer(404, b'{"message": "No Captures found for: x"}')

    return answer


@contextlib.contextmanager
def pywb(folder: Path, warcs: list[Path]) -> Iterator[str]:
    """Pywb with one collection, `tta`, of these files; its address."""
    for name in ("archive", "indexes"):  # as `wb-manager init` makes them
        (folder / "collections/tta" / name).mkdir(parents=True)
    (folder / "config.yaml").write_text("redirect_to_exact: true\n")
    add = [str(BIN / "wb-manager"), "add", "tta", *map(str, warcs)]
    subprocess.run(add, cwd=folder, check=True, capture_output=True, timeout=60)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        command = [str(BIN / "wayback"), "-p", str(port), "-b", "127.0.0.1"]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "NO_PROXY": "*"})
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/tta"
        finally:
            server.terminate()
            server.wait(20)
