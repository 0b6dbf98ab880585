"""Where a point lies, and whether the printed county says the same."""

import time
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.multiply import inner_points
from scraper.database.load import load
from scraper.database.places import CHANGED, CHANGED_CODES, Atlas, County, atlas, code_of_2023
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page, query
from tests.tables import read_table

CASES = read_table("tables/places.toml")
SAMPLE = (-71.0464339, 42.3458497)
"""The point of the one real capture in data/samples."""
SUFFOLK = County("Massachusetts", "MA", "Suffolk County", "25025", "Northeast", "New England")


def test_a_point_inside_any_county_is_in_that_county() -> None:
    points = list(inner_points())
    assert len({place.county_code for place, _, _ in points}) == 3231
    wrong = [place.county for place, longitude, latitude in points if atlas().place(longitude, latitude) != place]
    assert wrong == ["Falls Church city"]  # its outline has shrunk to a line: atlas/SOURCES.md


@pytest.mark.parametrize(("longitude", "latitude", "code", "state", "name"), CASES["points"])
def test_counties_have_the_names_of_the_census_bureau(
    longitude: float, latitude: float, code: str, state: str, name: str
) -> None:
    place = atlas().place(longitude, latitude)
    assert place is not None
    assert (place.county_code, place.state_code, place.county) == (code, state, name)


@pytest.mark.parametrize(("longitude", "latitude"), CASES["nowhere"])
def test_at_sea_and_abroad_there_is_no_place(longitude: float, latitude: float) -> None:
    assert atlas().place(longitude, latitude) is None


@pytest.mark.parametrize(("spellings", "agrees"), [("suffolk", True), ("others", False), ("no_county", None)])
def test_the_printed_county_agrees_however_it_is_spelled(spellings: str, agrees: bool | None) -> None:
    for printed in CASES["spellings"][spellings]:
        assert atlas().agrees(SUFFOLK, printed, *SAMPLE) is agrees, printed


@pytest.mark.parametrize("printed", CASES["names"])
def test_names_mean_the_counties_they_can_mean(printed: str) -> None:
    assert atlas().names.codes(printed) == set(CASES["names"][printed])


def test_a_point_beside_the_border_agrees_with_both_counties() -> None:
    near, far = (-71.1100, 42.2650), (-71.1100, 42.2350)  # in Boston by 0.6 km, and beyond its border by 1.3 km
    place, beyond = atlas().place(*near), atlas().place(*far)
    assert place is not None
    assert beyond is not None
    assert {place.county, beyond.county} <= {"Suffolk County", "Norfolk County"}
    assert atlas().agrees(place, "Suffolk County", *near)
    assert atlas().agrees(place, "Norfolk County", *near)
    assert atlas().agrees(beyond, "Suffolk County", *far) is False


def test_a_point_outside_is_as_far_away_as_the_nearest_point_of_the_border() -> None:
    """The border from (1, 0) to (0, 1) passes (0.6, 0.6) at 0.141 degrees, 15.7 km; its ends are 80 km away."""
    triangle = {"type": "Polygon", "id": "25025", "arcs": [[0]], "properties": {"name": "Suffolk"}}
    arc = [[0, 0], [1, 0], [-1, 1], [0, -1]]  # each relative to the one before
    transform = {"scale": [1, 1], "translate": [0, 0]}
    drawn = Atlas({"transform": transform, "arcs": [arc], "objects": {"counties": {"geometries": [triangle]}}})
    assert (drawn.place(0.6, 0.6, 16.0), drawn.place(0.6, 0.6, 15.5)) == (SUFFOLK, None)
    around = [(-0.1, 0.5), (0.5, -0.1), (1.1, -0.001), (-0.001, 1.1)]  # each 11.1 km away
    assert [(drawn.place(*point, 11.2), drawn.place(*point, 11.0)) for point in around] == [(SUFFOLK, None)] * 4


@pytest.mark.parametrize("printed", ["city of " * 250, "and " * 500, "county " * 280, "," * 2000, "- " * 1000, "a" * 5000])
def test_a_hostile_text_costs_no_time(printed: str) -> None:
    began = time.process_time()
    assert atlas().names.codes(printed) == frozenset()
    assert time.process_time() - began < 0.5


def _point(longitude: float, latitude: float) -> str:
    return f"POINT ({longitude} {latitude})"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    pages = {
        1: {"County": "Suffolk County", "Event Location Geo": _point(*SAMPLE)},
        2: {"County": "Plymouth County", "Event Location Geo": _point(*SAMPLE)},
        3: {"County": "Statewide", "Event Location Geo": _point(*SAMPLE)},
        4: {"County": "Suffolk County"},
        5: {"County": "Suffolk County", "Event Location Geo": _point(0, 0)},
        6: {"County": "Suffolk County", "Event Location Geo": _point(-70.0, 40.0)},
        7: {"Event Location Geo": _point(*SAMPLE)},
        8: {"County": "Autauga", "Event Location Geo": _point(-86.6, 32.5)},
    }
    captures = [page(html(fields, node=number), url=node(number), when=day(number)) for number, fields in pages.items()]
    return loaded(tmp_path_factory.mktemp("places"), captures)


def test_records_have_their_place(folders: Folders) -> None:
    suffolk = ("Massachusetts", "MA", "Suffolk County", "25025")
    nowhere = (None, None, None, None, None)
    sql = "SELECT place_state, place_state_code, place_county, place_county_code, county_agrees FROM records ORDER BY node_id"
    assert query(folders, sql) == [
        (*suffolk, 1),
        (*suffolk, 0),
        (*suffolk, None),
        nowhere,
        nowhere,
        nowhere,
        (*suffolk, None),
        ("Alabama", "AL", "Autauga County", "01001", 1),
    ]
    sql = "SELECT record_id, county, place_county, place_state FROM county_disagreements"
    assert query(folders, sql) == [("2", "Plymouth County", "Suffolk County", "Massachusetts")]


def test_outlines_are_not_read_where_nothing_is_new(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scraper.database.places.FOLDER", folders.data)
    atlas.cache_clear()
    load(folders)


def test_the_shipped_outlines_are_those_that_their_note_names() -> None:
    folder = Path(__file__).parents[1] / "scraper/database/atlas"
    for name in ("counties-10m.json", "counties-2023-changed.json"):
        assert sha256((folder / name).read_bytes()).hexdigest() in (folder / "SOURCES.md").read_text(encoding="utf-8")


def test_the_codes_of_2023_are_those_of_2017_but_where_counties_changed() -> None:
    """Every point of Connecticut is in a planning region, and each of the nine has some."""
    codes = {(place.county_code, code_of_2023(longitude, latitude)) for place, longitude, latitude in inner_points()}
    changed = {(old, new) for old, new in codes if old not in (new, "51610")}  # a line: see above
    assert {old for old, _ in changed} == {county.code for county in atlas().counties if CHANGED_CODES.fullmatch(county.code)}
    assert all(new in {county.code for county in atlas(CHANGED).counties} for _, new in changed)
    regions = {code_of_2023(x / 50, y / 50) for x in range(-3690, -3588) for y in range(2049, 2103)}
    assert {f"091{number}0" for number in range(1, 10)} <= regions
