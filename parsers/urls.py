"""Reads addresses: the record's node number, the address that an archive wrapped, absolute links. Nothing is fetched."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urljoin, urlsplit, urlunsplit

from parsers.registry import WORDS
from parsers.scalars import cached_short

_NODE, _STAMP, _SERVICE, _NO_PAGE, _BROWSER_PREFIX, _CACHED, _TRANSLATED, _VARIANT_PATH = (
    re.compile(one, re.IGNORECASE) for one in WORDS["addresses"].values()
)
_SCHEME = r"(?:https?|ftp)(?::|%3A)(?:/|%2F){1,2}|mailto:|tel:"
_IN_PATH = re.compile(rf"(?P<wrapper>(?:(?:https?:)?//[^/?#\s]+)?/(?:[^/?#\s]+/)*?)(?P<inner>(?:{_SCHEME}).+)", re.IGNORECASE)
_WITHOUT_SCHEME = re.compile(r"(?P<wrapper>https?://[^/?#\s]+/(?:[\w.-]+/){1,3})(?P<inner>[\w-]+(?:\.[\w-]+)+(?:[/:?].*)?)", re.I)
_URL_PARAMETERS = ("url", "u", "uri", "q", "src", "link", "page")  # parameters in which services pass a page's address
_TIME_PARAMETERS = ("ts", "date", "timestamp", "time")  # and its capture time
_VARIANTS = frozenset(("amp", "print", "printable", "_format", "_wrapper_format"))
_FROM_ROOT = re.compile(r"/(?:[\w-]+/)*[\w-]*", re.ASCII)
"""Links such as `/taxonomy/term/1`, which nearly all are: they need no more than the host put before them."""
_PLAIN_ADDRESS = re.compile(r"(https?://(?![a-z0-9-]+\.translate\.goog)[a-z0-9.-]+)(?:/(?:[a-z-]+/)*[\w-]*)?", re.ASCII)
"""An address without anything that has to be looked at twice, such as an archive's prefix; so are nearly all of the portal's."""
_MAX_WRAPPERS = 4  # an archive's copy of an archive's copy, and so on


@lru_cache(maxsize=65536)
def node_id(url: str | None) -> int | None:
    """Returns the node number in a record page's address, on any host; None for edit forms, revisions, aliases, files.

    `/node/N` with a trailing slash, a query, a language prefix (`/es/node/N`), `index.php`, any case, percent-encoding and
    doubled slashes is the same page in Drupal; so are the old form `?q=node/N` and print versions.
    """
    try:
        plain = page_address(url or "")
        parts = urlsplit(plain if "//" in plain else f"//{plain}")
    except ValueError:
        return None
    path = re.sub(r"/{2,}", "/", unquote(parts.path))
    if path.lower() in ("", "/", "/index.php") and "q=" in parts.query:
        path = "/" + parse_qs(parts.query, max_num_fields=50).get("q", [""])[0].lstrip("/")
    found = _NODE.fullmatch(path)
    return int(found[1]) if found and 0 < int(found[1]) < 2**63 else None


def without_archive(url: str) -> str:
    """Returns a link without the prefixes of archives and translators, also nested; any other address unchanged."""
    return _unwrap(url, _inner_of_link)[0]


def page_address(url: str) -> str:
    """Returns a page's own address: not of its print version, nor wrapped by an archive, cache, translator or browser."""
    plain = _unwrap(url, _inner_of_page)[0]
    try:
        parts = urlsplit(plain)
    except ValueError:
        return plain
    found = _VARIANT_PATH.fullmatch(parts.path)
    if found is None and _VARIANTS.isdisjoint(re.split("[&=]", parts.query)):
        return plain
    query = "&".join(one for one in parts.query.split("&") if one.partition("=")[0] not in _VARIANTS)
    return urlunsplit(parts._replace(path=(found[1] or f"/node/{found[2]}") if found else parts.path, query=query))


def archive_time(url: str | None) -> str | None:
    """Returns when an archive captured the page that a replay address shows: its 4 to 14 digits, UTC; else None.

    Fewer than 14 digits are a time of lower precision, or the replay nearest to it. Of nested replays the innermost counts.
    """
    return _unwrap(url or "", _inner_of_page)[1]


_Inner = tuple[str, str | None] | None
"""An address that is wrapped in another, and the time in its wrapper; None where an address wraps no other."""


def _unwrap(url: str, unwrap: Callable[[str], _Inner]) -> tuple[str, str | None]:
    """Returns the innermost address, and the digits of the innermost wrapper's time. `unwrap` removes one wrapper."""
    url, time = url.strip(), None
    for _ in range(_MAX_WRAPPERS):
        if _PLAIN_ADDRESS.fullmatch(url) or (inner := unwrap(url)) is None:
            break
        url, digits = inner[0], re.sub(r"\D", "", inner[1] or "")[:14]
        time = digits if len(digits) >= 4 else time
    return url, time


def _inner_of_link(url: str) -> _Inner:
    """Returns address and time, if any, in the path of an archive's or a service's address, or behind a translator's host."""
    if found := _TRANSLATED.match(url):
        host = found[1].replace("--", "\0").replace("-", ".").replace("\0", "-")
        scheme = "http" if "_x_tr_sch=http&" in f"{url}&" else "https"
        return f"{scheme}://{host}" + re.sub(r"_x_tr_\w+=[^&#]*&?", "", found[2]).rstrip("?&"), None
    if found := _IN_PATH.fullmatch(url) or _WITHOUT_SCHEME.fullmatch(url):
        wrapper, inner = found["wrapper"], found["inner"]
        stamp, service = _STAMP.search(wrapper), _SERVICE.search(wrapper)
        if found.re is _WITHOUT_SCHEME:
            return (f"http://{inner}", stamp[1]) if service and stamp and len(stamp[1]) >= 14 else None
        at_root = wrapper.count("/") == 3 and "//" in wrapper  # `https://reader.example/https://...`
        if (stamp or at_root or service) and not _NO_PAGE.search(wrapper):
            inner = unquote(inner) if "%" in inner[:12] else inner
            return re.sub(r"^(https?|ftp):/(?=[^/])", r"\1://", inner, flags=re.IGNORECASE), stamp and stamp[1]
    return None


def _inner_of_page(url: str) -> _Inner:
    """As `_inner_of_link`; also an address in the query of a service that shows pages, or after a browser's prefix."""
    if inner := _inner_of_link(url):
        return inner
    prefix = _BROWSER_PREFIX.match(url)
    before = prefix or re.match(r"https?://[^?#]*", url, re.IGNORECASE)
    if before is None or not (prefix or _SERVICE.search(before[0])):
        return None
    query = url[before.end() :]
    if prefix and not query.startswith("?"):
        return query, None
    pairs = [(name.lower(), value) for name, _, value in (one.partition("=") for one in re.split("[?&#]", query)[:50])]
    address = next((unquote(value) for name, value in pairs if name in _URL_PARAMETERS and value), "")
    if cached := _CACHED.match(address):
        address = cached[1] if "://" in cached[1] else f"http://{cached[1]}"
    time = next((value for name, value in pairs if name in _TIME_PARAMETERS), None)
    return (address, time) if re.match(r"https?://", address, re.IGNORECASE) else None


def absolute(href: str | None, base: str | None) -> str | None:
    """Returns a link as an absolute address on the page's own host; None for scripts, empty fragments and invalid ones."""
    if href is None:
        return None
    if base and _FROM_ROOT.fullmatch(href) and (origin := origin_of(base)):
        return origin + href
    link = without_archive("".join(filter(str.isprintable, href)).strip())
    try:
        joined = urljoin(page_address(base), link) if base else link
        scheme = urlsplit(joined).scheme.lower()
    except ValueError:
        return None
    is_safe = scheme in ("http", "https", "mailto", "tel", "ftp") or not (scheme or base)
    return without_archive(joined) if link and is_safe else None


@cached_short
def origin_of(base: str) -> str | None:
    """Returns scheme and host of an address, with which its root-relative links begin."""
    if plain := _PLAIN_ADDRESS.fullmatch(base):
        return plain[1]
    root = absolute("/./", base) or ""  # not "/", of which `absolute` asks here
    return root[:-1] if root.startswith(("http://", "https://")) else None


def is_of_hosts(url: str, hosts: Iterable[str]) -> bool:
    """Returns whether the URL's host is one of `hosts` or a subdomain of one."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    return any(host == one or host.endswith("." + one) for one in hosts)
