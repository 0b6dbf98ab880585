"""Text from pages and servers, made safe to show: nothing that came over the network reaches a terminal or a log as it came."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_SHOWN = 300
"""Characters; a data: address in a listing can be kilobytes long (ARCHIVES.md, section 1)."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def printable(text: object, limit: int = MAX_SHOWN) -> str:
    r"""One line: control, line-end and direction-changing characters as \xNN or \uNNNN, at most `limit` characters."""
    shown = _UNSAFE.sub(_escaped, str(text))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def printable_url(url: str) -> str:
    """An address without the user name and password it may hold (ARCHIVES.md, section 8, "control characters")."""
    try:
        host = urlsplit(url).netloc
    except ValueError:
        return printable(url)
    return printable(url.replace(host, host.rpartition("@")[2], 1) if "@" in host else url)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
