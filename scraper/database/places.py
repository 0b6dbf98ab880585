"""State and county of a point, by the outlines in `atlas/` (its SOURCES.md says whose they are); `counties` has the names.

The outlines are read when the first point asks, which takes about a second with shapely's own start; a load that builds no record
with a point never does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import cos, radians
from typing import TYPE_CHECKING, Any

from scraper.database.counties import STATES, CountyNames, full_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

ATLAS = files("scraper.database") / "atlas" / "counties-10m.json"
SHORE_KM = 0.5
"""So near a county a point outside all of them is still in it: the outlines are no finer. Towns across the Mexican and Canadian
borders lie farther off (the centre of Nuevo Laredo 0.7 km, of Windsor 1.0 km)."""
BORDER_KM = 1.0
"""A county printed on the page is no disagreement where it lies so near the point."""
_KM_A_DEGREE = 111.2


@dataclass(frozen=True, slots=True)
class Place:
    """A county. Codes are FIPS 5-2 and 6-4: texts, as they may begin with a zero."""

    state: str
    state_code: str
    county: str
    county_code: str


class Atlas:
    """Every county with its outline."""

    def __init__(self, topology: dict[str, Any]) -> None:
        import shapely

        counties = topology["objects"]["counties"]["geometries"]
        self._places = [_place(county["id"], county["properties"]["name"]) for county in counties]
        self.names = CountyNames((county["id"], county["properties"]["name"]) for county in counties)
        arcs = _arcs(topology)
        self._outlines = [_outline(county, arcs) for county in counties]
        self._tree = shapely.STRtree(self._outlines)

    def place(self, longitude: float, latitude: float) -> Place | None:
        """The county that holds a point, or the nearest within SHORE_KM. Of two on whose border it is, the lower code."""
        import shapely

        point = shapely.Point(longitude, latitude)
        within = [self._places[index] for index in self._tree.query(point, predicate="intersects")]
        found = [(0.0, place) for place in within] or self._near(longitude, latitude, SHORE_KM)
        ranked = sorted(found, key=lambda one: (one[0], one[1].county_code))
        return ranked[0][1] if ranked else None

    def agrees(self, place: Place, printed: str, longitude: float, latitude: float) -> bool | None:
        """Whether a printed county can be that of a point in `place`; None where it names no county."""
        meant = self.names.codes(printed)
        if not meant:
            return None
        if place.county_code in meant:
            return True
        return any(one.county_code in meant for _, one in self._near(longitude, latitude, BORDER_KM))

    def outlines(self) -> Iterator[tuple[Place, Any]]:
        """Every county with its shape (shapely), in degrees."""
        return zip(self._places, self._outlines, strict=True)

    def _near(self, longitude: float, latitude: float, reach: float) -> list[tuple[float, Place]]:
        """The counties within so many kilometres, each with its distance on a plane that touches the earth at the point."""
        import shapely

        across, up = _KM_A_DEGREE * cos(radians(latitude)), _KM_A_DEGREE
        if across <= reach / 180:  # at the poles
            return []
        box = shapely.box(longitude - reach / across, latitude - reach / up, longitude + reach / across, latitude + reach / up)
        found = []
        for index in self._tree.query(box):
            flat = shapely.transform(self._outlines[index], lambda degrees: (degrees - [longitude, latitude]) * [across, up])
            distance = float(shapely.distance(flat, shapely.Point(0, 0)))
            if distance <= reach:
                found.append((distance, self._places[index]))
        return found


@cache
def atlas() -> Atlas:
    """The shipped one, read once."""
    return Atlas(json.loads(ATLAS.read_text(encoding="utf-8")))


def _place(code: str, name: str) -> Place:
    state, state_code = STATES[code[:2]]
    return Place(state, state_code, full_name(code, name), code)


def _arcs(topology: dict[str, Any]) -> list[NDArray[Any]]:
    """The lines that outlines are put together of, in degrees. They are stored as steps on a grid (TopoJSON, 2.1.3)."""
    import numpy as np

    scale, origin = topology["transform"]["scale"], topology["transform"]["translate"]
    return [np.cumsum(np.asarray(steps, dtype=np.int64), axis=0) * scale + origin for steps in topology["arcs"]]


def _outline(county: dict[str, Any], arcs: Sequence[NDArray[Any]]) -> Any:
    """A county's shape. Islets that the grid has shrunk to a line are left out; an outline that crosses itself is mended.

    A county that is nothing but a line (Falls Church city, five square kilometres) is that line: points are in its neighbour, and
    near it.
    """
    import shapely

    polygons = [county["arcs"]] if county["type"] == "Polygon" else county["arcs"]
    shapes = []
    for outer, *holes in ([_ring(numbers, arcs) for numbers in polygon] for polygon in polygons):
        if len(outer) >= _SMALLEST_RING:
            shapes.append(shapely.Polygon(outer, [hole for hole in holes if len(hole) >= _SMALLEST_RING]))
    if not shapes:
        return shapely.LineString(_ring(polygons[0][0], arcs))
    return shapely.make_valid(shapely.MultiPolygon(shapes), method="structure", keep_collapsed=False)


_SMALLEST_RING = 4  # points: a triangle, closed


def _ring(numbers: Sequence[int], arcs: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arcs end to end; a negative number is an arc backwards. Each begins where the one before ended (TopoJSON, 2.1.4)."""
    import numpy as np

    lines = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    return np.concatenate([lines[0], *(line[1:] for line in lines[1:])])
