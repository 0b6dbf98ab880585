"""Reads one WARC file, or part of one, for pages of the wanted hosts. The pool's processes run this.

What costs time is done here (reading, digests, compressing again); `run` only appends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

from scraper.archive.records import Damage
from scraper.archive.store import Prepared, prepare
from scraper.archive.warc import read_captures, utc_now
from scraper.scan.addresses import opened

FOUND_BYTES = 16_000_000
"""Compressed bytes found up to which a part of a file is read; the rest is another task. What bounds the memory."""
MAX_DAMAGE = 20
"""Damaged places of a file that are told one by one."""


class Piece(NamedTuple):
    """A WARC file from byte `start` on. `hosts`: whose pages are wanted, with subdomains; `source` names the captures."""

    address: str
    start: int
    hosts: tuple[str, ...]
    source: str

    def split(self) -> list[Piece]:
        """Nothing smaller: where the next record begins is only known from the one before."""
        return [self]

    def give_up(self) -> list[Found]:
        """What a file yields that is too much for the processes that read it."""
        return [Found((), None, ("the processes that read it ended: out of memory, or killed",), failed=True)]


class Found(NamedTuple):
    """The captures in a piece; `rest`: where it was left, None at its end; `failed`: it has to be read again."""

    prepared: tuple[Prepared, ...]
    rest: int | None
    problems: tuple[str, ...] = ()
    failed: bool = False


def read_piece(piece: Piece) -> list[Found]:
    """The one `Found` of a piece; never raises on what a file is or holds."""
    try:
        with opened(piece.address) as file:
            found = _search(piece, cast("BinaryIO", file))
            if file.failed is not None:
                raise file.failed
            return [found]
    except Exception as error:  # s3fs and aiohttp raise what they like; one file must not cost the others
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return [Found((), None, (f"can't be read: {reason}",), failed=True)]


def _search(piece: Piece, file: BinaryIO) -> Found:
    prepared: list[Prepared] = []
    problems: list[str] = []
    size = 0
    for item in read_captures(file, piece.source, piece.start, wanted=lambda url: is_of(url, piece.hosts)):
        if isinstance(item, Damage):
            problems.append(f"at byte {item.position}: {item.reason}")
            continue
        offset, capture = item
        if size >= FOUND_BYTES:
            return Found(tuple(prepared), offset, _shown(problems))
        traced = replace(capture, source=piece.source, origin=f"{piece.address} at {offset}")
        try:
            prepared.append(prepare(traced, utc_now()))
        except MemoryError:
            raise
        except Exception as error:  # whatever a record holds, it must not cost the others
            problems.append(f"at byte {offset}: a capture can't be kept: {type(error).__name__}")
            continue
        size += len(prepared[-1].member)
    return Found(tuple(prepared), None, _shown(problems))


def is_of(url: str | None, hosts: tuple[str, ...]) -> bool:
    """Whether an address is on one of the hosts, or on a subdomain of one."""
    try:
        host = (urlsplit(url or "").hostname or "").rstrip(".")
    except ValueError:
        return False
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def _shown(problems: list[str]) -> tuple[str, ...]:
    more = len(problems) - MAX_DAMAGE
    return (*problems[:MAX_DAMAGE], f"and {more} more damaged places") if more > 0 else tuple(problems)
