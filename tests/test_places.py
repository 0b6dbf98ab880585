"""Where a point lies, and whether the printed county says the same."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.database.counties import STATES
from scraper.database.derived import COLUMNS
from scraper.database.load import LoadOptions, load
from scraper.database.places import Place, atlas
from scraper.folders import Folders
from tests.dbkit import day, html, loaded, node, page, query

SAMPLE = (-71.0464339, 42.3458497)
"""The point of the one real capture in data/samples."""
SUFFOLK = Place("Massachusetts", "MA", "Suffolk County", "25025")


def test_the_samples_point_is_in_suffolk_county() -> None:
    assert atlas().place(*SAMPLE) == SUFFOLK


def test_a_point_inside_any_county_is_in_that_county() -> None:
    wrong = []
    for place, longitude, latitude in atlas().inner_points():
        if atlas().place(longitude, latitude) != place:
            wrong.append(place.county)
    assert wrong == ["Falls Church city"]  # its outline has shrunk to a line: atlas/SOURCES.md


def test_every_state_and_territory_has_counties_with_codes_of_five_digits() -> None:
    places = [place for place, _, _ in atlas().inner_points()]
    assert {(place.state, place.state_code) for place in places} == set(STATES.values())
    assert all(len(place.county_code) == 5 and place.county_code.isdecimal() for place in places)
    assert len({place.county_code for place in places}) == len(places) == 3231
    connecticut = {place.county for place in places if place.state_code == "CT"}
    assert len(connecticut) == 8
    assert "Hartford County" in connecticut


@pytest.mark.parametrize(
    ("longitude", "latitude", "county", "state", "code"),
    [
        (-90.08, 29.97, "Orleans Parish", "LA", "22071"),
        (-149.85, 61.19, "Anchorage Municipality", "AK", "02020"),
        (-134.4197, 58.3019, "Juneau City and Borough", "AK", "02110"),
        (172.9, 52.9, "Aleutians West Census Area", "AK", "02016"),  # Attu, beyond the 180th meridian
        (-76.6122, 39.2904, "Baltimore city", "MD", "24510"),
        (-76.6, 39.45, "Baltimore County", "MD", "24005"),
        (-90.1994, 38.6270, "St. Louis city", "MO", "29510"),
        (-77.4360, 37.5407, "Richmond city", "VA", "51760"),
        (-119.7674, 39.1638, "Carson City", "NV", "32510"),
        (-77.0365, 38.8977, "District of Columbia", "DC", "11001"),
        (-88.1, 30.69, "Mobile County", "AL", "01097"),
        (-66.1185, 18.4663, "San Juan Municipio", "PR", "72127"),
        (-64.9307, 18.3419, "St. Thomas Island", "VI", "78030"),
        (144.7502, 13.4763, "Guam", "GU", "66010"),
        (145.72, 15.19, "Saipan Municipality", "MP", "69110"),
        (-170.7010, -14.2756, "Eastern District", "AS", "60010"),
    ],
)
def test_counties_have_the_names_of_the_census_bureau(
    longitude: float, latitude: float, county: str, state: str, code: str
) -> None:
    place = atlas().place(longitude, latitude)
    assert place is not None
    assert (place.county, place.state_code, place.county_code) == (county, state, code)


@pytest.mark.parametrize(
    ("longitude", "latitude"),
    [
        (-83.0364, 42.3149),  # Windsor, Ontario, across the river from Detroit
        (-106.4869, 31.7385),  # Ciudad Juárez, across the river from El Paso
        (-99.5150, 27.4900),  # Nuevo Laredo
        (-117.0382, 32.5149),  # Tijuana
        (-0.1276, 51.5072),  # London
        (-70.0, 40.0),  # the Atlantic
        (0.0, 90.0),
        (180.0, -90.0),
    ],
)
def test_at_sea_and_abroad_there_is_no_place(longitude: float, latitude: float) -> None:
    assert atlas().place(longitude, latitude) is None


@pytest.mark.parametrize(
    ("longitude", "latitude", "code"),
    [
        (-74.0445, 40.6892, "36061"),  # the Statue of Liberty: Liberty Island is New York's
        (-70.1787, 42.0526, "25001"),  # Provincetown's pier
        (-82.0200, 26.4480, "12071"),  # Sanibel's beach
    ],
)
def test_the_shore_belongs_to_its_county(longitude: float, latitude: float, code: str) -> None:
    place = atlas().place(longitude, latitude)
    assert place is not None
    assert place.county_code == code


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_every_point_has_one_answer(longitude: float, latitude: float) -> None:
    place = atlas().place(longitude, latitude)
    assert place == atlas().place(longitude, latitude)
    if place is not None:
        assert atlas().agrees(place, place.county, longitude, latitude) is True
        assert atlas().agrees(place, f"{place.county}, {place.state_code}", longitude, latitude) is True


@pytest.mark.parametrize(
    "printed",
    [
        "Suffolk County",
        "Suffolk",
        "suffolk county",
        "SUFFOLK CO.",
        "County of Suffolk",
        "Suffolk County, MA",
        "Suffolk County, Massachusetts",
        "Suffolk County MA",
        "Suffolk County (Massachusetts)",
        "Middlesex, Norfolk, Suffolk",
        "Essex County; Suffolk County",
        "Middlesex and Suffolk Counties",
        "Essex / Suffolk",
        "Suffolk County – Boston",
    ],
)
def test_the_printed_county_agrees_however_it_is_spelled(printed: str) -> None:
    assert atlas().agrees(SUFFOLK, printed, *SAMPLE) is True


@pytest.mark.parametrize(
    "printed", ["Plymouth County", "Kings", "Suffolk County, NY", "Suffolk County, New York", "City of Suffolk", "Los Angeles"]
)
def test_another_county_is_a_disagreement(printed: str) -> None:
    assert atlas().agrees(SUFFOLK, printed, *SAMPLE) is False


@pytest.mark.parametrize(
    "printed", ["Statewide", "N/A", "Multiple", "Massachusetts", "MA", "Boston", "-", "Capitol Planning Region"]
)
def test_what_names_no_county_neither_agrees_nor_disagrees(printed: str) -> None:
    assert atlas().agrees(SUFFOLK, printed, *SAMPLE) is None


@pytest.mark.parametrize(
    ("printed", "codes"),
    [
        ("Richmond city", {"51760"}),
        ("City of Richmond, VA", {"51760"}),
        ("Richmond County, Virginia", {"51159"}),
        ("Richmond, VA", {"51159", "51760"}),
        ("Saint Louis City", {"29510"}),
        ("St Louis County, Missouri", {"29189"}),
        ("King County, Washington", {"53033"}),
        ("City and County of San Francisco", {"06075"}),
        ("Lewis and Clark", {"30049"}),
        ("King & Queen County", {"51097"}),
        ("Lake and Peninsula Borough", {"02164"}),
        ("De Kalb County, GA", {"13089"}),
        ("LaSalle, IL", {"17099"}),
        ("Prince George’s County", {"24033"}),
        ("Dona Ana", {"35013"}),
        ("Anchorage", {"02020"}),
        ("Orleans County, Louisiana", {"22071"}),
        ("Rock Island", {"17161"}),
        ("Brooklyn", {"36047"}),
        ("Shannon County, South Dakota", {"46102"}),
    ],
)
def test_names_mean_the_counties_they_can_mean(printed: str, codes: set[str]) -> None:
    assert atlas().names.codes(printed) == codes


def test_a_point_beside_the_border_agrees_with_both_counties() -> None:
    near, far = (-71.1100, 42.2650), (-71.1100, 42.2350)  # in Boston by 0.6 km, and beyond its border by 1.3 km
    place, beyond = atlas().place(*near), atlas().place(*far)
    assert place is not None
    assert beyond is not None
    assert {place.county, beyond.county} <= {"Suffolk County", "Norfolk County"}
    assert atlas().agrees(place, "Suffolk County", *near)
    assert atlas().agrees(place, "Norfolk County", *near)
    assert atlas().agrees(beyond, "Suffolk County", *far) is False


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


def test_the_view_lists_what_disagrees(folders: Folders) -> None:
    sql = "SELECT record_id, county, place_county, place_state FROM county_disagreements"
    assert query(folders, sql) == [("2", "Plymouth County", "Suffolk County", "Massachusetts")]


def test_derived_columns_say_that_they_are(folders: Folders) -> None:
    rows = dict(query(folders, "SELECT column, description FROM dictionary WHERE \"table\" = 'records'"))
    assert all("derived" in rows[column] for column in COLUMNS)


def test_a_rebuild_keeps_the_view(folders: Folders) -> None:
    load(folders, LoadOptions(rebuild=True))
    assert len(query(folders, "SELECT * FROM county_disagreements")) == 1


def test_outlines_are_not_read_where_nothing_is_new(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scraper.database.places.ATLAS", folders.data / "missing.json")
    atlas.cache_clear()
    load(folders)


def test_the_shipped_outlines_are_those_that_their_note_names() -> None:
    folder = Path(__file__).parents[1] / "scraper/database/atlas"
    digest = sha256((folder / "counties-10m.json").read_bytes()).hexdigest()
    assert digest in (folder / "SOURCES.md").read_text(encoding="utf-8")
