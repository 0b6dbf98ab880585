"""Writes `static/state-paths.json`: state outlines as paths of an SVG drawing, in the usual projection of the United States.

`python -m tests.state_paths` writes the file again; a test compares it with `static/states.geojson`.

Alaska, Hawaii and Puerto Rico have frames of their own below the mainland; smaller territories are in the table beside the map.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, radians, sin, sqrt
from pathlib import Path

WIDTH, HEIGHT = 960, 600
"""The drawing's size in its own units."""


@dataclass(frozen=True, slots=True)
class Albers:
    """Albers equal-area conic projection (Snyder, Map Projections, USGS 1395, 1987, p. 100), scaled and moved to the drawing."""

    parallels: tuple[float, float]
    centre: tuple[float, float]
    """Longitude and latitude, degrees."""
    middle: tuple[float, float]
    """Where the centre is drawn."""
    scale: float

    def point(self, longitude: float, latitude: float) -> tuple[float, float]:
        low, high = map(radians, self.parallels)
        n = (sin(low) + sin(high)) / 2
        constant = cos(low) ** 2 + 2 * n * sin(low)
        here = sqrt(constant - 2 * n * sin(radians(latitude))) / n
        centre = sqrt(constant - 2 * n * sin(radians(self.centre[1]))) / n
        turned = n * radians((longitude - self.centre[0] + 180) % 360 - 180)  # the Aleutians cross the date line
        x, y = here * sin(turned), centre - here * cos(turned)
        return self.middle[0] + self.scale * x, self.middle[1] - self.scale * y


_MAINLAND = Albers((29.5, 45.5), (-96.6, 38.7), (480, 285), 1240)
_FRAMES = {
    "Alaska": Albers((55.0, 65.0), (-154.0, 62.5), (145, 525), 420),
    "Hawaii": Albers((19.0, 22.0), (-157.4, 20.6), (310, 545), 1240),
    "Puerto Rico": Albers((17.9, 18.5), (-66.3, 18.2), (880, 560), 2480),
}
_NOT_DRAWN = {"American Samoa", "Guam", "Commonwealth of the Northern Mariana Islands", "United States Virgin Islands"}


STATIC = Path(__file__).parents[1] / "scraper" / "explore" / "static"
PATHS = STATIC / "state-paths.json"


def state_paths() -> dict[str, str]:
    """The path of each state that is drawn, by the state's name as the Census Bureau writes it."""
    text = (STATIC / "states.geojson").read_text(encoding="utf-8")
    paths = {}
    for feature in json.loads(text)["features"]:
        name = feature["properties"]["name"]
        if name not in _NOT_DRAWN:
            projection = _FRAMES.get(name, _MAINLAND)
            paths[name] = "".join(_ring(projection, ring) for polygon in feature["geometry"]["coordinates"] for ring in polygon)
    return paths


def _ring(projection: Albers, ring: Iterable[tuple[float, float]]) -> str:
    """A closed ring in whole units; points that fall on the one before are left out."""
    drawn: list[tuple[int, int]] = []
    for longitude, latitude in ring:
        x, y = projection.point(longitude, latitude)
        if not drawn or drawn[-1] != (round(x), round(y)):
            drawn.append((round(x), round(y)))
    return "M" + "L".join(f"{x} {y}" for x, y in drawn) + "Z"


if __name__ == "__main__":
    PATHS.write_text(json.dumps(state_paths(), indent=0) + "\n", encoding="utf-8")
