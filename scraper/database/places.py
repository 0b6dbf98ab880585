"""State and county of a point, by the outlines in `atlas/` (its SOURCES.md says whose they are); `counties` has the names.

They are read when the first point asks, which takes about a tenth of a second with numpy's and shapely's own start; a load that
builds no record with a point never does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from itertools import chain
from math import cos, radians
from typing import TYPE_CHECKING, Any

import orjson

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
    """Every county. Its outline is put together when a point first lies in its box: a load of few records asks for few."""

    def __init__(self, topology: dict[str, Any]) -> None:
        import shapely

        self._counties: list[dict[str, Any]] = topology["objects"]["counties"]["geometries"]
        self._arcs = _Arcs(topology)
        self._tree = shapely.STRtree(shapely.box(*self._arcs.boxes([_rings(county) for county in self._counties]).T))
        self._places: dict[int, Place] = {}
        self._outlines: dict[int, Any] = {}

    @cached_property
    def names(self) -> CountyNames:
        """The counties by name."""
        return CountyNames((county["id"], county["properties"]["name"]) for county in self._counties)

    def place(self, longitude: float, latitude: float) -> Place | None:
        """The county that holds a point, or the nearest within SHORE_KM. Of two on whose border it is, the lower code."""
        import shapely

        point = shapely.Point(longitude, latitude)
        around = self._tree.query(point)
        within = [self._place(index) for index in around if shapely.intersects(self._outline(index), point)]
        found = [(0.0, place) for place in within] or self._near(longitude, latitude, SHORE_KM)
        ranked = sorted(found, key=lambda one: (one[0], one[1].county_code))
        return ranked[0][1] if ranked else None

    def _place(self, index: int) -> Place:
        if index not in self._places:
            county = self._counties[index]
            self._places[index] = _place(county["id"], county["properties"]["name"])
        return self._places[index]

    def _outline(self, index: int) -> Any:
        if index not in self._outlines:
            import shapely

            self._outlines[index] = _outline(_rings(self._counties[index]), self._arcs)
            shapely.prepare(self._outlines[index])
        return self._outlines[index]

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
        return ((self._place(index), self._outline(index)) for index in range(len(self._counties)))

    def _near(self, longitude: float, latitude: float, reach: float) -> list[tuple[float, Place]]:
        """The counties within so many kilometres, each with its distance on a plane that touches the earth at the point."""
        import shapely

        across, up = _KM_A_DEGREE * cos(radians(latitude)), _KM_A_DEGREE
        if across <= reach / 180:  # at the poles
            return []
        box = shapely.box(longitude - reach / across, latitude - reach / up, longitude + reach / across, latitude + reach / up)
        found = []
        for index in self._tree.query(box):
            flat = shapely.transform(self._outline(index), lambda degrees: (degrees - [longitude, latitude]) * [across, up])
            distance = float(shapely.distance(flat, shapely.Point(0, 0)))
            if distance <= reach:
                found.append((distance, self._place(index)))
        return found


@cache
def atlas() -> Atlas:
    """The shipped one, read once."""
    return Atlas(orjson.loads(ATLAS.read_bytes()))


def _place(code: str, name: str) -> Place:
    state, state_code = STATES[code[:2]]
    return Place(state, state_code, full_name(code, name), code)


_Polygon = list[list[int]]
"""Its outer ring and its holes, each as the numbers of arcs end to end; a negative one is an arc backwards (TopoJSON, 2.1.4)."""


def _rings(county: dict[str, Any]) -> list[_Polygon]:
    """The polygons of a county."""
    return [county["arcs"]] if county["type"] == "Polygon" else county["arcs"]


class _Arcs:
    """The lines that outlines are put together of, in degrees. They are stored as steps on a grid (TopoJSON, 2.1.3)."""

    def __init__(self, topology: dict[str, Any]) -> None:
        import numpy as np

        lengths = [len(steps) for steps in topology["arcs"]]
        steps = chain.from_iterable(chain.from_iterable(topology["arcs"]))
        grid = np.fromiter(steps, np.int64, 2 * sum(lengths)).reshape(-1, 2).cumsum(axis=0)
        self._ends: NDArray[np.int64] = np.cumsum(lengths)
        self._starts: NDArray[np.int64] = self._ends - lengths
        before = np.concatenate([[[0, 0]], grid])[self._starts]  # each arc begins anew
        scale, origin = topology["transform"]["scale"], topology["transform"]["translate"]
        self._points = (grid - before.repeat(lengths, axis=0)) * scale + origin

    def __getitem__(self, number: int) -> NDArray[Any]:
        """The points of an arc, in the direction that the number says."""
        if number < 0:
            return self[~number][::-1]
        points: NDArray[Any] = self._points[self._starts[number] : self._ends[number]]
        return points

    def boxes(self, counties: Sequence[list[_Polygon]]) -> NDArray[Any]:
        """West, south, east and north of each county, a row for each."""
        import numpy as np

        numbers = [[number for polygon in county for ring in polygon for number in ring] for county in counties]
        starts = np.cumsum([0, *map(len, numbers[:-1])])
        arcs = np.fromiter(chain.from_iterable(numbers), np.int64)
        arcs = np.where(arcs < 0, ~arcs, arcs)
        least, most = (
            extreme.reduceat(extreme.reduceat(self._points, self._starts)[arcs], starts) for extreme in (np.minimum, np.maximum)
        )
        return np.hstack([least, most])


def _outline(polygons: list[_Polygon], arcs: _Arcs) -> Any:
    """A county's shape. Islets that the grid has shrunk to a line are left out; an outline that crosses itself is mended.

    A county that is nothing but a line (Falls Church city, five square kilometres) is that line: points are in its neighbour, and
    near it.
    """
    import shapely

    shapes = []
    for outer, *holes in ([_ring(numbers, arcs) for numbers in polygon] for polygon in polygons):
        if len(outer) >= _SMALLEST_RING:
            shapes.append(shapely.Polygon(outer, [hole for hole in holes if len(hole) >= _SMALLEST_RING]))
    if not shapes:
        return shapely.LineString(_ring(polygons[0][0], arcs))
    return shapely.make_valid(shapely.MultiPolygon(shapes), method="structure", keep_collapsed=False)


_SMALLEST_RING = 4  # points: a triangle, closed


def _ring(numbers: Sequence[int], arcs: _Arcs) -> NDArray[Any]:
    """Arcs end to end; each begins where the one before ended (TopoJSON, 2.1.4)."""
    import numpy as np

    lines = [arcs[number] for number in numbers]
    return np.concatenate([lines[0], *(line[1:] for line in lines[1:])])
