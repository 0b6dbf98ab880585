"""A scan: files that were not read yet go to the worker pool, and only this process appends what is found to the archive.

Addresses are a local path, `https://` or `s3://`; they come from the user, or from a list that an archive publishes, and anything
else that fsspec could open is refused. The pool does the time-consuming work (reading, digests, compressing again).
`DIR/scanned.db` has the files that were read to their end, so a later scan continues from there. Captures are durable before
their file counts as read: after a killed scan a file may be read twice, but nothing is lost.
"""

import hashlib
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

from parsers.urls import is_of_hosts, without_archive
from scraper.archive.store import Archive, Prepared, prepare
from scraper.capture import iso, utc_now
from scraper.errors import TtaError, WrongUsage
from scraper.sources.files import read_container
from scraper.sources.saved import Unused
from scraper.sqlite import open_writable
from scraper.terminal import escape_url
from scraper.workers.processes import Job, WorkerPool

FOUND_BYTES = 16_000_000
"""Compressed bytes of captures after which the rest of a file becomes another task; bounds the memory."""
SAVE_SECONDS = 10.0
"""Seconds between two points at which captures become durable; most files of a crawl contain none."""
NAME = "scanned.db"  # file in the data folder
_SCHEMA = Path(__file__).with_name("scanned.sql").read_text(encoding="utf-8")
CONNECT_SECONDS = 30
READ_SECONDS = 120
"""Seconds without a byte after which a file is given up for this run."""
_BLOCK = 8 * 1024 * 1024  # bytes requested at a time: files are read sequentially
_LISTED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=+/-]{0,499}")
"""Pattern of what a published list may name below its prefix (ARCHIVES.md, section 8: no `..`, no scheme)."""


def check_address(address: str, *, loopback: bool = False) -> str:
    """Returns the address to open and store, a path as absolute. `loopback`: allows http to 127.0.0.1. Raises WrongUsage."""
    scheme, separator, _ = address.partition("://")
    if re.search(r"[\x00-\x20\x7f]|::", address):
        raise WrongUsage(f"{escape_url(address)}: an address must not contain spaces or `::`")
    if not separator:
        return str(Path(address).resolve())
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise WrongUsage(f"{escape_url(address)}: not an address") from None
    if not host or "@" in parts.netloc or parts.fragment or (scheme == "s3" and parts.query):
        raise WrongUsage(f"{escape_url(address)}: give the address without user name and fragment")
    if scheme not in ("https", "s3") and not (loopback and scheme == "http" and host == "127.0.0.1"):
        raise WrongUsage(f"{escape_url(address)}: give a path, an https:// or an s3:// address")
    return address


def read_list(lines: Iterator[str], prefix: str | None, *, loopback: bool = False) -> Iterator[str]:
    """Yields the addresses of a list, one per line; below `prefix`, if given. Raises WrongUsage."""
    for line in filter(None, map(str.strip, lines)):
        if prefix is not None and (not _LISTED.fullmatch(line) or ".." in line):
            raise WrongUsage(f"{escape_url(line)}: not a path below {escape_url(prefix)}")
        yield check_address((prefix or "") + line, loopback=loopback)


class WatchedFile:
    """A file for reading WARC that stores what went wrong: damage is a property of the file, a broken connection is not."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failed: Exception | None = None
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """As a file's `read`. After a failure the file is at its end, so that no further record is searched for."""
        if self.failed is not None:
            return b""
        try:
            return self._file.read(size)
        except Exception as error:  # s3fs and aiohttp raise many kinds of exceptions
            self.failed = error
            return b""


@contextmanager
def open_address(address: str) -> Iterator[WatchedFile]:
    """Opens a checked address for reading. Raises what opening it raises, and TtaError if fsspec is missing."""
    if "://" not in address:
        with Path(address).open("rb") as file:
            yield WatchedFile(file)
        return
    try:
        import fsspec
    except ImportError:
        raise TtaError("remote WARC files need an extra: run `pip install '.[cluster]'` in a clone of this program") from None
    scheme = address.partition("://")[0]
    options: dict[str, Any] = {}
    if scheme == "s3":  # the archives' buckets are public; an unsigned request needs no account
        timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS, "retries": {"max_attempts": 4}}
        options = {"anon": True, "config_kwargs": timeouts}
    else:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
        options = {"client_kwargs": {"timeout": timeout}}
    with fsspec.filesystem(scheme, skip_instance_cache=True, **options).open(address, "rb", block_size=_BLOCK) as file:
        yield WatchedFile(file)


class Piece(NamedTuple):
    """A file from byte `start` on, or without its first `-start` captures. `hosts`: whose pages; `source`: of the captures."""

    address: str
    start: int
    hosts: tuple[str, ...]
    source: str

    def split(self) -> list["Piece"]:
        """Returns only itself: a piece can't be split, because only the previous record shows where the next one begins."""
        return [self]

    def give_up(self) -> list["PieceResult"]:
        """Returns the result for a file that the reading processes can't handle."""
        return [PieceResult(problems=["the processes that read it ended: out of memory, or killed"], failed=True)]


class PieceResult(NamedTuple):
    """The captures in a piece; `rest`: the `start` of what is left. `failed`: the file does not count as read."""

    prepared: Sequence[Prepared] = ()
    rest: int | None = None
    problems: Sequence[str] = ()
    failed: bool = False


def read_piece(piece: Piece) -> list[PieceResult]:
    """Returns the one `PieceResult` of a piece; never raises, whatever the file contains."""
    try:
        with open_address(piece.address) as file:
            found = _search(piece, cast("BinaryIO", file))
            if file.failed is not None:
                raise file.failed
            return [found]
    except Exception as error:  # s3fs and aiohttp raise many kinds of exceptions; one file must not affect the others
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return [PieceResult(problems=[f"can't be read: {reason}"], failed=True)]


def _search(piece: Piece, file: BinaryIO) -> PieceResult:
    """Reads a piece until the file ends or the captures found exceed FOUND_BYTES; then `rest` is where to continue."""
    prepared: list[Prepared] = []
    problems: list[str] = []
    size = captures = unknown = 0

    def wanted(url: str | None) -> bool:
        return is_of_hosts(without_archive(url or ""), piece.hosts)

    for item in read_container(file, piece.address, source=piece.source, start=max(0, piece.start), wanted=wanted):
        if isinstance(item, Unused):
            unknown += item.is_unknown
            if not item.is_companion:
                problems.append(item.describe(piece.address))
            continue
        offset, capture = item
        captures += 1
        if captures <= -piece.start:
            continue
        if size >= FOUND_BYTES:
            return PieceResult(prepared, offset or 1 - captures, problems)
        try:
            prepared.append(prepare(replace(capture, source=piece.source), utc_now()))
        except MemoryError:
            raise
        except Exception as error:  # no record may affect the others
            problems.append(f"at byte {offset}: a capture can't be kept: {type(error).__name__}")
            continue
        size += len(prepared[-1].member)
    return PieceResult(prepared, None, problems, failed=bool(unknown) and not captures)


JOB: Job[Piece, PieceResult] = Job(read_piece, Piece.split, Piece.give_up)


@dataclass(slots=True)
class Scan:
    """What a scan did. `problems`: address and reason, one line each. Files that `failed` are read again by the next scan."""

    files: int = 0
    known_files: int = 0
    added: int = 0
    known: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)


def scan(data: Path, addresses: Iterable[str], hosts: tuple[str, ...], source: str, pool: WorkerPool) -> Scan:
    """Adds the hosts' pages in files at checked `addresses`; any pool gives the same result. The caller holds the data lock."""
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
                        added = sum(archive.append(prepared) is not None for prepared in found.prepared)
                        done.added += added
                        done.known += len(found.prepared) - added
                        done.problems += [f"{piece.address}: {problem}" for problem in found.problems]
                        done.failed += found.failed
                        done.files += found.rest is None and not found.failed
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
        raise TtaError(f"{path}: {error}; delete it, and the scan starts over") from error
