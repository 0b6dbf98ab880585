"""Remembers what pure functions made of short texts: a site's labels, links, values and fields come again on page after page."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

_Text = TypeVar("_Text", str, str | None)
_Read = TypeVar("_Read")
_TEXTS = 4096
_SHORT = 400
"""Characters; longer texts are each page's own, and would only fill the memory."""
_SHORT_SOURCE = 1500
"""Characters; nearly every plain field has under 500."""
MAX_SOURCE = 20_000
"""Characters of a field that is read from its source; a longer one is left to the general rules."""


def cached_short(read: Callable[[_Text], _Read]) -> Callable[[_Text], _Read]:
    """The function, which reads a short text once. It must be pure, and what it returns must not be changed."""
    known = lru_cache(_TEXTS)(read)

    @wraps(read)
    def reading(text: _Text) -> _Read:
        return known(text) if text is None or len(text) <= _SHORT else read(text)

    return reading


def cached_source(read: Callable[[str, str | None], _Read]) -> Callable[[str, str | None], _Read | None]:
    """The same for a field's source and the origin of its links; a source over MAX_SOURCE is not read, which gives None."""
    known = lru_cache(_TEXTS)(read)

    @wraps(read)
    def reading(source: str, origin: str | None) -> _Read | None:
        if len(source) <= _SHORT_SOURCE:
            return known(source, origin)
        return read(source, origin) if len(source) <= MAX_SOURCE else None

    return reading
