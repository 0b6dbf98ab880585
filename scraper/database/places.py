"""Finds state and county of a point, from the county outlines in `atlas/` (see its SOURCES.md); `counties` has the names.

The outlines are read when the first point is looked up, so a load without points never reads them.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, chain, pairwise
from math import cos, floor, hypot, inf, radians
from typing import Any

import orjson

from scraper.database.counties import FOLDER, REGIONS, STATES, CountyNames, full_name

ATLAS, CHANGED = "counties-10m.json", "counties-2023-changed.json"
"""Files: all counties as of 2017, and those of 2023 with another code: in Connecticut, and two in Alaska."""
CHANGED_CODES = re.compile("090..|02261")
"""The counties of 2017 that they replace."""
CHANGED_KM = 5.0
"""How far outside the changed outlines a point may be: their simplified borders differ from those of 2017, which contain it."""
SHORE_KM = 0.5
"""A point outside all counties belongs to the nearest within this distance, because the outlines are no finer. Towns across the
Mexican and Canadian borders are farther away (the center of Nuevo Laredo 0.7 km, of Windsor 1.0 km)."""
BORDER_KM = 1.0
"""A county printed on the page agrees with a point this near to it."""
_KM_PER_DEGREE = 111.2  # of latitude

_Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees."""


@dataclass(frozen=True, slots=True)
class County:
    """A county. Codes are FIPS 5-2 and 6-4, kept as text because they can begin with a zero."""

    state: str
    state_code: str
    county: str
    county_code: str
    region: str | None
    division: str | None

    @property
    def name(self) -> str:
        return self.county if self.county == self.state else f"{self.county}, {self.state_code}"


class _Arc:
    """A line of one or more outlines, in degrees. Neighboring counties share it."""

    __slots__ = ("box", "points")

    def __init__(self, steps: list[list[int]], scale: tuple[float, float], origin: tuple[float, float]) -> None:
        """`steps` are differences on an integer grid (TopoJSON specification, 2.1.3)."""
        xs = [x * scale[0] + origin[0] for x in accumulate(step[0] for step in steps)]
        ys = [y * scale[1] + origin[1] for y in accumulate(step[1] for step in steps)]
        self.points = list(zip(xs, ys, strict=True))
        self.box: _Box = (min(xs), min(ys), max(xs), max(ys))

    def crossings(self, x: float, y: float) -> int:
        """Counts how often a ray from the point to the east crosses the line. Segments matter only for a point in the box."""
        west, south, east, north = self.box
        if not south <= y <= north or east < x:
            return 0
        if x < west:
            return (self.points[0][1] > y) != (self.points[-1][1] > y)
        return sum(
            (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0 for (x0, y0), (x1, y1) in pairwise(self.points)
        )

    def distance(self, x: float, y: float, across: float, up: float) -> float:
        """Kilometers from the point, on a plane tangent to the earth there; a degree is `across` km wide and `up` km high."""
        found = inf
        for (x0, y0), (x1, y1) in pairwise(((px - x) * across, (py - y) * up) for px, py in self.points):
            dx, dy = x1 - x0, y1 - y0
            length = dx * dx + dy * dy
            along = max(0.0, min(1.0, -(x0 * dx + y0 * dy) / length)) if length else 0.0
            found = min(found, hypot(x0 + along * dx, y0 + along * dy))
        return found


class _CountyOutline:
    """A county as the arcs of all its rings. Holes and islands need no distinction: a ray from inside crosses an odd number."""

    def __init__(self, geometry: dict[str, Any], arcs: list[_Arc]) -> None:
        polygons = [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry["arcs"]
        numbers = chain.from_iterable(chain.from_iterable(polygons))
        self.arcs = [arcs[~number if number < 0 else number] for number in numbers]  # negative: backwards (TopoJSON, 2.1.4)
        west, south, east, north = zip(*(arc.box for arc in self.arcs), strict=True)
        self.box: _Box = (min(west), min(south), max(east), max(north))
        code, name = geometry["id"], geometry["properties"]["name"]
        self.code, self.name = code, name
        self.place = County(*STATES[code[:2]], full_name(code, name), code, *REGIONS[code[:2]])


class Atlas:
    """The outlines of all counties, indexed by the one-degree cells of their bounding boxes."""

    def __init__(self, topology: dict[str, Any]) -> None:
        scale, origin = topology["transform"]["scale"], topology["transform"]["translate"]
        arcs = [_Arc(steps, scale, origin) for steps in topology["arcs"]]
        self.counties = [_CountyOutline(geometry, arcs) for geometry in topology["objects"]["counties"]["geometries"]]
        self._by_cell: dict[tuple[int, int], list[_CountyOutline]] = defaultdict(list)
        for county in sorted(self.counties, key=lambda one: one.code):
            for cell in _cells(county.box):
                self._by_cell[cell].append(county)

    @cached_property
    def names(self) -> CountyNames:
        """The counties by name."""
        return CountyNames((county.code, county.name) for county in self.counties)

    def place(self, longitude: float, latitude: float, reach: float = SHORE_KM) -> County | None:
        """Returns the county that contains a point, or else the nearest within `reach` km; of equal distances, the lower code."""
        for county in self._by_cell.get((floor(longitude), floor(latitude)), ()):
            is_near = _overlap(county.box, (longitude, latitude, longitude, latitude))
            if is_near and sum(arc.crossings(longitude, latitude) for arc in county.arcs) % 2:
                return county.place
        near = self._near(longitude, latitude, reach)
        return min(near, key=lambda one: (one[0], one[1].county_code))[1] if near else None

    def agrees(self, place: County, printed: str, longitude: float, latitude: float) -> bool | None:
        """Whether a printed county can be that of a point in `place`; None if the text names no county."""
        meant = self.names.codes(printed)
        if not meant or place.county_code in meant:
            return bool(meant) or None
        return any(one.county_code in meant for _, one in self._near(longitude, latitude, BORDER_KM))

    def _near(self, longitude: float, latitude: float, reach: float) -> list[tuple[float, County]]:
        """Returns the counties whose outline is within `reach` kilometers, each with its distance."""
        across, up = _KM_PER_DEGREE * cos(radians(latitude)), _KM_PER_DEGREE
        if across <= reach / 180:  # at the poles
            return []
        box = (longitude - reach / across, latitude - reach / up, longitude + reach / across, latitude + reach / up)
        found: dict[str, tuple[float, County]] = {}
        for county in chain.from_iterable(self._by_cell.get(cell, ()) for cell in _cells(box)):
            if county.code not in found and _overlap(county.box, box):
                distances = (arc.distance(longitude, latitude, across, up) for arc in county.arcs if _overlap(arc.box, box))
                if (distance := min(distances, default=inf)) <= reach:
                    found[county.code] = (distance, county.place)
        return list(found.values())


def _cells(box: _Box) -> Iterator[tuple[int, int]]:
    """Yields the one-degree cells that a box covers."""
    west, south, east, north = map(floor, box)
    return ((x, y) for x in range(west, east + 1) for y in range(south, north + 1))


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


@cache
def atlas(name: str = ATLAS) -> Atlas:
    """Reads the included outlines; cached."""
    return Atlas(orjson.loads((FOLDER / name).read_bytes()))


def code_of_2023(longitude: float, latitude: float) -> str | None:
    """Returns the code that tables of 2022 and later use for the county of a point."""
    place = atlas().place(longitude, latitude)
    if place is not None and CHANGED_CODES.fullmatch(place.county_code):
        place = atlas(CHANGED).place(longitude, latitude, CHANGED_KM)
    return place.county_code if place else None
