"""Addresses of files to scan: a local path, `https://` or `s3://`. They are checked, then opened through fsspec.

They come from the user, or from a list that an archive publishes; anything else that fsspec could open is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from scraper.errors import TtaError, WrongUsage
from scraper.terminal import escape_url

CONNECT_SECONDS = 30
READ_SECONDS = 120
"""Without a byte for so long, a file is given up for this run."""
_BLOCK = 8 * 1024 * 1024
"""Bytes asked for at a time: files are read from one end to the other."""
_LISTED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=+/-]{0,499}")
"""What a published list may name below its prefix (ARCHIVES.md, section 8: no `..`, no scheme)."""


def checked(address: str, *, loopback: bool = False) -> str:
    """The address as it is opened and remembered, a path made absolute. `loopback`: http to 127.0.0.1, too. Raises WrongUsage."""
    scheme, separator, _ = address.partition("://")
    if re.search(r"[\x00-\x20\x7f]|::", address):
        raise WrongUsage(f"{escape_url(address)}: an address has no blanks and no `::`")
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


def listed(lines: Iterator[str], prefix: str | None, *, loopback: bool = False) -> Iterator[str]:
    """The addresses of a list, a line each; below `prefix` where one is given. Raises WrongUsage."""
    for line in map(str.strip, lines):
        if not line:
            continue
        if prefix is not None and (not _LISTED.fullmatch(line) or ".." in line):
            raise WrongUsage(f"{escape_url(line)}: not a path below {escape_url(prefix)}")
        yield checked((prefix or "") + line, loopback=loopback)


class Watched:
    """A file for WARC reading that remembers what went wrong with it: damage is the file's, a broken connection is not."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failed: Exception | None = None
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """As a file's. After a failure it is at its end, so that nobody looks for a next record."""
        if self.failed is not None:
            return b""
        try:
            return self._file.read(size)
        except Exception as error:  # s3fs and aiohttp raise what they like
            self.failed = error
            return b""


@contextmanager
def opened(address: str) -> Iterator[Watched]:
    """A checked address, for reading. Raises what opening it raises, and TtaError where fsspec is missing."""
    if "://" not in address:
        with Path(address).open("rb") as file:
            yield Watched(file)
        return
    try:
        import fsspec
    except ImportError:
        raise TtaError("reading WARC files from other machines needs this program's extra: `tta[cluster]`") from None
    scheme = address.partition("://")[0]
    with fsspec.filesystem(scheme, **_options(scheme)).open(address, "rb", block_size=_BLOCK) as file:
        yield Watched(file)


def _options(scheme: str) -> dict[str, Any]:
    if scheme == "s3":  # the archives' buckets are public; a request without a signature needs no account
        timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS, "retries": {"max_attempts": 4}}
        return {"anon": True, "config_kwargs": timeouts, "skip_instance_cache": True}
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
    return {"client_kwargs": {"timeout": timeout}, "skip_instance_cache": True}
