"""Writes `static/county-names.json`, the names that the map shows where it is zoomed in: `python -m tests.county_names`."""

import json
from itertools import accumulate
from pathlib import Path

from scraper.database.places import ATLAS, FOLDER

FILE = Path(__file__).parents[1] / "scraper" / "explore" / "static" / "county-names.json"


def main() -> None:
    """Name, latitude and longitude of the middle of each county's box. The Aleutians West, across the date line, are left out."""
    atlas = json.loads((FOLDER / ATLAS).read_text(encoding="utf-8"))
    (scale_x, scale_y), (x, y) = atlas["transform"]["scale"], atlas["transform"]["translate"]
    found = []
    for county in atlas["objects"]["counties"]["geometries"]:
        numbers = [one for part in county["arcs"] for ring in part for one in (ring if isinstance(ring, list) else [ring])]
        arcs = [atlas["arcs"][number if number >= 0 else ~number] for number in numbers]
        east, north = ([at for arc in arcs for at in accumulate(step[axis] for step in arc)] for axis in (0, 1))
        west_to_east = (max(east) - min(east)) * scale_x
        if west_to_east < 30:
            middle = [(min(north) + max(north)) / 2 * scale_y + y, (min(east) + max(east)) / 2 * scale_x + x]
            found.append([county["properties"]["name"], *(round(at, 2) for at in middle)])
    lines = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in sorted(found))
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
