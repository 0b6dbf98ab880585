"""Where the time of a page goes: the parser's steps, each timed where it is called.

A timer costs some 0.2 µs a call and a page calls each step once or twice, so the steps can be trusted to about a microsecond.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType
from typing import Any
from unittest.mock import patch

from selectolax.lexbor import LexborHTMLParser

from benchmarks.loading import html_pages, parse
from parsers import html
from parsers import page as whole

TURNS = 5
STEPS: dict[str, tuple[tuple[ModuleType, str], ...]] = {
    "what kind of bytes, decoding, the guard": ((whole, "kind_by_bytes"), (whole, "decode"), (html, "harmless")),
    "lexbor": ((html, "LexborHTMLParser"),),
    "which element, the page's own address, where links start": (
        (html, "_own_url"),
        (html, "_base_of_links"),
        (html, "_root"),
    ),
    "the light tree, plain fields from their source": ((html, "build_with_fields"),),
    "title, byline, notice": ((html, "title_of"), (html, "byline_of"), (html, "detach_notice")),
    "fields and rows": ((html, "read_content"),),
    "columns, flags, milestones, metrics, the record": ((html, "make_record"),),
}
REST = "all else"


def steps(data: str, pages: int) -> dict[str, float]:
    """Seconds that so many HTML pages spend in each step, the least of TURNS turns; `bare` is the bare parse, in turns too."""
    some = html_pages(data, pages)
    best: dict[str, float] = {}
    for _ in range(TURNS):
        for name, seconds in _turn(some).items():
            best[name] = min(best.get(name, seconds), seconds)
    return best


def _turn(pages: list[Any]) -> dict[str, float]:
    spent = dict.fromkeys([*STEPS, REST, "bare"], 0.0)
    with ExitStack() as stack:
        for name, functions in STEPS.items():
            for module, function in functions:
                stack.enter_context(patch.object(module, function, _timed(getattr(module, function), spent, name)))
        for page in pages:
            began = time.perf_counter()
            parse(page)
            spent[REST] += time.perf_counter() - began
    spent[REST] -= sum(spent[name] for name in STEPS)
    for page in pages:
        began = time.perf_counter()
        LexborHTMLParser(page.content)
        spent["bare"] += time.perf_counter() - began
    return spent


def _timed(function: Callable[..., Any], spent: dict[str, float], name: str) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            spent[name] += time.perf_counter() - began

    return timed
