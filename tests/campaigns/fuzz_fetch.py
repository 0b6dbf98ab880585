"""Answers requests with damaged copies of good answers, and checks that a fetch ends well and loses nothing.

    python -m tests.campaigns.fuzz_fetch [ROUNDS] [SEED]

Each round: one fetch among faults made up at random, one undisturbed. The first must end with a status of the contract's and
store no body that is neither true nor marked as differing or cut; after the second everything listed is stored, once.
"""

import random
import sqlite3
import sys
import tempfile
from pathlib import Path

from tests.fakearchive.run import HOST, captures, run, stored, write_config
from tests.fakearchive.server import FakeArchive, Handler

AT = "20240101000000"


class _Recorder:
    """Takes what the server would have sent."""

    def __init__(self) -> None:
        self.sent = b""

    def write(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def flush(self) -> None:
        return


def damaged(good: bytes, chance: random.Random) -> bytes:
    """A good answer with something wrong with it."""
    at = chance.randrange(len(good))
    junk = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40)))
    ways = [
        good[:at],
        good[:at] + junk + good[at:],
        good[:at] + bytes([chance.randrange(256)]) + good[at + 1 :],
        junk,
        good.replace(b"200 OK", b"%d What" % chance.randrange(100, 1000), 1),
        good.replace(b"Memento-Datetime", b"X-Nothing", 1),
        good.replace(b"Content-Length: ", b"Content-Length: %d" % chance.randrange(10), 1),
        good.replace(b"GMT", b"+9999", 1),
        good.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip, br\r\n\r\n", 1),
        good.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n", 1),
        good.replace(b"\r\n\r\n", b"\r\nRetry-After: 1e5\r\nLocation: \x01\xff\r\n\r\n", 1).replace(b"200 OK", b"302 Found"),
        good.replace(b"2024", b"\xff\xfe24"),
        good.replace(b'"', b"'"),
    ]
    return chance.choice(ways)


def differing(data: Path) -> set[str]:
    """The captures whose body is known to differ from its digest in the index."""
    with sqlite3.connect(data / "ledger.db") as ledger:
        return {row[0] for row in ledger.execute("SELECT capture_id FROM captures WHERE reason LIKE '%listed digest'")}


def fuzz(rounds: int, seed: int, pages: int = 8) -> dict[int, int]:
    """Runs the rounds; how often each status came. Raises AssertionError where something was lost or made up."""
    chance = random.Random(seed)
    statuses: dict[int, int] = {}
    with FakeArchive().running() as fake, tempfile.TemporaryDirectory() as folder:
        for number in range(pages):
            fake.add(f"https://{HOST}/node/{number}", AT)
        fake.gzip_listings = False
        bodies = {kept.url: kept.body for kept in fake.kept}

        def fault(handler: Handler) -> bool:
            if chance.random() < 0.4:
                return False
            recorder, usual = _Recorder(), handler.wfile
            handler.wfile = recorder  # type: ignore[assignment]
            (handler._listing if handler.path.startswith("/cdx") else handler._replay)()
            handler.wfile = usual
            handler.wfile.write(damaged(recorder.sent, chance))
            handler.close_connection = True
            return True

        for number in range(rounds):
            data = Path(folder) / str(number)
            config = write_config(Path(folder) / "tta.toml", fake.url, retry__deadline=1.0, retry__attempts=2)
            fake.always = fault
            ran = run(data, config)
            assert ran.status in (0, 4), (seed, number, ran.err)
            statuses[ran.status] = statuses.get(ran.status, 0) + 1
            fake.always = None
            for _ in range(2):
                ran = run(data, config, "--now")
            marked = differing(data)
            sound = {c.url for c in stored(data) if c.content == bodies.get(c.url or "") or c.truncated or c.capture_id in marked}
            assert sound == bodies.keys(), (seed, number, ran.err)
            assert len(set(captures(data))) == len(captures(data))
    return statuses


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    count, first = (*given, *(100, 1)[len(given) :])
    print(f"{count} rounds, by status: {fuzz(count, first)}")  # noqa: T201
