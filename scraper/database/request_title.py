"""Splits a request's title, `REQ: 2024-02-14 - AGENCY (TTA TYPE)`, into its parts. Pure."""

import re
import tomllib
import unicodedata
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from parsers.scalars import cached_short

_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_PATTERN = {name: re.compile(text) for name, text in _TEXTS["patterns"].items()}
_MOST = 1_000  # characters that are looked at: a title has fewer, and what is hostile must cost no time


class RequestTitle(NamedTuple):
    """The parts of a title; `type` is None where the title is cut before its end, or has none. `date` is YYYY-MM-DD."""

    date: str
    agency: str
    type: str | None


@cached_short
def split_request_title(title: str) -> RequestTitle | None:
    """Returns the parts of a request's title; None for any other title. The type is the last group in parentheses."""
    found = _PATTERN["title"].match(" ".join(unicodedata.normalize("NFKC", title[:_MOST]).split()))
    if not found:
        return None
    written = re.sub(r"[\W_]+", "-", found[1])
    for form in _TEXTS["dates"]:
        with suppress(ValueError):
            day = datetime.strptime(written, form).date().isoformat()  # noqa: DTZ007  (a date as written has no zone)
            agency, kind = _split_off_type(_PATTERN["remark"].sub("", found[3].rstrip(" .…")))
            return RequestTitle(day, agency, kind) if any(map(str.isalnum, agency)) else None
    return None


def _split_off_type(text: str) -> tuple[str, str | None]:
    """Returns agency and type. After a parenthesis that is not closed the title was cut, and the type is None."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] in ")]") - (text[at] in "([")
        if text[at] in "([" and depth <= 0:
            kind = text[at + 1 :].removesuffix(text[-1]).strip()
            is_type = _PATTERN["type"].search(kind) or not _PATTERN["no_type"].fullmatch(kind)
            if depth < 0:
                return text[:at].strip(" -–—"), None
            if text[-1] in ")]" and kind and is_type:
                return text[:at].strip(" -–—"), kind
            break
    bare = _PATTERN["bare_type"].fullmatch(text)
    return (bare[1], bare[2]) if bare else (text.strip(" -–—"), None)
