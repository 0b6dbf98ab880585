"""Kills a fetch at random moments, again and again, and compares the archive with that of an undisturbed fetch.

    python -m tests.campaigns.kill_fetch [ROUNDS] [SEED]

Each round: a new data folder, kills until one run gets through, then a comparison. Everything is on loopback.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from scraper.archive.store import Archive
from scraper.capture import WarcType, iso
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, finished, run, start, write_config
from tests.fakearchive.server import FakeArchive

Contents = list[tuple[str | None, str | None, int | None, str, str | None]]


def fill(fake: FakeArchive, pages: int = 12) -> None:
    """Pages, repeated bodies, revisits, errors, redirects, and some that can't be played."""
    for number in range(pages):
        url = f"https://{HOST}/node/{number}"
        body = f"<html><body>{number} {'text ' * 2000}</body></html>".encode()
        fake.add(url, "20240101000000", body)
        fake.add(url, "20240201000000", body)
        fake.add(url, "20240301000000", body, row={"mimetype": "warc/revisit", "statuscode": "-"})
        fake.add(url, "20240401000000", body + b"<!-- new -->")
        fake.add(f"http://{HOST}/node/{number}", "20240101000000", b"moved", status=301, headers=(("Location", url),))
    fake.on_replay[f"20240401000000id_/https://{HOST}/node/3"] = [faults.answers(404)] * 1000


def contents(data: Path) -> Contents:
    """What the archive holds, in an order that does not depend on when it came: nothing twice, no body lost."""
    with Archive(data / "archive") as archive:
        found = [(entry, archive.read(entry)) for entry in archive.entries()]
        assert len({entry.capture_id for entry, _ in found}) == len(found)
        for path in (data / "archive").glob("*.warc.gz"):
            ends = [entry.warc_offset + entry.warc_length for entry, _ in found if entry.warc_file == path.name]
            assert path.stat().st_size == max(ends), "bytes that are no record"
            assert path.stat().st_size == sum(entry.warc_length for entry, _ in found if entry.warc_file == path.name)
    return sorted(
        (
            capture.url,
            iso(capture.captured_at),
            capture.http_status,
            capture.warc_type.value,
            capture.sha256 or capture.payload_digest,
        )
        for _, capture in found
    )  # type: ignore[type-var, return-value]


def undisturbed(folder: Path, config: Path) -> Contents:
    ran = run(folder, config)
    assert ran.status == 0, ran.err
    return contents(folder)


def disturbed(folder: Path, config: Path, moments: Iterator[float]) -> tuple[Contents, int]:
    """The archive after kills at `moments`, seconds after each start, and one run to the end; and how many kills hit."""
    kills = 0
    for moment in moments:
        process = start(folder, config)
        time.sleep(moment)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.communicate()
    ran = finished(start(folder, config))
    assert ran.status == 0, ran.err
    again = finished(start(folder, config))
    assert again.status == 0, again.err
    return contents(folder), kills


def campaign(rounds: int, seed: int, kills_each: int = 6) -> int:
    """Runs the rounds; the number of kills that hit a running fetch. Raises AssertionError where an archive differs."""
    chance = random.Random(seed)
    hits = 0
    with FakeArchive().running() as fake, tempfile.TemporaryDirectory() as folder:
        fill(fake)
        config = write_config(Path(folder) / "tta.toml", fake.url, sources__wayback__replay_interval=0.02)
        expected = undisturbed(Path(folder) / "undisturbed", config)
        began = time.monotonic()
        assert finished(start(Path(folder) / "timed", config)).status == 0
        whole = time.monotonic() - began
        for number in range(rounds):
            moments = (chance.uniform(0.2, 0.9) * whole for _ in range(kills_each))
            found, kills = disturbed(Path(folder) / str(number), config, moments)
            assert found == expected, f"round {number}, seed {seed}"
            assert all(form != WarcType.CONVERSION for *_, form, _ in found)
            hits += kills
    return hits


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    count, first = (*given, *(20, 1)[len(given) :])
    print(f"{campaign(count, first)} kills in {count} rounds, every archive as an undisturbed fetch leaves it")  # noqa: T201
