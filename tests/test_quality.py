"""The parser's quality stays where it is: not below the floor, and the floor not far below what is reached."""

from functools import cache

import pytest

from scraper.database.derived import RULES
from tests import quality, quality_derived

SLACK = 1.0
"""Points between what is reached and its floor; more means that the floor was not raised with the code."""


@cache
def measured() -> dict[str, float]:
    return quality.figures(quality.measure()) | quality_derived.figures()


@pytest.mark.parametrize("name", quality.floor())
def test_quality_is_at_its_floor(name: str) -> None:
    assert measured()[name] >= quality.floor()[name], "worse than before: `make quality` says where"
    assert measured()[name] <= quality.floor()[name] + SLACK, f"better than before: raise the floor in {quality.FLOOR.name}"


def test_the_dictionary_claims_no_more_precision_than_is_measured() -> None:
    for name, rule in RULES.items():
        assert rule["precision"] <= measured()[f"derived, {name}, precision"], name


def test_every_figure_has_a_floor() -> None:
    assert measured().keys() == quality.floor().keys()
