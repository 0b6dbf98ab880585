"""Splits a request's title, `REQ: 2024-02-14 - AGENCY (TTA TYPE)`, into its parts. Pure."""

import re
import unicodedata
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from parsers.scalars import cached_short

_TITLE = re.compile(
    r"\W*(?:(?:re|fwd?|tta)\b\W+)*req(?:uest)?(?![^\W_])[\s:#._‐-―-]*"
    r"(\d{8}|\d{1,4}([-‐-―/.])\d{1,2}\2\d{2,4}|[a-z]{3,9}\.? \d{1,2},? \d{4}|\d{1,2} [a-z]{3,9}\.?,? \d{4})"
    r"(?:[t ]\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]m)?)?(?=[\W_])(?:\s*[-_‐-―:|,]+\s*|\s+)(.+)",
    re.IGNORECASE,
)
_DATES = ("%Y%m%d", "%Y-%m-%d", "%m-%d-%Y", "%m-%d-%y", "%y-%m-%d", "%b-%d-%Y", "%B-%d-%Y", "%d-%b-%Y", "%d-%B-%Y")
"""How dates are written, with a dash for whatever is between the parts; of two readings the American one counts."""
_REMARK = re.compile(
    r"\s*(?:[-‐-―]+\s*|[(\[])(?:updated?|revised|cancell?ed|closed|draft|copy|duplicate)[)\]]?\W*$", re.IGNORECASE
)
_MOST = 1_000
"""Characters that are looked at: a title has fewer, and what is hostile must cost no time."""
_NO_TYPE = re.compile(
    r"(?!TTA\b|TA\b)[A-Z][A-Z.&/-]{1,7}|[A-Z][\w' .-]* (?:County|Parish|City)(?:, [A-Z]{2})?|[A-Z][\w' .-]*, [A-Z]{2}"
)
"""What stands in parentheses at the end of a name without being a type of help: a state, initials, a place."""
_TYPE = re.compile(r"train|assist|\bt?ta\b|remote|person|virtual|site|webinar|event|meeting|consult|peer|exchange|online", re.I)
_BARE_TYPE = re.compile(
    r"(.+?) [-‐-―]+ ((?:training|(?:technical )?assistance|t?ta|webinar|workshop|conference|meeting|consultation)"
    r"(?:\s*[-‐-―/:]\s*[\w -]+)?)",
    re.IGNORECASE,
)
"""A type without parentheses: behind a dash, and nothing but a type, unlike that of a `Training Division`."""


class RequestTitle(NamedTuple):
    """The parts of a title; `type` is None where the title is cut before its end, or has none. `date` is YYYY-MM-DD."""

    date: str
    agency: str
    type: str | None


@cached_short
def split_request_title(title: str) -> RequestTitle | None:
    """Returns the parts of a request's title; None for any other title. The type is the last group in parentheses."""
    found = _TITLE.match(" ".join(unicodedata.normalize("NFKC", title[:_MOST]).split()))
    if not found:
        return None
    written = re.sub(r"[\W_]+", "-", found[1])
    for form in _DATES:
        with suppress(ValueError):
            day = datetime.strptime(written, form).date().isoformat()  # noqa: DTZ007  (a date as written has no zone)
            agency, kind = _split_off_type(_REMARK.sub("", found[3].rstrip(" .…")))
            return RequestTitle(day, agency, kind) if any(map(str.isalnum, agency)) else None
    return None


def _split_off_type(text: str) -> tuple[str, str | None]:
    """Returns agency and type. After a parenthesis that is not closed the title was cut, and the type is None."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] in ")]") - (text[at] in "([")
        if text[at] in "([" and depth <= 0:
            kind = text[at + 1 :].removesuffix(text[-1]).strip()
            is_type = _TYPE.search(kind) or not _NO_TYPE.fullmatch(kind)
            if depth < 0:
                return text[:at].strip(" -–—"), None
            if text[-1] in ")]" and kind and is_type:
                return text[:at].strip(" -–—"), kind
            break
    bare = _BARE_TYPE.fullmatch(text)
    return (bare[1], bare[2]) if bare else (text.strip(" -–—"), None)
