"""A scan: files that were not read yet go to the worker pool, and this one process appends what it finds to the archive.

`DIR/scanned.db` has the files that were read to their end, so a scan that was ended continues. Captures are durable before their
file counts as read: a scan that is killed reads a file twice and loses nothing.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from scraper.archive.store import Archive
from scraper.archive.warc import utc_now
from scraper.capture import iso
from scraper.errors import TtaError
from scraper.scan.reading import Found, Piece, read_piece
from scraper.sqlite import open_writable
from scraper.workers.processes import Job, WorkerPool

JOB: Job[Piece, Found] = Job(read_piece, Piece.split, Piece.give_up)
SAVE_SECONDS = 10.0
"""Between two points at which what was found is safe from a crash; most files of a crawl contain nothing."""
NAME = "scanned.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS read_files (
    address TEXT NOT NULL, hosts TEXT NOT NULL, read_at TEXT NOT NULL, PRIMARY KEY (address, hosts)
) STRICT, WITHOUT ROWID
"""


@dataclass(slots=True)
class Scan:
    """What a scan did. `problems`: address and reason, a line each. Files that `failed` are read again by the next scan."""

    files: int = 0
    known_files: int = 0
    added: int = 0
    known: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)


def scan(data: Path, addresses: Iterable[str], hosts: tuple[str, ...], source: str, pool: WorkerPool) -> Scan:
    """Adds the captures of the hosts' pages in the files at `addresses`, which were checked. The caller holds the lock.

    The archive is the same with any pool: captures are appended in the order of files and offsets, the later parts of a file
    with very many of them after the other files.
    """
    done = Scan()
    key = hashlib.sha256("\n".join(sorted(hosts)).encode()).hexdigest()[:16]
    with Archive(data / "archive", writable=True) as archive, closing(_open(data / NAME)) as db:
        done.problems += archive.unread

        def unread() -> Iterator[Piece]:
            for address in dict.fromkeys(addresses):
                if db.execute("SELECT 1 FROM read_files WHERE (address, hosts) = (?, ?)", [address, key]).fetchone():
                    done.known_files += 1
                else:
                    yield Piece(address, 0, hosts, source)

        def save() -> None:
            archive.flush()
            db.commit()

        pieces: Iterable[Piece] = unread()
        saved_at = time.monotonic()
        try:
            while pieces:
                rest: list[Piece] = []
                with closing(pool.run(JOB, pieces)) as results:
                    for piece, (found, *_) in results:
                        _keep(done, archive, piece, found)
                        if found.rest is not None:
                            rest.append(piece._replace(start=found.rest))
                        elif not found.failed:
                            db.execute("INSERT OR REPLACE INTO read_files VALUES (?, ?, ?)", [piece.address, key, iso(utc_now())])
                        if time.monotonic() - saved_at > SAVE_SECONDS:
                            save()
                            saved_at = time.monotonic()
                pieces = rest
        finally:
            save()
    return done


def _open(path: Path) -> sqlite3.Connection:
    try:
        db = open_writable(path)
        db.execute(_SCHEMA)
        db.isolation_level = "DEFERRED"  # until `save`
        return db
    except sqlite3.Error as error:
        raise TtaError(f"{path}: {error}; delete it, and the scan begins anew") from error


def _keep(done: Scan, archive: Archive, piece: Piece, found: Found) -> None:
    for prepared in found.prepared:
        if archive.append(prepared) is None:
            done.known += 1
        else:
            done.added += 1
    done.problems += [f"{piece.address}: {problem}" for problem in found.problems]
    done.failed += found.failed
    done.files += found.rest is None and not found.failed
