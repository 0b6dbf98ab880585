"""Counts made ready to be drawn: bars, columns, parts of a whole, a grid and a map, each with the address of the rows it counts.

Nothing here asks the database; `scraper.explore.dashboard` does. The templates draw them as tables and lists, so that a chart is
read by a screen reader as what it is, and needs no script.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import ceil, sqrt
from typing import NamedTuple

SHADES = 5
UNKNOWN = "not known"

Url = Callable[..., str]
"""Address of the rows that meet the given filters."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A value, how many there are, its share of the longest bar in percent, and where its rows are."""

    label: str
    count: int
    percent: float
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole: its share in percent, and where it begins."""

    name: str
    count: int
    percent: float
    start: float
    url: str


class Whole(NamedTuple):
    """A row of parts that add up. `known` is the share of `yes` among those with an answer, in percent; None where none has."""

    label: str
    parts: list[Part]
    known: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    count: int
    shade: int
    url: str


class Grid(NamedTuple):
    """Counts of pairs. `rows` are a label and a cell, or None, under each of `columns`."""

    columns: list[str]
    rows: list[tuple[str, list[Cell | None]]]


@dataclass(frozen=True, slots=True)
class State:
    name: str
    path: str
    count: int
    shade: int
    url: str


class StateMap(NamedTuple):
    """`legend` is the least and the greatest count of each shade, `bars` the same counts as a table."""

    states: list[State]
    legend: list[tuple[int, int]]
    bars: list[Bar]


def bars(counts: Iterable[tuple[object, int]], url: Callable[[object], str], total: int | None = None) -> list[Bar]:
    """A bar for each value, in the order given. With `total` the bars are shares of it, else of the greatest count."""
    rows = list(counts)
    most = total or max((count for _, count in rows), default=0)
    return [Bar(words(value), count, percent(count, most), url(value)) for value, count in rows]


def longest_first(counts: Mapping[object, int]) -> list[tuple[object, int]]:
    """By count, then by name; what is not known comes last."""
    return sorted(counts.items(), key=lambda one: (one[0] is None, -one[1], str(one[0])))


def wholes(counts: Mapping[tuple[object, object], int], url: Callable[[object, object], str]) -> list[Whole]:
    """A row for each first value; the second is 1 (yes), 0 (no) or None."""
    found = []
    for first in sorted({first for first, _ in counts}, key=lambda one: (one is None, str(one))):
        yes, no, unknown = (counts.get((first, answer), 0) for answer in (1, 0, None))
        total, start, parts = yes + no + unknown, 0.0, []
        for name, answer, count in (("yes", 1, yes), ("no", 0, no), (UNKNOWN, None, unknown)):
            share = percent(count, total)
            if count:
                parts.append(Part(name, count, share, start, url(first, answer)))
            start += share
        found.append(Whole(words(first), parts, percent(yes, yes + no) if yes + no else None))
    return found


def grid(
    counts: Mapping[tuple[object, object], int], columns: Sequence[object], rows: Sequence[object], url: Callable[..., str]
) -> Grid:
    """Counts of (row, column), shaded by the greatest of them."""
    most = max(counts.values(), default=0)

    def cell(row: object, column: object) -> Cell | None:
        count = counts.get((row, column), 0)
        return Cell(count, shade(count, most), url(row, column)) if count else None

    return Grid([words(one) for one in columns], [(words(row), [cell(row, column) for column in columns]) for row in rows])


@cache
def state_paths() -> dict[str, str]:
    """The SVG path of each state that is drawn, by its name, in a drawing of 960 by 600 units (see `tests.state_paths`)."""
    text = (resources.files("scraper.explore") / "static" / "state-paths.json").read_text(encoding="utf-8")
    paths: dict[str, str] = json.loads(text)
    return paths


def state_map(counts: Mapping[object, int], url: Callable[[object], str]) -> StateMap:
    """The states by name, those without a record included."""
    most = max((count for name, count in counts.items() if name is not None), default=0)
    states = [
        State(name, path, counts.get(name, 0), shade(counts.get(name, 0), most), url(name))
        for name, path in state_paths().items()
    ]
    steps = [(ceil(most * ((step - 1) / SHADES) ** 2 + 1e-9), int(most * (step / SHADES) ** 2)) for step in range(1, SHADES + 1)]
    legend = [(max(low, 1), high) for low, high in steps]
    return StateMap(states, legend, bars(longest_first(counts), url))


def shade(count: int, most: int) -> int:
    """1 to SHADES, by the square root: most counts are small, and differences among them are to be seen. 0 is none."""
    return ceil(SHADES * sqrt(count / most) - 1e-9) if count and most else 0


def percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def words(value: object) -> str:
    return UNKNOWN if value is None else str(value)
