"""What an address says: the record's node number, an archive's prefix, an absolute link. Pure text; nothing is fetched."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

from parsers.cache import cached_short

_NODE = re.compile(r"(?:/index\.php)?(?:/[a-z]{2}(?:-[a-z]{2,8})?)?/node/([0-9]{1,19})/?", re.IGNORECASE)
_ARCHIVED = re.compile(
    r"(?:(?:https?:)?//[^/?#\s]+)?/(?:[\w.-]+/){0,3}\d{4,14}(?:[a-z]{2}_)?/((?:https?:/{1,2}|mailto:|tel:|ftp:/{1,2}).+)",
    re.IGNORECASE,
)
_FROM_ROOT = re.compile(r"/(?:[\w-]+/)*[\w-]*", re.ASCII)
"""Links such as `/taxonomy/term/1`, which nearly all are: they need no more than the host put before them."""
_PLAIN = re.compile(r"(https?://[a-z0-9.-]+)(?:/(?:[a-z-]+/)*[\w-]*)?", re.ASCII)
"""An address without anything that has to be looked at twice, such as an archive's prefix; so are nearly all of the portal's."""
_MAX_NODE = 2**63 - 1
_MAX_PREFIXES = 4
_SAFE_SCHEMES = ("http", "https", "mailto", "tel", "ftp")


@lru_cache(maxsize=65536)
def node_id(url: str | None) -> int | None:
    """The node number in the address of a record page, whatever the host; None for edit forms, revisions, aliases, files.

    `/node/N` with a trailing slash, a query, a language prefix (`/es/node/N`), `index.php`, any case, percent-encoding and
    doubled slashes is the same page in Drupal; so is the old form `?q=node/N`.
    """
    if not url:
        return None
    try:
        plain = without_archive(url)
        parts = urlsplit(plain if "//" in plain else f"//{plain}")
    except ValueError:
        return None
    path = re.sub(r"/{2,}", "/", unquote(parts.path))
    if path.lower() in ("", "/", "/index.php") and "q=" in parts.query:
        path = "/" + parse_qs(parts.query, max_num_fields=50).get("q", [""])[0].lstrip("/")
    found = _NODE.fullmatch(path)
    number = int(found[1]) if found else None
    return number if number is not None and 0 < number <= _MAX_NODE else None


def without_archive(url: str) -> str:
    """The address without the prefix that an archive's rewriting puts before it, however often it did."""
    for _ in range(_MAX_PREFIXES):
        found = _ARCHIVED.fullmatch(url.strip())
        if not found:
            break
        url = re.sub(r"^(https?|ftp):/(?=[^/])", r"\1://", found[1], flags=re.IGNORECASE)
    return url


def absolute(href: str | None, base: str | None) -> str | None:
    """A link as an absolute address on the page's own host; None for scripts, fragments of nothing, and what is no address."""
    if href is None:
        return None
    if base and _FROM_ROOT.fullmatch(href) and (origin := origin_of(base)):
        return origin + href
    return _joined(href, base)


@cached_short
def origin_of(base: str) -> str | None:
    """Scheme and host of an address, as its links from the root begin."""
    if plain := _PLAIN.fullmatch(base):
        return plain[1]
    root = _joined("/", base) or ""
    return root[:-1] if root.startswith(("http://", "https://")) else None


def _joined(href: str, base: str | None) -> str | None:
    link = without_archive((href if href.isprintable() else "".join(filter(str.isprintable, href))).strip())
    if not link:
        return None
    try:
        joined = urljoin(without_archive(base), link) if base else link
        scheme = urlsplit(joined).scheme.lower()
    except ValueError:
        return None
    if scheme not in _SAFE_SCHEMES and (scheme or base):
        return None
    return without_archive(joined)
