"""No page makes the parser raise, hang or take more than its share: time grows with length and not faster."""

from __future__ import annotations

import gc
import random
import time
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parsers.page import parse_page
from parsers.record import Kind, ParseResult
from tests import goldens, hostile
from tests.mutate import mutated
from tests.pagegen.options import THEMES
from tests.pagegen.render import make_page
from tests.pagegen.strategies import any_options, cases

LIMIT = 6.0
"""Seconds of processor time for the largest pages; generous, as machines that test are slow and shared."""
FEW, MANY = 500, 2_000
"""Repetitions in a page."""
SHORT, LONG = 8_000, 32_000
"""Characters of a text."""
GROWTH = 3.0
"""How many times longer than four times as long a page of four times the length may take."""
NOISE = 0.05
"""Seconds that measure nothing: a page that takes less is fast enough."""
URL = "https://bjatta.bja.ojp.gov/node/150001"


def read(content: bytes, *, is_text: bool = False) -> ParseResult:
    return parse_page(content, url=URL, content_type="text/html; charset=utf-8", http_status=200, is_text=is_text)


def seconds(content: bytes, *, is_text: bool) -> float:
    """Processor time of one reading, in which no garbage of other tests is collected."""
    gc.disable()
    try:
        start = time.process_time()
        read(content, is_text=is_text)
        return time.process_time() - start
    finally:
        gc.enable()


def is_linear(few: bytes, many: bytes, *, is_text: bool = False) -> bool:
    """Up to three readings, as whatever else the machine does slows some down."""
    return any(
        (taken := seconds(many, is_text=is_text)) < NOISE
        or taken < GROWTH * MANY / FEW * max(seconds(few, is_text=is_text), NOISE / 4)
        for _ in range(3)
    )


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", hostile.UNITS)
def test_time_grows_with_length(name: str) -> None:
    assert is_linear(hostile.page(name, FEW), hostile.page(name, MANY))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", hostile.TEXTS)
def test_time_grows_with_the_length_of_a_text(name: str) -> None:
    assert is_linear(hostile.text(name, SHORT), hostile.text(name, LONG), is_text=True)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", hostile.HUGE)
def test_huge_page(name: str) -> None:
    content = hostile.HUGE[name]()
    start = time.process_time()
    page = read(content)
    assert time.process_time() - start < LIMIT
    assert (page.record is not None) == (page.kind == Kind.RECORD)
    assert not name.startswith("20,000 times") or (page.record and page.record.short_name == "Reentry unit")


@settings(max_examples=100)
@given(st.binary(max_size=400), st.booleans(), st.sampled_from([None, "text/html", "text/html; charset=utf-16", "x", ""]))
def test_any_bytes_get_a_verdict(content: bytes, is_text: bool, content_type: str | None) -> None:
    for given_bytes in (content, b"<html><body><article>" + content, hostile.HEAD.encode() + hostile.FIELDS.encode() + content):
        page = parse_page(given_bytes, url=URL, content_type=content_type, is_text=is_text)
        assert (page.record is not None) == (page.kind == Kind.RECORD)


@cache
def seeds() -> tuple[bytes, ...]:
    """Made-up pages of every theme and pages that are no records, as what is mutated."""
    records = [make_page(seed, theme).data for seed, theme in enumerate(THEMES)]
    return (*records, *(page.read_bytes() for page in goldens.pages() if page.parent.name == "not-a-record"))


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.integers(1, 12))
def test_mutated_page_gets_a_verdict(seed: int, times: int) -> None:
    rng = random.Random(seed)
    page = read(mutated(rng.choice(seeds()), rng, times, others=seeds()))
    assert (page.record is not None) == (page.kind == Kind.RECORD)


@settings(max_examples=25)
@given(cases(options=any_options()), st.floats(0, 1), st.booleans())
def test_page_cut_anywhere_gets_a_verdict(case: object, share: float, is_text: bool) -> None:
    data = case.page().data  # type: ignore[attr-defined]
    page = parse_page(data[: int(len(data) * share)], url=URL, content_type="text/html", is_text=is_text, incomplete=True)
    assert (page.record is not None) == (page.kind == Kind.RECORD)
