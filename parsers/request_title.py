"""Splits a request's title, `REQ: 2024-02-14 - AGENCY (TTA TYPE)`, into its parts. Pure."""

import re
from contextlib import suppress
from datetime import date
from typing import NamedTuple

from parsers.scalars import cached_short

_DASH = r"\s*[-‐-―:|]\s*"
_TITLE = re.compile(
    rf"\W*req(?:uest)?\b[\s:#.‐-―-]*(?:(\d{{4}})([-/.]?)(\d{{1,2}})\2(\d{{1,2}})|(\d{{1,2}})[-/.](\d{{1,2}})[-/.](\d{{4}}))\b(?:{_DASH}|\s+)(.+)",
    re.IGNORECASE,
)
_NO_TYPE = re.compile(
    r"(?!TTA\b|TA\b)[A-Z][A-Z.&/-]{1,7}|[A-Z][\w' .-]* (?:County|Parish|City)(?:, [A-Z]{2})?|[A-Z][\w' .-]*, [A-Z]{2}"
)
"""What stands in parentheses at the end of a name without being a type of help: a state, initials, a place."""
_TYPE = re.compile(r"train|assist|\bt?ta\b|remote|person|virtual|site|webinar|event|meeting|consult|peer|exchange|online", re.I)


class RequestTitle(NamedTuple):
    """The parts of a title; `type` is None where the title is cut before its end, or has none. `date` is YYYY-MM-DD."""

    date: str
    agency: str
    type: str | None


@cached_short
def split_request_title(title: str) -> RequestTitle | None:
    """The parts of a request's title; None for any other title. The type is the last group in parentheses."""
    found = _TITLE.fullmatch(" ".join(title.split()))
    if not found:
        return None
    year, _, month, day, us_month, us_day, us_year, rest = found.groups()
    with suppress(ValueError):
        day_of = date(int(year or us_year), int(month or us_month), int(day or us_day)).isoformat()
        agency, kind = _without_type(rest.rstrip(" .…"))
        return RequestTitle(day_of, agency, kind) if any(map(str.isalnum, agency)) else None
    return None


def _without_type(text: str) -> tuple[str, str | None]:
    """The agency and the type. An opening parenthesis without its end is where the title was cut: half a type is none."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if text[at] == "(" and depth <= 0:
            kind = text[at + 1 :].removesuffix(")").strip()
            is_type = _TYPE.search(kind) or not _NO_TYPE.fullmatch(kind)
            if depth < 0:
                return text[:at].strip(" -–—"), None
            if text.endswith(")") and kind and is_type:
                return text[:at].strip(" -–—"), kind
            break
    return text.strip(" -–—"), None
