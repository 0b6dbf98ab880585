"""What the tests of `tta doctor` share: an intact data folder, what the doctor reports about one, and ways to spoil it."""

import hashlib
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from scraper.archive.store import Archive
from scraper.capture import Capture
from scraper.database.load import load
from scraper.folders import Folders
from scraper.ledger.store import FULL, FetchResult, FetchState, Ledger, ListedCapture, Listings
from tests.commandkit import Ran, tta
from tests.dbkit import add, day, exports, html, node, page, revisit, sql

NUMBERS = range(1, 7)
WARC = "tta-000001.warc.gz"
SOON = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '+5 hours')"
WAITING_HOST = f"INSERT INTO hosts VALUES ('web.archive.org', {SOON}, 'told to', 1, NULL, NULL)"
_SCRATCH = TemporaryDirectory()
RUN = "INSERT INTO runs (run_id, started_at, ended_at, message) VALUES (4, '2026-11-01', '2026-11-01', 'well')"


def captures() -> list[Capture]:
    pages = [page(html({"County": f"County {n}"}), url=node(n), when=day(n)) for n in NUMBERS]
    return [*pages, revisit(pages[0], day(20))]


def sound(data: Path) -> Folders:
    """A copy of an archive, a ledger and a database that agree; one run is recorded, and one capture could not be fetched."""
    shutil.copytree(_intact().data, data)
    return Folders(data)


@cache
def sound_exports() -> dict[str, bytes]:
    return exports(_intact())


@cache
def _intact() -> Folders:
    folders = Folders(Path(_SCRATCH.name) / "intact")
    add(folders, captures())
    load(folders)
    sql(folders.database, RUN)
    with Ledger(folders.ledger) as ledger:
        listings = Listings(ledger, "wayback", "bjatta.bja.ojp.gov")
        listing = listings.begin(FULL, None)
        rows = [ListedCapture(url=node(n), timestamp=f"{day(n):%Y%m%d%H%M%S}", status=200, digest=f"{n}") for n in (*NUMBERS, 99)]
        listings.add(listing, rows)
        listings.end(listing, FULL)
        run = ledger.begin_run()
        for row in map(ledger.row, ledger.due_ids("wayback", now=None)):
            number = int(row.url.rpartition("/")[2])
            stored = next((one.capture_id for one in captures() if one.url == row.url), None)
            state = FetchState.FETCHED if number in NUMBERS else FetchState.MISSING
            ledger.settle(row, FetchResult(state=state, capture_id=stored), run)
        ledger.end_run(run, 0, {})
    return folders


def doctor(folders: Folders, *options: str) -> Ran:
    return tta("--data", folders.data, "doctor", *options)


def status(folders: Folders, *options: str) -> int:
    return doctor(folders, *options).status


def found(folders: Folders, *options: str, harmless: bool = False) -> set[str]:
    """Kinds of what is wrong, or of the notes."""
    findings = doctor(folders, "--json", *options).report["findings"]
    return {finding["kind"] for finding in findings if finding["harmless"] is harmless}


def notes(folders: Folders) -> set[str]:
    return found(folders, harmless=True)


def state_of(folder: Path) -> dict[str, str]:
    """Every file's digest, but for what SQLite keeps beside open databases and the lock."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock" and not path.name.endswith(("-wal", "-shm"))
    }


def entries(folders: Folders) -> list[tuple[int, int]]:
    with Archive(folders.archive) as archive:
        return [(entry.warc_offset, entry.warc_length) for entry in archive.entries()]


def bodies(folders: Folders) -> set[str | None]:
    with Archive(folders.archive) as archive:
        return {archive.read(entry).url for entry in archive.entries()}


def spoil(folders: Folders, number: int) -> bytes:
    """Makes a record unreadable; the file's bytes after that."""
    offset, _ = entries(folders)[number]
    with (folders.archive / WARC).open("r+b") as file:
        file.seek(offset + 40)
        file.write(b"\xff" * 30)
    return (folders.archive / WARC).read_bytes()


def scribble(folders: Folders, path: str, where: float) -> None:
    """Overwrites a page of a file, at a part of its length."""
    file = folders.data / path
    with file.open("r+b") as out:
        out.seek(int(file.stat().st_size * where) // 4096 * 4096)
        out.write(b"\xa5" * 4096)
