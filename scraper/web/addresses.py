"""Checks which URLs may be requested (scheme, host, port) and which IP address may be connected to; compares URLs of pages.

Redirects, crawl lists and file names come from outside, so every hop is checked (ARCHIVES.md, section 8, "SSRF").
"""

import html
import ipaddress
import re
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Self
from urllib.parse import unquote, urlsplit

from scraper.capture import url_key
from scraper.errors import NotAllowed
from scraper.terminal import escape, escape_url

LOOPBACK = "127.0.0.1"
_PORTS = {"https": 443, "http": 80}  # default ports


@dataclass(frozen=True, slots=True)
class AllowList:
    """The hosts that a source may contact. `plain_http`: also by http (a live site); `loopback`: http to 127.0.0.1, for tests."""

    hosts: frozenset[str]
    loopback: bool = False
    plain_http: bool = False

    @classmethod
    def of(cls, urls: Iterable[str], *, loopback: bool = False) -> Self:
        """Returns the allow-list for the hosts of the configured URLs."""
        return cls(frozenset((urlsplit(url).hostname or "").lower() for url in urls), loopback)

    def check(self, url: str) -> None:
        """Raises NotAllowed if `url` must not be requested."""
        if problem := self._problem(url):
            raise NotAllowed(f"{escape_url(url)} is not requested: {problem}")

    def _problem(self, url: str) -> str | None:
        if re.search(r"[^\x21-\x7e]|\\", url):
            return "it contains characters that no URL may contain"
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return "it is not a URL"
        if parts.username is not None or parts.password is not None:
            return "it contains a user name"
        if host not in self.hosts:
            return f"its host {escape(host, 80)} is not one of the source's hosts"
        if self.loopback and host == LOOPBACK:
            return None if parts.scheme == "http" else "only http is used on 127.0.0.1"
        if parts.scheme != "https" and not (self.plain_http and parts.scheme == "http"):
            return "only https is used (http to 127.0.0.1 where allow_loopback is set)"
        return None if port in (None, _PORTS[parts.scheme]) else f"port {port} is not used"


def host_of(url: str) -> str:
    """Returns what is paced as one host: its name, with the port if that is not the default."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return host if parts.port in (None, _PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def same_page(one: str, other: str) -> bool:
    """Whether an archive may answer for one URL with a capture of the other: it compares SURT keys (ARCHIVES.md, section 1)."""
    return one == other or _loose_key(one) == _loose_key(other)


def _loose_key(url: str) -> tuple[str, list[str]]:
    """Returns a key that ignores case, percent-encoding, double slashes and the order of parameters."""
    place, _, query = unquote(html.unescape(url_key(url))).casefold().partition("?")
    return re.sub(r"/+", "/", place).rstrip("/"), sorted(query.split("&"))


def checked_ip(host: str, port: int, *, loopback: bool, timeout: float) -> str:
    """Returns the address to connect to for a host; all must be public. Raises NotAllowed, OSError, TimeoutError."""
    if loopback and host == LOOPBACK:
        return host
    found: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            found.put([str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, daemon=True).start()  # `getaddrinfo` can't be interrupted and has no time limit
    try:
        answers = found.get(timeout=timeout)
    except Empty:
        raise TimeoutError(f"{host} was not resolved in time") from None
    if isinstance(answers, Exception) or not answers:
        raise OSError(str(answers or "no address"))
    for answer in answers:
        address = ipaddress.ip_address(answer.partition("%")[0])
        for one in filter(None, (address, getattr(address, "ipv4_mapped", None))):
            if not one.is_global or one.is_multicast:
                raise NotAllowed(f"{escape(host, 80)} is not contacted: it resolves to {one}, which is not a public address")
    return answers[0]
