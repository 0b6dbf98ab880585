"""A scan: the files that were not read yet go to the pool, and what it finds is appended to the archive by this one process.

The archive makes captures durable before a file counts as read, so a scan that is killed reads a file twice and loses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from scraper.archive.store import Archive
from scraper.scan.done import Scanned
from scraper.scan.reading import Found, Piece, read_piece
from scraper.workers.processes import Job, WorkerPool

JOB: Job[Piece, Found] = Job(read_piece, Piece.split, Piece.give_up)
SAVE_SECONDS = 10.0
"""Between two points at which what was found is safe from a crash; most files of a crawl hold nothing."""


@dataclass(slots=True)
class Scan:
    """What a scan did. `problems`: address and reason, a line each; those files, where they failed, are read again next time."""

    files: int = 0
    known_files: int = 0
    added: int = 0
    known: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)


class _File:
    """What was found in a file so far, over its pieces."""

    def __init__(self) -> None:
        self.captures = 0
        self.damaged = 0


def scan(
    data: Path,
    addresses: Iterable[str],
    hosts: tuple[str, ...],
    source: str,
    pool: WorkerPool,
) -> Scan:
    """Adds the captures of the hosts' pages in the WARC files at `addresses`, which were checked. The caller holds the lock.

    The archive ends up the same whoever the pool is: captures are appended in the order of files and offsets, the parts of a
    file with very many of them after the other files.
    """
    done = Scan()
    with Archive(data / "archive", writable=True) as archive, Scanned(data, hosts) as scanned:
        done.problems += archive.unread
        run = _Run(done, archive, scanned)
        try:
            rest = run.pieces(pool, (Piece(address, 0, hosts, source) for address in run.unread(addresses)))
            while rest:
                rest = run.pieces(pool, rest)
        finally:
            run.save()
    return done


class _Run:
    def __init__(self, done: Scan, archive: Archive, scanned: Scanned) -> None:
        self._done = done
        self._archive = archive
        self._scanned = scanned
        self._open: dict[str, _File] = {}
        self._saved_at = time.monotonic()

    def unread(self, addresses: Iterable[str]) -> Iterator[str]:
        given: set[str] = set()
        for address in addresses:
            if address in given:
                continue
            given.add(address)
            if address in self._scanned:
                self._done.known_files += 1
            else:
                yield address

    def pieces(self, pool: WorkerPool, pieces: Iterable[Piece]) -> list[Piece]:
        """Reads the pieces; returns what is left of them."""
        rest: list[Piece] = []
        with closing(pool.run(JOB, pieces)) as results:
            for piece, found in results:
                for one in found:
                    self._keep(piece, one)
                    if one.rest is not None:
                        rest.append(piece._replace(start=one.rest))
                if time.monotonic() - self._saved_at > SAVE_SECONDS:
                    self.save()
        return rest

    def _keep(self, piece: Piece, found: Found) -> None:
        file = self._open.setdefault(piece.address, _File())
        for prepared in found.prepared:
            if self._archive.append(prepared) is None:
                self._done.known += 1
            else:
                self._done.added += 1
        file.captures += len(found.prepared)
        file.damaged += len(found.problems)
        self._done.problems += [f"{piece.address}: {problem}" for problem in found.problems]
        if found.failed:
            self._done.failed += 1
            del self._open[piece.address]
        elif found.rest is None:
            self._done.files += 1
            self._scanned.add(piece.address, file.captures, file.damaged)
            del self._open[piece.address]

    def save(self) -> None:
        self._archive.flush()
        self._scanned.save()
        self._saved_at = time.monotonic()
