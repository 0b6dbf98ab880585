"""The parser's quality stays where it is: not below the floor, and the floor not far below what is reached."""

from __future__ import annotations

from functools import cache

import pytest

from tests import quality

SLACK = 1.0
"""Points between what is reached and its floor; more means that the floor was not raised with the code."""


@cache
def measured() -> dict[str, float]:
    return quality.figures(quality.measure())


@pytest.mark.parametrize("name", quality.floor())
def test_quality_is_at_its_floor(name: str) -> None:
    assert measured()[name] >= quality.floor()[name], "worse than before: `make quality` says where"
    assert measured()[name] <= quality.floor()[name] + SLACK, f"better than before: raise the floor in {quality.FLOOR.name}"


def test_every_figure_has_a_floor() -> None:
    assert measured().keys() == quality.floor().keys()
