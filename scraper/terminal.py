"""Text for a terminal or a log: what comes from pages and servers has no control characters, one line, and a bounded length."""

import re
from urllib.parse import urlsplit

MAX_SHOWN = 300
"""Characters; a `data:` address in a listing can have kilobytes (ARCHIVES.md, section 1)."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def escape(text: object, limit: int = MAX_SHOWN) -> str:
    r"""At most `limit` characters in one line; control, line-end and direction-changing characters become \xNN or \uNNNN."""
    shown = _UNSAFE.sub(lambda one: f"\\x{ord(one[0]):02x}" if one[0] <= "\xff" else f"\\u{ord(one[0]):04x}", str(text))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 capture`, `2,000 captures`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def escape_url(url: str) -> str:
    """The same for an address, without the user name and password it may contain (ARCHIVES.md, section 8)."""
    try:
        host = urlsplit(url).netloc
    except ValueError:
        return escape(url)
    return escape(url.replace(host, host.rpartition("@")[2], 1) if "@" in host else url)
