"""Which addresses may be asked for: scheme, host and port before a request, and the IP address when it is connected.

Redirects, crawl lists and resume addresses come from outside, so every hop is checked (ARCHIVES.md, section 8, "SSRF").
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from scraper.errors import NotAllowed
from scraper.terminal import escape, escape_url

LOOPBACK = "127.0.0.1"
_PORTS = {"https": 443, "http": 80}
_BAD_CHARACTERS = re.compile(r"[^\x21-\x7e]|\\")


@dataclass(frozen=True, slots=True)
class AllowList:
    """The hosts that one source may ask. `plain_http`: http is allowed for them too, only for a live site configured so.

    `loopback` permits http to 127.0.0.1 and nothing else on a private network; for tests. `ports` are those of 127.0.0.1 that
    are meant; none means any.
    """

    hosts: frozenset[str]
    loopback: bool = False
    plain_http: bool = False
    ports: frozenset[int] = frozenset()

    @classmethod
    def of(cls, urls: Iterable[str], *, loopback: bool = False, plain_http: bool = False) -> AllowList:
        """The hosts of a source's configured addresses; of 127.0.0.1 the configured ports only."""
        parts = [urlsplit(url) for url in urls]
        hosts = frozenset((part.hostname or "").lower() for part in parts)
        return cls(hosts, loopback, plain_http, frozenset(part.port or 80 for part in parts if part.hostname == LOOPBACK))

    def check(self, url: str) -> None:
        """Raises NotAllowed where a request for `url` must not be made."""
        problem = self._problem(url)
        if problem:
            raise NotAllowed(f"{escape_url(url)} is not asked for: {problem}")

    def _problem(self, url: str) -> str | None:
        if _BAD_CHARACTERS.search(url):
            return "it holds characters that no address may hold"
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return "it is not an address"
        if parts.username is not None or parts.password is not None:
            return "it holds a user name"
        if host not in self.hosts:
            return f"its host {escape(host, 80)} is not one of the source's hosts"
        if self.loopback and host == LOOPBACK:
            return self._loopback_problem(parts, port)
        return self._scheme_problem(parts, port)

    def _loopback_problem(self, parts: SplitResult, port: int | None) -> str | None:
        if parts.scheme != "http":
            return "only http is used on 127.0.0.1"
        return f"port {port} is not used" if self.ports and (port or 80) not in self.ports else None

    def _scheme_problem(self, parts: SplitResult, port: int | None) -> str | None:
        if parts.scheme != "https" and not (self.plain_http and parts.scheme == "http"):
            return "only https is used (http to 127.0.0.1 where allow_loopback is set)"
        if port not in (None, _PORTS[parts.scheme]):
            return f"port {port} is not used"
        return None


def host_of(url: str) -> str:
    """What is paced as one host: the name, with the port where it is not the usual one."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return host if parts.port in (None, _PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def url_key(url: str) -> str:
    """What two spellings of one page's address have in common: no scheme, `www`, usual port, user name, fragment, last slash.

    Used to find the same page in another archive, never to ask for it: the spelling that an archive lists is the one it plays.
    Unlike SURT it keeps the case of the path, since Drupal's aliases may differ in it.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return url
    host = re.sub(r"^www\d*\.", "", host)
    place = host if port in (None, 80, 443) else f"{host}:{port}"
    return place + parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")


def checked_ip(host: str, port: int, *, loopback: bool, timeout: float) -> str:
    """The IP address to connect to for `host`. Every address it resolves to must be public, or none of them is used.

    The connection is made to this very address, so that a name that changes its answer in between gains nothing (DNS
    rebinding). `loopback`: 127.0.0.1 written as such is let through. Raises NotAllowed, OSError, TimeoutError (`timeout` is in
    seconds).
    """
    if loopback and host == LOOPBACK:
        return host
    answers = _resolve(host, port, timeout)
    for answer in answers:
        address = ipaddress.ip_address(answer.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        for one in (address, mapped) if mapped else (address,):
            if not one.is_global or one.is_multicast:
                raise NotAllowed(f"{escape(host, 80)} is not asked: it resolves to {one}, which is not a public address")
    return answers[0]


def _resolve(host: str, port: int, timeout: float) -> list[str]:
    """`getaddrinfo` can't be interrupted and knows no time limit, so it runs beside and is waited for."""
    found: list[str] = []
    failed: list[OSError] = []

    def look_up() -> None:
        try:
            found.extend(str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)
        except UnicodeError:
            failed.append(OSError("not a host name"))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise TimeoutError(f"{host} was not resolved in time")
    if failed or not found:
        raise failed[0] if failed else OSError("no address")
    return found
