"""Pulls the plug of loads and refreshes, fills their disk, and looks at what is left: the old state or the new, never another.

    python -m tests.campaigns.pull_plug [KILLS] [FULL_DISKS] [SEED]

A round begins with a data folder of yesterday and new captures: in the archive for `tta load`, at a made-up web archive for
`tta refresh`. The run is killed (SIGKILL, alone or with its workers) after a random time within what an undisturbed one takes, or
once a file shows that a phase has begun, some times over; then one is left to its end. After every kill the database holds
yesterday's content or today's; in the end it and the archive are those of an undisturbed run, and `tta doctor` finds nothing.
Everything is on loopback.
"""

import hashlib
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from scraper.archive.store import Archive
from scraper.capture import iso
from scraper.database.connection import comparing, second_database
from scraper.database.difference import differences
from scraper.database.load import LoadOptions, load
from scraper.database.parsed_pages import NAME as PARSED
from scraper.database.tables import LOCAL_TABLES, TABLES
from scraper.doctor.verify import DoctorTables, verify
from scraper.folders import Folders
from tests.dbkit import add, day, html, loaded, node, page
from tests.fakearchive import faults
from tests.fakearchive.run import HOST, wait_for, write_config
from tests.fakearchive.server import FakeArchive

ROOT = Path(__file__).parents[2]
OLD, NEW = range(1, 25), range(18, 60)
KILLS_A_ROUND = 5
MOMENTS = ("random", "archive grows", "parsing", "writing", "writing on")
"""When to kill: after a random time, or a random moment after the WARC file has grown, parsed pages lie in the load's file, or
the database's log has begun to grow, or goes on to."""


@dataclass
class Counts:
    """What came of it."""

    kills: Counter[str] = field(default_factory=Counter)
    too_late: int = 0
    states: Counter[str] = field(default_factory=Counter)
    full: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        for name in ("kills", "states", "full", "notes"):
            counted: Counter[str] = getattr(self, name)
            yield f"{name}: {counted.total()}" + "".join(f"; {key} {number}" for key, number in sorted(counted.items()))
        yield f"runs that had ended before their kill: {self.too_late}"


def content(database: Path) -> str:
    """A digest of every value but the story of the runs and where captures lie; of nothing where there is no database."""
    if not database.exists():
        return "none"
    found = hashlib.sha256()
    with closing(sqlite3.connect(database)) as db:
        for table in TABLES:
            if table.name in LOCAL_TABLES:
                continue
            names = ", ".join(f'"{name}"' for name in table.columns if name not in table.local)
            for row in db.execute(f'SELECT {names} FROM "{table.name}" ORDER BY {names}'):
                found.update(repr((table.name, row)).encode())
    return found.hexdigest()


Contents = list[tuple[str | None, str | None, int | None, str, str | None]]


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


class Run:
    """A run of `tta` in a session of its own. `limit`: bytes beyond which no file of the run may grow."""

    def __init__(self, *arguments: str | Path, limit: int = resource.RLIM_INFINITY) -> None:
        command = [sys.executable, "-c", "from scraper.cli import main; main()", *map(str, arguments)]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self._process = subprocess.Popen(command, **pipes, text=True, cwd=ROOT, start_new_session=True)
        resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (limit, limit))

    @property
    def status(self) -> int | None:
        return self._process.returncode

    @cached_property
    def err(self) -> str:
        return self._process.communicate()[1]

    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float = 300) -> bool:
        """Until it has ended, or for so long; whether it has."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.is_running()

    def kill(self, *, group: bool) -> None:
        """SIGKILL, to the process alone or to its workers as well; until no process of it is left: workers end by themselves."""
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self._process.pid, signal.SIGKILL)
        self._process.wait()
        wait_for(self._has_ended, 60)

    def _has_ended(self) -> bool:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, 0)
            return False
        return True


class Command:
    """A command that brings a folder from yesterday to today, and how long it takes when nobody disturbs it."""

    def __init__(self, name: str, config: Path, before: Path) -> None:
        self.name = name
        self.before = before
        self._config = config
        today = before.with_name(f"today-{name}")
        shutil.copytree(before, today)
        began = time.monotonic()
        self.finish(today)
        self.seconds = time.monotonic() - began
        self.old, self.new = content(before / "tta.db"), content(today / "tta.db")
        self.archive = contents(today)
        assert self.old != self.new

    def start(self, data: Path, *, workers: int = 1, limit: int = resource.RLIM_INFINITY) -> Run:
        """`limit`: bytes beyond which no file of the run may grow."""
        options = ("--config", self._config, "--data", data, self.name, "--workers", str(workers))
        return Run(*options, limit=limit)

    def finish(self, data: Path) -> None:
        """One run that comes to a good end."""
        run = self.start(data)
        assert run.wait(), "it does not end"
        assert run.status == 0, run.err


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def archived(data: Path) -> int:
    return sum(size(path) for path in (data / "archive").glob("*.warc.gz"))


def reached(data: Path, moment: str) -> Callable[[], bool]:
    """Whether the run has come so far, by the files in its folder."""
    before, log = archived(data), data / "tta.db-wal"
    return {
        "archive grows": lambda: archived(data) > before,
        "parsing": lambda: size(data / f"{PARSED}-wal") > 0,
        "writing": lambda: size(log) > 0,
        "writing on": lambda: size(log) > 100_000,
    }[moment]


def pull(command: Command, data: Path, chance: random.Random, counts: Counts) -> bool:
    """One kill, and what it left; whether there is still something to do."""
    moment = chance.choice(MOMENTS)
    before = archived(data)
    run = command.start(data, workers=chance.choice((1, 1, 2)))
    if moment == "random":
        run.wait(chance.uniform(0.02, 1.05) * command.seconds)
    else:
        is_there, deadline = reached(data, moment), time.monotonic() + 3 * command.seconds
        while run.is_running() and not is_there() and time.monotonic() < deadline:
            time.sleep(0.002)
        run.wait(chance.uniform(0, 0.3) * command.seconds * chance.choice((0, 1)))
    was_running = run.is_running()
    run.kill(group=chance.random() < 0.5)
    log, parsing = size(data / "tta.db-wal"), size(data / f"{PARSED}-wal") > 0
    found = content(data / "tta.db")
    assert found in (command.old, command.new), (command.name, moment)
    if not was_running:
        counts.too_late += 1
        return found == command.old
    phases = {"after the commit": found == command.new, "writing the database": log, "parsing": parsing}
    phases |= {"fetching": archived(data) > before, "before anything": True}
    phase = next(name for name, is_reached in phases.items() if is_reached)
    counts.kills[f"{command.name}, {phase}"] += 1
    counts.states["new" if found == command.new else "old"] += 1
    return found == command.old


def well(command: Command, data: Path, counts: Counts) -> None:
    """Lets a run come to its end, and compares everything with an undisturbed one."""
    command.finish(data)
    assert content(data / "tta.db") == command.new, command.name
    assert contents(data) == command.archive, command.name
    with closing(DoctorTables()) as tables:
        examined = verify(Folders(data), tables)
    assert not examined.wrong, [finding.text for finding in examined.wrong]
    counts.notes.update(finding.kind for finding in examined.findings)


def fill_up(command: Command, data: Path, chance: random.Random, counts: Counts) -> None:
    """A run whose disk fills up, in a small file system of its own where this machine lets us make one; then one with room."""
    used = sum(size(path) for path in command.before.rglob("*"))
    room = int(used * chance.uniform(1.02, 2.2 if command.name == "load" else 4.5))
    with disk(data, room) as resize:
        kind, limit = ("disk", resource.RLIM_INFINITY) if resize else ("largest file", int(room / 3))
        shutil.copytree(command.before, data / "data")
        run = command.start(data / "data", limit=limit)
        assert run.wait(), "it does not end"
        if resize:
            resize()  # before anything else: SQLite can't open a file with a log where there is no room for its index
        found = content(data / "data" / "tta.db")
        assert "Traceback" not in run.err, run.err
        assert run.status in (0, 1, 4), (run.status, run.err)
        state = {command.old: "old", command.new: "new"}.get(found, "new as far as it could fetch")
        if found not in (command.old, command.new):
            # A refresh that has no room for more captures loads those that it has, and ends with 4.
            assert (command.name, run.status) == ("refresh", 4), (command.name, run.status, run.err)
            with second_database(data / "data") as second:
                load(Folders(data / "data"), LoadOptions(rebuild=True, database=second))
                with comparing(data / "data" / "tta.db", second) as db:
                    assert not differences(db).fields, "the database is not what the archive says"
        assert run.status != 0 or state == "new", run.err
        counts.full[f"{command.name}, {kind} full, {state}"] += 1
        well(command, data / "data", counts)


@contextmanager
def disk(folder: Path, room: int) -> Iterator[Callable[[], None] | None]:
    """A file system of `room` bytes at `folder`, and what gives it more; None where we may not make one (not root)."""
    folder.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", f"size={room // 4096 * 4096}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(made, check=False, capture_output=True).returncode:
        yield None
        return
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=500m", str(folder)], check=True) and None
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def load_command(folder: Path, config: Path) -> Command:
    """`tta load`: new captures lie in the archive, of records that there are and of others."""
    before = folder / "before-load"
    loaded(before, [page(html({"County": f"County {n}"}), url=node(n), when=day(n)) for n in OLD])
    add(Folders(before), [page(html({"County": f"New {n}", "Category": "TTA"}), url=node(n), when=day(200 + n)) for n in NEW])
    return Command("load", config, before)


def refresh_command(folder: Path, config: Path, fake: FakeArchive) -> Command:
    """`tta refresh`: the web archive has new captures since yesterday."""
    before = folder / "before-refresh"
    _publish(fake, OLD, "20240101000000", "County")
    run = Run("--config", config, "--data", before, "refresh")
    assert run.wait(), "it does not end"
    assert run.status == 0, run.err
    _publish(fake, NEW, "20240301000000", "New")
    return Command("refresh", config, before)


def _publish(fake: FakeArchive, numbers: range, at: str, county: str) -> None:
    for number in numbers:
        body = html({"County": f"{county} {number}"}, node=number, title=f"20240101-90000-{number}")
        url = f"https://{HOST}/node/{number}"
        fake.add(url, at, body)
        if number % 3 == 0:  # the same again, a redirect, and one that can't be played
            fake.add(url, f"{at[:-1]}1", body, row={"mimetype": "warc/revisit", "statuscode": "-"})
            fake.add(f"http://{HOST}/node/{number}", at, b"moved", status=301, headers=(("Location", url),))
            fake.fault(fake.add(url, f"{at[:-1]}2", body + b" "), *[faults.answers(404)] * 1000)


def campaign(kills: int, full: int, seed: int, tell: Callable[[str], object] = lambda _: None) -> Counts:
    """Runs until so many kills have hit, and so many disks were full. Raises AssertionError where a state is another."""
    chance, counts = random.Random(seed), Counts()
    with FakeArchive().running() as fake, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_config(folder / "tta.toml", fake.url)
        commands = [load_command(folder, config), refresh_command(folder, config, fake)]
        number = 0
        while counts.kills.total() < kills or counts.full.total() < full:
            hits = {one: sum(hit for text, hit in counts.kills.items() if text.startswith(one.name)) for one in commands}
            command, data = min(commands, key=hits.__getitem__), folder / f"round-{number}"
            number += 1
            try:
                if counts.kills.total() < kills:
                    shutil.copytree(command.before, data)
                    for _ in range(min(KILLS_A_ROUND, kills - counts.kills.total())):
                        if not pull(command, data, chance, counts):
                            break
                    well(command, data, counts)
                if counts.full.total() < full:
                    fill_up(commands[number % 2], folder / f"disk-{number}", chance, counts)
            except AssertionError as error:
                raise AssertionError(f"round {number}, seed {seed}: {error}") from error
            shutil.rmtree(data, ignore_errors=True)
            tell(f"{counts.kills.total()} kills, {counts.full.total()} full disks")
    return counts


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    wanted, disks, first = (*given, *(200, 30, 1)[len(given) :])
    say = partial(print, flush=True)
    say(f"seed {first}")
    for told in campaign(wanted, disks, first, say).lines():
        say(told)
