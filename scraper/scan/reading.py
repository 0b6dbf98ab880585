"""Reads one file of captures, or part of one, for pages of the wanted hosts. The pool's processes run this.

What costs time is done here (reading, digests, compressing again); `run` only appends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

from parsers.urls import without_archive
from scraper.archive.store import Prepared, prepare
from scraper.archive.warc import utc_now
from scraper.scan.addresses import opened
from scraper.sources.containers import read_container
from scraper.sources.saved import Unused

FOUND_BYTES = 16_000_000
"""Compressed bytes found up to which a part of a file is read; the rest is another task. What bounds the memory."""
MAX_DAMAGE = 20
"""Damaged places of a file that are told one by one."""


class Piece(NamedTuple):
    """A file from byte `start` on, or without its first `-start` captures. `hosts`: whose pages are wanted, with subdomains.

    `source` names the captures.
    """

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
    """The captures in a piece; `rest`: the `start` of what is left, None at its end.

    `failed`: the file is not to be remembered as read.
    """

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
    size = captures = unknown = 0
    found = read_container(
        file, piece.address, source=piece.source, start=max(0, piece.start), wanted=lambda url: is_of(url, piece.hosts)
    )
    for item in found:
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
            return Found(tuple(prepared), offset or 1 - captures, _shown(problems))
        try:
            prepared.append(prepare(replace(capture, source=piece.source), utc_now()))
        except MemoryError:
            raise
        except Exception as error:  # whatever a record holds, it must not cost the others
            problems.append(f"at byte {offset}: a capture can't be kept: {type(error).__name__}")
            continue
        size += len(prepared[-1].member)
    return Found(tuple(prepared), None, _shown(problems), failed=bool(unknown) and not captures)


def is_of(url: str | None, hosts: tuple[str, ...]) -> bool:
    """Whether an address, or the one whose replay in an archive it is, is on one of the hosts, or on a subdomain of one."""
    try:
        host = (urlsplit(without_archive(url or "")).hostname or "").rstrip(".")
    except ValueError:
        return False
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def _shown(problems: list[str]) -> tuple[str, ...]:
    more = len(problems) - MAX_DAMAGE
    return (*problems[:MAX_DAMAGE], f"and {more} more damaged places") if more > 0 else tuple(problems)
