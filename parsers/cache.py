"""Remembers what pure functions made of short texts: a site's labels, links, values and fields come again on page after page."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

_Text = TypeVar("_Text", str, str | None)
_Read = TypeVar("_Read")
_TEXTS = 4096
_SHORT = 400  # characters; longer texts are each page's own, and would only fill the memory


def cached_short(read: Callable[[_Text], _Read]) -> Callable[[_Text], _Read]:
    """The function, which reads a short text once. It must be pure, and what it returns must not be changed."""
    known = lru_cache(_TEXTS)(read)

    @wraps(read)
    def reading(text: _Text) -> _Read:
        return known(text) if text is None or len(text) <= _SHORT else read(text)

    return reading
